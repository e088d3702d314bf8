/*
 * engine_test [emu|cuda] - the whole engine on the emulated device, or on a real one: the GPU's
 * kernels, from paged KV to sampling, behind the door that everybody uses.
 *
 * They give the CPU's tokens; and whatever runs beside a job, however its prompt is cut and
 * whoever computed its beginning, its tokens and log-probabilities are the same bits. The
 * emulator watches: no race, no read of what nobody wrote, no overrun.
 */
#include "engine/engine.h"
#include "engine/model_run.h"
#include "kernels/device_emu.h"
#include "tests/harness/device_here.h"
#include "tests/harness/engine_jobs.h"
#include "tests/harness/sanitized.h"
#include "tests/harness/tiny_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { HIDDEN_MAX = 256, JOBS = 16, SAMPLES = 3, SHAPED = 5, PROMPT_MAX = 80, OUTPUT_MAX = 96 };
enum { SEEDS = 6, MANY = 250 };
enum { SKIPPED = 77, SEQUENCES = 3, CONTEXT = 160, SHARED_PAGES = 2, TOKENS = 50 };

static char model_path[32];
static int model_fd = -1;
static enum engine_device tested = ENGINE_EMU;

static const struct tiny_model_options plain = {
    .seed = 11, .hidden = 128, .heads = 2, .kv_heads = 1, .context = 256};

static int put_model(const struct tiny_model_options *options)
{
    if (model_fd >= 0)
        (void)close(model_fd);
    model_fd = tiny_model_open(options, model_path, sizeof model_path);
    return model_fd < 0;
}

static int write_model(void **state)
{
    (void)state;
    return put_model(&plain);
}

static int close_model(void **state)
{
    (void)state;
    return close(model_fd);
}

static int clear_findings(void **state)
{
    (void)state;
    device_emu_clear();
    return 0;
}

static int expect_no_findings(void **state)
{
    (void)state;
    if (device_emu_findings() > 0)
        print_error("%llu findings, the first: %s\n", (unsigned long long)device_emu_findings(),
                    device_emu_report());
    return device_emu_findings() > 0;
}

struct jobs {
    token_id prompts[JOBS][PROMPT_MAX];
    struct engine_job asks[JOBS];
};

struct outcome {
    token_id tokens[JOBS][SAMPLES][OUTPUT_MAX];
    float logprobs[JOBS][SAMPLES][OUTPUT_MAX];
    float vectors[JOBS][HIDDEN_MAX];
    struct engine_top tops[JOBS][OUTPUT_MAX][ENGINE_TOPS_MAX]; /* of the last sample */
    uint32_t counts[JOBS][SAMPLES];
    struct engine_event done[JOBS][SAMPLES];
};

static const struct engine_bias biases[] = {{65, 4.5f}, {66, -100}, {200, 1}};

/* Each of the further options, alone and together. Job 12 has a list so long that the others'
 * do not go up with it. */
static void options_make(struct engine_job *asks)
{
    static struct engine_bias many[MANY];
    for (token_id t = 0; t < MANY; t++)
        many[t].token = t;
    asks[12].biases = many;
    asks[12].bias_count = MANY;
    asks[9] = asks[8];
    asks[9].tag = asks[9].job_key = 9;
    asks[9].repetition_penalty = 1.5f;
    asks[10].presence_penalty = 1.25f;
    asks[10].frequency_penalty = -0.5f;
    asks[11].biases = biases;
    asks[11].bias_count = 3;
    asks[12].temperature = 1;
    asks[12].min_p = 0.1f;
    asks[8].temperature = 0.9f;
    asks[8].typical_p = 0.6f;
    asks[13] = asks[10];
    asks[13].biases = biases;
    asks[13].bias_count = 3;
    asks[13].temperature = 0.7f;
    asks[13].top_k = 30;
    asks[13].tag = asks[13].job_key = 13;
    asks[14].kind = asks[15].kind = ENGINE_EMBED;
    asks[15].pooling = ENGINE_POOL_LAST;
    for (uint32_t i = 8; i < 14; i++)
        asks[i].top_count = 3 + i % 5 * 4;
}

