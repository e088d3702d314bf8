/* remote - see remote.h. */
#include "protocol/minions/remote.h"

#include "base/clock.h"
#include "base/file_map.h"
#include "base/json.h"
#include "base/sha256.h"
#include "protocol/minions/remote_http.h"
#include "protocol/minions/remote_record.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { KEY_BYTES_MAX = 4000, WORDS_BYTES = 120, HEADER_BYTES = 128 };
#define RETRY_WAIT_MAX_S 8.0
#define ARENA_BYTES      ((size_t)256 << 20) /* address space: one recorded call at a time */
#define REPLAY           "replay:"

struct remote {
    struct remote_options options;
    struct ledger *ledger;
    struct remote_http *http; /* NULL: replayed or dry */
    struct remote_wire wire;
    struct remote_record record;
    struct arena arena; /* the call at hand, out of the journal */
    char *model;
    uint32_t call_count;
    struct text_buf dry;
    bool is_replay, has_key;
};

/* A call on its way. */
struct exchange {
    struct text_buf body;
    struct journal_call call;
    struct remote_http_attempt attempt;
    struct ledger_charge charge; /* of the last attempt */
    double end_s;
};

/* ---- open, close ---- */

static void set_defaults(struct remote_options *options)
{
    if (options->connect_s <= 0)
        options->connect_s = 5;
    if (options->stall_s <= 0)
        options->stall_s = 60;
    if (options->deadline_s <= 0)
        options->deadline_s = 300;
    if (options->retry_wait_s <= 0)
        options->retry_wait_s = 0.5;
    if (options->attempts_max == 0)
        options->attempts_max = 4;
    if (options->response_max == 0)
        options->response_max = (size_t)4 << 20;
    if (options->output_tokens_max == 0)
        options->output_tokens_max = 4096;
}

static enum status put_key(struct remote *remote, struct text key, struct error *err)
{
    char value[KEY_BYTES_MAX + 16];
    const bool is_openai = remote->wire.kind == REMOTE_WIRE_OPENAI;
    key = text_trim(key);
    if (key.size == 0)
        return OK; /* servers of one's own often want none */
    if (key.size > KEY_BYTES_MAX)
        FAIL(err, ERR_LIMIT, "remote: the key has %zu bytes, at most %d are taken", key.size,
             KEY_BYTES_MAX);
    for (size_t i = 0; i < key.size; i++)
        if (key.data[i] <= ' ' || key.data[i] >= 0x7f)
            FAIL(err, ERR_FORMAT, "remote: the key holds white space or control characters");
    snprintf(value, sizeof(value), "%s%.*s", is_openai ? "Bearer " : "", TEXT_ARG(key));
    const enum status status =
        remote_http_header(remote->http, is_openai ? "Authorization" : "x-api-key", value, err);
    explicit_bzero(value, sizeof(value));
    remote->has_key = true;
    return status;
}

static enum status add_key(struct remote *remote, struct error *err)
{
    const char *usual =
        remote->wire.kind == REMOTE_WIRE_OPENAI ? "OPENAI_API_KEY" : "ANTHROPIC_API_KEY";
    const char *key = getenv("COHORT_API_KEY");
    if (!remote->options.key_path)
        return put_key(remote, text_of(key && *key ? key : getenv(usual)), err);
    struct text_buf file = {0};
    TRY(file_map_read(&file, remote->options.key_path, KEY_BYTES_MAX + 2, err));
    const enum status status = put_key(remote, text_buf_text(&file), err);
    if (file.data)
        explicit_bzero(file.data, file.size);
    text_buf_deinit(&file);
    return status;
}

static enum status open_http(struct remote *remote, struct error *err)
{
    const struct text url = text_of(remote->options.url);
    const struct remote_http_options options = {
        .url = url,
        .path = remote_wire_path(remote->wire.kind, url),
        .connect_s = remote->options.connect_s,
        .stall_s = remote->options.stall_s,
        .response_max = remote->options.response_max,
    };
    TRY(remote_http_open(&remote->http, &options, err));
    if (remote->wire.kind == REMOTE_WIRE_ANTHROPIC)
        TRY(remote_http_header(remote->http, "anthropic-version", "2023-06-01", err));
    return add_key(remote, err);
}

