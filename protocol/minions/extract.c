/* extract - see extract.h. */
#include "protocol/minions/extract.h"

#include "base/bm25.h"
#include "protocol/minions/fold.h"
#include "protocol/minions/prompts.h"
#include "protocol/minions/question.h"
#include "protocol/minions/sentence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Set on 59 questions over the licences that every Debian machine has. Right sentence first:
 * by words alone 44, with the bonuses 49, with the model 50; among the first three: 54, 56,
 * 57. With 8, 24, 40 candidates as good or one less; with the model at a weight of 0.3: 48.
 * On 31 fresh ones it found 24 first and 27 among three; with the greater bonus for what fits
 * well 28 and 29, the others unchanged. */
#define EXTRACT_MODEL_WEIGHT 0.08
static const double FIT_BONUS[][QUESTION_FITS_WELL + 1] = {
    [QUESTION_OTHER] = {0},
    [QUESTION_AMOUNT] = {0, 0.2, 0.2},
    [QUESTION_TIME] = {0, 0.2, 0.35},
    [QUESTION_PERSON] = {0, 0.1, 0.1},
    [QUESTION_SIGNER] = {0, 0.1, 1.2}, /* beyond the clause that says `to be signed` */
    [QUESTION_DEFINITION] = {0, 0.4, 0.8},
    [QUESTION_YES_NO] = {0, 0.1, 0.4},
};

enum {
    WORDS_MIN = 4,        /* shorter units are headings and labels */
    LEAD_BYTES_MAX = 400, /* of what stands before a table */
    WHOM_BYTES_MAX = 600  /* and, with its spaces, between signatures */
};

/* One sentence while a question ranks it. */
struct candidate {
    uint32_t unit;
    double score;
};

/* One question and the sentences it may be answered from. */
struct ranking {
    const struct extract *extract;
    const struct jobs_context *context;
    struct text question;
    struct candidate *list; /* [count], best first once ranked */
    uint32_t count;
};

static int compare_score(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->unit < b->unit ? -1 : a->unit > b->unit;
}

static int compare_hash(const void *left, const void *right, void *user)
{
    const struct extract *extract = user;
    const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    if (extract->hashes[a] != extract->hashes[b])
        return extract->hashes[a] < extract->hashes[b] ? -1 : 1;
    return a < b ? -1 : a > b;
}

static bool has_records(const struct documents *documents, uint32_t document)
{
    return documents->layouts && documents->layouts[document].has_records;
}

static struct sentence_reader read_sentences(const struct documents *documents,
                                             uint32_t document)
{
    return (struct sentence_reader){.text = documents->texts[document],
                                    .has_lines = has_records(documents, document)};
}

/* Whether a unit has enough words to say something, and is no heading. */
static bool is_statement(const struct extract *extract, uint32_t unit)
{
    if (extract->headings[unit] == unit)
        return false;
    const struct text text = extract->texts[unit];
    if (sentence_is_row(text) || sentence_is_signature(text) ||
        has_records(extract->documents, extract->units[unit].document))
        return true;
    uint32_t words = 0;
    bool inside = false;
    for (size_t i = 0; i < text.size && words < WORDS_MIN; i++) {
        const bool space = fold_is_space(text.data[i]);
        words += !space && !inside;
        inside = !space;
    }
    return words >= WORDS_MIN || text.size >= 60; /* scripts without spaces */
}

static uint32_t count_units(const struct documents *documents)
{
    uint32_t count = 0;
    size_t begin, size;
    for (uint32_t d = 0; d < documents->count; d++) {
        struct sentence_reader reader = read_sentences(documents, d);
        while (sentence_next(&reader, &begin, &size))
            count++;
    }
    return count;
}

/* What stands before a table, of units [first, end): its last sentence or column heads, and the
 * one before when both are short. */
static struct text lead_of(const struct extract *extract, uint32_t first, uint32_t end)
{
    const struct extract_unit *last = &extract->units[end - 1];
    const size_t stop = last->offset + last->size;
    size_t begin = last->offset;
    if (end - first > 1 && stop - last[-1].offset <= LEAD_BYTES_MAX)
        begin = last[-1].offset;
    if (stop - begin > LEAD_BYTES_MAX)
        begin = stop - LEAD_BYTES_MAX;
    return text_slice(extract->documents->texts[last->document], begin, stop);
}

