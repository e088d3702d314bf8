/*
 * workload - T1, T3 and T4 through the engine; see load_make.h for what they are.
 *
 *     workload t1 -m MODEL [--own 128] [--out 128] [--jobs 3]
 *     workload t3 -m MODEL [--chunks 32] [--jobs 3] [--shared 800] [--own 250] [--out 64]
 *                          [--order chunk|task]
 *     workload t4 -m MODEL --file workload.json [--runs 4] [--every 1] [--shrink 1]
 *                          [--own 212] [--per-chunk 2]
 *
 * MODEL is a GGUF file or synthetic:NAME. T2, the forward pass alone, is forward_bench.
 */
#include "bench/load_make.h"

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without --runs and --every: on a CPU the record would take the better part of an hour. */
enum { RUNS = 4, EVERY = 1, HOST_RUNS = 1, HOST_EVERY = 8 };
#define NOT_GIVEN UINT32_MAX

struct settings {
    struct engine_options options;
    struct load_make_shape shape;
    const char *file;
    uint32_t runs, every, shrink, per_chunk;
    bool json, ops;
};

static const char usage[] =
    "usage: workload t1|t3|t4 -m MODEL [options]\n"
    "  MODEL                  a GGUF file, or synthetic:NAME (llama-3.2-3b, llama-3.1-8b,\n"
    "                         qwen2.5-7b, tiny)\n"
    "  t1                     one prompt after the other: --jobs 3 --own 128 --out 128\n"
    "  t3                     --chunks 32 --jobs 3 --shared 800 --own 250 --out 64\n"
    "                         --order chunk|task\n"
    "  t4                     --file workload.json --runs 4 --every 1 (on a CPU --runs 1\n"
    "                         --every 8, about a minute): of each round one chunk in so\n"
    "                         many, with its jobs, their tokens as recorded. --shrink 1\n"
    "                         --own 212 --per-chunk 2: it does not say which tokens of a\n"
    "                         prompt are its chunk's, nor on how many chunks a round's jobs\n"
    "                         were. Assumed, from other records of this workload: 212 are\n"
    "                         the job's own (209 to 219 by conversation), 2 jobs per chunk\n"
    "                         (1.88, quartiles 1, 2, 3) where the rounds do not tell\n"
    "  --device cpu|cuda|emu  --precision int8|exact  --kv auto|f32|f16|int8\n"
    "  --threads N  --sequences N  --step N\n"
    "  --ops                  where the time went, op by op, and the gaps between them;\n"
    "                         steps are then no graphs on a GPU\n"
    "  --json                 one line of JSON\n";

static bool read_count(const char *text, uint32_t *out)
{
    char *end;
    const unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value > 1000000)
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

static bool read_choice(struct settings *settings, int which, const char *text)
{
    static const char *const orders[] = {"chunk", "task", NULL};
    static const char *const precisions[] = {"exact", "int8", NULL};
    static const char *const kvs[] = {"auto", "f32", "f16", "int8", NULL};
    static const char *const devices[] = {"cpu", "cuda", "emu", NULL};
    int word = 0;
    if (which == 'o') {
        if (!read_word(text, orders, &word))
            return false;
        settings->shape.by_task = word == 1;
    } else if (which == 'p') {
        if (!read_word(text, precisions, &word))
            return false;
        settings->options.precision = word == 1 ? ENGINE_INT8 : ENGINE_EXACT;
    } else if (which == 'k') {
        if (!read_word(text, kvs, &word))
            return false;
        settings->options.kv = (enum engine_kv)word;
    } else {
        if (!read_word(text, devices, &word))
            return false;
        settings->options.device = (enum engine_device)(ENGINE_CPU + word);
    }
    return true;
}

