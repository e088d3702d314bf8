/* run - cohort run: one prompt through the model's chat template, streamed. */
#include "base/clock.h"
#include "base/file_map.h"
#include "base/json.h"
#include "engine/engine.h"
#include "protocol/api/openai_reply.h"
#include "tokenizer/tokenizer.h"
#include "tools/cohort.h"
#include "tools/engine_args.h"
#include "tools/exit_code.h"
#include "tools/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    PROMPT_BYTES_MAX = 64 << 20,
    EVENTS = 64,
    DEFAULT_MAX_TOKENS = 512,
    SCHEMA_BYTES_MAX = 1 << 20,
    CHUNK_BYTES_MAX = 1 << 20
};

struct sample {
    struct text_buf text;
    struct logprob_list logprobs;
    enum engine_finish finish;
    uint32_t output_tokens;
};

struct run {
    struct engine_args engine_args;
    const char *system;
    const char *schema_path, *chunk_path, *regex;
    struct args_list stops, biases;
    struct engine_job job;
    struct engine_bias bias_list[ARGS_LIST_MAX];
    float top_p, typical_p; /* as said; the engine takes 0 for "off" */
    bool raw, json, logprobs;

    struct engine *engine;
    struct text_buf prompt;
    struct text_buf schema, chunk;
    struct token_list ids;
    struct sample samples[ENGINE_SAMPLES_MAX];
    uint32_t prompt_tokens, cached_tokens;
    double seconds;
};

static const char *finish_word(enum engine_finish finish)
{
    static const char *const words[] = {"stop", "length", "cancelled", "failed", "deadline"};
    return words[finish];
}

/* The prompt from the words of the command line, or from standard input. */
static enum status read_prompt(struct run *run, char **words, struct error *err)
{
    const bool from_stdin = !words[0] || (words[0][0] == '-' && !words[0][1] && !words[1]);
    if (from_stdin) {
        TRY(file_map_read(&run->prompt, "-", PROMPT_BYTES_MAX, err));
    } else {
        for (size_t i = 0; words[i]; i++)
            text_buf_format(&run->prompt, "%s%s", i > 0 ? " " : "", words[i]);
    }
    if (run->prompt.failed)
        FAIL(err, ERR_MEMORY, "no memory for the prompt");
    if (run->prompt.size == 0)
        FAIL(err, ERR_FORMAT, "the prompt is empty");
    return OK;
}

static enum status encode_prompt(struct run *run, struct error *err)
{
    const struct tokenizer *tokenizer = engine_tokenizer(run->engine);
    const struct text prompt = text_buf_text(&run->prompt);
    if (!tokenizer)
        FAIL(err, ERR_FORMAT, "the model file has no tokenizer");
    if (run->raw)
        return tokenizer_encode(tokenizer, prompt, TOKENIZER_SPECIAL | TOKENIZER_BOUNDS,
                                &run->ids, err);
    if (!tokenizer_has_chat(tokenizer))
        FAIL(err, ERR_FORMAT, "the model has no chat template: use --raw");
    const struct tokenizer_message messages[] = {
        {.role = TEXT("system"), .content = text_of(run->system)},
        {.role = TEXT("user"), .content = prompt},
    };
    const uint32_t skip = run->system ? 0 : 1;
    return tokenizer_encode_chat(tokenizer, messages + skip, 2 - skip, true, &run->ids, err);
}

/* What the text must be: a schema out of a file, or a regular expression. */
static enum status read_format(struct run *run, struct error *err)
{
    if (run->regex) {
        run->job.format = ENGINE_FORMAT_REGEX;
        run->job.format_source = text_of(run->regex);
    }
    if (!run->schema_path)
        return OK;
    TRY(file_map_read(&run->schema, run->schema_path, SCHEMA_BYTES_MAX, err));
    run->job.format = ENGINE_FORMAT_SCHEMA;
    run->job.format_source = text_buf_text(&run->schema);
    if (!run->chunk_path)
        return OK;
    TRY(file_map_read(&run->chunk, run->chunk_path, CHUNK_BYTES_MAX, err));
    run->job.chunk = run->chunk.size > 0 ? text_buf_text(&run->chunk) : TEXT("");
    return OK;
}

