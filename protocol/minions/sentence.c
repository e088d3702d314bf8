/* sentence - see sentence.h. */
#include "protocol/minions/sentence.h"

#include "protocol/minions/fold.h"

#include <string.h>
#include <strings.h>

enum {
    COLUMN_SPACES = 3,
    ROW_BYTES_MAX = 400,
    LABEL_BYTES_MAX = 4,
    HEADING_WORDS_MAX = 10,
    TITLE_WORDS_MAX = 8
};

static const char *const ABBREVIATIONS[] = {
    "e.g",  "i.e", "etc", "cf",  "vs",  "al",  "Inc",  "Ltd", "Co",    "Corp",
    "No",   "Nos", "Mr",  "Mrs", "Ms",  "Dr",  "St",   "Sec", "Art",   "Fig",
    "pp",   "p",   "Jan", "Feb", "Mar", "Apr", "Jun",  "Jul", "Aug",   "Sep",
    "Sept", "Oct", "Nov", "Dec", "Jr",  "Sr",  "Prof", "U.S", "approx"};

static bool is_closing(struct text text, size_t at)
{
    return at < text.size && strchr("\"')]*_", text.data[at]) && text.data[at] != '\0';
}

/* Whether the full stop at dot ends an abbreviation, an initial or a label rather than the
 * sentence that began at begin. */
static bool is_abbreviation(struct text text, size_t begin, size_t dot)
{
    size_t word = dot;
    while (word > begin && !fold_is_space(text.data[word - 1]) &&
           !strchr("(\"'[", text.data[word - 1]))
        word--;
    const struct text spelled = text_slice(text, word, dot);
    if (spelled.size == 1 && spelled.data[0] >= 'A' && spelled.data[0] <= 'Z')
        return true;
    if (word == begin && spelled.size <= LABEL_BYTES_MAX && text.data[dot] == '.') {
        for (size_t i = 0; i < spelled.size; i++)
            if (spelled.data[i] != '.' && (spelled.data[i] < '0' || spelled.data[i] > '9'))
                return spelled.size == 1;
        return true;
    }
    for (size_t i = 0; i < sizeof(ABBREVIATIONS) / sizeof(ABBREVIATIONS[0]); i++)
        if (text_equal(spelled, text_of(ABBREVIATIONS[i])))
            return true;
    return false;
}

/* The end of the sentence that the mark at `at` closes; 0 when it closes none. */
static size_t end_at_mark(struct text text, size_t begin, size_t at)
{
    const char mark = text.data[at];
    if (mark != '.' && mark != '!' && mark != '?')
        return 0;
    size_t end = at + 1;
    while (is_closing(text, end))
        end++;
    if (end < text.size && !fold_is_space(text.data[end]))
        return 0;
    size_t next = end;
    while (next < text.size && fold_is_space(text.data[next]))
        next++;
    if (next < text.size && text.data[next] >= 'a' && text.data[next] <= 'z')
        return 0;
    return mark == '.' && is_abbreviation(text, begin, at) ? 0 : end;
}

/* Whether a line begins with a label: `a)`, `(ii)`, `1.`, `12.` or `b.`, and a space. A line of
 * wrapped prose may begin with `J.` or `2019.`: those are none. */
static bool begins_label(struct text line)
{
    const bool has_open = line.size > 0 && line.data[0] == '(';
    const size_t begin = has_open ? 1 : 0;
    size_t end = begin, digits = 0;
    while (end < line.size && end < begin + LABEL_BYTES_MAX && line.data[end] != ')' &&
           line.data[end] != '.' && !fold_is_space(line.data[end])) {
        digits += line.data[end] >= '0' && line.data[end] <= '9';
        end++;
    }
    const size_t size = end - begin;
    if (size == 0 || end + 1 >= line.size || line.data[end + 1] != ' ')
        return false;
    if (line.data[end] == ')')
        return true;
    const bool is_small = line.data[begin] >= 'a' && line.data[begin] <= 'z';
    return line.data[end] == '.' && !has_open &&
           ((size == 1 && is_small) || (size <= 2 && digits == size));
}

