/*
 * The forward pass of every family against one in double that was written from the papers, over
 * random models of a few layers: by the plain twins and by the CPU's ops, from GGUF files and
 * from folders as transformers lays them out. The GPU's kernels: tests/emu/families_test.
 */
#include "tests/harness/families.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_by_the_twins(void **state)
{
    (void)state;
    families_check(&(struct families_way){.ops = ops_ref(), .kv = KV_F32, .limit = 1e-3});
}

static void test_by_the_cpu(void **state)
{
    (void)state;
    families_check(&(struct families_way){.ops = ops_cpu(), .kv = KV_F32, .limit = 1e-3});
}

static void test_as_folders(void **state)
{
    (void)state;
    families_check(&(struct families_way){
        .ops = ops_cpu(), .kv = KV_F32, .as_folder = true, .limit = 1e-3});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_the_twins),
        cmocka_unit_test(test_by_the_cpu),
        cmocka_unit_test(test_as_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
