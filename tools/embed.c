/* embed - cohort embed: each line of a text as a vector. */
#include "base/file_map.h"
#include "base/json.h"
#include "engine/engine.h"
#include "tokenizer/tokenizer.h"
#include "tools/cohort.h"
#include "tools/engine_args.h"
#include "tools/exit_code.h"
#include "tools/output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { TEXT_BYTES_MAX = 256 << 20, LINES_MAX = 1 << 20, EVENTS = 64, IN_FLIGHT_MAX = 4096 };

struct embed {
    struct engine_args engine_args;
    const char *file;
    int pooling; /* enum engine_pooling */
    bool normalize, json;

    struct engine *engine;
    struct text_buf text;
    struct token_list ids;
    float *vectors; /* [line_count][size] */
    uint32_t line_count, size, running;
    uint64_t tokens;
};

static uint32_t count_lines(struct text text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == '\n' || i + 1 == text.size;
    return count;
}

/* The next line, without its end; text goes on behind it. */
static struct text take_line(struct text *text)
{
    const size_t found = text_find(*text, TEXT("\n"), 0);
    const size_t end = found == SIZE_MAX ? text->size : found;
    struct text line = text_slice(*text, 0, end);
    *text = text_slice(*text, end + 1, text->size);
    if (text_ends(line, TEXT("\r")))
        line.size--;
    return line;
}

static enum status submit(struct embed *e, struct text line, uint32_t index, struct error *err)
{
    struct error why;
    uint64_t job_id;
    e->ids.count = 0;
    TRY(tokenizer_encode(engine_tokenizer(e->engine), line, TOKENIZER_BOUNDS, &e->ids, err));
    const struct engine_job job = {.kind = ENGINE_EMBED,
                                   .pooling = (enum engine_pooling)e->pooling,
                                   .prompt = e->ids.ids,
                                   .prompt_tokens = (uint32_t)e->ids.count,
                                   .tag = index};
    const enum status status = engine_submit(e->engine, &job, &job_id, &why);
    if (status != OK)
        FAIL(err, status, "line %u: %s", index + 1, why.text);
    e->running++;
    e->tokens += e->ids.count;
    return OK;
}

static enum status take_events(struct embed *e, struct error *err)
{
    struct engine_event events[EVENTS];
    const size_t count = engine_poll(e->engine, events, EVENTS, -1);
    if (count == 0)
        FAIL(err, ERR_DEVICE, "the engine stopped with %u lines to do", e->running);
    for (size_t i = 0; i < count; i++) {
        const struct engine_event *event = &events[i];
        e->running--;
        if (!event->vector) {
            TRY(engine_failure(e->engine, err));
            FAIL(err, ERR_DEVICE, "line %llu: the model's numbers are not numbers",
                 (unsigned long long)event->tag + 1);
        }
        memcpy(e->vectors + event->tag * e->size, event->vector, e->size * sizeof *e->vectors);
    }
    return OK;
}

static enum status run_lines(struct embed *e, struct error *err)
{
    struct text rest = text_buf_text(&e->text);
    for (uint32_t i = 0; i < e->line_count; i++) {
        const struct text line = take_line(&rest);
        if (line.size == 0)
            FAIL(err, ERR_FORMAT, "line %u is empty", i + 1);
        TRY(submit(e, line, i, err));
        while (e->running >= IN_FLIGHT_MAX)
            TRY(take_events(e, err));
    }
    while (e->running > 0)
        TRY(take_events(e, err));
    return OK;
}

/* To length 1: what cosine similarity wants. */
static void normalize(float *vector, uint32_t size)
{
    double square = 0;
    for (uint32_t i = 0; i < size; i++)
        square += (double)vector[i] * (double)vector[i];
    for (uint32_t i = 0; i < size && square > 0; i++)
        vector[i] = (float)((double)vector[i] / sqrt(square));
}

static enum status write_json(const struct embed *e, struct error *err)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    json_write_object(&w);
    json_write_key_text(&w, "model", text_of(engine_info(e->engine)->model_name));
    json_write_key_i64(&w, "size", e->size);
    json_write_key_i64(&w, "tokens", (int64_t)e->tokens);
    json_write_key(&w, "embeddings");
    json_write_array(&w);
    for (uint32_t i = 0; i < e->line_count; i++) {
        json_write_array(&w);
        for (uint32_t d = 0; d < e->size; d++)
            json_write_double(&w, (double)e->vectors[(size_t)i * e->size + d]);
        json_write_array_end(&w);
        TRY(output_text(&out, err)); /* line by line: it can be large */
    }
    json_write_array_end(&w);
    json_write_object_end(&w);
    return output_line(&out, err);
}

static void write_lines(const struct embed *e)
{
    for (uint32_t i = 0; i < e->line_count; i++)
        for (uint32_t d = 0; d < e->size; d++)
            printf("%.9g%c", (double)e->vectors[(size_t)i * e->size + d],
                   d + 1 < e->size ? ' ' : '\n');
}

static enum status run(struct embed *e, struct error *err)
{
    TRY(file_map_read(&e->text, e->file, TEXT_BYTES_MAX, err));
    e->line_count = count_lines(text_buf_text(&e->text));
    if (e->line_count == 0 || e->line_count > LINES_MAX)
        FAIL(err, ERR_LIMIT, "%u lines, want 1 to %d", e->line_count, LINES_MAX);
    TRY(engine_args_open(&e->engine_args, NULL, &e->engine, err));
    if (!engine_tokenizer(e->engine))
        FAIL(err, ERR_FORMAT, "the model file has no tokenizer");
    e->size = engine_info(e->engine)->hidden;
    e->vectors = calloc(e->line_count, e->size * sizeof *e->vectors);
    if (!e->vectors)
        FAIL(err, ERR_MEMORY, "no memory for %u vectors of %u", e->line_count, e->size);
    TRY(run_lines(e, err));
    for (uint32_t i = 0; i < e->line_count && e->normalize; i++)
        normalize(e->vectors + (size_t)i * e->size, e->size);
    if (e->json)
        return write_json(e, err);
    write_lines(e);
    return OK;
}

int embed_main(int argc, char **argv)
{
    struct embed e = {.file = "-"};
    const struct args_option options[] = {
        ENGINE_ARGS(e.engine_args),
        {0, "pool", "mean|last", ARGS_CHOICE, &e.pooling, 0, 0,
         "of the hidden states of all tokens the mean, or the last (default: mean)"},
        {0, "normalize", NULL, ARGS_FLAG, &e.normalize, 0, 0, "to length 1"},
        {0, "json", NULL, ARGS_FLAG, &e.json, 0, 0, "one JSON object"},
    };
    const struct args_command command = {
        .name = "embed",
        .usage = "[options] [FILE]",
        .about =
            "Prints a vector for each line of FILE, or of standard input: the model's hidden "
            "states behind its final norm, pooled. A line's vector does not depend on the "
            "others.",
        ARGS_OPTIONS(options),
        .words_max = 1,
    };
    struct error err = {0};
    int rest;
    const enum args_result parsed = args_parse_words(&command, argc, argv, &rest);
    if (parsed != ARGS_GO)
        return args_exit_code(parsed);
    if (rest < argc)
        e.file = argv[rest];
    const int code = run(&e, &err) == OK ? EX_OK : exit_code_fail("embed", &err);
    engine_close(e.engine);
    token_list_deinit(&e.ids);
    text_buf_deinit(&e.text);
    free(e.vectors);
    return code != EX_OK ? code : exit_code_flush("embed");
}
