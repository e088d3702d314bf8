/* step - see step.h. What comes out of a step (text, events, ends) is in step_output.c. */
#include "engine/step.h"

#include "base/clock.h"
#include "engine/step_draft.h"
#include "engine/step_output.h"
#include "engine/step_sample.h"
#include "engine/step_shape.h"
#include "engine/step_view.h"

#include <assert.h>
#include <string.h>

#ifdef COHORT_HARD
enum { PREEMPT_EACH_TURN = 1 };
#else
enum { PREEMPT_EACH_TURN = 0 };
#endif

enum { OUTPUT_EXPECTED_FIRST = 128 };

static kv_page *table_of(const struct step *step, int32_t slot)
{
    return step->tables + (size_t)slot * step->table_pages;
}

static uint32_t slots_unpromised(const struct step *step)
{
    uint32_t promised = 0; /* to forks of those that still compute their prompt */
    for (uint32_t i = 0; i < step->running_count; i++)
        promised += step->running[i]->forks;
    return step->slots_free_count - promised;
}

/* Admits the sequence with as many of its fellow samples as there are slots; the others wait
 * on as a group of their own. */
static void admit(struct step *step, struct seq *seq)
{
    waiting_admit(&step->waiting, seq);
    const uint32_t slots = slots_unpromised(step);
    if (seq->forks >= slots) {
        struct seq *rest = seq + slots;
        rest->forks = seq->forks - slots;
        seq->forks = slots - 1;
        waiting_add(&step->waiting, rest);
    }
    const int32_t slot = step->slots_free[--step->slots_free_count];
    seq_admit(seq, &step->prefix, slot, table_of(step, slot), step->running_count);
    const uint32_t at = step->running_count++;
    step->running[at] = seq;
    step->index_of_slot[slot] = (int32_t)at;
    step->views[at] = step_view_seq(step, seq);
}

/* Takes the places of those that ended out of the list; order is kept. */
static void compact(struct step *step)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < step->running_count; i++) {
        if (!step->running[i])
            continue;
        step->index_of_slot[step->running[i]->slot] = (int32_t)kept;
        step->running[kept++] = step->running[i];
    }
    step->running_count = kept;
}

static void preempt(struct step *step, uint32_t index)
{
    struct seq *seq = step->running[index];
    assert(step->drawn_count == 0);
    step->slots_free[step->slots_free_count++] = seq->slot;
    seq_release(seq, &step->prefix);
    seq_forget(seq);
    step->running[index] = NULL;
    compact(step);
    waiting_add(&step->waiting, seq);
    step->stats.preemptions++;
    step_view_all(step);
}

/* The device is of no more use: submit takes no more from now on. */
static void note_failure(struct step *step, const struct error *err)
{
    pthread_mutex_lock(&step->stats_lock);
    step->failure = *err;
    pthread_mutex_unlock(&step->stats_lock);
}

/* Waiting sequences cannot be served by a device that has failed. */
static void fail_waiting(struct step *step)
{
    while (step->waiting.eldest) {
        struct seq *seq = step->waiting.eldest;
        waiting_remove(&step->waiting, seq);
        step_output_end(step, seq, ENGINE_FAILED);
    }
}

/* What runs has failed; what the device has written is not known. The sentence is there before
 * the first job ends: whoever sees that it has may ask at once whose fault it was. */
static void fail_running(struct step *step, enum status status, const struct error *err)
{
    if (status == ERR_DEVICE)
        note_failure(step, err);
    step->drawn_count = 0;
    for (uint32_t i = 0; i < step->running_count; i++)
        step_output_end(step, step->running[i], ENGINE_FAILED);
    compact(step);
    kv_prefix_clear(&step->prefix);
    if (status == ERR_DEVICE)
        fail_waiting(step);
}

/* The token of the sequence's own row, and those of its guesses as long as they were right:
 * then each row has computed what the next token was drawn from. */
static void take_tokens(struct step *step, struct seq *seq, const struct step_result *first,
                        uint32_t count)
{
    struct step_result result = *first;
    const uint32_t drafted = seq->draft_count, end = seq->ready;
    seq->draft_planned = seq->draft_count = 0;
    step->stats.drafted_tokens += drafted;
    for (uint32_t i = 0; i < count; i++) {
        const bool is_right = i < drafted && seq->drafted[i] == result.sample->token;
        seq->ready = end - count + i + 1; /* of the rows, those that have had the right token */
        step->stats.accepted_tokens += i > 0;
        if (!is_right || i + 1 == drafted)
            step_draft_learn(seq, drafted, i + is_right, result.sample->token);
        if (!step_output_token(step, seq, &result) || !is_right)
            return;
        step_output_next(&result, 1);
    }
}

