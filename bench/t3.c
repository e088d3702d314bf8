/*
 * t3 - the headline workload: chunks x jobs, each job a chunk's shared tokens and its own.
 *
 * Prompts are random token ids, end-of-text is ignored and sampling is greedy, so that every
 * job writes exactly its output tokens and the work is the same for every engine. Logical
 * prompt tokens are those that the jobs have, computed ones those that went through the model;
 * ideal is each chunk's shared tokens once and each job's own once.
 */
#include "base/clock.h"
#include "base/json.h"
#include "engine/engine.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { ID_FIRST = 300, ID_END = 40000, EVENTS = 256 };

struct settings {
    struct engine_options options;
    uint32_t chunks, jobs, shared, own, out;
    bool by_task, json;
};

struct result {
    double took_s, open_s;
    struct engine_stats stats;
    uint64_t *texts;   /* [chunks * jobs] a hash of each job's output tokens */
    uint64_t checksum; /* over texts: equal for equal outputs, whatever the order */
    uint32_t failed;
};

static const char usage[] =
    "usage: t3 -m MODEL [--chunks 32] [--jobs 3] [--shared 800] [--own 250] [--out 64]\n"
    "          [--order chunk|task] [--precision int8|exact] [--threads N] [--sequences N]\n"
    "          [--step N] [--kv auto|f32|f16|int8] [--json]\n";

/* SplitMix64 (Steele, Lea, Flood 2014): the same ids on every machine. */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void fill(token_id *tokens, uint32_t count, uint32_t vocab, uint64_t seed)
{
    const uint32_t first = vocab > 2 * ID_FIRST ? ID_FIRST : vocab / 2;
    const uint32_t end = vocab < ID_END ? vocab : ID_END;
    for (uint32_t i = 0; i < count; i++)
        tokens[i] = (token_id)(first + random_next(&seed) % (end - first));
}

static enum status submit_all(struct engine *engine, const struct settings *settings,
                              struct error *err)
{
    const uint32_t vocab = engine_info(engine)->vocab;
    const uint32_t count = settings->chunks * settings->jobs;
    const uint32_t prompt_tokens = settings->shared + settings->own;
    token_id *prompt = malloc(prompt_tokens * sizeof *prompt);
    if (!prompt)
        FAIL(err, ERR_MEMORY, "no memory for a prompt of %u tokens", prompt_tokens);
    enum status status = OK;
    for (uint32_t i = 0; i < count && status == OK; i++) {
        const uint32_t chunk = settings->by_task ? i % settings->chunks : i / settings->jobs;
        const uint32_t task = settings->by_task ? i / settings->chunks : i % settings->jobs;
        const uint32_t tag = chunk * settings->jobs + task;
        fill(prompt, settings->shared, vocab, 1 + chunk);
        fill(prompt + settings->shared, settings->own, vocab, 1000000 + tag);
        const struct engine_job job = {.prompt = prompt,
                                       .prompt_tokens = prompt_tokens,
                                       .max_tokens = settings->out,
                                       .ignore_end = true,
                                       .tag = tag};
        uint64_t id;
        status = engine_submit(engine, &job, &id, err);
    }
    free(prompt);
    return status;
}

static void wait_all(struct engine *engine, struct result *result)
{
    struct engine_event events[EVENTS];
    size_t count;
    while ((count = engine_poll(engine, events, EVENTS, -1)) > 0)
        for (size_t i = 0; i < count; i++) {
            uint64_t *text = &result->texts[events[i].tag];
            if (events[i].kind == ENGINE_DONE)
                result->failed += events[i].finish == ENGINE_FAILED;
            else if (events[i].token != TOKEN_NONE)
                *text = (*text ^ (uint64_t)events[i].token) * 0x9e3779b97f4a7c15u + 1;
        }
}

static enum status run(const struct settings *settings, struct result *result,
                       struct engine_info *info, struct error *err)
{
    struct engine *engine;
    const double begin = clock_now_s();
    TRY(engine_open(&engine, &settings->options, err));
    result->open_s = clock_now_s() - begin;
    *info = *engine_info(engine);
    const double start = clock_now_s();
    const enum status status = submit_all(engine, settings, err);
    if (status == OK) {
        wait_all(engine, result);
        result->took_s = clock_now_s() - start;
        for (uint32_t i = 0; i < settings->chunks * settings->jobs; i++)
            result->checksum = (result->checksum ^ result->texts[i]) * 0xff51afd7ed558ccdu + 1;
        engine_stats(engine, &result->stats);
    }
    engine_close(engine);
    return status;
}

