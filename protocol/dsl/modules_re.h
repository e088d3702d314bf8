/*
 * modules_re - the module re, for programs and for chunk.c.
 */
#ifndef DSL_MODULES_RE_H
#define DSL_MODULES_RE_H

#include "protocol/dsl/modules.h"
#include "protocol/dsl/regex.h"

/* Going through the matches in a string, as finditer does. Begin with zeros but for pattern
 * and subject. */
struct modules_re_scan {
    struct pattern *pattern;
    struct str *subject;
    struct text text; /* what is searched; the whole subject when NULL */
    size_t at;        /* byte where the next search begins */
    int64_t from, to; /* pos and endpos, in code points; to 0: the end */
    bool done;
    struct regex_span spans[REGEX_GROUPS_MAX + 1];
};

/* Compiled, or found among those compiled before. NULL when it raised re.error. */
struct pattern *modules_re_compile(struct interp *in, struct str *source, int64_t flags);
/* Raises re.error out of "words at position 3", with msg, pos and so on; always false. */
bool modules_re_raise(struct interp *in, struct str *source, const char *message);
/* The next match into spans; false at the end, or when a budget tripped. */
bool modules_re_next(struct interp *in, struct modules_re_scan *scan);
#endif
