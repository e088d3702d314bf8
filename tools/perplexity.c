/*
 * perplexity - cohort perplexity: how well a model predicts a text, and how far its predictions
 * are from another's, or from those of its own other precision.
 *
 * The text is read in windows, each from an empty context. A window begins `stride` tokens
 * after the one before; of what both have, only the first window's predictions count, so that
 * each token is predicted once, and (past the first window) from more than window - stride
 * tokens.
 */
#include "base/clock.h"
#include "base/file_map.h"
#include "base/json.h"
#include "engine/text_loss.h"
#include "tools/args.h"
#include "tools/cohort.h"
#include "tools/exit_code.h"
#include "tools/model_path.h"
#include "tools/output.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { WINDOW = 512, STEP_ROWS = 128, WINDOW_MAX = 1 << 17, TEXT_BYTES_MAX = 256 << 20 };
enum precision { EXACT, INT8, BOTH };

struct perplexity {
    const char *model, *against, *file;
    int device, precision;
    uint32_t threads, window, stride, tokens_max;
    bool json;

    struct model_run ours, other;
    bool has_other;
    struct token_list ids;
    struct text_loss loss;
    double seconds;
};

static enum status open_one(const struct perplexity *p, const char *path,
                            enum model_precision precision, struct model_run *run,
                            struct error *err)
{
    static const enum device_kind kinds[] = {DEVICE_CPU, DEVICE_CUDA, DEVICE_EMU};
    const enum device_kind kind = kinds[p->device];
    const struct model_run_options options = {.path = path,
                                              .precision = precision,
                                              .kv_type = precision == MODEL_INT8 ? KV_INT8
                                                         : kind == DEVICE_CPU    ? KV_F32
                                                                                 : KV_F16,
                                              .device = kind,
                                              .threads = p->threads,
                                              .simd_max = DEVICE_SIMD_WIDEST,
                                              .sequences = 1,
                                              .context_max = (int32_t)p->window,
                                              .rows_max = STEP_ROWS,
                                              .head_max = STEP_ROWS};
    return model_run_open(run, &options, err);
}

/* The model, and what it is held against: another model in the same precision, or itself in the
 * exact one. */
static enum status open_models(struct perplexity *p, struct error *err)
{
    char path[MODEL_PATH_BYTES], beside[MODEL_PATH_BYTES];
    const enum model_precision own = p->precision == EXACT ? MODEL_EXACT : MODEL_INT8;
    TRY(model_path_find(p->model, path, sizeof path, err));
    if (p->against)
        TRY(model_path_find(p->against, beside, sizeof beside, err));
    TRY(open_one(p, path, own, &p->ours, err));
    p->has_other = p->against || p->precision == BOTH;
    if (p->has_other)
        TRY(open_one(p, p->against ? beside : path, p->precision == BOTH ? MODEL_EXACT : own,
                     &p->other, err));
    const struct model *model = p->ours.model;
    if (!model->tokenizer)
        FAIL(err, ERR_LIMIT, "%s: has no tokenizer that runs here", path);
    if (p->has_other && p->other.model->config.vocab != model->config.vocab)
        FAIL(err, ERR_LIMIT, "%s: %d tokens in the vocabulary, the other has %d", beside,
             p->other.model->config.vocab, model->config.vocab);
    if ((int32_t)p->window > model->config.context_max)
        FAIL(err, ERR_LIMIT, "--window: %u tokens, the model's context has %d", p->window,
             model->config.context_max);
    return OK;
}

static enum status read_ids(struct perplexity *p, struct error *err)
{
    struct text_buf text = {0};
    enum status status = file_map_read(&text, p->file, TEXT_BYTES_MAX, err);
    if (status == OK)
        status = tokenizer_encode(p->ours.model->tokenizer, text_buf_text(&text),
                                  TOKENIZER_BOUNDS, &p->ids, err);
    text_buf_deinit(&text);
    if (status == OK && p->tokens_max > 0 && p->ids.count > p->tokens_max)
        p->ids.count = p->tokens_max;
    if (status == OK && p->ids.count < 2)
        FAIL(err, ERR_FORMAT, "%s: %zu tokens, at least 2 are needed", p->file, p->ids.count);
    return status;
}

static enum status run_windows(struct perplexity *p, struct error *err)
{
    struct text_loss_runs runs = {.run = &p->ours, .other = p->has_other ? &p->other : NULL};
    const size_t count = p->ids.count;
    for (size_t first = 0;; first += p->stride) {
        const size_t left = count - first;
        const int32_t size = (int32_t)(left < p->window ? left : p->window);
        runs.skip = first > 0 ? (int32_t)(p->window - p->stride) : 0;
        runs.next = left > p->window ? p->ids.ids + first + p->window : NULL;
        TRY(text_loss_run(&runs, p->ids.ids + first, size, &p->loss, err));
        if (left <= p->window)
            return OK;
    }
}