static double per(double amount, double seconds)
{
    return seconds > 0 ? amount / seconds : 0;
}

static double ideal_tokens(const struct settings *settings)
{
    return (double)settings->chunks *
           (settings->shared + (double)settings->jobs * settings->own);
}

static double peak_rss_mib(void)
{
    struct rusage used;
    return getrusage(RUSAGE_SELF, &used) == 0 ? (double)used.ru_maxrss / 1024 : 0;
}

static const char *precision_name(const struct engine_info *info)
{
    return info->precision == ENGINE_INT8 ? "int8" : "exact";
}

static void print_text(const struct settings *settings, const struct result *result,
                       const struct engine_info *info)
{
    const struct engine_stats *stats = &result->stats;
    const uint32_t jobs = settings->chunks * settings->jobs;
    const double computed = (double)stats->computed_prompt_tokens;
    const double ideal = ideal_tokens(settings);
    printf("%s, %s, KV %s, %s, %u threads, %s order: %u jobs in %.2f s = %.4f jobs/s\n",
           info->model_name, precision_name(info), info->kv, info->simd, info->threads,
           settings->by_task ? "task" : "chunk", jobs, result->took_s,
           per(jobs, result->took_s));
    printf("prompt tokens: logical %.0f, computed %.0f, ideal %.0f, ratio %.4f\n",
           (double)stats->prompt_tokens, computed, ideal, computed / ideal);
    printf("steps %.0f: mostly prefill %.2f s, mostly decode %.2f s, host %.3f s\n",
           (double)stats->steps, stats->prefill_s, stats->decode_s,
           result->took_s - stats->busy_s);
    printf("over the whole run: computed prompt %.1f tokens/s, output %.1f tokens/s\n",
           per(computed, result->took_s), per((double)stats->output_tokens, result->took_s));
    printf("preemptions %.0f, failed %u, peak RSS %.0f MiB, opened in %.2f s, "
           "checksum %016llx\n",
           (double)stats->preemptions, result->failed, peak_rss_mib(), result->open_s,
           (unsigned long long)result->checksum);
}

static void json_number(struct json_writer *w, const char *key, double value)
{
    json_write_key(w, key);
    json_write_double(w, value);
}

static void json_word(struct json_writer *w, const char *key, const char *value)
{
    json_write_key(w, key);
    json_write_text(w, text_of(value));
}

static void print_json(const struct settings *settings, const struct result *result,
                       const struct engine_info *info)
{
    const struct engine_stats *stats = &result->stats;
    const uint32_t jobs = settings->chunks * settings->jobs;
    const double computed = (double)stats->computed_prompt_tokens;
    char checksum[20];
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    (void)snprintf(checksum, sizeof checksum, "%016llx", (unsigned long long)result->checksum);
    json_write_object(&w);
    json_word(&w, "model", info->model_name);
    json_word(&w, "precision", precision_name(info));
    json_word(&w, "kv", info->kv);
    json_word(&w, "simd", info->simd);
    json_word(&w, "order", settings->by_task ? "task" : "chunk");
    json_word(&w, "checksum", checksum);
    json_number(&w, "threads", info->threads);
    json_number(&w, "jobs", jobs);
    json_number(&w, "seconds", result->took_s);
    json_number(&w, "jobs_per_s", per(jobs, result->took_s));
    json_number(&w, "logical_prompt_tokens", (double)stats->prompt_tokens);
    json_number(&w, "computed_prompt_tokens", computed);
    json_number(&w, "ideal_prompt_tokens", ideal_tokens(settings));
    json_number(&w, "computed_over_ideal", computed / ideal_tokens(settings));
    json_number(&w, "output_tokens", (double)stats->output_tokens);
    json_number(&w, "computed_prompt_tokens_per_s", per(computed, result->took_s));
    json_number(&w, "output_tokens_per_s", per((double)stats->output_tokens, result->took_s));
    json_number(&w, "steps", (double)stats->steps);
    json_number(&w, "prefill_s", stats->prefill_s);
    json_number(&w, "decode_s", stats->decode_s);
    json_number(&w, "host_s", result->took_s - stats->busy_s);
    json_number(&w, "preemptions", (double)stats->preemptions);
    json_number(&w, "failed", result->failed);
    json_number(&w, "peak_rss_mib", peak_rss_mib());
    json_number(&w, "open_s", result->open_s);
    json_write_object_end(&w);
    printf("%.*s\n", TEXT_ARG(text_buf_text(&out)));
    text_buf_deinit(&out);
}

