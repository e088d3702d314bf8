/*
 * maskbench_test - schemas of the wild with instances: valid ones are accepted byte by byte,
 * invalid ones refused; how many schemas are refused and how long compiling takes is printed.
 */
#include "base/clock.h"
#include "tests/harness/json_case.h"
#include "tests/harness/maskbench.h"
#include "tests/harness/matcher_case.h"

#include <stdio.h>
#include <stdlib.h>

enum { RUNS_MAX = 2000, WALKS = 4, WALK_BYTES = 150, END_BYTES = 2000 };

struct tally {
    uint32_t schemas, refused, valid, valid_refused, invalid, invalid_accepted;
    uint32_t walks, dead_ends;
    double ms[RUNS_MAX];
};

/* A random text that keeps to the matcher never runs into a dead end. */
static void run_walk(struct matcher *matcher, struct text name, struct tally *tally)
{
    struct text_buf text = {0};
    struct matcher_state at;
    bool goes_on = true;
    matcher_start(matcher, &at);
    while (goes_on && !matcher_is_complete(&at) && text.size < END_BYTES) {
        const bool is_closing = text.size >= WALK_BYTES || matcher_case_draw(4) == 0;
        char byte;
        goes_on = matcher_case_byte(matcher, &at, is_closing, &byte);
        if (goes_on)
            text_buf_byte(&text, byte);
    }
    tally->walks++;
    if (!goes_on || matcher->dropped > 0 ||
        (matcher_is_complete(&at) && json_check(text_buf_text(&text), NULL) != OK)) {
        printf("WRONG walk %.*s: %.300s\n", TEXT_ARG(name), text.data);
        tally->dead_ends++;
    }
    text_buf_deinit(&text);
}

static void run_case(const struct maskbench_case *each, struct arena *arena,
                     struct tally *tally)
{
    struct schema schema;
    struct matcher matcher;
    struct error err = {0};
    arena_rewind(arena, 0);
    const double begin = clock_cpu_s();
    const enum status status = schema_compile(&schema, each->schema, arena, &err);
    tally->ms[tally->schemas++] = (clock_cpu_s() - begin) * 1e3;
    if (status != OK || matcher_init(&matcher, &schema, arena, &err) != OK) {
        printf("refused %.*s: %s\n", TEXT_ARG(each->name), err.text);
        tally->refused++;
        return;
    }
    struct text_buf text = {0};
    const struct json *test = json_first(each->tests);
    for (; test; test = json_next(test)) {
        bool valid = false;
        json_bool(json_get(test, "valid"), &valid);
        text_buf_clear(&text);
        json_case_put(&text, json_get(test, "data"));
        const bool accepted = matcher_case_accepts(&matcher, text_buf_text(&text));
        if (accepted != valid)
            printf("%s %s %.*s: %.300s\n", each->agrees ? "WRONG" : "soft",
                   valid ? "valid" : "invalid", TEXT_ARG(each->name), text.data);
        if (!each->agrees)
            continue;
        tally->valid += valid;
        tally->invalid += !valid;
        tally->valid_refused += valid && !accepted;
        tally->invalid_accepted += !valid && accepted;
    }
    text_buf_deinit(&text);
    for (int walk = 0; walk < WALKS; walk++)
        run_walk(&matcher, each->name, tally);
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
    static struct maskbench file;
    struct maskbench_case each;
    struct arena arena;
    if (!maskbench_open(&file))
        return 77;
    if (arena_init(&arena, (size_t)512 << 20, NULL) != OK)
        return 1;
    while (tally.schemas < RUNS_MAX && maskbench_next(&file, &each))
        run_case(&each, &arena, &tally);
    const bool ended = maskbench_close(&file);
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
