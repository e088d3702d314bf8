/* question - see question.h. */
#include "protocol/minions/question.h"

#include "base/words.h"
#include "protocol/minions/sentence.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum {
    OPENING_WORDS = 3,   /* that decide the kind */
    TERM_BYTES_MAX = 60, /* of a quoted or subject term */
    VERB_WITHIN = 60,    /* bytes between a quoted term and its verb */
    ALIAS_WITHIN = 24    /* bytes from a bracket to the name given in it */
};

/* NULL-terminated lists, lower case. */
static const char *const AMOUNT_AFTER_HOW[] = {"many",  "much", "long", "often", "old",
                                               "large", "far",  "soon", "high",  NULL};
static const char *const YES_NO_FIRST[] = {"may", "can",  "must", "do",     "does",  "did",
                                           "is",  "are",  "am",   "should", "shall", "will",
                                           "has", "have", "was",  "were",   NULL};
static const char *const NUMBER_WORDS[] = {
    "one",   "two",     "three",    "four",   "five",   "six",    "seven",
    "eight", "nine",    "ten",      "eleven", "twelve", "twenty", "thirty",
    "sixty", "hundred", "thousand", "once",   "twice",  "day",    "days",
    "week",  "weeks",   "month",    "months", "year",   "years",  NULL};
static const char *const MODAL_WORDS[] = {
    "may",    "must",       "shall",   "can",       "cannot",     "will",  "not",
    "no",     "required",   "permits", "permitted", "permission", "allow", "allowed",
    "allows", "prohibited", "permit",  "grants",    NULL};
static const char *const QUANTITIES[] = {
    "income", "revenue", "revenues", "sales",  "profit",  "cost",   "costs",       "price",
    "amount", "number",  "total",    "sum",    "percent", "rate",   "percentage",  "fee",
    "size",   "length",  "height",   "weight", "age",     "margin", "temperature", NULL};
static const char *const MONTHS[] = {"january",  "february", "march",  "april",     "may",
                                     "june",     "july",     "august", "september", "october",
                                     "november", "december", NULL};
static const char *const MEANS[] = {"means", "mean",    "is",       "are", "refers",
                                    "refer", "include", "includes", NULL};
static const char *const ABOUT_MEANING[] = {"mean",   "means",      "meant", "meaning",
                                            "define", "definition", "term",  NULL};
static const char *const WHO[] = {"who", "whom", "whose", "which", "name", "names", NULL};
static const char *const SIGNING[] = {"signed",     "signatory", "signatories", "signature",
                                      "signatures", "signer",    "signers",     NULL};
static const char *const TO_BE[] = {"is", "are", "was", "were", "be", NULL};
static const char *const THERE[] = {"there", NULL};
static const char *const ARTICLES[] = {"a", "an", "the", NULL};

static bool is_one_of(struct text word, const char *const *list)
{
    for (; *list; list++)
        if (strlen(*list) == word.size && strncasecmp(word.data, *list, word.size) == 0)
            return true;
    return false;
}

static bool next_word(struct words_reader *reader, struct text *spelled,
                      struct words_word *word)
{
    if (!words_next(reader, word))
        return false;
    *spelled = text_slice(reader->text, word->offset, word->offset + word->size);
    return true;
}

static bool has_one_of(struct text text, const char *const *list)
{
    struct words_reader reader = {.text = text};
    struct words_word word;
    struct text spelled;
    while (next_word(&reader, &spelled, &word))
        if (is_one_of(spelled, list))
            return true;
    return false;
}

static bool has_number(struct text text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] >= '0' && text.data[i] <= '9')
            return true;
    return has_one_of(text, NUMBER_WORDS);
}

/* Without a plural s, or the ending of a verb's present participle. */
static struct text base_of(struct text word)
{
    if (word.size > 6 && strncasecmp(word.data + word.size - 3, "ing", 3) == 0)
        word.size -= 3;
    else if (word.size > 3 && (word.data[word.size - 1] | 0x20) == 's')
        word.size--;
    return word;
}

/* Equal but for case and such endings: a contributor is no contribution, though they share a
 * stem. */
static bool is_same_word(struct text a, struct text b)
{
    a = base_of(a);
    b = base_of(b);
    return a.size == b.size && strncasecmp(a.data, b.data, a.size) == 0;
}

static bool has_word(struct text text, struct text wanted)
{
    struct words_reader reader = {.text = text};
    struct words_word word;
    struct text spelled;
    while (next_word(&reader, &spelled, &word))
        if (is_same_word(spelled, wanted))
            return true;
    return false;
}

