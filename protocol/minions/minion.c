/* minion - see minion.h. */
#include "protocol/minions/minion.h"

#include "base/bm25.h"
#include "base/json.h"
#include "protocol/minions/cite.h"
#include "protocol/minions/jobs.h"
#include "protocol/minions/prompts.h"
#include "protocol/minions/supervisor_remote.h"

#include <stdlib.h>

enum {
    MESSAGES_MAX = 4 * ROUND_MAX + 4, /* each message of ours may be followed by "again" */
    DECISION_BYTES_MAX = 1 << 20,
    READ_BYTES_MAX =
        96 << 10, /* of the documents, at first; halved until the worker takes it */
    READ_BYTES_MIN = 1 << 10,
    PIECE_BYTES = 1500
};
#define ARENA_BYTES ((size_t)1 << 30) /* address space; pages come as touched */

struct talk {
    const struct round_options *options;
    struct round_progress *progress;
    struct arena arena;
    struct jobs_context context;
    struct remote_message messages[MESSAGES_MAX]; /* texts in the arena */
    uint32_t message_count;
    struct remote_reply reply;
    struct text_buf said;            /* to the worker and by it, so far */
    struct text_buf message, answer; /* the supervisor's last decision */
    bool is_final;
    size_t read_max; /* bytes of the documents that the worker takes at once */
    struct dsl_job jobs[ROUND_MAX];
    struct jobs_outcome outcomes[ROUND_MAX];
    uint32_t asked; /* messages to the worker */
    uint32_t rounds_max;
};

/* ---- the supervisor ---- */

static enum status add_message(struct talk *talk, const char *role, struct text_buf *text,
                               struct error *err)
{
    const struct text kept = text_copy(text_buf_text(text), &talk->arena);
    const bool failed = text->failed || !kept.data;
    text_buf_deinit(text);
    if (failed || talk->message_count == MESSAGES_MAX)
        FAIL(err, ERR_MEMORY, "minion: no memory for a message");
    talk->messages[talk->message_count++] = (struct remote_message){role, kept};
    return OK;
}

/* Sends the talk so far; what comes back becomes part of it. */
static enum status send(struct talk *talk, struct error *err)
{
    struct text_buf reply = {0};
    TRY(remote_chat(talk->options->remote, talk->messages, talk->message_count, &talk->reply,
                    err));
    text_buf_add(&reply, text_buf_text(&talk->reply.content));
    return add_message(talk, "assistant", &reply, err);
}

/* Reads the decision; false when it is not one. */
static bool read_decision(struct talk *talk, bool must_answer)
{
    struct json *root = NULL;
    struct text word = {0};
    const struct text object = job_output_find_object(text_buf_text(&talk->reply.content));
    if (json_parse(object, DECISION_BYTES_MAX, &root, NULL) != OK)
        return false;
    supervisor_remote_value(json_get(root, "answer"), &talk->answer);
    supervisor_remote_value(json_get(root, "message"), &talk->message);
    const bool has_word = json_text(json_get(root, "decision"), &word);
    const bool wants_more = has_word && text_equal(word, TEXT("request_additional_info"));
    json_free(root);
    talk->is_final = must_answer || !wants_more;
    if (talk->is_final)
        return has_word && !job_output_is_none(text_buf_text(&talk->answer));
    return !job_output_is_none(text_buf_text(&talk->message));
}

/* Sends prompt (taken) and reads the decision; one that cannot be read is asked for again. */
static enum status decide(struct talk *talk, struct text_buf *prompt, bool must_answer,
                          struct error *err)
{
    const enum round_phase phase = talk->asked > 0 ? ROUND_ANSWERING : ROUND_ASKING;
    round_show(talk->progress, phase, talk->asked, talk->options->ledger);
    TRY(add_message(talk, "user", prompt, err));
    TRY(send(talk, err));
    if (read_decision(talk, must_answer))
        return OK;
    struct text_buf again = {0};
    prompts_talk_again(&again, must_answer);
    TRY(add_message(talk, "user", &again, err));
    TRY(send(talk, err));
    if (!read_decision(talk, must_answer))
        FAIL(err, ERR_REMOTE, "supervisor: its decision could not be read, twice");
    return OK;
}

/* ---- what the worker reads ---- */

struct piece {
    struct text text;
    double score;
    uint32_t index;
};

