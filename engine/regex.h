/*
 * regex - regular expressions as automata over the bytes of UTF-8 text.
 *
 * The dialect is what JSON Schema's pattern and ECMA-262 have in common: classes and their
 * escapes (\d \w \s and capitals, ASCII; \s with Unicode's spaces; \p{...} and \P{...} of
 * general categories), escapes (\t \n \r \f \v \0 \xHH \uHHHH), groups, alternation, * + ?
 * {m} {m,} {m,n} (lazy ones match the same texts), ^ and $ for the text's ends. Refused by
 * name: look-around, back-references, \b and \B, \c, other properties than categories, named
 * groups' references.
 *
 * The bytes can be those of the text itself or those between the quotes of a JSON string:
 * there quote, backslash and control characters are escaped (\u00XX or the two-byte forms), and
 * each other character stands for itself.
 *
 * Failure  ERR_FORMAT with the byte of the pattern; ERR_LIMIT for what is refused.
 */
#ifndef ENGINE_REGEX_H
#define ENGINE_REGEX_H

#include "base/text.h"
#include "engine/automaton.h"

enum {
    REGEX_REPEAT_MAX = 1000,
    REGEX_DEPTH_MAX = 64,
    REGEX_PARTS_MAX = 20000 /* a sequence of parts is as deep on the stack: two a character */
};

enum regex_bytes { REGEX_PLAIN, REGEX_JSON };
enum regex_span { REGEX_WHOLE, REGEX_SEARCH }; /* the whole text, or a part of it, matches */

struct regex_options {
    enum regex_bytes bytes;
    enum regex_span span;
};

struct regex_range {
    uint32_t first, last; /* code points */
};

/* Adds pattern to nfa, before the node after; *start is where it begins. Scratch keeps the
 * parts of the pattern. */
struct regex_target {
    struct nfa *nfa;
    struct arena *scratch;
    uint16_t after;
    struct regex_options options;
};
MUST_USE enum status regex_add(const struct regex_target *target, struct text pattern,
                               uint16_t *start, struct error *err);

/* The same of a pattern that was parsed (regex_parse.h). */
struct regex_part;
uint16_t regex_add_parsed(const struct regex_target *target, const struct regex_part *part);

/* The exact text, then target->after. */
uint16_t regex_literal(const struct regex_target *target, struct text text);

#endif
