/* model_path - see model_path.h. */
#include "tools/model_path.h"

#include "tools/model_store.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEMO_MODEL "models/SmolLM2-135M-Instruct.Q4_1.gguf"

static int write_default(char *path, size_t size)
{
    const char *cache = getenv("COHORT_CACHE"), *home = getenv("HOME");
    if (cache && cache[0])
        return snprintf(path, size, "%s/" DEMO_MODEL, cache);
    return snprintf(path, size, "%s/.cache/cohort/" DEMO_MODEL, home ? home : "");
}

enum status model_path_find(const char *given, char *path, size_t size, struct error *err)
{
    const char *named = given ? given : getenv("COHORT_MODEL");
    const bool is_default = !named || !named[0];
    const int written =
        is_default ? write_default(path, size) : snprintf(path, size, "%s", named);
    if (written < 0 || (size_t)written >= size)
        FAIL(err, ERR_LIMIT, "the model's path is longer than %zu bytes", size - 1);
    if (access(path, R_OK) == 0 || (!is_default && model_store_has(named, path, size)))
        return OK;
    if (is_default)
        FAIL(err, ERR_IO,
             "no model yet: run ./demo or tools/scripts/setup to get the demo "
             "model, cohort pull for another, or give a file or folder with -m");
    FAIL(err, ERR_IO, "model %s: %s", path, strerror(errno));
}