/* Splits a document into units from `at` on; gives where the next one's begin. */
static uint32_t read_document(struct extract *extract, uint32_t document, uint32_t at)
{
    struct sentence_reader reader = read_sentences(extract->documents, document);
    const uint32_t first = at;
    uint32_t heading = UINT32_MAX;
    struct text lead = {0};
    bool was_row = false;
    for (size_t begin, size; sentence_next(&reader, &begin, &size); at++) {
        const struct text text = text_slice(reader.text, begin, begin + size);
        const bool is_row = sentence_is_row(text);
        extract->units[at] = (struct extract_unit){document, begin, size};
        extract->texts[at] = text;
        extract->hashes[at] = fold_hash(text);
        extract->by_hash[at] = at;
        if (!reader.has_lines && sentence_is_heading(text))
            heading = at;
        extract->headings[at] = heading;
        if (reader.has_lines) {
            extract->contexts[at] = lead; /* the first line, which names the columns */
            lead = at == first ? text_slice(text, 0, LEAD_BYTES_MAX) : lead;
            continue;
        }
        if (is_row && !was_row)
            lead = at > first ? lead_of(extract, first, at) : TEXT("");
        was_row = is_row;
        if (is_row)
            extract->contexts[at] = lead;
        else
            extract->contexts[at] = heading == UINT32_MAX ? TEXT("") : extract->texts[heading];
    }
    return at;
}

/* Where the last sentence before a signature is, and the last unit that is that or another
 * signature: the headings between it and this one name whom it stands for. */
struct signing {
    uint32_t clause, before;
};

/* Makes the context of a signature; the word `signed` need not stand in it. */
static enum status add_clause(struct extract *extract, uint32_t signature,
                              const struct signing *signing, struct arena *arena,
                              struct error *err)
{
    const struct extract_unit *unit = &extract->units[signature];
    struct text whom = {0};
    struct text_buf context = {0};
    text_buf_add(&context, TEXT("signed "));
    if (signing->clause != UINT32_MAX)
        fold_add(&context, text_slice(extract->texts[signing->clause], 0, LEAD_BYTES_MAX));
    if (signing->before != UINT32_MAX) {
        const struct extract_unit *last = &extract->units[signing->before];
        whom = text_slice(extract->documents->texts[unit->document], last->offset + last->size,
                          unit->offset);
    }
    text_buf_byte(&context, ' ');
    fold_add(&context, text_slice(whom, 0, WHOM_BYTES_MAX));
    extract->contexts[signature] = text_copy(text_buf_text(&context), arena);
    const bool failed = context.failed || !extract->contexts[signature].data;
    text_buf_deinit(&context);
    if (failed)
        FAIL(err, ERR_MEMORY, "extract: no room for a signature");
    return OK;
}

static enum status add_clauses(struct extract *extract, struct arena *arena, struct error *err)
{
    struct signing signing = {UINT32_MAX, UINT32_MAX};
    for (uint32_t i = 0; i < extract->unit_count; i++) {
        const uint32_t document = extract->units[i].document;
        if (i > 0 && document != extract->units[i - 1].document)
            signing = (struct signing){UINT32_MAX, UINT32_MAX};
        if (has_records(extract->documents, document) || sentence_is_row(extract->texts[i]))
            continue;
        if (sentence_is_signature(extract->texts[i]))
            TRY(add_clause(extract, i, &signing, arena, err));
        else if (extract->headings[i] != i)
            signing.clause = i;
        else
            continue;
        signing.before = i;
    }
    return OK;
}

