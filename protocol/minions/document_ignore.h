/*
 * document_ignore - what the .gitignore files of a folder leave out.
 *
 * Paths are relative to one top, with '/' between and none at either end. The rules of a folder
 * hold below it; of those that match a path the last one counts, `!` takes back. A folder that
 * is ignored is not entered, so that nothing in it can be taken back (gitignore(5)).
 *
 * Owner    rules and texts lie in the arena. Going into a folder and out again is
 *          document_ignore_mark, _add, ..., _rewind.
 * Failure  patterns are a stranger's: their number and size are capped, and so is the sum of
 *          all steps that comparing takes.
 */
#ifndef MINIONS_DOCUMENT_IGNORE_H
#define MINIONS_DOCUMENT_IGNORE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { DOCUMENT_IGNORE_RULES_MAX = 4096, DOCUMENT_IGNORE_PATTERN_MAX = 255 };
#define DOCUMENT_IGNORE_STEPS_MAX ((uint64_t)1 << 32)

struct document_ignore_rule {
    struct text pattern; /* without '!' and the slashes at its ends */
    struct text base;    /* of its folder: empty, or with a '/' behind it */
    bool is_negated, is_folder, is_anchored;
};

struct document_ignore {
    struct arena *arena;
    struct document_ignore_rule *rules; /* [DOCUMENT_IGNORE_RULES_MAX] */
    uint32_t count;
    uint64_t steps; /* taken so far */
};

struct document_ignore_mark {
    uint32_t count;
    size_t used;
};

/* ERR_MEMORY. */
MUST_USE enum status document_ignore_init(struct document_ignore *ignore, struct arena *arena,
                                          struct error *err);
/* Adds the rules in a file's text. base: the path of its folder. ERR_LIMIT too many rules;
 * ERR_MEMORY. A pattern that is too long is passed over, as it can match no name. */
MUST_USE enum status document_ignore_add(struct document_ignore *ignore, struct text rules,
                                         struct text base, struct error *err);
/* Whether path is left out. ERR_LIMIT comparing takes too long. */
MUST_USE enum status document_ignore_test(struct document_ignore *ignore, struct text path,
                                          bool is_folder, bool *is_ignored, struct error *err);

struct document_ignore_mark document_ignore_mark(const struct document_ignore *ignore);
/* Takes back what was added since, and all else that the arena got since. */
void document_ignore_rewind(struct document_ignore *ignore, struct document_ignore_mark mark);

/* Whether a pattern of gitignore(5), without its '!' and outer slashes, fits all of text.
 * Adds to *steps. */
bool document_ignore_fits(struct text pattern, struct text text, uint64_t *steps);

#endif
