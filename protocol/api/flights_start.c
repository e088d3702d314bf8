/* flights_start - see flights.h: an ask as jobs of the engine. */
#include "base/clock.h"
#include "protocol/api/flight.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* Hands a prompt's jobs to the engine, whose events close as many ends. */
static enum status submit(struct flights *flights, struct flight *flight,
                          struct ask_run_jobs *made, struct error *err)
{
    for (uint32_t i = 0; i < made->count; i++) {
        struct engine_job *job = &made->jobs[i];
        uint64_t *id = &flight->job_ids[atomic_load(&flight->submitted)];
        job->port = flights->port;
        job->tag |= (uint64_t)flight->slot << 32;
        TRY(engine_submit(flights->engine, job, id, err));
        atomic_fetch_add(&flight->submitted, 1);
        flight->flying += made->ends[i];
    }
    return OK;
}

/* Without a seed of its own a request is drawn anew each time. */
static void fill_names(struct flight *flight, const struct ask *ask, struct ask *seeded)
{
    const char *prefix = flight->wire->id_prefix ? flight->wire->id_prefix : "chatcmpl-";
    uint64_t drawn[2] = {0};
    if (getrandom(drawn, sizeof drawn, GRND_NONBLOCK) < 0) /* soon after boot */
        drawn[0] = drawn[1] = (uint64_t)(clock_now_s() * 1e9);
    if (!ask->has_seed)
        seeded->job.seed = drawn[1];
    (void)snprintf(flight->run.reply.id, sizeof flight->run.reply.id, "%s%016" PRIx64, prefix,
                   drawn[0]);
    flight->run.reply.created = clock_unix_s();
    flight->run.reply.begun_s = clock_now_s();
}

static enum status fill(struct flights *flights, struct flight *flight, const struct ask *ask,
                        struct ask *seeded, struct error *err)
{
    TRY(ask_run_init(&flight->run, flights->engine, ask, err));
    flight->job_ids =
        calloc(ASK_RUN_JOBS_MAX * (size_t)ask->prompt_count, sizeof *flight->job_ids);
    if (!flight->job_ids)
        FAIL(err, ERR_MEMORY, "no memory for %u prompts", ask->prompt_count);
    flight->key = ask->key;
    flight->is_stream = ask->stream;
    flight->is_mute = ask->is_mute;
    fill_names(flight, ask, seeded);
    atomic_store(&flight->open_ends, 1 + flight->run.ends_max);
    return OK;
}

static void begin_stream(struct flight *flight)
{
    struct text_buf head = {0};
    flight->wire->begin(&flight->run.reply, &head);
    for (uint32_t i = 0; flight->is_mute && i < flight->run.reply.choice_count; i++)
        flight_send_choice_end(flight, i, &head);
    const struct http_field field = {"Cache-Control", "no-cache"};
    http_begin(flight->exchange, &(struct http_reply){.status = 200,
                                                      .content_type = flight->wire->stream_type,
                                                      .body = text_buf_text(&head),
                                                      .fields = &field,
                                                      .field_count = 1});
    text_buf_deinit(&head);
}

/* All jobs are with the engine, or one of them was refused: then those before it are called
 * back, and the flight lands without a word, for the exchange is the caller's again. */
static enum status take_off(struct flights *flights, struct flight *flight, enum status status)
{
    const uint32_t never = flight->run.ends_max - flight->flying;
    const uint64_t tag = (uint64_t)flight->generation << 32 | flight->slot;
    if (status != OK) {
        flight->is_refused = true;
        flight_cancel(flights, flight);
    } else {
        if (flight->is_stream)
            begin_stream(flight);
        if (!http_exchange_tag(flight->exchange, tag))
            flight_cancel(flights, flight);
        atomic_store(&flight->has_begun, true);
    }
    flight_close_ends(flights, flight, 1 + never);
    return status;
}

enum status flights_start(struct flights *flights, struct http_exchange *exchange,
                          const struct ask *ask, const struct reply_wire *wire,
                          struct error *err)
{
    struct ask seeded = *ask;
    struct ask_run_jobs made = {0};
    struct flight *flight = flight_take(flights);
    if (!flight)
        FAIL(err, ERR_LIMIT, "%u requests are in flight, which is the limit", flights->count);
    flight->wire = wire;
    flight->exchange = exchange;
    enum status status = fill(flights, flight, ask, &seeded, err);
    if (status != OK) {
        flight_free(flights, flight);
        return status;
    }
    for (uint32_t i = 0; status == OK && i < ask->prompt_count; i++) {
        status = ask_run_jobs(&flight->run, &seeded, i, &made, err);
        if (status == OK)
            status = submit(flights, flight, &made, err);
    }
    token_list_deinit(&made.ids);
    return take_off(flights, flight, status);
}
