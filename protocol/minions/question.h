/*
 * question - what kind of answer a question wants, and whether a sentence can be one.
 *
 * Word overlap cannot tell that `How many days ...?` is answered by a sentence with a number
 * in it. Seven kinds are told apart, by the first words of an English question; one in another
 * language is of no kind, and then every sentence fits equally.
 */
#ifndef MINIONS_QUESTION_H
#define MINIONS_QUESTION_H

#include "base/text.h"

#include <stdbool.h>

enum question_kind {
    QUESTION_OTHER,
    QUESTION_AMOUNT,     /* how many, how long: a number or a span of time */
    QUESTION_TIME,       /* when: the same, rather a date */
    QUESTION_PERSON,     /* who did: a name that the question has not */
    QUESTION_SIGNER,     /* who signed: the same, rather a signature */
    QUESTION_DEFINITION, /* what or who is X, what does X mean: `"X" means`, `"X" includes`,
                            `called "X"`, `(the "X")`, `An X is` */
    QUESTION_YES_NO      /* may I, does it: a sentence that permits, demands or denies */
};

enum question_kind question_kind(struct text question);

/* How far a sentence has the form of an answer to a question. */
enum question_fit {
    QUESTION_FITS_NOT,
    QUESTION_FITS,
    QUESTION_FITS_WELL /* it defines just what is asked; it says that there is, or is not, what
                          `is there` asks for; it has a month or a year; it is a
                          signature */
};

/* question must be of that kind. */
enum question_fit question_fit(enum question_kind kind, struct text question,
                               struct text sentence);

#endif
