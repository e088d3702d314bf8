/*
 * judge - whether an answer is the expected one, by a rule that can be told in a sentence.
 *
 *   exact    Equal after folding: ASCII letters in lower case, white space as one space, the
 *            words a, an and the dropped, punctuation dropped (a point between digits is kept,
 *            a comma between them is not; % $ + < > = are kept, a minus before a number too).
 *            Where yes or no is expected, the answer's first word decides. Where one of several
 *            options is expected, the answer names it by its letter (`B`, `(b)`, `B. text`,
 *            `the answer is B`) or by its text; one that names two of them is wrong.
 *   numeric  The number in the answer is within the tolerance of the expected one
 *            (judge_number.h says how numbers are read and which of several counts).
 *   model    Right where the answer equals an expected one after folding; otherwise the
 *            supervisor's verdict, as JSON: {"right": "yes"} or {"right": "no"}.
 *
 * Pure but for judge_by_model, which is a paid call.
 */
#ifndef MINIONS_JUDGE_H
#define MINIONS_JUDGE_H

#include "base/error.h"
#include "base/text.h"
#include "protocol/minions/remote.h"

#include <stdbool.h>
#include <stdint.h>

enum judge_kind { JUDGE_AUTO, JUDGE_EXACT, JUDGE_NUMERIC, JUDGE_MODEL };

enum { JUDGE_OPTIONS_MAX = 26, JUDGE_NO_OPTION = -1 };
#define JUDGE_TOLERANCE 0.01 /* relative */

/* What is expected: any of the answers, or where there are options, one of them. */
struct judge_expected {
    struct text question;
    const struct text *answers; /* [answer_count], at least one */
    uint32_t answer_count;
    const struct text *options; /* [option_count] by letter, at most JUDGE_OPTIONS_MAX */
    uint32_t option_count;
    int option; /* the right one; JUDGE_NO_OPTION where there are none */
};

/* "exact", "numeric", "model" */
const char *judge_word(enum judge_kind kind);

/* The rule that goes with what is expected: exact for options and yes or no, numeric where all
 * answers are numbers, else the model where there is one to ask, exact where there is none. */
enum judge_kind judge_choose(const struct judge_expected *expected, bool has_model);

bool judge_exact(const struct judge_expected *expected, struct text answer);
bool judge_numeric(const struct judge_expected *expected, struct text answer, double tolerance);

/* Asks for a verdict, where the answer is not simply equal; once more when it cannot be read.
 * ERR_REMOTE when that one cannot be read
 * either; what remote_chat says. */
MUST_USE enum status judge_by_model(struct remote *remote,
                                    const struct judge_expected *expected, struct text answer,
                                    bool *is_right, struct error *err);

/* The option that a text names, by letter or by its words; JUDGE_NO_OPTION for none or two. */
int judge_option(const struct text *options, uint32_t count, struct text answer);

/* Appends text as exact compares it. */
void judge_fold(struct text_buf *buf, struct text text);

#endif
