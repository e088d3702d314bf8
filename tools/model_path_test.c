/* model_path_test - which of -m, COHORT_MODEL and the cache counts, and what is said. */
#include "tools/model_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char path[MODEL_PATH_BYTES];
static struct error err;

static void test_order(void **state)
{
    (void)state;
    setenv("COHORT_MODEL", "/dev/null", 1);
    assert_int_equal(model_path_find("/dev/zero", path, sizeof path, &err), OK);
    assert_string_equal(path, "/dev/zero");
    assert_int_equal(model_path_find(NULL, path, sizeof path, &err), OK);
    assert_string_equal(path, "/dev/null");
    setenv("COHORT_MODEL", "", 1);
    setenv("COHORT_CACHE", "/nonexistent", 1);
    assert_int_equal(model_path_find(NULL, path, sizeof path, &err), ERR_IO);
    assert_string_equal(path, "/nonexistent/models/SmolLM2-135M-Instruct.Q4_1.gguf");
    unsetenv("COHORT_MODEL");
    unsetenv("COHORT_CACHE");
    setenv("HOME", "/nowhere", 1);
    assert_int_equal(model_path_find(NULL, path, sizeof path, &err), ERR_IO);
    assert_string_equal(path, "/nowhere/.cache/cohort/models/SmolLM2-135M-Instruct.Q4_1.gguf");
}

static void test_sentences(void **state)
{
    (void)state;
    assert_int_equal(model_path_find("/no/model", path, sizeof path, &err), ERR_IO);
    assert_string_equal(err.text, "model /no/model: No such file or directory");
    setenv("HOME", "/nowhere", 1);
    unsetenv("COHORT_CACHE");
    assert_int_equal(model_path_find(NULL, path, sizeof path, &err), ERR_IO);
    assert_non_null(strstr(err.text, "run ./demo or tools/scripts/setup"));
    assert_int_equal(model_path_find("/dev/null", path, 9, &err), ERR_LIMIT);
    assert_int_equal(model_path_find("/dev/null", path, 10, &err), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