static int best_first(const void *left, const void *right)
{
    const struct piece *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static int by_index(const void *left, const void *right)
{
    const struct piece *a = left, *b = right;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* The end of the piece that begins at begin: after white space where there is some near. */
static size_t piece_end(struct text text, size_t begin)
{
    if (text.size - begin <= PIECE_BYTES)
        return text.size;
    size_t end = begin + PIECE_BYTES;
    for (size_t at = end; at > begin + PIECE_BYTES / 2; at--)
        if (text.data[at - 1] == '\n' || text.data[at - 1] == ' ')
            return at;
    while ((text.data[end] & 0xc0) == 0x80)
        end--;
    return end;
}

/* Cuts all documents; *pieces lies in the arena, scored by the message. */
static enum status cut(struct talk *talk, struct piece **pieces, uint32_t *count,
                       struct error *err)
{
    const struct documents *documents = talk->options->documents;
    const size_t most = 2 * documents->bytes / PIECE_BYTES + documents->count + 1;
    struct piece *list = ARENA_NEW(&talk->arena, struct piece, most);
    struct bm25_passage *passages = ARENA_NEW(&talk->arena, struct bm25_passage, most);
    double *scores = ARENA_NEW(&talk->arena, double, most);
    uint32_t filled = 0;
    if (!list || !passages || !scores)
        FAIL(err, ERR_MEMORY, "minion: no room for %zu passages", most);
    for (uint32_t d = 0; d < documents->count; d++) {
        for (size_t at = 0; at < documents->texts[d].size; filled++) {
            const size_t end = piece_end(documents->texts[d], at);
            list[filled] = (struct piece){text_slice(documents->texts[d], at, end), 0, filled};
            passages[filled].text = list[filled].text;
            at = end;
        }
    }
    struct bm25_query query = {.count = 0};
    bm25_query_add(&query, text_buf_text(&talk->message), 1);
    bm25_query_add(&query, talk->options->question, 0.5);
    bm25_score(&bm25_chunks, passages, filled, &query, scores);
    for (uint32_t i = 0; i < filled; i++)
        list[i].score = scores[i];
    *pieces = list;
    *count = filled;
    return OK;
}

/* Sets the job's chunk: a whole document, all of them, or the best passages in their order. */
static enum status choose(struct talk *talk, struct dsl_job *job, struct error *err)
{
    const struct documents *documents = talk->options->documents;
    struct piece *pieces = NULL;
    struct text_buf chunk = {0};
    uint32_t count = 0, kept = 0;
    job->document = documents->count == 1 ? 0 : -1;
    job->chunk = documents->texts[0];
    if (documents->count == 1 && documents->bytes <= talk->read_max)
        return OK;
    TRY(cut(talk, &pieces, &count, err));
    qsort(pieces, count, sizeof(*pieces), best_first);
    for (size_t bytes = 0; kept < count; kept++) {
        bytes += pieces[kept].text.size;
        if (bytes > talk->read_max)
            break;
    }
    qsort(pieces, kept, sizeof(*pieces), by_index);
    for (uint32_t i = 0; i < kept; i++) {
        if (i > 0 && pieces[i].text.data != pieces[i - 1].text.data + pieces[i - 1].text.size)
            text_buf_add(&chunk, TEXT("\n\n"));
        text_buf_add(&chunk, pieces[i].text);
    }
    job->document = -1; /* its citation is looked for in the documents */
    job->chunk = text_copy(text_buf_text(&chunk), &talk->arena);
    const bool failed = chunk.failed || !job->chunk.data;
    text_buf_deinit(&chunk);
    if (failed)
        FAIL(err, ERR_MEMORY, "minion: no room for what the worker reads");
    return OK;
}

/* ---- the worker ---- */

/* Has the worker answer the supervisor's message. */
static enum status ask_worker(struct talk *talk, struct error *err)
{
    struct dsl_job *job = &talk->jobs[talk->asked];
    struct jobs_outcome *outcome = &talk->outcomes[talk->asked];
    const struct dsl_jobs jobs = {job, 1};
    job->task = text_copy(text_buf_text(&talk->message), &talk->arena);
    job->advice = text_copy(text_buf_text(&talk->said), &talk->arena);
    if (!job->task.data || !job->advice.data)
        FAIL(err, ERR_MEMORY, "minion: no memory for a message");
    talk->asked++;
    round_show(talk->progress, ROUND_WORKING, talk->asked, talk->options->ledger);
    for (;; talk->read_max /= 2) {
        TRY(choose(talk, job, err));
        TRY(jobs_generate(&talk->context, &jobs, outcome, err));
        /* No reply at all: what it was given does not fit its context. */
        const bool is_failed =
            outcome->output.kind == JOB_OUTPUT_UNREADABLE && outcome->sample.size == 0;
        if (!is_failed || talk->read_max / 2 < READ_BYTES_MIN)
            break;
    }
    talk->options->ledger->outcomes[outcome->output.kind]++;
    text_buf_format(
        &talk->said, "%sAsked: %.*s Answered: %.*s", talk->said.size > 0 ? "\n" : "",
        TEXT_ARG(job->task),
        TEXT_ARG(outcome->output.answer.size > 0 ? outcome->output.answer : TEXT("nothing")));
    return OK;
}

/* What the supervisor is told of the last reply. */
static struct dsl_output heard(const struct talk *talk)
{
    const struct job_output *output = &talk->outcomes[talk->asked - 1].output;
    return (struct dsl_output){.explanation = output->explanation,
                               .citation = output->citation,
                               .answer = output->answer,
                               .has_citation = output->citation.size > 0,
                               .has_answer = output->kind == JOB_OUTPUT_ANSWER ||
                                             output->kind == JOB_OUTPUT_UNGROUNDED,
                               .grade = text_of(job_output_grade(output->kind))};
}

/* Writes the round for people: what was asked, and what the supervisor was told. */
static enum status note(const struct talk *talk, struct text told, struct error *err)
{
    if (!talk->options->journal)
        return OK;
    struct journal_round round = {.number = talk->asked,
                                  .program = talk->jobs[talk->asked - 1].task,
                                  .findings = told,
                                  .jobs = 1};
    round.outcomes[talk->outcomes[talk->asked - 1].output.kind] = 1;
    return journal_put_round(talk->options->journal, &round, err);
}

static enum status conduct(struct talk *talk, struct round_result *result, struct error *err)
{
    struct text_buf prompt = {0};
    prompts_talk(&prompt, talk->options->question, talk->options->documents, talk->rounds_max);
    TRY(decide(talk, &prompt, false, err));
    while (!talk->is_final) {
        TRY(ask_worker(talk, err));
        const struct dsl_output said = heard(talk);
        prompts_heard(&prompt, &said, talk->asked == talk->rounds_max);
        const enum status noted = note(talk, text_buf_text(&prompt), err);
        if (noted != OK)
            text_buf_deinit(&prompt);
        TRY(noted);
        TRY(decide(talk, &prompt, talk->asked == talk->rounds_max, err));
    }
    text_buf_add(&result->answer, text_buf_text(&talk->answer));
    result->rounds = talk->asked;
    const struct cite_work work = {.options = talk->options,
                                   .jobs = talk->jobs,
                                   .outcomes = talk->outcomes,
                                   .count = talk->asked,
                                   .arena = &talk->arena};
    TRY(cite_outcomes(&work, result, err));
    round_show(talk->progress, ROUND_OVER, talk->asked, talk->options->ledger);
    if (result->answer.failed || talk->said.failed)
        FAIL(err, ERR_MEMORY, "minion: no memory for the answer");
    return OK;
}

static void talk_init(struct talk *talk, const struct round_options *options)
{
    talk->options = options;
    talk->read_max = READ_BYTES_MAX;
    talk->rounds_max = options->rounds_max > 0 ? options->rounds_max : ROUND_DEFAULT;
}

static void talk_free(struct talk *talk)
{
    text_buf_deinit(&talk->reply.content);
    text_buf_deinit(&talk->said);
    text_buf_deinit(&talk->message);
    text_buf_deinit(&talk->answer);
    arena_deinit(&talk->arena);
    free(talk);
}

enum status minion_run(const struct round_options *options, struct round_progress *progress,
                       struct round_result *result, struct error *err)
{
    struct talk *talk = calloc(1, sizeof(*talk));
    if (!talk)
        FAIL(err, ERR_MEMORY, "minion: no memory");
    talk_init(talk, options);
    talk->progress = progress;
    talk->context = (struct jobs_context){.worker = options->worker,
                                          .journal = options->journal,
                                          .arena = &talk->arena,
                                          .progress = &progress->worker,
                                          .ledger = options->ledger,
                                          .seed = options->seed};
    round_show(progress, ROUND_READING, 0, options->ledger);
    options->ledger->documents = options->documents->count;
    options->ledger->document_bytes = options->documents->bytes;
    enum status status = arena_init(&talk->arena, ARENA_BYTES, err);
    if (status == OK)
        status = conduct(talk, result, err);
    talk_free(talk);
    return status;
}

enum status minion_rehearse(const struct round_options *options, struct error *err)
{
    struct talk *talk = calloc(1, sizeof(*talk));
    struct text_buf prompt = {0};
    if (!talk)
        FAIL(err, ERR_MEMORY, "minion: no memory");
    talk_init(talk, options);
    enum status status = arena_init(&talk->arena, ARENA_BYTES, err);
    prompts_talk(&prompt, options->question, options->documents, talk->rounds_max);
    if (status == OK)
        status = add_message(talk, "user", &prompt, err);
    if (status == OK)
        status = send(talk, err);
    const struct dsl_output said = {.answer = TEXT("[the worker's answer]"),
                                    .citation = TEXT("[the words of a document that say so]"),
                                    .explanation = TEXT("[why, in a sentence]"),
                                    .has_answer = true,
                                    .has_citation = true,
                                    .grade = TEXT("grounded")};
    prompts_heard(&prompt, &said, talk->rounds_max == 1);
    if (status == OK)
        status = add_message(talk, "user", &prompt, err);
    if (status == OK)
        status = send(talk, err);
    text_buf_deinit(&prompt);
    talk_free(talk);
    return status;
}
