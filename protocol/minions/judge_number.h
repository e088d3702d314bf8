/*
 * judge_number - numbers as people write them in answers, and when two of them are the same.
 *
 * Read: 1577  1,577.00  1'577  1.577,5 (point and comma the other way round where both stand)
 * $1.6bn  USD 1,577 million  1.5k  17.5 %  17.5 percent  250 basis points  2.5x  1e6  -3
 * (1,577) as a negative. Not read: numbers in words, and digits that are part of a name or a
 * date (FY2018, Q2, 10-K, Dec 31, 2019; a year counts where a year is expected).
 *
 * Of several numbers in an answer one counts: the first of the expected kind (a percentage; a
 * sum, which has a currency or a scale; a plain number) behind the last `=`, or anywhere when
 * there is none; where there is none of that kind, the first. One that is denied ("not 5") or
 * belongs to a date does not count.
 *
 * Two are the same when they differ by at most the tolerance times the expected one, and
 *   - a percentage may be written as its share (0.175) or without its sign (17.5);
 *   - a number without a scale may be meant in the scale that the question asks for ("in USD
 *     millions");
 *   - units that are known (days, mg, ...) must agree where both have one;
 *   - a loss, decrease or decline without a minus is a negative where one is expected.
 */
#ifndef MINIONS_JUDGE_NUMBER_H
#define MINIONS_JUDGE_NUMBER_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum judge_number_kind { JUDGE_NUMBER_PLAIN, JUDGE_NUMBER_SUM, JUDGE_NUMBER_PERCENT };

struct judge_number {
    enum judge_number_kind kind;
    double value;  /* with its scale; a percentage's is that of 17.5 for 17.5 % */
    double scale;  /* 1 where none is written */
    uint32_t unit; /* 0: none that is known; equal units, equal number */
    bool is_negative, is_year, is_date, is_denied;
    size_t offset, size; /* with sign, currency, scale and unit */
};

/* Reads the next number at or after *offset and moves it past; false at the end. */
bool judge_number_next(struct text text, size_t *offset, struct judge_number *number);

/* Whether the whole text is one number (with what belongs to it), and which. */
bool judge_number_whole(struct text text, struct judge_number *number);

/* Whether answer's number is the expected one; tolerance is relative. */
bool judge_number_matches(const struct judge_number *expected, struct text question,
                          struct text answer, double tolerance);

#endif
