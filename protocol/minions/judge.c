/* judge - see judge.h. */
#include "protocol/minions/judge.h"

#include "base/json.h"
#include "protocol/minions/job_output.h"
#include "protocol/minions/judge_number.h"
#include "protocol/minions/prompts.h"

#include <string.h>

enum { VERDICT_BYTES_MAX = 64 << 10 };

const char *judge_word(enum judge_kind kind)
{
    static const char *const words[] = {"auto", "exact", "numeric", "model"};
    return words[kind];
}

/* ---- folding ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A letter, a digit, or a piece of a code point beyond ASCII. */
static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
           (unsigned char)c >= 0x80;
}

/* Size of a quotation mark, a dash or an ellipsis beyond ASCII at offset; 0: none there. */
static size_t mark_at(struct text text, size_t offset)
{
    const struct text rest = text_slice(text, offset, text.size);
    size_t size = 0;
    const uint32_t point = text_utf8_next(rest, &size);
    const bool is_mark = (point >= 0x2010 && point <= 0x2027) || point == 0xab ||
                         point == 0xbb || point == 0xa1 || point == 0xbf;
    return is_mark ? size : 0;
}

/* White space beyond ASCII, and its size. */
static bool is_wide_space(struct text text, size_t offset, size_t *size)
{
    *size = 0;
    const uint32_t point = text_utf8_next(text_slice(text, offset, text.size), size);
    return point == 0xa0 || (point >= 0x2000 && point <= 0x200a) || point == 0x202f ||
           point == 0x3000;
}

struct folder {
    struct text_buf *buf;
    size_t from; /* where the word at hand begins in it */
};

/* Ends the word at hand: an article is taken back. */
static void end_word(struct folder *folder)
{
    struct text_buf *buf = folder->buf;
    const struct text word = text_slice(text_buf_text(buf), folder->from, buf->size);
    const bool is_article = text_equal(word, TEXT("a")) || text_equal(word, TEXT("an")) ||
                            text_equal(word, TEXT("the"));
    if (is_article)
        buf->size = folder->from;
    if (buf->size > 0 && buf->data[buf->size - 1] != ' ')
        text_buf_byte(buf, ' ');
    folder->from = buf->size;
}

static void fold_byte(struct folder *folder, struct text text, size_t i)
{
    const char c = text.data[i];
    const char left = i > 0 ? text.data[i - 1] : ' ';
    const char right = i + 1 < text.size ? text.data[i + 1] : ' ';
    const bool is_before_number = is_digit(right) && !is_word_byte(left);
    if (is_word_byte(c)) {
        text_buf_byte(folder->buf, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
    } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
        end_word(folder);
    } else if (strchr("$%+<>=", c)) {
        end_word(folder);
        text_buf_byte(folder->buf, c);
        end_word(folder);
    } else if ((c == '.' && is_digit(left) && is_digit(right)) ||
               ((c == '-' || c == '.') && is_before_number)) {
        text_buf_byte(folder->buf, c);
    }
}

void judge_fold(struct text_buf *buf, struct text text)
{
    struct text_buf folded = {0};
    struct folder folder = {.buf = &folded};
    for (size_t i = 0; i < text.size;) {
        size_t size = mark_at(text, i), space = 0;
        if (size == 0 && is_wide_space(text, i, &space)) {
            end_word(&folder);
            size = space;
        } else if (size == 0) {
            fold_byte(&folder, text, i);
            size = 1;
        }
        i += size;
    }
    end_word(&folder);
    if (folded.failed)
        buf->failed = true;
    text_buf_add(buf, text_trim(text_buf_text(&folded)));
    text_buf_deinit(&folded);
}

/* ---- exact ---- */

/* The first word of folded text. */
static struct text first_word(struct text folded)
{
    const size_t end = text_find(folded, TEXT(" "), 0);
    return end == SIZE_MAX ? folded : text_slice(folded, 0, end);
}

static bool is_yes_no(struct text folded)
{
    return text_equal(folded, TEXT("yes")) || text_equal(folded, TEXT("no"));
}

/* Whether folded words stand in folded text, at the bounds of words, and are not denied. */
static bool has_words(struct text text, struct text words)
{
    for (size_t i = 0; words.size > 0 && (i = text_find(text, words, i)) != SIZE_MAX; i++) {
        const size_t end = i + words.size;
        const bool is_bound =
            (i == 0 || text.data[i - 1] == ' ') && (end == text.size || text.data[end] == ' ');
        if (is_bound && !text_ends(text_slice(text, 0, i), TEXT("not ")))
            return true;
    }
    return false;
}