/* Takes in what is on its way from the device, if anything is: tokens, text, events, ends. */
static void settle(struct step *step)
{
    struct error err;
    struct step_result result = {.sample = step->results};
    const uint32_t count = step->drawn_count;
    if (count == 0)
        return;
    const double start = clock_now_s();
    const struct step_device *device = &step->options.device;
    const enum status status = device->results(device->context, step->results, &err);
    step->run_s += clock_now_s() - start;
    if (status != OK) {
        fail_running(step, status, &err);
        return;
    }
    step->drawn_count = 0;
    result.tops = device->tops ? device->tops(device->context) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        struct seq *seq = step->drawn[i].seq;
        const uint32_t results = step->drawn[i].count;
        seq->result = SEQ_NO_RESULT;
        if (seq->job->ask.kind == ENGINE_SCORE)
            step_output_scores(step, seq, &result, results);
        else
            take_tokens(step, seq, &result, results);
        step_output_next(&result, results);
    }
    compact(step);
}

/* Asks and applies until there is a step to run. False: there is none, as things are known. */
static bool decide(struct step *step, struct sched_decision *decision)
{
    step_view_all(step);
    step->preempted = false;
    for (;;) {
        struct seq *next = waiting_next(&step->waiting, step->running, step->running_count);
        const struct sched_state state = {
            .limits = step->options.limits,
            .seqs = step->views,
            .seq_count = step->running_count,
            .slots_free = slots_unpromised(step),
            .pages_available = kv_prefix_available(&step->prefix),
            .waiting = step_view_waiting(step, next),
            .preempt_one = PREEMPT_EACH_TURN && !step->preempted,
        };
        sched_decide(&state, decision);
        if (decision->kind == SCHED_DO_PREEMPT && step->drawn_count > 0) {
            settle(step); /* the victim takes all its tokens with it; perhaps pages are there */
            step_view_all(step);
            continue;
        }
        if (decision->kind == SCHED_DO_PREEMPT)
            preempt(step, decision->victim);
        else if (decision->kind == SCHED_DO_ADMIT)
            admit(step, next);
        else
            return decision->kind == SCHED_DO_RUN;
        step->preempted = true;
    }
}

static void add_rows(struct step *step, uint32_t index)
{
    struct seq *seq = step->running[index];
    const struct sched_rows rows = step->rows[index];
    struct batch_build *build = &step->build;
    struct seq_copy copy;
    if (seq_part(seq, &step->prefix) == SEQ_PART_NOW) {
        copy = seq_part_copy(seq);
        batch_build_copy(build, copy.from, copy.to);
    }
    const bool room = seq_make_room(seq, &step->prefix, &copy);
    assert(room); /* sched_decide counted */
    if (copy.from != KV_PREFIX_NONE)
        batch_build_copy(build, copy.from, copy.to);

    const int32_t row = build->row_count;
    token_id *tokens =
        batch_build_rows(build, seq->pages, (int32_t)rows.first, (int32_t)rows.count);
    seq_tokens(seq, rows.first, rows.count, tokens);
    const uint32_t heads_from = seq_heads_from(seq);
    const uint32_t first = rows.first > heads_from ? rows.first : heads_from;
    if (rows.first + rows.count > seq_total(seq))
        seq->draft_count = rows.first + rows.count - seq_total(seq);
    seq->head_first = first;
    seq->head_count = 0;
    for (uint32_t p = first; p < rows.first + rows.count; p++) {
        const int32_t head = batch_build_head(build, row + (int32_t)(p - rows.first));
        if (seq->head_count++ == 0)
            seq->head_row = head;
    }
}

static void build_rows(struct step *step, struct batch *batch)
{
    batch_build_begin(&step->build);
    for (uint32_t i = 0; i < step->running_count; i++)
        if (step->rows[i].count > 0)
            add_rows(step, i);
    batch_build_end(&step->build, batch);
}

