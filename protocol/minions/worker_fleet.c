/* worker_fleet - see worker_fleet.h. */
#include "protocol/minions/worker_fleet.h"

#include "base/clock.h"
#include "base/json.h"
#include "protocol/minions/remote_http.h"
#include "protocol/minions/remote_wire.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IN_FLIGHT_DEFAULT = 8,
    FAILS_MAX = 3,    /* in a row, before a rest */
    TRIALS_MAX = 5,   /* rests in a row, before a server counts as dead */
    ATTEMPTS_MIN = 4, /* of a request; at least one more than there are servers */
    WORDS_BYTES = 120,
};
#define REPLY_MAX      ((size_t)16 << 20)
#define CONNECT_S      5.0
#define TIMEOUT_S      300.0
#define REST_S         0.5
#define REST_MAX_S     30.0
#define MODELS_S       10.0
#define MODELS_MAX     ((size_t)1 << 20)
#define WAIT_S         1.0 /* at most, between two looks at who may be tried again */
#define MODEL_FALLBACK "default"

/* A connection of a server: one request at a time. */
struct slot {
    struct remote_http *http;
    struct remote_http_attempt attempt;
    struct text_buf body;
    struct worker_fleet_request *request; /* NULL: free, or asking for the model's name */
};

struct server {
    char *url;
    struct slot *slots; /* [in_flight] */
    struct slot models; /* GET /v1/models */
    uint32_t running, fails, rests;
    double rest_until_s;
    bool is_here, is_ours, knows_model, is_asking, wants_no_format;
    struct text_buf model;
    uint64_t sent, received;
    char reason[WORKER_FLEET_REASON_BYTES]; /* of its last failure */
};

struct worker_fleet {
    struct remote_http_multi *multi;
    struct server servers[WORKER_FLEET_SERVERS_MAX];
    uint32_t server_count, in_flight;
    double timeout_s, rest_s;
    const struct egress *egress;
    int64_t run;
    uint32_t calls;
    struct worker_groups groups;
    struct worker_line retries, over;
    uint32_t count; /* requests that the fleet has, those over included */
};

uint64_t worker_fleet_hash(struct text text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ (uint8_t)text.data[i]) * 0x100000001b3u;
    return hash;
}

static struct worker_fleet_request *request_of(struct worker_ticket *ticket)
{
    return (struct worker_fleet_request *)ticket; /* its first member */
}

enum status worker_fleet_add(struct worker_fleet *fleet, struct worker_fleet_request *request,
                             struct error *err)
{
    TRY(worker_groups_add(&fleet->groups, &request->ticket, err));
    fleet->count++;
    return OK;
}

/* ---- which server may, and what it takes ---- */

static bool is_resting(const struct server *server, double now_s)
{
    return now_s < server->rest_until_s;
}

static bool has_room(const struct worker_fleet *fleet, const struct server *server)
{
    /* After a rest, one request is a trial. */
    return server->running < (server->rests > 0 ? 1 : fleet->in_flight) && !server->is_asking;
}

/* Whether a request that has failed elsewhere is for this server: not when a better one is. */
static bool is_fit(const struct worker_fleet *fleet, const struct server *server,
                   const struct worker_fleet_request *request)
{
    const uint32_t self = (uint32_t)(server - fleet->servers);
    if (!(request->tried >> self & 1) && server->fails == 0)
        return true;
    for (uint32_t i = 0; i < fleet->server_count; i++)
        if (i != self && !(request->tried >> i & 1) && fleet->servers[i].fails == 0)
            return false;
    return true;
}

static struct worker_fleet_request *choose(struct worker_fleet *fleet, struct server *server)
{
    const int self = (int)(server - fleet->servers);
    struct worker_ticket *retry = fleet->retries.first;
    if (retry && is_fit(fleet, server, request_of(retry)))
        return request_of(worker_groups_leave(&fleet->retries));
    return request_of(worker_groups_take(&fleet->groups, self, 2 * fleet->in_flight));
}

/* ---- sending ---- */

static enum status write_body(const struct server *server,
                              const struct worker_fleet_request *request, struct text_buf *body,
                              struct error *err)
{
    struct json_writer w = {.out = body};
    text_buf_clear(body);
    text_buf_byte(body, '{');
    if (request->is_named) {
        text_buf_add(body, TEXT("\"model\":"));
        json_write_text(&w, text_buf_text(&server->model));
        text_buf_byte(body, ',');
    }
    const bool has_own = server->is_ours && request->own_format.size > 0;
    if (!request->is_plain && !server->wants_no_format)
        text_buf_add(body, has_own ? request->own_format : request->format);
    text_buf_add(body, text_slice(request->body, 1, SIZE_MAX));
    if (body->failed)
        FAIL(err, ERR_MEMORY, "workers: no memory for a request of %zu bytes",
             request->body.size);
    return OK;
}

