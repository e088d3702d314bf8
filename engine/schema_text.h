/*
 * schema_text - the automata of strings and numbers that a set of schemas allows.
 */
#ifndef ENGINE_SCHEMA_TEXT_H
#define ENGINE_SCHEMA_TEXT_H

#include "base/json.h"
#include "engine/automaton.h"

enum { SCHEMA_TEXT_WANTS_MAX = 30 };

/* The strings that schemas allow together; with only_values, those among the values. */
struct schema_strings {
    const struct json *const *schemas;
    uint32_t schema_count;
    const struct json *const *values;
    uint32_t value_count;
    bool only_values;
};
MUST_USE enum status schema_text_strings(struct automaton *made,
                                         const struct schema_strings *strings,
                                         struct arena *arena, struct error *err);

/* One character of any string: the character itself or an escape (both of a pair). */
MUST_USE enum status schema_text_character(struct automaton *made, struct arena *arena,
                                           struct error *err);

/* Only the length restricts these strings: it, in characters. */
MUST_USE enum status schema_text_length(const struct schema_strings *strings, uint32_t *min,
                                        uint32_t *max, bool *only, struct error *err);

/* Numbers that all schemas allow; whole ones only when whole. */
MUST_USE enum status schema_text_numbers(struct automaton *made,
                                         const struct schema_strings *numbers, bool whole,
                                         struct arena *arena, struct error *err);
#endif
