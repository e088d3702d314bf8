/*
 * eval_results - see eval.h. A line each:
 *
 *     {"id", "line", "way", "key", "run", "state": "begun"}
 *     {"id", "line", "way", "key", "run", "state": "answered" | "failed", "right", "judge",
 *      "answer", "expected", "error", "dollars", "judge_dollars", "calls", "sent_bytes",
 *      "received_bytes", "prompt_tokens", "output_tokens", "judge_tokens", "jobs", "seconds",
 *      "model_s", "left_bytes", "is_resumed"}
 *
 * The last line of a key counts. A key stands for a question's line and for all that the way's
 * answer depends on: with another model or other options the question is asked anew. The judge
 * is not among them: verdicts that cost nothing are given again.
 */
#include "tools/eval.h"

#include "base/file_map.h"
#include "base/json.h"
#include "base/sha256.h"
#include "protocol/api/batch_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)8 << 20)

/* ---- keys ---- */

static void write_settings(const struct eval *eval, enum eval_way way, struct text_buf *out)
{
    const struct supervisor_args *supervisor = &eval->supervisor_args;
    struct json_writer w = {.out = out};
    char model[MODEL_PATH_BYTES];
    if (model_path_find(eval->engine_args.model, model, sizeof(model), NULL) != OK)
        model[0] = '\0'; /* opening it will say why */
    json_write_array(&w);
    json_write_text(&w, text_of(eval_way_word(way)));
    if (way != EVAL_LOCAL) {
        json_write_text(&w, text_of(supervisor->url));
        json_write_text(&w, text_of(supervisor->model));
    }
    if (way == EVAL_REMOTE)
        json_write_i64(&w, eval->remote_context);
    if (way != EVAL_REMOTE) {
        json_write_text(&w, text_of(model));
        json_write_i64(&w, eval->engine_args.context);
        json_write_i64(&w, eval->engine_args.precision);
        json_write_i64(&w, eval->worker_kind);
        json_write_i64(&w, eval->samples);
        json_write_i64(&w, eval->rounds);
        json_write_i64(&w, (int64_t)eval->seed);
    }
    json_write_array_end(&w);
}

static enum status make_keys(struct eval *eval, enum eval_way way, struct error *err)
{
    struct text_buf settings = {0};
    write_settings(eval, way, &settings);
    for (uint32_t i = 0; i < eval->count && !settings.failed; i++) {
        struct eval_question *question = &eval->questions[i];
        struct sha256 hash;
        char hex[SHA256_HEX_BYTES];
        sha256_init(&hash);
        sha256_add(&hash, settings.data, settings.size);
        sha256_add(&hash, question->source.data, question->source.size);
        sha256_hex(&hash, hex);
        memcpy(question->outcomes[way].key, hex, EVAL_KEY_BYTES - 1);
    }
    const bool is_full = settings.failed;
    text_buf_deinit(&settings);
    if (is_full)
        FAIL(err, ERR_MEMORY, "no memory for the results");
    return OK;
}

/* ---- lines ---- */

static void write_head(const struct eval_question *question, enum eval_way way,
                       const char *state, struct json_writer *w)
{
    json_write_object(w);
    json_write_key_text(w, "id", question->id);
    json_write_key_i64(w, "line", question->line);
    json_write_key_text(w, "way", text_of(eval_way_word(way)));
    json_write_key_text(w, "key", text_of(question->outcomes[way].key));
    json_write_key_i64(w, "run", question->outcomes[way].run);
    json_write_key_text(w, "state", text_of(state));
}

static void write_count(struct json_writer *w, const char *key, uint64_t value)
{
    json_write_key_i64(w, key, (int64_t)value);
}