enum status extract_init(struct extract *extract, const struct documents *documents,
                         struct arena *arena, struct error *err)
{
    const uint32_t count = count_units(documents);
    *extract = (struct extract){
        .documents = documents,
        .units = ARENA_NEW(arena, struct extract_unit, count),
        .texts = ARENA_NEW(arena, struct text, count),
        .headings = ARENA_NEW(arena, uint32_t, count),
        .contexts = ARENA_NEW(arena, struct text, count),
        .by_hash = ARENA_NEW(arena, uint32_t, count),
        .hashes = ARENA_NEW(arena, uint64_t, count),
        .unit_count = count,
    };
    if (!extract->units || !extract->texts || !extract->headings || !extract->contexts ||
        !extract->by_hash || !extract->hashes)
        FAIL(err, ERR_MEMORY, "extract: no room for %u sentences", count);
    uint32_t at = 0;
    for (uint32_t d = 0; d < documents->count; d++)
        at = read_document(extract, d, at);
    TRY(add_clauses(extract, arena, err));
    qsort_r(extract->by_hash, count, sizeof(*extract->by_hash), compare_hash, extract);
    return OK;
}

/* The first unit at or after (document, offset). */
static uint32_t find_unit(const struct extract *extract, uint32_t document, size_t offset)
{
    uint32_t low = 0, high = extract->unit_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const struct extract_unit *unit = &extract->units[middle];
        if (unit->document < document || (unit->document == document && unit->offset < offset))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The unit whose folded text is this one's; UINT32_MAX when there is none. */
static uint32_t find_text(const struct extract *extract, struct text text)
{
    const uint64_t hash = fold_hash(text);
    uint32_t low = 0, high = extract->unit_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (extract->hashes[extract->by_hash[middle]] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < extract->unit_count; low++) {
        const uint32_t unit = extract->by_hash[low];
        if (extract->hashes[unit] != hash)
            break;
        if (fold_equal(extract->texts[unit], text))
            return unit;
    }
    return UINT32_MAX;
}

/* Visits the units of a chunk: those that lie whole in its span, or, for a chunk that the
 * program put together, those that its own sentences spell. */
struct unit_reader {
    const struct extract *extract;
    struct sentence_reader sentences; /* of a made-up chunk */
    uint32_t next, document;
    size_t end;
    bool is_span;
};

static struct unit_reader read_units(const struct extract *extract, const struct dsl_job *job)
{
    struct unit_reader reader = {.extract = extract, .sentences = {.text = job->chunk}};
    if (job->document < 0 || (uint32_t)job->document >= extract->documents->count)
        return reader;
    reader.is_span = true;
    reader.document = (uint32_t)job->document;
    reader.end = job->offset + job->chunk.size;
    reader.next = find_unit(extract, reader.document, job->offset);
    return reader;
}

static bool next_unit(struct unit_reader *reader, uint32_t *unit)
{
    const struct extract *extract = reader->extract;
    if (reader->is_span) {
        *unit = reader->next++;
        return *unit < extract->unit_count &&
               extract->units[*unit].document == reader->document &&
               extract->units[*unit].offset + extract->units[*unit].size <= reader->end;
    }
    size_t begin, size;
    while (sentence_next(&reader->sentences, &begin, &size)) {
        *unit = find_text(extract, text_slice(reader->sentences.text, begin, begin + size));
        if (*unit != UINT32_MAX)
            return true;
    }
    return false;
}

/* Collects the units of all jobs with this task; marks[unit] says that it is in. Headings and
 * labels only when there is nothing else. */
static void collect(struct ranking *ranking, const struct extract_work *work, int32_t task_id,
                    uint8_t *marks, bool has_labels)
{
    memset(marks, 0, ranking->extract->unit_count);
    ranking->count = 0;
    for (uint32_t i = 0; i < work->count; i++) {
        if (work->jobs[i].task_id != task_id)
            continue;
        struct unit_reader reader = read_units(ranking->extract, &work->jobs[i]);
        uint32_t unit;
        while (next_unit(&reader, &unit)) {
            if (marks[unit] || (!has_labels && !is_statement(ranking->extract, unit)))
                continue;
            marks[unit] = 1;
            ranking->list[ranking->count++] = (struct candidate){.unit = unit};
        }
    }
}

/* Scores the list by BM25+, as a share of the best, and by form; sorts it. */
static enum status rank_by_words(struct ranking *ranking, struct error *err)
{
    struct arena *arena = ranking->context->arena;
    struct bm25_passage *passages = ARENA_NEW(arena, struct bm25_passage, ranking->count);
    double *scores = ARENA_NEW(arena, double, ranking->count);
    if (!passages || !scores)
        FAIL(err, ERR_MEMORY, "extract: no room for %u sentences", ranking->count);
    for (uint32_t i = 0; i < ranking->count; i++) {
        const uint32_t unit = ranking->list[i].unit;
        passages[i] = (struct bm25_passage){ranking->extract->texts[unit],
                                            ranking->extract->contexts[unit]};
    }
    bm25_rank(&bm25_default, passages, ranking->count, ranking->question, scores);
    const enum question_kind kind = question_kind(ranking->question);
    double most = 0;
    for (uint32_t i = 0; i < ranking->count; i++)
        most = scores[i] > most ? scores[i] : most;
    for (uint32_t i = 0; i < ranking->count; i++)
        ranking->list[i].score =
            (most > 0 ? scores[i] / most : 0) +
            FIT_BONUS[kind][question_fit(kind, ranking->question, passages[i].text)];
    qsort(ranking->list, ranking->count, sizeof(*ranking->list), compare_score);
    return OK;
}

/* Adds the model's scores, standardized over the candidates, to those by words. */
static void add_model_scores(struct ranking *ranking, const struct worker_job *jobs,
                             uint32_t count)
{
    double sum = 0, squares = 0;
    uint32_t scored = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (jobs[i].is_failed)
            continue;
        sum += jobs[i].score;
        squares += jobs[i].score * jobs[i].score;
        scored++;
    }
    if (scored == 0)
        return;
    const double mean = sum / scored;
    const double spread = sqrt(fmax(squares / scored - mean * mean, 1e-9));
    for (uint32_t i = 0; i < count; i++)
        if (!jobs[i].is_failed)
            ranking->list[i].score += EXTRACT_MODEL_WEIGHT * (jobs[i].score - mean) / spread;
    qsort(ranking->list, count, sizeof(*ranking->list), compare_score);
}

