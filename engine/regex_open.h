/*
 * regex_open - a pattern without the end of its repetition, for whoever counts characters.
 *
 * ^A{1,50}$ is ^A{1,}$ and no more than 50 characters: where all that stands beside one
 * repetition is of one length, and so is what is repeated, its end says no more than a maximum
 * of characters. An automaton has a copy of A for each time; of the other it has two.
 */
#ifndef ENGINE_REGEX_OPEN_H
#define ENGINE_REGEX_OPEN_H

#include "engine/regex_parse.h"

/* True: the texts that match part are those that match *open and have at most *characters.
 * False: part is not of that kind, or would not have many states. *open lies in the arena. */
bool regex_open(const struct regex_part *part, struct arena *arena,
                const struct regex_part **open, uint32_t *characters);

#endif
