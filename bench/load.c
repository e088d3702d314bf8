/*
 * load - see load.h.
 *
 * The roofline MODEL of a load: each computed prompt token costs 2 operations per parameter of
 * the layers, each output token those of the head too; a decode step reads all weights, and
 * each output token the keys and values before it; of the two, decode takes the longer.
 * Attention's operations are not in it. Rates (load_roof) are measured before the engine opens,
 * in the same process.
 */
#include "bench/load.h"

#include "base/clock.h"
#include "base/json.h"
#include "bench/op_times.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { ID_FIRST = 300, ID_END = 40000, EVENTS = 256 };

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

static enum status submit(struct engine *engine, const struct load_job *job, uint64_t tag,
                          struct error *err)
{
    const uint32_t vocab = engine_info(engine)->vocab, tokens = job->shared + job->own;
    token_id *prompt = malloc((tokens > 0 ? tokens : 1) * sizeof *prompt);
    uint64_t id;
    if (!prompt)
        FAIL(err, ERR_MEMORY, "no memory for a prompt of %u tokens", tokens);
    fill(prompt, job->shared, vocab, 1 + (uint64_t)job->group);
    fill(prompt + job->shared, job->own, vocab, 1000000 + (uint64_t)job->number);
    const struct engine_job wanted = {.prompt = prompt,
                                      .prompt_tokens = tokens,
                                      .max_tokens = job->out,
                                      .ignore_end = true,
                                      .tag = tag};
    const enum status status = engine_submit(engine, &wanted, &id, err);
    free(prompt);
    return status;
}

static void wait_all(struct engine *engine, const struct load *load, struct load_result *result)
{
    struct engine_event events[EVENTS];
    size_t count;
    while ((count = engine_poll(engine, events, EVENTS, -1)) > 0)
        for (size_t i = 0; i < count; i++) {
            uint64_t *text = &result->texts[load->jobs[events[i].tag].number];
            if (events[i].kind == ENGINE_DONE)
                result->failed += events[i].finish == ENGINE_FAILED;
            else if (events[i].token != TOKEN_NONE)
                *text = (*text ^ (uint64_t)events[i].token) * 0x9e3779b97f4a7c15u + 1;
        }
}

static enum status submit_all(struct engine *engine, const struct load *load,
                              struct load_result *result, struct error *err)
{
    for (uint32_t i = 0; i < load->count; i++) {
        if (i > 0 && load->jobs[i].wave != load->jobs[i - 1].wave)
            wait_all(engine, load, result);
        TRY(submit(engine, &load->jobs[i], i, err));
    }
    wait_all(engine, load, result);
    return OK;
}

double load_model_s(const struct load *load, const struct load_result *result)
{
    const struct engine_info *info = &result->info;
    const double head = (double)info->vocab * info->hidden;
    const double layers = (double)info->layer_parameters;
    const double kv_token =
        (double)info->kv_bytes / ((double)info->kv_pages * (double)info->page_tokens);
    const double beside = load->count < info->sequences_max ? load->count : info->sequences_max;
    double bytes = 0, out = 0;
    for (uint32_t i = 0; i < load->count; i++) {
        const struct load_job *job = &load->jobs[i];
        bytes += job->out * ((double)info->weight_bytes / beside +
                             kv_token * (job->shared + job->own + 0.5 * job->out));
        out += job->out;
    }
    const double computed = (double)result->stats.computed_prompt_tokens;
    return load_roof_s(&result->roof, 0, 2 * layers * computed) +
           load_roof_s(&result->roof, bytes, 2 * (layers + head) * out);
}

static enum status run_open(struct engine *engine, const struct load *load, bool times_ops,
                            struct load_result *result, struct error *err)
{
    result->info = *engine_info(engine);
    if (times_ops)
        op_times_reset();
    const double start = clock_now_s(), start_cpu = clock_cpu_s();
    TRY(submit_all(engine, load, result, err));
    result->took_s = clock_now_s() - start;
    result->cpu_s = clock_cpu_s() - start_cpu;
    for (uint32_t i = 0; i < load->count; i++)
        result->checksum = (result->checksum ^ result->texts[i]) * 0xff51afd7ed558ccdu + 1;
    engine_stats(engine, &result->stats);
    const struct op_times_slot *slots;
    int32_t count;
    return times_ops ? op_times_read(&slots, &count, err) : OK;
}

static enum device_kind kind_of(enum engine_device device)
{
    return device == ENGINE_CUDA ? DEVICE_CUDA : device == ENGINE_EMU ? DEVICE_EMU : DEVICE_CPU;
}

