/* metrics_test - Prometheus' text: lines of its form, buckets that add up, escaped labels. */
#include "protocol/api/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void the_text_is_prometheus(void **state)
{
    static struct metrics metrics;
    struct engine_info info = {.kv_pages = 100};
    struct text_buf out = {0};
    (void)state;
    (void)strcpy(info.model_name, "a \"b\"\\c");
    metrics_add_time(&metrics, METRICS_FIRST_TOKEN, 0.02);
    metrics_add_time(&metrics, METRICS_FIRST_TOKEN, 0.2);
    metrics_add_time(&metrics, METRICS_FIRST_TOKEN, 5000);
    metrics.finished[ENGINE_LENGTH] = 2;
    const struct metrics_sources sources = {
        .metrics = &metrics,
        .info = &info,
        .engine = {.prompt_tokens = 30, .computed_prompt_tokens = 10, .kv_pages_free = 25},
        .http = {.connections = 3}};
    metrics_write(&sources, &out);
    assert_false(out.failed);
    static const char *const wanted[] = {
        "vllm:kv_cache_usage_perc{model_name=\"a \\\"b\\\"\\\\c\"} 0.75\n",
        "vllm:prefix_cache_hits_total{model_name=\"a \\\"b\\\"\\\\c\"} 20\n",
        "vllm:time_to_first_token_seconds_bucket{model_name=\"a \\\"b\\\"\\\\c\",le=\"0.025\"} "
        "1\n",
        "vllm:time_to_first_token_seconds_bucket{model_name=\"a \\\"b\\\"\\\\c\",le=\"0.25\"} "
        "2\n",
        "vllm:time_to_first_token_seconds_bucket{model_name=\"a \\\"b\\\"\\\\c\",le=\"+Inf\"} "
        "3\n",
        "vllm:time_to_first_token_seconds_sum{model_name=\"a \\\"b\\\"\\\\c\"} 5000.220000\n",
        "finished_reason=\"length\"} 2\n",
        "cohort:http_connections{model_name=\"a \\\"b\\\"\\\\c\"} 3\n"};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (!strstr(out.data, wanted[i]))
            fail_msg("%s is not in:\n%s", wanted[i], out.data);
    for (char *line = strtok(out.data, "\n"); line; line = strtok(NULL, "\n")) {
        char name[96], rest[256];
        double value;
        if (strncmp(line, "# ", 2) == 0)
            continue;
        if (sscanf(line, "%95[a-z0-9_:]{%255[^}]} %lf", name, rest, &value) != 3)
            fail_msg("%s", line);
    }
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_text_is_prometheus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