/* A month's name with its capital, or a year of this age. */
static bool has_date(struct text text)
{
    struct words_reader reader = {.text = text};
    struct words_word word;
    struct text spelled;
    while (next_word(&reader, &spelled, &word)) {
        if (spelled.data[0] >= 'A' && spelled.data[0] <= 'Z' && is_one_of(spelled, MONTHS))
            return true;
        if (word.is_number && spelled.size == 4 &&
            (text_starts(spelled, TEXT("19")) || text_starts(spelled, TEXT("20"))))
            return true;
    }
    return false;
}

/* Whether two words with capitals stand side by side that the question has not: `Dona Young`,
 * `Free Software Foundation`. A sentence all in capitals names nobody. */
static bool has_name(struct text question, struct text sentence)
{
    struct words_reader reader = {.text = sentence};
    struct words_word word;
    struct text spelled;
    uint32_t run = 0, names = 0, others = 0;
    size_t end = 0;
    while (next_word(&reader, &spelled, &word)) {
        const bool is_name = spelled.size > 1 && spelled.data[0] >= 'A' &&
                             spelled.data[0] <= 'Z' && !word.is_common &&
                             !has_word(question, spelled);
        run = is_name && (run == 0 || word.offset <= end + 2) ? run + 1 : is_name;
        names += run == 2;
        others += spelled.data[0] >= 'a' && spelled.data[0] <= 'z';
        end = word.offset + word.size;
    }
    return names > 0 && others > 0;
}

static bool asks_time(struct text question)
{
    struct words_reader reader = {.text = question};
    struct words_word word;
    struct text spelled, before = {0};
    while (next_word(&reader, &spelled, &word)) {
        if (is_one_of(spelled, (const char *const[]){"when", NULL}) &&
            (before.size == 0 ||
             is_one_of(before, (const char *const[]){"by", "until", "since", NULL})))
            return true;
        if (is_one_of(spelled, (const char *const[]){"date", "year", "day", "month", NULL}) &&
            is_one_of(before, (const char *const[]){"which", "what", NULL}))
            return true;
        before = spelled;
    }
    return false;
}

/* Whether `how` with an amount after it stands anywhere: `From how many ...`. */
static bool asks_amount(struct text question)
{
    struct words_reader reader = {.text = question};
    struct words_word word;
    struct text spelled, before = {0};
    while (next_word(&reader, &spelled, &word)) {
        if (is_one_of(before, (const char *const[]){"how", NULL}) &&
            is_one_of(spelled, AMOUNT_AFTER_HOW))
            return true;
        before = spelled;
    }
    return false;
}

enum question_kind question_kind(struct text question)
{
    struct words_reader reader = {.text = question};
    struct words_word word;
    struct text opening[OPENING_WORDS] = {{0}};
    for (int i = 0; i < OPENING_WORDS; i++)
        if (!next_word(&reader, &opening[i], &word))
            break;
    if (asks_amount(question))
        return QUESTION_AMOUNT;
    if (asks_time(question))
        return QUESTION_TIME;
    if (is_one_of(opening[0], (const char *const[]){"what", NULL}) &&
        has_one_of(question, QUANTITIES) && !has_one_of(question, ABOUT_MEANING))
        return QUESTION_AMOUNT;
    if (is_one_of(opening[0], YES_NO_FIRST))
        return QUESTION_YES_NO;
    if (has_one_of(question, SIGNING) && has_one_of(question, WHO))
        return QUESTION_SIGNER;
    if (is_one_of(opening[0], (const char *const[]){"what", "who", "define", NULL}) &&
        (is_one_of(opening[1], (const char *const[]){"is", "are", NULL}) ||
         has_one_of(question, (const char *const[]){"mean", "meant", "means", "define",
                                                    "definition", NULL})))
        return QUESTION_DEFINITION;
    if (is_one_of(opening[0], (const char *const[]){"who", "whom", "whose", NULL}))
        return QUESTION_PERSON;
    return QUESTION_OTHER;
}

/* Whether term is named in the question: it has content words, and all are in there. */
static bool is_asked(struct text question, struct text term)
{
    struct words_reader reader = {.text = term};
    struct words_word word;
    struct text spelled;
    bool has_content = false;
    while (next_word(&reader, &spelled, &word)) {
        if (word.is_common)
            continue;
        if (!has_word(question, spelled))
            return false;
        has_content = true;
    }
    return has_content;
}

/* Size of a quotation mark at text[at]; 0 when there is none. */
static size_t quote_size(struct text text, size_t at)
{
    if (text.data[at] == '"')
        return 1;
    const struct text three = text_slice(text, at, at + 3);
    return text_equal(three, TEXT("\xe2\x80\x9c")) || text_equal(three, TEXT("\xe2\x80\x9d"))
               ? 3
               : 0;
}