static void count_prompt(struct step *step, struct seq *seq, struct sched_rows rows)
{
    const uint32_t prompt = seq->job->ask.prompt_tokens;
    const uint32_t end = rows.first + rows.count;
    const uint32_t in_prompt = (end < prompt ? end : prompt) - rows.first;
    if (rows.first >= prompt)
        return;
    seq->job->computed_tokens += in_prompt;
    step->stats.computed_prompt_tokens += in_prompt;
}

/* The prompt is computed: each fork gets the leader's pages and its own place. */
static void split_forks(struct step *step, struct seq *leader)
{
    for (; leader->forks > 0; leader->forks--) {
        struct seq *fork = leader + leader->forks;
        const int32_t slot = step->slots_free[--step->slots_free_count];
        seq_fork(fork, leader, &step->prefix, slot, table_of(step, slot));
        step->index_of_slot[slot] = (int32_t)step->running_count;
        step->running[step->running_count++] = fork;
    }
}

/* The device has these rows: whatever is given to it from now on finds them computed. */
static void take_computed(struct step *step, uint32_t index)
{
    struct seq *seq = step->running[index];
    const struct sched_rows rows = step->rows[index];
    seq_catch_up(seq, &step->prefix);
    assert(seq->ready == rows.first);
    seq_computed(seq, &step->prefix, rows.first + rows.count);
    seq_part_done(seq, &step->prefix);
    count_prompt(step, seq, rows);
    if (seq->head_count > 0 && seq->job->ask.kind == ENGINE_GENERATE)
        split_forks(step, seq);
}

/* Gives the device the rows of the step. False: it has failed. */
static bool run_rows(struct step *step, struct batch *batch)
{
    struct error err;
    const struct step_device *device = &step->options.device;
    build_rows(step, batch);
    const double start = clock_now_s();
    const enum status status = device->rows(device->context, batch, &err);
    step->run_s += clock_now_s() - start;
    step->stats.steps++;
    if (status != OK) {
        fail_running(step, status, &err);
        return false;
    }
    const uint32_t count = step->running_count; /* forks come after */
    for (uint32_t i = 0; i < count; i++)
        if (step->rows[i].count > 0)
            take_computed(step, i);
    return true;
}

static bool is_embedding(const struct seq *seq)
{
    return seq->job->ask.kind == ENGINE_EMBED && seq->head_count > 0;
}

/* Pools the hidden states of jobs that embed: on the host, position by position in double, so
 * that the sums do not depend on how a prompt is cut. The device must have them ready by then:
 * a step with such a job is waited for. False: it has failed. */
static bool embed(struct step *step)
{
    struct error err;
    const float *hidden = NULL;
    const struct step_device *device = &step->options.device;
    for (uint32_t i = 0; i < step->running_count; i++) {
        struct seq *seq = step->running[i];
        if (!is_embedding(seq))
            continue;
        const enum status status = hidden ? OK : device->hidden(device->context, &hidden, &err);
        if (status != OK) {
            fail_running(step, status, &err);
            return false;
        }
        const size_t size = seq->job->vector_size;
        for (uint32_t head = 0; head < seq->head_count; head++)
            seq_embed_add(seq, hidden + ((size_t)seq->head_row + head) * size);
        seq->head_count = 0;
        if (seq_is_ending(seq))
            step_output_end(step, seq, seq_embed_end(seq) ? ENGINE_STOP : ENGINE_FAILED);
    }
    compact(step);
    return true;
}

/* Draws from the logits of those that still run; results come with the next settle. */
static void draw(struct step *step, struct batch *batch)
{
    struct error err;
    const struct step_device *device = &step->options.device;
    assert(step->drawn_count == 0);
    int32_t result = 0;
    if (!embed(step))
        return;
    step_shape_begin(step);
    for (uint32_t i = 0; i < step->running_count; i++) {
        struct seq *seq = step->running[i];
        const uint32_t count = seq->head_count;
        if (count == 0)
            continue;
        for (uint32_t head = 0; head < count; head++)
            step_sample_add(step, seq, head);
        step->drawn[step->drawn_count++] = (struct step_drawn){seq, count};
        if (seq->job->ask.kind == ENGINE_GENERATE)
            seq->result = result;
        seq->head_count = 0;
        result += (int32_t)count;
    }
    if (step->drawn_count == 0)
        return;
    batch_build_samples(&step->build, batch);
    const double start = clock_now_s();
    const enum status status = device->samples(device->context, batch, &err);
    step->run_s += clock_now_s() - start;
    if (status != OK)
        fail_running(step, status, &err);
}

