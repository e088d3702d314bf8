/*
 * flights - see flights.h.
 *
 * Whoever brings a flight's count of open ends to zero lands it: flights_start holds one end
 * while it submits, each sample is one, and so is each prompt whose own log-probabilities are
 * told: for those a second job is submitted, which scores it. So a flight cannot land under the
 * hands of the thread that starts it, and no lock is held while the engine takes a job.
 */
#include "protocol/api/flights.h"

#include "base/clock.h"
#include "protocol/api/tools.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { EVENTS = 256 };
#define SCORE_TAG (1U << 31) /* beside a prompt's index: the job that scores it */

struct flight {
    uint32_t slot, generation;
    bool is_used, is_touched, has_failed;
    bool is_refused; /* at take-off: the exchange is not ours */
    struct http_exchange *exchange;
    const struct reply_wire *wire;
    struct reply reply;
    struct text_buf out; /* to be sent at the end of a turn */
    bool is_stream, is_mute;
    atomic_bool has_begun; /* taken off: the exchange may be written to */
    atomic_bool is_cancelled;
    atomic_uint open_ends;
    atomic_uint submitted;
    uint64_t *job_ids;    /* [submitted] */
    uint32_t samples;     /* of each prompt */
    uint32_t ends;        /* of all that was to be submitted */
    uint32_t flying;      /* of those, what was; the starting thread's */
    uint32_t ended;       /* in this turn */
    uint32_t mute_tokens; /* of prompts that nothing is to go on from */
    uint32_t key;         /* whose it is */
    struct flight *next_free, *next_touched;
};

struct flights {
    struct engine *engine;
    struct engine_port *port;
    struct metrics *metrics;
    struct admission *admission;
    pthread_mutex_t lock; /* of the free list, and of who may cancel */
    struct flight *table; /* [count] */
    struct flight *free;
    uint32_t count, used;
    struct flight *touched; /* the turn's */
    struct engine_event events[EVENTS];
};

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

static struct flight *take_flight(struct flights *flights)
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

static void free_flight(struct flights *flights, struct flight *flight)
{
    reply_deinit(&flight->reply);
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

uint32_t flights_count(struct flights *flights)
{
    pthread_mutex_lock(&flights->lock);
    const uint32_t used = flights->used;
    pthread_mutex_unlock(&flights->lock);
    return used;
}

static void cancel(struct flights *flights, struct flight *flight)
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
    flight->reply.prompt_tokens += flight->mute_tokens;
    flight->reply.ended_s = clock_now_s();
    if (flight->is_refused) {
        free_flight(flights, flight);
        return;
    }
    admission_leave(flights->admission, flight->key);
    metrics_add_time(flights->metrics, METRICS_WHOLE,
                     flight->reply.ended_s - flight->reply.begun_s);
    if (flight->has_failed || reply_has_failed(&flight->reply) || out->failed) {
        const bool is_ours = engine_failure(flights->engine, &why) != OK;
        answer_error(flight, is_ours ? 503 : 500,
                     is_ours              ? text_of(why.text)
                     : flight->has_failed ? TEXT("the model's numbers are not numbers")
                                          : TEXT("no memory for an answer"));
    } else if (flight->is_stream) {
        flight->wire->end(&flight->reply, out);
        (void)http_send(flight->exchange, text_buf_text(out));
        http_end(flight->exchange);
    } else {
        flight->wire->whole(&flight->reply, out);
        http_answer(flight->exchange,
                    &(struct http_reply){.status = 200, .body = text_buf_text(out)});
    }
    free_flight(flights, flight);
}

static void close_ends(struct flights *flights, struct flight *flight, uint32_t count)
{
    if (atomic_fetch_sub(&flight->open_ends, count) == count)
        land(flights, flight);
}

/* ---- take-off ---- */

static enum status encode_chat(const struct tokenizer *tokenizer,
                               const struct ask_prompt *prompt, const struct ask_tools *tools,
                               struct token_list *ids, struct error *err)
{
    const struct tokenizer_conversation conversation = {.messages = prompt->messages,
                                                        .count = prompt->message_count,
                                                        .add_generation_prompt = true,
                                                        .tools = tools->told};
    TRY(tokenizer_encode_conversation(tokenizer, &conversation, ids, err));
    if (tools->choice != ASK_TOOLS_REQUIRED)
        return OK;
    return tokenizer_encode(tokenizer, tools_opening(tools->format), TOKENIZER_SPECIAL, ids,
                            err);
}

static enum status encode(const struct flights *flights, const struct ask *ask, uint32_t index,
                          struct token_list *ids, struct error *err)
{
    const struct tokenizer *tokenizer = engine_tokenizer(flights->engine);
    const struct ask_prompt *prompt = &ask->prompts[index];
    ids->count = 0;
    if (ask->kind == ASK_CHAT)
        return encode_chat(tokenizer, prompt, &ask->tools, ids, err);
    if (!prompt->ids)
        return tokenizer_encode(tokenizer, prompt->text, TOKENIZER_BOUNDS, ids, err);
    for (uint32_t i = 0; i < prompt->id_count; i++)
        if (!token_list_add(ids, prompt->ids[i]))
            FAIL(err, ERR_MEMORY, "no memory for %u tokens", prompt->id_count);
    return OK;
}

