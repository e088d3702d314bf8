/* batches - see batches.h. */
#include "protocol/api/batches.h"

#include "protocol/api/batch_jobs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    EVENTS = 256,
    LOOK_MS = 20, /* how long a cancel waits at most while the engine says nothing */
    AGAIN_S = 5,  /* after the store could not be read or written */
    ARENA_BYTES = 1 << 20
};

struct batches {
    struct engine *engine;
    struct engine_port *port;
    struct store *store;
    struct batch_jobs jobs;
    struct arena arena; /* of the batch at hand */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool has_thread, has_lock;
    atomic_bool closing;
    atomic_uint wakes; /* so often; under the lock where somebody waits for it */
};

/* The batch at hand. */
struct run {
    struct batches *batches;
    struct store_batch batch;
    struct text_buf input;
    struct batch_file_lines lines;
    struct id_set done;
    uint32_t samples_max, wakes;
    bool is_over, is_cancelled; /* no further line; what runs is called back */
};

/* ---- results ---- */

static enum status keep(struct run *run, const struct batch_file_result *result, size_t line,
                        struct error *err)
{
    struct text_buf text = {0};
    batch_file_write(result, &text);
    const struct store_result row = {.batch = run->batch.id,
                                     .line = (int64_t)line,
                                     .custom_id = result->custom_id,
                                     .text = text_buf_text(&text),
                                     .is_error = result->status_code != 200};
    enum status status = OK;
    if (text.failed)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "no memory for a result");
    else
        status = store_add_result(run->batches->store, &row, err);
    text_buf_deinit(&text);
    return status;
}

/* One that was called back has no result: it was not answered. */
static enum status finish(struct run *run, struct batch_job *job, struct error *err)
{
    struct batch_jobs *jobs = &run->batches->jobs;
    struct batch_jobs_answer answer = {0};
    enum status status = OK;
    if (!batch_jobs_was_cancelled(job)) {
        status = batch_jobs_word(jobs, job, &answer, err);
        const struct batch_file_result result = {
            text_buf_text(&job->custom_id), answer.status_code, text_buf_text(&answer.body)};
        if (status == OK)
            status = keep(run, &result, job->line, err);
    }
    text_buf_deinit(&answer.body);
    batch_jobs_free(jobs, job);
    return status;
}

/* Takes what the engine says; all that is over by it is kept in one transaction. */
static enum status turn(struct run *run, struct error *err)
{
    struct batches *batches = run->batches;
    struct engine_event events[EVENTS];
    const size_t count = engine_port_poll(batches->port, events, EVENTS, LOOK_MS);
    bool has_ends = false;
    for (size_t i = 0; i < count; i++)
        has_ends |= events[i].kind == ENGINE_DONE && events[i].samples_left == 0;
    enum status status = has_ends ? store_begin(batches->store, err) : OK;
    const bool has_begun = has_ends && status == OK;
    for (size_t i = 0; i < count; i++) {
        struct batch_job *job = batch_jobs_take(&batches->jobs, &events[i]);
        if (job && status == OK)
            status = finish(run, job, err);
        else if (job)
            batch_jobs_free(&batches->jobs, job);
    }
    return has_begun ? store_settle(batches->store, status, err) : status;
}

/* ---- requests ---- */

static enum status start(struct run *run, const struct batch_file_request *request,
                         struct error *err)
{
    struct store *store = run->batches->store;
    struct batch_jobs_answer answer = {0};
    const size_t line = run->lines.number;
    enum status status = batch_jobs_start(&run->batches->jobs, request, line, &answer, err);
    if (status == OK && answer.status_code != 0) {
        const struct batch_file_result result = {request->custom_id, answer.status_code,
                                                 text_buf_text(&answer.body)};
        status = store_begin(store, err);
        if (status == OK)
            status = store_settle(store, keep(run, &result, line, err), err);
    }
    text_buf_deinit(&answer.body);
    return status;
}

/* The next line that has no result yet; *has_line false: there is none. */
static enum status start_next(struct run *run, bool *has_line, struct error *err)
{
    struct batch_file_request request;
    struct text line;
    enum status status = OK;
    *has_line = batch_file_next_line(&run->lines, &line);
    if (!*has_line)
        return OK;
    TRY(batch_file_parse(line, run->lines.number, &request, err));
    if (!id_set_has(&run->done, request.custom_id))
        status = start(run, &request, err);
    json_free(request.root);
    return status;
}

