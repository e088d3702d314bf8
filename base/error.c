/* error - see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

/* What is quoted may come from anywhere: no line breaks, and nothing that a terminal obeys. */
static void make_plain(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

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
        make_plain(err->text);
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
