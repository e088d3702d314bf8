/*
 * regex_utf8 - see regex_utf8.h.
 *
 * RFC 3629: every byte behind the first tells six bits. So a class is cut in blocks of 64
 * characters, each of which is a set of last bytes; 64 such blocks are a way for each second to
 * last byte, and 64 of those one for the byte ahead of that. Blocks that are equal have the
 * same nodes, and the automaton has about as many states as the least one. (Range by range,
 * \p{L} took 3,700 nodes and 404 states; so 2,000 and 298.)
 */
#include "engine/regex_utf8.h"

#include <string.h>

enum { BLOCK = 64, SLOTS = 1024, SLOTS_USED_MAX = 768, ROWS = 48 };

/* A class while it is added. */
struct class
{
    struct nfa *nfa;
    const struct regex_range *ranges;
    uint32_t count, at; /* ranges[at] is the first that does not end before what is asked for */
    uint16_t after;
    uint64_t masks[SLOTS]; /* sets of last bytes by their hash, and where they begin */
    uint16_t leaves[SLOTS];
    uint32_t leaf_count;
    uint16_t rows[ROWS][BLOCK]; /* ways for each byte ahead of others, and where they begin */
    uint16_t row_nodes[ROWS];
    uint32_t row_count;
    uint16_t whole_pair; /* two bytes of any; 0: not made yet */
};

static uint16_t join(struct nfa *nfa, uint16_t node, uint16_t or_else)
{
    return node == 0 ? or_else : or_else == 0 ? node : automaton_split(nfa, node, or_else);
}

/* Whether none of these characters is of the class. Asked for in ascending order. */
static bool has_none(struct class *class, uint32_t first, uint32_t last)
{
    while (class->at < class->count && class->ranges[class->at].last < first)
        class->at++;
    return class->at == class->count || class->ranges[class->at].first > last;
}

/* Which of 64 characters are of the class. */
static uint64_t mask_of(struct class *class, uint32_t block)
{
    const uint32_t first = block * BLOCK, last = first + BLOCK - 1;
    uint64_t mask = 0;
    if ((first >= 0xd800 && first < 0xe000) || has_none(class, first, last))
        return 0;
    for (uint32_t i = class->at; i < class->count && class->ranges[i].first <= last; i++) {
        const struct regex_range range = class->ranges[i];
        const uint32_t from = range.first > first ? range.first - first : 0;
        const uint32_t to = range.last < last ? range.last - first : BLOCK - 1;
        mask |= UINT64_MAX >> (BLOCK - 1 - (to - from)) << from;
    }
    return mask;
}

/* A byte for each run of equal ways. */
static uint16_t add_row(struct class *class, const uint16_t *ways, uint32_t count,
                        uint8_t first_byte)
{
    uint16_t node = 0;
    for (uint32_t i = 0; i < count;) {
        const uint32_t begin = i;
        while (i < count && ways[i] == ways[begin])
            i++;
        if (ways[begin] != 0)
            node = join(class->nfa,
                        automaton_range(class->nfa, (uint8_t)(first_byte + begin),
                                        (uint8_t)(first_byte + i - 1), ways[begin]),
                        node);
    }
    return node;
}

static uint16_t add_mask(struct class *class, uint64_t mask)
{
    uint16_t ways[BLOCK];
    for (uint32_t i = 0; i < BLOCK; i++)
        ways[i] = mask >> i & 1 ? class->after : 0;
    return add_row(class, ways, BLOCK, 0x80);
}

/* The last byte. 0: no character of the block is of the class. */
static uint16_t add_leaf(struct class *class, uint32_t block)
{
    const uint64_t mask = mask_of(class, block);
    uint32_t slot = (uint32_t)(mask * 0x9e3779b97f4a7c15ull >> 54) % SLOTS;
    if (mask == 0)
        return 0;
    for (; class->masks[slot]; slot = (slot + 1) % SLOTS)
        if (class->masks[slot] == mask)
            return class->leaves[slot];
    const uint16_t node = add_mask(class, mask);
    if (class->leaf_count < SLOTS_USED_MAX) {
        class->masks[slot] = mask;
        class->leaves[slot] = node;
        class->leaf_count++;
    }
    return node;
}

