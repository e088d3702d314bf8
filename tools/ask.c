/* ask - cohort ask: a question about documents, answered with citations. */
#include "tools/ask.h"

#include "base/clock.h"
#include "protocol/dsl/dsl.h"
#include "protocol/minions/minion.h"
#include "protocol/minions/supervisor_remote.h"
#include "protocol/minions/worker_engine.h"
#include "protocol/minions/worker_remote.h"
#include "tools/cohort.h"
#include "tools/exit_code.h"
#include "tools/output.h"
#include "tools/state_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

/* The workers: servers elsewhere, or the engine. */
static enum status open_workers(struct ask *ask, struct error *err)
{
    char path[STATE_PATH_BYTES];
    if (!ask->workers_args.urls) {
        if (ask->dry_run)
            return OK;
        TRY(engine_args_open(&ask->engine_args, NULL, &ask->engine, err));
        return worker_engine_init(&ask->worker, ask->engine, err);
    }
    TRY(state_path("egress.jsonl", path, err));
    TRY(egress_open(&ask->worker_egress, path, err));
    struct worker_fleet_options options = workers_args_options(&ask->workers_args);
    options.egress = &ask->worker_egress;
    options.run = ask->run;
    TRY(worker_remote_init(&ask->worker, &options, err));
    ask->is_elsewhere = true;
    worker_remote_bytes(&ask->worker, &ask->worker_bytes);
    ask->ledger.worker_hosts = ask->worker_bytes.hosts;
    return OK;
}

/* Everything that can be refused is looked at before the model is loaded. */
static enum status open_all(struct ask *ask, int argc, char **argv, struct error *err)
{
    TRY(dsl_try_limits(err)); /* while this process is small: it forks */
    TRY(ask_journal_open(ask, err));
    TRY(round_check_question(text_buf_text(&ask->question), err));
    ask->ledger = (struct ledger){
        .budget_dollars = (double)ask->supervisor_args.budget,
        .budget_tokens = ask->supervisor_args.budget_tokens,
    };
    double at_s = clock_now_s();
    TRY(documents_open(&ask->documents, ask->files.items, ask->files.count, err));
    clock_lap_s(&at_s, &ask->ledger.times.read_s);
    output_notes("ask", text_buf_text(&ask->documents.notes));
    const struct remote_options more = {.journal = ask->journal, .is_dry = ask->dry_run};
    TRY(supervisor_args_open(&ask->supervisor_args, &more, &ask->ledger, &ask->supervisor,
                             err));
    TRY(supervisor_args_price(&ask->supervisor_args, "ask", &ask->ledger.price, err));
    if (!ask->dry_run && ask->workers_args.urls)
        TRY(ask_journal_begin(ask, argc, argv, err)); /* the log names the run */
    at_s = clock_now_s();
    TRY(open_workers(ask, err));
    clock_lap_s(&at_s, &ask->ledger.times.load_s);
    if (ask->dry_run || ask->workers_args.urls)
        return OK;
    return ask_journal_begin(ask, argc, argv, err);
}

/* What would be sent, a request on a line. */
static enum status rehearse(struct ask *ask, struct error *err)
{
    if (ask->worker_bytes.hosts[0])
        (void)fprintf(
            stderr,
            "cohort ask: passages of the documents, with their tasks, would go to the "
            "workers on %s\n",
            ask->worker_bytes.hosts);
    if (!ask->supervisor.remote)
        return OK;
    const struct round_options talk = {.question = text_buf_text(&ask->question),
                                       .documents = &ask->documents,
                                       .remote = ask->supervisor.remote,
                                       .rounds_max = ask->rounds};
    struct supervisor_remote supervisor = {.remote = ask->supervisor.remote,
                                           .question = text_buf_text(&ask->question),
                                           .documents = &ask->documents,
                                           .rounds_max =
                                               ask->rounds > 0 ? ask->rounds : ROUND_DEFAULT,
                                           .wishes = ask->wishes};
    const enum status status = ask->protocol == ROUND_MINION
                                   ? minion_rehearse(&talk, err)
                                   : supervisor_remote_rehearse(&supervisor, err);
    if (status == OK)
        printf("%.*s", TEXT_ARG(remote_dry(ask->supervisor.remote)));
    supervisor_remote_deinit(&supervisor);
    return status;
}

