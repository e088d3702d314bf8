/*
 * test_data - where test data and models are, which lie outside the tree. Nothing says that
 * they are there: a test whose data is absent prints a line and skips.
 */
#ifndef TESTS_HARNESS_TEST_DATA_H
#define TESTS_HARNESS_TEST_DATA_H

#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct test_data_path {
    char text[512];
};

/* Of a file of the test data, its name as printf makes it, such as "json/x.json": in
 * $COHORT_TEST_DATA, else ../shared/data. */
PRINTF_LIKE(1, 2) static inline struct test_data_path test_data(const char *name, ...)
{
    const char *folder = getenv("COHORT_TEST_DATA");
    struct test_data_path path;
    const int size =
        snprintf(path.text, sizeof path.text, "%s/", folder ? folder : "../shared/data");
    va_list args;
    va_start(args, name);
    if (size > 0 && (size_t)size < sizeof path.text)
        (void)vsnprintf(path.text + size, sizeof path.text - (size_t)size, name, args);
    va_end(args);
    return path;
}

/* Whether it can be read; otherwise a line says that something is skipped. */
static inline bool test_data_is_there(const struct test_data_path *path)
{
    const bool is_there = access(path->text, R_OK) == 0;
    if (!is_there)
        printf("skipped: %s is not there\n", path->text);
    return is_there;
}

/* Of a model that tools/scripts/setup has put in the cache, or whichever the variable names. */
static inline struct test_data_path test_data_model(const char *variable, const char *name)
{
    const char *given = getenv(variable), *cache = getenv("COHORT_CACHE");
    const char *home = getenv("HOME");
    struct test_data_path path;
    if (given)
        (void)snprintf(path.text, sizeof path.text, "%s", given);
    else if (cache && cache[0])
        (void)snprintf(path.text, sizeof path.text, "%s/%s", cache, name);
    else
        (void)snprintf(path.text, sizeof path.text, "%s/.cache/cohort/%s", home ? home : "",
                       name);
    return path;
}

/* SmolLM2-135M-Instruct, whose reference the test data has. */
static inline struct test_data_path test_data_demo_model(void)
{
    return test_data_model("COHORT_TEST_MODEL", "models/SmolLM2-135M-Instruct.Q4_1.gguf");
}

#endif