/* Greedy, sampled, shaped and scored, over prompts that share beginnings of odd lengths. */
static void jobs_make(struct jobs *jobs)
{
    for (uint32_t i = 0; i < JOBS; i++) {
        const uint32_t shared = i % 3 == 0 ? 0 : 21 + 19 * (i % 2);
        const uint32_t own = 1 + engine_jobs_mix(i, 2) % 25;
        for (uint32_t t = 0; t < shared + own; t++)
            jobs->prompts[i][t] = (token_id)((t < shared ? engine_jobs_mix(7, 1000 + t)
                                                         : engine_jobs_mix(i + 77, t)) %
                                             256);
        jobs->asks[i] = (struct engine_job){.prompt = jobs->prompts[i],
                                            .prompt_tokens = shared + own,
                                            .sample_count = 1,
                                            .max_tokens = 6 + i % 3,
                                            .ignore_end = true,
                                            .seed = i,
                                            .job_key = i,
                                            .tag = i};
    }
    jobs->asks[1].temperature = jobs->asks[2].temperature = jobs->asks[4].temperature = 0.8f;
    jobs->asks[1].top_k = 20;
    jobs->asks[2].top_p = 0.8f;
    jobs->asks[4].sample_count = SAMPLES;
    jobs->asks[SHAPED].format = ENGINE_FORMAT_SCHEMA;
    jobs->asks[SHAPED].format_source = text_of(engine_job_output_schema);
    jobs->asks[SHAPED].chunk = TEXT("a word and another");
    jobs->asks[SHAPED].ignore_end = false;
    jobs->asks[SHAPED].max_tokens = 60;
    jobs->asks[7].kind = ENGINE_SCORE;
    jobs->asks[7].score_tokens = 9;
    options_make(jobs->asks);
}

static void note(void *context, const struct engine_event *event)
{
    struct outcome *outcome = context;
    const uint32_t job = (uint32_t)event->tag, sample = event->sample;
    uint32_t *at = &outcome->counts[job][sample];
    assert_true(job < JOBS && sample < SAMPLES && *at < OUTPUT_MAX);
    if (event->kind == ENGINE_DONE)
        outcome->done[job][sample] = *event;
    if (event->vector)
        memcpy(outcome->vectors[job], event->vector, event->vector_size * sizeof(float));
    if (event->kind == ENGINE_DONE || event->token == TOKEN_NONE)
        return;
    assert_int_equal(event->top_count, job >= 8 ? 3 + job % 5 * 4 : 0);
    memcpy(outcome->tops[job][*at], event->tops, event->top_count * sizeof *event->tops);
    outcome->tokens[job][sample][*at] = event->token;
    outcome->logprobs[job][sample][(*at)++] = event->logprob;
}

enum order { ALONE, FORWARD, BACKWARD };

static void run_jobs(struct engine_options options, enum order order, struct outcome *outcome)
{
    static struct jobs jobs;
    struct engine *engine;
    struct error err;
    jobs_make(&jobs);
    memset(outcome, 0, sizeof *outcome);
    options.model_path = model_path;
    options.threads = 1;
    engine = engine_jobs_open(&options);
    assert_string_equal(engine_info(engine)->device, options.device == ENGINE_CPU   ? "cpu"
                                                     : options.device == ENGINE_EMU ? "emu"
                                                                                    : "cuda");
    for (uint32_t i = 0; i < JOBS; i++) {
        const uint32_t at = order == BACKWARD ? JOBS - 1 - i : i;
        engine_jobs_submit(engine, &jobs.asks[at]);
        if (order == ALONE)
            engine_jobs_each(engine, note, outcome);
    }
    engine_jobs_each(engine, note, outcome);
    if (engine_failure(engine, &err) != OK)
        fail_msg("%s", err.text);
    engine_close(engine);
    for (uint32_t i = 0; i < JOBS; i++)
        for (uint32_t s = 0; s < jobs.asks[i].sample_count; s++)
            assert_true(outcome->done[i][s].finish == ENGINE_LENGTH ||
                        outcome->done[i][s].finish == ENGINE_STOP);
    assert_int_equal(outcome->done[SHAPED][0].finish, ENGINE_STOP);
}

static void same_tokens(const struct outcome *a, const struct outcome *b)
{
    for (uint32_t i = 0; i < JOBS; i++)
        for (uint32_t s = 0; s < SAMPLES; s++) {
            const size_t bytes = a->counts[i][s] * sizeof(token_id);
            if (a->counts[i][s] != b->counts[i][s] ||
                memcmp(a->tokens[i][s], b->tokens[i][s], bytes) != 0)
                fail_msg("job %u, sample %u: other tokens", i, s);
        }
}

