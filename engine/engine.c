/*
 * engine - see engine.h. The door: what is behind it runs on one thread of its own.
 *
 *     submit, cancel --inbox--> [ step_turn, over and over ] --outboxes--> poll
 *
 * Beside the queues, threads share counters, the list of ports, and statistics under a lock
 * (step.h). A job's memory goes with it: made in submit, freed in poll with its last event.
 *
 * The engine thread does not wait for a poller: while an outbox has not the room that a
 * step may need, it only takes in jobs and cancels.
 */
#include "engine/engine.h"

#include "engine/engine_check.h"
#include "engine/engine_plan.h"
#include "engine/engine_port.h"
#include "engine/vocab_texts.h"
#include "kernels/device_timer.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    PORTS_MAX = 64,          /* beside the engine's own */
    EVENTS_PER_SEQUENCE = 4, /* that a step is reckoned to send for one sequence */
    CANCELS_MAX = 4096,      /* cancels waiting, beside the jobs */
    FULL_OUTBOX_WAIT_MS = 5
};

enum message_kind { MESSAGE_JOB, MESSAGE_CANCEL, MESSAGE_CANCEL_PORT };

struct message {
    enum message_kind kind;
    struct seq_job *job;
    uint64_t job_id;
    uint64_t steps; /* CANCEL: that had ended when it was sent */
    struct engine_port *port;
};

struct engine {
    struct engine_info info;
    struct engine_check_limits limits;
    struct device *device;
    struct model *model;
    struct forward forward;
    struct arena arena;
    struct constraint_table constraints;
    struct arena masks_arena;
    struct masks masks;
    struct step step; /* the engine thread's, once that runs */

    struct queue inbox;
    struct engine_port port;              /* engine_poll's */
    struct engine_port *ports[PORTS_MAX]; /* [port_count], under the lock */
    uint32_t port_count;
    pthread_mutex_t ports_lock;
    bool has_lock;
    pthread_t thread;
    bool has_thread;
    atomic_bool closing;
    atomic_uint_fast64_t next_id;
    atomic_uint outstanding; /* of all ports */
};

static enum status give_rows(void *context, const struct batch *batch, struct error *err)
{
    return forward_rows(context, batch, err);
}

static enum status give_samples(void *context, const struct batch *batch, struct error *err)
{
    return forward_samples(context, batch, err);
}

static enum status get_results(void *context, struct sample_result *results, struct error *err)
{
    return forward_results(context, results, err);
}

static const struct sample_top *get_tops(const void *context)
{
    return forward_tops(context);
}

static enum status get_hidden(void *context, const float **hidden, struct error *err)
{
    return forward_hidden(context, hidden, err);
}

static void cancel(struct engine *engine, const struct message *message)
{
    struct engine_stats *stats = &engine->step.stats;
    const uint64_t steps = stats->steps - message->steps;
    if (steps > stats->cancel_steps_max)
        stats->cancel_steps_max = steps;
    step_cancel(&engine->step, message->job_id);
}

static void take_message(struct engine *engine, const struct message *message)
{
    if (message->kind == MESSAGE_JOB)
        step_submit(&engine->step, message->job);
    else if (message->kind == MESSAGE_CANCEL)
        cancel(engine, message);
    else
        step_cancel_outbox(&engine->step, &message->port->outbox);
}

static bool has_room(const struct engine *engine, struct queue *outbox)
{
    const uint32_t wanted = engine->step.options.sequences_max * EVENTS_PER_SEQUENCE;
    const uint32_t limit = outbox->capacity;
    return queue_count(outbox) + (wanted < limit / 2 ? wanted : limit / 2) <= limit;
}

static bool outboxes_have_room(struct engine *engine)
{
    bool have = has_room(engine, &engine->port.outbox);
    pthread_mutex_lock(&engine->ports_lock);
    for (uint32_t i = 0; have && i < engine->port_count; i++)
        have = has_room(engine, &engine->ports[i]->outbox);
    pthread_mutex_unlock(&engine->ports_lock);
    return have;
}

static void *engine_main(void *self)
{
    struct engine *engine = self;
    int wait_ms = QUEUE_FOREVER;
    while (!atomic_load(&engine->closing)) {
        struct message message;
        while (queue_pull(&engine->inbox, &message, wait_ms)) {
            take_message(engine, &message);
            wait_ms = 0;
        }
        if (!outboxes_have_room(engine)) {
            wait_ms = FULL_OUTBOX_WAIT_MS;
            continue;
        }
        wait_ms = step_turn(&engine->step) ? 0 : QUEUE_FOREVER;
    }
    step_cancel_all(&engine->step);
    return NULL;
}

