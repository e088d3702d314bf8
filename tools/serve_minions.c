/*
 * serve_minions - see serve_minions.h.
 *
 * A few runners take requests; each has a thread of its own conduct the round and meanwhile
 * writes news and progress to the client.
 */
#include "tools/serve_minions.h"

#include "base/clock.h"
#include "protocol/api/openai_reply.h"
#include "protocol/api/refusal.h"
#include "protocol/minions/news.h"
#include "protocol/minions/worker_engine.h"
#include "tools/answer_json.h"
#include "tools/progress.h"
#include "tools/run_record.h"
#include "tools/serve_body.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    RUNNERS = 4,     /* runs side by side; others wait in the server's line */
    LOOK_MS = 100,   /* how late a client hears at most */
    NEWS_MAX = 8192, /* that wait; what comes on top is dropped (news.h) */
    NEWS_AT_ONCE = 512,
    SHOWN_BYTES_MAX = 1 << 20 /* of documents' texts in an event */
};

struct serve_minions {
    struct server *server;
    struct engine *engine;
    const struct supervisor_args *args;
    struct ledger_price price;
    pthread_t runners[RUNNERS];
    uint32_t runner_count;
    atomic_bool closing;
};

static const struct endpoint endpoints[] = {
    {HTTP_POST, "/minions", ENDPOINT_OTHER,
     "A question about documents, by the MinionS protocol", &serve_body_fields, NULL, NULL},
};
const struct endpoint_list serve_minions_endpoints = {endpoints, 1};

/* One request on its way. */
struct run {
    struct serve_minions *minions;
    struct http_exchange *exchange;
    struct json *root;
    struct serve_body body;
    struct documents documents;
    struct ledger ledger;
    struct worker worker;  /* the engine's */
    struct worker watched; /* the same, until the client is gone */
    struct supervisor_link supervisor;
    struct journal *journal;
    int64_t number;
    struct queue news;
    struct round_progress progress;
    struct round_result result;
    double start_s;
    atomic_bool is_cancelled, is_over;
    enum status status;
    struct error err;
    struct progress_watch watch;
    struct progress shown;
    struct text_buf out;
};

/* ---- the worker, as long as somebody waits ---- */

static enum status start(void *self, struct worker_job *const *jobs, uint32_t count,
                         struct arena *arena, struct error *err)
{
    struct run *run = self;
    return run->worker.start(run->worker.self, jobs, count, arena, err);
}

static enum status next(void *self, struct worker_job **done, struct error *err)
{
    struct run *run = self;
    if (atomic_load(&run->is_cancelled) || atomic_load(&run->minions->closing))
        FAIL(err, ERR_CANCELLED, "nobody waits for the answer any more");
    return run->worker.next(run->worker.self, done, err);
}

/* ---- events ---- */

static struct json_writer begin_event(struct run *run, const char *name)
{
    text_buf_format(&run->out, "event: %s\ndata: ", name);
    return (struct json_writer){.out = &run->out};
}

static void end_event(struct run *run)
{
    text_buf_add(&run->out, TEXT("\n\n"));
}