static enum status submit(struct run *run, struct error *err)
{
    struct text stops[ENGINE_STOPS_MAX];
    uint64_t job_id;
    TRY(read_format(run, err));
    for (uint32_t i = 0; i < run->stops.count; i++)
        stops[i] = text_of(run->stops.items[i]);
    run->job.prompt = run->ids.ids;
    run->job.prompt_tokens = (uint32_t)run->ids.count;
    run->job.stops = stops;
    run->job.stop_count = run->stops.count;
    return engine_submit(run->engine, &run->job, &job_id, err);
}

/* One sample is shown as it comes; of several, each when it is whole. */
static void take_text(struct run *run, const struct engine_event *event)
{
    text_buf_add(&run->samples[event->sample].text, event->text);
    if (run->logprobs)
        logprob_list_add(&run->samples[event->sample].logprobs, engine_tokenizer(run->engine),
                         event);
    if (run->json || run->job.sample_count > 1)
        return;
    (void)fwrite(event->text.data, 1, event->text.size, stdout);
    (void)fflush(stdout);
}

static void take_done(struct run *run, const struct engine_event *event)
{
    struct sample *sample = &run->samples[event->sample];
    sample->finish = event->finish;
    sample->output_tokens = event->output_tokens;
    run->prompt_tokens = event->prompt_tokens;
    if (event->sample == 0)
        run->cached_tokens = event->cached_tokens;
    if (run->json)
        return;
    if (run->job.sample_count > 1)
        printf("[%u] %.*s", event->sample + 1, TEXT_ARG(text_buf_text(&sample->text)));
    printf("\n");
}

static void poll_until_done(struct run *run)
{
    struct engine_event events[EVENTS];
    bool done = false;
    const double start = clock_now_s();
    while (!done) {
        const size_t count = engine_poll(run->engine, events, EVENTS, -1);
        done = count == 0;
        for (size_t i = 0; i < count; i++) {
            if (events[i].kind == ENGINE_TOKEN) {
                take_text(run, &events[i]);
                continue;
            }
            take_done(run, &events[i]);
            done = events[i].samples_left == 0;
        }
    }
    run->seconds = clock_now_s() - start;
}

static enum status write_json(const struct run *run, struct error *err)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    json_write_object(&w);
    json_write_key_text(&w, "model", text_of(engine_info(run->engine)->model_name));
    json_write_key(&w, "samples");
    json_write_array(&w);
    for (uint32_t i = 0; i < run->job.sample_count; i++) {
        json_write_object(&w);
        json_write_key_text(&w, "text", text_buf_text(&run->samples[i].text));
        json_write_key_text(&w, "finish", text_of(finish_word(run->samples[i].finish)));
        json_write_key_i64(&w, "output_tokens", run->samples[i].output_tokens);
        if (run->samples[i].logprobs.count > 0) {
            json_write_key(&w, "logprobs");
            openai_reply_tokens(&w, &run->samples[i].logprobs, 0,
                                run->samples[i].logprobs.count);
        }
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
    json_write_key_i64(&w, "prompt_tokens", run->prompt_tokens);
    json_write_key_i64(&w, "cached_tokens", run->cached_tokens);
    json_write_key_double(&w, "seconds", run->seconds);
    json_write_object_end(&w);
    return output_line(&out, err);
}

static enum status run_prompt(struct run *run, char **words, struct error *err)
{
    run->logprobs |= run->job.top_count > 0;
    TRY(read_prompt(run, words, err));
    TRY(engine_args_open(&run->engine_args, NULL, &run->engine, err));
    TRY(encode_prompt(run, err));
    TRY(submit(run, err));
    poll_until_done(run);
    for (uint32_t i = 0; i < run->job.sample_count; i++) {
        if (run->samples[i].finish != ENGINE_FAILED)
            continue;
        TRY(engine_failure(run->engine, err));
        FAIL(err, ERR_DEVICE, "sample %u: the model's numbers are not numbers", i + 1);
    }
    for (uint32_t i = 0; i < run->job.sample_count; i++) {
        if (run->samples[i].text.failed || run->samples[i].logprobs.failed)
            FAIL(err, ERR_MEMORY, "sample %u: no memory for its text", i + 1);
    }
    return run->json ? write_json(run, err) : OK;
}

