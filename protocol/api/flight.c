/* flight - see flight.h. */
#include "protocol/api/flight.h"

#include "base/clock.h"

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

static void answer_error(struct flight *flight, int status, struct text why)
{
    const struct reply_error error = {.status = status, .text = why};
    struct text_buf *out = &flight->out;
    if (flight->is_stream) {
        flight->wire->stream_error(&error, out);
        (void)http_send(flight->exchange, text_buf_text(out));
        http_end(flight->exchange);
        return;
    }
    text_buf_clear(out);
    flight->wire->error(&error, out);
    http_answer(flight->exchange,
                &(struct http_reply){.status = status, .body = text_buf_text(out)});
}

static void land(struct flights *flights, struct flight *flight)
{
    struct error why = {0};
    struct text_buf *out = &flight->out;
    ask_run_end(&flight->run);
    flight->run.reply.ended_s = clock_now_s();
    if (flight->is_refused) {
        flight_free(flights, flight);
        return;
    }
    admission_leave(flights->admission, flight->key);
    metrics_add_time(flights->metrics, METRICS_WHOLE,
                     flight->run.reply.ended_s - flight->run.reply.begun_s);
    if (flight->run.has_failed || reply_has_failed(&flight->run.reply) || out->failed) {
        const bool is_ours = engine_failure(flights->engine, &why) != OK;
        answer_error(flight, is_ours ? 503 : 500,
                     is_ours                  ? text_of(why.text)
                     : flight->run.has_failed ? TEXT("the model's numbers are not numbers")
                                              : TEXT("no memory for an answer"));
    } else if (flight->is_stream) {
        flight->wire->end(&flight->run.reply, out);
        (void)http_send(flight->exchange, text_buf_text(out));
        http_end(flight->exchange);
    } else {
        flight->wire->whole(&flight->run.reply, out);
        http_answer(flight->exchange,
                    &(struct http_reply){.status = 200, .body = text_buf_text(out)});
    }
    flight_free(flights, flight);
}

void flight_close_ends(struct flights *flights, struct flight *flight, uint32_t count)
{
    if (atomic_fetch_sub(&flight->open_ends, count) == count)
        land(flights, flight);
}