static enum device_kind kind_of(enum engine_device device)
{
    return device == ENGINE_CUDA ? DEVICE_CUDA : device == ENGINE_EMU ? DEVICE_EMU : DEVICE_CPU;
}

static enum device_simd simd_of(enum engine_simd simd)
{
    switch (simd) {
    case ENGINE_SIMD_AUTO:
        break;
    case ENGINE_SIMD_SCALAR:
        return DEVICE_SIMD_SCALAR;
    case ENGINE_SIMD_AVX2:
        return DEVICE_SIMD_AVX2;
    case ENGINE_SIMD_AVX512_VNNI:
        return DEVICE_SIMD_AVX512_VNNI;
    }
    return DEVICE_SIMD_WIDEST;
}

/* AUTO takes the GPU when there is one; one that is there and fails is told, not passed by. */
static enum status open_device(struct engine *engine, const struct engine_options *options,
                               struct error *err)
{
    const bool is_auto = options->device == ENGINE_DEVICE_AUTO;
    struct device_options device = {
        .kind = kind_of(options->device),
        .threads = options->threads,
        .simd_max = simd_of(options->simd),
    };
    if (is_auto && ops_of(DEVICE_CUDA)) {
        device.kind = DEVICE_CUDA;
        const enum status status = device_open(&engine->device, &device, err);
        if (status != ERR_DEVICE)
            return status;
        device.kind = DEVICE_CPU;
    }
    return device_open(&engine->device, &device, err);
}

static enum status open_model(struct engine *engine, const struct engine_options *options,
                              struct error *err)
{
    if (!options->model_path)
        FAIL(err, ERR_FORMAT, "model_path: there is none");
    TRY(open_device(engine, options, err));
    return model_open(&engine->model, options->model_path,
                      options->precision == ENGINE_INT8 ? MODEL_INT8 : MODEL_EXACT,
                      engine->device, err);
}

static enum status open_masks(struct engine *engine, const struct vocab_texts *texts,
                              const struct engine_plan *plan, struct error *err)
{
    const struct masks_options options = {
        .bytes = texts->bytes,
        .ends = texts->ends,
        .vocab = texts->vocab,
        .rows_max = plan->limits.heads_max + plan->sequences_max,
    };
    TRY(arena_init(&engine->masks_arena, masks_bytes(&options), err));
    return masks_init(&engine->masks, &options, &engine->masks_arena, err);
}

/* What holds texts to a shape, where there is a tokenizer to know their bytes by. */
static enum status open_shapes(struct engine *engine, const struct engine_plan *plan,
                               struct error *err)
{
    const uint32_t vocab = (uint32_t)engine->model->config.vocab;
    struct vocab_texts texts;
    TRY(constraint_table_init(&engine->constraints, err));
    if (!engine->model->tokenizer)
        return OK;
    TRY(vocab_texts_init(&texts, engine->model->tokenizer, vocab, &engine->arena, err));
    return open_masks(engine, &texts, plan, err);
}

static enum status open_step(struct engine *engine, const struct engine_plan *plan,
                             const struct ops *ops, bool has_drafts, struct error *err)
{
    const struct step_options options = {
        .limits = plan->limits,
        .sequences_max = plan->sequences_max,
        .page_count = plan->page_count,
        .tokens_max = plan->tokens_max,
        .jobs_max = ENGINE_QUEUE_MAX,
        .tokenizer = engine->model->tokenizer,
        .masks = engine->model->tokenizer ? &engine->masks : NULL,
        .outbox = &engine->port.outbox,
        .has_drafts = has_drafts,
        .device = {.rows = give_rows,
                   .samples = give_samples,
                   .results = get_results,
                   .tops = get_tops,
                   .hidden = get_hidden,
                   .context = &engine->forward,
                   .is_ahead = !device_is_host(engine->device)},
    };
    TRY(forward_init(&engine->forward, engine->model, ops, engine->device, &plan->forward,
                     err));
    TRY(step_init(&engine->step, &options, &engine->arena, err));
    TRY(engine_port_init(&engine->port, engine, err));
    TRY(queue_init(&engine->inbox, ENGINE_QUEUE_MAX + CANCELS_MAX, sizeof(struct message),
                   err));
    engine->limits.vocab = (uint32_t)engine->model->config.vocab;
    engine->limits.tokens_max = plan->tokens_max;
    engine->limits.has_tokenizer = engine->model->tokenizer != NULL;
    return OK;
}

