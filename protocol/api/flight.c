/* flight - see flight.h. */
#include "protocol/api/flight.h"

#include "base/clock.h"
#include "protocol/api/refusal.h"

#include <stdlib.h>
#include <string.h>

struct flight *flight_take(struct flights *flights)
{
    pthread_mutex_lock(&flights->lock);
    struct flight *flight = flights->free;
    if (flight) {
        flights->free = flight->next_free;
        flights->used++;
        const uint32_t slot = flight->slot, generation = flight->generation + 1;
        memset(flight, 0, sizeof *flight);
        flight->slot = slot;
        flight->generation = generation;
        flight->is_used = true;
    }
    pthread_mutex_unlock(&flights->lock);
    return flight;
}

void flight_free(struct flights *flights, struct flight *flight)
{
    ask_run_deinit(&flight->run);
    text_buf_deinit(&flight->out);
    pthread_mutex_lock(&flights->lock);
    free(flight->job_ids);
    flight->job_ids = NULL;
    flight->is_used = false;
    flight->next_free = flights->free;
    flights->free = flight;
    flights->used--;
    pthread_mutex_unlock(&flights->lock);
}

void flight_send_choice_end(struct flight *flight, uint32_t choice, struct text_buf *out)
{
    if (!flight->is_stream)
        return;
    flight->wire->choice_end(&flight->run.reply, choice, out);
    flight->run.reply.end_count++;
}

void flight_send_piece(struct flight *flight, const struct reply_piece *piece)
{
    if (!flight->is_stream)
        return;
    flight->wire->piece(&flight->run.reply, piece, &flight->out);
    flight->run.reply.piece_count++;
}

void flight_cancel(struct flights *flights, struct flight *flight)
{
    if (atomic_exchange(&flight->is_cancelled, true))
        return;
    const uint32_t submitted = atomic_load(&flight->submitted);
    for (uint32_t i = 0; i < submitted; i++)
        engine_cancel(flights->engine, flight->job_ids[i]);
}

/* ---- landing ---- */

/* Why there is no answer, or no end of one. */
static struct reply_error error_of(const struct flights *flights, const struct flight *flight,
                                   struct error *why)
{
    if (engine_failure(flights->engine, why) != OK)
        return (struct reply_error){.status = 503, .text = text_of(why->text)};
    if (flight->run.has_failed)
        return (struct reply_error){.status = 500,
                                    .text = TEXT("the model's numbers are not numbers")};
    return (struct reply_error){.status = 503, .text = TEXT("no memory for an answer")};
}

static void end_stream(struct flight *flight, const struct reply_error *error)
{
    struct text_buf *out = &flight->out;
    if (out->failed) /* a piece of an event would spoil the next */
        text_buf_clear(out);
    if (error)
        flight->wire->stream_error(error, out);
    (void)http_send(flight->exchange, text_buf_text(out)); /* nobody is left to tell */
    http_end(flight->exchange);
}

static void answer(const struct flights *flights, struct flight *flight)
{
    struct error why = {0};
    struct text_buf *out = &flight->out;
    const struct reply *reply = &flight->run.reply;
    bool has_failed = flight->run.has_failed || reply_has_failed(reply) || out->failed;
    if (!has_failed)
        (flight->is_stream ? flight->wire->end : flight->wire->whole)(reply, out);
    has_failed |= out->failed;
    const struct reply_error error = error_of(flights, flight, &why);
    if (flight->is_stream)
        end_stream(flight, has_failed ? &error : NULL);
    else if (has_failed)
        refusal_answer(flight->exchange, flight->wire, &error);
    else
        http_answer(flight->exchange,
                    &(struct http_reply){.status = 200, .body = text_buf_text(out)});
}

static void land(struct flights *flights, struct flight *flight)
{
    ask_run_end(&flight->run);
    flight->run.reply.ended_s = clock_now_s();
    if (!flight->is_refused) {
        admission_leave(flights->admission, flight->key);
        metrics_add_time(flights->metrics, METRICS_WHOLE,
                         flight->run.reply.ended_s - flight->run.reply.begun_s);
        answer(flights, flight);
    }
    flight_free(flights, flight);
}

void flight_close_ends(struct flights *flights, struct flight *flight, uint32_t count)
{
    if (atomic_fetch_sub(&flight->open_ends, count) == count)
        land(flights, flight);
}
