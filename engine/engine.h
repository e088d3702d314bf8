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
 * Owner    engine_open gives, engine_close takes (running jobs are cancelled; ports are closed
 *          before).
 * Thread   submit, cancel and stats from any thread; poll from one, a port from its own one.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/error.h"
#include "engine/engine_job.h"

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
    bool no_drafts;         /* never guess what a job copies from its prompt, or what its shape
                               forces; the texts are the same */
    const struct ops *ops;  /* in the place of the device's own, for benches that time each op
                               (kernels/ops.h); steps are then not recorded as graphs */
};

struct engine_info {
    char model_name[96], architecture[32];
    char device_name[96];           /* "NVIDIA H200", "cpu avx2, 8 threads" */
    const char *device, *simd, *kv; /* names of what is in use; device "cpu", "cuda", "emu" */
    enum engine_precision precision;
    uint64_t parameters, weight_bytes, kv_bytes;
    uint64_t
        layer_parameters; /* those of parameters that are not the embedding's or the head's */
    uint32_t vocab, hidden, context_max, threads, kv_pages, page_tokens;
    uint32_t sequences_max, step_tokens;
    uint64_t memory_bytes, memory_free_bytes; /* the device's, weights loaded; 0: not told */
};

struct engine_stats {
    uint64_t steps, jobs_done, prompt_tokens, computed_prompt_tokens, output_tokens;
    uint64_t preemptions, cancelled;
    uint64_t cancel_steps_max; /* that ended between an engine_cancel and its taking effect */
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

/* A second outbox, for a thread that waits for jobs of its own: events of jobs that name it
 * come there, those of the others to engine_poll. ERR_LIMIT: 64 are open; ERR_MEMORY. */
MUST_USE enum status engine_port_open(struct engine *engine, struct engine_port **port,
                                      struct error *err);
/* Cancels what of its jobs still runs and waits until that has ended. NULL is fine. */
void engine_port_close(struct engine_port *port);
/* As engine_poll. */
size_t engine_port_poll(struct engine_port *port, struct engine_event *events, size_t max,
                        int wait_ms);

void engine_stats(struct engine *engine, struct engine_stats *stats);

/* ERR_DEVICE with a sentence once the device has failed: all jobs have then ended, or will in a
 * moment, with ENGINE_FAILED, and engine_submit takes no more. OK until then. Any thread. */
enum status engine_failure(struct engine *engine, struct error *err);

#ifdef __cplusplus
}
#endif
#endif
