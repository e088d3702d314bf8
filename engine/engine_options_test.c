/*
 * engine_options_test - what each option of a job does to its text, held against the model's
 * logits, taken position by position without the scheduler and changed as the options say.
 */
#include "engine/engine.h"
#include "engine/model_run.h"
#include "tests/harness/engine_jobs.h"
#include "tests/harness/tiny_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PROMPT = 24, OUTPUT = 20, VOCAB = TINY_MODEL_VOCAB };

static char path[64];
static token_id prompt[PROMPT];

struct told {
    token_id tokens[OUTPUT];
    float logprobs[OUTPUT];
    struct engine_top tops[OUTPUT][ENGINE_TOPS_MAX];
    uint32_t count;
    enum engine_finish finish;
};

struct listening {
    struct told *told;
    uint32_t top_count; /* of each token */
};

static void note(void *context, const struct engine_event *event)
{
    const struct listening *listening = context;
    struct told *told = listening->told;
    if (event->kind == ENGINE_DONE)
        told->finish = event->finish;
    if (event->kind == ENGINE_DONE || event->token == TOKEN_NONE)
        return;
    assert_int_equal(event->top_count, listening->top_count);
    memcpy(told->tops[told->count], event->tops, event->top_count * sizeof *event->tops);
    told->logprobs[told->count] = event->logprob;
    told->tokens[told->count++] = event->token;
}

static void ask_engine(struct engine_job *ask, struct told *told)
{
    const struct engine_options options = {
        .device = ENGINE_CPU, .model_path = path, .threads = 1};
    struct engine *engine = engine_jobs_open(&options);
    memset(told, 0, sizeof *told);
    ask->prompt = prompt;
    ask->prompt_tokens = PROMPT;
    ask->max_tokens = OUTPUT;
    ask->ignore_end = true;
    engine_jobs_submit(engine, ask);
    engine_jobs_each(engine, note, &(struct listening){told, ask->top_count});
    engine_close(engine);
}

static uint32_t count_of(const token_id *tokens, uint32_t count, token_id token)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++)
        found += tokens[i] == token;
    return found;
}

/* The greedy choice, as the options are defined. */
static token_id choose(const float *logits, const struct engine_job *ask,
                       const struct told *said, uint32_t count)
{
    token_id best = TOKEN_NONE;
    double most = (double)-INFINITY;
    for (token_id t = 0; t < VOCAB; t++) {
        const uint32_t often = count_of(said->tokens, count, t);
        double w = (double)logits[t];
        if (ask->repetition_penalty > 0 && (often > 0 || count_of(prompt, PROMPT, t) > 0))
            w = w > 0 ? w / (double)ask->repetition_penalty
                      : w * (double)ask->repetition_penalty;
        w -= often * (double)ask->frequency_penalty;
        w -= often > 0 ? (double)ask->presence_penalty : 0;
        for (uint32_t i = 0; i < ask->bias_count; i++)
            w += ask->biases[i].token == t ? (double)ask->biases[i].bias : 0;
        if (w > most) {
            most = w;
            best = t;
        }
    }
    return best;
}

static void expect_tops(const float *logits, const struct engine_top *tops, uint32_t count)
{
    double sum = 0;
    for (token_id t = 0; t < VOCAB; t++)
        sum += exp((double)logits[t]);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t before = 0;
        const float own = logits[tops[i].token];
        for (token_id t = 0; t < VOCAB; t++)
            before += logits[t] > own || (!(logits[t] < own) && t < tops[i].token);
        assert_int_equal(before, i);
        assert_true(fabs((double)tops[i].logprob - ((double)own - log(sum))) < 1e-5);
    }
}

/* Each token of the text is the greedy choice from the logits after those before it. */
static void expect_greedy(struct engine_job ask)
{
    static struct told told;
    struct model_run run;
    struct error err;
    const struct model_run_options options = {.path = path,
                                              .device = DEVICE_CPU,
                                              .kv_type = KV_F32,
                                              .threads = 1,
                                              .simd_max = DEVICE_SIMD_WIDEST,
                                              .sequences = 1,
                                              .context_max = PROMPT + OUTPUT,
                                              .rows_max = PROMPT,
                                              .head_max = 1};
    ask_engine(&ask, &told);
    assert_int_equal(told.count, OUTPUT);
    if (model_run_open(&run, &options, &err) != OK)
        fail_msg("%s", err.text);
    struct model_run_part part = {.tokens = prompt, .count = PROMPT, .heads = MODEL_RUN_LAST};
    for (uint32_t i = 0; i < OUTPUT; i++) {
        assert_int_equal(model_run_step(&run, &part, 1, &err), OK);
        const float *logits = model_run_logits(&run, 0);
        assert_int_equal(told.tokens[i], choose(logits, &ask, &told, i));
        expect_tops(logits, told.tops[i], ask.top_count);
        part = (struct model_run_part){.first = (int32_t)(PROMPT + i),
                                       .count = 1,
                                       .tokens = &told.tokens[i],
                                       .heads = MODEL_RUN_LAST};
    }
    model_run_close(&run);
}

static const struct engine_bias biases[] = {{70, 3.0f}, {71, 3.0f}, {72, -100.0f}};