static void count_time(struct step *step, const struct sched_decision *decision)
{
    step->stats.busy_s += step->run_s;
    if (2 * decision->decode_rows >= decision->rows_total)
        step->stats.decode_s += step->run_s;
    else
        step->stats.prefill_s += step->run_s;
    step->run_s = 0;
}

/* Whose jobs are to end: those of an id, or those whose deadline is not after now. */
struct ending {
    uint64_t job_id;            /* 0: of any */
    const struct queue *outbox; /* whose events go there; NULL: whose deadline has passed */
    double now_s;
    enum engine_finish finish;
};

static bool is_meant(const struct ending *ending, const struct seq *seq)
{
    const struct seq_job *job = seq->job;
    if (ending->outbox)
        return job->outbox == ending->outbox;
    return ending->job_id > 0 ? job->id == ending->job_id
                              : job->deadline_s > 0 && job->deadline_s <= ending->now_s;
}

static void end_those(struct step *step, const struct ending *ending)
{
    struct seq *after;
    settle(step);
    for (struct seq *seq = step->waiting.eldest; seq; seq = after) {
        after = seq->line_after;
        if (!is_meant(ending, seq))
            continue;
        waiting_remove(&step->waiting, seq);
        step_output_end(step, seq, ending->finish);
    }
    for (uint32_t i = 0; i < step->running_count; i++)
        if (is_meant(ending, step->running[i]))
            step_output_end(step, step->running[i], ending->finish);
    compact(step);
}

static double now_s(const struct step *step)
{
    return step->options.now_s ? step->options.now_s() : clock_now_s();
}

static void note_deadline(struct step *step, const struct seq *seq)
{
    const double deadline = seq->job->deadline_s;
    if (deadline > 0 && (step->next_deadline_s <= 0 || deadline < step->next_deadline_s))
        step->next_deadline_s = deadline;
}

/* Ends what is past its deadline, and finds out when to look again. */
static void end_late(struct step *step)
{
    if (step->next_deadline_s <= 0 || now_s(step) < step->next_deadline_s)
        return;
    end_those(step, &(struct ending){.now_s = now_s(step), .finish = ENGINE_DEADLINE});
    step->next_deadline_s = 0;
    for (const struct seq *seq = step->waiting.eldest; seq; seq = seq->line_after)
        note_deadline(step, seq);
    for (uint32_t i = 0; i < step->running_count; i++)
        note_deadline(step, step->running[i]);
}

enum status step_init(struct step *step, const struct step_options *options,
                      struct arena *arena, struct error *err)
{
    const uint32_t sequences = options->sequences_max;
    const uint32_t samples = options->limits.heads_max + sequences;
    const struct batch_build_limits build = {
        .rows_max = (int32_t)options->limits.rows_max,
        .heads_max = (int32_t)options->limits.heads_max,
        .partials_max = (int32_t)options->limits.partials_max,
        .split = (int32_t)options->limits.split,
        .samples_max = (int32_t)samples,
        .copies_max = (int32_t)sequences * 2,
        .page_count = (int32_t)options->page_count,
        .spans_max = (int32_t)sequences,
    };
    *step = (struct step){.options = *options, .output_expected = OUTPUT_EXPECTED_FIRST};
    TRY(kv_pool_init(&step->pool, options->page_count, arena, err));
    TRY(kv_prefix_init(&step->prefix, &step->pool, arena, err));
    TRY(waiting_init(&step->waiting, options->jobs_max + sequences, options->tokens_max, arena,
                     err));
    TRY(batch_build_init(&step->build, &build, arena, err));
    step->table_pages = options->tokens_max / KV_PAGE_TOKENS + 1;
    step->running = ARENA_NEW(arena, struct seq *, sequences);
    step->slots_free = ARENA_NEW(arena, int32_t, sequences);
    step->index_of_slot = ARENA_NEW(arena, int32_t, sequences);
    step->tables = ARENA_NEW(arena, kv_page, (sequences + (size_t)1) * step->table_pages);
    step->views = ARENA_NEW(arena, struct sched_seq, sequences);
    step->rows = ARENA_NEW(arena, struct sched_rows, sequences);
    step->drawn = ARENA_NEW(arena, struct step_drawn, sequences);
    step->results = ARENA_NEW(arena, struct sample_result, samples);
    if (!step->running || !step->slots_free || !step->index_of_slot || !step->tables ||
        !step->views || !step->rows || !step->drawn || !step->results)
        FAIL(err, ERR_MEMORY, "step of %u sequences: the arena is full", sequences);
    for (uint32_t i = 0; i < sequences; i++)
        step->slots_free[i] = (int32_t)(sequences - 1 - i);
    step->slots_free_count = sequences;
    if (pthread_mutex_init(&step->stats_lock, NULL) != 0)
        FAIL(err, ERR_MEMORY, "step: no lock can be made");
    step->has_lock = true;
    step_show_stats(step);
    return step_output_init(step, err);
}

