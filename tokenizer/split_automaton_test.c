/*
 * split_automaton_test - matches worked out by hand, refusals with their words, and random
 * texts against a matcher that backtracks over the same tree, which is what the automaton has
 * to agree with.
 */
#include "tokenizer/split_automaton.h"

#include "tokenizer/split_parse.h"
#include "tokenizer/splitter.h"
#include "tokenizer/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct arena arena;

static void make(struct split_automaton *automaton, struct text regex)
{
    struct error err;
    const struct tokenizer_split split = {.pattern = regex};
    arena.used = 0;
    if (split_automaton_make(automaton, &split, &arena, &err) != OK)
        fail_msg("%.*s: %s", TEXT_ARG(regex), err.text);
}

/* What the expression finds, each in angle brackets. */
static void test_finds(void **state)
{
    static const struct {
        const char *regex, *text, *want;
    } CASES[] = {
        {"a|ab", "abab", "<a>b<a>b"},
        {"ab|a", "abaa", "<ab><a><a>"},
        {"a{2,3}", "aaaaaa aa a", "<aaa><aaa> <aa> a"},
        {"a{2,3}?", "aaaa", "<aa><aa>"},
        {"a{,2}b", "aaab", "a<aab>"},
        {"a+?b?", "aab", "<a><ab>"},
        {"(?:ab)*c", "ababc abd", "<ababc> abd"},
        {"\\s+(?!\\S)|\\s+", "a  b   ", "a< >< >b<   >"},
        {"x?+x", "x", "x"},
        {"[^a]?+b", "bb b", "<bb>< b>"},
        {"a*+a", "aaa", "aaa"},
        {"a++b", "aab", "<aab>"},
        {"(?i:'ll|'s)", "'LL 'l 'S '\xc5\xbf", "<'LL> 'l <'S> <'\xc5\xbf>"},
        {"(?i)k|x", "Kk\xe2\x84\xaaX", "<K><k><\xe2\x84\xaa><X>"},
        {"(?i:[a-c])d", "Ad aD", "<Ad> aD"},
        {"\\p{Lu}\\p{^Lu}", "aBcDEf", "a<Bc>D<Ef>"},
        {"[\\p{L}&&[^a-z]]+", "abCD\xc3\xa9", "ab<CD\xc3\xa9>"},
        {"[\\p{Han}]+", "x\xe4\xb8\xad\xe6\x96\x87\xe3\x81\x82",
         "x<\xe4\xb8\xad\xe6\x96\x87>\xe3\x81\x82"},
        {"[]a]+", "a]b", "<a]>b"},
        {"[a-]+", "a-b", "<a->b"},
        {"[[a-b][d]]+", "abcd", "<ab>c<d>"},
        {"a{", "a{a", "<a{>a"},
        {"\\x41\\x{42}\\u0043", "ABC", "<ABC>"},
        {".+", "ab\ncd", "<ab>\n<cd>"},
        {"\\w", "\xc2\xbd", "<\xc2\xbd>"},
        {"[\\w]", "\xc2\xbd", "\xc2\xbd"},
        {"b$", "b\nbb", "<b>\nb<b>"},
        {"b\\z", "b\nbb", "b\nb<b>"},
        {"a(?=b)", "aab", "a<a>b"},
        {"(?!a|b)\\p{L}", "abc", "ab<c>"},
        {"[^a]", "a\xff", "a<\xff>"},
        {"\\P{L}", "a\xff", "a<\xff>"},
        {"\\s+$", "  a  ", "  a<  >"},
        {"\\[\\^\\.", "[^.", "<[^.>"},
    };
    struct text_buf out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct split_automaton automaton;
        struct split_found found;
        const struct text text = text_of(CASES[i].text);
        size_t at = 0;
        make(&automaton, text_of(CASES[i].regex));
        text_buf_clear(&out);
        for (; split_automaton_find(&automaton, text, at, &found); at = found.end) {
            assert_true(found.end > found.begin);
            text_buf_add(&out, text_slice(text, at, found.begin));
            text_buf_format(&out, "<%.*s>", TEXT_ARG(text_slice(text, found.begin, found.end)));
        }
        text_buf_add(&out, text_slice(text, at, text.size));
        if (!text_equal(text_buf_text(&out), text_of(CASES[i].want)))
            fail_msg("%s finds %.*s, want %s", CASES[i].regex, TEXT_ARG(text_buf_text(&out)),
                     CASES[i].want);
    }
    text_buf_deinit(&out);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *regex, *words;
    } CASES[] = {
        {"(a", "without )"},
        {"a)", ") without a group"},
        {"[a", "[ without ]"},
        {"*a", "nothing to repeat"},
        {"a\\", "\\ at the end"},
        {"[b-a]", "a range that is none"},
        {"[\\s-a]", ""},
        {"\\p{Klingon}", "\\p{Klingon}"},
        {"\\pL", "\\p without"},
        {"\\b", "\\b"},
        {"\\1", "\\1"},
        {"\\x{110000}", "a code point that is none"},
        {"^a", "^ is not supported"},
        {"(?<=a)b", "a group of this kind"},
        {"(?>a)b", "a group of this kind"},
        {"(?=ab)", "looking ahead at more than one character"},
        {"(?:ab)++", "possessive repetition of more than one"},
        {"(?:a?|b)*", "what may be empty"},
        {"a{2,1}", "repeats 2 to 1 times"},
        {"a{2000}", "the limit is 1000"},
        {"(?i:\xc3\xa9)", "folding the case of U+00E9"},
        {"[[:alpha:]]", "[:"},
        {"((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))",
         "deeper than 32"},
        {"(?:a{1000}){1000}", "more than 8192 instructions"},
        {"(?:[ab]*a[ab]{14})", "more than 262144 entries"},
        {"\xff", "no UTF-8"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct split_automaton automaton;
        struct error err = {.text = ""};
        const struct tokenizer_split split = {.pattern = text_of(CASES[i].regex)};
        arena.used = 0;
        const enum status status = split_automaton_make(&automaton, &split, &arena, &err);
        if (CASES[i].words[0] == '\0')
            continue; /* no matter which, as long as it ends */
        assert_int_not_equal(status, OK);
        if (!strstr(err.text, CASES[i].words))
            fail_msg("%s: says \"%s\", not \"%s\"", CASES[i].regex, err.text, CASES[i].words);
    }
}

