/*
 * regex_parse - the parts of a regular expression, as regex.c turns them into nodes.
 *
 * Owner    parts lie in the arena given to regex_parse.
 */
#ifndef ENGINE_REGEX_PARSE_H
#define ENGINE_REGEX_PARSE_H

#include "engine/regex.h"

#define REGEX_NO_MAX UINT32_MAX

enum regex_kind {
    REGEX_EMPTY,
    REGEX_SET,    /* one character of ranges[count]; none when count is 0 */
    REGEX_CAT,    /* a, then b */
    REGEX_ALT,    /* a or b */
    REGEX_REPEAT, /* a, min to max times */
    REGEX_BEGIN,
    REGEX_END
};

struct regex_part {
    enum regex_kind kind;
    const struct regex_part *a, *b;
    uint32_t min, max;
    const struct regex_range *ranges; /* ascending, disjoint */
    uint32_t count;
};

MUST_USE enum status regex_parse(struct text pattern, struct arena *arena,
                                 const struct regex_part **part, struct error *err);

#endif
