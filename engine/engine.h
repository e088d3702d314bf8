/*
 * engine - the door of the inference engine: jobs go in, events come out.
 *
 * The engine owns one thread, and that thread alone owns the device, the KV cache and the
 * scheduler. engine_submit validates a job where it is called and puts a plain copy in the
 * inbox; engine_poll takes events from the outbox. Jobs with a common prefix share its pages
 * even while it is still being computed, in whatever order they arrive.
 *
 * Same (prompt, options, seed, job) -> same text, alone or among others, with any number of
 * threads: see kernels/attention.h and kernels/sample.h.
 *
 * Owner    engine_open gives, engine_close takes (running jobs are cancelled).
 * Thread   submit, cancel and stats from any thread; poll from one.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/error.h"
#include "base/text.h"
#include "base/token.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct engine;
struct ops;
struct tokenizer;

/* AUTO: the GPU where this build and this machine have one, else the CPU. EMU runs the GPU's
 * kernels on the CPU, thread by thread: for tests. */
enum engine_device { ENGINE_DEVICE_AUTO, ENGINE_CPU, ENGINE_CUDA, ENGINE_EMU };
enum engine_precision { ENGINE_EXACT, ENGINE_INT8 };
enum engine_kv { ENGINE_KV_AUTO, ENGINE_KV_F32, ENGINE_KV_F16, ENGINE_KV_INT8 };
enum engine_simd {
    ENGINE_SIMD_AUTO,
    ENGINE_SIMD_SCALAR,
    ENGINE_SIMD_AVX2,
    ENGINE_SIMD_AVX512_VNNI
};

/* Zero means: the default. */
struct engine_options {
    const char *model_path;
    enum engine_device device;
    enum engine_precision precision;
    enum engine_kv kv;     /* AUTO: INT8 with INT8; with EXACT F32, on CUDA and EMU F16, since
                               their kernels take no F32 */
    enum engine_simd simd; /* at most this level, for tests */
    uint32_t threads;      /* one per core */
    uint32_t context_max;  /* tokens of a sequence; default what the model was trained for. With
                               LongRoPE (Phi-3): what its short factors are for; beyond that all
                               is computed with the long ones */
    uint32_t step_tokens;  /* token budget per step */
    uint32_t sequences_max; /* decoding side by side */
    uint64_t kv_bytes;      /* for the KV pool; default a quarter of free memory, <= 4 GiB;
                               on a GPU 3/4 of what the weights leave */
    uint32_t kv_pages;      /* exact page count instead of kv_bytes, for tests */
    bool no_drafts;         /* never guess what a job copies from its prompt; the texts are the
                               same */
    const struct ops *ops;  /* in the place of the device's own, for benches that time each op
                               (kernels/ops.h); steps are then not recorded as graphs */
};

enum engine_kind {
    ENGINE_GENERATE, /* prompt -> sample_count continuations */
    ENGINE_SCORE,    /* log-likelihood of the prompt's last score_tokens given what is before */
    ENGINE_EMBED     /* the prompt as a vector: hidden states behind the final norm, pooled */
};

enum engine_pooling {
    ENGINE_POOL_MEAN, /* of all tokens */
    ENGINE_POOL_LAST  /* of the last one */
};

enum engine_format {
    ENGINE_FORMAT_TEXT,
    ENGINE_FORMAT_JOB_OUTPUT /* {"explanation": str, "citation": str|null, "answer": ...} */
};

enum {
    ENGINE_SAMPLES_MAX = 128,
    ENGINE_STOPS_MAX = 16,
    ENGINE_STOP_BYTES_MAX = 256,
    ENGINE_BIASES_MAX = 1024,
    ENGINE_TOPS_MAX = 20,
    ENGINE_PRIORITY_MAX = 100,
    ENGINE_PRIORITY_JOBS = 1024, /* a step of priority is worth having come so many jobs ago */
    ENGINE_QUEUE_MAX = 65536     /* jobs waiting */
};

/* Added to a token's logit. */
struct engine_bias {
    token_id token;
    float bias; /* -100 .. 100 */
};

/* One of the likeliest tokens, whatever was chosen. */
struct engine_top {
    token_id token; /* TOKEN_NONE: there are no more */
    float logprob;  /* raw softmax */
};

/* Borrowed for the call of engine_submit. */
struct engine_job {
    enum engine_kind kind;
    enum engine_format format;
    const token_id *prompt;
    uint32_t prompt_tokens;      /* >= 1 */
    enum engine_pooling pooling; /* ENGINE_EMBED */
    uint32_t score_tokens;       /* ENGINE_SCORE: 1 .. prompt_tokens - 1 */
    uint32_t sample_count;       /* ENGINE_GENERATE: 1 .. ENGINE_SAMPLES_MAX; 0 counts as 1 */
    uint32_t max_tokens;         /* ENGINE_GENERATE: >= 1, per sample */
    float temperature;           /* 0: greedy */
    int32_t top_k;               /* 0: off */
    float top_p;                 /* 0 or 1: off */
    float min_p;                 /* 0: off */
    float repetition_penalty; /* 0 or 1: off; else 0.01 .. 100. Tokens of prompt and output: a
                                 positive logit is divided by it, another multiplied */
    float presence_penalty, frequency_penalty; /* -2 .. 2; 0: off. Tokens of the output: taken
                                                  off the logit once, and once per occurrence */
    const struct engine_bias *biases;          /* [bias_count], each token once */
    uint32_t bias_count;
    uint32_t top_count; /* of each position, how many of the likeliest tokens to tell */
    uint64_t seed;
    uint32_t job_key;         /* which job of its run this is, for the random stream */
    const struct text *stops; /* [stop_count] text ends before the first of these */
    uint32_t stop_count;
    bool ignore_end;      /* go on past end-of-text tokens until max_tokens */
    int32_t priority;     /* -100 .. 100, the greater goes first: it counts as having come
                         ENGINE_PRIORITY_JOBS jobs earlier for each, so that none starves */
    uint32_t deadline_ms; /* from submission on; past it the job ends, whether it waits or
                             runs. 0: none */
    uint64_t tag;         /* the caller's, handed back in each event */
};

