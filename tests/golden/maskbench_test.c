/*
 * maskbench_test - schemas of the wild with instances: valid ones are accepted byte by byte,
 * invalid ones refused; how many schemas are refused and how long compiling takes is printed.
 */
#include "tests/harness/json_case.h"
#include "tests/harness/test_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS_MAX = 2000, WALKS = 4, WALK_BYTES = 150, END_BYTES = 2000 };

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

struct tally {
    uint32_t schemas, refused, valid, valid_refused, invalid, invalid_accepted;
    uint32_t walks, dead_ends;
    double ms[RUNS_MAX];
};

static uint32_t draw(uint32_t below)
{
    static uint64_t seed = 1;
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(seed >> 33) % below;
}

/* One byte that fits: past some bytes of text those that close come first. False: none does. */
static bool walk_byte(struct matcher *matcher, struct matcher_state *at, struct text_buf *text)
{
    static const char closing[] = "\"}]:,0";
    struct matcher_state next;
    const uint32_t offset = draw(256);
    const bool anything = text->size < WALK_BYTES && draw(4) > 0;
    for (uint32_t i = anything ? 6 : 0; i < 6 + 256; i++) {
        const uint8_t byte = i < 6 ? (uint8_t)closing[i] : (uint8_t)(offset + i);
        if (!matcher_step(matcher, at, byte, &next))
            continue;
        text_buf_byte(text, (char)byte);
        *at = next;
        return true;
    }
    return false;
}

/* A random text that keeps to the matcher never runs into a dead end. */
static void run_walk(struct matcher *matcher, struct text name, struct tally *tally)
{
    struct text_buf text = {0};
    struct matcher_state at;
    bool goes_on = true;
    matcher_start(matcher, &at);
    while (goes_on && !matcher_is_complete(&at) && text.size < END_BYTES)
        goes_on = walk_byte(matcher, &at, &text);
    tally->walks++;
    if (!goes_on || matcher->dropped > 0 ||
        (matcher_is_complete(&at) && json_check(text_buf_text(&text), NULL) != OK)) {
        printf("WRONG walk %.*s: %.300s\n", TEXT_ARG(name), text.data);
        tally->dead_ends++;
    }
    text_buf_deinit(&text);
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
        json_case_put(&text, json_get(test, "data"));
        const bool accepted = json_case_accepts(&matcher, text_buf_text(&text));
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
    for (int walk = 0; walk < WALKS; walk++)
        run_walk(&matcher, name, tally);
}

static int order(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* All lines of the file; false: it is not there. */
static bool run_file(const char *path, struct arena *arena, struct tally *tally)
{
    struct text_buf lines = {0};
    const bool there = json_case_unpack(path, &lines);
    const struct text all = text_buf_text(&lines);
    for (size_t at = 0; there && at < all.size && tally->schemas < RUNS_MAX;) {
        struct json *root = NULL;
        const size_t end = text_find(all, TEXT("\n"), at);
        const struct text line = text_trim(text_slice(all, at, end));
        at = end == SIZE_MAX ? all.size : end + 1;
        if (line.size > 0 && json_parse(line, 0, &root, NULL) == OK)
            run_case(root, arena, tally);
        json_free(root);
    }
    text_buf_deinit(&lines);
    return there;
}

int main(void)
{
    static struct tally tally;
    const struct test_data_path path = test_data("json/maskbench_dev.jsonl.xz");
    struct arena arena;
    if (!test_data_is_there(&path))
        return 77;
    if (arena_init(&arena, (size_t)512 << 20, NULL) != OK)
        return 1;
    const bool ended = run_file(path.text, &arena, &tally);
    arena_deinit(&arena);
    if (!ended)
        return 1;
    qsort(tally.ms, tally.schemas, sizeof *tally.ms, order);
    printf("schemas %u, refused %u; valid %u, of these refused %u; invalid %u, of these "
           "accepted %u; walks %u, dead ends %u; compile p50 %.2f ms, p99 %.2f ms, most %.2f "
           "ms of processor time\n",
           tally.schemas, tally.refused, tally.valid, tally.valid_refused, tally.invalid,
           tally.invalid_accepted, tally.walks, tally.dead_ends, tally.ms[tally.schemas / 2],
           tally.ms[tally.schemas * 99 / 100], tally.ms[tally.schemas - 1]);
    return tally.schemas == 0 || tally.refused * 20 > tally.schemas ||
           tally.valid_refused + tally.invalid_accepted + tally.dead_ends > 0;
}