static void fill_info(struct engine *engine, const struct engine_plan *plan,
                      const struct engine_options *options)
{
    const struct model *model = engine->model;
    struct engine_info *info = &engine->info;
    static_assert(sizeof info->model_name == sizeof model->config.name, "a name fits");
    static_assert(sizeof info->architecture == sizeof model->config.architecture, "it fits");
    memcpy(info->model_name, model->config.name, sizeof info->model_name);
    memcpy(info->architecture, model->config.architecture, sizeof info->architecture);
    struct device_timer_facts facts;
    static_assert(sizeof info->device_name == sizeof facts.name, "a name fits");
    device_timer_look(engine->device, &facts);
    memcpy(info->device_name, facts.name, sizeof info->device_name);
    info->device = device_kind_name(device_kind(engine->device));
    info->simd = device_simd_name(device_simd(engine->device));
    info->kv = kv_layout_type_name(plan->kv_type);
    info->precision = options->precision;
    info->layer_parameters = model_layer_parameters(model);
    info->parameters = model_parameters(model);
    info->weight_bytes = model->weight_bytes;
    info->kv_bytes = plan->page_bytes * plan->page_count;
    info->vocab = (uint32_t)model->config.vocab;
    info->hidden = (uint32_t)model->config.hidden;
    info->context_max = plan->tokens_max;
    info->threads = device_threads(engine->device);
    info->kv_pages = plan->page_count;
    info->page_tokens = KV_PAGE_TOKENS;
    info->sequences_max = plan->sequences_max;
    info->step_tokens = plan->limits.rows_max;
}

/* Device and model, and how large everything else is to be. */
static enum status plan_all(struct engine *engine, const struct engine_options *options,
                            struct engine_plan *plan, struct error *err)
{
    TRY(open_model(engine, options, err));
    const enum device_kind kind = device_kind(engine->device);
    size_t free_bytes, total_bytes;
    device_memory_bytes(engine->device, &free_bytes, &total_bytes);
    const struct ops *ops = options->ops ? options->ops : ops_of(kind);
    const struct engine_plan_place place = {kind, ops, free_bytes};
    TRY(engine_plan_make(options, &engine->model->config, &place, plan, err));
    fill_info(engine, plan, options);
    engine->info.memory_bytes = total_bytes;
    engine->info.memory_free_bytes = free_bytes;
    return OK;
}

static enum status open_all(struct engine *engine, const struct engine_options *options,
                            struct error *err)
{
    struct engine_plan plan;
    TRY(plan_all(engine, options, &plan, err));
    const struct ops *ops = options->ops ? options->ops : ops_of(device_kind(engine->device));
    TRY(arena_init(&engine->arena, plan.arena_bytes, err));
    TRY(open_shapes(engine, &plan, err));
    TRY(open_step(engine, &plan, ops, !options->no_drafts, err));
    if (pthread_mutex_init(&engine->ports_lock, NULL) != 0)
        FAIL(err, ERR_MEMORY, "engine: no lock can be made");
    engine->has_lock = true;
    if (pthread_create(&engine->thread, NULL, engine_main, engine) != 0)
        FAIL(err, ERR_IO, "engine: its thread cannot be started");
    engine->has_thread = true;
    return OK;
}

bool engine_has(enum engine_device device)
{
    return ops_of(kind_of(device)) != NULL;
}

enum status engine_open(struct engine **engine, const struct engine_options *options,
                        struct error *err)
{
    struct engine *made = calloc(1, sizeof *made);
    if (!made)
        FAIL(err, ERR_MEMORY, "engine: no memory for %zu bytes", sizeof *made);
    const enum status status = open_all(made, options, err);
    if (status != OK) {
        engine_close(made);
        return status;
    }
    *engine = made;
    return OK;
}