/* Whether what stands around a quoted term defines it. */
static bool is_defined_here(struct text sentence, size_t open, size_t close)
{
    struct text after = text_slice(sentence, close, close + VERB_WITHIN);
    const char *stop = after.size ? memchr(after.data, '.', after.size) : NULL;
    if (stop)
        after.size = (size_t)(stop - after.data);
    const struct text before = text_trim(text_slice(sentence, 0, open));
    if (has_one_of(after, MEANS) || text_ends(before, TEXT("called")))
        return true;
    /* A name given in passing: `... (the "X")`. */
    for (size_t at = before.size; at > 0 && before.size - at < ALIAS_WITHIN; at--)
        if (before.data[at - 1] == '(' || before.data[at - 1] == ')')
            return before.data[at - 1] == '(';
    return false;
}

/* Whether all that the question asks for, but for the asking itself, stands in text. */
static bool is_all_there(struct text question, struct text text)
{
    struct words_reader reader = {.text = question};
    struct words_word word;
    struct text spelled;
    while (next_word(&reader, &spelled, &word))
        if (!word.is_common && !is_one_of(spelled, ABOUT_MEANING) && !has_word(text, spelled))
            return false;
    return true;
}

/* `"X" means`, `called "X"`. */
static enum question_fit fit_quoted(struct text question, struct text sentence)
{
    enum question_fit best = QUESTION_FITS_NOT;
    for (size_t at = 0; at < sentence.size; at++) {
        const size_t open = quote_size(sentence, at);
        if (open == 0)
            continue;
        size_t end = at + open;
        while (end < sentence.size && quote_size(sentence, end) == 0)
            end++;
        if (end >= sentence.size)
            break;
        const struct text term = text_slice(sentence, at + open, end);
        const size_t close = end + quote_size(sentence, end);
        if (term.size <= TERM_BYTES_MAX && is_asked(question, term) &&
            is_defined_here(sentence, at, close)) {
            if (is_all_there(question, text_slice(sentence, at, close + VERB_WITHIN)))
                return QUESTION_FITS_WELL;
            best = QUESTION_FITS;
        }
        at = close - 1;
    }
    return best;
}

/* `An X is`, at the beginning. */
static bool defines_subject(struct text question, struct text sentence)
{
    struct words_reader reader = {.text = text_slice(sentence, 0, TERM_BYTES_MAX)};
    struct words_word word;
    struct text spelled;
    if (!next_word(&reader, &spelled, &word) || !is_one_of(spelled, ARTICLES))
        return false;
    const size_t begin = reader.offset;
    while (next_word(&reader, &spelled, &word))
        if (is_one_of(spelled, MEANS))
            return is_asked(question, text_slice(sentence, begin, word.offset));
    return false;
}

/* `Is there`: `there is no`. */
static bool says_there_is(struct text question, struct text sentence)
{
    struct words_reader reader = {.text = question};
    struct words_word word;
    struct text spelled, before = {0};
    if (!next_word(&reader, &spelled, &word) || !is_one_of(spelled, TO_BE) ||
        !next_word(&reader, &spelled, &word) || !is_one_of(spelled, THERE))
        return false;
    reader = (struct words_reader){.text = sentence};
    while (next_word(&reader, &spelled, &word)) {
        if (is_one_of(before, THERE) && is_one_of(spelled, TO_BE))
            return is_all_there(question, sentence);
        before = spelled;
    }
    return false;
}

enum question_fit question_fit(enum question_kind kind, struct text question,
                               struct text sentence)
{
    enum question_fit fit = QUESTION_FITS_NOT;
    switch (kind) {
    case QUESTION_AMOUNT:
        return has_number(sentence) ? QUESTION_FITS : QUESTION_FITS_NOT;
    case QUESTION_TIME:
        if (has_date(sentence))
            return QUESTION_FITS_WELL;
        return has_number(sentence) ? QUESTION_FITS : QUESTION_FITS_NOT;
    case QUESTION_SIGNER:
        if (sentence_is_signature(sentence))
            return QUESTION_FITS_WELL;
        return has_name(question, sentence) ? QUESTION_FITS : QUESTION_FITS_NOT;
    case QUESTION_PERSON:
        return has_name(question, sentence) ? QUESTION_FITS : QUESTION_FITS_NOT;
    case QUESTION_DEFINITION:
        fit = fit_quoted(question, sentence);
        if (fit == QUESTION_FITS_NOT && defines_subject(question, sentence))
            fit = QUESTION_FITS;
        return fit;
    case QUESTION_YES_NO:
        if (says_there_is(question, sentence))
            return QUESTION_FITS_WELL;
        return has_one_of(sentence, MODAL_WORDS) ? QUESTION_FITS : QUESTION_FITS_NOT;
    case QUESTION_OTHER:
        break;
    }
    return fit;
}
