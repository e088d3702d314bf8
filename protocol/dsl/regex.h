/*
 * regex - regular expressions that run in linear time, behind a C door (RE2).
 *
 * regex_translate turns Python's syntax into RE2's; what RE2 cannot do (look-around,
 * back-references, atomic groups) is refused by name there. Offsets here are bytes.
 *
 * Owner    regex_open links each expression into a list, closed with regex_close_all.
 */
#ifndef DSL_REGEX_H
#define DSL_REGEX_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Python's own numbers. */
enum {
    REGEX_IGNORECASE = 2,
    REGEX_LOCALE = 4,
    REGEX_MULTILINE = 8,
    REGEX_DOTALL = 16,
    REGEX_UNICODE = 32,
    REGEX_VERBOSE = 64,
    REGEX_ASCII = 256
};

enum { REGEX_GROUPS_MAX = 100 };

struct regex; /* compiled */

struct regex_span {
    size_t begin, end; /* SIZE_MAX: the group took no part */
};

enum regex_anchor { REGEX_SEARCH, REGEX_MATCH, REGEX_FULLMATCH };

/* Rewrites a Python pattern into out (RE2 syntax, flags included). ends_open is set when the
 * pattern has a `$` that also stands before a last newline. false: *message says why, in
 * Python's words where Python has them. */
bool regex_translate(struct text pattern, int64_t *flags, struct text_buf *out, bool *ends_open,
                     char message[200]);

/* Compiles and links it in front of *list. It and its automata get memory_max bytes; compiling
 * takes up to seven times as much for a moment. NULL: message says why. */
struct regex *regex_open(struct text translated, bool ends_open, size_t memory_max,
                         struct regex **list, char message[200]);
void regex_close_all(struct regex *list);

uint32_t regex_group_count(const struct regex *regex); /* without group 0 */
/* The group of that name, -1 when there is none. */
int32_t regex_group_find(const struct regex *regex, struct text name);
bool regex_has_names(const struct regex *regex);
/* The name of a group, empty when it has none. Valid while the regex is. */
struct text regex_group_name(const struct regex *regex, uint32_t group);

/* First match at or after from. spans has room for REGEX_GROUPS_MAX + 1. */
bool regex_find(const struct regex *regex, struct text subject, size_t from,
                enum regex_anchor anchor, struct regex_span *spans);

#ifdef __cplusplus
}
#endif
#endif
