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
    else if ((status = engine_port_open(engine, &made->port, err)) != OK)
        pthread_mutex_destroy(&made->lock);
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
    if (flight->run.reply.first_s <= 0) {
        flight->run.reply.first_s = now_s;
        metrics_add_time(flights->metrics, METRICS_FIRST_TOKEN,
                         now_s - flight->run.reply.begun_s);
    }
    if (choice->last_s > 0)
        metrics_add_time(flights->metrics, METRICS_INTER_TOKEN, now_s - choice->last_s);
    choice->last_s = now_s;
}

static void take_end(const struct flights *flights, struct flight *flight,
                     const struct engine_event *event, const struct ask_run_news *news)
{
    flight->ended++;
    if (news->is_score)
        return;
    atomic_fetch_add(&flights->metrics->finished[event->finish], 1);
    if (event->finish != ENGINE_FAILED)
        flight_send_choice_end(flight, news->piece.choice, &flight->out);
}

static void take_event(struct flights *flights, const struct engine_event *event)
{
    struct flight *flight = &flights->table[event->tag >> 32];
    if (!flight->is_touched) {
        flight->is_touched = true;
        flight->next_touched = flights->touched;
        flights->touched = flight;
    }
    const struct ask_run_news news = ask_run_take(&flight->run, event);
    if (event->kind == ENGINE_TOKEN && !news.is_score)
        note_token(flights, flight, &flight->run.reply.choices[news.piece.choice]);
    if (news.has_piece)
        flight_send_piece(flight, &news.piece);
    if (news.is_end)
        take_end(flights, flight, event, &news);
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
