/* maskbench - see maskbench.h. */
#include "tests/harness/maskbench.h"

#include <stdlib.h>
#include <unistd.h>

bool maskbench_open(struct maskbench *bench)
{
    char path[512];
    char command[600];
    const char *folder = getenv("COHORT_TEST_DATA");
    (void)snprintf(path, sizeof path, "%s/json/maskbench_dev.jsonl.xz",
                   folder ? folder : "../shared/data");
    (void)snprintf(command, sizeof command, "xz -dc '%s'", path);
    bench->root = NULL;
    bench->file = access(path, R_OK) == 0 ? popen(command, "r") : NULL;
    if (!bench->file)
        printf("maskbench: %s is not there\n", path);
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

void maskbench_put(struct text_buf *out, const struct json *value)
{
    struct text text;
    bool flag = false;
    double number = 0;
    int64_t whole = 0;
    const enum json_type type = json_type(value);
    if (type == JSON_OBJECT || type == JSON_ARRAY) {
        text_buf_format(out, type == JSON_OBJECT ? "{" : "[");
        for (const struct json *each = json_first(value); each; each = json_next(each)) {
            struct json_writer key = {.out = out};
            if (type == JSON_OBJECT)
                json_write_text(&key, json_key(each));
            text_buf_format(out, "%s", type == JSON_OBJECT ? ": " : "");
            maskbench_put(out, each);
            text_buf_format(out, "%s", json_next(each) ? ", " : "");
        }
        text_buf_format(out, type == JSON_OBJECT ? "}" : "]");
        return;
    }
    struct json_writer writer = {.out = out};
    if (json_text(value, &text))
        json_write_text(&writer, text);
    else if (json_bool(value, &flag))
        json_write_bool(&writer, flag);
    else if (json_i64(value, &whole))
        json_write_i64(&writer, whole);
    else if (json_double(value, &number))
        json_write_double(&writer, number);
    else
        json_write_null(&writer);
}