/* The option whose letter stands at offset, alone; JUDGE_NO_OPTION where none does. */
static int letter_at(struct text text, size_t offset, uint32_t count)
{
    const char c = text.data[offset];
    const char left = offset > 0 ? text.data[offset - 1] : ' ';
    const char right = offset + 1 < text.size ? text.data[offset + 1] : '\0';
    const int index = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' : 26;
    if (index >= (int)count || is_word_byte(left) || is_word_byte(right) || right == '\'')
        return JUDGE_NO_OPTION;
    return index;
}

/* A letter that the answer begins with and that is no word of a sentence: `B`, `(b)`, `B. x`,
 * `B) x`, `B: x`, `**B**`. */
static int leading_letter(struct text answer, uint32_t count)
{
    size_t i = 0;
    while (i < answer.size && strchr("(*[\"'` \t\r\n", answer.data[i]))
        i++;
    if (i == answer.size)
        return JUDGE_NO_OPTION;
    const int index = letter_at(answer, i, count);
    const char right = i + 1 < answer.size ? answer.data[i + 1] : '\0';
    return index >= 0 && (right == '\0' || strchr(".):*]\"'`,-\n", right)) ? index
                                                                           : JUDGE_NO_OPTION;
}

/* A letter behind "answer", "option", "choice" or "is", with marks between. Two: none. */
static int named_letter(struct text answer, uint32_t count)
{
    int found = JUDGE_NO_OPTION;
    for (size_t i = 0; i < answer.size; i++) {
        const int index = letter_at(answer, i, count);
        const bool is_upper = answer.data[i] >= 'A' && answer.data[i] <= 'Z';
        if (index < 0 || !is_upper)
            continue;
        struct text_buf before = {0};
        judge_fold(&before, text_slice(answer, 0, i));
        const struct text words = text_buf_text(&before);
        const bool is_named = text_ends(words, TEXT("answer")) ||
                              text_ends(words, TEXT("option")) ||
                              text_ends(words, TEXT("choice")) || text_ends(words, TEXT(" is"));
        text_buf_deinit(&before);
        if (!is_named || index == found)
            continue;
        if (found >= 0)
            return JUDGE_NO_OPTION;
        found = index;
    }
    return found;
}

/* The one option whose words the answer holds. One that is part of another that is held too
 * (heart attack, no heart attack) does not count. */
static int spelled_option(const struct text *options, uint32_t count, struct text answer)
{
    struct text_buf folded[JUDGE_OPTIONS_MAX] = {0};
    struct text_buf said = {0};
    bool is_held[JUDGE_OPTIONS_MAX] = {false};
    int found = JUDGE_NO_OPTION, held = 0;
    judge_fold(&said, answer);
    for (uint32_t i = 0; i < count; i++) {
        judge_fold(&folded[i], options[i]);
        is_held[i] = has_words(text_buf_text(&said), text_buf_text(&folded[i]));
    }
    for (uint32_t i = 0; i < count; i++) {
        bool is_part = false;
        for (uint32_t j = 0; j < count && is_held[i]; j++)
            is_part |= is_held[j] && folded[j].size > folded[i].size &&
                       has_words(text_buf_text(&folded[j]), text_buf_text(&folded[i]));
        if (!is_held[i] || is_part)
            continue;
        found = (int)i;
        held++;
    }
    for (uint32_t i = 0; i < count; i++)
        text_buf_deinit(&folded[i]);
    text_buf_deinit(&said);
    return held == 1 ? found : JUDGE_NO_OPTION;
}

int judge_option(const struct text *options, uint32_t count, struct text answer)
{
    answer = text_trim(answer);
    for (uint32_t i = 0; i < count; i++) { /* an option may itself look like a letter */
        struct text_buf option = {0}, said = {0};
        judge_fold(&option, options[i]);
        judge_fold(&said, answer);
        const bool is_same = text_equal(text_buf_text(&option), text_buf_text(&said));
        text_buf_deinit(&option);
        text_buf_deinit(&said);
        if (is_same)
            return (int)i;
    }
    int letter = leading_letter(answer, count);
    if (letter < 0)
        letter = named_letter(answer, count);
    return letter >= 0 ? letter : spelled_option(options, count, answer);
}