static void same_bits(const struct outcome *a, const struct outcome *b)
{
    same_tokens(a, b);
    for (uint32_t i = 0; i < JOBS; i++)
        for (uint32_t s = 0; s < SAMPLES; s++) {
            assert_memory_equal(a->logprobs[i][s], b->logprobs[i][s],
                                a->counts[i][s] * sizeof(float));
            assert_memory_equal(&a->done[i][s].score, &b->done[i][s].score, sizeof(double));
        }
    assert_memory_equal(a->tops, b->tops, sizeof a->tops);
    assert_memory_equal(a->vectors, b->vectors, sizeof a->vectors);
}

/* How two outcomes agree: output by output, up to the first token that differs. */
struct agreement {
    uint32_t outputs, same_outputs;
    double same_share; /* of an output's tokens ahead of the first that differs, added up */
    double worst;      /* difference of log-probabilities over the same tokens, and of the
                          greedy texts' first that differ: each is the best of its run */
    double vector;     /* distance of two vectors, to the length of one */
};

/* Whether the likeliest token is taken, of those that may come. */
static bool is_greedy(const struct engine_job *ask)
{
    return ask->temperature <= 0 && ask->repetition_penalty <= 1 && ask->bias_count == 0 &&
           ask->presence_penalty == 0 && ask->frequency_penalty == 0;
}

static void compare(struct agreement *agreement, const struct jobs *jobs,
                    const struct outcome *a, const struct outcome *b)
{
    for (uint32_t i = 0; i < JOBS; i++)
        for (uint32_t s = 0; s < SAMPLES; s++) {
            const uint32_t count = a->counts[i][s];
            const float *x = a->logprobs[i][s], *y = b->logprobs[i][s];
            uint32_t k = 0;
            if (count == 0)
                continue;
            for (; k < count && a->tokens[i][s][k] == b->tokens[i][s][k]; k++)
                agreement->worst = fmax(agreement->worst, fabs((double)x[k] - (double)y[k]));
            if (is_greedy(&jobs->asks[i]) && k < count && k < b->counts[i][s])
                agreement->worst = fmax(agreement->worst, fabs((double)x[k] - (double)y[k]));
            agreement->outputs++;
            agreement->same_outputs += k == count && count == b->counts[i][s];
            agreement->same_share += (double)k / count;
        }
}

/* The greatest distance of two vectors, to the length of the first. */
static double worst_vector(const struct outcome *a, const struct outcome *b)
{
    double worst = 0;
    for (uint32_t i = 14; i < JOBS; i++) {
        double length = 0, distance = 0;
        for (uint32_t d = 0; d < HIDDEN_MAX; d++) {
            const double x = (double)a->vectors[i][d], y = (double)b->vectors[i][d];
            length += x * x;
            distance += (x - y) * (x - y);
        }
        assert_true(length > 0);
        worst = fmax(worst, sqrt(distance / length));
    }
    return worst;
}

/* What a back end may differ by, of a precision. */
struct way {
    enum engine_precision precision;
    enum engine_kv kv;
    double worst;       /* log-probability */
    double same_tokens; /* share of an output's, at least, in the mean */
};

/* Over models of that shape, whose seeds are `model`'s and those after it. */
static void compare_devices(const struct way *way, struct tiny_model_options model,
                            uint32_t seeds)
{
    static struct outcome cpu, emu;
    static struct jobs jobs;
    struct agreement agreement = {0};
    jobs_make(&jobs);
    for (uint32_t i = 0; i < seeds; i++, model.seed++) {
        struct engine_options options = {
            .device = ENGINE_CPU, .precision = way->precision, .kv = way->kv};
        assert_int_equal(put_model(&model), 0);
        run_jobs(options, FORWARD, &cpu);
        options.device = tested;
        run_jobs(options, FORWARD, &emu);
        compare(&agreement, &jobs, &cpu, &emu);
        agreement.vector = fmax(agreement.vector, worst_vector(&cpu, &emu));
        const double score = cpu.done[7][0].score;
        assert_true(score < -1.0 && fabs(emu.done[7][0].score - score) < 9 * way->worst);
    }
    const double share = agreement.same_share / agreement.outputs;
    print_message(
        "%u seeds: %u of %u outputs the CPU's, %.3f of an output before another token "
        "comes; log-probabilities differ by %.4f at most, vectors by %.4f of their "
        "length\n",
        seeds, agreement.same_outputs, agreement.outputs, share, agreement.worst,
        agreement.vector);
    assert_true(agreement.worst < way->worst);
    assert_true(agreement.vector < way->worst / 4);
    assert_true(share >= way->same_tokens);
}

