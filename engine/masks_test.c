/*
 * masks_test - each mask says for each token what stepping its bytes says, and end tokens come
 * exactly where the text is complete; the table is bounded, and a mask that was given stays as
 * it is until the next step.
 */
#include "engine/masks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    VOCAB = 1500,
    END = 257,
    WALKS = 12,
    WALK_TOKENS = 40,
    ROWS = 300,
    BYTES = 24,
    BUDGETS = 12,
    HELD_EVERY = 3
};

#define ANY UINT32_MAX /* tokens left */

static struct arena arena;
static struct masks masks;
static char pieces[VOCAB][BYTES];
static struct text bytes[VOCAB];
static uint32_t ends[(VOCAB + 31) / 32];

static const char *const schemas[] = {
    "{\"type\": \"object\"}",
    "{\"type\": \"object\", \"properties\": {\"ab\": {\"type\": \"string\"}, \"a\": {\"type\": "
    "\"integer\"}, \"b\": {\"type\": \"string\", \"maxLength\": 5}}, \"required\": [\"ab\"], "
    "\"additionalProperties\": false}",
    "{\"anyOf\": [{\"type\": \"string\", \"pattern\": \"^a[b-d]*$\"}, {\"type\": \"string\", "
    "\"maxLength\": 3}, {\"type\": \"array\", \"items\": {\"type\": \"number\"}}]}",
    "{\"type\": \"array\", \"items\": {\"type\": \"string\", \"minLength\": 2, \"maxLength\": "
    "70}}",
    "{\"type\": \"object\", \"maxProperties\": 2, \"additionalProperties\": {\"enum\": "
    "[\"ab\", "
    "1, null]}}",
    "{\"type\": \"object\", \"properties\": {\"a\": {\"$ref\": \"#\"}}, \"patternProperties\": "
    "{\"^ab\": {\"type\": \"boolean\"}}, \"additionalProperties\": false}",
    "{\"type\": \"string\"}",
};
/* Of which an end is not near from everywhere. */
static const char *const hurried[] = {
    "{\"type\": \"object\", \"minProperties\": 2, \"properties\": {\"a\": {\"type\": "
    "\"array\", \"minItems\": 2, \"items\": {\"type\": \"number\"}}, \"b\": {\"type\": "
    "\"null\"}}, \"required\": [\"a\"]}",
    "{\"type\": \"object\", \"minProperties\": 2, \"properties\": {\"a\": {\"$ref\": \"#\"}, "
    "\"ab\": {\"type\": \"integer\"}, \"b\": {\"const\": \"a long one\"}, \"cd\": {}}, "
    "\"additionalProperties\": false}",
    "{\"type\": \"array\", \"prefixItems\": [{\"type\": \"string\", \"minLength\": 9}, "
    "{\"enum\": [null, [1, 2]]}], \"minItems\": 4, \"maxItems\": 6, \"contains\": {\"type\": "
    "\"string\", \"maxLength\": 2}}",
    "{\"type\": \"object\", \"not\": {\"patternProperties\": {\"^a\": {\"type\": "
    "\"string\"}}}, \"additionalProperties\": {\"type\": [\"string\", \"boolean\"]}}",
    "{\"type\": \"object\", \"properties\": {\"b\": {\"type\": \"string\"}, \"a\": {\"type\": "
    "\"array\"}}, \"required\": [\"b\", \"a\"], \"additionalProperties\": false, "
    "\"x-in-order\": true}",
    "{\"anyOf\": [{\"type\": \"number\", \"minimum\": 100}, {\"type\": \"object\", "
    "\"properties\": {\"a\": {\"type\": \"number\"}}, \"required\": [\"a\"]}, {\"type\": "
    "\"object\", \"properties\": {\"a\": {\"type\": \"string\"}}, \"required\": [\"a\", "
    "\"b\"]}]}",
    "{\"anyOf\": [{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 2}, {\"type\": "
    "\"string\", \"minLength\": 5}]}",
};
static const char *const patterns[] = {"a(b|cd)*", ".*", "[^a]{2,9}b?", "\\d+(\\.\\d{1,2})?"};