/* ---- the judge: backtracking ---- */

/* What still has to match. */
struct rest {
    const struct split_node *node; /* then its siblings */
    uint32_t times;                /* of a repetition: done already */
    size_t begin;                  /* where its last turn began */
    const struct rest *next;
};

static struct text subject;

static bool takes(const struct split_node *node, size_t *at)
{
    if (*at >= subject.size)
        return node->kind == SPLIT_LOOK && node->at_end;
    size_t end = *at;
    uint32_t c = text_utf8_next(subject, &end);
    c = c == UINT32_MAX ? (uint32_t)CHAR_SET_MALFORMED : c;
    if (!char_set_has(&node->set, c))
        return false;
    *at = node->kind == SPLIT_SET ? end : *at;
    return true;
}

static bool judge(const struct rest *rest, size_t at, size_t *end);

/* One more turn of a repetition. */
static bool turn(const struct split_node *node, const struct rest *rest, size_t at, size_t *end)
{
    const struct rest again = {node, rest->times + 1, at, rest->next};
    const struct rest inner = {node->first, 0, at, &again};
    return judge(&inner, at, end);
}

static bool judge_repeat(const struct rest *rest, size_t at, size_t *end)
{
    const struct split_node *node = rest->node;
    if (rest->times < node->least)
        return turn(node, rest, at, end);
    const bool may =
        rest->times < node->most && (rest->times == node->least || at > rest->begin);
    if (!node->is_lazy && may && turn(node, rest, at, end))
        return true;
    if (judge(rest->next, at, end))
        return true;
    return node->is_lazy && may && turn(node, rest, at, end);
}

/* Where the preferred way to match rest from at ends. */
static bool judge(const struct rest *rest, size_t at, size_t *end)
{
    if (!rest) {
        *end = at;
        return true;
    }
    const struct split_node *node = rest->node;
    if (!node)
        return judge(rest->next, at, end);
    if (node->kind == SPLIT_REPEAT)
        return judge_repeat(rest, at, end);
    if (node->kind == SPLIT_SET || node->kind == SPLIT_LOOK)
        return takes(node, &at) && judge(rest->next, at, end);
    if (node->kind == SPLIT_CHOICE) {
        for (const struct split_node *way = node->first; way; way = way->next) {
            const struct rest inner = {way, 0, 0, rest->next};
            if (judge(&inner, at, end))
                return true;
        }
        return false;
    }
    /* A chain is its first child and a chain of the others. */
    struct split_node others = *node;
    others.first = node->first ? node->first->next : NULL;
    const struct rest chain = {&others, 0, 0, rest->next};
    const struct rest inner = {node->first, 0, 0, node->first ? &chain : rest->next};
    return judge(&inner, at, end);
}