/* Whether somebody cancelled the batch meanwhile. */
static enum status look(struct run *run, struct error *err)
{
    struct batches *batches = run->batches;
    const uint32_t wakes = atomic_load(&batches->wakes);
    struct store_batch now = {.id = run->batch.id};
    const size_t mark = batches->arena.used;
    bool found;
    if (wakes == run->wakes)
        return OK;
    run->wakes = wakes;
    TRY(store_find_batch(batches->store, &now, &batches->arena, &found, err));
    arena_rewind(&batches->arena, mark);
    if (!found || now.state != STORE_CANCELLING)
        return OK;
    run->is_over = run->is_cancelled = true;
    batch_jobs_cancel(&batches->jobs);
    return OK;
}

static enum status run_lines(struct run *run, struct error *err)
{
    struct batches *batches = run->batches;
    const struct batch_jobs *jobs = &batches->jobs;
    while (!atomic_load(&batches->closing) && (!run->is_over || jobs->running > 0)) {
        bool has_line = true;
        TRY(look(run, err));
        if (!run->is_over && jobs->samples < run->samples_max &&
            jobs->running < BATCH_JOBS_MAX) {
            TRY(start_next(run, &has_line, err));
            run->is_over = !has_line;
        } else {
            TRY(turn(run, err));
        }
    }
    return OK;
}

/* ---- a batch ---- */

/* {"object": "list", "data": [{"code", "message", "param", "line"}]} */
static enum status fail(struct run *run, const char *code, const char *sentence,
                        struct error *err)
{
    struct text_buf errors = {0};
    struct json_writer w = {.out = &errors};
    json_write_object(&w);
    json_write_key_text(&w, "object", TEXT("list"));
    json_write_key(&w, "data");
    json_write_array(&w);
    json_write_object(&w);
    json_write_key_text(&w, "code", text_of(code));
    json_write_key_text(&w, "message", text_of(sentence));
    json_write_key(&w, "param");
    json_write_null(&w);
    json_write_key(&w, "line");
    if (text_starts(text_of(sentence), TEXT("line ")))
        json_write_i64(&w, (int64_t)strtoull(sentence + 5, NULL, 10));
    else
        json_write_null(&w);
    json_write_object_end(&w);
    json_write_array_end(&w);
    json_write_object_end(&w);
    const enum status status =
        store_fail_batch(run->batches->store, run->batch.id, text_buf_text(&errors), err);
    text_buf_deinit(&errors);
    return status;
}

static enum status check(struct run *run, struct error *err)
{
    struct batch_file_count count;
    TRY(batch_file_check(text_buf_text(&run->input), run->batch.endpoint, &count, err));
    if (count.lines == 0)
        FAIL(err, ERR_FORMAT, "the input has no line");
    if (count.lines > BATCHES_LINES_MAX)
        FAIL(err, ERR_LIMIT, "the input has %zu lines, at most %d are taken", count.lines,
             BATCHES_LINES_MAX);
    return store_begin_batch(run->batches->store, run->batch.id, (int64_t)count.lines, err);
}

/* To its end, or until the server closes. */
static enum status run_batch(struct run *run, struct error *err)
{
    struct store *store = run->batches->store;
    struct error why = {0};
    bool found;
    TRY(store_read_file(store, run->batch.file, &run->input, &found, err));
    if (!found)
        return fail(run, "invalid_file", "the input file is gone", err);
    run->is_over = run->is_cancelled = run->batch.state == STORE_CANCELLING;
    if (run->batch.state == STORE_VALIDATING && check(run, &why) != OK)
        return fail(run, "invalid_request", why.text, err);
    TRY(store_read_done(store, run->batch.id, &run->done, err));
    run->lines = (struct batch_file_lines){.source = text_buf_text(&run->input)};
    TRY(run_lines(run, err));
    if (atomic_load(&run->batches->closing))
        return OK;
    return store_end_batch(store, run->batch.id,
                           run->is_cancelled ? STORE_CANCELLED : STORE_COMPLETED, err);
}

/* What still runs after a failure is called back, and its events are taken. */
static void clear_jobs(struct batches *batches)
{
    struct engine_event events[EVENTS];
    batch_jobs_cancel(&batches->jobs);
    while (batches->jobs.running > 0) {
        const size_t count = engine_port_poll(batches->port, events, EVENTS, -1);
        for (size_t i = 0; i < count; i++) {
            struct batch_job *job = batch_jobs_take(&batches->jobs, &events[i]);
            if (job)
                batch_jobs_free(&batches->jobs, job);
        }
        if (count == 0)
            return;
    }
}

