/* words - see words.h. */
#include "base/words.h"

#include <string.h>

/* Longest first where one ends another. What stays must have four bytes. */
static const struct text ENDINGS[] = {
    {"ations", 6}, {"ation", 5}, {"ating", 5}, {"ments", 5}, {"ates", 4}, {"ated", 4},
    {"ings", 4},   {"edly", 4},  {"ions", 4},  {"ment", 4},  {"ate", 3},  {"ing", 3},
    {"ion", 3},    {"ers", 3},   {"ors", 3},   {"ies", 3},   {"ed", 2},   {"es", 2},
    {"ly", 2},     {"er", 2},    {"or", 2},    {"s", 1},     {"e", 1},    {"y", 1}};

enum {
    COMMON_BYTES = 8, /* room for the longest, with NULs behind it */
    IRREGULAR_BYTES = 12
};

static const char COMMON[][COMMON_BYTES] =
    {/* in the order of bytes */
     "a",     "about", "all",   "also",  "am",    "an",   "and",    "any",   "are",   "as",
     "at",    "be",    "been",  "being", "but",   "by",   "can",    "could", "did",   "do",
     "does",  "doing", "for",   "from",  "had",   "has",  "have",   "he",    "her",   "his",
     "how",   "i",     "if",    "in",    "into",  "is",   "it",     "its",   "long",  "many",
     "may",   "me",    "might", "much",  "must",  "my",   "no",     "not",   "of",    "on",
     "or",    "our",   "over",  "s",     "shall", "she",  "should", "so",    "some",  "such",
     "t",     "than",  "that",  "the",   "their", "them", "then",   "there", "these", "they",
     "this",  "those", "to",    "under", "up",    "was",  "we",     "were",  "what",  "when",
     "where", "which", "who",   "whom",  "whose", "why",  "will",   "with",  "would", "you",
     "your"};

/* Forms that no ending tells, and their stems' words; two ways of spelling one word. In the
 * order of bytes. */
static const struct {
    char form[IRREGULAR_BYTES], word[IRREGULAR_BYTES];
} IRREGULAR[] = {
    {"began", "begin"},      {"begun", "begin"},      {"behavior", "behaviour"},
    {"bought", "buy"},       {"broke", "break"},      {"broken", "break"},
    {"brought", "bring"},    {"built", "build"},      {"came", "come"},
    {"caught", "catch"},     {"center", "centre"},    {"centers", "centre"},
    {"children", "child"},   {"chose", "choose"},     {"chosen", "choose"},
    {"color", "colour"},     {"colors", "colour"},    {"defense", "defence"},
    {"drawn", "draw"},       {"drew", "draw"},        {"driven", "drive"},
    {"drove", "drive"},      {"fallen", "fall"},      {"favor", "favour"},
    {"fed", "feed"},         {"feet", "foot"},        {"fell", "fall"},
    {"felt", "feel"},        {"flew", "fly"},         {"flown", "fly"},
    {"forbade", "forbid"},   {"forbidden", "forbid"}, {"forgot", "forget"},
    {"forgotten", "forget"}, {"fought", "fight"},     {"found", "find"},
    {"froze", "freeze"},     {"frozen", "freeze"},    {"gave", "give"},
    {"given", "give"},       {"gone", "go"},          {"got", "get"},
    {"gotten", "get"},       {"grew", "grow"},        {"grown", "grow"},
    {"heard", "hear"},       {"held", "hold"},        {"hid", "hide"},
    {"hidden", "hide"},      {"honor", "honour"},     {"kept", "keep"},
    {"knew", "know"},        {"known", "know"},       {"labor", "labour"},
    {"led", "lead"},         {"left", "leave"},       {"lent", "lend"},
    {"licence", "license"},  {"licenced", "license"}, {"licences", "license"},
    {"loss", "lose"},        {"lost", "lose"},        {"made", "make"},
    {"meant", "mean"},       {"men", "man"},          {"met", "meet"},
    {"offense", "offence"},  {"paid", "pay"},         {"people", "person"},
    {"proven", "prove"},     {"ran", "run"},          {"ridden", "ride"},
    {"risen", "rise"},       {"rode", "ride"},        {"rose", "rise"},
    {"said", "say"},         {"sang", "sing"},        {"saw", "see"},
    {"seen", "see"},         {"sent", "send"},        {"shaken", "shake"},
    {"shook", "shake"},      {"sold", "sell"},        {"sought", "seek"},
    {"spent", "spend"},      {"spoke", "speak"},      {"spoken", "speak"},
    {"stole", "steal"},      {"stolen", "steal"},     {"stood", "stand"},
    {"struck", "strike"},    {"sung", "sing"},        {"swore", "swear"},
    {"sworn", "swear"},      {"taken", "take"},       {"taught", "teach"},
    {"thought", "think"},    {"threw", "throw"},      {"thrown", "throw"},
    {"told", "tell"},        {"took", "take"},        {"understood", "understand"},
    {"went", "go"},          {"women", "woman"},      {"won", "win"},
    {"wore", "wear"},        {"worn", "wear"},        {"written", "write"},
    {"wrote", "write"},
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t hash_bytes(const char *data, size_t size)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)data[i]) * 1099511628211u;
    return hash;
}