static void random_text(uint64_t *seed, char *bytes, size_t *size)
{
    static const char *const PARTS[] = {"a",
                                        "b",
                                        "A",
                                        "'s",
                                        "'LL",
                                        " ",
                                        "  ",
                                        "\n",
                                        "1",
                                        "12",
                                        ".",
                                        "/",
                                        "\xc3\xa9",
                                        "\xcc\x81",
                                        "\xe4\xb8\xad",
                                        "\xff",
                                        "\xe2\x80\x83",
                                        "\r\n"};
    *size = 0;
    for (uint32_t count = testing_random(seed) % 12; count > 0; count--) {
        const struct text part =
            text_of(PARTS[testing_random(seed) % (sizeof PARTS / sizeof PARTS[0])]);
        memcpy(bytes + *size, part.data, part.size);
        *size += part.size;
    }
}

/* An expression out of these parts, of any shape. */
static void random_regex(uint64_t *seed, uint32_t depth, struct text_buf *out)
{
    static const char *const ATOMS[] = {"a",      "b",      "[ab]",    "\\s", "\\p{L}",
                                        "[^\\s]", "\\p{N}", "(?!\\S)", "$",   "(?=a)"};
    static const char *const TIMES[] = {"", "", "*", "+", "?", "*?", "+?", "{1,2}", "{2}"};
    for (uint32_t count = 1 + testing_random(seed) % 3; count > 0; count--) {
        if (depth > 0 && testing_random(seed) % 3 == 0) {
            text_buf_add(out, TEXT("(?:"));
            random_regex(seed, depth - 1, out);
            text_buf_byte(out, '|');
            random_regex(seed, depth - 1, out);
            text_buf_byte(out, ')');
        } else {
            text_buf_add(out, text_of(ATOMS[testing_random(seed) % 10]));
        }
        text_buf_add(out, text_of(TIMES[testing_random(seed) % 9]));
    }
}

/* Matches at every place of random texts, in guarded memory. */
static void check_regex(struct text regex, uint32_t texts, uint64_t *seed)
{
    static struct testing_guard guard;
    struct split_automaton automaton;
    struct split_node *root;
    struct error err;
    char bytes[64];
    size_t size, want;
    make(&automaton, regex);
    if (!guard.end)
        guard = testing_guard_open();
    assert_int_equal(split_parse(regex, &arena, &root, &err), OK);
    const struct rest all = {root, 0, 0, NULL};
    for (uint32_t i = 0; i < texts; i++) {
        random_text(seed, bytes, &size);
        subject = testing_guard_copy(&guard, (struct text){bytes, size});
        for (size_t at = 0; at <= size; at++) {
            want = SIZE_MAX;
            if (!judge(&all, at, &want))
                want = SIZE_MAX;
            const size_t end = split_automaton_match(&automaton, subject, at);
            if (end != want)
                fail_msg("%.*s at %zu of '%.*s' ends at %zd, want %zd", TEXT_ARG(regex), at,
                         (int)size, bytes, (ssize_t)end, (ssize_t)want);
        }
    }
}

static void test_against_backtracking(void **state)
{
    static const char *const NAMES[] = {"gpt-2",  "llama-bpe",   "gpt-4o",    "kimi-k2",
                                        "jais-2", "deepseek-v3", "seed-coder"};
    struct text_buf regex = {0};
    uint64_t seed = 11;
    uint32_t taken = 0;
    (void)state;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        const struct splitter *splitter = splitter_find(text_of(NAMES[i]));
        check_regex(splitter->steps[splitter->step_count - 1].pattern, 300, &seed);
    }
    for (uint32_t i = 0; i < 300; i++) {
        struct split_node *root;
        struct error err;
        text_buf_clear(&regex);
        random_regex(&seed, 2, &regex);
        arena.used = 0;
        if (split_parse(text_buf_text(&regex), &arena, &root, &err) != OK)
            continue; /* loops over what may be empty */
        taken++;
        check_regex(text_buf_text(&regex), 20, &seed);
    }
    assert_true(taken > 50);
    text_buf_deinit(&regex);
}

/* Every place of a long run is tried, and none looks at the whole of it. */
static void test_long_runs(void **state)
{
    enum { SIZE = 1 << 20 };
    char *spaces = malloc(SIZE);
    struct split_automaton automaton;
    struct split_found found;
    (void)state;
    assert_non_null(spaces);
    memset(spaces, ' ', SIZE);
    spaces[SIZE - 1] = 'x';
    make(&automaton, TEXT("\\s+$"));
    assert_false(split_automaton_find(&automaton, (struct text){spaces, SIZE}, 0, &found));
    free(spaces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_against_backtracking),
        cmocka_unit_test(test_long_runs),
    };
    struct error err;
    if (arena_init(&arena, 64 << 20, &err) != OK)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&arena);
    return failed;
}
