/* round - see round.h. */
#include "protocol/minions/round.h"

#include "base/clock.h"
#include "protocol/dsl/dsl.h"
#include "protocol/minions/aggregate.h"
#include "protocol/minions/cite.h"
#include "protocol/minions/extract.h"
#include "protocol/minions/jobs.h"
#include "protocol/minions/minion.h"
#include "protocol/minions/supervisor_local.h"
#include "protocol/minions/supervisor_remote.h"

#include <stdio.h>
#include <stdlib.h>

#define EXTRACT_BELOW_PARAMETERS 1000000000u
#define ARENA_BYTES              ((size_t)4 << 30) /* address space; pages come as touched */

/* One round's program, its jobs and what came of them. */
struct turn {
    struct text source; /* kept where there is a journal */
    struct dsl_program *program;
    struct dsl_jobs jobs;          /* each repeated as often as it is sampled */
    struct jobs_outcome *outcomes; /* [jobs.count] */
    struct dsl_finished finished;  /* those whose reply could be read */
};

struct run {
    const struct round_options *options;
    struct round_progress *progress;
    struct round_result *result;
    struct arena arena;
    struct jobs_context context;
    struct extract extract; /* of an extracting worker */
    bool is_extract;
    struct supervisor_remote supervisor;
    struct turn turns[ROUND_MAX];
    uint32_t turn_count;
    struct text_buf local_program;
    struct text_buf findings;
};

void round_show(struct round_progress *progress, enum round_phase phase, uint32_t round,
                const struct ledger *ledger)
{
    atomic_store(&progress->phase, (int)phase);
    atomic_store(&progress->round, round);
    atomic_store(&progress->micro_dollars, (uint64_t)(ledger->dollars * 1e6));
}

static void show(struct run *run, enum round_phase phase)
{
    round_show(run->progress, phase, run->turn_count, run->options->ledger);
}

enum status round_check_question(struct text question, struct error *err)
{
    if (text_trim(question).size == 0)
        FAIL(err, ERR_FORMAT, "question: it is empty");
    if (question.size > ROUND_QUESTION_BYTES_MAX)
        FAIL(err, ERR_LIMIT, "question: %zu bytes, at most %d are taken", question.size,
             ROUND_QUESTION_BYTES_MAX);
    if (text_utf8_valid(question) < question.size)
        FAIL(err, ERR_FORMAT, "question: it is not UTF-8");
    return OK;
}

static enum status check_options(const struct round_options *options, struct error *err)
{
    TRY(round_check_question(options->question, err));
    if (options->rounds_max > ROUND_MAX)
        FAIL(err, ERR_LIMIT, "rounds: %u asked, at most %d are run", options->rounds_max,
             ROUND_MAX);
    if (options->protocol == ROUND_MINION && !options->remote)
        FAIL(err, ERR_FORMAT,
             "protocol: minion is a talk with a remote supervisor; none is set");
    return OK;
}

/* Opens the program and has it prepare its jobs. On failure *fault says why; fault->message
 * is empty when the failure was not the program's. */
static enum status start_turn(struct run *run, struct text source, struct turn *turn,
                              struct dsl_fault *fault, struct error *err)
{
    const struct documents *documents = run->options->documents;
    const struct turn *before = run->turn_count > 0 ? turn - 1 : NULL;
    *turn = (struct turn){0};
    *fault = (struct dsl_fault){0};
    if (run->options->journal)
        turn->source = text_copy(source, &run->arena);
    struct ledger_times *times = &run->options->ledger->times;
    double at_s = clock_now_s();
    const struct dsl_options options = {
        .source = source, .documents = documents->texts, .document_count = documents->count};
    enum status status = dsl_open(&turn->program, &options, fault, err);
    clock_lap_s(&at_s, &times->parse_s);
    TRY(status);
    status = dsl_prepare_jobs(turn->program, before ? &before->finished : NULL, &turn->jobs,
                              fault, err);
    clock_lap_s(&at_s, &times->chunk_s);
    TRY(status);
    if (turn->jobs.count > 0)
        return OK;
    fault->kind = DSL_BUDGET;
    snprintf(fault->message, sizeof(fault->message),
             "prepare_jobs returned an empty list; at least one job is needed");
    FAIL(err, ERR_FORMAT, "program: %s", fault->message);
}