/* Jobs that no server did have no outcome that would say why. */
static void note_failures(const struct ask *ask)
{
    const char *reason = NULL;
    const uint32_t failed = ask->is_elsewhere ? worker_remote_failed(&ask->worker, &reason) : 0;
    if (failed > 0)
        (void)fprintf(stderr, "cohort ask: %u job%s failed on the workers; the last: %s\n",
                      failed, failed == 1 ? "" : "s", reason);
}

static enum status answer(struct ask *ask, struct error *err)
{
    ask->io_code = EX_IOERR; /* all that is read was read */
    if (ask->dry_run)
        return rehearse(ask, err);
    const struct round_options options = {
        .question = text_buf_text(&ask->question),
        .documents = &ask->documents,
        .worker = &ask->worker,
        .remote = ask->supervisor.remote,
        .ledger = &ask->ledger,
        .journal = ask->journal,
        .rounds_max = ask->rounds,
        .samples = ask->samples,
        .kind = (enum round_worker)ask->worker_kind,
        .protocol = (enum round_protocol)ask->protocol,
        .wishes = ask->wishes,
        .seed = ask->seed,
    };
    struct ask_ticker ticker;
    struct error unkept = {0};
    ask_ticker_start(&ticker, ask);
    enum status status = round_run(&options, &ask->progress, &ask->result, err);
    ask_ticker_stop(&ticker);
    ask->ledger.seconds = clock_now_s() - ask->start_s;
    if (ask->is_elsewhere) {
        worker_remote_bytes(&ask->worker, &ask->worker_bytes);
        ask->ledger.worker_sent_bytes = ask->worker_bytes.sent;
        ask->ledger.worker_received_bytes = ask->worker_bytes.received;
    }
    note_failures(ask);
    const enum status kept = ask_journal_end(ask, status, err, &unkept);
    if (status == OK && kept != OK)
        FAIL(err, kept, "%.200s", unkept.text);
    return status;
}

static void close_ask(struct ask *ask)
{
    round_result_deinit(&ask->result);
    if (ask->is_elsewhere)
        worker_remote_deinit(&ask->worker);
    else
        worker_engine_deinit(&ask->worker);
    engine_close(ask->engine);
    egress_close(&ask->worker_egress);
    supervisor_args_close(&ask->supervisor);
    journal_close(ask->journal);
    arena_deinit(&ask->arena);
    documents_close(&ask->documents);
    text_buf_deinit(&ask->question);
    free(ask);
}

int ask_main(int argc, char **argv)
{
    struct error err = {0};
    struct ask *ask = calloc(1, sizeof *ask);
    if (!ask)
        return EX_OSERR;
    ask->start_s = clock_now_s();
    ask->io_code = EX_NOINPUT;
    const enum args_result parsed = ask_args_parse(ask, argc, argv);
    int code = args_exit_code(parsed);
    if (parsed == ARGS_GO &&
        (open_all(ask, argc, argv, &err) != OK || answer(ask, &err) != OK ||
         (!ask->dry_run && ask_print(ask, &err) != OK))) {
        code = exit_code_fail("ask", &err);
        if (err.status == ERR_IO)
            code = ask->io_code;
        if (ask->run > 0 && ask->ledger.jobs + ask->ledger.calls > 0)
            (void)fprintf(stderr, "cohort ask: what was done is kept; --resume %lld goes on\n",
                          (long long)ask->run);
    }
    close_ask(ask);
    return code != EX_OK ? code : exit_code_flush("ask");
}