static void penalties_and_biases_do_what_they_say(void **state)
{
    (void)state;
    expect_greedy((struct engine_job){.top_count = ENGINE_TOPS_MAX});
    expect_greedy((struct engine_job){.repetition_penalty = 1.7f, .top_count = 1});
    expect_greedy((struct engine_job){.repetition_penalty = 0.6f});
    expect_greedy((struct engine_job){.presence_penalty = 1.9f});
    expect_greedy((struct engine_job){.frequency_penalty = 0.8f});
    expect_greedy((struct engine_job){.frequency_penalty = -0.3f, .presence_penalty = 0.5f});
    expect_greedy((struct engine_job){.biases = biases, .bias_count = 3});
    expect_greedy((struct engine_job){.repetition_penalty = 1.2f,
                                      .presence_penalty = 0.4f,
                                      .frequency_penalty = 0.2f,
                                      .biases = biases,
                                      .bias_count = 3,
                                      .top_count = 5});
}

static void a_bias_can_force_and_forbid(void **state)
{
    (void)state;
    static struct told told, plain;
    const struct engine_bias force = {42, 100.0f};
    struct engine_job ask = {.biases = &force, .bias_count = 1};
    struct engine_job nothing = {.seed = 1};
    ask_engine(&ask, &told);
    assert_int_equal(count_of(told.tokens, OUTPUT, 42), OUTPUT);
    ask_engine(&nothing, &plain);
    const struct engine_bias forbid = {plain.tokens[0], -100.0f};
    ask.biases = &forbid;
    ask_engine(&ask, &told);
    assert_int_equal(count_of(told.tokens, OUTPUT, plain.tokens[0]), 0);
}

/* The vector is the mean of the hidden states, or the last, of the prompt run in one piece; and
 * what the head makes of the last is the logits. */
static void a_vector_is_of_the_hidden_states(void **state)
{
    (void)state;
    enum { HIDDEN = 64 };
    struct engine *engine;
    struct engine_event event;
    struct model_run run;
    struct error err;
    const struct model_run_options alone = {.path = path,
                                            .device = DEVICE_CPU,
                                            .kv_type = KV_F32,
                                            .threads = 1,
                                            .simd_max = DEVICE_SIMD_WIDEST,
                                            .sequences = 1,
                                            .context_max = PROMPT,
                                            .rows_max = PROMPT,
                                            .head_max = PROMPT};
    const struct engine_options options = {
        .device = ENGINE_CPU, .model_path = path, .threads = 1, .step_tokens = 7};
    const struct model_run_part part = {
        .tokens = prompt, .count = PROMPT, .heads = MODEL_RUN_ALL};
    const float *hidden;
    assert_int_equal(model_run_open(&run, &alone, &err), OK);
    assert_int_equal(model_run_step(&run, &part, 1, &err), OK);
    assert_int_equal(forward_hidden(&run.forward, &hidden, &err), OK);
    assert_int_equal(run.model->config.hidden, HIDDEN);
    engine = engine_jobs_open(&options);
    assert_int_equal(engine_info(engine)->hidden, HIDDEN);
    for (int pooling = ENGINE_POOL_MEAN; pooling <= ENGINE_POOL_LAST; pooling++) {
        const struct engine_job ask = {.kind = ENGINE_EMBED,
                                       .pooling = (enum engine_pooling)pooling,
                                       .prompt = prompt,
                                       .prompt_tokens = PROMPT};
        engine_jobs_submit(engine, &ask);
        assert_int_equal(engine_poll(engine, &event, 1, -1), 1);
        assert_int_equal(event.vector_size, HIDDEN);
        const int first = pooling == ENGINE_POOL_MEAN ? 0 : PROMPT - 1;
        for (int d = 0; d < HIDDEN; d++) {
            double sum = 0;
            for (int i = first; i < PROMPT; i++)
                sum += (double)hidden[i * HIDDEN + d];
            assert_true(event.vector[d] == (float)(sum / (PROMPT - first)));
        }
    }
    float row[HIDDEN];
    const struct weight *head = &run.model->head;
    const size_t row_bytes = head->data_bytes / VOCAB;
    const float *logits = model_run_logits(&run, PROMPT - 1);
    for (int t = 0; t < VOCAB; t++) {
        double sum = 0;
        weight_dequantize(head->type, (const char *)head->data + (size_t)t * row_bytes, row,
                          HIDDEN);
        for (int d = 0; d < HIDDEN; d++)
            sum += (double)row[d] * (double)event.vector[d];
        assert_true(fabs(sum - (double)logits[t]) < 1e-3);
    }
    engine_close(engine);
    model_run_close(&run);
}

/* engine/step_test has the others, by a clock of its own. */
static void a_deadline_far_off_changes_nothing(void **state)
{
    (void)state;
    static struct told told;
    struct engine_job ask = {.deadline_ms = 3600 * 1000};
    ask_engine(&ask, &told);
    assert_int_equal(told.finish, ENGINE_LENGTH);
    assert_int_equal(told.count, OUTPUT);
}

int main(void)
{
    const struct tiny_model_options tiny = {.seed = 8};
    const int file = tiny_model_open(&tiny, path, sizeof path);
    if (file < 0)
        return 1;
    for (int i = 0; i < PROMPT; i++)
        prompt[i] = (token_id)(i * i * 5 % 251);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(penalties_and_biases_do_what_they_say),
        cmocka_unit_test(a_bias_can_force_and_forbid),
        cmocka_unit_test(a_vector_is_of_the_hidden_states),
        cmocka_unit_test(a_deadline_far_off_changes_nothing),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    close(file);
    return failed;
}