/* Asks the model how well each of the best sentences announces the question. */
static enum status rank_by_model(struct ranking *ranking, struct error *err)
{
    struct arena *arena = ranking->context->arena;
    const uint32_t count =
        ranking->count < EXTRACT_CANDIDATES ? ranking->count : EXTRACT_CANDIDATES;
    struct worker_job *jobs = ARENA_NEW(arena, struct worker_job, count);
    struct text_buf words = {0};
    text_buf_format(&words, " %.*s", TEXT_ARG(ranking->question));
    const struct text target = text_copy(text_buf_text(&words), arena);
    bool failed = !jobs || !target.data;
    for (uint32_t i = 0; i < count && !failed; i++) {
        text_buf_clear(&words);
        prompts_score(&words, ranking->extract->texts[ranking->list[i].unit]);
        jobs[i] = (struct worker_job){.kind = WORKER_SCORE,
                                      .prompt = text_copy(text_buf_text(&words), arena),
                                      .target = target};
        failed = words.failed || !jobs[i].prompt.data;
    }
    text_buf_deinit(&words);
    if (failed)
        FAIL(err, ERR_MEMORY, "extract: no room to score %u sentences", count);
    TRY(jobs_run(ranking->context, jobs, count, err));
    add_model_scores(ranking, jobs, count);
    return OK;
}

/* The job's outcome: the best of its chunk's sentences among the task's best, else none. */
static void give_outcome(const struct ranking *ranking, const struct dsl_job *job,
                         const uint32_t *places, struct jobs_outcome *outcome)
{
    struct unit_reader reader = read_units(ranking->extract, job);
    uint32_t unit, best = EXTRACT_HITS_MAX;
    while (next_unit(&reader, &unit))
        if (places[unit] < best)
            best = places[unit];
    *outcome = (struct jobs_outcome){.output.kind = JOB_OUTPUT_NONE};
    if (best >= ranking->count || best >= EXTRACT_HITS_MAX)
        return;
    const struct candidate *hit = &ranking->list[best];
    const struct text quoted = ranking->extract->texts[hit->unit];
    size_t offset = 0, size = 0;
    if (!fold_find(job->chunk, quoted, &offset, &size))
        return;
    outcome->score = hit->score;
    outcome->output = (struct job_output){
        .kind = JOB_OUTPUT_ANSWER,
        .citation = text_slice(job->chunk, offset, offset + size),
        .citation_offset = offset,
        .answer = quoted,
    };
}

