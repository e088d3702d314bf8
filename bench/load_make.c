/* load_make - see load_make.h. */
#include "bench/load_make.h"

#include "base/file_map.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FILE_BYTES_MAX = 64 << 20,
    ROUNDS_MAX = 64,
    GROUPS_EACH = 1 << 20,
    TOLD_MAX = 3 /* jobs per chunk that a run's rounds may tell of */
};

static enum status take_jobs(struct load *load, uint64_t count, struct error *err)
{
    if (count < 1 || count > LOAD_MAKE_JOBS_MAX)
        FAIL(err, ERR_LIMIT, "%s: %llu jobs, must be 1 .. %d", load->name,
             (unsigned long long)count, LOAD_MAKE_JOBS_MAX);
    load->jobs = calloc((size_t)count, sizeof *load->jobs);
    if (!load->jobs)
        FAIL(err, ERR_MEMORY, "%s: no memory for %llu jobs", load->name,
             (unsigned long long)count);
    return OK;
}

enum status load_make_t1(const struct load_make_shape *shape, struct load *load,
                         struct error *err)
{
    *load = (struct load){.name = "t1"};
    TRY(take_jobs(load, shape->jobs, err));
    for (uint32_t i = 0; i < shape->jobs; i++)
        load->jobs[load->count++] = (struct load_job){
            .group = i, .number = i, .own = shape->own, .out = shape->out, .wave = i};
    load->chunks = shape->jobs;
    load->ideal_tokens = (double)shape->jobs * shape->own;
    return OK;
}

enum status load_make_t3(const struct load_make_shape *shape, struct load *load,
                         struct error *err)
{
    *load = (struct load){.name = shape->by_task ? "t3 by task" : "t3 by chunk"};
    TRY(take_jobs(load, (uint64_t)shape->chunks * shape->jobs, err));
    for (uint32_t i = 0; i < shape->chunks * shape->jobs; i++) {
        const uint32_t chunk = shape->by_task ? i % shape->chunks : i / shape->jobs;
        const uint32_t task = shape->by_task ? i / shape->chunks : i % shape->jobs;
        load->jobs[load->count++] = (struct load_job){.group = chunk,
                                                      .number = chunk * shape->jobs + task,
                                                      .shared = shape->shared,
                                                      .own = shape->own,
                                                      .out = shape->out};
    }
    load->chunks = shape->chunks;
    load->ideal_tokens =
        (double)shape->chunks * (shape->shared + (double)shape->jobs * shape->own);
    return OK;
}

