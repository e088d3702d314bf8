/*
 * regex_property - what \p{...} in a regular expression names: general categories of Unicode,
 * by their short and long names, alone or behind General_Category= (gc=), as ECMA-262 has them.
 * Scripts and other properties are not known here.
 */
#ifndef ENGINE_REGEX_PROPERTY_H
#define ENGINE_REGEX_PROPERTY_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Bits 1 << enum unicode_category; false: the name is not known. */
bool regex_property_find(struct text name, uint32_t *categories);

#endif
