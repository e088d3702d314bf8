/* metrics - see metrics.h. */
#include "protocol/api/metrics.h"

#include <assert.h>
#include <inttypes.h>

/* Of the seconds of a token, and of a whole request. */
static const double TOKEN_BOUNDS[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1,
                                      0.15,  0.2,    0.3,   0.4,  0.5,   0.75, 1,     2.5};
static const double WHOLE_BOUNDS[] = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1,   2.5, 5,
                                      7.5,  10,    20,   40,  80,   160, 320,  640, 1280};

static_assert(sizeof TOKEN_BOUNDS / sizeof *TOKEN_BOUNDS <= METRICS_BUCKETS_MAX &&
                  sizeof WHOLE_BOUNDS / sizeof *WHOLE_BOUNDS <= METRICS_BUCKETS_MAX,
              "a bucket for each bound");

static const struct time {
    const char *name, *help;
    const double *bounds;
    uint32_t count;
} TIMES[METRICS_TIMES] = {
    [METRICS_FIRST_TOKEN] = {"vllm:time_to_first_token_seconds",
                             "From a request to its first token.", WHOLE_BOUNDS,
                             sizeof WHOLE_BOUNDS / sizeof *WHOLE_BOUNDS},
    [METRICS_INTER_TOKEN] = {"vllm:inter_token_latency_seconds",
                             "From a token to the next of the same answer.", TOKEN_BOUNDS,
                             sizeof TOKEN_BOUNDS / sizeof *TOKEN_BOUNDS},
    [METRICS_WHOLE] = {"vllm:e2e_request_latency_seconds", "From a request to its end.",
                       WHOLE_BOUNDS, sizeof WHOLE_BOUNDS / sizeof *WHOLE_BOUNDS},
};

static const char *const FINISHES[] = {[ENGINE_STOP] = "stop",
                                       [ENGINE_LENGTH] = "length",
                                       [ENGINE_CANCELLED] = "abort",
                                       [ENGINE_FAILED] = "error",
                                       [ENGINE_DEADLINE] = "deadline"};

void metrics_add_time(struct metrics *metrics, enum metrics_time which, double seconds)
{
    const struct time *time = &TIMES[which];
    uint32_t bucket = 0;
    while (bucket < time->count && seconds > time->bounds[bucket])
        bucket++;
    atomic_fetch_add(&metrics->times[which].counts[bucket], 1);
    atomic_fetch_add(&metrics->times[which].sum_us,
                     seconds > 0 ? (uint64_t)(seconds * 1e6) : 0);
}

static void head(struct text_buf *out, const char *name, const char *type, const char *help)
{
    text_buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* label: the model's name, escaped, in braces. */
static void gauge(struct text_buf *out, const char *label, const char *name, double value,
                  const char *help)
{
    head(out, name, "gauge", help);
    text_buf_format(out, "%s{%s} %.10g\n", name, label, value);
}

static void counter(struct text_buf *out, const char *label, const char *name, uint64_t value,
                    const char *help)
{
    head(out, name, "counter", help);
    text_buf_format(out, "%s{%s} %" PRIu64 "\n", name, label, value);
}

static void histogram(struct text_buf *out, const char *label, const struct time *time,
                      struct metrics_histogram *from)
{
    uint64_t count = 0;
    head(out, time->name, "histogram", time->help);
    for (uint32_t i = 0; i <= time->count; i++) {
        count += atomic_load(&from->counts[i]);
        text_buf_format(out, "%s_bucket{%s,le=\"", time->name, label);
        if (i < time->count)
            text_buf_format(out, "%g", time->bounds[i]);
        text_buf_format(out, "%s\"} %" PRIu64 "\n", i < time->count ? "" : "+Inf", count);
    }
    text_buf_format(out, "%s_sum{%s} %.6f\n%s_count{%s} %" PRIu64 "\n", time->name, label,
                    (double)atomic_load(&from->sum_us) / 1e6, time->name, label, count);
}

/* model_name="...", with what a label may not hold escaped. */
static void make_label(struct text_buf *label, const char *name)
{
    text_buf_add(label, TEXT("model_name=\""));
    for (; *name; name++) {
        if (*name == '"' || *name == '\\')
            text_buf_byte(label, '\\');
        text_buf_byte(label, *name == '\n' ? ' ' : *name);
    }
    text_buf_byte(label, '"');
    text_buf_byte(label, 0);
}

static void write_engine(const struct metrics_sources *from, const char *label,
                         struct text_buf *out)
{
    const struct engine_stats *stats = &from->engine;
    const double pages = from->info->kv_pages;
    gauge(out, label, "vllm:num_requests_running", stats->sequences_running,
          "Sequences in the batch.");
    gauge(out, label, "vllm:num_requests_waiting", stats->jobs_waiting, "Jobs that wait.");
    gauge(out, label, "vllm:kv_cache_usage_perc",
          pages > 0 ? 1 - stats->kv_pages_free / pages : 0, "Share of the KV pages in use.");
    counter(out, label, "vllm:prompt_tokens_total", stats->prompt_tokens, "Tokens of prompts.");
    counter(out, label, "vllm:generation_tokens_total", stats->output_tokens,
            "Tokens of answers.");
    counter(out, label, "vllm:prefix_cache_queries_total", stats->prompt_tokens,
            "Tokens of prompts that were looked for in the KV cache.");
    counter(out, label, "vllm:prefix_cache_hits_total",
            stats->prompt_tokens > stats->computed_prompt_tokens
                ? stats->prompt_tokens - stats->computed_prompt_tokens
                : 0,
            "Tokens of prompts that were found there.");
    counter(out, label, "vllm:num_preemptions_total", stats->preemptions,
            "Sequences put back for want of pages.");
    counter(out, label, "cohort:steps_total", stats->steps, "Steps of the engine.");
    gauge(out, label, "cohort:cancel_steps_max", (double)stats->cancel_steps_max,
          "Steps that ended between a request's cancelling and its end, at most.");
    counter(out, label, "cohort:drafted_tokens_total", stats->drafted_tokens,
            "Tokens guessed ahead.");
    counter(out, label, "cohort:accepted_tokens_total", stats->accepted_tokens,
            "Of them, guessed rightly.");
}

void metrics_write(const struct metrics_sources *from, struct text_buf *out)
{
    struct text_buf label = {0};
    make_label(&label, from->info->model_name);
    if (label.failed) {
        out->failed = true;
        text_buf_deinit(&label);
        return;
    }
    write_engine(from, label.data, out);
    for (int i = 0; i < METRICS_TIMES; i++)
        histogram(out, label.data, &TIMES[i], &from->metrics->times[i]);
    head(out, "vllm:request_success_total", "counter", "Answers that ended, by why.");
    for (int i = 0; i <= ENGINE_DEADLINE; i++)
        text_buf_format(out,
                        "vllm:request_success_total{%s,finished_reason=\"%s\"} %" PRIu64 "\n",
                        label.data, FINISHES[i], atomic_load(&from->metrics->finished[i]));
    gauge(out, label.data, "cohort:http_connections", from->http.connections,
          "Connections that are open.");
    gauge(out, label.data, "cohort:http_requests", from->http.requests,
          "Requests that are held.");
    gauge(out, label.data, "cohort:flights", from->flights,
          "Requests that the engine works on.");
    gauge(out, label.data, "cohort:http_body_bytes", (double)from->http.body_bytes,
          "Of the bodies of requests that are held.");
    counter(out, label.data, "cohort:http_refused_total", from->http.refused,
            "Requests answered 429, since too many were held, or too slow to be read.");
    text_buf_deinit(&label);
}