/* TOKEN=BIAS; what tokens there are the engine knows. */
static enum status read_bias(const char *word, struct engine_bias *bias, struct error *err)
{
    char *end = NULL;
    errno = 0;
    const long token = strtol(word, &end, 10);
    const bool is_token = end != word && *end == '=' && errno == 0 && token <= INT32_MAX;
    const char *number = end + 1;
    const float value = is_token ? strtof(number, &end) : 0;
    if (!is_token || token < 0 || end == number || *end)
        FAIL(err, ERR_FORMAT, "--logit-bias: `%.60s`, want TOKEN=BIAS such as 11=-2.5", word);
    if (!(value >= -100 && value <= 100))
        FAIL(err, ERR_LIMIT, "--logit-bias: `%.60s`, want a bias from -100 to 100", word);
    *bias = (struct engine_bias){(token_id)token, value};
    return OK;
}

static enum status read_stops(const struct run *run, struct error *err)
{
    if (run->stops.count > ENGINE_STOPS_MAX)
        FAIL(err, ERR_LIMIT, "--stop: %u strings, at most %d are taken", run->stops.count,
             ENGINE_STOPS_MAX);
    for (uint32_t i = 0; i < run->stops.count; i++) {
        const struct text stop = text_of(run->stops.items[i]);
        if (stop.size < 1 || stop.size > ENGINE_STOP_BYTES_MAX)
            FAIL(err, ERR_LIMIT, "--stop: `%.60s` has %zu bytes, want 1 to %d",
                 run->stops.items[i], stop.size, ENGINE_STOP_BYTES_MAX);
    }
    return OK;
}

/* What args_parse cannot tell of options: a fault here is the command line's. */
static enum status read_options(struct run *run, struct error *err)
{
    struct engine_job *job = &run->job;
    if (!(run->typical_p > 0))
        FAIL(err, ERR_LIMIT, "--typical-p 0: want a number above 0, 1 at most");
    if (run->chunk_path && !run->schema_path)
        FAIL(err, ERR_FORMAT, "--chunk: only the strings of a --schema are copied from it");
    if (run->regex && run->schema_path)
        FAIL(err, ERR_FORMAT, "--schema and --regex: a text can be held to one of them");
    for (uint32_t i = 0; i < run->biases.count; i++)
        TRY(read_bias(run->biases.items[i], &run->bias_list[i], err));
    job->biases = run->bias_list;
    job->bias_count = run->biases.count;
    job->top_p = run->top_p;
    job->typical_p = run->typical_p;
    if (!(run->top_p > 0))
        job->temperature = 0; /* none but the likeliest, as the API has it */
    return read_stops(run, err);
}

static void close_run(struct run *run)
{
    engine_close(run->engine);
    for (uint32_t i = 0; i < ENGINE_SAMPLES_MAX; i++) {
        text_buf_deinit(&run->samples[i].text);
        logprob_list_deinit(&run->samples[i].logprobs);
    }
    token_list_deinit(&run->ids);
    text_buf_deinit(&run->prompt);
    text_buf_deinit(&run->schema);
    text_buf_deinit(&run->chunk);
    free(run);
}

