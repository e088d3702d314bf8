/*
 * schema_fuzz - libFuzzer target: any bytes as a regular expression, and, where they are JSON,
 * as a schema, which must compile or be refused; the bytes themselves are then followed as a
 * text of it, and those that fit anywhere, after each of which the text must be completable.
 *
 *     schema_fuzz -max_len=512 -timeout=10 CORPUS
 */
#include "engine/matcher_copy.h"
#include "engine/regex.h"

#include <stdlib.h>

enum { SIZE_MOST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_regex(struct arena *arena, struct text pattern)
{
    struct nfa nfa;
    struct automaton made;
    if (automaton_nfa(&nfa, arena, NULL) != OK)
        abort();
    const struct regex_target target = {.nfa = &nfa,
                                        .scratch = arena,
                                        .after = automaton_accept(&nfa, 0),
                                        .options = {.bytes = REGEX_JSON}};
    if (regex_add(&target, pattern, &nfa.start, NULL) != OK ||
        automaton_make(&made, &nfa, (struct automaton_want){0}, arena, NULL) != OK)
        return;
    uint32_t state = AUTOMATON_START;
    for (size_t i = 0; i < pattern.size; i++)
        state = automaton_step(&made, state, (uint8_t)pattern.data[i]);
}

/* A state that is held can be completed: it is complete, or some byte fits. */
static void check_goes_on(struct matcher *matcher, const struct matcher_state *at)
{
    struct matcher_state next;
    bool fits = matcher_is_complete(at);
    for (int byte = 0; byte < 256 && !fits; byte++)
        fits = matcher_step(matcher, at, (uint8_t)byte, &next);
    if (!fits && matcher->dropped == 0)
        abort();
}

/* Follows the bytes that fit, wherever they stand, and closes what is open now and then. */
static void walk(struct matcher *matcher, struct text text)
{
    static const char closing[] = "\"}]:0";
    struct matcher_state at;
    struct matcher_state next;
    matcher_start(matcher, &at);
    for (size_t i = 0; i < text.size && i < 400; i++) {
        const uint8_t byte = (uint8_t)text.data[i];
        if (!matcher_step(matcher, &at, i % 5 == 4 ? (uint8_t)closing[byte % 5] : byte, &next))
            continue;
        at = next;
        check_goes_on(matcher, &at);
        if (byte % 32 == 0)
            matcher_compact(matcher, &at);
    }
}

static void try_schema(struct arena *arena, struct text text)
{
    struct json *root = NULL;
    struct schema schema;
    struct matcher matcher;
    struct matcher_state states[2];
    struct copied copied; /* of the same bytes, for x-copied-from */
    if (json_parse(text, SIZE_MOST, &root, NULL) != OK)
        return;
    const enum status status = schema_compile(&schema, root, arena, NULL);
    json_free(root);
    if (status != OK || matcher_init(&matcher, &schema, arena, NULL) != OK ||
        copied_make(&copied, text, arena, NULL) != OK ||
        matcher_copy_check(&schema, &copied, NULL) != OK)
        return;
    matcher.copied = &copied;
    matcher_start(&matcher, &states[0]);
    for (size_t i = 0; i < text.size; i++)
        if (!matcher_step(&matcher, &states[i % 2], (uint8_t)text.data[i],
                          &states[(i + 1) % 2]))
            break;
    walk(&matcher, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    if (size > SIZE_MOST || arena_init(&arena, (size_t)256 << 20, NULL) != OK)
        return 0;
    const struct text text = {.data = (const char *)data, .size = size};
    try_regex(&arena, text);
    arena_rewind(&arena, 0);
    try_schema(&arena, text);
    arena_deinit(&arena);
    return 0;
}
