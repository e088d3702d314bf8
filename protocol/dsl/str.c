/* str - see str.h. */
#include "protocol/dsl/str.h"

#include "base/checked.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/unicode.h"

#include <assert.h>
#include <string.h>

enum { BUILDER_FIRST = 64, FNV_PRIME_SHIFT = 32 };

static bool is_ascii(const struct str *str)
{
    return str->length == str->size;
}

size_t str_count(struct text text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((uint8_t)text.data[i] & 0xc0) != 0x80;
    return count;
}

static struct str *make(struct interp *in, struct text text, size_t length)
{
    struct str *str = INTERP_NEW(in, struct str);
    if (!str)
        return NULL;
    *str = (struct str){.data = text.data ? text.data : "",
                        .size = text.size,
                        .length = length,
                        .document = -1};
    return str;
}

struct str *str_view(struct interp *in, struct text text)
{
    return interp_charge(in, text.size / 256) ? make(in, text, str_count(text)) : NULL;
}

struct str *str_copy(struct interp *in, struct text text)
{
    char *data = interp_alloc(in, text.size + 1, 1);
    if (!data)
        return NULL;
    if (text.size > 0)
        memcpy(data, text.data, text.size);
    return str_view(in, (struct text){data, text.size});
}

struct str *str_repair(struct interp *in, struct text text)
{
    if (text_utf8_valid(text) == text.size)
        return str_copy(in, text);
    struct str_builder b = {.in = in};
    for (size_t at = 0; at < text.size && !b.failed;) {
        const uint32_t code_point = text_utf8_next(text, &at);
        str_builder_code_point(&b, code_point == UINT32_MAX ? 0xfffd : code_point);
    }
    return str_builder_str(&b);
}

bool str_is(const struct str *str, const char *literal)
{
    return text_equal(str_text(str), text_of(literal));
}

bool str_is_identifier(struct text name)
{
    bool fine = name.size > 0;
    for (size_t at = 0; fine && at < name.size;) {
        const uint32_t flag = at == 0 ? UNICODE_NAME_START : UNICODE_NAME_PART;
        fine = unicode_is(text_utf8_next(name, &at), flag);
    }
    return fine;
}

bool str_equal(const struct str *a, const struct str *b)
{
    return a == b || (a->size == b->size && memcmp(a->data, b->data, a->size) == 0);
}

int str_compare(const struct str *a, const struct str *b)
{
    return text_compare(str_text(a), str_text(b));
}

uint64_t str_hash(struct str *str)
{
    if (str->hash != 0)
        return str->hash;
    uint64_t hash = 0xcbf29ce484222325u;
    size_t i = 0;
    for (; i + 8 <= str->size; i += 8) { /* FNV-1a over words, folded after each */
        uint64_t word;
        memcpy(&word, str->data + i, 8);
        hash = (hash ^ word) * 0x100000001b3u;
        hash ^= hash >> FNV_PRIME_SHIFT;
    }
    for (; i < str->size; i++)
        hash = (hash ^ (uint8_t)str->data[i]) * 0x100000001b3u;
    hash ^= hash >> FNV_PRIME_SHIFT;
    str->hash = hash ? hash : 1;
    return str->hash;
}

static struct str *span(struct interp *in, struct str *str, size_t begin, size_t end,
                        size_t length)
{
    if (begin == 0 && end == str->size)
        return str;
    struct str *part = make(in, (struct text){str->data + begin, end - begin}, length);
    if (part && str->document >= 0 && end > begin) {
        part->document = str->document;
        part->offset = str->offset + begin;
    }
    return part;
}

struct str *str_span(struct interp *in, struct str *str, size_t begin, size_t end)
{
    assert(begin <= end && end <= str->size);
    size_t length = end - begin;
    if (!is_ascii(str)) {
        if (!interp_charge(in, length / 256))
            return NULL;
        length = str_count((struct text){str->data + begin, length});
    }
    return span(in, str, begin, end, length);
}

struct str *str_slice(struct interp *in, struct str *str, size_t begin, size_t end)
{
    if (end > str->length)
        end = str->length;
    if (begin > end)
        begin = end;
    const size_t from = str_byte_of(in, str, begin), to = str_byte_of(in, str, end);
    if (from == SIZE_MAX || to == SIZE_MAX)
        return NULL;
    return span(in, str, from, to, end - begin);
}

