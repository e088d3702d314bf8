/*
 * gguf_fuzz - libFuzzer target: any bytes as a GGUF file. They are copied to the heap in their
 * exact size, so that one byte too many is seen; what is read is walked through every getter,
 * and taken for a model's configuration.
 *
 *     gguf_fuzz -max_len=4096 -rss_limit_mb=256 -timeout=1 CORPUS
 */
#include "engine/gguf_get.h"
#include "engine/model_config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sum_bytes(const void *data, size_t size)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += ((const uint8_t *)data)[i];
    return sum;
}

static uint64_t walk_array(const struct gguf *gguf, const char *key)
{
    const struct gguf_entry *entry = NULL;
    const struct gguf_get_array texts = {key, GGUF_STRING, UINT32_MAX};
    const struct gguf_get_array reals = {key, GGUF_F32, UINT32_MAX};
    const struct gguf_get_array numbers = {key, GGUF_I32, UINT32_MAX};
    uint64_t sum = 0;
    void *copy = NULL;
    if (gguf_get_array(gguf, &texts, &entry, NULL) == OK && entry && entry->is_array) {
        struct text *all = copy = calloc((size_t)entry->count + 1, sizeof *all);
        gguf_get_texts(entry, all);
        for (uint64_t i = 0; i < entry->count; i++)
            sum += sum_bytes(all[i].data, all[i].size);
    } else if (gguf_get_array(gguf, &reals, &entry, NULL) == OK && entry) {
        gguf_get_f32s(entry, copy = malloc(entry->size + 1));
    } else if (gguf_get_array(gguf, &numbers, &entry, NULL) == OK && entry) {
        gguf_get_i32s(entry, copy = malloc(entry->size + 1));
    }
    free(copy);
    return sum;
}

static uint64_t walk(const struct gguf *gguf)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < gguf->entry_count; i++) {
        const struct gguf_entry *entry = &gguf->entries[i];
        char key[GGUF_KEY_BYTES_MAX + 1] = {0};
        int64_t number = 0;
        float real = 0;
        bool flag = false;
        struct text text = {0};
        memcpy(key, entry->key.data, entry->key.size);
        sum += (uint64_t)gguf_get_int(gguf, key, &number, NULL) + (uint64_t)number;
        sum += (uint64_t)gguf_get_float(gguf, key, &real, NULL);
        sum += (uint64_t)gguf_get_bool(gguf, key, &flag, NULL) + (uint64_t)flag;
        sum += (uint64_t)gguf_get_text(gguf, key, &text, NULL);
        sum += sum_bytes(entry->data, entry->size) + sum_bytes(text.data, text.size);
        sum += walk_array(gguf, key);
    }
    for (uint32_t i = 0; i < gguf->tensor_count; i++)
        sum += sum_bytes(gguf->tensors[i].data, gguf->tensors[i].size);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    struct gguf gguf;
    struct error err = {0};
    if (!copy)
        return 0;
    if (size > 0)
        memcpy(copy, data, size);
    if (gguf_init(&gguf, copy, size, &err) == OK) {
        struct model_config config;
        volatile uint64_t sum = walk(&gguf);
        (void)sum;
        if (model_config_read(&gguf, "fuzz.gguf", &config, &err) != OK)
            assert(err.text[0] != '\0');
        gguf_deinit(&gguf);
    } else {
        assert(err.status != OK && err.text[0] != '\0');
    }
    free(copy);
    return 0;
}
