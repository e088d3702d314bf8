/* flights_start - see flights.h: an ask as jobs of the engine. */
#include "base/clock.h"
#include "protocol/api/flight.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static enum status encode(const struct flights *flights, const struct ask *ask, uint32_t index,
                          struct token_list *ids, struct error *err)
{
    const struct tokenizer *tokenizer = engine_tokenizer(flights->engine);
    const struct ask_prompt *prompt = &ask->prompts[index];
    ids->count = 0;
    if (ask->kind == ASK_CHAT)
        return ask_encode_chat(ask, index, tokenizer, ids, err);
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
                               .tag = FLIGHT_SCORE_TAG | index};
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

static void begin_stream(struct flight *flight)
{
    struct text_buf head = {0};
    flight->wire->begin(&flight->reply, &head);
    for (uint32_t i = 0; flight->is_mute && i < flight->reply.choice_count; i++)
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
    const uint32_t never = flight->ends - flight->flying;
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
    struct token_list ids = {0};
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
    for (uint32_t i = 0; status == OK && i < ask->prompt_count; i++)
        status = submit(flights, flight, &seeded, i, &ids, err);
    token_list_deinit(&ids);
    return take_off(flights, flight, status);
}
