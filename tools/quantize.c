/*
 * quantize - cohort quantize: a model file in our int8 form or in another block format, and
 * what the int8 form costs.
 *
 * Writing int8 takes the file's numbers through the code that loading would
 * (engine/int8_file.h), so the result answers alike and opens sooner. The report tells each
 * matrix's error and, over a text, how far predictions move: divergence and perplexity of
 * precision int8, with its int8 KV cache, against precision exact with a float one. All of it
 * on the CPU.
 */
#include "base/clock.h"
#include "base/json.h"
#include "engine/int8_file.h"
#include "engine/model_file.h"
#include "engine/quant_file.h"
#include "engine/text_loss.h"
#include "tools/args.h"
#include "tools/cohort.h"
#include "tools/exit_code.h"
#include "tools/output.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { WINDOW = 512, STEP_ROWS = 128, TOKENS_DEFAULT = 2048, TEXT_BYTES_MAX = 64 << 20 };

struct quantize {
    const char *text; /* path, or NULL */
    uint32_t threads, tokens;
    bool report, json;

    const char *in, *out;
    bool is_blocks; /* out is to have `type`; else our int8 form, or a report is made */
    enum weight_type type;
    struct device *device;
    struct model_file file;
    struct quant_report matrices;
    struct text_loss loss; /* positions 0: no text was read */
    double loss_s;
};

/* Opens the file and measures its matrices. Loading it once shows that it is a whole model. */
static enum status open_source(struct quantize *q, struct error *err)
{
    const struct device_options options = {
        .kind = DEVICE_CPU, .threads = q->threads, .simd_max = DEVICE_SIMD_WIDEST};
    struct model *model;
    bool is_int8;
    TRY(device_open(&q->device, &options, err));
    TRY(model_file_open(&q->file, q->in, err));
    TRY(int8_file_check(q->file.gguf, &is_int8, err));
    if (is_int8)
        FAIL(err, ERR_LIMIT, "%s: its matrices are int8 already", q->in);
    if (q->out && model_file_has(&q->file, q->out))
        FAIL(err, ERR_LIMIT, "%s: is what the model is read from, and so not written over",
             q->out);
    TRY(model_open(&model, q->in, MODEL_EXACT, q->device, err));
    model_close(model, q->device);
    return q->is_blocks ? OK : quant_report_make(&q->matrices, q->file.gguf, q->device, err);
}

static enum status write_model(const struct quantize *q, struct error *err)
{
    return q->is_blocks ? quant_file_write(q->out, q->file.gguf, q->type, q->device, err)
                        : int8_file_write(q->out, q->file.gguf, &q->matrices, q->device, err);
}

static void close_source(struct quantize *q)
{
    quant_report_deinit(&q->matrices);
    model_file_close(&q->file);
    device_close(q->device);
}

static void print_matrices(const struct quantize *q)
{
    double worst = 0;
    uint32_t kept = 0;
    printf("%-28s %-6s %14s  %8s  %9s  %s\n", "matrix", "type", "outputs x inputs", "error %",
           "worst row", "form");
    for (uint32_t i = 0; i < q->matrices.count; i++) {
        const struct quant_report_matrix *matrix = &q->matrices.matrices[i];
        const struct gguf_tensor *tensor = matrix->tensor;
        worst = fmax(worst, matrix->error);
        kept += matrix->is_kept;
        printf("%-28s %-6s %7lld x %6lld  %8.3f  %9.3f  %s\n", matrix->name.text,
               weight_type_name(tensor->type), (long long)tensor->dims[1],
               (long long)tensor->dims[0], 100 * matrix->error, 100 * matrix->row_error,
               matrix->is_kept ? "kept" : "int8");
    }
    printf("%u matrices, the worst at %.3f %%; %u above %.1f %% and so kept as they are\n",
           q->matrices.count, 100 * worst, kept, 100 * QUANT_REPORT_ERROR_MAX);
}

static enum status open_run(const struct quantize *q, enum model_precision precision,
                            struct model_run *run, struct error *err)
{
    const bool is_int8 = precision == MODEL_INT8;
    const struct model_run_options options = {.path = q->in,
                                              .precision = precision,
                                              .kv_type = is_int8 ? KV_INT8 : KV_F32,
                                              .threads = q->threads,
                                              .simd_max = DEVICE_SIMD_WIDEST,
                                              .sequences = 1,
                                              .context_max = WINDOW,
                                              .rows_max = STEP_ROWS,
                                              .head_max = STEP_ROWS};
    return model_run_open(run, &options, err);
}

