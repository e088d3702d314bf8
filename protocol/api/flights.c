/* flights - see flights.h. */
#include "protocol/api/flights.h"

#include "base/clock.h"
#include "protocol/api/flight.h"

#include <stdlib.h>

enum status flights_open(struct flights **flights, struct engine *engine,
                         struct admission *admission, struct metrics *metrics,
                         struct error *err)
{
    const uint32_t count = 2 * admission->held_max; /* refused ones land later */
    struct flights *made = calloc(1, sizeof *made);
    struct flight *table = calloc(count, sizeof *table);
    enum status status = OK;
    if (!made || !table || pthread_mutex_init(&made->lock, NULL) != 0)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__,
                           "no memory for %u requests in flight", count);
    else
        status = engine_port_open(engine, &made->port, err);
    if (status != OK) {
        free(made);
        free(table);
        return status;
    }
    made->engine = engine;
    made->metrics = metrics;
    made->admission = admission;
    made->table = table;
    made->count = count;
    for (uint32_t i = count; i-- > 0; made->free = &table[i])
        table[i] = (struct flight){.slot = i, .next_free = made->free};
    *flights = made;
    return OK;
}

/* ---- a turn ---- */

/* The times of a token. */
static void note_token(const struct flights *flights, struct flight *flight,
                       struct reply_choice *choice)
{
    const double now_s = clock_now_s();
    if (flight->reply.first_s <= 0) {
        flight->reply.first_s = now_s;
        metrics_add_time(flights->metrics, METRICS_FIRST_TOKEN, now_s - flight->reply.begun_s);
    }
    if (choice->last_s > 0)
        metrics_add_time(flights->metrics, METRICS_INTER_TOKEN, now_s - choice->last_s);
    choice->last_s = now_s;
}

/* Some models write what begins a call as a control token, which is no text. */
static void spell_control(const struct flights *flights, const struct engine_event *event,
                          struct text_buf *text)
{
    const struct tokenizer *tokenizer = engine_tokenizer(flights->engine);
    if (event->token != TOKEN_NONE && tokenizer_is_control(tokenizer, event->token))
        tokenizer_decode(tokenizer, &event->token, 1, true, text);
}

/* What of a text is certainly no call, and was not in a piece yet. */
static struct text newly_said(const struct reply *reply, struct reply_choice *choice)
{
    const struct text text = text_buf_text(&choice->text);
    const size_t shown = choice->shown;
    choice->shown = tool_calls_content(&reply->tools, text, shown);
    return text_slice(text, shown, choice->shown);
}

/* The whole text of a choice is there: its calls are taken out, or the rest of it is text. */
static void end_calls(struct flight *flight, uint32_t index)
{
    struct reply_choice *choice = &flight->reply.choices[index];
    const struct text text = text_buf_text(&choice->text);
    size_t content;
    if (tool_calls_read(&flight->reply.tools, text, &choice->calls, &content)) {
        choice->text.size = content;
        if (flight->reply.is_single_call)
            tool_calls_keep(&choice->calls, 1);
        return;
    }
    const struct reply_piece rest = {.choice = index,
                                     .text = text_slice(text, choice->shown, text.size),
                                     .token_first = choice->logprobs.count};
    if (rest.text.size > 0)
        flight_send_piece(flight, &rest);
}

static void take_token(struct flights *flights, struct flight *flight,
                       const struct engine_event *event, uint32_t index)
{
    struct reply_choice *choice = &flight->reply.choices[index];
    struct reply_piece piece = {.choice = index, .text = event->text};
    note_token(flights, flight, choice);
    piece.token_first = choice->logprobs.count;
    if (flight->reply.has_logprobs)
        logprob_list_add(&choice->logprobs, engine_tokenizer(flights->engine), event);
    piece.token_count = choice->logprobs.count - piece.token_first;
    if (flight->reply.has_tools)
        spell_control(flights, event, &choice->text);
    text_buf_add(&choice->text, event->text);
    if (flight->reply.has_tools)
        piece.text = newly_said(&flight->reply, choice);
    if (piece.text.size > 0 || piece.token_count > 0)
        flight_send_piece(flight, &piece);
}