/* Of a word in small letters, with NULs up to COMMON_BYTES. Every word of a document comes by
 * here: halving the table takes seven comparisons, where one by one takes 81. */
static bool is_common(const char word[COMMON_BYTES])
{
    size_t low = 0, high = COUNT_OF(COMMON);
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = memcmp(word, COMMON[middle], COMMON_BYTES);
        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

/* Puts the word in the place of a form of it; gives the size of what is there then. */
static size_t replace_irregular(char stem[WORDS_STEM_MAX], size_t size)
{
    char form[IRREGULAR_BYTES] = "";
    size_t low = 0, high = COUNT_OF(IRREGULAR);
    if (size >= IRREGULAR_BYTES || size < 3)
        return size;
    memcpy(form, stem, size);
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = memcmp(form, IRREGULAR[middle].form, IRREGULAR_BYTES);
        if (order == 0) {
            memcpy(stem, IRREGULAR[middle].word, IRREGULAR_BYTES);
            return strlen(IRREGULAR[middle].word);
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return size;
}

/* The stem of one word in lower case, as words_next compares it; gives its size. */
static size_t stem_of(struct text word, char stem[WORDS_STEM_MAX])
{
    size_t size = word.size < WORDS_STEM_MAX ? word.size : WORDS_STEM_MAX;
    for (size_t i = 0; i < size; i++) {
        const char c = word.data[i];
        stem[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    size = replace_irregular(stem, size);
    for (size_t i = 0; i < COUNT_OF(ENDINGS); i++) {
        const struct text ending = ENDINGS[i];
        if (size >= ending.size + 4 && stem[size - 1] == ending.data[ending.size - 1] &&
            memcmp(stem + size - ending.size, ending.data, ending.size) == 0)
            return size - ending.size;
    }
    return size;
}

enum unit { UNIT_GAP, UNIT_LETTER, UNIT_ALONE };

/* What the character at *offset is; moves past it. */
static enum unit next_unit(struct text text, size_t *offset)
{
    const uint32_t c = text_utf8_next(text, offset);
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return UNIT_LETTER;
    if (c < 0xc0 || c == UINT32_MAX || (c >= 0x2000 && c < 0x2e80))
        return UNIT_GAP;
    return c < 0x2e80 ? UNIT_LETTER : UNIT_ALONE;
}

bool words_next(struct words_reader *reader, struct words_word *word)
{
    size_t at = reader->offset, begin = at;
    enum unit unit = UNIT_GAP;
    while (unit == UNIT_GAP) {
        if (at >= reader->text.size)
            return false;
        begin = at;
        unit = next_unit(reader->text, &at);
    }
    while (unit == UNIT_LETTER && at < reader->text.size) {
        size_t after = at;
        if (next_unit(reader->text, &after) != UNIT_LETTER)
            break;
        at = after;
    }
    reader->offset = at;
    const struct text spelled = text_slice(reader->text, begin, at);
    char stem[WORDS_STEM_MAX], lower[COMMON_BYTES] = "";
    const size_t stem_size = stem_of(spelled, stem);
    *word = (struct words_word){.stem = hash_bytes(stem, stem_size),
                                .offset = begin,
                                .size = at - begin,
                                .is_number = true};
    for (size_t i = 0; i < spelled.size; i++)
        if (spelled.data[i] < '0' || spelled.data[i] > '9')
            word->is_number = false;
    if (spelled.size < COMMON_BYTES) {
        for (size_t i = 0; i < spelled.size; i++)
            lower[i] = (char)(spelled.data[i] >= 'A' && spelled.data[i] <= 'Z'
                                  ? spelled.data[i] - 'A' + 'a'
                                  : spelled.data[i]);
        word->is_common = is_common(lower);
    }
    return true;
}

static uint32_t collect(struct text text, bool with_common, uint64_t *stems, uint32_t max)
{
    struct words_reader reader = {.text = text};
    struct words_word word;
    uint32_t count = 0;
    while (count < max && words_next(&reader, &word)) {
        if (word.is_common && !with_common)
            continue;
        uint32_t i = 0;
        while (i < count && stems[i] != word.stem)
            i++;
        if (i == count)
            stems[count++] = word.stem;
    }
    return count;
}

uint32_t words_content(struct text text, uint64_t *stems, uint32_t max)
{
    const uint32_t count = collect(text, false, stems, max);
    return count > 0 ? count : collect(text, true, stems, max);
}

uint32_t words_sequence(struct text text, uint64_t *stems, uint32_t max)
{
    struct words_reader reader = {.text = text};
    struct words_word word;
    uint32_t count = 0;
    while (count < max && words_next(&reader, &word))
        if (!word.is_common)
            stems[count++] = word.stem;
    return count;
}

double words_share(struct text text, const uint64_t *stems, uint32_t count)
{
    struct words_reader reader = {.text = text};
    struct words_word word;
    uint32_t all = 0, known = 0;
    while (words_next(&reader, &word)) {
        if (word.is_common)
            continue;
        all++;
        for (uint32_t i = 0; i < count; i++) {
            if (stems[i] == word.stem) {
                known++;
                break;
            }
        }
    }
    return all == 0 ? 1.0 : (double)known / (double)all;
}