/* Windows of the text, each read from an empty context. */
static enum status run_windows(const struct quantize *q, const struct text_loss_runs *runs,
                               const struct token_list *ids, struct text_loss *loss,
                               struct error *err)
{
    const size_t count = ids->count < q->tokens ? ids->count : q->tokens;
    if (count < 2)
        FAIL(err, ERR_FORMAT, "%s: %zu tokens, at least 2 are needed", q->text, count);
    for (size_t first = 0; first < count; first += WINDOW) {
        const size_t left = count - first;
        TRY(text_loss_run(runs, ids->ids + first, (int32_t)(left < WINDOW ? left : WINDOW),
                          loss, err));
    }
    return OK;
}

static void print_loss(const struct text_loss *loss, double seconds)
{
    const double int8 = loss->nll / loss->scored, exact = loss->other_nll / loss->scored;
    printf("text: %d tokens in windows of %d, %.1f s\n", loss->positions, WINDOW, seconds);
    printf("  KL of int8 from exact  %.6f nats, mean of all positions\n",
           loss->kl / loss->positions);
    printf("  same first choice      %.2f %%\n", 100.0 * loss->same_top / loss->positions);
    printf("  perplexity             %.4f exact, %.4f int8 (%+.3f %%)\n", exp(exact), exp(int8),
           100 * (exp(int8 - exact) - 1));
}

static enum status read_ids(const struct quantize *q, const struct model *model,
                            struct token_list *ids, struct error *err)
{
    struct text_buf text = {0};
    enum status status = OK;
    if (!model->tokenizer)
        FAIL(err, ERR_LIMIT, "%s: has no tokenizer that runs here", q->in);
    status = file_map_read(&text, q->text, TEXT_BYTES_MAX, err);
    if (status == OK)
        status = tokenizer_encode(model->tokenizer, text_buf_text(&text), TOKENIZER_BOUNDS, ids,
                                  err);
    text_buf_deinit(&text);
    return status;
}

static enum status read_text(struct quantize *q, struct error *err)
{
    struct model_run int8 = {0}, exact = {0};
    struct token_list ids = {0};
    enum status status = open_run(q, MODEL_INT8, &int8, err);
    if (status == OK)
        status = open_run(q, MODEL_EXACT, &exact, err);
    if (status == OK)
        status = read_ids(q, exact.model, &ids, err);
    const struct text_loss_runs runs = {.run = &int8, .other = &exact};
    const double begin = clock_now_s();
    if (status == OK)
        status = run_windows(q, &runs, &ids, &q->loss, err);
    q->loss_s = clock_now_s() - begin;
    token_list_deinit(&ids);
    model_run_close(&exact);
    model_run_close(&int8);
    return status;
}

static void write_matrix(const struct quant_report_matrix *matrix, struct json_writer *w)
{
    json_write_object(w);
    json_write_key_text(w, "matrix", text_of(matrix->name.text));
    json_write_key_text(w, "type", text_of(weight_type_name(matrix->tensor->type)));
    json_write_key_double(w, "outputs", (double)matrix->tensor->dims[1]);
    json_write_key_double(w, "inputs", (double)matrix->tensor->dims[0]);
    json_write_key_double(w, "error", matrix->error);
    json_write_key_double(w, "row_error", matrix->row_error);
    json_write_key_text(w, "form", text_of(matrix->is_kept ? "kept" : "int8"));
    json_write_object_end(w);
}

static void write_loss(const struct text_loss *loss, struct json_writer *w)
{
    json_write_key(w, "text");
    json_write_object(w);
    json_write_key_double(w, "tokens", loss->positions);
    json_write_key_double(w, "window", WINDOW);
    json_write_key_double(w, "kl", loss->kl / loss->positions);
    json_write_key_double(w, "same_first_choice", (double)loss->same_top / loss->positions);
    json_write_key_double(w, "perplexity_exact", exp(loss->other_nll / loss->scored));
    json_write_key_double(w, "perplexity_int8", exp(loss->nll / loss->scored));
    json_write_object_end(w);
}