static enum status write_json(const struct perplexity *p, struct error *err)
{
    const struct text_loss *loss = &p->loss;
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    json_write_object(&w);
    json_write_key_text(&w, "model", text_of(p->ours.model->config.name));
    json_write_key_text(&w, "precision", p->precision == EXACT ? TEXT("exact") : TEXT("int8"));
    json_write_key_double(&w, "tokens", (double)p->ids.count);
    json_write_key_double(&w, "scored", loss->scored);
    json_write_key_double(&w, "window", p->window);
    json_write_key_double(&w, "stride", p->stride);
    json_write_key_double(&w, "nll", loss->nll / loss->scored);
    json_write_key_double(&w, "perplexity", exp(loss->nll / loss->scored));
    json_write_key_double(&w, "seconds", p->seconds);
    json_write_key_double(&w, "tokens_per_second", loss->positions / p->seconds);
    if (p->has_other) {
        json_write_key(&w, "against");
        json_write_object(&w);
        json_write_key_text(&w, "model", text_of(p->other.model->config.name));
        json_write_key_text(&w, "precision",
                            p->precision == INT8 ? TEXT("int8") : TEXT("exact"));
        json_write_key_double(&w, "nll", loss->other_nll / loss->scored);
        json_write_key_double(&w, "perplexity", exp(loss->other_nll / loss->scored));
        json_write_key_double(&w, "kl", loss->kl / loss->positions);
        json_write_key_double(&w, "same_top", (double)loss->same_top / loss->positions);
        json_write_object_end(&w);
    }
    json_write_object_end(&w);
    return output_line(&out, err);
}

static void write_lines(const struct perplexity *p)
{
    const struct text_loss *loss = &p->loss;
    const double nll = loss->nll / loss->scored;
    printf("perplexity %.4f  (mean NLL %.6f nats over %d tokens, windows of %u, stride %u)\n",
           exp(nll), nll, loss->scored, p->window, p->stride);
    if (p->has_other) {
        const double other = loss->other_nll / loss->scored;
        printf("against    %.4f  (%s, %s; mean NLL %.6f)\n", exp(other),
               p->other.model->config.name, p->precision == INT8 ? "int8" : "exact", other);
        printf("KL         %.6f nats, mean of %d positions; same first choice %.2f %%\n",
               loss->kl / loss->positions, loss->positions,
               100.0 * loss->same_top / loss->positions);
    }
    printf("%.1f tokens/s, %.1f s\n", loss->positions / p->seconds, p->seconds);
}

static enum status run(struct perplexity *p, struct error *err)
{
    TRY(open_models(p, err));
    TRY(read_ids(p, err));
    const double begin = clock_now_s();
    TRY(run_windows(p, err));
    p->seconds = clock_now_s() - begin;
    if (p->json)
        return write_json(p, err);
    write_lines(p);
    return OK;
}

static enum args_result parse(struct perplexity *p, int argc, char **argv)
{
    const struct args_option options[] = {
        MODEL_PATH_OPTION(&p->model),
        {0, "against", "MODEL", ARGS_TEXT, &p->against, 0, 0,
         "another model of the same vocabulary: divergence from it"},
        {0, "precision", "exact|int8|both", ARGS_CHOICE, &p->precision, 0, 0,
         "both: int8, and its divergence from exact (default: exact)"},
        {0, "device", "cpu|cuda|emu", ARGS_CHOICE, &p->device, 0, 0,
         "where to compute (default: cpu)"},
        {0, "window", "N", ARGS_U32, &p->window, 2, WINDOW_MAX,
         "tokens of context and text at once (default: 512)"},
        {0, "stride", "N", ARGS_U32, &p->stride, 1, WINDOW_MAX,
         "tokens from window to window (default: half of one)"},
        {0, "tokens", "N", ARGS_U32, &p->tokens_max, 2, 1 << 30,
         "of the text, at most (default: all)"},
        {0, "threads", "N", ARGS_U32, &p->threads, 0, 1024,
         "worker threads (default: one per core)"},
        {0, "json", NULL, ARGS_FLAG, &p->json, 0, 0, "one JSON object"},
    };
    const struct args_command command = {
        .name = "perplexity",
        .usage = "[options] FILE",
        .about = "Tells how well a model predicts a text (- for standard input): mean negative "
                 "log-likelihood of each token, and perplexity, which is its exponential.",
        ARGS_OPTIONS(options),
        .words_min = 1,
        .words_max = 1,
    };
    int rest;
    const enum args_result parsed = args_parse_words(&command, argc, argv, &rest);
    if (parsed != ARGS_GO)
        return parsed;
    if (p->stride == 0)
        p->stride = p->window / 2;
    if (p->stride > p->window) {
        (void)fprintf(stderr, "cohort perplexity: --stride %u: want 1 to the window, %u\n",
                      p->stride, p->window);
        return ARGS_WRONG;
    }
    if (p->against && p->precision == BOTH) {
        (void)fprintf(stderr, "cohort perplexity: --precision both: not with --against\n");
        return ARGS_WRONG;
    }
    p->file = argv[rest];
    return ARGS_GO;
}

int perplexity_main(int argc, char **argv)
{
    struct perplexity p = {.window = WINDOW};
    struct error err = {0};
    const enum args_result parsed = parse(&p, argc, argv);
    if (parsed != ARGS_GO)
        return args_exit_code(parsed);
    const int code = run(&p, &err) == OK ? EX_OK : exit_code_fail("perplexity", &err);
    token_list_deinit(&p.ids);
    model_run_close(&p.other);
    model_run_close(&p.ours);
    return code != EX_OK ? code : exit_code_flush("perplexity");
}
