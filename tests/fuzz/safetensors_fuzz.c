/*
 * safetensors_fuzz - libFuzzer target: any bytes as a safetensors file. They are copied to the
 * heap in their exact size, so that one byte too many is seen; every byte of every tensor is
 * read, and their names go through the map to GGUF's.
 *
 *     safetensors_fuzz -max_len=4096 -rss_limit_mb=256 -timeout=1 CORPUS
 */
#include "engine/hf_names.h"
#include "engine/safetensors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t walk(const struct safetensors *file)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < file->tensor_count; i++) {
        const struct safetensors_tensor *tensor = &file->tensors[i];
        struct hf_names_tensor name = {{0}};
        for (size_t j = 0; j < tensor->size; j++)
            sum += tensor->data[j];
        assert(safetensors_find(file, tensor->name) == tensor);
        if (hf_names_tensor(hf_names_find(TEXT("LlamaForCausalLM")), tensor->name, &name))
            sum += strlen(name.text);
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    struct safetensors file;
    struct error err = {0};
    if (!copy)
        return 0;
    if (size > 0)
        memcpy(copy, data, size);
    if (safetensors_init(&file, (struct text){copy, size}, &err) == OK) {
        volatile uint64_t sum = walk(&file);
        (void)sum;
        safetensors_deinit(&file);
    } else {
        assert(err.status != OK && err.text[0] != '\0');
    }
    free(copy);
    return 0;
}
