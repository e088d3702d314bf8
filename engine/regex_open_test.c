/*
 * regex_open_test - which patterns say no more than a maximum once their repetition has no end,
 * and that the same texts match then.
 */
#include "engine/regex_open.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TEXTS = 2000, TEXT_CHARACTERS_MAX = 60 };

static struct arena arena;

static const struct {
    const char *pattern;
    uint32_t characters; /* 0: it stays as it is */
} cases[] = {
    {"^\\p{L}{1,20}$", 20},
    {"^a\\p{L}{0,20}(?:b|c)$", 22},
    {"^((?:a|b)\\p{L}){2,20}$", 40},
    {"^(x\\p{L}{0,20})$", 21},
    {"^[ab]{3}\\p{L}{0,20}[ab]{2}$", 25},
    {"^\\p{L}{20}$", 0},     /* it has no end to leave out */
    {"^\\p{L}{1,}$", 0},     /* nor has this */
    {"^[ab]{1,20}$", 0},     /* few states as it is */
    {"^\\p{L}{1,20}", 0},    /* anything may follow */
    {"\\p{L}{1,20}$", 0},    /* or come first */
    {"^\\p{L}{1,20}|b$", 0}, /* anchors of one alternative each */
    {"^\\p{L}{1,20}b?$", 0}, /* two that have no one length */
    {"^\\p{L}{1,20}\\p{L}{1,20}$", 0},
    {"^(?:a\\p{L}|b){1,20}$", 0},
    {"^(?:\\p{L}{1,20}|b)$", 0},
    {"^b$\\p{L}{1,20}$", 0},
    {"^b^\\p{L}{1,20}$", 0},
};

static uint32_t draw(uint32_t below)
{
    static uint32_t random_state = 1;
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

static enum status make(const struct regex_part *part, struct automaton *made)
{
    struct nfa nfa;
    TRY(automaton_nfa(&nfa, &arena, NULL));
    const struct regex_target target = {.nfa = &nfa,
                                        .scratch = &arena,
                                        .after = automaton_accept(&nfa, 0),
                                        .options = {.span = REGEX_SEARCH}};
    nfa.start = regex_add_parsed(&target, part);
    return automaton_make(made, &nfa, (struct automaton_want){0}, &arena, NULL);
}

/* Texts of which many match: letters, mostly those that the patterns name. */
static void compare(const char *pattern, const struct automaton *whole,
                    const struct automaton *open, uint32_t characters_max)
{
    static const char *const letters[] = {"a", "b", "x", "\xc3\xa9", "\xe4\xb8\xad", "c"};
    for (uint32_t n = 0; n < TEXTS; n++) {
        const uint32_t characters = draw(TEXT_CHARACTERS_MAX);
        uint32_t at[2] = {AUTOMATON_START, AUTOMATON_START};
        for (uint32_t i = 0; i < characters; i++) {
            const bool is_first = i < 3 || i + 2 >= characters;
            const char *letter = letters[draw(is_first ? 2 : 6)];
            for (; *letter; letter++) {
                at[0] = automaton_step(whole, at[0], (uint8_t)*letter);
                at[1] = automaton_step(open, at[1], (uint8_t)*letter);
            }
        }
        if (automaton_ends(whole, at[0]) !=
            (automaton_ends(open, at[1]) && characters <= characters_max))
            fail_msg("%s: a text of %u characters", pattern, characters);
    }
}

static void what_is_opened_and_counted_matches_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct regex_part *part = NULL, *open = NULL;
        struct automaton whole, opened;
        uint32_t characters = 0;
        arena_rewind(&arena, 0);
        assert_int_equal(regex_parse(text_of(cases[i].pattern), &arena, &part, NULL), OK);
        const bool opens = regex_open(part, &arena, &open, &characters);
        if ((opens ? characters : 0) != cases[i].characters)
            fail_msg("%s: %u", cases[i].pattern, opens ? characters : 0);
        if (!opens)
            continue;
        assert_int_equal(make(part, &whole), OK);
        assert_int_equal(make(open, &opened), OK);
        assert_true(opened.state_count < whole.state_count);
        compare(cases[i].pattern, &whole, &opened, characters);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_opened_and_counted_matches_the_same)};
    if (arena_init(&arena, (size_t)128 << 20, NULL) != OK)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&arena);
    return failed;
}
