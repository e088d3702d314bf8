/* log - see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 1024 };

static const char *const level_words[] = {"error", "warn", "info", "debug"};

static enum log_level level_wanted(void)
{
    const char *word = getenv("COHORT_LOG");
    for (int i = LOG_ERROR; word && i <= LOG_DEBUG; i++) {
        if (strcmp(word, level_words[i]) == 0)
            return (enum log_level)i;
    }
    return LOG_WARN;
}

bool log_is_on(enum log_level level)
{
    return level <= level_wanted();
}

void log_line(enum log_level level, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;
    if (!log_is_on(level))
        return;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    /* One call, so that lines of two threads do not mix. */
    (void)fprintf(stderr, "cohort %s: %s\n", level_words[level], line);
}