/* All single bytes, two tokens of no bytes, and random pieces of what the schemas are about. */
static void make_vocabulary(void)
{
    static const char *const parts[] = {
        "\"", "\\",   "a",  "ab", "b",    "{",    "}",
        "[",  "]",    ":",  ",",  " ",    "1",    "0",
        ".",  "null", "\n", "u0", "\xc3", "\xa9", "\xe2\x82\xac",
        "cd", "-",    "e"};
    uint32_t count = 0;
    for (; count < 256; count++) {
        pieces[count][0] = (char)count;
        bytes[count] = (struct text){pieces[count], 1};
    }
    bytes[count++] = TEXT("");
    bytes[count++] = TEXT("");
    ends[END / 32] |= 1u << END % 32;
    for (; count < VOCAB; count++) {
        size_t size = 0;
        const int wanted = 1 + rand() % 5;
        for (int i = 0; i < wanted; i++) {
            const struct text part =
                text_of(parts[(size_t)rand() % (sizeof parts / sizeof *parts)]);
            memcpy(pieces[count] + size, part.data, part.size);
            size += part.size;
        }
        bytes[count] = (struct text){pieces[count], size};
    }
}

static void start_masks(uint32_t rows)
{
    const struct masks_options options = {bytes, ends, VOCAB, rows};
    arena_deinit(&arena);
    assert_int_equal(arena_init(&arena, masks_bytes(&options), NULL), OK);
    assert_int_equal(masks_init(&masks, &options, &arena, NULL), OK);
}

static struct constraint *compile(enum constraint_kind kind, const char *source)
{
    struct constraint *made = NULL;
    struct error err = {0};
    if (constraint_new(&made, kind, text_of(source), &err) != OK)
        fail_msg("%s: %s", source, err.text);
    return made;
}

static bool has(const uint32_t *mask, uint32_t token)
{
    return mask[token / 32] >> token % 32 & 1;
}

/* The definition: a token may come when its bytes do. */
static void hold_mask(const struct constraint *constraint, const struct constraint_text *text,
                      const uint32_t *mask)
{
    static struct constraint_text next;
    for (uint32_t t = 0; t < VOCAB; t++) {
        constraint_copy(constraint, &next, text);
        const bool fits = bytes[t].size > 0 &&
                          constraint_advance(constraint, &masks.walk.matcher, &next, bytes[t]);
        const bool wanted = t == END ? constraint_is_complete(constraint, text) : fits;
        if (has(mask, t) != wanted)
            fail_msg("%.*s: token %u `%.*s` is %s", TEXT_ARG(constraint->source), t,
                     TEXT_ARG(bytes[t]), wanted ? "left out" : "let in");
    }
}

static uint32_t draw(const uint32_t *mask)
{
    uint32_t count = 0;
    for (uint32_t t = 0; t < VOCAB; t++)
        count += has(mask, t);
    if (count == 0)
        return END;
    uint32_t nth = (uint32_t)rand() % count;
    for (uint32_t t = 0; t < VOCAB; t++)
        if (has(mask, t) && nth-- == 0)
            return t;
    return END;
}

static void walk_at_random(const struct constraint *constraint)
{
    static struct constraint_text text;
    constraint_start(constraint, &masks.walk.matcher, &text);
    for (int i = 0; i < WALK_TOKENS; i++) {
        masks_begin(&masks);
        const uint32_t *mask = masks_of(&masks, constraint, &text, ANY);
        hold_mask(constraint, &text, mask);
        const uint32_t token = draw(mask);
        if (token == END)
            return;
        assert_true(constraint_advance(constraint, &masks.walk.matcher, &text, bytes[token]));
        if (constraint_is_over(constraint, &text))
            return;
    }
}

static void masks_say_what_the_bytes_say(void **state)
{
    (void)state;
    start_masks(1);
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        struct constraint *constraint = compile(CONSTRAINT_SCHEMA, schemas[i]);
        for (int walk = 0; walk < WALKS; walk++)
            walk_at_random(constraint);
        constraint_free(constraint);
    }
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct constraint *constraint = compile(CONSTRAINT_REGEX, patterns[i]);
        for (int walk = 0; walk < WALKS; walk++)
            walk_at_random(constraint);
        constraint_free(constraint);
    }
    assert_true(masks.found > masks.made / 8);
}

/* The same where tokens run out: what leaves a way to the end that is short enough. */
static void hold_hurried(const struct constraint *constraint,
                         const struct constraint_text *text, const uint32_t *mask,
                         uint32_t left)
{
    static struct constraint_text next;
    for (uint32_t t = 0; t < VOCAB; t++) {
        constraint_copy(constraint, &next, text);
        const bool fits =
            bytes[t].size > 0 &&
            constraint_advance(constraint, &masks.walk.matcher, &next, bytes[t]) &&
            mask_walk_fewest(&masks.walk, constraint, &next) < left;
        const bool wanted = t == END ? constraint_is_complete(constraint, text) : fits;
        if (has(mask, t) != wanted)
            fail_msg("%.*s: %u left, token %u `%.*s` is %s", TEXT_ARG(constraint->source), left,
                     t, TEXT_ARG(bytes[t]), wanted ? "left out" : "let in");
    }
}

