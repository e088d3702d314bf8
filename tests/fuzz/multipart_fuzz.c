/*
 * multipart_fuzz - libFuzzer target: a first line as Content-Type, the rest as its body. They
 * are copied to the heap in their exact size, so that one byte too many is seen; what is told
 * of the parts must lie in them.
 *
 *     multipart_fuzz -max_len=4096 -timeout=1 CORPUS
 */
#include "protocol/api/multipart.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct text copy(struct text text)
{
    char *bytes = malloc(text.size > 0 ? text.size : 1);
    if (!bytes)
        abort();
    memcpy(bytes, text.data, text.size);
    return (struct text){bytes, text.size};
}

static void check_within(struct text inner, struct text outer)
{
    if (inner.size == 0)
        return;
    assert(inner.data >= outer.data && inner.size <= outer.size &&
           (size_t)(inner.data - outer.data) <= outer.size - inner.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct text all = {(const char *)data, size};
    const size_t line = text_find(all, TEXT("\n"), 0);
    const struct text type = copy(text_slice(all, 0, line));
    const struct text body = copy(text_slice(all, line == SIZE_MAX ? size : line + 1, size));
    struct multipart form;
    if (multipart_parse(type, body, &form, NULL) == OK)
        for (uint32_t i = 0; i < form.count; i++) {
            check_within(form.parts[i].name, body);
            check_within(form.parts[i].file_name, body);
            check_within(form.parts[i].content, body);
        }
    free((void *)(uintptr_t)type.data);
    free((void *)(uintptr_t)body.data);
    return 0;
}
