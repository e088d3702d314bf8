/* matcher_case - see matcher_case.h. */
#include "tests/harness/matcher_case.h"

uint64_t matcher_case_random = 1;

bool matcher_case_init(struct matcher_case *the_case)
{
    return arena_init(&the_case->arena, (size_t)256 << 20, NULL) == OK;
}

void matcher_case_deinit(struct matcher_case *the_case)
{
    arena_deinit(&the_case->arena);
}

enum status matcher_case_compile(struct matcher_case *the_case, const char *source,
                                 struct error *err)
{
    struct json *root = NULL;
    arena_rewind(&the_case->arena, 0);
    TRY(json_parse(text_of(source), 0, &root, err));
    const enum status status = schema_compile(&the_case->schema, root, &the_case->arena, err);
    json_free(root);
    TRY(status);
    return matcher_init(&the_case->matcher, &the_case->schema, &the_case->arena, err);
}

bool matcher_case_accepts(struct matcher *matcher, struct text text)
{
    struct matcher_state states[2];
    matcher_start(matcher, &states[0]);
    for (size_t i = 0; i < text.size; i++)
        if (!matcher_step(matcher, &states[i % 2], (uint8_t)text.data[i], &states[(i + 1) % 2]))
            return false;
    return matcher_is_complete(&states[text.size % 2]);
}

uint32_t matcher_case_draw(uint32_t below)
{
    matcher_case_random = matcher_case_random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(matcher_case_random >> 33) % below;
}

bool matcher_case_byte(struct matcher *matcher, struct matcher_state *at, bool is_closing,
                       char *byte)
{
    static const char closing[] = "\"}]:,0";
    enum { CLOSING = sizeof closing - 1 };
    struct matcher_state next;
    const uint32_t offset = matcher_case_draw(256);
    for (uint32_t i = is_closing ? 0 : CLOSING; i < CLOSING + 256; i++) {
        const uint8_t try = i < CLOSING ? (uint8_t)closing[i] : (uint8_t)(offset + i);
        if (!matcher_step(matcher, at, try, &next))
            continue;
        *byte = (char)try;
        *at = next;
        return true;
    }
    return false;
}
