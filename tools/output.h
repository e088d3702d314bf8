/*
 * output - a result that was built in memory, on standard output: all of it, or an error. What
 * the system does not take is found by exit_code_flush.
 */
#ifndef TOOLS_OUTPUT_H
#define TOOLS_OUTPUT_H

#include "base/error.h"
#include "base/text.h"

/* Prints what out holds and takes its memory. ERR_MEMORY: not all of it could be built, so
 * nothing is printed. */
MUST_USE enum status output_text(struct text_buf *out, struct error *err);

/* The same, and a newline behind it. */
MUST_USE enum status output_line(struct text_buf *out, struct error *err);

/* Prints lines for people on standard error, each as `cohort COMMAND: LINE`. */
void output_notes(const char *command, struct text lines);

#endif