static bool make_marks(struct interp *in, struct str *str)
{
    if (str->size > UINT32_MAX)
        return interp_trip(in, "a string of %zu bytes is beyond 4 GiB", str->size);
    str->marks = interp_alloc(in, str->length / STR_MARK_EVERY + 1, sizeof *str->marks);
    if (!str->marks || !interp_charge(in, str->size / 64))
        return false;
    size_t index = 0;
    for (size_t byte = 0; byte < str->size; byte++) {
        if (((uint8_t)str->data[byte] & 0xc0) == 0x80)
            continue;
        if (index % STR_MARK_EVERY == 0)
            str->marks[index / STR_MARK_EVERY] = (uint32_t)byte;
        index++;
    }
    return true;
}

size_t str_byte_of(struct interp *in, struct str *str, size_t index)
{
    if (is_ascii(str))
        return index;
    if (index >= str->length)
        return str->size;
    size_t byte = 0, left = index;
    if (index >= STR_MARK_EVERY) {
        if (!str->marks && !make_marks(in, str))
            return SIZE_MAX;
        byte = str->marks[index / STR_MARK_EVERY];
        left = index % STR_MARK_EVERY;
    }
    for (; left > 0; left--)
        do
            byte++;
        while (((uint8_t)str->data[byte] & 0xc0) == 0x80);
    return byte;
}

size_t str_index_of(struct interp *in, struct str *str, size_t byte)
{
    if (is_ascii(str))
        return byte;
    if (byte >= str->size)
        return str->length;
    size_t low = 0, high = str->length / STR_MARK_EVERY + 1;
    if (byte < STR_MARK_EVERY)
        return str_count((struct text){str->data, byte});
    if (!str->marks && !make_marks(in, str))
        return SIZE_MAX;
    if (str->length % STR_MARK_EVERY == 0)
        high--; /* no mark stands for the end */
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (str->marks[middle] <= byte)
            low = middle;
        else
            high = middle;
    }
    const size_t from = str->marks[low];
    return low * STR_MARK_EVERY + str_count((struct text){str->data + from, byte - from});
}

uint32_t str_next(const struct str *str, size_t *byte)
{
    const uint8_t first = (uint8_t)str->data[*byte];
    if (first < 0x80) {
        ++*byte;
        return first;
    }
    return text_utf8_next(str_text(str), byte);
}

/* Writes b behind a, where a's room has place for it. */
static bool append_in_place(struct interp *in, const struct str *a, const struct str *b)
{
    struct str_room *room = a->room;
    if (!room || a->data + a->size != room->data + room->used ||
        b->size > room->capacity - room->used || !interp_charge(in, b->size / 64))
        return false;
    memcpy(room->data + room->used, b->data, b->size);
    room->used += b->size;
    return true;
}

static struct str_room *room_new(struct interp *in, const struct str *a, const struct str *b)
{
    size_t size, capacity;
    if (!checked_add_size(a->size, b->size, &size) || !checked_mul_size(size, 2, &capacity)) {
        interp_trip(in, "a string grew past %zu bytes", SIZE_MAX / 2);
        return NULL;
    }
    struct str_room *room = INTERP_NEW(in, struct str_room);
    if (!room)
        return NULL;
    room->capacity = a->room ? capacity : size; /* a second append is likely to go on */
    room->data = interp_alloc(in, room->capacity, 1);
    if (!room->data)
        return NULL;
    memcpy(room->data, a->data, a->size);
    memcpy(room->data + a->size, b->data, b->size);
    room->used = size;
    return room;
}

struct str *str_concat(struct interp *in, struct str *a, struct str *b)
{
    if (a->size == 0)
        return b;
    if (b->size == 0)
        return a;
    struct str_room *room = a->room;
    const char *data = a->data;
    if (!append_in_place(in, a, b)) {
        room = in->out_of_budget ? NULL : room_new(in, a, b);
        if (!room)
            return NULL;
        data = room->data;
    }
    struct str *joined =
        make(in, (struct text){data, a->size + b->size}, a->length + b->length);
    if (joined)
        joined->room = room;
    return joined;
}