/* Hands a job to the engine, whose events close as many ends. */
static enum status submit_job(struct flights *flights, struct flight *flight,
                              struct engine_job *job, uint32_t ends, struct error *err)
{
    job->port = flights->port;
    job->tag |= (uint64_t)flight->slot << 32;
    uint64_t *id = &flight->job_ids[atomic_load(&flight->submitted)];
    TRY(engine_submit(flights->engine, job, id, err));
    atomic_fetch_add(&flight->submitted, 1);
    flight->flying += ends;
    return OK;
}

/* The prompt as it comes back, and the job that tells how likely each of its tokens was; of the
 * first nothing can be said. */
static enum status submit_echo(struct flights *flights, struct flight *flight, uint32_t index,
                               const struct engine_job *job, struct error *err)
{
    const struct tokenizer *tokenizer = engine_tokenizer(flights->engine);
    struct reply_prompt *prompt = &flight->reply.prompts[index];
    struct engine_job score = {.kind = ENGINE_SCORE,
                               .prompt = job->prompt,
                               .prompt_tokens = job->prompt_tokens,
                               .score_tokens = job->prompt_tokens - 1,
                               .tells_scores = true,
                               .top_count = job->top_count,
                               .priority = job->priority,
                               .deadline_ms = job->deadline_ms,
                               .tag = SCORE_TAG | index};
    tokenizer_decode(tokenizer, job->prompt, job->prompt_tokens, false, &prompt->text);
    if (!flight->reply.has_logprobs || job->prompt_tokens == 0)
        return OK;
    const struct engine_event first = {.token = job->prompt[0], .logprob = NAN};
    if (first.token >= 0 && (uint32_t)first.token < tokenizer_vocab_size(tokenizer))
        logprob_list_add(&prompt->logprobs, tokenizer, &first);
    return score.score_tokens > 0 ? submit_job(flights, flight, &score, 1, err) : OK;
}

static enum status submit(struct flights *flights, struct flight *flight, const struct ask *ask,
                          uint32_t index, struct token_list *ids, struct error *err)
{
    const uint32_t room = engine_info(flights->engine)->context_max;
    struct engine_job job = ask->job;
    TRY(encode(flights, ask, index, ids, err));
    job.kind = ask->kind == ASK_EMBED ? ENGINE_EMBED : ENGINE_GENERATE;
    if (job.max_tokens == 0)
        job.max_tokens = ids->count < room ? room - (uint32_t)ids->count : 1;
    job.prompt = ids->ids;
    job.prompt_tokens = (uint32_t)ids->count;
    flight->reply.asked_tokens += job.prompt_tokens;
    job.job_key += index;
    job.priority = job.priority - ask->lowered > -ENGINE_PRIORITY_MAX
                       ? job.priority - ask->lowered
                       : -ENGINE_PRIORITY_MAX;
    job.tag = index;
    if (ask->prompts[index].chunk.data)
        job.chunk = ask->prompts[index].chunk;
    if (flight->reply.prompts)
        TRY(submit_echo(flights, flight, index, &job, err));
    if (ask->is_mute) {
        flight->mute_tokens += job.prompt_tokens;
        return OK;
    }
    return submit_job(flights, flight, &job, flight->samples, err);
}

/* Without a seed of its own a request is drawn anew each time. */
static void fill_names(struct flight *flight, const struct ask *ask, struct ask *seeded)
{
    const char *prefix = flight->wire->id_prefix ? flight->wire->id_prefix : "chatcmpl-";
    uint64_t drawn[2] = {0};
    if (getrandom(drawn, sizeof drawn, GRND_NONBLOCK) < 0)
        drawn[0] = (uint64_t)(clock_now_s() * 1e9);
    if (!ask->has_seed)
        seeded->job.seed = drawn[1];
    (void)snprintf(flight->reply.id, sizeof flight->reply.id, "%s%016" PRIx64, prefix,
                   drawn[0]);
    flight->reply.created = clock_unix_s();
    flight->reply.begun_s = clock_now_s();
}