void step_deinit(struct step *step)
{
    text_buf_deinit(&step->decoded);
    text_buf_deinit(&step->shown);
    if (step->has_lock)
        pthread_mutex_destroy(&step->stats_lock);
    step->has_lock = false;
}

void step_submit(struct step *step, struct seq_job *job)
{
    struct seq *leader = &job->seqs[0];
    leader->forks = job->ask.sample_count - 1;
    for (uint32_t i = 0; i < job->ask.sample_count; i++)
        step_shape_start(step, &job->seqs[i]);
    step->stats.prompt_tokens += job->ask.prompt_tokens;
    if (job->ask.deadline_ms > 0)
        job->deadline_s = now_s(step) + job->ask.deadline_ms * 1e-3;
    note_deadline(step, leader);
    if (step->failure.status == OK)
        waiting_add(&step->waiting, leader);
    else
        step_output_end(step, leader, ENGINE_FAILED);
}

void step_cancel(struct step *step, uint64_t job_id)
{
    end_those(step, &(struct ending){.job_id = job_id, .finish = ENGINE_CANCELLED});
}

void step_cancel_outbox(struct step *step, const struct queue *outbox)
{
    end_those(step, &(struct ending){.outbox = outbox, .finish = ENGINE_CANCELLED});
}

void step_cancel_all(struct step *step)
{
    while (step->waiting.eldest)
        step_cancel(step, step->waiting.eldest->job->id);
    while (step->running_count > 0)
        step_cancel(step, step->running[0]->job->id);
}

bool step_turn(struct step *step)
{
    struct sched_decision decision = {.rows = step->rows};
    struct batch batch;
    end_late(step);
    if (decide(step, &decision)) {
        if (run_rows(step, &batch)) {
            settle(step);
            draw(step, &batch);
        }
    } else if (step->drawn_count == 0) {
        return false;
    }
    if (!step->options.device.is_ahead || decision.kind != SCHED_DO_RUN)
        settle(step);
    count_time(step, &decision);
    step_show_stats(step);
    return true;
}

void step_stats(struct step *step, struct engine_stats *stats)
{
    pthread_mutex_lock(&step->stats_lock);
    *stats = step->shown_stats;
    pthread_mutex_unlock(&step->stats_lock);
}

enum status step_failure(struct step *step, struct error *err)
{
    pthread_mutex_lock(&step->stats_lock);
    const struct error failure = step->failure;
    pthread_mutex_unlock(&step->stats_lock);
    if (failure.status != OK && err)
        *err = failure;
    return failure.status;
}

void step_show_stats(struct step *step)
{
    struct engine_stats *stats = &step->stats;
    stats->kv_pages_free = kv_prefix_available(&step->prefix);
    stats->jobs_waiting = step->waiting.count;
    stats->sequences_running = step->options.sequences_max - step->slots_free_count;
    pthread_mutex_lock(&step->stats_lock);
    step->shown_stats = *stats;
    pthread_mutex_unlock(&step->stats_lock);
}

void step_check(const struct step *step)
{
    kv_pool_check(&step->pool);
    kv_prefix_check(&step->prefix);
    waiting_check(&step->waiting);
    assert(step->running_count + step->slots_free_count == step->options.sequences_max);
    for (uint32_t i = 0; i < step->running_count; i++) {
        const struct seq *seq = step->running[i];
        assert(seq->slot != KV_PREFIX_NONE);
        assert(seq->ready <= seq_total(seq) + seq->draft_count);
        assert(seq->page_count <= step->table_pages);
        for (uint32_t p = 0; p < seq->ready / KV_PAGE_TOKENS; p++)
            assert(!kv_prefix_has(&step->prefix, seq->pages[p]) ||
                   kv_prefix_filled(&step->prefix, seq->pages[p]) == KV_PAGE_TOKENS);
    }
}
