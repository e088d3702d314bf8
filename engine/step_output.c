/* step_output - see step_output.h. */
#include "engine/step_output.h"

#include "engine/step_shape.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_ROOM = 1 << 16 };

static bool reserve(struct text_buf *buf)
{
    for (int i = 0; i < TEXT_ROOM / 16; i++)
        text_buf_add(buf, TEXT("                "));
    const bool reserved = !buf->failed;
    text_buf_clear(buf);
    return reserved;
}

static struct step_event event_of(const struct seq *seq, enum engine_event_kind kind)
{
    return (struct step_event){.event = {.kind = kind,
                                         .job_id = seq->job->id,
                                         .tag = seq->job->ask.tag,
                                         .sample = seq->sample,
                                         .token = TOKEN_NONE}};
}

static void send(struct step *step, const struct seq *seq, const struct step_event *event)
{
    struct queue *outbox = seq->job->outbox ? seq->job->outbox : step->options.outbox;
    /* A closed outbox means that nobody listens any more, nor takes the job. */
    if (!queue_push(outbox, event, QUEUE_FOREVER))
        seq_job_free(event->job);
}

/* Bytes of text's beginning that fill an event without cutting a character. */
static size_t whole_characters(struct text text)
{
    if (text.size <= STEP_EVENT_TEXT)
        return text.size;
    size_t end = STEP_EVENT_TEXT;
    while (end > STEP_EVENT_TEXT - 4 && ((unsigned char)text.data[end] & 0xc0) == 0x80)
        end--;
    return end;
}

/* The best tokens that the job asked for. */
static void tell_tops(struct step_event *event, const struct seq *seq,
                      const struct sample_top *tops)
{
    const uint32_t count = seq->job->ask.top_count;
    static_assert((int)ENGINE_TOPS_MAX == (int)SAMPLE_TOP_MAX, "an event has room for a row's");
    if (!tops || count == 0)
        return;
    event->event.top_count = count;
    for (uint32_t i = 0; i < count; i++)
        event->tops[i] = (struct engine_top){tops[i].token, tops[i].logprob};
}

/* Sends text as events, the first of which carries the token; result NULL: none does. */
static void send_text(struct step *step, const struct seq *seq,
                      const struct step_result *result, struct text text)
{
    struct step_event event = event_of(seq, ENGINE_TOKEN);
    if (result) {
        event.event.token = result->sample->token;
        event.event.logprob = result->sample->logprob;
        tell_tops(&event, seq, result->tops);
    }
    do {
        const size_t size = whole_characters(text);
        memcpy(event.bytes, text.data, size);
        event.byte_count = (uint32_t)size;
        send(step, seq, &event);
        event.event.token = TOKEN_NONE;
        event.event.logprob = 0;
        event.event.top_count = 0;
        text = text_slice(text, size, text.size);
    } while (text.size > 0);
}

static void send_held_back(struct step *step, struct seq *seq)
{
    text_buf_clear(&step->decoded);
    text_buf_clear(&step->shown);
    tokenizer_stream_end(&seq->stream, &step->decoded);
    if (!stop_feed(&seq->job->stops, &seq->stop, text_buf_text(&step->decoded), &step->shown))
        stop_flush(&seq->job->stops, &seq->stop, &step->shown);
    const struct text text = text_buf_text(&step->shown);
    if (text.size > 0)
        send_text(step, seq, NULL, text);
}

/* Sends the token's text. True: a stop string ends it. */
static bool show_token(struct step *step, struct seq *seq, const struct step_result *result)
{
    text_buf_clear(&step->decoded);
    text_buf_clear(&step->shown);
    bool stopped = false;
    if (step->options.tokenizer) {
        tokenizer_stream_add(&seq->stream, step->options.tokenizer, result->sample->token,
                             &step->decoded);
        stopped = stop_feed(&seq->job->stops, &seq->stop, text_buf_text(&step->decoded),
                            &step->shown);
    }
    struct text text = text_buf_text(&step->shown);
    if (!text.data)
        text = TEXT("");
    send_text(step, seq, result, text);
    return stopped;
}

