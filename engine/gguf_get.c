/*
 * gguf_get - see gguf_get.h. Entries were checked by gguf_init: their bytes are all there, and
 * only types are left to check here. Values are not aligned in the file, so they are copied;
 * GGUF's byte order is this machine's (asserted at compile time).
 */
#include "engine/gguf_get.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "values are copied as they stand");

static enum status refuse(const struct gguf_entry *entry, const char *wanted, struct error *err)
{
    FAIL(err, ERR_FORMAT, "key %s: type %s%s, must be %s", gguf_label(entry->key).text,
         entry->is_array ? "array of " : "", gguf_type_name(entry->type), wanted);
}

enum status gguf_get_int(const struct gguf *gguf, const char *key, int64_t *out,
                         struct error *err)
{
    const struct gguf_entry *entry = gguf_find(gguf, key);
    if (!entry)
        return OK;
    uint64_t bits = 0;
    memcpy(&bits, entry->data, entry->size < sizeof bits ? entry->size : sizeof bits);
    switch (entry->is_array ? GGUF_ARRAY : entry->type) {
    case GGUF_U64:
        if (bits > INT64_MAX)
            FAIL(err, ERR_LIMIT, "key %s: %llu, at most 2^63-1 is taken", key,
                 (unsigned long long)bits);
        *out = (int64_t)bits;
        return OK;
    case GGUF_U8:
    case GGUF_U16:
    case GGUF_U32:
    case GGUF_I64:
        *out = (int64_t)bits;
        return OK;
    case GGUF_I8:
        *out = (int8_t)bits;
        return OK;
    case GGUF_I16:
        *out = (int16_t)bits;
        return OK;
    case GGUF_I32:
        *out = (int32_t)bits;
        return OK;
    case GGUF_F32:
    case GGUF_BOOL:
    case GGUF_STRING:
    case GGUF_ARRAY:
    case GGUF_F64:
        break;
    }
    return refuse(entry, "an integer", err);
}

enum status gguf_get_float(const struct gguf *gguf, const char *key, float *out,
                           struct error *err)
{
    const struct gguf_entry *entry = gguf_find(gguf, key);
    if (!entry)
        return OK;
    double value;
    if (!entry->is_array && entry->type == GGUF_F32) {
        float single;
        memcpy(&single, entry->data, sizeof single);
        value = (double)single;
    } else if (!entry->is_array && entry->type == GGUF_F64) {
        memcpy(&value, entry->data, sizeof value);
    } else {
        return refuse(entry, "f32 or f64", err);
    }
    if (!isfinite(value) || fabs(value) > (double)FLT_MAX)
        FAIL(err, ERR_FORMAT, "key %s: %g, must be a finite f32", key, value);
    *out = (float)value;
    return OK;
}

enum status gguf_get_bool(const struct gguf *gguf, const char *key, bool *out,
                          struct error *err)
{
    const struct gguf_entry *entry = gguf_find(gguf, key);
    if (!entry)
        return OK;
    if (entry->is_array || entry->type != GGUF_BOOL)
        return refuse(entry, "bool", err);
    *out = entry->data[0] != 0;
    return OK;
}

enum status gguf_get_text(const struct gguf *gguf, const char *key, struct text *out,
                          struct error *err)
{
    const struct gguf_entry *entry = gguf_find(gguf, key);
    if (!entry)
        return OK;
    if (entry->is_array || entry->type != GGUF_STRING)
        return refuse(entry, "string", err);
    gguf_get_texts(entry, out);
    return OK;
}

enum status gguf_get_array(const struct gguf *gguf, const struct gguf_get_array *want,
                           const struct gguf_entry **out, struct error *err)
{
    const struct gguf_entry *entry = gguf_find(gguf, want->key);
    if (!entry)
        return OK;
    if (!entry->is_array || entry->type != want->type)
        FAIL(err, ERR_FORMAT, "key %s: type %s%s, must be array of %s", want->key,
             entry->is_array ? "array of " : "", gguf_type_name(entry->type),
             gguf_type_name(want->type));
    if (entry->count > want->count_max)
        FAIL(err, ERR_LIMIT, "key %s: %llu elements, at most %u are taken", want->key,
             (unsigned long long)entry->count, want->count_max);
    *out = entry;
    return OK;
}

void gguf_get_texts(const struct gguf_entry *entry, struct text *out)
{
    assert(entry->type == GGUF_STRING);
    const uint8_t *at = entry->data;
    for (uint64_t i = 0; i < entry->count; i++) {
        uint64_t size;
        memcpy(&size, at, sizeof size);
        out[i] = (struct text){(const char *)at + sizeof size, (size_t)size};
        at += sizeof size + size;
    }
    assert(at == entry->data + entry->size);
}

void gguf_get_f32s(const struct gguf_entry *entry, float *out)
{
    assert(entry->type == GGUF_F32);
    if (entry->size > 0)
        memcpy(out, entry->data, entry->size);
}

void gguf_get_i32s(const struct gguf_entry *entry, int32_t *out)
{
    assert(entry->type == GGUF_I32);
    if (entry->size > 0)
        memcpy(out, entry->data, entry->size);
}