static void write_documents(struct run *run)
{
    struct json_writer w = begin_event(run, "documents");
    json_write_object(&w);
    json_write_key(&w, "documents");
    json_write_array(&w);
    for (uint32_t i = 0; i < run->documents.count; i++) {
        json_write_object(&w);
        json_write_key_text(&w, "name", run->documents.names[i]);
        json_write_key_text(&w, "path", run->documents.paths[i]);
        json_write_key_i64(&w, "bytes", (int64_t)run->documents.texts[i].size);
        if (run->documents.bytes <= SHOWN_BYTES_MAX)
            json_write_key_text(&w, "text", run->documents.texts[i]);
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
    json_write_object_end(&w);
    end_event(run);
}

static void write_planned(struct json_writer *w, const struct news *news)
{
    json_write_key_i64(w, "chunk", news->chunk);
    json_write_key_i64(w, "task", news->task);
    json_write_key_i64(w, "document", news->document);
    json_write_key_i64(w, "offset", (int64_t)news->offset);
    json_write_key_i64(w, "size", (int64_t)news->size);
}

static void write_one(struct json_writer *w, const struct news *news)
{
    const struct text text = {news->text, news->text_size};
    if (news->kind == NEWS_JOB_DONE) {
        json_write_i64(w, news->job);
        return;
    }
    json_write_object(w);
    json_write_key_i64(w, "job", news->job);
    if (news->kind == NEWS_JOB_PLANNED) {
        write_planned(w, news);
    } else {
        json_write_key_text(w, "grade", text_of(job_output_grade(news->outcome)));
        json_write_key_text(w, "answer", text);
    }
    json_write_object_end(w);
}

/* The tasks of jobs that are planned, each at its number's place. */
static void write_tasks(struct json_writer *w, const struct news *news, size_t count)
{
    int32_t next_task = 0;
    json_write_key(w, "tasks");
    json_write_object(w);
    for (size_t i = 0; i < count; i++) {
        char name[16];
        if (news[i].task < next_task)
            continue;
        next_task = news[i].task + 1;
        (void)snprintf(name, sizeof name, "%d", news[i].task);
        json_write_key_text(w, name, (struct text){news[i].text, news[i].text_size});
    }
    json_write_object_end(w);
}

/* News of one kind and round, as one event. */
static void write_news(struct run *run, const struct news *news, size_t count)
{
    static const char *const names[] = {[NEWS_JOB_PLANNED] = "plan",
                                        [NEWS_JOB_DONE] = "done",
                                        [NEWS_JOB_JUDGED] = "judged",
                                        [NEWS_PROGRAM_REFUSED] = "refused"};
    struct json_writer w = begin_event(run, names[news->kind]);
    json_write_object(&w);
    json_write_key_i64(&w, "round", news->round);
    if (news->kind == NEWS_PROGRAM_REFUSED) {
        json_write_key_text(&w, "message", (struct text){news->text, news->text_size});
    } else {
        if (news->kind == NEWS_JOB_PLANNED)
            write_tasks(&w, news, count);
        json_write_key(&w, "jobs");
        json_write_array(&w);
        for (size_t i = 0; i < count; i++)
            write_one(&w, &news[i]);
        json_write_array_end(&w);
    }
    json_write_object_end(&w);
    end_event(run);
}

/* Waits up to wait_ms for news; writes what there are, those of a kind together. False: there
 * are none. */
static bool take_news(struct run *run, int wait_ms)
{
    struct news news[NEWS_AT_ONCE];
    size_t count = 0;
    while (count < NEWS_AT_ONCE &&
           queue_pull(&run->news, &news[count], count == 0 ? wait_ms : 0))
        count++;
    for (size_t begin = 0, end; begin < count && run->body.stream; begin = end) {
        end = begin + 1;
        while (end < count && news[end].kind == news[begin].kind &&
               news[end].round == news[begin].round && news[begin].kind != NEWS_PROGRAM_REFUSED)
            end++;
        write_news(run, &news[begin], end - begin);
    }
    return count > 0;
}

static void write_progress(struct run *run)
{
    const struct progress *shown = &run->shown;
    const struct progress now = progress_look(&run->watch, clock_now_s());
    if (now.phase == shown->phase && now.round == shown->round &&
        now.jobs_done == shown->jobs_done && now.jobs_total == shown->jobs_total)
        return;
    text_buf_add(&run->out, TEXT("event: progress\ndata: "));
    progress_line(&now, PROGRESS_JSON, &run->out);
    end_event(run);
    run->shown = now;
}

/* ---- the end ---- */

static void write_usage(struct json_writer *w, const struct ledger *ledger)
{
    const uint64_t remote[] = {ledger->remote_prompt_tokens, ledger->remote_output_tokens};
    const uint64_t local[] = {ledger->local_prompt_tokens, ledger->local_output_tokens};
    json_write_key(w, "usage");
    json_write_object(w);
    for (int i = 0; i < 2; i++) {
        const uint64_t *tokens = i == 0 ? remote : local;
        json_write_key(w, i == 0 ? "remote" : "local");
        json_write_object(w);
        json_write_key_i64(w, "prompt_tokens", (int64_t)tokens[0]);
        json_write_key_i64(w, "completion_tokens", (int64_t)tokens[1]);
        json_write_key_i64(w, "total_tokens", (int64_t)(tokens[0] + tokens[1]));
        json_write_object_end(w);
    }
    json_write_object_end(w);
}

static void write_result(struct run *run, struct json_writer *w)
{
    json_write_object(w);
    answer_json_write(w, &(struct answer_json){.documents = &run->documents,
                                               .result = &run->result,
                                               .ledger = &run->ledger,
                                               .run = run->number});
    json_write_key_text(w, "final_answer", text_buf_text(&run->result.answer));
    write_usage(w, &run->ledger);
    json_write_object_end(w);
}

static struct reply_error error_of(const struct run *run)
{
    return (struct reply_error){.status = refusal_status(run->status),
                                .text = text_of(run->err.text),
                                .param = field_of_refusal(&serve_body_fields, run->err.text)};
}

/* A result that does not fit in memory is an error. */
static void check_room(struct run *run)
{
    if (!run->out.failed)
        return;
    run->status =
        error_set(&run->err, ERR_MEMORY, __FILE__, __LINE__, "no memory for an answer");
    text_buf_clear(&run->out);
}

static void end_stream(struct run *run)
{
    if (run->status == OK) {
        struct json_writer w = begin_event(run, "result");
        write_result(run, &w);
        end_event(run);
        check_room(run);
    }
    if (run->status != OK) {
        const struct reply_error error = error_of(run);
        struct json_writer w = begin_event(run, "error");
        openai_reply_error(&w, &error);
        end_event(run);
    }
    (void)http_send(run->exchange, text_buf_text(&run->out)); /* nobody is left to tell */
    http_end(run->exchange);
}

static void answer_whole(struct run *run)
{
    struct json_writer w = {.out = &run->out};
    if (run->status == OK) {
        write_result(run, &w);
        check_room(run);
    }
    const struct reply_error error = error_of(run);
    if (run->status != OK)
        refusal_answer(run->exchange, NULL, &error);
    else
        http_answer(run->exchange,
                    &(struct http_reply){.status = 200, .body = text_buf_text(&run->out)});
}

/* ---- a run ---- */

static enum status read_request(struct run *run, struct error *err)
{
    struct error why = {0};
    if (json_parse(http_exchange_request(run->exchange)->body, 0, &run->root, &why) != OK)
        FAIL(err, why.status, "body: %.200s", why.text);
    TRY(serve_body_read(&run->body, run->root, err));
    if (documents_of(&run->documents, run->body.files, run->body.file_count, &why) != OK)
        FAIL(err, why.status, "documents: %.200s", why.text);
    return OK;
}

static enum status open_run(struct run *run, struct error *err)
{
    struct serve_minions *minions = run->minions;
    const bool is_local = text_equal(run->body.supervisor, TEXT("local"));
    if (text_equal(run->body.supervisor, TEXT("remote")) &&
        !supervisor_args_is_remote(minions->args))
        FAIL(err, ERR_LIMIT, "supervisor: this server was started without a remote one");
    run->ledger = (struct ledger){.price = minions->price,
                                  .budget_dollars = (double)minions->args->budget,
                                  .budget_tokens = minions->args->budget_tokens};
    TRY(queue_init(&run->news, NEWS_MAX, sizeof(struct news), err));
    TRY(run_record_open(&run->journal, NULL, err));
    char *argv[] = {"serve"};
    const struct run_record record = {
        .question = run->body.question, .argc = 1, .argv = argv, .documents = &run->documents};
    TRY(run_record_begin(run->journal, &record, &run->number, err));
    const struct remote_options more = {.journal = run->journal};
    if (!is_local)
        TRY(supervisor_args_open(minions->args, &more, &run->ledger, &run->supervisor, err));
    TRY(worker_engine_init(&run->worker, minions->engine, err));
    run->watched = (struct worker){
        .self = run, .start = start, .next = next, .parameters = run->worker.parameters};
    return OK;
}

static void *conduct(void *self)
{
    struct run *run = self;
    const struct round_options options = {
        .question = run->body.question,
        .documents = &run->documents,
        .worker = &run->watched,
        .remote = run->supervisor.remote,
        .ledger = &run->ledger,
        .journal = run->journal,
        .news = &run->news,
        .rounds_max = run->body.rounds,
        .samples = run->body.samples,
        .kind = serve_body_worker(&run->body),
        .protocol = serve_body_protocol(&run->body),
        .wishes = run->body.wishes,
        .seed = run->body.seed,
    };
    run->status = round_run(&options, &run->progress, &run->result, &run->err);
    run->ledger.seconds = clock_now_s() - run->start_s;
    atomic_store(&run->is_over, true);
    return NULL;
}

/* What is new goes to the client; one that is gone, or cannot be told, ends the run at its next
 * job. False: there was no news. */
static bool look(struct run *run, int wait_ms)
{
    const bool has_news = take_news(run, wait_ms);
    if (run->body.stream) {
        write_progress(run);
        if (run->out.failed ||
            (run->out.size > 0 && !http_send(run->exchange, text_buf_text(&run->out))))
            atomic_store(&run->is_cancelled, true);
        text_buf_clear(&run->out);
    } else if (http_exchange_is_gone(run->exchange)) {
        atomic_store(&run->is_cancelled, true);
    }
    return has_news;
}

static enum status end_journal(struct run *run)
{
    struct text_buf kept = {0};
    struct json_writer w = {.out = &kept};
    struct error unkept = {0};
    if (run->status == OK)
        write_result(run, &w);
    else
        text_buf_add(&kept, text_of(run->err.text));
    const enum status status =
        journal_end(run->journal, run->status == OK ? JOURNAL_ANSWERED : JOURNAL_FAILED,
                    text_buf_text(&kept), &unkept);
    text_buf_deinit(&kept);
    return status;
}

static void fly(struct run *run)
{
    pthread_t thread;
    progress_watch_init(&run->watch, &run->progress, &run->ledger, &run->documents,
                        run->start_s);
    if (pthread_create(&thread, NULL, conduct, run) != 0) {
        run->status =
            error_set(&run->err, ERR_MEMORY, __FILE__, __LINE__, "no thread for the run");
        answer_whole(run);
        return;
    }
    if (run->body.stream) {
        http_begin(run->exchange,
                   &(struct http_reply){.status = 200, .content_type = "text/event-stream"});
        write_documents(run);
    }
    while (!atomic_load(&run->is_over))
        (void)look(run, LOOK_MS);
    pthread_join(thread, NULL);
    while (look(run, 0)) /* what was told after the last look */
        ;
    (void)end_journal(run); /* without it the run shows as cut off; its client has its answer */
    run->body.stream ? end_stream(run) : answer_whole(run);
}

static void serve_run(struct serve_minions *minions, struct http_exchange *exchange)
{
    struct run *run = calloc(1, sizeof *run);
    if (!run) {
        refusal_say(exchange, 503, "no memory for a run");
        return;
    }
    run->minions = minions;
    run->exchange = exchange;
    run->start_s = clock_now_s();
    run->shown.phase = ROUND_OVER;
    run->status = read_request(run, &run->err);
    if (run->status == OK)
        run->status = open_run(run, &run->err);
    if (run->status == OK)
        fly(run);
    else
        answer_whole(run);
    worker_engine_deinit(&run->worker);
    supervisor_args_close(&run->supervisor);
    journal_close(run->journal);
    round_result_deinit(&run->result);
    documents_close(&run->documents);
    serve_body_deinit(&run->body);
    json_free(run->root);
    if (run->news.items)
        queue_deinit(&run->news);
    text_buf_deinit(&run->out);
    free(run);
}

static void *take_requests(void *self)
{
    struct serve_minions *minions = self;
    struct server_request request;
    while (!atomic_load(&minions->closing))
        if (server_next(minions->server, &request, LOOK_MS))
            serve_run(minions, request.exchange);
    return NULL;
}

enum status serve_minions_open(struct serve_minions **minions, struct server *server,
                               struct engine *engine, const struct supervisor_args *args,
                               struct error *err)
{
    struct serve_minions *made = calloc(1, sizeof *made);
    if (!made)
        FAIL(err, ERR_MEMORY, "serve: no memory");
    *made = (struct serve_minions){.server = server, .engine = engine, .args = args};
    enum status status = supervisor_args_price(args, "serve", &made->price, err);
    while (status == OK && made->runner_count < RUNNERS) {
        if (pthread_create(&made->runners[made->runner_count], NULL, take_requests, made) != 0)
            status = error_set(err, ERR_IO, __FILE__, __LINE__,
                               "serve: its threads cannot be started");
        else
            made->runner_count++;
    }
    if (status != OK) {
        serve_minions_close(made);
        return status;
    }
    *minions = made;
    return OK;
}

void serve_minions_close(struct serve_minions *minions)
{
    if (!minions)
        return;
    atomic_store(&minions->closing, true);
    for (uint32_t i = 0; i < minions->runner_count; i++)
        pthread_join(minions->runners[i], NULL);
    free(minions);
}