static enum status log_egress(struct worker_fleet *fleet, const struct slot *slot,
                              struct error *err)
{
    const struct egress_record record = {.run = fleet->run,
                                         .call = ++fleet->calls,
                                         .attempt = slot->request->attempts + 1,
                                         .url = text_of(remote_http_url(slot->http)),
                                         .body = text_buf_text(&slot->body)};
    return egress_add(fleet->egress, &record, err);
}

static enum status send_request(struct worker_fleet *fleet, struct server *server,
                                struct worker_fleet_request *request, struct error *err)
{
    struct slot *slot = server->slots;
    while (slot->request)
        slot++; /* has_room: there is one */
    slot->request = request;
    server->running++;
    if (server->wants_no_format)
        request->is_plain = true;
    TRY(write_body(server, request, &slot->body, err));
    if (!server->is_here && fleet->egress)
        TRY(log_egress(fleet, slot, err));
    return remote_http_start(slot->http, fleet->multi, text_buf_text(&slot->body),
                             fleet->timeout_s, &slot->attempt, err);
}

/* One more request for this server, or the question for its model. */
static enum status feed(struct worker_fleet *fleet, struct server *server, bool *is_fed,
                        struct error *err)
{
    if (is_resting(server, clock_now_s()) || !has_room(fleet, server))
        return OK;
    if (!server->knows_model) {
        *is_fed = server->is_asking = true;
        return remote_http_start(server->models.http, fleet->multi, (struct text){0},
                                 fmin(MODELS_S, fleet->timeout_s), &server->models.attempt,
                                 err);
    }
    struct worker_fleet_request *request = choose(fleet, server);
    if (!request)
        return OK;
    *is_fed = true;
    return send_request(fleet, server, request, err);
}

/* One by one in turn, so that groups are spread. */
static enum status feed_all(struct worker_fleet *fleet, struct error *err)
{
    for (bool is_fed = true; is_fed;) {
        is_fed = false;
        for (uint32_t i = 0; i < fleet->server_count; i++)
            TRY(feed(fleet, &fleet->servers[i], &is_fed, err));
    }
    return OK;
}

/* ---- what came back ---- */

static void rest(struct worker_fleet *fleet, struct server *server, double at_least_s)
{
    server->rests++;
    const double wait_s = fmax(fmin(at_least_s, fleet->timeout_s),
                               fmin(REST_MAX_S, ldexp(fleet->rest_s, (int)server->rests - 1)));
    server->rest_until_s = clock_now_s() + wait_s;
    worker_groups_abandon(&fleet->groups, (int)(server - fleet->servers));
}

/* Nothing that is sent to it will ever be taken: it is not asked again. */
static bool is_locked(const struct remote_http_attempt *attempt)
{
    return attempt->end == REMOTE_HTTP_ANSWERED &&
           (attempt->status == 401 || attempt->status == 403);
}

/* Why an attempt failed, in the server's own words where it has some. */
static void explain(const struct remote_http_attempt *attempt,
                    char reason[WORKER_FLEET_REASON_BYTES])
{
    char words[WORDS_BYTES] = "";
    if (attempt->end != REMOTE_HTTP_ANSWERED) {
        (void)snprintf(reason, WORKER_FLEET_REASON_BYTES, "%.150s", attempt->reason);
    } else if (attempt->status == 200) {
        (void)snprintf(reason, WORKER_FLEET_REASON_BYTES, "its reply is no completion");
    } else if (is_locked(attempt)) {
        (void)snprintf(reason, WORKER_FLEET_REASON_BYTES,
                       "HTTP %ld: the key is refused; set COHORT_WORKERS_KEY", attempt->status);
    } else {
        remote_wire_words(text_buf_text(&attempt->body), words, sizeof(words));
        (void)snprintf(reason, WORKER_FLEET_REASON_BYTES, "HTTP %ld%s%s", attempt->status,
                       words[0] ? ": " : "", words);
    }
}

