/*
 * charsmap - see charsmap.h.
 *
 * The format (little-endian): the size of a tree in bytes, the tree, then the contents. The
 * tree is a double array (J. Aoe, An Efficient Digital Search Algorithm by Using a Double-Array
 * Structure, 1989) of 32-bit units. From a node at place p with base b (p ^ offset of its
 * unit), the child for a byte c lies at b ^ c and has c as its label; bit 8 says that a
 * spelling ends there: then the unit at the child's base is no node but a value, where its
 * content begins.
 *
 *     bit 31 and 0-7  label (31 is never set in a node)
 *     bit 8           a spelling ends here
 *     bit 9           the offset is told in units of 256
 *     bits 10-30      offset
 *
 * Offsets are not believed: each place is held against the number of units where it is read.
 * The root's children are looked up once, as most text is made of bytes that begin nothing.
 */
#include "tokenizer/charsmap.h"

#include "tokenizer/cluster.h"

#include <string.h>

enum { HEAD_BYTES = 4, UNIT_BYTES = 4 };
#define REPLACEMENT "\xef\xbf\xbd"

static uint32_t offset_of(uint32_t unit)
{
    return unit >> 10 << ((unit & 0x200) >> 6);
}

static uint32_t label_of(uint32_t unit)
{
    return unit & 0x800000ff;
}

static bool has_value(uint32_t unit)
{
    return unit & 0x100;
}

/* Goes from the node whose base is *base to its child for byte. False: it has none. */
static bool descend(const struct charsmap *map, uint32_t *base, uint8_t byte, uint32_t *unit)
{
    const uint32_t place = *base ^ byte;
    if (place >= map->unit_count || label_of(map->units[place]) != byte)
        return false;
    *unit = map->units[place];
    *base = place ^ offset_of(*unit);
    return true;
}

/* Every content, the longest of them at most CHARSMAP_CONTENT_MAX. */
static enum status check_contents(struct text contents, struct error *err)
{
    if (contents.size == 0 || contents.data[contents.size - 1] != '\0')
        FAIL(err, ERR_FORMAT, "precompiled_charsmap: its last content does not end with NUL");
    for (size_t at = 0; at < contents.size;) {
        const size_t size = strlen(contents.data + at);
        if (size > CHARSMAP_CONTENT_MAX)
            FAIL(err, ERR_LIMIT,
                 "precompiled_charsmap: the content at byte %zu has %zu bytes, the limit is %d",
                 at, size, CHARSMAP_CONTENT_MAX);
        at += size + 1;
    }
    return OK;
}

enum status charsmap_init(struct charsmap *map, struct text bytes, struct arena *arena,
                          struct error *err)
{
    uint32_t tree_bytes = 0;
    *map = (struct charsmap){0};
    if (bytes.size > CHARSMAP_BYTES_MAX)
        FAIL(err, ERR_LIMIT, "precompiled_charsmap: %zu bytes, the limit is %d", bytes.size,
             CHARSMAP_BYTES_MAX);
    if (bytes.size >= HEAD_BYTES)
        memcpy(&tree_bytes, bytes.data, HEAD_BYTES);
    if (tree_bytes == 0 || tree_bytes % UNIT_BYTES != 0 || tree_bytes > bytes.size - HEAD_BYTES)
        FAIL(err, ERR_FORMAT, "precompiled_charsmap: a tree of %u bytes, in %zu", tree_bytes,
             bytes.size);
    const struct text contents = text_slice(bytes, HEAD_BYTES + tree_bytes, bytes.size);
    TRY(check_contents(contents, err));
    uint32_t *units = ARENA_NEW(arena, uint32_t, tree_bytes / UNIT_BYTES);
    map->contents = text_copy(contents, arena);
    if (!units || !map->contents.data)
        FAIL(err, ERR_MEMORY, "precompiled_charsmap: no room for %zu bytes", bytes.size);
    memcpy(units, bytes.data + HEAD_BYTES, tree_bytes);
    map->units = units;
    map->unit_count = tree_bytes / UNIT_BYTES;
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t base = offset_of(units[0]), unit;
        map->is_first[byte] = descend(map, &base, (uint8_t)byte, &unit);
    }
    return OK;
}