enum engine_finish {
    ENGINE_STOP,   /* an end token or a stop string */
    ENGINE_LENGTH, /* max_tokens, or the model's context is full */
    ENGINE_CANCELLED,
    ENGINE_FAILED,  /* a number that is not one came out of the model, or the device failed */
    ENGINE_DEADLINE /* deadline_ms have passed; what was written until then is there */
};

enum engine_event_kind {
    ENGINE_TOKEN, /* text grew: text is what is new (possibly empty) */
    ENGINE_DONE   /* one sample ended; the job's last has jobs_samples_left 0 */
};

struct engine_event {
    enum engine_event_kind kind;
    uint64_t job_id, tag;
    uint32_t sample;
    struct text text; /* TOKEN: new bytes, whole UTF-8 characters; valid until next poll */
    token_id token;   /* TOKEN: the token behind them; TOKEN_NONE for flushed text */
    float logprob;    /* TOKEN: of that token, raw softmax */
    const struct engine_top *tops; /* TOKEN with a token: [top_count] as the job asked for, best
                                      first; valid until next poll */
    uint32_t top_count;
    enum engine_finish finish; /* DONE */
    uint32_t samples_left;     /* DONE: samples of this job still running */
    uint32_t prompt_tokens;    /* DONE */
    uint32_t cached_tokens;    /* DONE: prompt tokens that were not computed for this job */
    uint32_t output_tokens;    /* DONE */
    double score;              /* DONE of ENGINE_SCORE: sum of log-probabilities, nats */
    const float *vector; /* DONE of ENGINE_EMBED that ended with STOP: [vector_size], as it
                                  comes, of no certain length; valid until next poll */
    uint32_t vector_size;
};

struct engine_info {
    char model_name[96], architecture[32];
    char device_name[96];           /* "NVIDIA H200", "cpu avx2, 8 threads" */
    const char *device, *simd, *kv; /* names of what is in use; device "cpu", "cuda", "emu" */
    enum engine_precision precision;
    uint64_t parameters, weight_bytes, kv_bytes;
    uint32_t vocab, hidden, context_max, threads, kv_pages, page_tokens;
    uint32_t sequences_max, step_tokens;
    uint64_t memory_bytes, memory_free_bytes; /* the device's, weights loaded; 0: not told */
};

struct engine_stats {
    uint64_t steps, jobs_done, prompt_tokens, computed_prompt_tokens, output_tokens;
    uint64_t preemptions, cancelled;
    uint64_t drafted_tokens,
        accepted_tokens; /* guessed from the prompt; and how many rightly */
    uint32_t kv_pages_free, jobs_waiting, sequences_running;
    double busy_s;              /* time inside forward passes */
    double prefill_s, decode_s; /* busy_s by what the step mostly did */
};

/* True when this build can compute there (whether the machine can, engine_open finds). */
bool engine_has(enum engine_device device);

MUST_USE enum status engine_open(struct engine **engine, const struct engine_options *options,
                                 struct error *err);
void engine_close(struct engine *engine); /* NULL is fine */

/* What engine_open would make of these options, and how large; nothing is kept. The weights are
 * loaded for it: how much they leave is what the KV pool takes. Fails as engine_open would. */
MUST_USE enum status engine_look(const struct engine_options *options, struct engine_info *info,
                                 struct error *err);

const struct engine_info *engine_info(const struct engine *engine);
const struct tokenizer *engine_tokenizer(
    const struct engine *engine); /* NULL: model has none */

/* Queues a job and gives its id. ERR_LIMIT / ERR_FORMAT: a field is out of range (named, with
 * value and limit), the prompt does not fit the context, or the queue is full. */
MUST_USE enum status engine_submit(struct engine *engine, const struct engine_job *job,
                                   uint64_t *job_id, struct error *err);
/* Cancels what of the job still runs; its samples end with ENGINE_CANCELLED events. */
void engine_cancel(struct engine *engine, uint64_t job_id);

/* Takes up to max events, waiting up to wait_ms (-1: until there is one) for the first.
 * Returns how many. Zero with wait_ms -1: nothing is running and nothing is queued. */
size_t engine_poll(struct engine *engine, struct engine_event *events, size_t max, int wait_ms);

void engine_stats(struct engine *engine, struct engine_stats *stats);

/* ERR_DEVICE with a sentence once the device has failed: all jobs have then ended, or will in a
 * moment, with ENGINE_FAILED, and engine_submit takes no more. OK until then. Any thread. */
enum status engine_failure(struct engine *engine, struct error *err);

#ifdef __cplusplus
}
#endif
#endif