static void note_failure(struct worker_fleet *fleet, struct server *server,
                         const struct remote_http_attempt *attempt)
{
    const bool is_busy = attempt->status == 429 || attempt->status == 503;
    explain(attempt, server->reason);
    server->fails++;
    if (is_locked(attempt)) {
        rest(fleet, server, 0);
        server->rests = TRIALS_MAX;
        server->rest_until_s = (double)INFINITY;
    }
    if (is_resting(server, clock_now_s()))
        return; /* sent before the rest began */
    if (is_busy || server->rests > 0 || server->fails >= FAILS_MAX)
        rest(fleet, server, is_busy ? attempt->retry_after_s : 0);
}

static void note_success(struct server *server)
{
    server->fails = server->rests = 0;
    server->rest_until_s = 0;
}

static bool is_completion(struct text body)
{
    struct json *root = NULL;
    const bool is_json = json_parse(body, REPLY_MAX, &root, NULL) == OK;
    const struct json *choices = json_get(root, "choices");
    const bool is_whole = is_json && json_type(choices) == JSON_ARRAY && json_first(choices);
    json_free(root);
    return is_whole;
}

static void end_request(struct worker_fleet *fleet, struct slot *slot,
                        enum worker_fleet_end end)
{
    struct worker_fleet_request *request = slot->request;
    const struct text_buf dropped = request->reply;
    request->end = end;
    request->status = slot->attempt.end == REMOTE_HTTP_ANSWERED ? slot->attempt.status : 0;
    request->reply = slot->attempt.body; /* handed over */
    slot->attempt.body = dropped;
    worker_groups_join(&fleet->over, &request->ticket);
}

static void give_elsewhere(struct worker_fleet *fleet, struct server *server, struct slot *slot)
{
    struct worker_fleet_request *request = slot->request;
    const uint32_t most =
        fleet->server_count + 1 > ATTEMPTS_MIN ? fleet->server_count + 1 : ATTEMPTS_MIN;
    const bool is_busy = is_locked(&slot->attempt) ||
                         (slot->attempt.end == REMOTE_HTTP_ANSWERED &&
                          (slot->attempt.status == 429 || slot->attempt.status == 503));
    note_failure(fleet, server, &slot->attempt);
    request->tried |= 1u << (server - fleet->servers);
    if (slot->attempt.end != REMOTE_HTTP_UNCONNECTED && !is_busy)
        request->attempts++; /* the others are the server's affair alone */
    (void)snprintf(request->reason, sizeof(request->reason), "%s", server->reason);
    if (request->attempts < most)
        worker_groups_join(&fleet->retries, &request->ticket);
    else
        end_request(fleet, slot, WORKER_FLEET_FAILED);
}

static enum status end_attempt(struct worker_fleet *fleet, struct server *server,
                               struct slot *slot, struct error *err)
{
    struct worker_fleet_request *request = slot->request;
    const struct remote_http_attempt *attempt = &slot->attempt;
    const long status = attempt->end == REMOTE_HTTP_ANSWERED ? attempt->status : 0;
    const bool is_formatted = request->format.size > 0 && !request->is_plain;
    const uint32_t self = (uint32_t)(server - fleet->servers);
    server->sent += attempt->sent_bytes;
    server->received += attempt->received_bytes;
    server->running--;
    if (status == 200 && is_completion(text_buf_text(&attempt->body))) {
        note_success(server);
        server->wants_no_format |= request->plain_on == self + 1;
        end_request(fleet, slot, WORKER_FLEET_ANSWERED);
    } else if (status == 400 && is_formatted) {
        /* Whether the format is at fault shows when it is asked without. */
        request->is_plain = true;
        request->plain_on = self + 1;
        slot->request = NULL;
        return send_request(fleet, server, request, err);
    } else if (status == 400 || status == 413 || status == 422) {
        note_success(server);
        explain(attempt, request->reason);
        end_request(fleet, slot, WORKER_FLEET_REFUSED);
    } else {
        give_elsewhere(fleet, server, slot);
    }
    slot->request = NULL;
    return OK;
}

/* Whether the list has NAME:joboutput beside the name, as our own servers' has. */
static bool lists_job_output(const struct json *list, struct text name)
{
    const struct text ending = TEXT(":joboutput");
    for (const struct json *item = json_first(list); item; item = json_next(item)) {
        struct text id = {0};
        if (json_text(json_get(item, "id"), &id) && id.size == name.size + ending.size &&
            text_starts(id, name) && text_ends(id, ending))
            return true;
    }
    return false;
}