/* A text of random tokens within a budget, from the shortest on. */
static void hurry_at_random(const struct constraint *constraint, uint32_t budget)
{
    static struct constraint_text text;
    constraint_start(constraint, &masks.walk.matcher, &text);
    for (uint32_t left = budget; left > 0; left--) {
        masks_begin(&masks);
        const uint32_t *mask = masks_of(&masks, constraint, &text, left);
        if (budget % HELD_EVERY == 0)
            hold_hurried(constraint, &text, mask, left);
        const uint32_t token = draw(mask);
        if (token == END) {
            assert_true(has(mask, END));
            return;
        }
        assert_true(constraint_advance(constraint, &masks.walk.matcher, &text, bytes[token]));
        const uint32_t fewest = mask_walk_fewest(&masks.walk, constraint, &text);
        if (fewest >= left)
            fail_msg("%.*s: budget %u: %u bytes for %u tokens", TEXT_ARG(constraint->source),
                     budget, fewest, left - 1);
        if (constraint_is_over(constraint, &text))
            return;
    }
    fail_msg("%.*s: no end in %u tokens", TEXT_ARG(constraint->source), budget);
}

static void hurry(enum constraint_kind kind, const char *source)
{
    static struct constraint_text text;
    struct constraint *constraint = compile(kind, source);
    constraint_start(constraint, &masks.walk.matcher, &text);
    const uint32_t fewest = mask_walk_fewest(&masks.walk, constraint, &text);
    assert_true(fewest > 0 && fewest < 400);
    for (uint32_t budget = fewest; budget < fewest + BUDGETS; budget++)
        hurry_at_random(constraint, budget);
    hurry_at_random(constraint, 4 * fewest);
    constraint_free(constraint);
}

static void texts_end_within_their_tokens(void **state)
{
    (void)state;
    start_masks(1);
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++)
        hurry(CONSTRAINT_SCHEMA, schemas[i]);
    for (size_t i = 0; i < sizeof hurried / sizeof *hurried; i++)
        hurry(CONSTRAINT_SCHEMA, hurried[i]);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        hurry(CONSTRAINT_REGEX, patterns[i]);
}

/* Within a name that any text leads on, where one name is dearer than the others. */
static void a_dear_name_is_left_out_among_cheap_ones(void **state)
{
    static struct constraint_text text;
    struct constraint *constraint = compile(
        CONSTRAINT_SCHEMA, "{\"type\": \"object\", \"properties\": {\"ab\": {\"const\": \"a "
                           "long one\"}}, \"additionalProperties\": {\"type\": \"null\"}}");
    (void)state;
    start_masks(1);
    constraint_start(constraint, &masks.walk.matcher, &text);
    assert_true(constraint_advance(constraint, &masks.walk.matcher, &text, TEXT("{\"")));
    const uint32_t fewest = mask_walk_fewest(&masks.walk, constraint, &text);
    for (uint32_t left = fewest; left < fewest + BUDGETS; left++) {
        masks_begin(&masks);
        hold_hurried(constraint, &text, masks_of(&masks, constraint, &text, left), left);
    }
    constraint_free(constraint);
}

/* Rows of one step at places that are all different, for many steps: more than there are
 * slots. */
static void what_was_given_stays_for_the_step(void **state)
{
    static struct constraint_text text;
    static const uint32_t *given[ROWS];
    static uint32_t copies[ROWS][(VOCAB + 31) / 32];
    struct constraint *constraint = compile(
        CONSTRAINT_SCHEMA, "{\"type\": \"array\", \"items\": {\"type\": \"string\", "
                           "\"minLength\": 9000}, \"minItems\": 5, \"maxItems\": 9000}");
    (void)state;
    start_masks(ROWS);
    constraint_start(constraint, &masks.walk.matcher, &text);
    assert_true(constraint_advance(constraint, &masks.walk.matcher, &text, TEXT("[\"")));
    for (int step = 0; step < 5; step++) {
        masks_begin(&masks);
        for (uint32_t row = 0; row < ROWS; row++) {
            assert_true(constraint_advance(constraint, &masks.walk.matcher, &text, TEXT("x")));
            given[row] = masks_of(&masks, constraint, &text, ANY);
            memcpy(copies[row], given[row], sizeof copies[row]);
        }
        for (uint32_t row = 0; row < ROWS; row++)
            assert_memory_equal(copies[row], given[row], sizeof copies[row]);
    }
    assert_true(masks.slot_count == masks.slot_max && masks.made == 5 * ROWS);
    constraint_free(constraint);
}