static const struct way ways[] = {{ENGINE_INT8, ENGINE_KV_INT8, 0.3, 0.8},
                                  {ENGINE_EXACT, ENGINE_KV_F16, 0.02, 0.98}};
static const struct device_emu_options fast = {.seed = 1};
static const struct device_emu_options traced = {.seed = 1, .is_traced = true};

/*
 * Only the attention's arithmetic differs from the CPU's: halves there, floats here, and bytes
 * over a cache of int8. In exact precision that moves a log-probability of these random models
 * by thousandths. With int8 activations it carries some numbers over to the next integer, a
 * step of 1/127 of the row's largest, as bytes do by themselves. So another token comes now and
 * then, where two are nearly as good; from there on the texts are different ones. One seed runs
 * traced: every access is checked.
 */
static void gives_the_cpus_tokens(void **state)
{
    compare_devices(&ways[0], plain, 1);
    device_emu_configure(&fast);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        compare_devices(&ways[i], plain, SEEDS);
    device_emu_configure(&traced);
    assert_int_equal(write_model(state), 0);
}

/* Windows shorter than the prompts, two rope bases, norms of heads and after branches, GELU, a
 * scaled embedding; and norms of heads alone. */
static void families_give_the_cpus_tokens(void **state)
{
    const struct tiny_model_options families[] = {
        {.family = TINY_MODEL_GEMMA3, .layers = 6, .window = 24, .seed = 1},
        {.family = TINY_MODEL_QWEN3, .seed = 4}};
    SANITIZED_SKIP();
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        struct tiny_model_options model = families[i];
        model.hidden = 128;
        model.heads = 2;
        model.kv_heads = 1;
        model.context = 256;
        compare_devices(&ways[0], model, 1);
        device_emu_configure(&fast);
        compare_devices(&ways[1], model, 2);
        device_emu_configure(&traced);
    }
    assert_int_equal(write_model(state), 0);
}

static void same_bits_in_any_company(void **state)
{
    (void)state;
    SANITIZED_SKIP();
    static struct outcome alone, other;
    device_emu_configure(&fast);
    for (int precision = ENGINE_EXACT; precision <= ENGINE_INT8; precision++) {
        struct engine_options options = {.device = tested,
                                         .precision = (enum engine_precision)precision};
        run_jobs(options, ALONE, &alone);
        options.step_tokens = 24; /* prompts in several chunks */
        options.kv_pages = 12;    /* and some computed twice */
        run_jobs(options, BACKWARD, &other);
        same_bits(&alone, &other);
        if (precision == ENGINE_EXACT)
            continue;
        options = (struct engine_options){.device = tested, .precision = ENGINE_INT8};
        run_jobs(options, FORWARD, &other);
        same_bits(&alone, &other);
    }
    device_emu_configure(&traced);
}

static void step(struct model_run *run, const struct model_run_part *parts, int32_t count)
{
    struct error err;
    if (model_run_step(run, parts, count, &err) != OK)
        fail_msg("%s", err.text);
}

/* Logits of one sequence: by itself and whole, then in chunks beside two others that share its
 * beginning. On the way, nothing is allocated. */