static bool read_option(struct settings *settings, int which, const char *text)
{
    uint32_t *const counts[] = {&settings->shape.chunks,
                                &settings->shape.jobs,
                                &settings->shape.shared,
                                &settings->shape.own,
                                &settings->shape.out,
                                &settings->options.threads,
                                &settings->options.sequences_max,
                                &settings->options.step_tokens,
                                &settings->runs,
                                &settings->shrink,
                                &settings->per_chunk,
                                &settings->every};
    if (which >= '0' && which < '0' + (int)(sizeof counts / sizeof *counts))
        return read_count(text, counts[which - '0']);
    switch (which) {
    case 'm':
        settings->options.model_path = text;
        return true;
    case 'f':
        settings->file = text;
        return true;
    case 'j':
        settings->json = true;
        return true;
    case 't':
        settings->ops = true;
        return true;
    case '?':
        return false;
    default:
        return read_choice(settings, which, text);
    }
}

static bool read_options(struct settings *settings, int argc, char **argv)
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
                                            {"runs", required_argument, NULL, '8'},
                                            {"shrink", required_argument, NULL, '9'},
                                            {"per-chunk", required_argument, NULL, ':'},
                                            {"every", required_argument, NULL, ';'},
                                            {"file", required_argument, NULL, 'f'},
                                            {"order", required_argument, NULL, 'o'},
                                            {"precision", required_argument, NULL, 'p'},
                                            {"kv", required_argument, NULL, 'k'},
                                            {"device", required_argument, NULL, 'd'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"ops", no_argument, NULL, 't'},
                                            {NULL, 0, NULL, 0}};
    int which;
    while ((which = getopt_long(argc, argv, "m:", options, NULL)) != -1)
        if (!read_option(settings, which, optarg))
            return false;
    return optind == argc && settings->options.model_path && settings->shrink > 0 &&
           settings->per_chunk > 0 && settings->every > 0;
}

/* What depends on the device. */
static void settle(struct settings *settings)
{
    const bool is_gpu = settings->options.device == ENGINE_CUDA;
    if (settings->runs == NOT_GIVEN)
        settings->runs = is_gpu ? RUNS : HOST_RUNS;
    if (settings->every == NOT_GIVEN)
        settings->every = is_gpu ? EVERY : HOST_EVERY;
}

static enum status make(const char *name, const struct settings *settings, struct load *load,
                        struct error *err)
{
    if (strcmp(name, "t1") == 0)
        return load_make_t1(&settings->shape, load, err);
    if (strcmp(name, "t3") == 0)
        return load_make_t3(&settings->shape, load, err);
    const struct load_make_record record = {.path = settings->file ? settings->file
                                                                   : "workload.json",
                                            .runs = settings->runs,
                                            .every = settings->every,
                                            .shrink = settings->shrink,
                                            .own = settings->shape.own,
                                            .per_chunk = settings->per_chunk};
    return load_make_t4(&record, load, err);
}

static int bench(const char *name, const struct settings *settings)
{
    struct load load = {0};
    struct load_result result = {0};
    struct error err;
    enum status status = make(name, settings, &load, &err);
    if (status == OK)
        status = load_run(&load, &settings->options, settings->ops, &result, &err);
    if (status == OK)
        (settings->json ? load_print_json : load_print)(&load, &result);
    else
        (void)fprintf(stderr, "workload %s: %s\n", name, err.text);
    const bool is_good = status == OK && result.failed == 0;
    load_result_deinit(&result);
    load_make_free(&load);
    return is_good ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct settings settings = {.options = {.precision = ENGINE_INT8, .device = ENGINE_CPU},
                                .shape = {32, 3, 800, 250, 64, false},
                                .runs = NOT_GIVEN,
                                .every = NOT_GIVEN,
                                .shrink = 1,
                                .per_chunk = LOAD_MAKE_PER_CHUNK};
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "t1") == 0)
        settings.shape = (struct load_make_shape){.jobs = 3, .own = 128, .out = 128};
    if (strcmp(name, "t4") == 0)
        settings.shape = (struct load_make_shape){.own = LOAD_MAKE_OWN};
    const bool is_known =
        strcmp(name, "t1") == 0 || strcmp(name, "t3") == 0 || strcmp(name, "t4") == 0;
    if (!is_known || !read_options(&settings, argc - 1, argv + 1)) {
        (void)fputs(usage, stderr);
        return 64;
    }
    settle(&settings);
    return bench(name, &settings);
}
