/*
 * regex_sets - what \s, \S, \w and \W are in Python, as members of a class of RE2.
 *
 * \W is all that is neither letter nor number nor _. RE2 has no complement of a class inside
 * another, so that its categories are told one by one; what is not assigned has none there and
 * is left out. The idioms for what is left of \w stand for themselves.
 */
#ifndef DSL_REGEX_SETS_H
#define DSL_REGEX_SETS_H

#define REGEX_SETS_WORD "\\p{L}\\p{N}_"
#define REGEX_SETS_SPACE                                                                       \
    "\\t-\\r\\x1c-\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"  \
    "\\x{205f}\\x{3000}"
#define REGEX_SETS_NOT_WORD                                                                    \
    "\\p{M}\\p{S}\\p{Z}\\p{C}\\p{Pd}\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}\\p{Po}"                       \
    "\\x{203f}\\x{2040}\\x{2054}\\x{fe33}\\x{fe34}\\x{fe4d}-\\x{fe4f}\\x{ff3f}"
#define REGEX_SETS_NOT_SPACE                                                                   \
    "\\x00-\\x08\\x0e-\\x1b\\x21-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"   \
    "\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"             \
    "\\x{3001}-\\x{10ffff}"
/* clang-format off */
#define REGEX_SETS_IDIOMS \
        {"[^\\W\\d_]", "\\p{L}"}, \
        {"[^\\W_\\d]", "\\p{L}"}, \
        {"[^\\d\\W_]", "\\p{L}"}, \
        {"[^_\\W\\d]", "\\p{L}"}, \
        {"[^\\W\\d]", "[\\p{L}\\p{Nl}\\p{No}_]"}, \
        {"[^\\d\\W]", "[\\p{L}\\p{Nl}\\p{No}_]"}, \
        {"[^\\W_]", "[\\p{L}\\p{N}]"}, \
        {"[^_\\W]", "[\\p{L}\\p{N}]"}
/* clang-format on */
#endif