/* The text of a string of so many characters that may go on. */
static const uint32_t *mask_after(const struct constraint *constraint, uint32_t characters)
{
    static struct constraint_text text;
    constraint_start(constraint, &masks.walk.matcher, &text);
    assert_true(constraint_advance(constraint, &masks.walk.matcher, &text, TEXT("\"")));
    for (uint32_t i = 0; i < characters; i++)
        assert_true(constraint_advance(constraint, &masks.walk.matcher, &text, TEXT("x")));
    return masks_of(&masks, constraint, &text, ANY);
}

/* Every slot was used since the hand came by, and the first that it comes to is given: one that
 * is made then takes another's. */
static void a_mask_found_is_not_taken_from_its_step(void **state)
{
    struct constraint *constraint =
        compile(CONSTRAINT_SCHEMA, "{\"type\": \"string\", \"maxLength\": 9000}");
    uint32_t copy[(VOCAB + 31) / 32];
    (void)state;
    start_masks(2);
    for (uint32_t i = 0; i < masks.slot_max; i++) {
        masks_begin(&masks);
        (void)mask_after(constraint, 9000 - i);
    }
    masks_begin(&masks);
    const uint32_t *mask = mask_after(constraint, 9000);
    memcpy(copy, mask, sizeof copy);
    assert_int_equal(masks.found, 1);
    assert_ptr_not_equal(mask_after(constraint, 1), mask);
    assert_memory_equal(mask, copy, sizeof copy);
    assert_ptr_equal(mask_after(constraint, 9000), mask);
    constraint_free(constraint);
}

/* The same place is found again, also by another way to it, and after others were. */
static void a_mask_is_made_once(void **state)
{
    static struct constraint_text a, b;
    struct constraint *constraint = compile(CONSTRAINT_SCHEMA, schemas[0]);
    struct constraint *twin = compile(CONSTRAINT_SCHEMA, schemas[0]);
    struct matcher *matcher = &masks.walk.matcher;
    (void)state;
    start_masks(4);
    constraint_start(constraint, matcher, &a);
    constraint_start(constraint, matcher, &b);
    assert_true(constraint_advance(constraint, matcher, &a, TEXT("{\"x\": \"one")));
    assert_true(constraint_advance(constraint, matcher, &b, TEXT("{\"x\":\"two words")));
    const uint32_t *mask = masks_of(&masks, constraint, &a, ANY);
    assert_ptr_equal(masks_of(&masks, constraint, &b, ANY), mask);
    assert_int_equal(masks.made, 1);
    assert_int_equal(masks.found, 1);
    assert_ptr_not_equal(masks_of(&masks, twin, &a, ANY), mask); /* another constraint's */
    assert_false(masks_is_none(&masks, mask));
    constraint_free(constraint);
    constraint_free(twin);
}

/* A hundred objects in one another and no more; a key of that is too long for the table. */
static void nesting_has_an_end(void **state)
{
    static struct constraint_text text;
    struct constraint *constraint = compile(CONSTRAINT_SCHEMA, "{}");
    struct matcher *matcher = &masks.walk.matcher;
    uint32_t depth = 0;
    (void)state;
    start_masks(2);
    constraint_start(constraint, matcher, &text);
    while (constraint_advance(constraint, matcher, &text, TEXT("[")))
        depth++;
    assert_int_equal(depth, MATCHER_DEPTH_MAX);
    masks_begin(&masks);
    const uint32_t *mask = masks_of(&masks, constraint, &text, ANY);
    hold_mask(constraint, &text, mask);
    assert_false(has(mask, '['));
    for (; depth > 0; depth--)
        assert_true(constraint_advance(constraint, matcher, &text, TEXT("]")));
    assert_true(constraint_is_over(constraint, &text));
    constraint_free(constraint);
}

static int make(void **state)
{
    (void)state;
    srand(7);
    make_vocabulary();
    start_masks(1);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_say_what_the_bytes_say),
        cmocka_unit_test(texts_end_within_their_tokens),
        cmocka_unit_test(a_dear_name_is_left_out_among_cheap_ones),
        cmocka_unit_test(what_was_given_stays_for_the_step),
        cmocka_unit_test(a_mask_found_is_not_taken_from_its_step),
        cmocka_unit_test(a_mask_is_made_once),
        cmocka_unit_test(nesting_has_an_end),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
