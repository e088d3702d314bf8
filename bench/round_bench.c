/*
 * round_bench FILE [BYTES] - what a round costs besides the model.
 *
 * The first BYTES (default 1 MB) of FILE are cut into chunks of 3,000 characters with three
 * tasks each, by a program of a scripted supervisor, and worked on by a scripted worker that
 * takes no time; one job in five finds an answer. Everything else is real: socket, language,
 * process, prompts, journal (a file in TMPDIR), aggregation. Prints the least of RUNS times of
 * each part, in milliseconds: beside the time that a model needs for as many jobs, each is its
 * share.
 */
#include "protocol/minions/journal.h"
#include "protocol/minions/round.h"
#include "tests/harness/scripted_server.h"
#include "tests/harness/scripted_worker.h"

#include "base/file_map.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUNS = 5, PARTS = 6, ONE_IN = 5, QUOTED_BYTES = 120 };

static const char PROGRAM[] =
    "def prepare_jobs(context, prev_job_manifests=None, prev_job_outputs=None):\n"
    "    tasks = ['Who speaks here, and to whom?', 'Which place is named?', 'What is the "
    "year?']\n"
    "    jobs = []\n"
    "    for doc in context:\n"
    "        for chunk in chunk_by_section(doc, max_chunk_size=3000, overlap=20):\n"
    "            for task in tasks:\n"
    "                jobs.append(JobManifest(chunk=chunk, task=task, advice='Quote it.'))\n"
    "    return jobs\n"
    "def transform_outputs(jobs):\n"
    "    found = {}\n"
    "    for job in jobs:\n"
    "        if job.output.answer is None or job.output.answer.lower().strip() == 'none':\n"
    "            continue\n"
    "        found.setdefault(job.manifest.task, []).append(job)\n"
    "    lines = []\n"
    "    for task, some in found.items():\n"
    "        lines.append(f'## {task}')\n"
    "        for job in some[:40]:\n"
    "            lines.append(f'- chunk {job.manifest.chunk_id}: {job.output.answer}')\n"
    "    return '\\n'.join(lines)\n";

/* Every ONE_IN-th job quotes the beginning of its passage. */
static void answer(void *self, struct worker_job *job, struct arena *arena)
{
    uint32_t *turn = self;
    struct text_buf reply = {0};
    struct json_writer w = {.out = &reply};
    size_t begin = text_find(job->prompt, TEXT("<passage>\n"), 0);
    job->prompt_tokens = (uint32_t)(job->prompt.size / 4);
    job->output_tokens = 40;
    json_write_object(&w);
    json_write_key_text(&w, "explanation", TEXT("The passage says so in its first words."));
    if (begin != SIZE_MAX && (*turn)++ % ONE_IN == 0) {
        struct text quoted = text_slice(job->prompt, begin + 10, begin + 10 + QUOTED_BYTES);
        quoted.size = text_utf8_valid(quoted);
        json_write_key_text(&w, "citation", quoted);
        json_write_key_text(&w, "answer", TEXT("the first words"));
    }
    json_write_object_end(&w);
    job->reply = text_copy(text_buf_text(&reply), arena);
    text_buf_deinit(&reply);
}

static char *body_of(const char *text)
{
    struct text_buf body = {0};
    struct json_writer w = {.out = &body};
    text_buf_add(&body, TEXT("{\"choices\":[{\"message\":{\"content\":"));
    json_write_text(&w, text_of(text));
    text_buf_add(&body, TEXT("}}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}"));
    text_buf_byte(&body, '\0');
    return body.data;
}

/* One run; adds nothing to times but what it took. */
static enum status run_once(const struct documents *documents, const char *journal_path,
                            struct ledger *ledger, struct error *err)
{
    char *bodies[] = {body_of("Look at each chunk."), body_of(PROGRAM),
                      body_of("{\"decision\": \"provide_final_answer\", \"answer\": \"x\"}")};
    const struct scripted_reply replies[] = {{.status = 200, .body = bodies[0]},
                                             {.status = 200, .body = bodies[1]},
                                             {.status = 200, .body = bodies[2]}};
    struct scripted_server *server = calloc(1, sizeof(*server));
    uint32_t turn = 0;
    struct scripted_worker scripted = {
        .answer = answer, .self = &turn, .parameters = 8000000000u};
    const struct worker worker = scripted_worker(&scripted);
    struct round_progress progress = {0};
    struct round_result result = {0};
    struct round_options options = {.question = TEXT("Who speaks where, and when?"),
                                    .documents = documents,
                                    .worker = &worker,
                                    .ledger = ledger};
    char url[64];
    int64_t run = 0;
    *ledger = (struct ledger){.price = {2, 8}, .budget_dollars = 10};
    if (!server || !scripted_server_start(server, replies, 3))
        FAIL(err, ERR_IO, "no socket");
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1", server->port);
    TRY(journal_open(&options.journal, journal_path, err));
    TRY(journal_begin(options.journal, TEXT("{}"), &run, err));
    const struct remote_options remote = {.url = url, .model = "scripted"};
    TRY(remote_open(&options.remote, &remote, ledger, err));
    const enum status status = round_run(&options, &progress, &result, err);
    remote_close(options.remote);
    journal_close(options.journal);
    scripted_server_stop(server);
    scripted_server_deinit(server);
    free(server);
    round_result_deinit(&result);
    for (int i = 0; i < 3; i++)
        free(bodies[i]);
    return status;
}

static void remove_journal(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char whole[256];
    for (int i = 0; i < 3; i++) {
        snprintf(whole, sizeof(whole), "%s%s", path, ends[i]);
        (void)unlink(whole);
    }
}

static enum status measure(const struct documents *documents, struct error *err)
{
    static const char *const names[PARTS] = {"parse",   "chunk",     "schedule",
                                             "journal", "aggregate", "scripted worker"};
    const char *folder = getenv("TMPDIR");
    struct ledger ledger = {0};
    double best[PARTS] = {0};
    char path[200];
    snprintf(path, sizeof(path), "%.150s/round_bench.%d.db", folder ? folder : "/tmp",
             getpid());
    for (int i = 0; i < RUNS; i++) {
        const enum status status = run_once(documents, path, &ledger, err);
        remove_journal(path);
        TRY(status);
        const struct ledger_times *t = &ledger.times;
        const double times[PARTS] = {t->parse_s,   t->chunk_s,     t->schedule_s,
                                     t->journal_s, t->aggregate_s, t->model_s};
        for (int p = 0; p < PARTS; p++)
            best[p] = i == 0 || times[p] < best[p] ? times[p] : best[p];
    }
    printf("%u jobs, %u answers; ms, the least of %d runs\n", ledger.jobs,
           ledger.outcomes[JOB_OUTPUT_ANSWER], RUNS);
    for (int p = 0; p < PARTS; p++)
        printf("%-16s %9.2f\n", names[p], best[p] * 1e3);
    return OK;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    struct documents documents = {0};
    const size_t bytes = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 1000000;
    if (argc < 2) {
        (void)fprintf(stderr, "usage: round_bench FILE [BYTES]\n");
        return 2;
    }
    const char *paths[] = {argv[1]};
    enum status status = documents_open(&documents, paths, 1, &err);
    if (status == OK) {
        struct text *text = &documents.texts[0];
        *text = text_slice(*text, 0, bytes);
        text->size = text_utf8_valid(*text);
        documents.bytes = text->size;
        status = measure(&documents, &err);
    }
    documents_close(&documents);
    if (status != OK)
        (void)fprintf(stderr, "round_bench: %s\n", err.text);
    return status == OK ? 0 : 1;
}
