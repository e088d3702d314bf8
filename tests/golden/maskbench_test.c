/*
 * maskbench_test - schemas of the wild with instances: valid ones are accepted byte by byte,
 * invalid ones refused; how many schemas are refused and how long compiling takes is printed.
 */
#include "engine/matcher.h"
#include "tests/harness/test_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RUNS_MAX = 2000 };

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

struct tally {
    uint32_t schemas, refused, valid, valid_refused, invalid, invalid_accepted;
    double ms[RUNS_MAX];
};

/* value as Python's json.dumps writes it, since ", " and ": " are what models write. */
static void put_value(struct text_buf *out, const struct json *value)
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
            put_value(out, each);
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

static bool accepts(struct matcher *matcher, struct text text)
{
    struct matcher_state states[2];
    matcher_start(matcher, &states[0]);
    for (size_t i = 0; i < text.size; i++)
        if (!matcher_step(matcher, &states[i % 2], (uint8_t)text.data[i], &states[(i + 1) % 2]))
            return false;
    return matcher_is_complete(&states[text.size % 2]);
}

static void run_case(const struct json *line, struct arena *arena, struct tally *tally)
{
    struct schema schema;
    struct matcher matcher;
    struct error err = {0};
    struct text name = TEXT("?");
    bool agrees = false;
    json_text(json_get(line, "name"), &name);
    json_bool(json_get(line, "python_jsonschema_agrees"), &agrees);
    arena_rewind(arena, 0);
    const double begin = seconds();
    const enum status status = schema_compile(&schema, json_get(line, "schema"), arena, &err);
    tally->ms[tally->schemas++] = (seconds() - begin) * 1e3;
    if (status != OK || matcher_init(&matcher, &schema, arena, &err) != OK) {
        printf("refused %.*s: %s\n", TEXT_ARG(name), err.text);
        tally->refused++;
        return;
    }
    struct text_buf text = {0};
    const struct json *test = json_first(json_get(line, "tests"));
    for (; test; test = json_next(test)) {
        bool valid = false;
        json_bool(json_get(test, "valid"), &valid);
        text_buf_clear(&text);
        put_value(&text, json_get(test, "data"));
        const bool accepted = accepts(&matcher, text_buf_text(&text));
        if (accepted != valid)
            printf("%s %s %.*s: %.300s\n", agrees ? "WRONG" : "soft",
                   valid ? "valid" : "invalid", TEXT_ARG(name), text.data);
        if (!agrees)
            continue;
        tally->valid += valid;
        tally->invalid += !valid;
        tally->valid_refused += valid && !accepted;
        tally->invalid_accepted += !valid && accepted;
    }
    text_buf_deinit(&text);
}

static int order(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    static struct tally tally;
    static char line[1 << 20];
    const struct test_data_path path = test_data("json/maskbench_dev.jsonl.xz");
    char command[600];
    struct arena arena;
    if (!test_data_is_there(&path))
        return 77;
    snprintf(command, sizeof command, "xz -dc '%s'", path.text);
    FILE *file = popen(command, "r");
    if (!file)
        return 1;
    if (arena_init(&arena, (size_t)512 << 20, NULL) != OK)
        return 1;
    while (tally.schemas < RUNS_MAX && fgets(line, sizeof line, file)) {
        struct json *root = NULL;
        if (json_parse(text_trim(text_of(line)), 0, &root, NULL) == OK)
            run_case(root, &arena, &tally);
        json_free(root);
    }
    const bool ended = pclose(file) == 0;
    arena_deinit(&arena);
    qsort(tally.ms, tally.schemas, sizeof *tally.ms, order);
    printf("schemas %u, refused %u; valid %u, of these refused %u; invalid %u, of these "
           "accepted %u; compile p50 %.2f ms, p99 %.2f ms\n",
           tally.schemas, tally.refused, tally.valid, tally.valid_refused, tally.invalid,
           tally.invalid_accepted, tally.ms[tally.schemas / 2],
           tally.ms[tally.schemas * 99 / 100]);
    return !ended || tally.schemas == 0 || tally.valid_refused + tally.invalid_accepted > 0;
}