struct str *str_repeat(struct interp *in, struct str *str, int64_t times)
{
    size_t size;
    if (times <= 0 || str->size == 0)
        return make(in, TEXT(""), 0);
    if (times == 1)
        return str;
    if (!checked_mul_size(str->size, (size_t)times, &size) || size > in->limits.bytes) {
        interp_trip(in, "the program used up its %zu bytes of memory", in->limits.bytes);
        return NULL;
    }
    char *data = interp_alloc(in, size, 1);
    if (!data)
        return NULL;
    size_t filled = str->size;
    memcpy(data, str->data, str->size);
    while (filled <
           size) { /* doubling, so that a single letter is not copied letter by letter */
        const size_t more = filled < size - filled ? filled : size - filled;
        memcpy(data + filled, data, more);
        filled += more;
    }
    return make(in, (struct text){data, size}, str->length * (size_t)times);
}

size_t str_find(struct interp *in, struct text text, struct text needle, size_t begin)
{
    size_t at;
    if (needle.size == 1 && begin < text.size) { /* the usual separator: the fastest way */
        const char *hit = memchr(text.data + begin, needle.data[0], text.size - begin);
        at = hit ? (size_t)(hit - text.data) : SIZE_MAX;
    } else {
        at = text_find(text, needle, begin);
    }
    const size_t end = at == SIZE_MAX ? text.size : at;
    return interp_charge(in, (end > begin ? end - begin : 0) / 64) ? at : SIZE_MAX;
}

size_t str_find_last(struct interp *in, struct text text, struct text needle)
{
    if (needle.size > text.size)
        return SIZE_MAX;
    for (size_t at = text.size - needle.size;; at--) {
        if ((text.size - at) % 64 == 0 && !interp_charge(in, 1 + needle.size / 64))
            return SIZE_MAX;
        if (memcmp(text.data + at, needle.data, needle.size) == 0)
            return at;
        if (at == 0)
            return SIZE_MAX;
    }
}

bool str_builder_reserve(struct str_builder *b, size_t more)
{
    size_t size;
    if (b->failed)
        return false;
    if (more <= b->capacity - b->size)
        return true;
    if (!checked_add_size(b->size, more, &size) || size > b->in->limits.bytes) {
        b->failed = true;
        return interp_trip(b->in, "the program used up its %zu bytes of memory",
                           b->in->limits.bytes);
    }
    size_t capacity = b->capacity ? 2 * b->capacity : BUILDER_FIRST;
    if (capacity < size)
        capacity = size;
    char *data = interp_alloc(b->in, capacity, 1);
    b->failed = !data;
    if (!data)
        return false;
    if (b->size > 0)
        memcpy(data, b->data, b->size);
    b->data = data;
    b->capacity = capacity;
    return true;
}

void str_builder_add(struct str_builder *b, struct text text)
{
    if (text.size == 0 || !str_builder_reserve(b, text.size))
        return;
    if (!interp_charge(b->in, text.size / 64)) {
        b->failed = true;
        return;
    }
    memcpy(b->data + b->size, text.data, text.size);
    b->size += text.size;
}

void str_builder_byte(struct str_builder *b, char byte)
{
    if (str_builder_reserve(b, 1))
        b->data[b->size++] = byte;
}

void str_builder_code_point(struct str_builder *b, uint32_t code_point)
{
    char bytes[4];
    const size_t size = text_utf8_put(code_point, bytes);
    if (!str_builder_reserve(b, size))
        return;
    memcpy(b->data + b->size, bytes, size);
    b->size += size;
}

void str_builder_fill(struct str_builder *b, uint32_t code_point, size_t count)
{
    char bytes[4];
    const size_t size = text_utf8_put(code_point, bytes);
    size_t whole;
    if (!checked_mul_size(size, count, &whole))
        whole = SIZE_MAX;
    if (count == 0 || !str_builder_reserve(b, whole))
        return;
    for (size_t i = 0; i < count; i++)
        memcpy(b->data + b->size + i * size, bytes, size);
    b->size += whole;
}

struct str *str_builder_str(struct str_builder *b)
{
    if (b->failed)
        return NULL;
    return str_view(b->in, (struct text){b->data, b->size});
}