/* Whether a line that starts at `at` (after its indentation) begins something of its own:
 * a Markdown heading, list item or table row, or a labelled item. */
static bool begins_item(struct text text, size_t at)
{
    const struct text line = text_slice(text, at, at + 8);
    if (line.size < 2)
        return false;
    const char first = line.data[0], second = line.data[1];
    if (first == '#' || first == '|')
        return true;
    if ((first == '-' || first == '*' || first == '+') && second == ' ')
        return true;
    return begins_label(line);
}

/* Where a line's next column begins after `at`: behind a tab or three spaces; its size when
 * there is none. */
static size_t next_column(struct text line, size_t at)
{
    size_t spaces = 0;
    bool has_tab = false;
    for (; at < line.size; at++) {
        if (line.data[at] != ' ' && line.data[at] != '\t' && line.data[at] != '\r') {
            if (spaces >= COLUMN_SPACES || has_tab)
                return at;
            spaces = 0;
            has_tab = false;
        }
        spaces += line.data[at] == ' ';
        has_tab |= line.data[at] == '\t';
    }
    return line.size;
}

/* Whether a column begins as a figure does. */
static bool begins_figure(struct text line, size_t at)
{
    while (at < line.size && strchr("($+-~<>", line.data[at]) && line.data[at] != '\0')
        at++;
    return at < line.size && line.data[at] >= '0' && line.data[at] <= '9';
}

bool sentence_is_row(struct text line)
{
    size_t at = 0, figures = 0, columns = 1;
    while (at < line.size && fold_is_space(line.data[at]))
        at++;
    if (line.size - at > ROW_BYTES_MAX)
        return false;
    while ((at = next_column(line, at)) < line.size) {
        columns++;
        figures += begins_figure(line, at);
        at++;
    }
    return columns > 1 && figures > 0;
}

static struct text line_at(struct text text, size_t begin)
{
    const size_t end = text_find(text_slice(text, 0, begin + ROW_BYTES_MAX), TEXT("\n"), begin);
    return text_slice(text, begin, end == SIZE_MAX ? begin + ROW_BYTES_MAX + 1 : end);
}

/* Whether the line break at `at` ends a paragraph or stands before an item. */
static bool is_break(struct text text, size_t at)
{
    if (text.data[at] != '\n' && text.data[at] != '\f')
        return false;
    size_t next = at + 1;
    while (next < text.size &&
           (text.data[next] == ' ' || text.data[next] == '\t' || text.data[next] == '\r'))
        next++;
    return text.data[at] == '\f' || next >= text.size || text.data[next] == '\n' ||
           text.data[next] == '\f' || begins_item(text, next) ||
           sentence_is_row(line_at(text, at + 1));
}

/* Where to cut a run of at most limit bytes that ends nowhere by itself. */
static size_t cut_long(struct text text, size_t begin, size_t limit)
{
    size_t end = limit;
    while (end > begin && !fold_is_space(text.data[end]))
        end--;
    if (end > begin)
        return end;
    end = limit;
    while (end > begin + 1 && ((unsigned char)text.data[end] & 0xc0) == 0x80)
        end--;
    return end;
}

/* Whether a line begins at begin, but for its indentation, and is a row. */
static bool begin_is_row(struct text text, size_t begin)
{
    size_t line = begin;
    while (line > 0 && (text.data[line - 1] == ' ' || text.data[line - 1] == '\t'))
        line--;
    return (line == 0 || text.data[line - 1] == '\n' || text.data[line - 1] == '\f') &&
           sentence_is_row(line_at(text, begin));
}

