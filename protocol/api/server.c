/* server - see server.h. */
#include "protocol/api/server.h"

#include "base/clock.h"
#include "protocol/api/refusal.h"
#include "protocol/api/server_route.h"

#include <stdlib.h>

enum {
    ARENA_BYTES = 64 << 20, /* of one request's parsing; address space until it is used */
    OTHERS_MAX = 64,
    PUMP_WAIT_MS = 100 /* an idle pump looks this often whether the server closes */
};

static void *read_requests(void *self)
{
    struct server_reader *reader = self;
    struct http_exchange *x;
    while ((x = http_next(reader->server->http, -1)))
        server_route(reader, x);
    return NULL;
}

static void *pump(void *self)
{
    struct server *server = self;
    while (!atomic_load(&server->closing))
        (void)flights_turn(server->flights, PUMP_WAIT_MS);
    return NULL;
}

static void *watch(void *self)
{
    struct server *server = self;
    uint64_t tag;
    while (http_gone(server->http, &tag, -1))
        flights_cancel(server->flights, tag);
    return NULL;
}

static enum status start_readers(struct server *server, struct error *err)
{
    for (int i = 0; i < SERVER_READERS; i++) {
        struct server_reader *reader = &server->readers[i];
        reader->server = server;
        TRY(arena_init(&reader->arena, ARENA_BYTES, err));
        if (pthread_create(&reader->thread, NULL, read_requests, reader) != 0)
            FAIL(err, ERR_IO, "server: its threads cannot be started");
        reader->has_thread = true;
    }
    return OK;
}

static enum status open_all(struct server *server, const struct server_options *options,
                            struct error *err)
{
    server->created = clock_unix_s();
    server->more = options->more;
    server->requests_max = http_requests_max(&options->http);
    server->store_path = options->store_path;
    page_init(&server->page);
    server->is_minions_batch = options->is_minions_batch;
    TRY(queue_init(&server->others, OTHERS_MAX, sizeof(struct server_request), err));
    if (options->keys_path)
        TRY(keys_read(&server->keys, options->keys_path, err));
    TRY(http_open(&server->http, &options->http, err));
    return start_readers(server, err);
}

enum status server_open(struct server **server, const struct server_options *options,
                        struct error *err)
{
    struct server *made = calloc(1, sizeof *made);
    if (!made)
        FAIL(err, ERR_MEMORY, "server: no memory for %zu bytes", sizeof *made);
    const enum status status = open_all(made, options, err);
    if (status != OK) {
        server_close(made);
        return status;
    }
    *server = made;
    return OK;
}

/* Who has no folder to keep them in, or comes second to it, does without. */
static void open_batches(struct server *server)
{
    struct error *err = &server->without_batches;
    const enum status status =
        server->store_path
            ? batches_open(&server->batches, server->engine, server->store_path, err)
            : error_set(err, ERR_IO, __FILE__, __LINE__, "there is no folder for them");
    (void)status; /* err says the same */
}

enum status server_begin(struct server *server, struct engine *engine, struct error *err)
{
    if (!engine_tokenizer(engine))
        FAIL(err, ERR_LIMIT, "the model has no tokenizer");
    server->engine = engine;
    const struct admission_shares shares = {keys_count(server->keys), server->requests_max,
                                            engine_info(engine)->sequences_max};
    TRY(admission_init(&server->admission, &shares, err));
    TRY(flights_open(&server->flights, engine, &server->admission, &server->metrics, err));
    server->has_pump = pthread_create(&server->pump, NULL, pump, server) == 0;
    server->has_watcher =
        server->has_pump && pthread_create(&server->watcher, NULL, watch, server) == 0;
    if (!server->has_watcher)
        FAIL(err, ERR_IO, "server: its threads cannot be started");
    open_batches(server);
    server->is_ready = true;
    return OK;
}

bool server_has_batches(const struct server *server, struct error *why)
{
    *why = server->without_batches;
    return server->batches != NULL;
}

uint16_t server_port(const struct server *server)
{
    return http_port(server->http);
}

bool server_next(struct server *server, struct server_request *request, int wait_ms)
{
    return queue_pull(&server->others, request, wait_ms);
}

static void stop_threads(struct server *server)
{
    if (server->http)
        http_stop(server->http);
    for (int i = 0; i < SERVER_READERS; i++)
        if (server->readers[i].has_thread)
            pthread_join(server->readers[i].thread, NULL);
    atomic_store(&server->closing, true);
    if (server->has_pump)
        pthread_join(server->pump, NULL);
    if (server->has_watcher)
        pthread_join(server->watcher, NULL);
}

void server_close(struct server *server)
{
    struct server_request request;
    if (!server)
        return;
    stop_threads(server);
    if (server->others.items) {
        queue_close(&server->others);
        while (queue_pull(&server->others, &request, 0))
            refusal_say(request.exchange, 503, "the server closes");
        queue_deinit(&server->others);
    }
    batches_close(server->batches);
    flights_close(server->flights);
    admission_deinit(&server->admission);
    http_close(server->http);
    for (int i = 0; i < SERVER_READERS; i++)
        arena_deinit(&server->readers[i].arena);
    keys_free(server->keys);
    free(server);
}