enum status engine_look(const struct engine_options *options, struct engine_info *info,
                        struct error *err)
{
    struct engine_plan plan;
    struct engine *made = calloc(1, sizeof *made);
    if (!made)
        FAIL(err, ERR_MEMORY, "engine: no memory for %zu bytes", sizeof *made);
    const enum status status = plan_all(made, options, &plan, err);
    if (status == OK)
        *info = made->info;
    engine_close(made);
    return status;
}

/* Frees the jobs that the engine thread has not taken; it has ended. */
static void drop_queued(struct engine *engine)
{
    struct message message;
    while (engine->inbox.items && queue_pull(&engine->inbox, &message, 0))
        seq_job_free(message.job);
}

void engine_close(struct engine *engine)
{
    if (!engine)
        return;
    if (engine->has_thread) {
        atomic_store(&engine->closing, true);
        queue_close(&engine->inbox);
        queue_close(&engine->port.outbox);
        pthread_join(engine->thread, NULL);
    }
    assert(engine->port_count == 0);
    drop_queued(engine);
    engine_port_deinit(&engine->port);
    if (engine->inbox.items)
        queue_deinit(&engine->inbox);
    if (engine->has_lock)
        pthread_mutex_destroy(&engine->ports_lock);
    step_deinit(&engine->step);
    if (engine->forward.buffers)
        forward_deinit(&engine->forward);
    if (engine->model)
        model_close(engine->model, engine->device);
    device_close(engine->device);
    constraint_table_deinit(&engine->constraints);
    arena_deinit(&engine->masks_arena);
    arena_deinit(&engine->arena);
    free(engine);
}

const struct engine_info *engine_info(const struct engine *engine)
{
    return &engine->info;
}

const struct tokenizer *engine_tokenizer(const struct engine *engine)
{
    return engine->model->tokenizer;
}

/* What is wrong with a format is said of that field of the job. */
static enum status refuse_format(enum status status, struct error *err)
{
    const struct error why = err ? *err : (struct error){0};
    if (status == OK || text_starts(text_of(why.text), TEXT("format: ")))
        return status;
    return error_set(err, status, why.file, why.line, "format: %s", why.text);
}

/* The job's constraint, held; NULL when it has none. */
static enum status take_constraint(struct engine *engine, const struct engine_job *job,
                                   struct constraint **constraint, struct error *err)
{
    *constraint = NULL;
    if (job->format != ENGINE_FORMAT_SCHEMA && job->format != ENGINE_FORMAT_REGEX)
        return OK;
    return refuse_format(constraint_table_take(&engine->constraints,
                                               job->format == ENGINE_FORMAT_SCHEMA
                                                   ? CONSTRAINT_SCHEMA
                                                   : CONSTRAINT_REGEX,
                                               job->format_source, constraint, err),
                         err);
}

/* The chunk that its texts copy from, held; NULL when they do not copy. */
static enum status take_chunk(struct engine *engine, const struct engine_job *job,
                              const struct constraint *constraint, struct constraint **chunk,
                              struct error *err)
{
    *chunk = NULL;
    if (!constraint || constraint->kind != CONSTRAINT_SCHEMA || !constraint->schema.copies)
        return OK;
    if (job->chunk.data)
        TRY(constraint_table_take(&engine->constraints, CONSTRAINT_CHUNK, job->chunk, chunk,
                                  err));
    const enum status status = constraint_check_chunk(constraint, *chunk, err);
    if (status == OK)
        return OK;
    constraint_table_drop(*chunk);
    *chunk = NULL;
    return refuse_format(status, err);
}

static enum status queue_job(struct engine *engine, const struct engine_job *checked,
                             uint64_t *job_id, struct error *err)
{
    const uint64_t id = atomic_fetch_add(&engine->next_id, 1) + 1;
    struct constraint *constraint;
    struct constraint *chunk;
    TRY(take_constraint(engine, checked, &constraint, err));
    const enum status status = take_chunk(engine, checked, constraint, &chunk, err);
    if (status != OK) {
        constraint_table_drop(constraint);
        return status;
    }
    struct seq_job *job = seq_job_new(checked, id, checked->max_tokens, engine->info.hidden);
    if (!job) {
        constraint_table_drop(constraint);
        constraint_table_drop(chunk);
        FAIL(err, ERR_MEMORY, "job of %u prompt tokens, %u samples of %u tokens: no memory",
             checked->prompt_tokens, checked->sample_count, checked->max_tokens);
    }
    job->constraint = constraint;
    job->chunk = chunk;
    job->outbox = &checked->port->outbox;
    const struct message message = {.kind = MESSAGE_JOB, .job = job};
    if (!queue_push(&engine->inbox, &message, QUEUE_FOREVER)) {
        seq_job_free(job);
        FAIL(err, ERR_CANCELLED, "the engine is closing");
    }
    *job_id = id;
    return OK;
}