enum status load_run(const struct load *load, const struct engine_options *options,
                     bool times_ops, struct load_result *result, struct error *err)
{
    struct engine_options wanted = *options;
    const struct device_options where = {.kind = kind_of(options->device),
                                         .threads = options->threads,
                                         .simd_max = DEVICE_SIMD_WIDEST};
    struct engine *engine;
    *result = (struct load_result){.texts = calloc(load->count + 1, sizeof(uint64_t))};
    if (!result->texts)
        FAIL(err, ERR_MEMORY, "no memory for the results of %u jobs", load->count);
    const struct ops *ops = ops_of(where.kind);
    if (times_ops && ops)
        wanted.ops = op_times_of(ops);
    TRY(load_roof_measure(&result->roof, &where, options->precision == ENGINE_INT8, err));
    const double begin = clock_now_s();
    TRY(engine_open(&engine, &wanted, err));
    result->open_s = clock_now_s() - begin;
    const enum status status = run_open(engine, load, wanted.ops != NULL, result, err);
    engine_close(engine);
    if (status == OK)
        result->model_s = load_model_s(load, result);
    return status;
}

void load_result_deinit(struct load_result *result)
{
    free(result->texts);
    *result = (struct load_result){0};
}

/* ---- what is told of it ---- */

static double per(double amount, double seconds)
{
    return seconds > 0 ? amount / seconds : 0;
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

/* Of the processor time: what others run on the machine is not in it. A GPU has none. */
static double cpu_share(const struct load_result *result)
{
    const bool is_cpu = strcmp(result->info.device, "cpu") == 0;
    return is_cpu ? per(result->model_s * result->info.threads, result->cpu_s) : 0;
}

static void print_roof(const struct load_result *result)
{
    const double share = cpu_share(result);
    if (!(result->model_s > 0))
        return;
    printf("roofline MODEL %.2f s: reached %.1f %%", result->model_s,
           100 * per(result->model_s, result->took_s));
    if (share > 0)
        printf(", by processor time %.1f %%", 100 * share);
    printf("; %s\n", result->roof.about);
}

static void print_gaps(const char *name, double seconds, int64_t count, double took_s)
{
    printf("    %-28s %9.3f s %5.1f %%  %9lld gaps  %.1f us each\n", name, seconds,
           100 * per(seconds, took_s), (long long)count, 1e6 * per(seconds, (double)count));
}

/* Marks are events of a GPU's stream, elsewhere the host's clock: all of the run is in here. */
static void print_ops(double took_s)
{
    const struct op_times_slot *slots;
    int32_t count;
    double sum = 0;
    if (op_times_read(&slots, &count, NULL) != OK)
        return;
    for (int32_t i = 0; i < count; i++)
        sum += slots[i].us * 1e-6;
    if (count > 0)
        printf("by op, of %.3f s in all:\n", took_s);
    for (int32_t i = 0; i < count; i++) {
        printf("    %-28s %9.3f s %5.1f %%  %9lld calls", slots[i].name, slots[i].us * 1e-6,
               100 * per(slots[i].us * 1e-6, took_s), (long long)slots[i].calls);
        if (slots[i].operations > 0)
            printf("  %.3f T/s", per(slots[i].operations, slots[i].us) * 1e-6);
        printf("\n");
    }
    const struct op_times_gaps gaps = op_times_gaps();
    if (count == 0)
        return;
    print_gaps("gaps between ops of a step", gaps.inside_us * 1e-6, gaps.inside, took_s);
    print_gaps("gaps between steps", gaps.between_us * 1e-6, gaps.between, took_s);
    printf("    %-28s %9.3f s %5.1f %%\n", "neither (first, last, reads)",
           took_s - sum - 1e-6 * (gaps.inside_us + gaps.between_us),
           100 * per(took_s - sum - 1e-6 * (gaps.inside_us + gaps.between_us), took_s));
}

void load_print(const struct load *load, const struct load_result *result)
{
    const struct engine_stats *stats = &result->stats;
    const struct engine_info *info = &result->info;
    const double computed = (double)stats->computed_prompt_tokens;
    printf("%s: %s, %s, KV %s, %s: %u jobs in %.2f s = %.4f jobs/s\n", load->name,
           info->model_name, precision_name(info), info->kv, info->device_name, load->count,
           result->took_s, per(load->count, result->took_s));
    printf("prompt tokens: logical %.0f (%.1f/s), computed %.0f (%.1f/s), ideal %.0f, ratio "
           "%.4f\n",
           (double)stats->prompt_tokens, per((double)stats->prompt_tokens, result->took_s),
           computed, per(computed, result->took_s), load->ideal_tokens,
           per(computed, load->ideal_tokens));
    printf("output tokens %.0f (%.1f/s)\n", (double)stats->output_tokens,
           per((double)stats->output_tokens, result->took_s));
    printf("steps %.0f: mostly prefill %.2f s, mostly decode %.2f s, host between steps %.3f "
           "s\n",
           (double)stats->steps, stats->prefill_s, stats->decode_s,
           result->took_s - stats->busy_s);
    print_roof(result);
    if (load->assumed[0] != '\0')
        printf("%s\n", load->assumed);
    if (load->recorded_jobs_per_s > 0)
        printf("as recorded, on the server used then: %.2f jobs/s\n",
               load->recorded_jobs_per_s);
    printf("preemptions %.0f, failed %u, peak RSS %.0f MiB, opened in %.2f s, checksum "
           "%016llx\n",
           (double)stats->preemptions, result->failed, peak_rss_mib(), result->open_s,
           (unsigned long long)result->checksum);
    print_ops(result->took_s);
}

static void json_ops(struct json_writer *w)
{
    const struct op_times_slot *slots;
    int32_t count = 0;
    if (op_times_read(&slots, &count, NULL) != OK || count == 0)
        return;
    json_write_key(w, "ops_s");
    json_write_object(w);
    for (int32_t i = 0; i < count; i++)
        json_write_key_double(w, slots[i].name, slots[i].us * 1e-6);
    json_write_object_end(w);
    const struct op_times_gaps gaps = op_times_gaps();
    json_write_key_double(w, "gaps_in_steps_s", gaps.inside_us * 1e-6);
    json_write_key_double(w, "gaps_between_steps_s", gaps.between_us * 1e-6);
}

/* Nothing where nothing was measured. */
static void json_roof(struct json_writer *w, const struct load_result *result)
{
    if (!(result->model_s > 0))
        return;
    json_write_key_double(w, "model_s", result->model_s);
    json_write_key_double(w, "roofline_share", per(result->model_s, result->took_s));
    if (cpu_share(result) > 0)
        json_write_key_double(w, "roofline_share_of_cpu", cpu_share(result));
    json_write_key_double(w, "roof_gb_per_s", result->roof.bytes_per_s * 1e-9);
    json_write_key_double(w, "roof_tera_per_s", result->roof.operations_per_s * 1e-12);
    json_write_key_text(w, "roof", text_of(result->roof.about));
}

static void json_counts(struct json_writer *w, const struct load *load,
                        const struct load_result *result)
{
    const struct engine_stats *stats = &result->stats;
    const double computed = (double)stats->computed_prompt_tokens;
    json_write_key_double(w, "threads", result->info.threads);
    json_write_key_double(w, "jobs", load->count);
    json_write_key_double(w, "jobs_per_chunk", per(load->count, load->chunks));
    json_write_key_double(w, "seconds", result->took_s);
    json_write_key_double(w, "cpu_s", result->cpu_s);
    json_write_key_double(w, "jobs_per_s", per(load->count, result->took_s));
    json_write_key_double(w, "logical_prompt_tokens", (double)stats->prompt_tokens);
    json_write_key_double(w, "computed_prompt_tokens", computed);
    json_write_key_double(w, "ideal_prompt_tokens", load->ideal_tokens);
    json_write_key_double(w, "computed_over_ideal", per(computed, load->ideal_tokens));
    json_write_key_double(w, "output_tokens", (double)stats->output_tokens);
    json_write_key_double(w, "logical_prompt_tokens_per_s",
                          per((double)stats->prompt_tokens, result->took_s));
    json_write_key_double(w, "computed_prompt_tokens_per_s", per(computed, result->took_s));
    json_write_key_double(w, "output_tokens_per_s",
                          per((double)stats->output_tokens, result->took_s));
    json_write_key_double(w, "steps", (double)stats->steps);
    json_write_key_double(w, "prefill_s", stats->prefill_s);
    json_write_key_double(w, "decode_s", stats->decode_s);
    json_write_key_double(w, "host_s", result->took_s - stats->busy_s);
    json_write_key_double(w, "preemptions", (double)stats->preemptions);
    json_write_key_double(w, "failed", result->failed);
    json_write_key_double(w, "peak_rss_mib", peak_rss_mib());
    json_write_key_double(w, "open_s", result->open_s);
}

void load_print_json(const struct load *load, const struct load_result *result)
{
    char checksum[20];
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    (void)snprintf(checksum, sizeof checksum, "%016llx", (unsigned long long)result->checksum);
    json_write_object(&w);
    json_write_key_text(&w, "load", text_of(load->name));
    json_write_key_text(&w, "model", text_of(result->info.model_name));
    json_write_key_text(&w, "precision", text_of(precision_name(&result->info)));
    json_write_key_text(&w, "kv", text_of(result->info.kv));
    json_write_key_text(&w, "device", text_of(result->info.device_name));
    json_write_key_text(&w, "simd", text_of(result->info.simd));
    json_write_key_text(&w, "checksum", text_of(checksum));
    json_write_key_text(&w, "assumed", text_of(load->assumed));
    json_counts(&w, load, result);
    json_roof(&w, result);
    json_ops(&w);
    json_write_object_end(&w);
    printf("%.*s\n", TEXT_ARG(text_buf_text(&out)));
    text_buf_deinit(&out);
}
