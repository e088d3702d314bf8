/* jinja_lex - see jinja_lex.h. */
#include "tokenizer/jinja_lex.h"

#include <string.h>

enum { BRACKETS_MAX = 128 };

struct lexer {
    struct jinja *jinja;
    struct text source;
    size_t at;
    struct jinja_token *tokens;
    size_t count, count_max;
    char open[BRACKETS_MAX]; /* the closing brackets that are due */
    uint32_t open_count;
    bool line_start; /* what comes begins a line as far as lstrip_blocks cares */
    bool strip;      /* the last tag ended with a minus sign */
};

static char byte_at(const struct lexer *lexer, size_t at)
{
    return at < lexer->source.size ? lexer->source.data[at] : '\0';
}

static bool starts_at(const struct lexer *lexer, size_t at, struct text text)
{
    return text_starts(text_slice(lexer->source, at, lexer->source.size), text);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Moves on to end, counting lines. */
static void move_to(struct lexer *lexer, size_t end)
{
    for (; lexer->at < end; lexer->at++)
        lexer->jinja->line += lexer->source.data[lexer->at] == '\n';
}

static enum status add(struct lexer *lexer, enum jinja_token_kind kind, size_t begin,
                       size_t end)
{
    if (lexer->count == lexer->count_max)
        JINJA_FAIL(lexer->jinja, ERR_LIMIT, "more than %zu tokens", lexer->count_max);
    lexer->tokens[lexer->count++] =
        (struct jinja_token){kind, lexer->jinja->line, text_slice(lexer->source, begin, end)};
    return OK;
}

/* The text from the lexer's place up to a tag that begins at end; the sign after the tag's
 * opening says what happens to the white space before it. */
static enum status add_text(struct lexer *lexer, size_t end, bool is_block)
{
    size_t begin = lexer->at, stop = end;
    const char sign = byte_at(lexer, end + 2);
    while (lexer->strip && begin < stop && is_space(lexer->source.data[begin]))
        begin++;
    if (sign == '-') {
        while (stop > begin && is_space(lexer->source.data[stop - 1]))
            stop--;
    } else if (sign != '+' && is_block) {
        size_t line = stop;
        while (line > begin && lexer->source.data[line - 1] != '\n' &&
               is_space(lexer->source.data[line - 1]))
            line--;
        const bool at_line_start =
            line > begin ? lexer->source.data[line - 1] == '\n' : lexer->line_start;
        if (at_line_start)
            stop = line;
    }
    if (stop > begin)
        TRY(add(lexer, JINJA_TOKEN_TEXT, begin, stop));
    move_to(lexer, end);
    return OK;
}

/* After the closing of a tag at the lexer's place: its sign, its two characters, and the line
 * end that trim_blocks takes. */
static void end_tag(struct lexer *lexer, size_t close, bool is_block)
{
    const char sign = byte_at(lexer, close);
    size_t end = close + (sign == '-' || sign == '+' ? 3 : 2);
    lexer->strip = sign == '-';
    lexer->line_start = false;
    if (is_block && sign != '-' && sign != '+' && byte_at(lexer, end) == '\n') {
        end++;
        lexer->line_start = true;
    }
    move_to(lexer, end);
}

static enum status comment(struct lexer *lexer)
{
    const size_t hash = text_find(lexer->source, TEXT("#}"), lexer->at + 2);
    if (hash == SIZE_MAX)
        JINJA_FAIL(lexer->jinja, ERR_FORMAT, "%s", "a comment does not end");
    const char sign = hash > lexer->at + 2 ? byte_at(lexer, hash - 1) : '\0';
    end_tag(lexer, sign == '-' || sign == '+' ? hash - 1 : hash, true);
    return OK;
}

/* The end of a tag that says no more than word, such as {%- raw -%}, whose opening is at begin;
 * the place of its closing in *close. */
static bool word_tag(const struct lexer *lexer, size_t begin, struct text word, size_t *close)
{
    size_t at = begin + 2;
    if (!starts_at(lexer, begin, TEXT("{%")))
        return false;
    at += byte_at(lexer, at) == '-' || byte_at(lexer, at) == '+';
    while (is_space(byte_at(lexer, at)))
        at++;
    if (!starts_at(lexer, at, word))
        return false;
    at += word.size;
    while (is_space(byte_at(lexer, at)))
        at++;
    *close = at;
    at += byte_at(lexer, at) == '-' || byte_at(lexer, at) == '+';
    return starts_at(lexer, at, TEXT("%}"));
}

/* {% raw %} text {% endraw %} */
static enum status raw(struct lexer *lexer, size_t close)
{
    end_tag(lexer, close, false);
    size_t end = text_find(lexer->source, TEXT("{%"), lexer->at);
    while (end != SIZE_MAX && !word_tag(lexer, end, TEXT("endraw"), &close))
        end = text_find(lexer->source, TEXT("{%"), end + 2);
    if (end == SIZE_MAX)
        JINJA_FAIL(lexer->jinja, ERR_FORMAT, "%s", "raw does not end");
    TRY(add_text(lexer, end, true));
    end_tag(lexer, close, true);
    return OK;
}

static enum status string(struct lexer *lexer)
{
    const char quote = byte_at(lexer, lexer->at);
    size_t end = lexer->at + 1;
    while (end < lexer->source.size && lexer->source.data[end] != quote)
        end += lexer->source.data[end] == '\\' ? 2 : 1;
    if (end >= lexer->source.size)
        JINJA_FAIL(lexer->jinja, ERR_FORMAT, "%s", "a string does not end");
    TRY(add(lexer, JINJA_TOKEN_STRING, lexer->at + 1, end));
    move_to(lexer, end + 1);
    return OK;
}

static enum status number(struct lexer *lexer)
{
    size_t end = lexer->at;
    enum jinja_token_kind kind = JINJA_TOKEN_INT;
    while (is_digit(byte_at(lexer, end)))
        end++;
    if (byte_at(lexer, end) == '.' && is_digit(byte_at(lexer, end + 1))) {
        kind = JINJA_TOKEN_FLOAT;
        end++;
        while (is_digit(byte_at(lexer, end)))
            end++;
    }
    if (byte_at(lexer, end) == 'e' || byte_at(lexer, end) == 'E') {
        size_t digits = end + 1;
        digits += byte_at(lexer, digits) == '-' || byte_at(lexer, digits) == '+';
        if (is_digit(byte_at(lexer, digits))) {
            kind = JINJA_TOKEN_FLOAT;
            end = digits;
            while (is_digit(byte_at(lexer, end)))
                end++;
        }
    }
    TRY(add(lexer, kind, lexer->at, end));
    move_to(lexer, end);
    return OK;
}

static enum status bracket(struct lexer *lexer, char c)
{
    if (c == '(' || c == '[' || c == '{') {
        if (lexer->open_count == BRACKETS_MAX)
            JINJA_FAIL(lexer->jinja, ERR_LIMIT, "brackets nested deeper than %d", BRACKETS_MAX);
        lexer->open[lexer->open_count++] = c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (c == ')' || c == ']' || c == '}') {
        if (lexer->open_count == 0 || lexer->open[--lexer->open_count] != c)
            JINJA_FAIL(lexer->jinja, ERR_FORMAT, "unexpected %c", c);
    }
    return OK;
}

static enum status sign(struct lexer *lexer)
{
    static const char *const pairs[] = {"==", "!=", ">=", "<=", "//", "**"};
    const char c = byte_at(lexer, lexer->at);
    size_t size = 1;
    if (c == '\0' || !strchr("+-*/%~()[]{}<>=.:|,", c)) {
        if (!starts_at(lexer, lexer->at, TEXT("!=")))
            JINJA_FAIL(lexer->jinja, ERR_FORMAT, "unexpected byte 0x%02x",
                       (unsigned)(uint8_t)c);
    }
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (starts_at(lexer, lexer->at, text_of(pairs[i])))
            size = 2;
    }
    TRY(bracket(lexer, c));
    TRY(add(lexer, JINJA_TOKEN_SIGN, lexer->at, lexer->at + size));
    move_to(lexer, lexer->at + size);
    return OK;
}

static enum status inside_token(struct lexer *lexer)
{
    const char c = byte_at(lexer, lexer->at);
    if (c == '\'' || c == '"')
        return string(lexer);
    if (is_digit(c))
        return number(lexer);
    if (!is_letter(c))
        return sign(lexer);
    size_t end = lexer->at;
    while (is_letter(byte_at(lexer, end)) || is_digit(byte_at(lexer, end)))
        end++;
    TRY(add(lexer, JINJA_TOKEN_NAME, lexer->at, end));
    move_to(lexer, end);
    return OK;
}

/* The tokens of one tag, whose opening is at the lexer's place. */
static enum status tag(struct lexer *lexer, bool is_block)
{
    const struct text close = is_block ? TEXT("%}") : TEXT("}}");
    const size_t begin = lexer->at;
    const char first = byte_at(lexer, begin + 2);
    TRY(add(lexer, is_block ? JINJA_TOKEN_BLOCK_BEGIN : JINJA_TOKEN_OUTPUT_BEGIN, begin,
            begin + 2));
    move_to(lexer, begin + (first == '-' || (first == '+' && is_block) ? 3 : 2));
    lexer->open_count = 0;
    for (;;) {
        while (is_space(byte_at(lexer, lexer->at)))
            move_to(lexer, lexer->at + 1);
        if (lexer->at >= lexer->source.size)
            JINJA_FAIL(lexer->jinja, ERR_FORMAT, "%s", "a tag does not end");
        const char c = byte_at(lexer, lexer->at);
        const bool has_sign = c == '-' || (c == '+' && is_block);
        if (lexer->open_count == 0 && starts_at(lexer, lexer->at + has_sign, close))
            break;
        TRY(inside_token(lexer));
    }
    TRY(add(lexer, is_block ? JINJA_TOKEN_BLOCK_END : JINJA_TOKEN_OUTPUT_END, lexer->at,
            lexer->at));
    end_tag(lexer, lexer->at, is_block);
    return OK;
}

/* Where the next tag opens; the size of the source when there is none. */
static size_t next_tag(const struct lexer *lexer)
{
    size_t at = text_find(lexer->source, TEXT("{"), lexer->at);
    for (; at != SIZE_MAX; at = text_find(lexer->source, TEXT("{"), at + 1)) {
        const char c = byte_at(lexer, at + 1);
        if (c == '%' || c == '{' || c == '#')
            return at;
    }
    return lexer->source.size;
}

static enum status lex_all(struct lexer *lexer)
{
    for (;;) {
        const size_t begin = next_tag(lexer);
        const char kind = byte_at(lexer, begin + 1);
        size_t close;
        if (begin == lexer->source.size)
            break;
        TRY(add_text(lexer, begin, kind != '{'));
        if (kind == '#')
            TRY(comment(lexer));
        else if (kind == '%' && word_tag(lexer, begin, TEXT("raw"), &close))
            TRY(raw(lexer, close));
        else
            TRY(tag(lexer, kind == '%'));
    }
    TRY(add_text(lexer, lexer->source.size, false));
    return add(lexer, JINJA_TOKEN_END, lexer->source.size, lexer->source.size);
}

enum status jinja_lex(struct jinja *jinja, struct text source,
                      const struct jinja_token **tokens)
{
    if (source.size > JINJA_SOURCE_BYTES_MAX)
        JINJA_FAIL(jinja, ERR_LIMIT, "%zu bytes, the limit is %d", source.size,
                   JINJA_SOURCE_BYTES_MAX);
    if (text_ends(source, TEXT("\n"))) /* Jinja drops the last line end of a template */
        source.size--;
    struct lexer lexer = {
        .jinja = jinja, .source = source, .count_max = source.size + 3, .line_start = true};
    lexer.tokens = JINJA_NEW(jinja, struct jinja_token, lexer.count_max);
    if (!lexer.tokens)
        return jinja_full(jinja);
    jinja->line = 1;
    *tokens = lexer.tokens;
    return lex_all(&lexer);
}