void eval_results_write(const struct eval_question *question, enum eval_way way,
                        struct text_buf *out)
{
    const struct eval_outcome *outcome = &question->outcomes[way];
    const struct judge_expected *expected = &question->expected;
    struct json_writer w = {.out = out};
    write_head(question, way, outcome->is_answered ? "answered" : "failed", &w);
    json_write_key_bool(&w, "right", outcome->is_right);
    json_write_key_text(&w, "judge", text_of(judge_word(outcome->judge)));
    json_write_key_text(&w, "answer", outcome->answer);
    json_write_key(&w, "expected");
    json_write_array(&w);
    for (uint32_t i = 0; i < expected->answer_count; i++)
        json_write_text(&w, expected->answers[i]);
    json_write_array_end(&w);
    if (!outcome->is_answered)
        json_write_key_text(&w, "error", outcome->error);
    json_write_key_double(&w, "dollars", outcome->dollars);
    json_write_key_double(&w, "judge_dollars", outcome->judge_dollars);
    write_count(&w, "calls", outcome->calls);
    write_count(&w, "sent_bytes", outcome->sent_bytes);
    write_count(&w, "received_bytes", outcome->received_bytes);
    write_count(&w, "prompt_tokens", outcome->prompt_tokens);
    write_count(&w, "output_tokens", outcome->output_tokens);
    write_count(&w, "judge_tokens", outcome->judge_tokens);
    write_count(&w, "jobs", outcome->jobs);
    json_write_key_double(&w, "seconds", outcome->seconds);
    json_write_key_double(&w, "model_s", outcome->model_s);
    write_count(&w, "left_bytes", outcome->left_bytes);
    json_write_key_bool(&w, "is_resumed", outcome->is_resumed);
    json_write_object_end(&w);
}

static uint64_t read_count(const struct json *root, const char *key)
{
    int64_t value = 0;
    return json_i64(json_get(root, key), &value) && value > 0 ? (uint64_t)value : 0;
}

static double read_amount(const struct json *root, const char *key)
{
    double value = 0;
    return json_double(json_get(root, key), &value) && value > 0 ? value : 0;
}

static enum status read_texts(const struct json *root, struct arena *arena,
                              struct eval_outcome *outcome, struct error *err)
{
    struct text answer = {0}, error = {0};
    (void)json_text(json_get(root, "answer"), &answer);
    (void)json_text(json_get(root, "error"), &error);
    outcome->answer = text_copy(answer, arena);
    outcome->error = text_copy(error, arena);
    if (!outcome->answer.data || !outcome->error.data)
        FAIL(err, ERR_MEMORY, "no memory for the results");
    return OK;
}

static enum status read_outcome(const struct json *root, struct arena *arena,
                                struct eval_outcome *outcome, struct error *err)
{
    struct text key = {0}, state = {0}, judge = {0};
    *outcome = (struct eval_outcome){.run = (int64_t)read_count(root, "run")};
    if (!json_text(json_get(root, "key"), &key) || key.size != EVAL_KEY_BYTES - 1 ||
        !json_text(json_get(root, "state"), &state))
        FAIL(err, ERR_FORMAT, "it is no result of cohort eval");
    memcpy(outcome->key, key.data, key.size);
    if (text_equal(state, TEXT("begun")))
        return OK;
    outcome->is_answered = text_equal(state, TEXT("answered"));
    if (!outcome->is_answered && !text_equal(state, TEXT("failed")))
        FAIL(err, ERR_FORMAT, "its state is %.*s", TEXT_ARG(text_slice(state, 0, 40)));
    outcome->is_over = true;
    (void)json_bool(json_get(root, "right"), &outcome->is_right);
    (void)json_bool(json_get(root, "is_resumed"), &outcome->is_resumed);
    (void)json_text(json_get(root, "judge"), &judge);
    for (int kind = JUDGE_AUTO; kind <= JUDGE_MODEL; kind++)
        if (text_equal(judge, text_of(judge_word((enum judge_kind)kind))))
            outcome->judge = (enum judge_kind)kind;
    outcome->dollars = read_amount(root, "dollars");
    outcome->judge_dollars = read_amount(root, "judge_dollars");
    outcome->seconds = read_amount(root, "seconds");
    outcome->model_s = read_amount(root, "model_s");
    outcome->calls = read_count(root, "calls");
    outcome->sent_bytes = read_count(root, "sent_bytes");
    outcome->received_bytes = read_count(root, "received_bytes");
    outcome->prompt_tokens = read_count(root, "prompt_tokens");
    outcome->output_tokens = read_count(root, "output_tokens");
    outcome->judge_tokens = read_count(root, "judge_tokens");
    outcome->jobs = read_count(root, "jobs");
    outcome->left_bytes = read_count(root, "left_bytes");
    return read_texts(root, arena, outcome, err);
}