/* The longest spelling at at: where it ends, or at for none. */
static size_t find(const struct charsmap *map, struct text text, size_t at,
                   struct text *content)
{
    uint32_t base = offset_of(map->units[0]), unit, value_at = UINT32_MAX;
    size_t end = at;
    for (size_t i = at; i < text.size; i++) {
        if (!descend(map, &base, (uint8_t)text.data[i], &unit))
            break;
        if (!has_value(unit) || base >= map->unit_count)
            continue;
        const uint32_t value = map->units[base] & 0x7fffffff;
        if (value >= map->contents.size)
            continue;
        value_at = value;
        end = i + 1;
    }
    if (end > at)
        *content = text_of(map->contents.data + value_at);
    return end;
}

void charsmap_apply(const struct charsmap *map, struct text text, struct text_buf *out)
{
    for (size_t at = 0; at < text.size;) {
        size_t end = at;
        while (end < text.size && !map->is_first[(uint8_t)text.data[end]] &&
               (uint8_t)text.data[end] < 0x80)
            end++;
        text_buf_add(out, text_slice(text, at, end));
        at = end;
        if (at == text.size)
            return;
        struct text content = TEXT("");
        end = find(map, text, at, &content);
        if (end == at) {
            const bool is_valid = text_utf8_next(text, &end) <= 0x10ffff;
            content = is_valid ? text_slice(text, at, end) : TEXT(REPLACEMENT);
        }
        text_buf_add(out, content);
        at = end;
    }
}

/* The content of the shortest spelling that text begins with. False: it begins with none. */
static bool find_shortest(const struct charsmap *map, struct text text, struct text *content)
{
    uint32_t base = offset_of(map->units[0]), unit;
    for (size_t i = 0; i < text.size && text.data[i] != '\0'; i++) {
        if (!descend(map, &base, (uint8_t)text.data[i], &unit))
            return false;
        if (!has_value(unit))
            continue;
        const uint32_t value =
            base < map->unit_count ? map->units[base] & 0x7fffffff : UINT32_MAX;
        if (value >= map->contents.size)
            return false;
        *content = text_of(map->contents.data + value);
        return true;
    }
    return false;
}

static void apply_characters(const struct charsmap *map, struct text text, struct text_buf *out)
{
    for (size_t at = 0; at < text.size;) {
        const size_t begin = at;
        const bool is_valid = text_utf8_next(text, &at) <= 0x10ffff;
        struct text content = is_valid ? text_slice(text, begin, at) : TEXT(REPLACEMENT);
        (void)find_shortest(map, text_slice(text, begin, at), &content);
        text_buf_add(out, content);
    }
}

/* Where bytes end that are clusters of their own, and begin nothing. */
static size_t pass_plain(const struct charsmap *map, struct text text, size_t at)
{
    while (at < text.size && (uint8_t)text.data[at] < 0x80 &&
           !map->is_first[(uint8_t)text.data[at]] &&
           (at + 1 == text.size || (uint8_t)text.data[at + 1] < 0x80))
        at++;
    return at;
}

void charsmap_apply_clusters(const struct charsmap *map, struct text text, struct text_buf *out)
{
    for (size_t at = 0; at < text.size;) {
        const size_t plain_end = pass_plain(map, text, at);
        text_buf_add(out, text_slice(text, at, plain_end));
        at = plain_end;
        if (at == text.size)
            return;
        const size_t end = cluster_end(text, at);
        const struct text cluster = text_slice(text, at, end);
        struct text content;
        if (cluster.size < CHARSMAP_CLUSTER_BYTES && find_shortest(map, cluster, &content))
            text_buf_add(out, content);
        else
            apply_characters(map, cluster, out);
        at = end;
    }
}

void charsmap_merge_spaces(struct text text, struct text_buf *out)
{
    for (size_t at = 0; at < text.size;) {
        size_t end = at;
        while (end < text.size && text.data[end] != ' ')
            end++;
        if (end > at && out->size > 0)
            text_buf_byte(out, ' ');
        text_buf_add(out, text_slice(text, at, end));
        at = end + 1;
    }
}