static void take_end(const struct flights *flights, struct flight *flight,
                     const struct engine_event *event, uint32_t index)
{
    struct reply_choice *choice = &flight->reply.choices[index];
    choice->finish = event->finish;
    atomic_fetch_add(&flights->metrics->finished[event->finish], 1);
    choice->stop_string = event->stop_string;
    choice->output_tokens = event->output_tokens;
    flight->reply.completion_tokens += event->output_tokens;
    if (event->sample == 0) {
        flight->reply.prompt_tokens += event->prompt_tokens;
        flight->reply.cached_tokens += event->cached_tokens;
    }
    if (event->vector)
        reply_set_vector(choice, event->vector, event->vector_size);
    if (flight->reply.has_tools)
        end_calls(flight, index);
    if (event->finish == ENGINE_FAILED)
        flight->has_failed = true;
    else
        flight_send_choice_end(flight, index, &flight->out);
    flight->ended++;
}

/* Of the job that scores a prompt. */
static void take_score(struct flights *flights, struct flight *flight,
                       const struct engine_event *event)
{
    struct reply_prompt *prompt =
        &flight->reply.prompts[(uint32_t)event->tag & ~FLIGHT_SCORE_TAG];
    if (event->kind == ENGINE_TOKEN) {
        logprob_list_add(&prompt->logprobs, engine_tokenizer(flights->engine), event);
        return;
    }
    flight->has_failed |= event->finish == ENGINE_FAILED;
    flight->ended++;
}

static void take_event(struct flights *flights, const struct engine_event *event)
{
    struct flight *flight = &flights->table[event->tag >> 32];
    const uint32_t index = (uint32_t)event->tag * flight->samples + event->sample;
    if (!flight->is_touched) {
        flight->is_touched = true;
        flight->next_touched = flights->touched;
        flights->touched = flight;
    }
    if ((uint32_t)event->tag & FLIGHT_SCORE_TAG)
        take_score(flights, flight, event);
    else if (event->kind == ENGINE_TOKEN)
        take_token(flights, flight, event, index);
    else
        take_end(flights, flight, event, index);
}

/* What came for this flight goes out in one piece; its last end lands it. */
static void send_on(struct flights *flights, struct flight *flight)
{
    const uint32_t ended = flight->ended;
    flight->is_touched = false;
    flight->ended = 0;
    if (flight->is_stream && flight->out.size > 0 && atomic_load(&flight->has_begun)) {
        if (!http_send(flight->exchange, text_buf_text(&flight->out)))
            flight_cancel(flights, flight);
        text_buf_clear(&flight->out);
    }
    if (ended > 0)
        flight_close_ends(flights, flight, ended);
}

bool flights_turn(struct flights *flights, int wait_ms)
{
    const size_t count =
        engine_port_poll(flights->port, flights->events, FLIGHT_EVENTS, wait_ms);
    for (size_t i = 0; i < count; i++)
        take_event(flights, &flights->events[i]);
    while (flights->touched) {
        struct flight *flight = flights->touched;
        flights->touched = flight->next_touched;
        send_on(flights, flight);
    }
    return count > 0;
}

void flights_cancel(struct flights *flights, uint64_t tag)
{
    struct flight *flight = &flights->table[(uint32_t)tag];
    pthread_mutex_lock(&flights->lock);
    if (flight->is_used && flight->generation == tag >> 32)
        flight_cancel(flights, flight);
    pthread_mutex_unlock(&flights->lock);
}

void flights_close(struct flights *flights)
{
    if (!flights)
        return;
    for (uint32_t i = 0; i < flights->count; i++) {
        pthread_mutex_lock(&flights->lock);
        if (flights->table[i].is_used)
            flight_cancel(flights, &flights->table[i]);
        pthread_mutex_unlock(&flights->lock);
    }
    while (flights_turn(flights, -1))
        ;
    engine_port_close(flights->port);
    pthread_mutex_destroy(&flights->lock);
    free(flights->table);
    free(flights);
}

uint32_t flights_count(struct flights *flights)
{
    pthread_mutex_lock(&flights->lock);
    const uint32_t used = flights->used;
    pthread_mutex_unlock(&flights->lock);
    return used;
}
