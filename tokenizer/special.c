/* special - see special.h. */
#include "tokenizer/special.h"

#include "tokenizer/unicode.h"

enum { CONTROL = 1, ANCHORED = 2, NORMALIZED = 4, VARIANTS = 3, MARK_BYTES = 3 };

/* How a piece is spelled in text; empty when it is not a special one. */
static struct text spelling(const struct vocab *vocab, uint32_t id)
{
    const uint8_t kind = vocab->kinds[id];
    const bool is_bytes = kind == TOKENIZER_USER_DEFINED && !vocab->spells_special;
    const bool is_special = kind == TOKENIZER_CONTROL || kind == TOKENIZER_USER_DEFINED;
    const struct text text = is_bytes     ? vocab->bytes[id]
                             : is_special ? vocab->pieces[id]
                                          : (struct text){0};
    return text.size <= SPECIAL_BYTES_MAX ? text : (struct text){0};
}

static uint64_t edge_key(uint32_t node, char byte)
{
    return (uint64_t)node << 8 | (uint8_t)byte;
}

/* What is found at the end of a way. */
struct found {
    token_id id;
    uint8_t marks;
};

static void add(struct special *special, struct text lead, struct text piece,
                struct found found)
{
    uint32_t node = 0;
    special->begins[(uint8_t)(lead.size > 0 ? lead : piece).data[0]] = true;
    for (size_t i = 0; i < lead.size + piece.size; i++) {
        bool is_new;
        const char byte = i < lead.size ? lead.data[i] : piece.data[i - lead.size];
        struct pair_map_entry *edge =
            pair_map_put(&special->edges, edge_key(node, byte), &is_new);
        if (is_new)
            edge->first = special->node_count++;
        node = edge->first;
    }
    if (special->tokens[node] != TOKEN_NONE)
        return; /* the first of equals, as in the vocabulary */
    special->tokens[node] = found.id;
    special->marks[node] = found.marks;
}

/* In all the ways in which it may stand in a text. */
static void add_piece(struct special *special, const struct vocab *vocab, uint32_t id,
                      bool puts_space)
{
    const struct text text = spelling(vocab, id), none = {"", 0};
    const uint8_t control = vocab->kinds[id] == TOKENIZER_CONTROL ? CONTROL : 0;
    if (text.size == 0)
        return;
    if (!puts_space || !(vocab->flags[id] & TOKENIZER_NORMALIZED)) {
        add(special, none, text, (struct found){(token_id)id, control});
        return;
    }
    const uint8_t marks = control | NORMALIZED;
    add(special, TEXT(" "), text, (struct found){(token_id)id, marks});
    add(special, TEXT("\xe2\x96\x81"), text, (struct found){(token_id)id, marks});
    add(special, none, text, (struct found){(token_id)id, marks | ANCHORED});
}

enum status special_init(struct special *special, const struct vocab *vocab, bool puts_space,
                         struct arena *arena, struct error *err)
{
    uint32_t nodes = 1; /* fits: 2^21 pieces of at most 2^8 bytes, thrice */
    for (uint32_t i = 0; i < vocab->count; i++) {
        const uint32_t size = (uint32_t)spelling(vocab, i).size;
        nodes += puts_space && size > 0 ? VARIANTS * size + 1 + MARK_BYTES : size;
    }
    *special = (struct special){.node_count = 1, .flags = vocab->flags};
    TRY(pair_map_init(&special->edges, nodes, arena, err));
    special->tokens = ARENA_NEW(arena, token_id, nodes);
    special->marks = ARENA_NEW(arena, uint8_t, nodes);
    if (!special->tokens || !special->marks)
        FAIL(err, ERR_MEMORY, "tokenizer: no room for %u bytes of special pieces", nodes);
    for (uint32_t i = 0; i < nodes; i++)
        special->tokens[i] = TOKEN_NONE;
    for (uint32_t i = 0; i < vocab->count; i++)
        add_piece(special, vocab, i, puts_space);
    return OK;
}

static bool is_word_at(struct text text, size_t at)
{
    const uint32_t c = at < text.size ? text_utf8_next(text, &at) : ' ';
    return c == '_' || (unicode_class(c) & (UNICODE_LETTER | UNICODE_NUMBER | UNICODE_MARK));
}

static bool is_space_at(struct text text, size_t at)
{
    return at < text.size && (unicode_class(text_utf8_next(text, &at)) & UNICODE_SPACE);
}

/* Where the character before at begins, at > 0. */
static size_t before(struct text text, size_t at)
{
    size_t begin = at - 1;
    while (begin > 0 && at - begin < 4 && ((uint8_t)text.data[begin] & 0xc0) == 0x80)
        begin--;
    return begin;
}

/* What the flags of the token found say of its neighbours; false: it is none here. */
static bool settle(const struct special *special, struct text text, size_t from,
                   struct special_match *match)
{
    const uint8_t flags = special->flags[match->token];
    if ((flags & TOKENIZER_SINGLE_WORD) &&
        (is_word_at(text, match->end) ||
         (match->begin > 0 && is_word_at(text, before(text, match->begin)))))
        return false;
    while ((flags & TOKENIZER_LSTRIP) && match->begin > from &&
           is_space_at(text, before(text, match->begin)))
        match->begin = before(text, match->begin);
    while ((flags & TOKENIZER_RSTRIP) && is_space_at(text, match->end))
        (void)text_utf8_next(text, &match->end);
    return true;
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
        const uint8_t marks = special->marks[node];
        const bool allowed = (!(marks & CONTROL) || at < control_end) &&
                             (!(marks & ANCHORED) || match->begin == match->fresh);
        if (special->tokens[node] != TOKEN_NONE && allowed) {
            match->token = special->tokens[node];
            match->end = at + 1;
            match->is_normalized = marks & NORMALIZED;
            match->took_space = marks & ANCHORED;
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
        *match = (struct special_match){.begin = at, .fresh = match->fresh};
        if (match_at(special, text, trusted ? range->end : 0, match) &&
            settle(special, text, from, match))
            return true;
    }
    return false;
}
