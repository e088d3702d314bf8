/* error - see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

enum status error_set(struct error *err, enum status status, const char *file, int line,
                      const char *format, ...)
{
    if (err) {
        va_list args;
        err->status = status;
        err->file = file;
        err->line = line;
        va_start(args, format);
        (void)vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
    }
    return status;
}

const char *error_word(enum status status)
{
    switch (status) {
    case OK:
        return "ok";
    case ERR_MEMORY:
        return "memory";
    case ERR_FORMAT:
        return "format";
    case ERR_LIMIT:
        return "limit";
    case ERR_IO:
        return "io";
    case ERR_DEVICE:
        return "device";
    case ERR_REMOTE:
        return "remote";
    case ERR_CANCELLED:
        return "cancelled";
    }
    return "unknown";
}
