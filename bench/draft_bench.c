/*
 * draft_bench - what guessing ahead brings where a job copies from its prompt (engine/draft.h).
 *
 *     draft_bench MODEL TEXT [--jobs 8] [--precision exact|int8] [--threads N]
 *                 [--shape SCHEMA] [--temperature T]
 *
 * Each job is given a passage of the text, a line of instruction and the passage's first words,
 * and goes on from there: a model that is worth anything copies. With --shape they write JSON
 * of the schema in that file instead: text that the shape forces is guessed too. The same jobs
 * run without drafts and with them; the texts must be the same to the token, or the exit code
 * is 1. Prints steps, seconds, and tokens of output per step and sequence. A model or text that
 * is not there is told, with exit code 77: this is a test as well.
 */
#include "base/clock.h"
#include "base/file_map.h"
#include "engine/engine.h"
#include "tokenizer/tokenizer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    JOBS_MAX = 64,
    PASSAGE = 300,
    BEGUN = 24,
    OUT = 96,
    PROMPT_MAX = 512,
    TEXT_MAX = 1 << 22
};

struct settings {
    const char *model, *text, *shape;
    struct text_buf schema;
    float temperature;
    uint32_t jobs, threads;
    enum engine_precision precision;
    enum engine_format format;
};

struct outcome {
    token_id tokens[JOBS_MAX][OUT];
    uint32_t counts[JOBS_MAX];
    struct engine_stats stats;
    double took_s;
};

/* Prompts [jobs][PROMPT_MAX] out of the text. */
static enum status make_prompts(const struct tokenizer *tokenizer,
                                const struct settings *settings, token_id *prompts,
                                uint32_t *counts, struct error *err)
{
    struct text_buf text = {0};
    struct token_list ids = {0}, line = {0};
    const bool is_text = settings->format == ENGINE_FORMAT_TEXT;
    const struct text again =
        is_text
            ? TEXT("\n\nThe same text once more, word for word:\n\n")
            : TEXT("\n\nJSON with an explanation, a citation and an answer: {\"explanation\": "
                   "\"It is about software.\", \"citation\": \"the software is free\", "
                   "\"answer\": \"software\"}\nAnother one, of the text above:\n");
    const uint32_t begun = is_text ? BEGUN : 0;
    enum status status = file_map_read(&text, settings->text, TEXT_MAX, err);
    if (status == OK)
        status = tokenizer_encode(tokenizer, text_buf_text(&text), TOKENIZER_BOUNDS, &ids, err);
    if (status == OK)
        status = tokenizer_encode(tokenizer, again, 0, &line, err);
    if (status == OK && ids.count < (size_t)settings->jobs * PASSAGE)
        status = error_set(err, ERR_LIMIT, __FILE__, __LINE__, "%s: %zu tokens, %u are needed",
                           settings->text, ids.count, settings->jobs * PASSAGE);
    for (uint32_t i = 0; status == OK && i < settings->jobs; i++) {
        token_id *prompt = prompts + (size_t)i * PROMPT_MAX;
        const token_id *passage = ids.ids + (size_t)i * PASSAGE;
        memcpy(prompt, passage, PASSAGE * sizeof *prompt);
        memcpy(prompt + PASSAGE, line.ids, line.count * sizeof *prompt);
        memcpy(prompt + PASSAGE + line.count, passage, begun * sizeof *prompt);
        counts[i] = PASSAGE + (uint32_t)line.count + begun;
    }
    token_list_deinit(&ids);
    token_list_deinit(&line);
    text_buf_deinit(&text);
    return status;
}

static void take_events(struct engine *engine, uint32_t jobs, struct outcome *outcome)
{
    struct engine_event events[64];
    for (uint32_t done = 0; done < jobs;) {
        const size_t count = engine_poll(engine, events, 64, -1);
        for (size_t i = 0; i < count; i++) {
            const struct engine_event *event = &events[i];
            if (event->kind == ENGINE_DONE)
                done++;
            else if (event->token != TOKEN_NONE)
                outcome->tokens[event->tag][outcome->counts[event->tag]++] = event->token;
        }
    }
}