static void same_logits_grouped_or_not(void **state)
{
    (void)state;
    struct model_run run;
    struct error err;
    token_id tokens[SEQUENCES][TOKENS];
    static float alone[TINY_MODEL_VOCAB];
    const struct model_run_options options = {.path = model_path,
                                              .precision = MODEL_INT8,
                                              .kv_type = KV_INT8,
                                              .device = tested == ENGINE_EMU ? DEVICE_EMU
                                                                             : DEVICE_CUDA,
                                              .threads = 1,
                                              .sequences = SEQUENCES,
                                              .context_max = CONTEXT,
                                              .rows_max = SEQUENCES * TOKENS,
                                              .head_max = SEQUENCES};
    if (model_run_open(&run, &options, &err) != OK)
        fail_msg("%s", err.text);
    for (int32_t s = 0; s < SEQUENCES; s++)
        for (int32_t i = 0; i < TOKENS; i++)
            tokens[s][i] = (token_id)((i * 31 + (i >= 32 ? s * 17 : 0)) % 256);
    const uint64_t allocations = device_allocations(run.device);
    const struct model_run_part whole = {
        .sequence = 2, .count = TOKENS, .tokens = tokens[2], .heads = MODEL_RUN_LAST};
    step(&run, &whole, 1);
    memcpy(alone, model_run_logits(&run, 0), sizeof alone);

    const struct model_run_part shared = {
        .sequence = 0, .count = 33, .tokens = tokens[0], .heads = MODEL_RUN_NONE};
    step(&run, &shared, 1);
    struct model_run_part rest[SEQUENCES];
    for (int32_t s = 0; s < SEQUENCES; s++) {
        if (s > 0)
            model_run_share(&run, s, 0, SHARED_PAGES);
        rest[s] = (struct model_run_part){.sequence = s,
                                          .first = SHARED_PAGES * KV_PAGE_TOKENS,
                                          .count = TOKENS - SHARED_PAGES * KV_PAGE_TOKENS,
                                          .tokens = tokens[s] + SHARED_PAGES * KV_PAGE_TOKENS,
                                          .heads = MODEL_RUN_LAST};
    }
    step(&run, rest, SEQUENCES);
    const float *grouped = model_run_logits(&run, SEQUENCES - 1);
    assert_memory_equal(alone, grouped, sizeof alone);
    assert_memory_not_equal(alone, model_run_logits(&run, 0), sizeof alone);
    assert_int_equal(device_allocations(run.device), allocations);
    model_run_close(&run);
}

/* A device too small for the workspace, for the weights, for a step's buffers: each is a
 * sentence that says how many bytes are free, and all that was taken is given back. */
static void too_small_a_device_is_told(void **state)
{
    (void)state;
    struct device_emu_options small = fast;
    struct engine_options options = {.device = ENGINE_EMU,
                                     .precision = ENGINE_INT8,
                                     .model_path = model_path,
                                     .kv_pages = 16,
                                     .step_tokens = 16,
                                     .sequences_max = 2,
                                     .threads = 1};
    bool has_opened = false, has_said_weights = false, has_said_forward = false;
    if (tested != ENGINE_EMU) {
        print_message("left out: a GPU's memory cannot be made small\n");
        skip();
    }
    small.memory_bytes = 1;
    for (int i = 0; i < 400 && !has_opened; i++) {
        struct engine *engine;
        struct error err = {0};
        device_emu_configure(&small);
        const enum status status = engine_open(&engine, &options, &err);
        has_opened = status == OK;
        if (has_opened) {
            engine_close(engine);
            break;
        }
        assert_int_equal(status, ERR_MEMORY);
        size_t workspace;
        const bool is_first = sscanf(err.text, "device: workspace takes %zu", &workspace) == 1;
        small.memory_bytes = is_first ? workspace + 1 : small.memory_bytes + (1 << 15);
        has_said_weights |= strncmp(err.text, "weights: need", 13) == 0;
        has_said_forward |= strncmp(err.text, "forward: needs", 14) == 0;
        assert_non_null(strstr(err.text, "bytes"));
        if (strstr(err.text, "free") == NULL)
            fail_msg("says not what is free: %s", err.text);
    }
    device_emu_configure(&traced);
    assert_true(has_opened && has_said_weights && has_said_forward);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "cuda") == 0)
        tested = ENGINE_CUDA;
    if (tested == ENGINE_CUDA && !device_here(DEVICE_CUDA))
        return SKIPPED;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(same_logits_grouped_or_not, clear_findings,
                                        expect_no_findings),
        cmocka_unit_test_setup_teardown(too_small_a_device_is_told, clear_findings,
                                        expect_no_findings),
        cmocka_unit_test_setup_teardown(gives_the_cpus_tokens, clear_findings,
                                        expect_no_findings),
        cmocka_unit_test_setup_teardown(families_give_the_cpus_tokens, clear_findings,
                                        expect_no_findings),
        cmocka_unit_test_setup_teardown(same_bits_in_any_company, clear_findings,
                                        expect_no_findings),
    };
    return cmocka_run_group_tests(tests, write_model, close_model);
}
