/* special - see special.h. */
#include "tokenizer/special.h"

#include "tokenizer/unicode.h"

/* How a piece is spelled in text; empty when it is not one that is looked for there. */
static struct text spelling(const struct special *special, const struct vocab *vocab,
                            uint32_t id)
{
    const uint8_t kind = vocab->kinds[id];
    const bool is_bytes = kind == TOKENIZER_USER_DEFINED && !vocab->spells_special &&
                          !vocab_is_plain(vocab, (token_id)id);
    const bool is_special = kind == TOKENIZER_CONTROL || kind == TOKENIZER_USER_DEFINED;
    const struct text text = special->changed ? special->changed[id]
                             : is_bytes       ? vocab->bytes[id]
                             : is_special     ? vocab->pieces[id]
                                              : (struct text){0};
    const bool is_changed = vocab->flags[id] & TOKENIZER_NORMALIZED;
    return text.size <= SPECIAL_BYTES_MAX && is_changed == (special->changed != NULL)
               ? text
               : (struct text){0};
}

static uint64_t edge_key(uint32_t node, char byte)
{
    return (uint64_t)node << 8 | (uint8_t)byte;
}

static void add_piece(struct special *special, const struct vocab *vocab, uint32_t id)
{
    const struct text text = spelling(special, vocab, id);
    uint32_t node = 0;
    if (text.size == 0)
        return;
    special->begins[(uint8_t)text.data[0]] = true;
    for (size_t i = 0; i < text.size; i++) {
        bool is_new;
        struct pair_map_entry *edge =
            pair_map_put(&special->edges, edge_key(node, text.data[i]), &is_new);
        if (is_new)
            edge->first = special->node_count++;
        node = edge->first;
    }
    if (special->tokens[node] == TOKEN_NONE) /* the first of equals, as in the vocabulary */
        special->tokens[node] = (token_id)id;
}

enum status special_init(struct special *special, const struct vocab *vocab,
                         const struct text *changed, struct arena *arena, struct error *err)
{
    uint32_t nodes = 1; /* fits: 2^21 pieces of at most 2^8 bytes */
    *special = (struct special){.vocab = vocab, .changed = changed, .node_count = 1};
    for (uint32_t i = 0; i < vocab->count; i++)
        nodes += (uint32_t)spelling(special, vocab, i).size;
    TRY(pair_map_init(&special->edges, nodes, arena, err));
    special->tokens = ARENA_NEW(arena, token_id, nodes);
    if (!special->tokens)
        FAIL(err, ERR_MEMORY, "tokenizer: no room for %u bytes of special pieces", nodes);
    for (uint32_t i = 0; i < nodes; i++)
        special->tokens[i] = TOKEN_NONE;
    for (uint32_t i = 0; i < vocab->count; i++)
        add_piece(special, vocab, i);
    return OK;
}

/* Letters, marks, digits, signs that join words, letters in circles and the two joiners: what
 * Unicode's annex 18 takes for a word. */
static bool is_word_at(struct text text, size_t at)
{
    enum { JOINERS = 0x200c, CIRCLED = 0x24b6, SQUARED = 0x1f130 };
    const uint32_t c = at < text.size ? text_utf8_next(text, &at) : ' ';
    const uint8_t category = unicode_category(c);
    return (unicode_class(c) & (UNICODE_LETTER | UNICODE_MARK)) || category == UNICODE_ND ||
           category == UNICODE_NL || category == UNICODE_PC || c - JOINERS < 2 ||
           c - CIRCLED < 52 || c - SQUARED < 26 || c - (SQUARED + 0x20) < 26 ||
           c - (SQUARED + 0x40) < 26;
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
    const uint8_t flags = special->vocab->flags[match->token];
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
        const token_id token = special->tokens[node];
        if (token == TOKEN_NONE ||
            (special->vocab->kinds[token] == TOKENIZER_CONTROL && at >= control_end))
            continue;
        match->token = token;
        match->end = at + 1;
    }
    return match->token != TOKEN_NONE;
}

bool special_find(const struct special *special, struct text text, size_t from,
                  const struct special_trust *trust, struct special_match *match)
{
    size_t r = 0;
    for (size_t at = from; at < text.size; at++) {
        if (!special->begins[(uint8_t)text.data[at]])
            continue;
        while (r < trust->range_count && trust->ranges[r].end <= at)
            r++;
        const bool trusted = r < trust->range_count && trust->ranges[r].begin <= at;
        match->begin = at;
        if (!match_at(special, text, trusted ? trust->ranges[r].end : 0, match))
            continue;
        at = match->end - 1; /* what is no word of its own is not looked into */
        if (settle(special, text, from, match))
            return true;
    }
    return false;
}
