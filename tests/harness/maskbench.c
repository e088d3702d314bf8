/* maskbench - see maskbench.h. */
#include "tests/harness/maskbench.h"

#include "tests/harness/test_data.h"

bool maskbench_open(struct maskbench *bench)
{
    const struct test_data_path path = test_data("json/maskbench_dev.jsonl.xz");
    char command[600];
    (void)snprintf(command, sizeof command, "xz -dc '%s'", path.text);
    bench->root = NULL;
    bench->file = test_data_is_there(&path) ? popen(command, "r") : NULL;
    return bench->file != NULL;
}

bool maskbench_next(struct maskbench *bench, struct maskbench_case *next)
{
    json_free(bench->root);
    bench->root = NULL;
    while (fgets(bench->line, sizeof bench->line, bench->file)) {
        if (json_parse(text_trim(text_of(bench->line)), 0, &bench->root, NULL) != OK)
            continue;
        *next = (struct maskbench_case){.name = TEXT("?"),
                                        .schema = json_get(bench->root, "schema"),
                                        .tests = json_get(bench->root, "tests")};
        json_text(json_get(bench->root, "name"), &next->name);
        json_bool(json_get(bench->root, "python_jsonschema_agrees"), &next->agrees);
        return true;
    }
    return false;
}

bool maskbench_close(struct maskbench *bench)
{
    json_free(bench->root);
    return pclose(bench->file) == 0;
}
