/* special - see special.h. */
#include "tokenizer/special.h"

/* How a piece is spelled in text; empty when it is not a special one. */
static struct text spelling(const struct vocab *vocab, uint32_t id)
{
    const uint8_t kind = vocab->kinds[id];
    const struct text text = kind == TOKENIZER_CONTROL        ? vocab->pieces[id]
                             : kind == TOKENIZER_USER_DEFINED ? vocab->bytes[id]
                                                              : (struct text){0};
    return text.size <= SPECIAL_BYTES_MAX ? text : (struct text){0};
}

static uint64_t edge_key(uint32_t node, char byte)
{
    return (uint64_t)node << 8 | (uint8_t)byte;
}

static void add(struct special *special, struct text piece, token_id id, bool is_control)
{
    uint32_t node = 0;
    special->begins[(uint8_t)piece.data[0]] = true;
    for (size_t i = 0; i < piece.size; i++) {
        bool is_new;
        struct pair_map_entry *edge =
            pair_map_put(&special->edges, edge_key(node, piece.data[i]), &is_new);
        if (is_new)
            edge->first = special->node_count++;
        node = edge->first;
    }
    if (special->tokens[node] != TOKEN_NONE)
        return; /* the first of equals, as in the vocabulary */
    special->tokens[node] = id;
    special->is_control[node] = is_control;
}

enum status special_init(struct special *special, const struct vocab *vocab,
                         struct arena *arena, struct error *err)
{
    uint32_t nodes = 1; /* fits: 2^21 pieces of at most 2^8 bytes */
    for (uint32_t i = 0; i < vocab->count; i++)
        nodes += (uint32_t)spelling(vocab, i).size;
    *special = (struct special){.node_count = 1};
    TRY(pair_map_init(&special->edges, nodes, arena, err));
    special->tokens = ARENA_NEW(arena, token_id, nodes);
    special->is_control = ARENA_NEW(arena, uint8_t, nodes);
    if (!special->tokens || !special->is_control)
        FAIL(err, ERR_MEMORY, "tokenizer: no room for %u bytes of special pieces", nodes);
    for (uint32_t i = 0; i < nodes; i++)
        special->tokens[i] = TOKEN_NONE;
    for (uint32_t i = 0; i < vocab->count; i++) {
        const struct text text = spelling(vocab, i);
        if (text.size > 0)
            add(special, text, (token_id)i, vocab->kinds[i] == TOKENIZER_CONTROL);
    }
    return OK;
}

/* The longest spelling that begins at begin; control_end: where trust ends there. */
static bool match_at(const struct special *special, struct text text, size_t control_end,
                     struct special_match *match)
{
    uint32_t node = 0;
    match->token = TOKEN_NONE;
    for (size_t at = match->begin; at < text.size; at++) {
        const struct pair_map_entry *edge =
            pair_map_get(&special->edges, edge_key(node, text.data[at]));
        if (!edge)
            break;
        node = edge->first;
        const bool allowed = !special->is_control[node] || at < control_end;
        if (special->tokens[node] != TOKEN_NONE && allowed) {
            match->token = special->tokens[node];
            match->end = at + 1;
        }
    }
    return match->token != TOKEN_NONE;
}

bool special_find(const struct special *special, struct text text, size_t from,
                  const struct special_trust *trust, struct special_match *match)
{
    const struct special_range *range = trust->ranges;
    const struct special_range *const end = range + trust->range_count;
    for (size_t at = from; at < text.size; at++) {
        if (!special->begins[(uint8_t)text.data[at]])
            continue;
        while (range < end && range->end <= at)
            range++;
        const bool trusted = range < end && range->begin <= at;
        *match = (struct special_match){.begin = at};
        if (match_at(special, text, trusted ? range->end : 0, match))
            return true;
    }
    return false;
}
