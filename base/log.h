/*
 * log - one line on standard error for a person who debugs; leaves never call it, tools and
 * conductors do. Level from COHORT_LOG (error, warn, info, debug; default warn).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/error.h"

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

bool log_is_on(enum log_level level);
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
