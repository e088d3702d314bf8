/*
 * gguf_get - typed reading of a GGUF file's keys.
 *
 * Every getter checks the type that the file gives against the one wanted, and an array's
 * count together with its element type. A key that is absent is no error: *out stays as it
 * is, so put the fallback there first.
 */
#ifndef ENGINE_GGUF_GET_H
#define ENGINE_GGUF_GET_H

#include "engine/gguf.h"

/* Any integer type. ERR_FORMAT another type; ERR_LIMIT past int64_t. */
MUST_USE enum status gguf_get_int(const struct gguf *gguf, const char *key, int64_t *out,
                                  struct error *err);
/* f32 or f64. ERR_FORMAT another type, or a value that is no finite float. */
MUST_USE enum status gguf_get_float(const struct gguf *gguf, const char *key, float *out,
                                    struct error *err);
MUST_USE enum status gguf_get_bool(const struct gguf *gguf, const char *key, bool *out,
                                   struct error *err);
/* Text is any bytes; valid as long as the file's. */
MUST_USE enum status gguf_get_text(const struct gguf *gguf, const char *key, struct text *out,
                                   struct error *err);

/* The array wanted: its elements' type, and how many there may be. */
struct gguf_get_array {
    const char *key;
    enum gguf_type type;
    uint32_t count_max;
};
/* *out = its entry. ERR_FORMAT no array of that type; ERR_LIMIT more elements. */
MUST_USE enum status gguf_get_array(const struct gguf *gguf, const struct gguf_get_array *want,
                                    const struct gguf_entry **out, struct error *err);
/* Copy all elements of an entry that gguf_get_array gave to out[entry->count]. */
void gguf_get_texts(const struct gguf_entry *entry, struct text *out); /* of GGUF_STRING */
void gguf_get_f32s(const struct gguf_entry *entry, float *out);        /* of GGUF_F32 */
void gguf_get_i32s(const struct gguf_entry *entry, int32_t *out);      /* of GGUF_I32 */

#endif