static void send_done(struct step *step, struct seq *seq, enum engine_finish finish)
{
    struct seq_job *job = seq->job;
    struct step_event event = event_of(seq, ENGINE_DONE);
    const uint32_t prompt = job->ask.prompt_tokens;
    event.event.finish = finish;
    event.event.samples_left = --job->samples_left;
    event.event.prompt_tokens = prompt;
    event.event.cached_tokens =
        job->computed_tokens < prompt ? prompt - job->computed_tokens : 0;
    event.event.output_tokens = seq->output_count;
    event.event.score = seq->score;
    event.event.stop_string = stop_string(&job->stops, &seq->stop);
    if (finish == ENGINE_STOP && job->vector_size > 0) {
        event.event.vector = job->vector;
        event.event.vector_size = job->vector_size;
    }
    if (job->samples_left == 0) {
        event.job = job;
        step->stats.jobs_done++;
    }
    step->stats.cancelled += finish == ENGINE_CANCELLED;
    step_show_stats(step);
    send(step, seq, &event);
}

void step_output_next(struct step_result *result, uint32_t count)
{
    result->sample += count;
    if (result->tops)
        result->tops += (size_t)count * SAMPLE_TOP_MAX;
}

enum status step_output_init(struct step *step, struct error *err)
{
    if (!reserve(&step->decoded) || !reserve(&step->shown))
        FAIL(err, ERR_MEMORY, "no room for %d bytes of text", TEXT_ROOM);
    return OK;
}

void step_output_end(struct step *step, struct seq *seq, enum engine_finish finish)
{
    if (seq->slot != KV_PREFIX_NONE) {
        step->running[step->index_of_slot[seq->slot]] = NULL;
        step->slots_free[step->slots_free_count++] = seq->slot;
        seq_release(seq, &step->prefix);
    }
    const bool is_text = seq->job->ask.kind == ENGINE_GENERATE;
    if (is_text && (finish == ENGINE_STOP || finish == ENGINE_LENGTH)) {
        const uint32_t expected = 7 * step->output_expected + seq->output_count;
        step->output_expected = (expected + 7) / 8;
    }
    if (finish == ENGINE_DEADLINE && seq->output_count > 0)
        send_held_back(step, seq);
    const uint32_t forks = seq->forks; /* seq's memory may go with its last event */
    for (uint32_t i = 0; i <= forks; i++)
        send_done(step, seq + i, finish);
}

bool step_output_token(struct step *step, struct seq *seq, const struct step_result *result)
{
    const token_id token = result->sample->token;
    const struct engine_job *ask = &seq->job->ask;
    const struct step_options *options = &step->options;
    if (token == TOKEN_NONE) {
        const bool stuck = step_shape_is_stuck(step, seq);
        if (stuck)
            send_held_back(step, seq);
        step_output_end(step, seq, stuck ? ENGINE_LENGTH : ENGINE_FAILED);
        return false;
    }
    if (!ask->ignore_end && options->tokenizer && tokenizer_is_end(options->tokenizer, token)) {
        send_held_back(step, seq);
        step_output_end(step, seq, ENGINE_STOP);
        return false;
    }
    seq->outputs[seq->output_count++] = token;
    step->stats.output_tokens++;
    seen_add(&seq->seen, token);
    if (options->has_drafts) {
        const struct draft_text text = seq_draft_text(seq);
        draft_follow(&seq->draft, &text);
    }
    step_shape_advance(step, seq, token);
    if (show_token(step, seq, result)) {
        step_output_end(step, seq, ENGINE_STOP);
        return false;
    }
    const bool over = step_shape_is_over(seq);
    if (!over && seq->output_count < seq->job->output_max)
        return true;
    send_held_back(step, seq);
    step_output_end(step, seq, over ? ENGINE_STOP : ENGINE_LENGTH);
    return false;
}

/* A target once told is not told again, where it is computed again after a preemption. */
static void tell_score(struct step *step, struct seq *seq, const struct step_result *result)
{
    const struct engine_job *ask = &seq->job->ask;
    struct step_event event = event_of(seq, ENGINE_TOKEN);
    if (!ask->tells_scores || seq->scored_count <= seq->told_count)
        return;
    seq->told_count = seq->scored_count;
    const uint32_t first = ask->prompt_tokens - ask->score_tokens;
    event.event.token = ask->prompt[first + seq->told_count - 1];
    event.event.logprob = result->sample->logprob;
    tell_tops(&event, seq, result->tops);
    send(step, seq, &event);
}

void step_output_scores(struct step *step, struct seq *seq, const struct step_result *first,
                        uint32_t count)
{
    struct step_result result = *first;
    for (uint32_t i = 0; i < count; i++, step_output_next(&result, 1)) {
        seq->score += (double)result.sample->logprob;
        seq->scored_count++;
        tell_score(step, seq, &result);
    }
    if (isnan(seq->score))
        step_output_end(step, seq, ENGINE_FAILED);
    else if (seq_is_ending(seq) && seq->head_count == 0) /* nothing is left to draw */
        step_output_end(step, seq, ENGINE_STOP);
}
