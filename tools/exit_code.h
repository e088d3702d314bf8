/* exit_code - how a command ends when something failed: one line, one sysexits code. */
#ifndef TOOLS_EXIT_CODE_H
#define TOOLS_EXIT_CODE_H

#include "base/error.h"

/* EX_DATAERR for malformed or oversized input, EX_NOINPUT for a file that cannot be read,
 * EX_OSERR for no memory, EX_SOFTWARE for a failing device, EX_UNAVAILABLE for a remote
 * endpoint, EX_TEMPFAIL for a cancelled run. */
int exit_code_of(enum status status);

/* Prints "cohort COMMAND: sentence" on standard error; gives the code for err->status. */
int exit_code_fail(const char *command, const struct error *err);

/* The same, when what failed is writing a result: EX_IOERR. */
int exit_code_fail_output(const char *command, const char *what);

/* Flushes standard output: 0, or EX_IOERR with a line when the output was not taken. */
int exit_code_flush(const char *command);

#endif
