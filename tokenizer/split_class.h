/*
 * split_class - one character of a splitter's expression, as a set: itself, an escape, a class
 * in brackets. The part of split_parse that knows names.
 */
#ifndef TOKENIZER_SPLIT_CLASS_H
#define TOKENIZER_SPLIT_CLASS_H

#include "base/text.h"
#include "tokenizer/char_set.h"

#include <stdio.h>

struct split_class_reader {
    struct text text;
    struct arena *arena;
    size_t at;
    uint32_t depth; /* of brackets */
    bool folds;     /* inside (?i: ) */
};

/* What we do not take, with its place. */
#define SPLIT_CLASS_REFUSE(in, ...)                                                            \
    do {                                                                                       \
        char what_[64];                                                                        \
        (void)snprintf(what_, sizeof what_, __VA_ARGS__);                                      \
        FAIL(err, ERR_LIMIT, "splitter: byte %zu: %s is not supported", (in)->at, what_);      \
    } while (0)

/* Goes past prefix when it stands here. */
bool split_class_take(struct split_class_reader *in, const char *prefix);
/* Reads what stands for one character, at < text.size, into set, which is empty. Errors as
 * split_parse's. */
MUST_USE enum status split_class_read(struct split_class_reader *in, struct char_set *set,
                                      struct error *err);

#endif