enum status eval_results_parse(struct text line, struct arena *arena,
                               struct eval_outcome *outcome, struct error *err)
{
    struct json *root = NULL;
    TRY(json_parse(line, LINE_MAX_BYTES, &root, err));
    const enum status status = read_outcome(root, arena, outcome, err);
    json_free(root);
    return status;
}

/* ---- the file ---- */

/* The unit of that key: no two are alike. */
static void take_outcome(struct eval *eval, const struct eval_outcome *outcome)
{
    for (uint32_t i = 0; i < eval->count; i++)
        for (int way = 0; way < EVAL_WAYS; way++)
            if (memcmp(eval->questions[i].outcomes[way].key, outcome->key, EVAL_KEY_BYTES) == 0)
                eval->questions[i].outcomes[way] = *outcome;
}

static enum status read_lines(struct eval *eval, struct text source, struct error *err)
{
    struct batch_file_lines lines = {.source = source};
    struct eval_outcome outcome;
    struct text line;
    while (batch_file_next_line(&lines, &line)) {
        struct error why = {0};
        const enum status status = eval_results_parse(line, &eval->arena, &outcome, &why);
        if (status != OK)
            FAIL(err, status, "%.100s line %zu: %.110s", eval->out_path, lines.number,
                 why.text);
        take_outcome(eval, &outcome);
    }
    return OK;
}

static enum status read_file(struct eval *eval, struct error *err)
{
    struct text_buf file = {0};
    TRY(file_map_read(&file, eval->out_path, 0, err));
    struct text whole = text_buf_text(&file);
    while (whole.size > 0 && whole.data[whole.size - 1] != '\n')
        whole.size--;
    enum status status = read_lines(eval, whole, err);
    if (status == OK && whole.size < file.size && ftruncate(eval->results, (off_t)whole.size))
        status = error_set(err, ERR_IO, __FILE__, __LINE__, "%.150s: %s", eval->out_path,
                           strerror(errno));
    text_buf_deinit(&file);
    return status;
}

enum status eval_results_open(struct eval *eval, struct error *err)
{
    for (int way = 0; way < EVAL_WAYS; way++)
        if (eval->ways[way])
            TRY(make_keys(eval, (enum eval_way)way, err));
    if (!eval->out_path)
        return OK;
    eval->results = open(eval->out_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (eval->results < 0)
        FAIL(err, ERR_IO, "%.150s: %s", eval->out_path, strerror(errno));
    if (flock(eval->results, LOCK_EX | LOCK_NB) != 0)
        FAIL(err, ERR_CANCELLED, "%.150s: another process is writing it", eval->out_path);
    return read_file(eval, err);
}

static enum status append(const struct eval *eval, struct text_buf *line, struct error *err)
{
    text_buf_byte(line, '\n');
    if (line->failed)
        FAIL(err, ERR_MEMORY, "no memory for a result");
    struct text rest = text_buf_text(line);
    while (rest.size > 0) {
        const ssize_t count = write(eval->results, rest.data, rest.size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            FAIL(err, ERR_IO, "%.150s: %s", eval->out_path, strerror(errno));
        rest = text_slice(rest, (size_t)count, rest.size);
    }
    if (fdatasync(eval->results) != 0 && errno != EINVAL && errno != EROFS)
        FAIL(err, ERR_IO, "%.150s: %s", eval->out_path, strerror(errno));
    return OK;
}

enum status eval_results_begin(const struct eval *eval, const struct eval_question *question,
                               enum eval_way way, struct error *err)
{
    struct text_buf line = {0};
    struct json_writer w = {.out = &line};
    if (eval->results < 0)
        return OK;
    write_head(question, way, "begun", &w);
    json_write_object_end(&w);
    const enum status status = append(eval, &line, err);
    text_buf_deinit(&line);
    return status;
}

enum status eval_results_add(const struct eval *eval, const struct eval_question *question,
                             enum eval_way way, struct error *err)
{
    struct text_buf line = {0};
    if (eval->results < 0)
        return OK;
    eval_results_write(question, way, &line);
    const enum status status = append(eval, &line, err);
    text_buf_deinit(&line);
    return status;
}