static enum status fill(struct remote *remote, struct error *err)
{
    const struct remote_options *options = &remote->options;
    const struct text url = text_of(options->url);
    remote->is_replay = text_starts(url, TEXT(REPLAY));
    if (remote->is_replay)
        return remote_record_read(&remote->record, options->url + strlen(REPLAY), err);
    if (!options->model || !*options->model)
        FAIL(err, ERR_FORMAT, "remote: no model is named");
    remote->model = strdup(options->model);
    if (!remote->model)
        FAIL(err, ERR_MEMORY, "remote: no memory");
    remote->wire = (struct remote_wire){
        .kind = options->api == REMOTE_API_GUESS    ? remote_wire_guess(url)
                : options->api == REMOTE_API_OPENAI ? REMOTE_WIRE_OPENAI
                                                    : REMOTE_WIRE_ANTHROPIC,
        .model = remote->model,
        .output_tokens_max = options->output_tokens_max,
    };
    if (options->journal)
        TRY(arena_init(&remote->arena, ARENA_BYTES, err));
    TRY(open_http(remote, err));
    if (options->record_path && !options->is_dry) /* last: it empties the file */
        TRY(remote_record_open(&remote->record, options->record_path, err));
    return OK;
}

enum status remote_open(struct remote **out, const struct remote_options *options,
                        struct ledger *ledger, struct error *err)
{
    struct remote *remote = calloc(1, sizeof(*remote));
    if (!remote)
        FAIL(err, ERR_MEMORY, "remote: no memory");
    remote->options = *options;
    remote->ledger = ledger;
    set_defaults(&remote->options);
    const enum status status = fill(remote, err);
    if (status != OK) {
        remote_close(remote);
        return status;
    }
    *out = remote;
    return OK;
}

void remote_close(struct remote *remote)
{
    if (!remote)
        return;
    remote_http_close(remote->http);
    remote_record_close(&remote->record);
    arena_deinit(&remote->arena);
    text_buf_deinit(&remote->dry);
    free(remote->model);
    free(remote);
}

struct text remote_dry(const struct remote *remote)
{
    return text_buf_text(&remote->dry);
}

/* ---- an attempt ---- */

static bool is_answered(const struct exchange *x)
{
    return x->attempt.end == REMOTE_HTTP_ANSWERED && x->attempt.status == 200;
}

static bool is_worth_retrying(const struct remote_http_attempt *attempt)
{
    const long status = attempt->status;
    if (attempt->end != REMOTE_HTTP_ANSWERED)
        return attempt->end == REMOTE_HTTP_UNCONNECTED;
    return status == 408 || status == 409 || status == 429 || (status >= 500 && status <= 599);
}

/* Surely not served: no connection came about, or the server said no. */
static bool is_unpaid(const struct remote_http_attempt *attempt)
{
    return attempt->end == REMOTE_HTTP_UNCONNECTED || attempt->end == REMOTE_HTTP_REFUSED ||
           (attempt->end == REMOTE_HTTP_ANSWERED && attempt->status != 200 &&
            attempt->status < 500);
}

static enum status explain(const struct remote *remote, const struct exchange *x,
                           struct error *err)
{
    const struct remote_http_attempt *attempt = &x->attempt;
    char words[WORDS_BYTES] = "";
    switch (attempt->end) {
    case REMOTE_HTTP_TOO_LARGE:
        FAIL(err, ERR_LIMIT, "remote: the reply is larger than %zu bytes; it was cut off",
             remote->options.response_max);
    case REMOTE_HTTP_TIMED_OUT:
        FAIL(err, ERR_REMOTE, "remote: no whole reply within %.1f s, or none of it for %.0f s",
             remote->options.deadline_s, remote->options.stall_s);
    case REMOTE_HTTP_UNCONNECTED:
    case REMOTE_HTTP_REFUSED:
        FAIL(err, ERR_REMOTE, "remote: no connection to %.80s: %.100s",
             remote_http_url(remote->http), attempt->reason);
    case REMOTE_HTTP_BROKEN:
        FAIL(err, ERR_REMOTE, "remote: the reply broke off after %zu bytes: %.100s",
             attempt->body.size, attempt->reason);
    case REMOTE_HTTP_ANSWERED:
        break;
    }
    if (attempt->status == 401 || attempt->status == 403)
        FAIL(err, ERR_REMOTE, "remote: the server %s (HTTP %ld); set COHORT_API_KEY",
             remote->has_key ? "refused the key" : "wants a key, and there is none",
             attempt->status);
    remote_wire_words(text_buf_text(&attempt->body), words, sizeof(words));
    FAIL(err, ERR_REMOTE, "remote: the server answered HTTP %ld%s%s", attempt->status,
         words[0] ? ": " : "", words);
}

static enum status put_call(const struct remote *remote, const struct exchange *x,
                            struct error *err)
{
    return remote->options.journal ? journal_put_call(remote->options.journal, &x->call, err)
                                   : OK;
}

