/* jinja_string - see jinja_string.h. */
#include "tokenizer/jinja_string.h"

#include "base/checked.h"
#include "tokenizer/unicode.h"

#include <string.h>

enum { FIRST_CAPACITY = 64 };

static bool grow(struct jinja_builder *builder, size_t more)
{
    size_t size, capacity = builder->capacity ? builder->capacity : FIRST_CAPACITY;
    if (!checked_add_size(builder->size, more, &size))
        return false;
    if (size <= builder->capacity)
        return true;
    while (capacity < size)
        capacity = capacity > SIZE_MAX / 2 ? size : capacity * 2;
    char *data = ARENA_NEW(builder->arena, char, capacity);
    uint8_t *trust = ARENA_NEW(builder->arena, uint8_t, capacity);
    if (!data || !trust)
        return false;
    if (builder->size > 0) {
        memcpy(data, builder->data, builder->size);
        memcpy(trust, builder->trust, builder->size);
    }
    builder->data = data;
    builder->trust = trust;
    builder->capacity = capacity;
    return true;
}

void jinja_string_add(struct jinja_builder *builder, struct jinja_string string)
{
    if (string.size == 0 || builder->failed)
        return;
    if (!grow(builder, string.size)) {
        builder->failed = true;
        return;
    }
    memcpy(builder->data + builder->size, string.data, string.size);
    memcpy(builder->trust + builder->size, string.trust, string.size);
    builder->size += string.size;
}

void jinja_string_add_text(struct jinja_builder *builder, struct text text, bool trusted)
{
    if (text.size == 0 || builder->failed)
        return;
    if (!grow(builder, text.size)) {
        builder->failed = true;
        return;
    }
    memcpy(builder->data + builder->size, text.data, text.size);
    memset(builder->trust + builder->size, trusted, text.size);
    builder->size += text.size;
}

enum status jinja_string_take(struct jinja *jinja, const struct jinja_builder *builder,
                              struct jinja_value *value)
{
    if (builder->failed)
        return jinja_full(jinja);
    *value = (struct jinja_value){.kind = JINJA_STRING,
                                  .string = {builder->data, builder->trust, builder->size}};
    return jinja_step(jinja, builder->size);
}

struct jinja_string jinja_string_slice(struct jinja_string string, size_t begin, size_t end)
{
    if (end > string.size)
        end = string.size;
    if (begin >= end)
        return (struct jinja_string){0};
    return (struct jinja_string){string.data + begin, string.trust + begin, end - begin};
}

/* Whether the character of string at [begin, end) is one of set, or white space. */
static bool is_in_set(struct jinja_string string, size_t begin, size_t end,
                      const struct text *set)
{
    const struct text character = {string.data + begin, end - begin};
    if (set)
        return text_find(*set, character, 0) != SIZE_MAX;
    size_t at = 0;
    const uint32_t code_point = text_utf8_next(character, &at);
    /* Python counts the four separators of ASCII as white space, Unicode does not. */
    return unicode_class(code_point) == UNICODE_SPACE ||
           (code_point >= 0x1c && code_point <= 0x1f);
}

struct jinja_string jinja_string_strip(struct jinja_string string, const struct text *set,
                                       bool left, bool right)
{
    size_t begin = 0, end = string.size;
    while (left && begin < end) {
        size_t next = begin;
        (void)text_utf8_next(jinja_string_text(string), &next);
        if (!is_in_set(string, begin, next, set))
            break;
        begin = next;
    }
    while (right && end > begin) {
        size_t last = end - 1;
        while (last > begin && ((uint8_t)string.data[last] & 0xc0) == 0x80)
            last--;
        if (!is_in_set(string, last, end, set))
            break;
        end = last;
    }
    return jinja_string_slice(string, begin, end);
}

size_t jinja_string_length(struct jinja_string string)
{
    size_t count = 0;
    for (size_t at = 0; at < string.size; count++)
        (void)text_utf8_next(jinja_string_text(string), &at);
    return count;
}

size_t jinja_string_offset(struct jinja_string string, size_t character)
{
    size_t at = 0;
    for (; character > 0 && at < string.size; character--)
        (void)text_utf8_next(jinja_string_text(string), &at);
    return at;
}