static enum status run(const struct settings *settings, bool has_drafts,
                       struct outcome *outcome, struct error *err)
{
    static token_id prompts[JOBS_MAX * PROMPT_MAX];
    uint32_t counts[JOBS_MAX];
    const struct engine_options options = {.model_path = settings->model,
                                           .precision = settings->precision,
                                           .threads = settings->threads,
                                           .no_drafts = !has_drafts};
    struct engine *engine = NULL;
    TRY(engine_open(&engine, &options, err));
    enum status status = make_prompts(engine_tokenizer(engine), settings, prompts, counts, err);
    const double start = clock_now_s();
    for (uint32_t i = 0; status == OK && i < settings->jobs; i++) {
        uint64_t id;
        const struct engine_job job = {.format = settings->format,
                                       .format_source = text_buf_text(&settings->schema),
                                       .prompt = prompts + (size_t)i * PROMPT_MAX,
                                       .prompt_tokens = counts[i],
                                       .max_tokens = OUT,
                                       .temperature = settings->temperature,
                                       .job_key = i,
                                       .ignore_end = settings->format == ENGINE_FORMAT_TEXT,
                                       .tag = i};
        status = engine_submit(engine, &job, &id, err);
    }
    if (status == OK)
        take_events(engine, settings->jobs, outcome);
    outcome->took_s = clock_now_s() - start;
    engine_stats(engine, &outcome->stats);
    engine_close(engine);
    return status;
}

static void print(const char *name, const struct outcome *outcome)
{
    const struct engine_stats *stats = &outcome->stats;
    const double own = (double)(stats->output_tokens - stats->accepted_tokens);
    printf("%-8s %5" PRIu64 " steps, decode %6.2f s, all %6.2f s; drafted %5" PRIu64
           ", rightly %5" PRIu64 "; %.2f tokens per step and sequence\n",
           name, stats->steps, stats->decode_s, outcome->took_s, stats->drafted_tokens,
           stats->accepted_tokens, (double)stats->output_tokens / own);
}

static bool parse(int argc, char **argv, struct settings *settings)
{
    *settings = (struct settings){.jobs = 8};
    if (argc < 3)
        return false;
    settings->model = argv[1];
    settings->text = argv[2];
    for (int i = 3; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--jobs") == 0)
            settings->jobs = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--threads") == 0)
            settings->threads = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--precision") == 0)
            settings->precision = strcmp(argv[i + 1], "int8") == 0 ? ENGINE_INT8 : ENGINE_EXACT;
        else if (strcmp(argv[i], "--shape") == 0)
            settings->shape = argv[i + 1];
        else if (strcmp(argv[i], "--temperature") == 0)
            settings->temperature = strtof(argv[i + 1], NULL);
        else
            return false;
    }
    return argc % 2 == 1 && settings->jobs >= 1 && settings->jobs <= JOBS_MAX;
}

static enum status read_shape(struct settings *settings, struct error *err)
{
    if (!settings->shape)
        return OK;
    settings->format = ENGINE_FORMAT_SCHEMA;
    return file_map_read(&settings->schema, settings->shape, TEXT_MAX, err);
}

int main(int argc, char **argv)
{
    static struct outcome without, with;
    struct settings settings;
    struct error err;
    if (!parse(argc, argv, &settings)) {
        (void)fprintf(stderr,
                      "usage: draft_bench MODEL TEXT [--jobs 1..%d] "
                      "[--precision exact|int8] [--threads N] "
                      "[--shape SCHEMA] [--temperature T]\n",
                      JOBS_MAX);
        return 2;
    }
    if (access(settings.model, R_OK) != 0 || access(settings.text, R_OK) != 0) {
        printf("skipped: %s or %s is not there\n", settings.model, settings.text);
        return 77;
    }
    if (read_shape(&settings, &err) != OK || run(&settings, false, &without, &err) != OK ||
        run(&settings, true, &with, &err) != OK) {
        (void)fprintf(stderr, "draft_bench: %s\n", err.text);
        return 1;
    }
    print("without", &without);
    print("with", &with);
    const bool is_same = memcmp(without.counts, with.counts, sizeof with.counts) == 0 &&
                         memcmp(without.tokens, with.tokens, sizeof with.tokens) == 0;
    text_buf_deinit(&settings.schema);
    printf("texts %s\n", is_same ? "the same to the token" : "DIFFER");
    return is_same ? 0 : 1;
}