/* What makes all attempts of a call one call to the server: the run, and what is sent. */
static void make_key(const struct remote *remote, const struct exchange *x,
                     char header[HEADER_BYTES])
{
    struct sha256 hash;
    char hex[SHA256_HEX_BYTES], run[JOURNAL_KEY_BYTES] = "";
    if (remote->options.journal)
        journal_key(remote->options.journal, run);
    sha256_init(&hash);
    sha256_add(&hash, run, strlen(run));
    sha256_add(&hash, x->body.data, x->body.size);
    sha256_hex(&hash, hex);
    snprintf(header, HEADER_BYTES, "Idempotency-Key: cohort-%u-%.40s", x->call.number + 1, hex);
}

/* Charges, notes and sends once; fills x->attempt. */
static enum status send_once(struct remote *remote, struct exchange *x, struct error *err)
{
    char header[HEADER_BYTES];
    struct ledger *ledger = remote->ledger;
    struct journal_call *call = &x->call;
    const struct text body = text_buf_text(&x->body);
    TRY(ledger_charge(ledger, body.size, remote->options.output_tokens_max, &x->charge, err));
    call->attempts++;
    call->dollars += x->charge.dollars;
    call->tokens += x->charge.tokens;
    TRY(put_call(remote, x, err));
    const struct egress_record record = {
        .run = remote->options.journal ? journal_run_number(remote->options.journal) : 0,
        .call = call->number + 1,
        .attempt = call->attempts,
        .url = text_of(remote_http_url(remote->http)),
        .body = body};
    if (remote->options.egress)
        TRY(egress_add(remote->options.egress, &record, err));
    make_key(remote, x, header);
    remote_http_post(remote->http, body, header, fmax(x->end_s - clock_now_s(), 0.001),
                     &x->attempt);
    ledger->calls++;
    ledger->sent_bytes += x->attempt.sent_bytes;
    ledger->received_bytes += x->attempt.received_bytes;
    call->sent_bytes += x->attempt.sent_bytes;
    call->received_bytes += x->attempt.received_bytes;
    if (is_unpaid(&x->attempt)) {
        ledger_release(ledger, &x->charge);
        call->dollars -= x->charge.dollars;
        call->tokens -= x->charge.tokens;
    }
    return put_call(remote, x, err);
}

/* Uniform in [0, 1), from the system: the order of retries among clients must not agree. */
static double random_share(void)
{
    uint32_t bits = 0;
    if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
        bits = (uint32_t)(clock_now_s() * 1e9);
    return bits / 4294967296.0;
}

/* Waits before the next attempt; false when the deadline does not leave time for it. */
static bool wait_for_retry(const struct remote *remote, const struct exchange *x,
                           uint32_t tries)
{
    double most = remote->options.retry_wait_s * (double)(1u << (tries < 16 ? tries : 16));
    if (most > RETRY_WAIT_MAX_S)
        most = RETRY_WAIT_MAX_S;
    double wait_s = most * random_share();
    if (x->attempt.retry_after_s > wait_s)
        wait_s = x->attempt.retry_after_s;
    if (clock_now_s() + wait_s >= x->end_s)
        return false;
    clock_sleep_ms((int)(wait_s * 1000));
    return true;
}

/* Sends until there is a 200, a final refusal, or no attempt left. */
static enum status send_until(struct remote *remote, struct exchange *x, struct error *err)
{
    for (uint32_t tries = 0;; tries++) {
        remote->ledger->retries += tries > 0;
        TRY(send_once(remote, x, err));
        if (is_answered(x))
            return OK;
        if (!is_worth_retrying(&x->attempt) || tries + 1 >= remote->options.attempts_max ||
            !wait_for_retry(remote, x, tries))
            return explain(remote, x, err);
    }
}

/* ---- a call ---- */

static enum status write_body(struct remote *remote, const struct remote_message *messages,
                              uint32_t count, struct exchange *x, struct error *err)
{
    text_buf_clear(&x->body);
    remote_wire_write(&remote->wire, messages, count, &x->body);
    if (x->body.failed)
        FAIL(err, ERR_MEMORY, "remote: no memory");
    x->call.request = text_buf_text(&x->body);
    return OK;
}

