/*
 * serve - cohort serve: the engine behind the APIs that other programs speak.
 *
 * The port is open before the model is loaded, so that whoever waits can ask /health; a signal
 * ends that at once, as nothing is held yet. Then the main thread only waits: for a signal, or
 * for the device to fail, after which nothing can be computed any more and the process ends so
 * that whoever watches it starts it again.
 */
#include "base/clock.h"
#include "engine/engine.h"
#include "protocol/api/server.h"
#include "protocol/dsl/dsl.h"
#include "tools/cohort.h"
#include "tools/engine_args.h"
#include "tools/exit_code.h"
#include "tools/serve_minions.h"
#include "tools/state_path.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { PORT_DEFAULT = 8080, LOOK_MS = 200, MIB = 1 << 20 };

struct serve {
    struct engine_args engine_args;
    const char *address, *keys_path;
    uint32_t port, requests_max, body_mib, idle_s;
    struct args_list host_names;
    bool is_minions_batch;
    struct engine *engine;
    struct server *server;
    struct supervisor_args supervisor_args;
    struct serve_minions *minions;
};

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static void say_where(const struct serve *s)
{
    const struct engine_info *info = engine_info(s->engine);
    const bool is_v6 = strchr(s->address, ':') != NULL;
    (void)fprintf(stderr, "serving %s on %s at http://%s%s%s:%u\n", info->model_name,
                  info->device_name, is_v6 ? "[" : "", s->address, is_v6 ? "]" : "",
                  server_port(s->server));
    if (!is_loopback(s->address) && !s->keys_path)
        (void)fprintf(stderr,
                      "note: whoever reaches this address may use it; see --api-keys\n");
}

/* SIGINT and SIGTERM wait in line for sigtimedwait; threads made later have them blocked. */
static void hold_signals(sigset_t *ends)
{
    sigemptyset(ends);
    sigaddset(ends, SIGINT);
    sigaddset(ends, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, ends, NULL);
}

static enum status wait_for_end(const struct serve *s, const sigset_t *ends, struct error *err)
{
    const struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};
    while (sigtimedwait(ends, NULL, &look) < 0)
        TRY(engine_failure(s->engine, err));
    (void)fprintf(stderr, "closing\n");
    return OK;
}

/* Ends the process by one of the signals; SIGUSR1 is how the main thread says that it has
 * loaded. */
static void *hear_signals(void *self)
{
    const sigset_t *heard = self;
    int which;
    while ((which = sigwaitinfo(heard, NULL)) != SIGUSR1)
        if (which > 0) {
            (void)fprintf(stderr, "closing\n");
            _exit(EX_OK);
        }
    return NULL;
}

static enum status load(struct serve *s, const sigset_t *ends, struct error *err)
{
    sigset_t heard = *ends, before;
    pthread_t thread;
    sigaddset(&heard, SIGUSR1);
    (void)pthread_sigmask(SIG_BLOCK, &heard, &before); /* that thread's, from its start */
    const bool has_thread = pthread_create(&thread, NULL, hear_signals, &heard) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!has_thread)
        FAIL(err, ERR_MEMORY, "serve: no thread to hear signals");
    const enum status status = engine_args_open(&s->engine_args, NULL, &s->engine, err);
    (void)pthread_kill(thread, SIGUSR1);
    pthread_join(thread, NULL);
    return status;
}

static enum status run(struct serve *s, struct error *err)
{
    sigset_t ends;
    char store_path[STATE_PATH_BYTES];
    struct error why = {0};
    const bool has_folder = state_path("batches.db", store_path, &why) == OK;
    const struct server_options options = {
        .http = {.address = s->address,
                 .port = (uint16_t)s->port,
                 .hosts = s->host_names.items,
                 .host_count = s->host_names.count,
                 .requests_max = s->requests_max,
                 .body_max = (size_t)s->body_mib * MIB,
                 .idle_s = s->idle_s},
        .keys_path = s->keys_path,
        .more = serve_minions_endpoints,
        .is_minions_batch = s->is_minions_batch,
        .store_path = has_folder ? store_path : NULL,
    };
    TRY(dsl_try_limits(err)); /* while this process is small: it forks */
    hold_signals(&ends);
    TRY(server_open(&s->server, &options, err));
    TRY(load(s, &ends, err));
    TRY(server_begin(s->server, s->engine, err));
    TRY(serve_minions_open(&s->minions, s->server, s->engine, &s->supervisor_args, err));
    if (!has_folder || !server_has_batches(s->server, &why))
        (void)fprintf(stderr, "note: no files and batches are kept: %s\n", why.text);
    say_where(s);
    return wait_for_end(s, &ends, err);
}

int serve_main(int argc, char **argv)
{
    struct serve s = {
        .address = "127.0.0.1", .port = PORT_DEFAULT, .body_mib = 64, .idle_s = 75};
    supervisor_args_init(&s.supervisor_args);
    const struct args_option options[] = {
        ENGINE_ARGS(s.engine_args),
        {0, "address", "IP", ARGS_TEXT, &s.address, 0, 0,
         "to listen on (default: 127.0.0.1, this machine alone)"},
        {'p', "port", "N", ARGS_U32, &s.port, 0, UINT16_MAX, "0: any free (default: 8080)"},
        {0, "host-name", "NAME", ARGS_LIST, &s.host_names, 0, 0,
         "this server's name, where clients use one; may be repeated"},
        {0, "api-keys", "FILE", ARGS_TEXT, &s.keys_path, 0, 0,
         "demand one of these keys, one a line; nobody else may read it (default: none)"},
        SUPERVISOR_ARGS(s.supervisor_args),
        {0, "requests", "N", ARGS_U32, &s.requests_max, 1, HTTP_REQUESTS_MAX,
         "held at once; more are answered 429 (default: 2048)"},
        {0, "body-max", "MIB", ARGS_U32, &s.body_mib, 1, 1024, "of a request (default: 64)"},
        {0, "idle", "SECONDS", ARGS_U32, &s.idle_s, 1, 86400,
         "a connection without traffic is closed, and one whose request is not there whole "
         "after four times that (default: 75)"},
        {0, "minions-batch", NULL, ARGS_FLAG, &s.is_minions_batch, 0, 0,
         "a chat of two or more messages, all of users, is as many chats, answered as so many "
         "choices"},
    };
    const struct args_command command = {
        .name = "serve",
        .usage = "[options]",
        .about =
            "Serves the model over HTTP, in OpenAI's API, and as Ollama and Anthropic do; GET "
            "/openapi.json describes it.\n"
            "POST /minions answers questions about documents; --remote is its supervisor.\n"
            "Files and batches lie in batches.db in the state folder; batches that an end of "
            "this process cut off go on with the next.",
        ARGS_OPTIONS(options),
    };
    struct error err = {0};
    int rest;
    const enum args_result parsed = args_parse_words(&command, argc, argv, &rest);
    if (parsed != ARGS_GO)
        return args_exit_code(parsed);
    if (supervisor_args_lacks_model(&s.supervisor_args)) {
        (void)fprintf(stderr, "cohort serve: --remote needs --remote-model\n");
        return EX_USAGE;
    }
    const int code = run(&s, &err) == OK ? EX_OK : exit_code_fail("serve", &err);
    serve_minions_close(s.minions);
    server_close(s.server);
    engine_close(s.engine);
    return code;
}
