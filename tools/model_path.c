/* model_path - see model_path.h. */
#include "tools/model_path.h"

#include "tools/model_store.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEMO_MODEL "SmolLM2-135M-Instruct.Q4_1.gguf"

static enum status write_given(const char *named, char *path, size_t size, struct error *err)
{
    const size_t length = strlen(named);
    if (length >= size)
        FAIL(err, ERR_LIMIT, "the model's path has %zu bytes, the limit is %zu", length,
             size - 1);
    memcpy(path, named, length + 1);
    return OK;
}

enum status model_path_find(const char *given, char *path, size_t size, struct error *err)
{
    const char *named = given ? given : getenv("COHORT_MODEL");
    const bool is_default = !named || !named[0];
    TRY(is_default ? model_store_path(DEMO_MODEL, path, size, err)
                   : write_given(named, path, size, err));
    if (access(path, R_OK) == 0 || (!is_default && model_store_has(named, path, size)))
        return OK;
    if (is_default)
        FAIL(err, ERR_IO,
             "no model yet: run ./demo or tools/scripts/setup to get the demo "
             "model, cohort pull for another, or give a file or folder with -m");
    FAIL(err, ERR_IO, "model %s: %s", path, strerror(errno));
}