static enum status fill(struct flights *flights, struct flight *flight, const struct ask *ask,
                        struct ask *seeded, struct error *err)
{
    const bool is_one = ask->job.sample_count == 0 || ask->kind == ASK_EMBED;
    const uint32_t samples = is_one ? 1 : ask->job.sample_count;
    if (ask->prompt_count == 0 || ask->prompt_count > ASK_PROMPTS_MAX)
        FAIL(err, ERR_LIMIT, "prompts: %u, 1 to %d are taken", ask->prompt_count,
             ASK_PROMPTS_MAX);
    if (samples > ENGINE_SAMPLES_MAX)
        FAIL(err, ERR_LIMIT, "n: %u, at most %d are taken", samples, ENGINE_SAMPLES_MAX);
    TRY(reply_init(&flight->reply, ask->prompt_count * samples, err));
    TRY(reply_init_stops(&flight->reply, ask->job.stops, ask->job.stop_count, err));
    if (ask->echo)
        TRY(reply_init_prompts(&flight->reply, ask->prompt_count, err));
    flight->job_ids = calloc(2 * (size_t)ask->prompt_count, sizeof *flight->job_ids);
    if (!flight->job_ids)
        FAIL(err, ERR_MEMORY, "no memory for %u prompts", ask->prompt_count);
    flight->samples = samples;
    flight->key = ask->key;
    for (uint32_t i = 0; ask->is_mute && i < flight->reply.choice_count; i++)
        flight->reply.choices[i].finish = ENGINE_LENGTH;
    flight->is_stream = ask->stream;
    flight->is_mute = ask->is_mute;
    flight->reply.model = text_of(engine_info(flights->engine)->model_name);
    flight->reply.has_logprobs = ask->logprobs;
    flight->reply.has_usage = ask->has_usage;
    flight->reply.is_base64 = ask->is_base64;
    flight->reply.has_tools = ask->tools.list != NULL;
    flight->reply.is_single_call = ask->tools.is_single;
    flight->reply.tools =
        (struct tool_calls_reader){ask->tools.format, ask->tools.choice == ASK_TOOLS_REQUIRED};
    fill_names(flight, ask, seeded);
    flight->ends =
        flight->reply.choice_count + (ask->echo && ask->logprobs ? ask->prompt_count : 0);
    atomic_store(&flight->open_ends, 1 + flight->ends);
    return OK;
}

static void send_choice_end(struct flight *flight, uint32_t choice, struct text_buf *out)
{
    if (!flight->is_stream)
        return;
    flight->wire->choice_end(&flight->reply, choice, out);
    flight->reply.end_count++;
}

static void send_piece(struct flight *flight, const struct reply_piece *piece)
{
    if (!flight->is_stream)
        return;
    flight->wire->piece(&flight->reply, piece, &flight->out);
    flight->reply.piece_count++;
}

static void begin_stream(struct flight *flight)
{
    struct text_buf head = {0};
    flight->wire->begin(&flight->reply, &head);
    for (uint32_t i = 0; flight->is_mute && i < flight->reply.choice_count; i++)
        send_choice_end(flight, i, &head);
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
    const uint32_t never = flight->ends - flight->flying;
    const uint64_t tag = (uint64_t)flight->generation << 32 | flight->slot;
    if (status != OK) {
        flight->is_refused = true;
        cancel(flights, flight);
    } else {
        if (flight->is_stream)
            begin_stream(flight);
        if (!http_exchange_tag(flight->exchange, tag))
            cancel(flights, flight);
        atomic_store(&flight->has_begun, true);
    }
    close_ends(flights, flight, 1 + never);
    return status;
}

enum status flights_start(struct flights *flights, struct http_exchange *exchange,
                          const struct ask *ask, const struct reply_wire *wire,
                          struct error *err)
{
    struct ask seeded = *ask;
    struct token_list ids = {0};
    struct flight *flight = take_flight(flights);
    if (!flight)
        FAIL(err, ERR_LIMIT, "%u requests are in flight, which is the limit", flights->count);
    flight->wire = wire;
    flight->exchange = exchange;
    enum status status = fill(flights, flight, ask, &seeded, err);
    if (status != OK) {
        free_flight(flights, flight);
        return status;
    }
    for (uint32_t i = 0; status == OK && i < ask->prompt_count; i++)
        status = submit(flights, flight, &seeded, i, &ids, err);
    token_list_deinit(&ids);
    return take_off(flights, flight, status);
}

/* ---- on the way ---- */

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
        send_piece(flight, &rest);
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
        send_piece(flight, &piece);
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
        send_choice_end(flight, index, &flight->out);
    flight->ended++;
}

/* Of the job that scores a prompt. */
static void take_score(struct flights *flights, struct flight *flight,
                       const struct engine_event *event)
{
    struct reply_prompt *prompt = &flight->reply.prompts[(uint32_t)event->tag & ~SCORE_TAG];
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
    if ((uint32_t)event->tag & SCORE_TAG)
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
            cancel(flights, flight);
        text_buf_clear(&flight->out);
    }
    if (ended > 0)
        close_ends(flights, flight, ended);
}

bool flights_turn(struct flights *flights, int wait_ms)
{
    const size_t count = engine_port_poll(flights->port, flights->events, EVENTS, wait_ms);
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
        cancel(flights, flight);
    pthread_mutex_unlock(&flights->lock);
}

void flights_close(struct flights *flights)
{
    if (!flights)
        return;
    for (uint32_t i = 0; i < flights->count; i++) {
        pthread_mutex_lock(&flights->lock);
        if (flights->table[i].is_used)
            cancel(flights, &flights->table[i]);
        pthread_mutex_unlock(&flights->lock);
    }
    while (flights_turn(flights, -1))
        ;
    engine_port_close(flights->port);
    pthread_mutex_destroy(&flights->lock);
    free(flights->table);
    free(flights);
}
