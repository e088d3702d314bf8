/*
 * regex_utf8 - a class of characters past ASCII as the bytes that UTF-8 gives them.
 */
#ifndef ENGINE_REGEX_UTF8_H
#define ENGINE_REGEX_UTF8_H

#include "engine/regex.h"

/* Those of the ranges (ascending, disjoint) that are past ASCII and no surrogates, then after;
 * or what begins in or_else (0: nothing). 0: nothing of either. */
uint16_t regex_utf8_add(struct nfa *nfa, const struct regex_range *ranges, uint32_t count,
                        uint16_t after, uint16_t or_else);

#endif