/* The byte ahead of those ways. */
static uint16_t share_row(struct class *class, const uint16_t ways[BLOCK])
{
    static const uint16_t none[BLOCK];
    if (memcmp(ways, none, sizeof none) == 0)
        return 0;
    for (uint32_t i = 0; i < class->row_count; i++)
        if (memcmp(class->rows[i], ways, sizeof none) == 0)
            return class->row_nodes[i];
    const uint16_t node = add_row(class, ways, BLOCK, 0x80);
    if (class->row_count < ROWS) {
        memcpy(class->rows[class->row_count], ways, sizeof none);
        class->row_nodes[class->row_count++] = node;
    }
    return node;
}

/* Whether all of them are of it, and no surrogates. */
static bool has_all(struct class *class, uint32_t first, uint32_t last)
{
    if (has_none(class, first, last) || (first < 0xe000 && last >= 0xd800))
        return false;
    return class->ranges[class->at].first <= first && last <= class->ranges[class->at].last;
}

/* The last two bytes. Of the first 4096 characters those of three bytes. */
static uint16_t add_pair(struct class *class, uint32_t block)
{
    const uint32_t first = block * BLOCK * BLOCK, last = first + BLOCK * BLOCK - 1;
    uint16_t ways[BLOCK] = {0};
    const bool is_whole = block > 0 && has_all(class, first, last);
    if (has_none(class, first, last))
        return 0;
    if (is_whole && class->whole_pair)
        return class->whole_pair;
    for (uint32_t i = block == 0 ? 0x800 / BLOCK : 0; i < BLOCK; i++)
        ways[i] = add_leaf(class, block * BLOCK + i);
    const uint16_t node = share_row(class, ways);
    class->whole_pair = is_whole ? node : class->whole_pair;
    return node;
}

/* The last three bytes. Of the first 262144 characters those of four bytes. */
static uint16_t add_three(struct class *class, uint32_t block)
{
    const uint32_t all = BLOCK * BLOCK * BLOCK;
    const uint32_t end = block == 4 ? 0x110000 / (BLOCK * BLOCK) - 4 * BLOCK : BLOCK;
    uint16_t ways[BLOCK] = {0};
    if (has_none(class, block * all, block * all + all - 1))
        return 0;
    for (uint32_t i = block == 0 ? 0x10000 / (BLOCK * BLOCK) : 0; i < end; i++)
        ways[i] = add_pair(class, block * BLOCK + i);
    return share_row(class, ways);
}

uint16_t regex_utf8_add(struct nfa *nfa, const struct regex_range *ranges, uint32_t count,
                        uint16_t after, uint16_t or_else)
{
    uint16_t ways[BLOCK / 2] = {0};
    if (count == 0 || ranges[count - 1].last < 0x80)
        return or_else;
    struct class class; /* large: nothing more of it is ever read unwritten */
    memset(class.masks, 0, sizeof class.masks);
    class.nfa = nfa;
    class.ranges = ranges;
    class.count = count;
    class.after = after;
    class.at = class.leaf_count = class.row_count = class.whole_pair = 0;
    for (uint32_t i = 0x80 / BLOCK; i < BLOCK / 2; i++)
        ways[i] = add_leaf(&class, i);
    or_else = join(nfa, add_row(&class, ways, BLOCK / 2, 0xc0), or_else);
    for (uint32_t i = 0; i < 16; i++)
        ways[i] = add_pair(&class, i);
    or_else = join(nfa, add_row(&class, ways, 16, 0xe0), or_else);
    for (uint32_t i = 0; i < 5; i++)
        ways[i] = add_three(&class, i);
    return join(nfa, add_row(&class, ways, 5, 0xf0), or_else);
}