static enum args_result parse(struct run *run, int argc, char **argv, int *rest)
{
    struct engine_job *job = &run->job;
    const struct args_option options[] = {
        ENGINE_ARGS(run->engine_args),
        {0, "system", "TEXT", ARGS_TEXT, &run->system, 0, 0, "the system message"},
        {0, "raw", NULL, ARGS_FLAG, &run->raw, 0, 0, "no chat template: the prompt as it is"},
        {'n', "max-tokens", "N", ARGS_U32, &job->max_tokens, 1, 1 << 20,
         "tokens to write at most (default 512)"},
        {'t', "temperature", "T", ARGS_REAL, &job->temperature, 0, 10,
         "0 takes the likeliest token (default)"},
        {0, "top-k", "K", ARGS_U32, &job->top_k, 0, 1 << 20, "the K likeliest (default: all)"},
        {0, "top-p", "P", ARGS_REAL, &run->top_p, 0, 1, "the likeliest that make up P"},
        {0, "min-p", "P", ARGS_REAL, &job->min_p, 0, 1, "at least P times the likeliest"},
        {0, "typical-p", "P", ARGS_REAL, &run->typical_p, 0, 1,
         "of these, the nearest to the expected surprise that make up P, above 0"},
        {0, "repetition-penalty", "R", ARGS_REAL, &job->repetition_penalty, 0.01, 100,
         "divides logits of tokens that came before (default: none)"},
        {0, "presence-penalty", "P", ARGS_REAL, &job->presence_penalty, -2, 2,
         "off the logits of tokens written before (default: 0)"},
        {0, "frequency-penalty", "P", ARGS_REAL, &job->frequency_penalty, -2, 2,
         "the same, once per occurrence (default: 0)"},
        {0, "logit-bias", "TOKEN=B", ARGS_LIST, &run->biases, 0, 0,
         "B, -100 to 100, to a token's logit; may be repeated"},
        {0, "logprobs", NULL, ARGS_FLAG, &run->logprobs, 0, 0,
         "with --json: the log-probability of each token"},
        {0, "top-logprobs", "N", ARGS_U32, &job->top_count, 0, ENGINE_TOPS_MAX,
         "with --json: those of the N likeliest too (default: 0)"},
        {0, "deadline", "MS", ARGS_U32, &job->deadline_ms, 1, UINT32_MAX,
         "milliseconds, after which it ends as it is (default: none)"},
        {0, "seed", "N", ARGS_U64, &job->seed, 0, 0, "of the random stream (default 0)"},
        {0, "samples", "N", ARGS_U32, &job->sample_count, 1, ENGINE_SAMPLES_MAX,
         "answers to the one prompt (default 1)"},
        {0, "schema", "FILE", ARGS_TEXT, &run->schema_path, 0, 0,
         "the text is JSON, valid against the JSON schema in FILE"},
        {0, "chunk", "FILE", ARGS_TEXT, &run->chunk_path, 0, 0,
         "where the schema says \"x-copied-from\": \"chunk\", words of FILE are copied"},
        {0, "regex", "PATTERN", ARGS_TEXT, &run->regex, 0, 0,
         "all of the text matches this regular expression"},
        {0, "stop", "TEXT", ARGS_LIST, &run->stops, 0, 0, "end before this; may be repeated"},
        {0, "json", NULL, ARGS_FLAG, &run->json, 0, 0, "one JSON object at the end"},
    };
    const struct args_command command = {
        .name = "run",
        .usage = "[options] [PROMPT...]",
        .about = "Gives the model one prompt and streams what it writes. Without PROMPT, or "
                 "with -, the prompt is read from standard input.",
        ARGS_OPTIONS(options),
    };
    return args_parse(&command, argc, argv, rest);
}

int run_main(int argc, char **argv)
{
    struct error err = {0};
    int rest = 0;
    struct run *run = calloc(1, sizeof *run);
    if (!run)
        return EX_OSERR;
    run->job.max_tokens = DEFAULT_MAX_TOKENS;
    run->job.sample_count = 1;
    run->top_p = run->typical_p = 1;
    const enum args_result parsed = parse(run, argc, argv, &rest);
    int code = args_exit_code(parsed);
    if (parsed == ARGS_GO && read_options(run, &err) != OK) {
        (void)exit_code_fail("run", &err);
        code = EX_USAGE;
    } else if (parsed == ARGS_GO && run_prompt(run, argv + rest, &err) != OK) {
        code = exit_code_fail("run", &err);
    }
    close_run(run);
    return code != EX_OK ? code : exit_code_flush("run");
}
