/* json_case - see json_case.h. */
#include "tests/harness/json_case.h"

#include <stdio.h>

static void put_scalar(struct text_buf *out, const struct json *value)
{
    struct json_writer writer = {.out = out};
    struct text text;
    bool flag = false;
    double number = 0;
    int64_t whole = 0;
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

void json_case_put(struct text_buf *out, const struct json *value)
{
    const bool object = json_type(value) == JSON_OBJECT;
    if (!object && json_type(value) != JSON_ARRAY) {
        put_scalar(out, value);
        return;
    }
    text_buf_byte(out, object ? '{' : '[');
    for (const struct json *each = json_first(value); each; each = json_next(each)) {
        struct json_writer key = {.out = out};
        if (object)
            json_write_text(&key, json_key(each));
        text_buf_format(out, "%s", object ? ": " : "");
        json_case_put(out, each);
        text_buf_format(out, "%s", json_next(each) ? ", " : "");
    }
    text_buf_byte(out, object ? '}' : ']');
}

bool json_case_unpack(const char *path, struct text_buf *out)
{
    char command[600];
    char part[4096];
    snprintf(command, sizeof command, "xz -dc '%s'", path);
    FILE *file = popen(command, "r");
    if (!file)
        return false;
    for (size_t got = 1; got > 0;) {
        got = fread(part, 1, sizeof part, file);
        text_buf_add(out, (struct text){part, got});
    }
    return pclose(file) == 0 && !out->failed;
}