static enum status start_local(struct run *run, struct turn *turn, struct error *err)
{
    struct dsl_fault fault;
    supervisor_local_program(&run->local_program, run->options->question,
                             &run->options->wishes);
    if (run->local_program.failed)
        FAIL(err, ERR_MEMORY, "round: no memory");
    return start_turn(run, text_buf_text(&run->local_program), turn, &fault, err);
}

/* Asks for a program until one prepares jobs. */
static enum status start_remote(struct run *run, struct turn *turn, struct error *err)
{
    struct dsl_fault fault;
    struct text source = {0};
    for (uint32_t attempt = 0; attempt < ROUND_ATTEMPTS; attempt++) {
        show(run, ROUND_ASKING);
        TRY(supervisor_remote_program(&run->supervisor, run->turn_count + 1,
                                      attempt > 0 ? &fault : NULL, &source, err));
        const enum status status = start_turn(run, source, turn, &fault, err);
        if (status == OK)
            return OK;
        if (turn->program)
            dsl_close(turn->program);
        turn->program = NULL;
        if (fault.message[0] == '\0' && fault.exception[0] == '\0')
            return status;
        news_tell(run->options->news,
                  &(struct news){.kind = NEWS_PROGRAM_REFUSED, .round = run->turn_count + 1},
                  text_of(fault.message));
        run->result->repairs++;
    }
    FAIL(err, ERR_LIMIT, "round: %d programs of the supervisor failed; the last: %.150s",
         ROUND_ATTEMPTS, fault.message);
}

static enum status extract_outcomes(struct run *run, struct turn *turn, struct error *err)
{
    struct extract_work work = {
        .jobs = turn->jobs.list, .outcomes = turn->outcomes, .count = turn->jobs.count};
    TRY(extract_run(&run->extract, &run->context, &work, err));
    for (uint32_t i = 0; i < work.hit_count; i++) {
        const struct extract_hit *hit = &work.hits[i];
        cite_add(run->result, (struct round_citation){hit->unit.document, hit->unit.offset,
                                                      hit->unit.size, hit->score});
    }
    return OK;
}

static void tell_plan(const struct run *run, const struct turn *turn)
{
    for (uint32_t i = 0; run->options->news && i < turn->jobs.count; i++) {
        const struct dsl_job *job = &turn->jobs.list[i];
        const struct news news = {.kind = NEWS_JOB_PLANNED,
                                  .round = run->turn_count,
                                  .job = i,
                                  .chunk = job->chunk_id,
                                  .task = job->task_id,
                                  .document = job->document,
                                  .offset = job->offset,
                                  .size = job->chunk.size};
        news_tell(run->options->news, &news, job->task);
    }
}

static void tell_outcomes(const struct run *run, const struct turn *turn)
{
    for (uint32_t i = 0; run->options->news && i < turn->jobs.count; i++) {
        const struct job_output *output = &turn->outcomes[i].output;
        const struct news news = {.kind = NEWS_JOB_JUDGED,
                                  .round = run->turn_count,
                                  .job = i,
                                  .outcome = output->kind};
        news_tell(run->options->news, &news, output->answer);
    }
}

/* What has a name of its own among the times of work(). */
static double named_s(const struct ledger_times *times)
{
    return times->schedule_s + times->model_s + times->journal_s;
}

/* Runs the turn's jobs on the worker and keeps what could be read. */
static enum status work(struct run *run, struct turn *turn, struct error *err)
{
    struct ledger_times *times = &run->options->ledger->times;
    double at_s = clock_now_s(), all_s = named_s(times);
    show(run, ROUND_WORKING);
    if (!run->is_extract) /* ranking has no luck in it: samples would be equal */
        TRY(jobs_repeat(&turn->jobs, run->options->samples, &run->arena, err));
    const uint32_t count = turn->jobs.count;
    turn->outcomes = ARENA_NEW(&run->arena, struct jobs_outcome, count);
    if (!turn->outcomes)
        FAIL(err, ERR_MEMORY, "round: no room for %u jobs", count);
    run->context.round = run->turn_count;
    tell_plan(run, turn);
    if (run->is_extract)
        TRY(extract_outcomes(run, turn, err));
    else
        TRY(jobs_generate(&run->context, &turn->jobs, turn->outcomes, err));
    for (uint32_t i = 0; i < count; i++)
        run->options->ledger->outcomes[turn->outcomes[i].output.kind]++;
    tell_outcomes(run, turn);
    TRY(jobs_readable(&turn->jobs, turn->outcomes, &run->arena, &turn->finished, err));
    clock_lap_s(&at_s, &all_s);
    times->aggregate_s += all_s - named_s(times);
    return OK;
}