/* Puts a unit among the hits, which stay sorted, when it is good enough. */
static void add_hit(struct extract_work *work, struct extract_hit hit)
{
    uint32_t at = work->hit_count;
    if (at == EXTRACT_HITS_MAX && work->hits[at - 1].score >= hit.score)
        return;
    if (at == EXTRACT_HITS_MAX)
        at--;
    else
        work->hit_count++;
    for (; at > 0 && work->hits[at - 1].score < hit.score; at--)
        work->hits[at] = work->hits[at - 1];
    work->hits[at] = hit;
}

/* Answers one task in all the jobs that have it; best[unit] keeps a unit's best score. */
static enum status run_task(struct ranking *ranking, struct extract_work *work, uint32_t first,
                            double *best, struct error *err)
{
    const struct extract *extract = ranking->extract;
    const int32_t task_id = work->jobs[first].task_id;
    struct arena *arena = ranking->context->arena;
    uint8_t *marks = ARENA_NEW(arena, uint8_t, extract->unit_count);
    uint32_t *places = ARENA_NEW(arena, uint32_t, extract->unit_count);
    ranking->list = ARENA_NEW(arena, struct candidate, extract->unit_count);
    if (!marks || !places || !ranking->list)
        FAIL(err, ERR_MEMORY, "extract: no room for %u sentences", extract->unit_count);
    ranking->question = work->jobs[first].task;
    collect(ranking, work, task_id, marks, false);
    if (ranking->count == 0)
        collect(ranking, work, task_id, marks, true);
    TRY(rank_by_words(ranking, err));
    TRY(rank_by_model(ranking, err));
    for (uint32_t i = 0; i < extract->unit_count; i++)
        places[i] = UINT32_MAX;
    for (uint32_t i = 0; i < ranking->count; i++) {
        const struct candidate *candidate = &ranking->list[i];
        places[candidate->unit] = i;
        if (candidate->score > best[candidate->unit])
            best[candidate->unit] = candidate->score;
    }
    for (uint32_t i = first; i < work->count; i++)
        if (work->jobs[i].task_id == task_id)
            give_outcome(ranking, &work->jobs[i], places, &work->outcomes[i]);
    return OK;
}

struct text extract_clause(const struct extract *extract, uint32_t document, size_t offset)
{
    const uint32_t unit = find_unit(extract, document, offset);
    if (unit == extract->unit_count || !sentence_is_signature(extract->texts[unit]))
        return TEXT("");
    return extract->contexts[unit];
}

enum status extract_run(const struct extract *extract, const struct jobs_context *context,
                        struct extract_work *work, struct error *err)
{
    struct ranking ranking = {.extract = extract, .context = context};
    double *best = ARENA_NEW(context->arena, double, extract->unit_count);
    if (!best)
        FAIL(err, ERR_MEMORY, "extract: no room for %u sentences", extract->unit_count);
    for (uint32_t i = 0; i < extract->unit_count; i++)
        best[i] = -HUGE_VAL;
    for (uint32_t first = 0; first < work->count; first++) {
        bool is_new = true;
        for (uint32_t i = 0; i < first && is_new; i++)
            is_new = work->jobs[i].task_id != work->jobs[first].task_id;
        if (is_new)
            TRY(run_task(&ranking, work, first, best, err));
    }
    work->hit_count = 0;
    for (uint32_t i = 0; i < extract->unit_count; i++)
        if (best[i] > -HUGE_VAL)
            add_hit(work, (struct extract_hit){extract->units[i], best[i]});
    return OK;
}
