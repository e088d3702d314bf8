/*
 * automaton_plain - states from which any plain text goes on.
 *
 * Plain are the characters that stand for themselves in a string of JSON and for which a
 * pattern's dot stands: all of Unicode but control characters (below U+0020, and U+007F), the
 * quote, the backslash, and the separators U+2028 and U+2029. A state is plain
 * when each plain character leads from it, by its bytes in UTF-8, to a plain state. In free
 * text nearly all states are, and nearly all of a vocabulary's tokens are plain text: which of
 * them may come there is known without looking at one.
 */
#ifndef ENGINE_AUTOMATON_PLAIN_H
#define ENGINE_AUTOMATON_PLAIN_H

#include "base/text.h"
#include "engine/automaton.h"

/* Fills automaton->plain. */
MUST_USE enum status automaton_plain_fill(struct automaton *automaton, struct arena *arena,
                                          struct error *err);

/* How many characters plain text has; 0: it is none, or not whole characters. */
uint32_t automaton_plain_characters(struct text text);

#endif