static uint32_t divisor_of(uint32_t a, uint32_t b)
{
    while (b > 0) {
        const uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

uint32_t load_make_chunks(const uint32_t *counts, uint32_t count, uint32_t jobs,
                          uint32_t per_chunk)
{
    uint32_t common = 0, most = 0;
    for (uint32_t i = 0; i < count; i++) {
        common = divisor_of(common, counts[i]);
        most = counts[i] > most ? counts[i] : most;
    }
    if (common > 0 && common < most && jobs / common <= TOLD_MAX && jobs % common == 0)
        return jobs > 0 ? common : 0;
    return (jobs + per_chunk - 1) / per_chunk;
}

/* ---- T4 ---- */

struct recorded {
    uint32_t rounds[ROUNDS_MAX];
    uint32_t round_count;
    uint64_t jobs;
    double prompt_tokens, output_tokens, seconds;
};

static enum status read_run(const struct json *run, uint32_t index, struct recorded *recorded,
                            struct error *err)
{
    const struct json *jobs = json_get(run, "jobs");
    *recorded = (struct recorded){0};
    for (const struct json *round = json_first(jobs); round; round = json_next(round)) {
        int64_t count;
        if (!json_i64(round, &count) || count < 0 || count > LOAD_MAKE_JOBS_MAX ||
            recorded->round_count == ROUNDS_MAX)
            FAIL(err, ERR_FORMAT, "run %u: its jobs are no list of at most %d counts", index,
                 ROUNDS_MAX);
        recorded->rounds[recorded->round_count++] = (uint32_t)count;
        recorded->jobs += (uint64_t)count;
    }
    if (!json_double(json_get(run, "local_prompt"), &recorded->prompt_tokens) ||
        !json_double(json_get(run, "local_completion"), &recorded->output_tokens) ||
        !json_double(json_get(run, "local_s"), &recorded->seconds) ||
        !(recorded->prompt_tokens >= 0 && recorded->prompt_tokens < 1e12) ||
        !(recorded->output_tokens >= 0 && recorded->output_tokens < 1e12))
        FAIL(err, ERR_FORMAT, "run %u: its tokens or seconds are no numbers", index);
    return OK;
}

static uint32_t tokens_each(double tokens, const struct recorded *recorded, uint32_t shrink)
{
    const double each = tokens / (double)recorded->jobs / shrink;
    return each < 1 ? 1 : each > 1e6 ? 1000000 : (uint32_t)each;
}

/* What is taken of a round: of its chunks one in `every`, and as many jobs each as it had. */
struct taken {
    uint32_t chunks, jobs;
};

static struct taken take_round(const struct load_make_record *record,
                               const struct recorded *recorded, uint32_t round)
{
    const uint32_t jobs = recorded->rounds[round];
    const uint32_t chunks =
        load_make_chunks(recorded->rounds, recorded->round_count, jobs, record->per_chunk);
    const uint32_t some = (chunks + record->every - 1) / record->every;
    const uint32_t theirs =
        chunks > 0 ? (uint32_t)(((uint64_t)jobs * some + chunks - 1) / chunks) : 0;
    return (struct taken){some, theirs};
}

static void push_run(struct load *load, const struct load_make_record *record,
                     const struct recorded *recorded, uint32_t index)
{
    const uint32_t prompt = tokens_each(recorded->prompt_tokens, recorded, record->shrink);
    const uint32_t wanted = record->own / record->shrink;
    const uint32_t own = wanted < prompt / 2 ? wanted : prompt / 2;
    for (uint32_t round = 0; round < recorded->round_count; round++) {
        const struct taken taken = take_round(record, recorded, round);
        const uint32_t wave = load->count > 0 ? load->jobs[load->count - 1].wave + 1 : 0;
        load->chunks += taken.chunks;
        for (uint32_t i = 0; i < taken.jobs; i++) {
            const struct load_job job = {
                .group = index * GROUPS_EACH + i % taken.chunks,
                .number = load->count,
                .shared = prompt - own,
                .own = own,
                .out = tokens_each(recorded->output_tokens, recorded, record->shrink),
                .wave = wave};
            load->jobs[load->count++] = job;
            load->ideal_tokens += job.own + (i < taken.chunks ? job.shared : 0);
        }
    }
}

static enum status read_runs(const struct json *runs, const struct load_make_record *record,
                             struct load *load, struct error *err)
{
    struct recorded recorded;
    uint64_t jobs = 0;
    double seconds = 0;
    uint32_t index = 0;
    for (const struct json *run = json_first(runs); run && index < record->runs;
         run = json_next(run)) {
        TRY(read_run(run, index++, &recorded, err));
        jobs += recorded.jobs;
        seconds += recorded.seconds;
    }
    TRY(take_jobs(load, jobs, err));
    index = 0;
    for (const struct json *run = json_first(runs); run && index < record->runs;
         run = json_next(run)) {
        TRY(read_run(run, index, &recorded, err));
        push_run(load, record, &recorded, index++);
    }
    load->recorded_jobs_per_s = seconds > 0 ? (double)jobs / seconds : 0;
    return OK;
}

/* What the file does not say, in words, with what came of it. */
static void tell_assumed(const struct load_make_record *record, struct load *load)
{
    double shared = 0, prompt = 0;
    for (uint32_t i = 0; i < load->count; i++) {
        shared += load->jobs[i].shared;
        prompt += load->jobs[i].shared + load->jobs[i].own;
    }
    (void)snprintf(
        load->assumed, sizeof load->assumed,
        "the record has jobs per round and tokens per run; assumed: of a prompt %u "
        "tokens are the job's own (--own), the rest its chunk's: %.1f %%; %u jobs per "
        "chunk (--per-chunk) where rounds do not tell: %.2f; taken: one chunk in %u of each "
        "round (--every)",
        record->own, prompt > 0 ? 100 * shared / prompt : 0, record->per_chunk,
        load->chunks > 0 ? (double)load->count / load->chunks : 0, record->every);
}

enum status load_make_t4(const struct load_make_record *record, struct load *load,
                         struct error *err)
{
    struct text_buf file = {0};
    struct json *root = NULL;
    *load = (struct load){.name = "t4"};
    enum status status = file_map_read(&file, record->path, FILE_BYTES_MAX, err);
    if (status == OK)
        status = json_parse(text_buf_text(&file), 0, &root, err);
    if (status == OK)
        status = read_runs(json_get(root, "runs"), record, load, err);
    if (status == OK)
        tell_assumed(record, load);
    json_free(root);
    text_buf_deinit(&file);
    return status;
}

void load_make_free(struct load *load)
{
    free(load->jobs);
    *load = (struct load){0};
}
