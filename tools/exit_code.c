/* exit_code - see exit_code.h. */
#include "tools/exit_code.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

int exit_code_of(enum status status)
{
    switch (status) {
    case OK:
        return EX_OK;
    case ERR_MEMORY:
        return EX_OSERR;
    case ERR_FORMAT:
    case ERR_LIMIT:
        return EX_DATAERR;
    case ERR_IO:
        return EX_NOINPUT;
    case ERR_DEVICE:
        return EX_SOFTWARE;
    case ERR_REMOTE:
        return EX_UNAVAILABLE;
    case ERR_CANCELLED:
        return EX_TEMPFAIL;
    }
    return EX_SOFTWARE;
}

int exit_code_fail(const char *command, const struct error *err)
{
    (void)fprintf(stderr, "cohort %s: %s\n", command, err->text);
    return exit_code_of(err->status);
}

int exit_code_fail_output(const char *command, const char *what)
{
    (void)fprintf(stderr, "cohort %s: %s: %s\n", command, what, strerror(errno));
    return EX_IOERR;
}

int exit_code_flush(const char *command)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return exit_code_fail_output(command, "standard output");
    return EX_OK;
}
