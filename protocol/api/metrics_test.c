/* metrics_test - Prometheus' text: lines of its form, buckets that add up, escaped labels. */
#include "protocol/api/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The model's name, and how a label spells it. */
#define NAME  "a \"b\"\\c\nd"
#define LABEL "{model_name=\"a \\\"b\\\"\\\\c d\""

static struct text_buf written(struct metrics_sources sources)
{
    struct engine_info info = {.kv_pages = 100};
    struct text_buf out = {0};
    (void)strcpy(info.model_name, NAME);
    sources.info = &info;
    metrics_write(&sources, &out);
    assert_false(out.failed);
    return out;
}

static void expect_lines(const struct text_buf *out, const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strstr(out->data, lines[i]))
            fail_msg("%s is not in:\n%s", lines[i], out->data);
}

static void numbers_stand_under_their_names(void **state)
{
    static struct metrics metrics;
    const struct metrics_sources sources = {
        .metrics = &metrics,
        .engine = {.prompt_tokens = 30,
                   .computed_prompt_tokens = 10,
                   .output_tokens = 7,
                   .kv_pages_free = 25,
                   .sequences_running = 4,
                   .jobs_waiting = 5,
                   .preemptions = 6,
                   .steps = 8,
                   .drafted_tokens = 9,
                   .accepted_tokens = 3},
        .http = {.connections = 11, .requests = 12, .body_bytes = 13, .refused = 14},
        .flights = 15};
    static const char *const lines[] = {"\nvllm:num_requests_running" LABEL "} 4\n",
                                        "\nvllm:num_requests_waiting" LABEL "} 5\n",
                                        "\nvllm:kv_cache_usage_perc" LABEL "} 0.75\n",
                                        "\nvllm:prompt_tokens_total" LABEL "} 30\n",
                                        "\nvllm:generation_tokens_total" LABEL "} 7\n",
                                        "\nvllm:prefix_cache_queries_total" LABEL "} 30\n",
                                        "\nvllm:prefix_cache_hits_total" LABEL "} 20\n",
                                        "\nvllm:num_preemptions_total" LABEL "} 6\n",
                                        "\ncohort:steps_total" LABEL "} 8\n",
                                        "\ncohort:drafted_tokens_total" LABEL "} 9\n",
                                        "\ncohort:accepted_tokens_total" LABEL "} 3\n",
                                        "\ncohort:http_connections" LABEL "} 11\n",
                                        "\ncohort:http_requests" LABEL "} 12\n",
                                        "\ncohort:http_body_bytes" LABEL "} 13\n",
                                        "\ncohort:http_refused_total" LABEL "} 14\n",
                                        "\ncohort:flights" LABEL "} 15\n"};
    (void)state;
    struct text_buf out = written(sources);
    expect_lines(&out, lines, sizeof lines / sizeof lines[0]);
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

/* A prompt that was put back is computed twice: more than there were to look for. */
static void what_was_computed_twice_is_no_hit(void **state)
{
    static struct metrics metrics;
    const struct metrics_sources sources = {
        .metrics = &metrics, .engine = {.prompt_tokens = 30, .computed_prompt_tokens = 40}};
    static const char *const lines[] = {"\nvllm:prefix_cache_hits_total" LABEL "} 0\n"};
    (void)state;
    struct text_buf out = written(sources);
    expect_lines(&out, lines, 1);
    text_buf_deinit(&out);
}

#define FIRST "\nvllm:time_to_first_token_seconds"
#define INTER "\nvllm:inter_token_latency_seconds"
#define WHOLE "\nvllm:e2e_request_latency_seconds"

/* A bucket holds what is at most its bound, those below it included. */
static void buckets_add_up(void **state)
{
    static struct metrics metrics;
    static const char *const lines[] = {FIRST "_bucket" LABEL ",le=\"0.01\"} 0\n",
                                        FIRST "_bucket" LABEL ",le=\"0.025\"} 1\n",
                                        FIRST "_bucket" LABEL ",le=\"0.25\"} 2\n",
                                        FIRST "_bucket" LABEL ",le=\"1280\"} 2\n",
                                        FIRST "_bucket" LABEL ",le=\"+Inf\"} 3\n",
                                        FIRST "_sum" LABEL "} 5000.220000\n",
                                        FIRST "_count" LABEL "} 3\n",
                                        INTER "_bucket" LABEL ",le=\"0.1\"} 0\n",
                                        INTER "_bucket" LABEL ",le=\"0.15\"} 1\n",
                                        INTER "_count" LABEL "} 1\n",
                                        WHOLE "_bucket" LABEL ",le=\"0.01\"} 1\n",
                                        WHOLE "_sum" LABEL "} 0.000000\n",
                                        WHOLE "_count" LABEL "} 1\n"};
    (void)state;
    metrics_add_time(&metrics, METRICS_FIRST_TOKEN, 0.02);
    metrics_add_time(&metrics, METRICS_FIRST_TOKEN, 0.2);
    metrics_add_time(&metrics, METRICS_FIRST_TOKEN, 5000);
    metrics_add_time(&metrics, METRICS_INTER_TOKEN, 0.15);
    metrics_add_time(&metrics, METRICS_WHOLE, -1); /* no time that was, and no huge sum */
    struct text_buf out = written((struct metrics_sources){.metrics = &metrics});
    expect_lines(&out, lines, sizeof lines / sizeof lines[0]);
    text_buf_deinit(&out);
}

static void ends_are_told_by_why(void **state)
{
    static struct metrics metrics;
#define ENDED "\nvllm:request_success_total" LABEL ",finished_reason="
    static const char *const lines[] = {ENDED "\"stop\"} 1\n", ENDED "\"length\"} 2\n",
                                        ENDED "\"abort\"} 3\n", ENDED "\"error\"} 4\n",
                                        ENDED "\"deadline\"} 5\n"};
    (void)state;
    metrics.finished[ENGINE_STOP] = 1;
    metrics.finished[ENGINE_LENGTH] = 2;
    metrics.finished[ENGINE_CANCELLED] = 3;
    metrics.finished[ENGINE_FAILED] = 4;
    metrics.finished[ENGINE_DEADLINE] = 5;
    struct text_buf out = written((struct metrics_sources){.metrics = &metrics});
    expect_lines(&out, lines, sizeof lines / sizeof lines[0]);
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stand_under_their_names),
        cmocka_unit_test(what_was_computed_twice_is_no_hit),
        cmocka_unit_test(buckets_add_up),
        cmocka_unit_test(ends_are_told_by_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
