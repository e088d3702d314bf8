/*
 * limits - the budgets of a program, each tripped once before the first program runs: a limit
 * that does not hold is found before it is needed.
 */
#ifndef DSL_LIMITS_H
#define DSL_LIMITS_H

#include "base/error.h"

/* Trips steps, bytes, depth, source size, jobs, chunk bytes, output bytes, wall time, and a
 * system call that is not permitted. ERR_IO names the first that did not hold, or says why no
 * process was to be had. Takes some ten milliseconds. */
MUST_USE enum status limits_try(struct error *err);

#endif