static bool read_count(const char *text, uint32_t *out)
{
    char *end;
    const unsigned long value = strtoul(text, &end, 10);
    if (*text == '-' || *end != '\0' || value > 1000000)
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool read_word(const char *text, const char *const *words, int *out)
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(text, words[i])) {
            *out = i;
            return true;
        }
    return false;
}

static bool read_option(struct settings *settings, int which, const char *text)
{
    static const char *const orders[] = {"chunk", "task", NULL};
    static const char *const precisions[] = {"exact", "int8", NULL};
    static const char *const kvs[] = {"auto", "f32", "f16", "int8", NULL};
    uint32_t *const counts[] = {&settings->chunks,
                                &settings->jobs,
                                &settings->shared,
                                &settings->own,
                                &settings->out,
                                &settings->options.threads,
                                &settings->options.sequences_max,
                                &settings->options.step_tokens};
    int word = 0;
    bool is_valid = true;
    if (which >= '0' && which < '0' + (int)(sizeof counts / sizeof *counts)) {
        is_valid = read_count(text, counts[which - '0']);
    } else if (which == 'm') {
        settings->options.model_path = text;
    } else if (which == 'o') {
        is_valid = read_word(text, orders, &word);
        settings->by_task = word == 1;
    } else if (which == 'p') {
        is_valid = read_word(text, precisions, &word);
        settings->options.precision = (enum engine_precision)word;
    } else if (which == 'k') {
        is_valid = read_word(text, kvs, &word);
        settings->options.kv = (enum engine_kv)word;
    } else {
        settings->json = which == 'j';
        is_valid = which == 'j';
    }
    return is_valid;
}

static int bench(const struct settings *settings)
{
    struct result result = {
        .texts = calloc((size_t)settings->chunks * settings->jobs, sizeof(uint64_t))};
    struct engine_info info;
    struct error err;
    if (!result.texts || run(settings, &result, &info, &err) != OK) {
        fprintf(stderr, "t3: %s\n", result.texts ? err.text : "no memory for the results");
        free(result.texts);
        return 1;
    }
    (settings->json ? print_json : print_text)(settings, &result, &info);
    free(result.texts);
    return result.failed > 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"model", required_argument, NULL, 'm'},
                                            {"chunks", required_argument, NULL, '0'},
                                            {"jobs", required_argument, NULL, '1'},
                                            {"shared", required_argument, NULL, '2'},
                                            {"own", required_argument, NULL, '3'},
                                            {"out", required_argument, NULL, '4'},
                                            {"threads", required_argument, NULL, '5'},
                                            {"sequences", required_argument, NULL, '6'},
                                            {"step", required_argument, NULL, '7'},
                                            {"order", required_argument, NULL, 'o'},
                                            {"precision", required_argument, NULL, 'p'},
                                            {"kv", required_argument, NULL, 'k'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    struct settings settings = {.options.precision = ENGINE_INT8,
                                .chunks = 32,
                                .jobs = 3,
                                .shared = 800,
                                .own = 250,
                                .out = 64};
    int which;
    while ((which = getopt_long(argc, argv, "m:", options, NULL)) != -1)
        if (!read_option(&settings, which, optarg)) {
            fputs(usage, stderr);
            return 64;
        }
    if (!settings.options.model_path || settings.chunks == 0 || settings.jobs == 0 ||
        settings.shared + settings.own == 0 || settings.out == 0 || optind != argc) {
        fputs(usage, stderr);
        return 64;
    }
    return bench(&settings);
}