/* Works on the oldest batch. False: there is none, or it cannot be worked on now. */
static bool work(struct batches *batches, bool *has_failed)
{
    struct error err;
    bool found = false;
    struct run run = {.batches = batches, .wakes = atomic_load(&batches->wakes)};
    const uint32_t side_by_side = engine_info(batches->engine)->sequences_max;
    run.samples_max = side_by_side - side_by_side / 4;
    enum status status =
        store_find_batch(batches->store, &run.batch, &batches->arena, &found, &err);
    if (status == OK && found)
        status = run_batch(&run, &err);
    clear_jobs(batches);
    /* The device's failure ends the server, and the next one goes on. What else cannot be
     * kept, such as a result too large for a row, would not be the next time either. */
    if (status != OK && found && !atomic_load(&batches->closing) &&
        engine_failure(batches->engine, NULL) == OK && status != ERR_MEMORY) {
        struct error why = err;
        status = fail(&run, "server_error", why.text, &err);
    }
    *has_failed = status != OK;
    text_buf_deinit(&run.input);
    id_set_deinit(&run.done);
    arena_rewind(&batches->arena, 0);
    return found && status == OK;
}

static void wait_for_wake(struct batches *batches, uint32_t seen, bool has_failed)
{
    struct timespec end;
    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += has_failed ? AGAIN_S : 3600;
    pthread_mutex_lock(&batches->lock);
    while (!atomic_load(&batches->closing) && atomic_load(&batches->wakes) == seen &&
           pthread_cond_timedwait(&batches->woken, &batches->lock, &end) == 0)
        ;
    pthread_mutex_unlock(&batches->lock);
}

static void *work_on(void *self)
{
    struct batches *batches = self;
    while (!atomic_load(&batches->closing)) {
        const uint32_t seen = atomic_load(&batches->wakes);
        bool has_failed;
        if (!work(batches, &has_failed))
            wait_for_wake(batches, seen, has_failed);
    }
    return NULL;
}

/* ---- open, close ---- */

static enum status open_all(struct batches *batches, const char *path, struct error *err)
{
    TRY(store_open(&batches->store, path, err));
    TRY(arena_init(&batches->arena, ARENA_BYTES, err));
    TRY(engine_port_open(batches->engine, &batches->port, err));
    TRY(batch_jobs_init(&batches->jobs, batches->engine, batches->port, err));
    batches->jobs.priority = BATCHES_PRIORITY;
    batches->has_lock = pthread_mutex_init(&batches->lock, NULL) == 0 &&
                        pthread_cond_init(&batches->woken, NULL) == 0;
    batches->has_thread =
        batches->has_lock && pthread_create(&batches->thread, NULL, work_on, batches) == 0;
    if (!batches->has_thread)
        FAIL(err, ERR_MEMORY, "no thread for batches");
    return OK;
}

enum status batches_open(struct batches **batches, struct engine *engine, const char *path,
                         struct error *err)
{
    struct batches *made = calloc(1, sizeof *made);
    if (!made)
        FAIL(err, ERR_MEMORY, "no memory for batches");
    made->engine = engine;
    const enum status status = open_all(made, path, err);
    if (status != OK) {
        batches_close(made);
        return status;
    }
    *batches = made;
    return OK;
}

void batches_close(struct batches *batches)
{
    if (!batches)
        return;
    atomic_store(&batches->closing, true);
    if (batches->has_thread) {
        batches_wake(batches);
        pthread_join(batches->thread, NULL);
    }
    engine_port_close(batches->port);
    batch_jobs_deinit(&batches->jobs);
    store_close(batches->store);
    arena_deinit(&batches->arena);
    if (batches->has_lock) {
        pthread_cond_destroy(&batches->woken);
        pthread_mutex_destroy(&batches->lock);
    }
    free(batches);
}

struct store *batches_store(struct batches *batches)
{
    return batches->store;
}

void batches_wake(struct batches *batches)
{
    pthread_mutex_lock(&batches->lock);
    atomic_fetch_add(&batches->wakes, 1);
    pthread_cond_signal(&batches->woken);
    pthread_mutex_unlock(&batches->lock);
}
