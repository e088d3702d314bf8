/*
 * schema_number - the automaton of the numbers that a set of parts allows.
 *
 * Bounds and values that are excluded are told by decimal digits, of a number without exponent
 * or with one digit before the point; multiples only by digits. Anything within 40 digits of
 * the point is exact.
 */
#ifndef ENGINE_SCHEMA_NUMBER_H
#define ENGINE_SCHEMA_NUMBER_H

#include "engine/schema_build.h"
#include "engine/schema_facts.h"

enum { SCHEMA_NUMBER_DIGITS_MAX = 40, SCHEMA_NUMBER_RESIDUES_MAX = 2000 };

MUST_USE enum status schema_number_make(struct schema_build *build,
                                        const struct schema_parts *parts,
                                        const struct schema_values *values,
                                        struct automaton *made);
#endif