/* The first model's name; a server without such a list is asked by a name that few look at. */
static void take_model(struct worker_fleet *fleet, struct server *server)
{
    const struct remote_http_attempt *attempt = &server->models.attempt;
    struct json *root = NULL;
    struct text name = TEXT(MODEL_FALLBACK);
    server->is_asking = false;
    const bool is_heard = attempt->end == REMOTE_HTTP_ANSWERED;
    if (is_heard && attempt->status == 200 &&
        json_parse(text_buf_text(&attempt->body), MODELS_MAX, &root, NULL) == OK)
        (void)json_text(json_get(json_first(json_get(root, "data")), "id"), &name);
    const bool has_none =
        attempt->status == 404 || attempt->status == 405 || attempt->status == 501;
    if (!is_heard || (attempt->status != 200 && !has_none) ||
        (attempt->status == 200 && !root)) {
        note_failure(fleet, server, attempt);
    } else {
        text_buf_add(&server->model, name);
        server->knows_model = !server->model.failed;
        server->is_ours = root && lists_job_output(json_get(root, "data"), name);
    }
    json_free(root);
}

static enum status take(struct worker_fleet *fleet, const struct remote_http *http,
                        struct error *err)
{
    for (uint32_t i = 0; i < fleet->server_count; i++) {
        struct server *server = &fleet->servers[i];
        if (server->models.http == http)
            take_model(fleet, server);
        for (uint32_t j = 0; j < fleet->in_flight; j++)
            if (server->slots[j].http == http)
                return end_attempt(fleet, server, &server->slots[j], err);
    }
    return OK;
}

static enum status check_alive(const struct worker_fleet *fleet, struct error *err)
{
    struct text_buf names = {0};
    for (uint32_t i = 0; i < fleet->server_count; i++) {
        const struct server *server = &fleet->servers[i];
        if (server->rests < TRIALS_MAX) {
            text_buf_deinit(&names);
            return OK;
        }
        text_buf_format(&names, "%s%s (%.80s)", i > 0 ? ", " : "", server->url, server->reason);
    }
    (void)error_set(err, ERR_REMOTE, __FILE__, __LINE__, "workers: none answers: %.*s",
                    TEXT_ARG(text_buf_text(&names)));
    text_buf_deinit(&names);
    return ERR_REMOTE;
}

enum status worker_fleet_next(struct worker_fleet *fleet, struct worker_fleet_request **request,
                              struct error *err)
{
    *request = NULL;
    while (fleet->over.count == 0 && fleet->count > 0) {
        double wait_s = WAIT_S;
        const double now_s = clock_now_s();
        TRY(feed_all(fleet, err));
        TRY(check_alive(fleet, err));
        for (uint32_t i = 0; i < fleet->server_count; i++)
            if (is_resting(&fleet->servers[i], now_s))
                wait_s = fmin(wait_s, fleet->servers[i].rest_until_s - now_s);
        const struct remote_http *http = remote_http_multi_wait(fleet->multi, wait_s);
        if (http)
            TRY(take(fleet, http, err));
    }
    if (fleet->over.count == 0)
        return OK;
    *request = request_of(worker_groups_leave(&fleet->over));
    fleet->count--;
    return OK;
}

/* ---- open, close ---- */

static enum status open_slot(struct slot *slot, const struct worker_fleet_options *options,
                             const struct remote_http_options *http, struct error *err)
{
    char value[4096];
    TRY(remote_http_open(&slot->http, http, err));
    if (!options->key || !options->key[0])
        return OK;
    if (strlen(options->key) > sizeof(value) - 16)
        FAIL(err, ERR_LIMIT, "COHORT_WORKERS_KEY: %zu bytes, at most %zu are sent",
             strlen(options->key), sizeof(value) - 16);
    (void)snprintf(value, sizeof(value), "Bearer %s", options->key);
    const enum status status = remote_http_header(slot->http, "Authorization", value, err);
    explicit_bzero(value, sizeof(value));
    return status;
}

/* The base with /v1 where it has no path of its own. */
static char *base_url(struct text url)
{
    struct text_buf whole = {0};
    while (text_ends(url, TEXT("/")))
        url.size--;
    const size_t scheme = text_find(url, TEXT("://"), 0);
    const size_t host = scheme == SIZE_MAX ? 0 : scheme + 3;
    const bool has_path = text_find(url, TEXT("/"), host) != SIZE_MAX;
    text_buf_format(&whole, "%.*s%s", TEXT_ARG(url), has_path ? "" : "/v1");
    if (!whole.failed)
        return whole.data;
    text_buf_deinit(&whole);
    return NULL;
}

