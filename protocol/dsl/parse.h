/*
 * parse - source text to a syntax tree, with every size bounded first.
 *
 * Tree-sitter's Python scanner is quadratic on line continuations, so source size, bracket
 * depth and continuation lines are counted by a scan over the bytes before it starts.
 */
#ifndef DSL_PARSE_H
#define DSL_PARSE_H

#include "protocol/dsl/dsl.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/syntax.h"

enum {
    PARSE_BRACKETS_MAX = 90,       /* open at once */
    PARSE_CONTINUATIONS_MAX = 400, /* lines that end in a backslash */
    PARSE_DEPTH_MAX = 220          /* levels of the syntax tree */
};

/* The tree, in the program's arena; NULL with *fault filled (DSL_REFUSED, or DSL_BUDGET). The
 * source must stay as long as the tree. */
const struct syntax *parse_source(struct interp *in, struct text source,
                                  struct dsl_fault *fault);

/* Whether brackets and continuation lines of a text stay within the counts above, so that
 * Tree-sitter takes time in proportion to its size. */
bool parse_is_tame(struct text source);

/* Fills *fault as a refusal; always NULL, for `return parse_refuse(...)`. */
void *parse_refuse(struct dsl_fault *fault, int32_t line, const char *format, ...)
    PRINTF_LIKE(3, 4);
#endif
