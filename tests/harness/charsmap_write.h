/*
 * charsmap_write - a precompiled_charsmap of a few spellings, as SentencePiece writes one: each
 * node of the tree has a block of 256 units of its own, so that nothing can meet.
 */
#ifndef TESTS_HARNESS_CHARSMAP_WRITE_H
#define TESTS_HARNESS_CHARSMAP_WRITE_H

#include "base/text.h"

#include <assert.h>
#include <string.h>

enum { CHARSMAP_WRITE_NODES = 64, CHARSMAP_WRITE_BLOCK = 256 };

struct charsmap_write_rule {
    const char *spelling, *content;
};

/* The plain tree; node 0 is the root, and a value is a content's place + 1. */
struct charsmap_write_tree {
    uint32_t child[CHARSMAP_WRITE_NODES][CHARSMAP_WRITE_BLOCK];
    uint32_t value[CHARSMAP_WRITE_NODES];
    uint32_t count;
};

/* The unit at place of a node whose base is in block index + 1: those with an odd index have a
 * base that can be told in units of 256. */
static inline uint32_t charsmap_write_unit(const struct charsmap_write_tree *tree,
                                           uint32_t index, uint32_t place, uint32_t *base)
{
    const uint32_t block = (index + 1) * CHARSMAP_WRITE_BLOCK;
    const bool is_far = index % 2 == 1;
    *base = is_far ? block | (place & 0xff) : block;
    const uint32_t offset = place ^ *base;
    return (is_far ? offset >> 8 << 10 | 0x200 : offset << 10) |
           (tree->value[index] > 0 ? 0x100 : 0);
}

static inline void charsmap_write_node(const struct charsmap_write_tree *tree, uint32_t *units,
                                       uint32_t index, uint32_t base)
{
    if (tree->value[index] > 0)
        units[base] = 0x80000000u | (tree->value[index] - 1);
    for (uint32_t byte = 1; byte < CHARSMAP_WRITE_BLOCK; byte++) {
        const uint32_t child = tree->child[index][byte], place = base ^ byte;
        uint32_t child_base;
        if (child == 0)
            continue;
        units[place] = charsmap_write_unit(tree, child, place, &child_base) | byte;
        charsmap_write_node(tree, units, child, child_base);
    }
}

/* Appends the map of rules to out. */
static inline void charsmap_write(struct text_buf *out, const struct charsmap_write_rule *rules,
                                  uint32_t count)
{
    static struct charsmap_write_tree tree;
    static uint32_t units[(CHARSMAP_WRITE_NODES + 1) * CHARSMAP_WRITE_BLOCK];
    struct text_buf contents = {0};
    uint32_t base;
    memset(&tree, 0, sizeof tree);
    memset(units, 0, sizeof units);
    tree.count = 1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t node = 0;
        for (const char *at = rules[i].spelling; *at; at++) {
            uint32_t *child = &tree.child[node][(uint8_t)*at];
            if (*child == 0)
                *child = tree.count++;
            node = *child;
            assert(tree.count <= CHARSMAP_WRITE_NODES);
        }
        tree.value[node] = (uint32_t)contents.size + 1;
        text_buf_add(&contents, (struct text){rules[i].content, strlen(rules[i].content) + 1});
    }
    units[0] = charsmap_write_unit(&tree, 0, 0, &base);
    charsmap_write_node(&tree, units, 0, base);
    const uint32_t size = (tree.count + 1) * CHARSMAP_WRITE_BLOCK * (uint32_t)sizeof *units;
    text_buf_add(out, (struct text){(const char *)&size, sizeof size});
    text_buf_add(out, (struct text){(const char *)units, size});
    text_buf_add(out, text_buf_text(&contents));
    text_buf_deinit(&contents);
}

#endif