enum status engine_submit(struct engine *engine, const struct engine_job *job, uint64_t *job_id,
                          struct error *err)
{
    struct engine_job checked;
    TRY(step_failure(&engine->step, err));
    TRY(engine_check_job(job, &engine->limits, &checked, err));
    if (!checked.port)
        checked.port = &engine->port;
    assert(checked.port->engine == engine);
    if (atomic_fetch_add(&engine->outstanding, 1) >= ENGINE_QUEUE_MAX) {
        atomic_fetch_sub(&engine->outstanding, 1);
        FAIL(err, ERR_LIMIT, "queue: %d jobs have not ended yet, which is the limit",
             ENGINE_QUEUE_MAX);
    }
    atomic_fetch_add(&checked.port->outstanding, 1);
    const enum status status = queue_job(engine, &checked, job_id, err);
    if (status != OK) {
        atomic_fetch_sub(&checked.port->outstanding, 1);
        atomic_fetch_sub(&engine->outstanding, 1);
    }
    return status;
}

void engine_cancel(struct engine *engine, uint64_t job_id)
{
    struct engine_stats stats;
    engine_stats(engine, &stats);
    const struct message message = {
        .kind = MESSAGE_CANCEL, .job_id = job_id, .steps = stats.steps};
    (void)!queue_push(&engine->inbox, &message, QUEUE_FOREVER);
}

size_t engine_port_poll(struct engine_port *port, struct engine_event *events, size_t max,
                        int wait_ms)
{
    uint32_t ended;
    const size_t count = engine_port_take(port, events, max, wait_ms, &ended);
    atomic_fetch_sub(&port->engine->outstanding, ended);
    return count;
}

size_t engine_poll(struct engine *engine, struct engine_event *events, size_t max, int wait_ms)
{
    return engine_port_poll(&engine->port, events, max, wait_ms);
}

static bool list_port(struct engine *engine, struct engine_port *port)
{
    pthread_mutex_lock(&engine->ports_lock);
    const bool has_place = engine->port_count < PORTS_MAX;
    if (has_place)
        engine->ports[engine->port_count++] = port;
    pthread_mutex_unlock(&engine->ports_lock);
    return has_place;
}

static void unlist_port(struct engine *engine, const struct engine_port *port)
{
    pthread_mutex_lock(&engine->ports_lock);
    uint32_t at = 0;
    while (at < engine->port_count && engine->ports[at] != port)
        at++;
    assert(at < engine->port_count);
    engine->ports[at] = engine->ports[--engine->port_count];
    pthread_mutex_unlock(&engine->ports_lock);
}

enum status engine_port_open(struct engine *engine, struct engine_port **port,
                             struct error *err)
{
    struct engine_port *made = calloc(1, sizeof *made);
    if (!made)
        FAIL(err, ERR_MEMORY, "port: no memory for %zu bytes", sizeof *made);
    enum status status = engine_port_init(made, engine, err);
    if (status == OK && !list_port(engine, made))
        status = error_set(err, ERR_LIMIT, __FILE__, __LINE__,
                           "port: %d are open, which is the limit", PORTS_MAX);
    if (status == OK) {
        *port = made;
        return OK;
    }
    engine_port_deinit(made);
    free(made);
    return status;
}

void engine_port_close(struct engine_port *port)
{
    struct engine_event events[ENGINE_PORT_POLL_MAX];
    if (!port)
        return;
    const struct message message = {.kind = MESSAGE_CANCEL_PORT, .port = port};
    if (atomic_load(&port->outstanding) > 0)
        (void)!queue_push(&port->engine->inbox, &message, QUEUE_FOREVER);
    while (engine_port_poll(port, events, ENGINE_PORT_POLL_MAX, -1) > 0)
        ;
    unlist_port(port->engine, port);
    engine_port_deinit(port);
    free(port);
}

void engine_stats(struct engine *engine, struct engine_stats *stats)
{
    step_stats(&engine->step, stats);
}

enum status engine_failure(struct engine *engine, struct error *err)
{
    return step_failure(&engine->step, err);
}