/* Errors as shares, divergence in nats. */
static enum status print_json(const struct quantize *q, struct error *err)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    json_write_object(&w);
    json_write_key_text(&w, "file", text_of(q->in));
    json_write_key_double(&w, "error_max", QUANT_REPORT_ERROR_MAX);
    json_write_key(&w, "matrices");
    json_write_array(&w);
    for (uint32_t i = 0; i < q->matrices.count; i++)
        write_matrix(&q->matrices.matrices[i], &w);
    json_write_array_end(&w);
    if (q->text)
        write_loss(&q->loss, &w);
    json_write_object_end(&w);
    return output_line(&out, err);
}

static enum status report(struct quantize *q, struct error *err)
{
    if (!q->json)
        print_matrices(q);
    (void)fflush(stdout);
    if (q->text)
        TRY(read_text(q, err));
    if (q->json)
        return print_json(q, err);
    if (q->text)
        print_loss(&q->loss, q->loss_s);
    return OK;
}

static int run(struct quantize *q)
{
    struct error err = {0};
    enum status status = open_source(q, &err);
    const bool is_writing = status == OK && !q->report;
    if (status == OK)
        status = is_writing ? write_model(q, &err) : report(q, &err);
    int code = status == OK ? EX_OK : exit_code_fail("quantize", &err);
    if (is_writing && status == ERR_IO)
        code = EX_CANTCREAT;
    close_source(q);
    return code != EX_OK ? code : exit_code_flush("quantize");
}

static int wrong(const char *sentence)
{
    (void)fprintf(stderr, "cohort quantize: %s; try cohort quantize --help\n", sentence);
    return EX_USAGE;
}

static int wrong_type(const char *word)
{
    char sentence[192];
    (void)snprintf(sentence, sizeof sentence, "TYPE is %.32s, want int8, %s", word,
                   quant_file_names().text);
    return wrong(sentence);
}

int quantize_main(int argc, char **argv)
{
    struct quantize q = {.tokens = TOKENS_DEFAULT};
    const struct args_option options[] = {
        {0, "report", NULL, ARGS_FLAG, &q.report, 0, 0,
         "write nothing: print the error of each matrix"},
        {0, "text", "FILE", ARGS_TEXT, &q.text, 0, 0,
         "with --report: divergence and perplexity on this text too"},
        {0, "json", NULL, ARGS_FLAG, &q.json, 0, 0, "with --report: one JSON object"},
        {0, "tokens", "N", ARGS_U32, &q.tokens, 2, 1 << 24,
         "of the text, at most (default: 2048)"},
        {0, "threads", "N", ARGS_U32, &q.threads, 0, 1024,
         "worker threads (default: one per core)"},
    };
    char about[768];
    (void)snprintf(
        about, sizeof about,
        "Writes a GGUF model with its matrices in another type; IN is a GGUF file, or a "
        "folder of safetensors. What is made of a folder, its tokenizer with it, is for "
        "this program: its keys are others than those that llama.cpp reads.\n"
        "  int8        as precision int8 uses them: answers the same, opens sooner; "
        "matrices that would lose too much are kept as they are\n"
        "  %s\n"
        "              as GGUF has them; the head has 8 bits at least\n"
        "Or reports what int8 costs the model.",
        quant_file_names().text);
    const struct args_command command = {
        .name = "quantize",
        .usage = "[options] IN OUT TYPE | --report [options] IN",
        .about = about,
        ARGS_OPTIONS(options),
    };
    int rest;
    const enum args_result parsed = args_parse(&command, argc, argv, &rest);
    if (parsed != ARGS_GO)
        return args_exit_code(parsed);
    if (!args_words_fit(&command, argc - rest, q.report ? 1 : 3, q.report ? 1 : 3))
        return EX_USAGE;
    if ((q.text || q.json) && !q.report)
        return wrong(q.text ? "--text wants --report" : "--json wants --report");
    q.in = argv[rest];
    q.out = q.report ? NULL : argv[rest + 1];
    if (!q.report && strcmp(argv[rest + 2], "int8") != 0) {
        q.is_blocks = quant_file_type(argv[rest + 2], &q.type);
        if (!q.is_blocks)
            return wrong_type(argv[rest + 2]);
    }
    return run(&q);
}