/* Takes the call out of the journal as far as it is there. */
static enum status recall(struct remote *remote, const struct remote_message *messages,
                          uint32_t count, struct exchange *x, struct error *err)
{
    bool is_known = false;
    struct journal_call past = {0};
    if (!remote->options.journal)
        return OK;
    arena_rewind(&remote->arena, 0);
    TRY(journal_find_call(remote->options.journal, x->call.number, &past, &remote->arena,
                          &is_known, err));
    if (!is_known)
        return OK;
    remote_wire_match(&remote->wire, past.request);
    TRY(write_body(remote, messages, count, x, err));
    if (!text_equal(past.request, text_buf_text(&x->body)))
        FAIL(err, ERR_FORMAT,
             "run %" PRId64
             ": call %u was sent with another request; the run cannot be gone on "
             "with",
             journal_run_number(remote->options.journal), past.number + 1);
    past.request = text_buf_text(&x->body);
    x->call = past;
    struct ledger *ledger = remote->ledger;
    ledger->calls += past.attempts;
    ledger->retries += past.attempts > 0 ? past.attempts - 1 : 0;
    ledger->sent_bytes += past.sent_bytes;
    ledger->received_bytes += past.received_bytes;
    ledger->remote_prompt_tokens += past.prompt_tokens;
    ledger->remote_output_tokens += past.output_tokens;
    ledger->dollars += past.dollars;
    ledger->tokens += past.tokens;
    ledger->is_estimated |= past.is_estimated;
    return OK;
}

static enum status take_recalled(const struct exchange *x, struct remote_reply *reply,
                                 struct error *err)
{
    text_buf_clear(&reply->content);
    text_buf_add(&reply->content, x->call.reply);
    reply->is_cut = x->call.is_cut;
    reply->prompt_tokens = x->call.prompt_tokens;
    reply->output_tokens = x->call.output_tokens;
    if (reply->content.failed)
        FAIL(err, ERR_MEMORY, "remote: no memory for the reply");
    return OK;
}

/* Reads the 200 at hand, settles what it cost, and notes it. */
static enum status take_answer(struct remote *remote, struct exchange *x,
                               struct remote_reply *reply, struct error *err)
{
    struct journal_call *call = &x->call;
    TRY(remote_wire_read(&remote->wire, text_buf_text(&x->attempt.body), reply, err));
    if (!reply->has_usage) {
        reply->prompt_tokens = x->body.size / 4 + 1;
        reply->output_tokens = reply->content.size / 4 + 1;
        remote->ledger->is_estimated = true;
    }
    const double before = remote->ledger->dollars;
    const uint64_t tokens_before = remote->ledger->tokens;
    ledger_settle(remote->ledger, &x->charge, reply->prompt_tokens, reply->output_tokens);
    call->dollars += remote->ledger->dollars - before;
    call->tokens += remote->ledger->tokens - tokens_before;
    call->is_answered = true;
    call->is_estimated = !reply->has_usage;
    call->reply = text_buf_text(&reply->content);
    call->is_cut = reply->is_cut;
    call->prompt_tokens = reply->prompt_tokens;
    call->output_tokens = reply->output_tokens;
    return put_call(remote, x, err);
}

static enum status send(struct remote *remote, const struct remote_message *messages,
                        uint32_t count, struct exchange *x, struct error *err)
{
    enum status status = send_until(remote, x, err);
    while (status != OK && x->attempt.end == REMOTE_HTTP_ANSWERED && x->attempt.status == 400 &&
           remote_wire_learn(&remote->wire, text_buf_text(&x->attempt.body))) {
        TRY(write_body(remote, messages, count, x, err));
        status = send_until(remote, x, err);
    }
    return status;
}

static enum status keep_dry(struct remote *remote, const struct exchange *x,
                            struct remote_reply *reply, struct error *err)
{
    text_buf_add(&remote->dry, text_buf_text(&x->body));
    text_buf_byte(&remote->dry, '\n');
    text_buf_clear(&reply->content);
    text_buf_format(&reply->content, "[the reply to call %u]", x->call.number + 1);
    if (remote->dry.failed || reply->content.failed)
        FAIL(err, ERR_MEMORY, "remote: no memory");
    return OK;
}

enum status remote_chat(struct remote *remote, const struct remote_message *messages,
                        uint32_t count, struct remote_reply *reply, struct error *err)
{
    double at_s = clock_now_s();
    struct exchange x = {.end_s = at_s + remote->options.deadline_s};
    x.call.number = remote->call_count++;
    if (remote->is_replay)
        return remote_record_next(&remote->record, reply, err);
    enum status status = write_body(remote, messages, count, &x, err);
    if (status == OK && remote->options.is_dry) {
        status = keep_dry(remote, &x, reply, err);
    } else if (status == OK) {
        status = recall(remote, messages, count, &x, err);
        if (status == OK && x.call.is_answered) {
            status = take_recalled(&x, reply, err);
        } else if (status == OK) {
            status = send(remote, messages, count, &x, err);
            if (status == OK)
                status = take_answer(remote, &x, reply, err);
        }
        /* A recalled one too: the file is then the whole run's. */
        if (status == OK && remote->record.file)
            status = remote_record_add(&remote->record, x.call.request, reply, err);
    }
    clock_lap_s(&at_s, &remote->ledger->times.remote_s);
    text_buf_deinit(&x.attempt.body);
    text_buf_deinit(&x.body);
    return status;
}
