/*
 * metrics - what the server has done and does, for Prometheus, under vLLM's names where vLLM
 * has the same thing.
 *
 * Thread   add from one thread, write from any: numbers are read as they stand.
 */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "base/text.h"
#include "engine/engine.h"
#include "protocol/api/http.h"

#include <stdatomic.h>
#include <stdint.h>

enum { METRICS_BUCKETS_MAX = 20 };

/* Seconds: how many were at most each bound, beside their sum. */
struct metrics_histogram {
    _Atomic uint64_t counts[METRICS_BUCKETS_MAX + 1]; /* the last: above all bounds */
    _Atomic uint64_t sum_us;
};

enum metrics_time {
    METRICS_FIRST_TOKEN, /* from the request to its first token */
    METRICS_INTER_TOKEN, /* from a token to the next of the same choice */
    METRICS_WHOLE,       /* from the request to its end */
    METRICS_TIMES
};

struct metrics {
    struct metrics_histogram times[METRICS_TIMES];
    _Atomic uint64_t finished[ENGINE_DEADLINE + 1]; /* choices, by enum engine_finish */
};

void metrics_add_time(struct metrics *metrics, enum metrics_time which, double seconds);

/* What the numbers are of. */
struct metrics_sources {
    struct metrics *metrics;
    const struct engine_info *info;
    struct engine_stats engine;
    struct http_counts http;
    uint32_t flights;
};

/* Prometheus' text format, version 0.0.4; out->failed where memory lacks. */
void metrics_write(const struct metrics_sources *sources, struct text_buf *out);

#endif
