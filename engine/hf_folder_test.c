/*
 * Tests of hf_folder: folders that lack a part are refused by its name, as data that is no
 * model. What whole folders compute: tests/golden/families_test.
 */
#include "engine/hf_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CONFIG                                                                                 \
    "{\"architectures\": [\"LlamaForCausalLM\"], \"num_hidden_layers\": 1, "                   \
    "\"hidden_size\": 64, \"num_attention_heads\": 4, \"intermediate_size\": 96, "             \
    "\"max_position_embeddings\": 512, \"vocab_size\": 32}"
#define INDEX(file) "{\"weight_map\": {\"model.norm.weight\": \"" file "\"}}"

static const char *const NAMES[] = {"config.json", "model.safetensors.index.json"};

static const struct {
    const char *files[2]; /* as NAMES; NULL: none */
    const char *says;
} CASES[] = {
    {{NULL, NULL}, "is a folder without config.json"},
    {{CONFIG, NULL}, "neither model.safetensors nor model.safetensors.index.json"},
    {{CONFIG, INDEX("part-1.safetensors")},
     "tensor model.norm.weight lies in part-1.safetensors, which is missing"},
    {{CONFIG, INDEX("../part-1.safetensors")}, "is no name of a file in the folder"},
    {{CONFIG, INDEX("")}, "is no name of a file in the folder"},
    {{CONFIG, "{\"weight_map\": []}"}, "weight_map is no object"},
    {{CONFIG, "{\"weight_map\""}, "model.safetensors.index.json: JSON"},
    {{"[]", NULL}, "config.json: is no object"},
};

static void write_files(const char *folder, const char *const files[2])
{
    char path[100];
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, NAMES[i]);
        (void)unlink(path);
        FILE *file = files[i] ? fopen(path, "wb") : NULL;
        assert_true(!files[i] || file);
        if (file)
            assert_true(fputs(files[i], file) >= 0 && fclose(file) == 0);
    }
}

static void what_is_missing_is_named(void **state)
{
    static const char *const NONE[2];
    char folder[] = "/tmp/hf_folder_test.XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct hf_folder opened;
        struct error err = {0};
        write_files(folder, CASES[i].files);
        assert_int_equal(hf_folder_open(&opened, folder, &err), ERR_FORMAT);
        if (!strstr(err.text, CASES[i].says))
            fail_msg("\"%s\" does not say \"%s\"", err.text, CASES[i].says);
    }
    write_files(folder, NONE);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_missing_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
