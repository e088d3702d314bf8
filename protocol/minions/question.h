/*
 * question - what kind of answer a question wants, and whether a sentence can be one.
 *
 * Word overlap cannot tell that `How many days ...?` is answered by a sentence with a number
 * in it. Four kinds are told apart, by the first words of an English question; one in another
 * language is of no kind, and then every sentence fits equally.
 */
#ifndef MINIONS_QUESTION_H
#define MINIONS_QUESTION_H

#include "base/text.h"

#include <stdbool.h>

enum question_kind {
    QUESTION_OTHER,
    QUESTION_AMOUNT,     /* how many, how long, when: a number or a span of time */
    QUESTION_DEFINITION, /* what or who is X, what does X mean: `"X" means`, `called "X"`,
                            `(the "X")`, `An X is` */
    QUESTION_YES_NO      /* may I, does it: a sentence that permits, demands or denies */
};

enum question_kind question_kind(struct text question);

/* Whether sentence has the form of an answer to question, which is of that kind. */
bool question_fits(enum question_kind kind, struct text question, struct text sentence);

#endif
