/*
 * schema_fuzz - libFuzzer target: any bytes as a regular expression, and, where they are JSON,
 * as a schema, which must compile or be refused; the bytes themselves are then followed as a
 * text of it.
 *
 *     schema_fuzz -max_len=512 -timeout=10 CORPUS
 */
#include "engine/matcher.h"
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

static void try_schema(struct arena *arena, struct text text)
{
    struct json *root = NULL;
    struct schema schema;
    struct matcher matcher;
    struct matcher_state states[2];
    if (json_parse(text, SIZE_MOST, &root, NULL) != OK)
        return;
    const enum status status = schema_compile(&schema, root, arena, NULL);
    json_free(root);
    if (status != OK || matcher_init(&matcher, &schema, arena, NULL) != OK)
        return;
    matcher_start(&matcher, &states[0]);
    for (size_t i = 0; i < text.size; i++)
        if (!matcher_step(&matcher, &states[i % 2], (uint8_t)text.data[i],
                          &states[(i + 1) % 2]))
            break;
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