/* Turns the outcomes into one text: by the program, else by the default aggregation. */
static void find(struct run *run, const struct turn *turn)
{
    struct text text = {0};
    struct dsl_fault fault;
    double at_s = clock_now_s();
    text_buf_clear(&run->findings);
    if (dsl_transform(turn->program, &turn->finished, &text, &fault, NULL) == OK)
        text_buf_add(&run->findings, text);
    else
        aggregate_add(&run->findings, &turn->finished, SUPERVISOR_REMOTE_FINDINGS_MAX);
    clock_lap_s(&at_s, &run->options->ledger->times.aggregate_s);
}

/* Writes what the turn did, for people: nothing of it is needed to go on. */
static enum status note(struct run *run, const struct turn *turn, struct error *err)
{
    double at_s = clock_now_s();
    if (!run->options->journal)
        return OK;
    struct journal_round round = {.number = (uint32_t)(turn - run->turns) + 1,
                                  .program = turn->source,
                                  .findings = text_buf_text(&run->findings),
                                  .jobs = turn->jobs.count};
    for (uint32_t i = 0; i < turn->jobs.count; i++)
        round.outcomes[turn->outcomes[i].output.kind]++;
    TRY(journal_put_round(run->options->journal, &round, err));
    clock_lap_s(&at_s, &run->options->ledger->times.journal_s);
    return OK;
}

static enum status cite_turn(struct run *run, const struct turn *turn, struct error *err)
{
    const struct cite_work work = {.options = run->options,
                                   .jobs = turn->jobs.list,
                                   .outcomes = turn->outcomes,
                                   .count = turn->jobs.count,
                                   .arena = &run->arena};
    double at_s = clock_now_s();
    TRY(cite_outcomes(&work, run->result, err));
    clock_lap_s(&at_s, &run->options->ledger->times.aggregate_s);
    return OK;
}

/* An extracting worker always finds a sentence that is less unlike the question than others. */
static const char NO_ANSWER[] =
    "The documents do not seem to answer this: hardly a word of the "
    "question stands in what comes nearest.";

/* Whether an extracting worker's best passages bear on the question: signatures with what is
 * signed by them, where the question's words stand. */
static bool bears_on(const struct run *run, const struct supervisor_local_sources *sources)
{
    struct supervisor_local_sources signed_ones = *sources;
    struct text_buf clauses = {0};
    for (uint32_t i = 0; i < sources->count; i++) {
        const struct round_citation *citation = &run->result->citations[i];
        text_buf_add(&clauses,
                     extract_clause(&run->extract, citation->document, citation->offset));
        text_buf_byte(&clauses, '\n');
    }
    signed_ones.notes = text_buf_text(&clauses);
    const bool bears = supervisor_local_bears_on(&signed_ones);
    text_buf_deinit(&clauses);
    return bears;
}

/* The local supervisor's last step: an answer from the best passages. */
static enum status answer_locally(struct run *run, const struct turn *turn, struct error *err)
{
    struct text passages[SUPERVISOR_LOCAL_PASSAGES_MAX];
    struct round_result *result = run->result;
    show(run, ROUND_ANSWERING);
    if (!run->is_extract) {
        find(run, turn);
        TRY(cite_turn(run, turn, err));
    }
    TRY(note(run, turn, err));
    if (result->citation_count == 0)
        FAIL(err, ERR_FORMAT, "no passage of the documents answers the question");
    uint32_t count = 0;
    for (; count < result->citation_count && count < SUPERVISOR_LOCAL_PASSAGES_MAX; count++) {
        const struct round_citation *citation = &result->citations[count];
        passages[count] = text_slice(run->options->documents->texts[citation->document],
                                     citation->offset, citation->offset + citation->size);
    }
    struct supervisor_local_sources sources = {
        .question = run->options->question,
        .passages = passages,
        .count = count,
        .notes = text_buf_text(&run->findings),
    };
    if (run->is_extract && !bears_on(run, &sources)) {
        result->is_unanswered = true;
        text_buf_add(&result->answer, text_of(NO_ANSWER));
        return OK;
    }
    if (run->is_extract) /* more than the best passage confuse such a model */
        sources.count = 1;
    return supervisor_local_answer(&run->context, &sources, &result->answer, &result->is_quoted,
                                   err);
}