static enum status open_server(struct worker_fleet *fleet, struct text url,
                               const struct worker_fleet_options *options, struct error *err)
{
    if (fleet->server_count == WORKER_FLEET_SERVERS_MAX)
        FAIL(err, ERR_LIMIT, "workers: more than %d addresses", WORKER_FLEET_SERVERS_MAX);
    struct server *server = &fleet->servers[fleet->server_count++];
    server->slots = calloc(fleet->in_flight, sizeof(*server->slots));
    server->url = base_url(url);
    if (!server->url || !server->slots)
        FAIL(err, ERR_MEMORY, "workers: no memory");
    struct remote_http_options http = {.url = text_of(server->url),
                                       .path = "/chat/completions",
                                       .connect_s = CONNECT_S,
                                       .stall_s = fleet->timeout_s,
                                       .response_max = REPLY_MAX,
                                       .allows_private = true};
    for (uint32_t i = 0; i < fleet->in_flight; i++)
        TRY(open_slot(&server->slots[i], options, &http, err));
    http.path = "/models";
    http.response_max = MODELS_MAX;
    TRY(open_slot(&server->models, options, &http, err));
    server->is_here = remote_http_is_here(server->models.http);
    text_buf_add(&server->model, text_of(options->model));
    server->knows_model = options->model || options->asks_no_model;
    return OK;
}

static enum status open_servers(struct worker_fleet *fleet,
                                const struct worker_fleet_options *options, struct error *err)
{
    const struct text urls = text_of(options->urls);
    TRY(remote_http_multi_open(&fleet->multi, err));
    for (size_t at = 0; at <= urls.size;) {
        size_t end = text_find(urls, TEXT(","), at);
        end = end == SIZE_MAX ? urls.size : end;
        const struct text url = text_trim(text_slice(urls, at, end));
        if (url.size == 0)
            FAIL(err, ERR_FORMAT, "--workers: an address is empty");
        TRY(open_server(fleet, url, options, err));
        at = end + 1;
    }
    return OK;
}

enum status worker_fleet_open(struct worker_fleet **out,
                              const struct worker_fleet_options *options, struct error *err)
{
    struct worker_fleet *fleet = calloc(1, sizeof(*fleet));
    if (!fleet)
        FAIL(err, ERR_MEMORY, "workers: no memory");
    fleet->in_flight = options->in_flight ? options->in_flight : IN_FLIGHT_DEFAULT;
    fleet->timeout_s = options->timeout_s > 0 ? options->timeout_s : TIMEOUT_S;
    fleet->rest_s = options->rest_s > 0 ? options->rest_s : REST_S;
    fleet->egress = options->egress;
    fleet->run = options->run;
    worker_groups_init(&fleet->groups);
    const enum status status = open_servers(fleet, options, err);
    if (status != OK) {
        worker_fleet_close(fleet);
        return status;
    }
    *out = fleet;
    return OK;
}

static void close_slot(struct slot *slot)
{
    remote_http_close(slot->http);
    text_buf_deinit(&slot->attempt.body);
    text_buf_deinit(&slot->body);
}

void worker_fleet_close(struct worker_fleet *fleet)
{
    if (!fleet)
        return;
    for (uint32_t i = 0; i < fleet->server_count; i++) {
        struct server *server = &fleet->servers[i];
        for (uint32_t j = 0; server->slots && j < fleet->in_flight; j++)
            close_slot(&server->slots[j]);
        close_slot(&server->models);
        text_buf_deinit(&server->model);
        free(server->slots);
        free(server->url);
    }
    remote_http_multi_close(fleet->multi);
    worker_groups_deinit(&fleet->groups);
    free(fleet);
}

void worker_fleet_bytes(const struct worker_fleet *fleet, struct worker_fleet_bytes *bytes)
{
    *bytes = (struct worker_fleet_bytes){0};
    for (uint32_t i = 0; i < fleet->server_count; i++) {
        const struct server *server = &fleet->servers[i];
        if (server->is_here)
            continue;
        const size_t at = strlen(bytes->hosts);
        const char *host = strstr(server->url, "://") + 3; /* checked: it is a URL */
        (void)snprintf(bytes->hosts + at, sizeof(bytes->hosts) - at, "%s%.*s",
                       at > 0 ? ", " : "", (int)strcspn(host, "/"), host);
        bytes->sent += server->sent;
        bytes->received += server->received;
    }
}