static size_t find_end(struct text text, size_t begin)
{
    const struct text stop = TEXT("\xe3\x80\x82"); /* the ideographic full stop */
    if (begin_is_row(text, begin))
        return begin + line_at(text, begin).size;
    for (size_t at = begin; at < text.size; at++) {
        if (at - begin >= SENTENCE_BYTES_MAX)
            return cut_long(text, begin, at);
        if (is_break(text, at))
            return at;
        if (text_starts(text_slice(text, at, at + stop.size), stop))
            return at + stop.size;
        const size_t end = end_at_mark(text, begin, at);
        if (end > 0)
            return end;
    }
    return text.size;
}

static size_t find_line_end(struct text text, size_t begin)
{
    size_t end = begin;
    while (end < text.size && text.data[end] != '\n')
        if (++end - begin > SENTENCE_BYTES_MAX)
            return cut_long(text, begin, begin + SENTENCE_BYTES_MAX);
    return end;
}

bool sentence_next(struct sentence_reader *reader, size_t *begin, size_t *size)
{
    const struct text text = reader->text;
    size_t at = reader->offset;
    while (at < text.size && fold_is_space(text.data[at]))
        at++;
    if (at >= text.size) {
        reader->offset = text.size;
        return false;
    }
    size_t end = reader->has_lines ? find_line_end(text, at) : find_end(text, at);
    reader->offset = end;
    while (end > at && fold_is_space(text.data[end - 1]))
        end--;
    *begin = at;
    *size = end - at;
    return true;
}

/* Whether a capital letter follows what stands before `at`, but for white space. */
static bool has_capital_at(struct text text, size_t at)
{
    while (at < text.size && fold_is_space(text.data[at]))
        at++;
    return at < text.size && text.data[at] >= 'A' && text.data[at] <= 'Z';
}

/* Whether label stands at the beginning of a word and, if it is one of a name, a capital letter
 * behind it. */
static bool has_label(struct text text, const char *label, bool is_of_name)
{
    const size_t size = strlen(label);
    for (size_t at = 0; at + size <= text.size; at++) {
        if (at > 0 && !fold_is_space(text.data[at - 1]) && text.data[at - 1] != ':')
            continue;
        if (strncasecmp(text.data + at, label, size) == 0 &&
            (!is_of_name || has_capital_at(text, at + size)))
            return true;
    }
    return false;
}

bool sentence_is_signature(struct text sentence)
{
    static const char *const marks[] = {"/s/", "(signed)", "signed:", "signed by:", "sgd."};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (has_label(sentence, marks[i], true))
            return true;
    return has_label(sentence, "name:", true) &&
           (has_label(sentence, "by:", false) || has_label(sentence, "title:", false));
}

/* Whether the text begins as `15.`, `2)` or `1.2.` and a space do. */
static bool begins_with_number(struct text text)
{
    size_t at = 0;
    while (at < text.size &&
           ((text.data[at] >= '0' && text.data[at] <= '9') || (at > 0 && text.data[at] == '.')))
        at++;
    if (at > 0 && at < text.size && text.data[at] == ')')
        at++;
    return at > 1 && at < text.size && fold_is_space(text.data[at]);
}

bool sentence_is_heading(struct text sentence)
{
    uint32_t words = 0;
    bool inside = false, has_small = false;
    for (size_t i = 0; i < sentence.size; i++) {
        const bool space = fold_is_space(sentence.data[i]);
        words += !space && !inside;
        inside = !space;
        has_small |= (unsigned char)sentence.data[i] >= 'a';
    }
    if (sentence.size == 0 || words > HEADING_WORDS_MAX || sentence_is_row(sentence) ||
        sentence_is_signature(sentence))
        return false;
    if (sentence.data[0] == '#' && text_find(sentence, TEXT("\n"), 0) == SIZE_MAX)
        return true;
    if (words <= TITLE_WORDS_MAX && begins_with_number(sentence))
        return true;
    const char last = sentence.data[sentence.size - 1];
    const bool is_ascii = (unsigned char)last < 0x80;
    return !has_small || (is_ascii && !strchr(".?!:;,\")", last));
}