static enum status conduct_local(struct run *run, struct error *err)
{
    struct turn *turn = &run->turns[0];
    TRY(start_local(run, turn, err));
    run->turn_count = 1;
    TRY(work(run, turn, err));
    return answer_locally(run, turn, err);
}

static enum status conduct_remote(struct run *run, struct error *err)
{
    struct supervisor_remote_decision decision = {0};
    const uint32_t rounds_max = run->supervisor.rounds_max;
    show(run, ROUND_ASKING);
    TRY(supervisor_remote_advise(&run->supervisor, err));
    enum status status = OK;
    while (status == OK && !decision.is_final) {
        struct turn *turn = &run->turns[run->turn_count];
        status = start_remote(run, turn, err);
        if (status != OK)
            break;
        run->turn_count++;
        status = work(run, turn, err);
        if (status != OK)
            break;
        find(run, turn);
        status = note(run, turn, err);
        if (status != OK)
            break;
        show(run, ROUND_ANSWERING);
        status = supervisor_remote_decide(&run->supervisor, text_buf_text(&run->findings),
                                          run->turn_count == rounds_max, &decision, err);
    }
    if (status == OK)
        text_buf_add(&run->result->answer, text_buf_text(&decision.answer));
    text_buf_deinit(&decision.answer);
    for (uint32_t i = 0; i < run->turn_count && status == OK && !run->is_extract; i++)
        status = cite_turn(run, &run->turns[i], err);
    return status;
}

static enum status conduct(struct run *run, struct error *err)
{
    const struct round_options *options = run->options;
    show(run, ROUND_READING);
    options->ledger->documents = options->documents->count;
    options->ledger->document_bytes = options->documents->bytes;
    double at_s = clock_now_s();
    if (run->is_extract)
        TRY(extract_init(&run->extract, options->documents, &run->arena, err));
    clock_lap_s(&at_s, &options->ledger->times.chunk_s);
    TRY(options->remote ? conduct_remote(run, err) : conduct_local(run, err));
    run->result->rounds = run->turn_count;
    show(run, ROUND_OVER);
    if (run->result->answer.failed || run->findings.failed)
        FAIL(err, ERR_MEMORY, "round: no memory for the answer");
    return OK;
}

enum status round_run(const struct round_options *options, struct round_progress *progress,
                      struct round_result *result, struct error *err)
{
    TRY(check_options(options, err));
    if (options->protocol == ROUND_MINION)
        return minion_run(options, progress, result, err);
    struct run *run = calloc(1, sizeof(*run));
    if (!run)
        FAIL(err, ERR_MEMORY, "round: no memory");
    run->options = options;
    run->progress = progress;
    run->result = result;
    run->is_extract =
        options->kind == ROUND_EXTRACT ||
        (options->kind == ROUND_AUTO && options->worker->parameters < EXTRACT_BELOW_PARAMETERS);
    run->context = (struct jobs_context){
        .worker = options->worker,
        .journal = options->journal,
        .arena = &run->arena,
        .progress = &progress->worker,
        .ledger = options->ledger,
        .seed = options->seed,
        .news = options->news,
    };
    run->supervisor = (struct supervisor_remote){
        .remote = options->remote,
        .question = options->question,
        .documents = options->documents,
        .rounds_max = options->rounds_max > 0 ? options->rounds_max : ROUND_DEFAULT,
        .wishes = options->wishes,
    };
    enum status status = arena_init(&run->arena, ARENA_BYTES, err);
    if (status == OK)
        status = conduct(run, err);
    for (uint32_t i = 0; i < ROUND_MAX; i++)
        if (run->turns[i].program)
            dsl_close(run->turns[i].program);
    supervisor_remote_deinit(&run->supervisor);
    text_buf_deinit(&run->local_program);
    text_buf_deinit(&run->findings);
    arena_deinit(&run->arena);
    free(run);
    return status;
}

void round_result_deinit(struct round_result *result)
{
    text_buf_deinit(&result->answer);
}