/* Whether the answer is one of those expected, folded; of yes and no its first word may do. */
static bool equals_one(const struct judge_expected *expected, struct text answer,
                       bool first_may_do)
{
    struct text_buf said = {0}, want = {0};
    bool is_right = false;
    judge_fold(&said, answer);
    for (uint32_t i = 0; i < expected->answer_count && !is_right; i++) {
        text_buf_clear(&want);
        judge_fold(&want, expected->answers[i]);
        const struct text wanted = text_buf_text(&want), spoken = text_buf_text(&said);
        is_right =
            wanted.size > 0 &&
            text_equal(wanted, first_may_do && is_yes_no(wanted) ? first_word(spoken) : spoken);
    }
    is_right = is_right && !said.failed && !want.failed;
    text_buf_deinit(&said);
    text_buf_deinit(&want);
    return is_right;
}

bool judge_exact(const struct judge_expected *expected, struct text answer)
{
    if (expected->option_count > 0)
        return judge_option(expected->options, expected->option_count, answer) ==
               expected->option;
    return equals_one(expected, answer, true);
}

/* ---- numeric, and which judge ---- */

bool judge_numeric(const struct judge_expected *expected, struct text answer, double tolerance)
{
    for (uint32_t i = 0; i < expected->answer_count; i++) {
        struct judge_number number;
        size_t offset = 0;
        if (!judge_number_whole(expected->answers[i], &number) &&
            !judge_number_next(expected->answers[i], &offset, &number))
            continue;
        if (judge_number_matches(&number, expected->question, answer, tolerance))
            return true;
    }
    return false;
}

enum judge_kind judge_choose(const struct judge_expected *expected, bool has_model)
{
    uint32_t yes_no = 0, numbers = 0;
    if (expected->option_count > 0)
        return JUDGE_EXACT;
    for (uint32_t i = 0; i < expected->answer_count; i++) {
        struct text_buf folded = {0};
        struct judge_number number;
        judge_fold(&folded, expected->answers[i]);
        yes_no += is_yes_no(text_buf_text(&folded));
        numbers += judge_number_whole(expected->answers[i], &number);
        text_buf_deinit(&folded);
    }
    if (yes_no == expected->answer_count)
        return JUDGE_EXACT;
    if (numbers == expected->answer_count)
        return JUDGE_NUMERIC;
    return has_model ? JUDGE_MODEL : JUDGE_EXACT;
}

/* ---- a model's verdict ---- */

/* Reads {"right": "yes" | "no" | true | false}; false when it is not that. */
static bool read_verdict(struct text reply, bool *is_right)
{
    struct json *root = NULL;
    struct text word = {0};
    bool is_read = false;
    if (json_parse(job_output_find_object(reply), VERDICT_BYTES_MAX, &root, NULL) != OK)
        return false;
    const struct json *right = json_get(root, "right");
    if (json_text(right, &word)) {
        *is_right = text_equal(word, TEXT("yes"));
        is_read = *is_right || text_equal(word, TEXT("no"));
    } else {
        is_read = json_bool(right, is_right);
    }
    json_free(root);
    return is_read;
}

enum status judge_by_model(struct remote *remote, const struct judge_expected *expected,
                           struct text answer, bool *is_right, struct error *err)
{
    struct text_buf prompt = {0}, wanted = {0}, last = {0};
    struct remote_reply reply = {0};
    *is_right = equals_one(expected, answer, false);
    if (*is_right)
        return OK;
    for (uint32_t i = 0; i < expected->answer_count; i++) {
        text_buf_add(&wanted, i > 0 ? TEXT("\nor: ") : TEXT(""));
        text_buf_add(&wanted, expected->answers[i]);
    }
    prompts_judge(&prompt, expected->question, text_buf_text(&wanted), answer);
    struct remote_message messages[] = {{"user", text_buf_text(&prompt)},
                                        {"assistant", {0}},
                                        {"user", TEXT(PROMPTS_JUDGE_AGAIN)}};
    enum status status = OK;
    if (prompt.failed || wanted.failed)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "judge: no memory");
    if (status == OK)
        status = remote_chat(remote, messages, 1, &reply, err);
    if (status == OK && !read_verdict(text_buf_text(&reply.content), is_right)) {
        text_buf_add(&last, text_buf_text(&reply.content));
        messages[1].content = text_buf_text(&last);
        status = remote_chat(remote, messages, 3, &reply, err);
        if (status == OK && !read_verdict(text_buf_text(&reply.content), is_right))
            status = error_set(err, ERR_REMOTE, __FILE__, __LINE__,
                               "judge: the verdict could not be read, twice");
    }
    text_buf_deinit(&reply.content);
    text_buf_deinit(&prompt);
    text_buf_deinit(&wanted);
    text_buf_deinit(&last);
    return status;
}
