/* http - see http.h: the taker's side of an exchange (http_exchange.h), begin and end. */
#include "protocol/api/http.h"

#include "base/clock.h"
#include "protocol/api/http_exchange.h"
#include "protocol/api/http_read.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    CONNECTION_BYTES =
        16 << 10, /* of the library's memory for one; bounds a request's headers */
    REQUESTS_DEFAULT = 2048,
    IDLE_DEFAULT_S = 75,
    BODY_DEFAULT = 64 << 20,
    BODIES_DEFAULT = 512 << 20,
    DESCRIPTORS_KEPT = 128, /* for files, the journal, the engine */
    STREAM_BLOCK = 4096,
    BACKLOG = 1024
};

static void add_fields(struct MHD_Response *response, const struct http_reply *reply)
{
    (void)MHD_add_response_header(response, "Content-Type",
                                  reply->content_type ? reply->content_type
                                                      : "application/json");
    for (uint32_t i = 0; i < reply->field_count; i++)
        (void)MHD_add_response_header(response, reply->fields[i].name, reply->fields[i].value);
}

/* Gives the connection its response; without memory for one it is closed. Not under the lock:
 * the library holds a lock of its own in both calls, and takes ours while it reads a stream. So
 * that nobody else wakes the connection meanwhile, it is said to be in our hands. */
static void respond(struct http_exchange *x, const struct http_reply *reply,
                    struct MHD_Response *response)
{
    struct http *http = x->http;
    http_exchange_lock(http);
    x->is_answering = response && x->has_connection && !x->is_gone;
    const bool is_answering = x->is_answering;
    http_exchange_unlock(http);
    if (is_answering) {
        add_fields(response, reply);
        (void)MHD_queue_response(x->connection, (unsigned)reply->status, response);
    }
    if (response)
        MHD_destroy_response(response);
    http_exchange_lock(http);
    x->is_answering = false;
    x->is_gone = x->is_gone || !is_answering;
    http_exchange_resume(x);
    http_exchange_unlock(http);
}

/* Under the lock. */
static void let_go(struct http_exchange *x)
{
    x->is_over = true;
    x->has_taker = false;
    x->tag = 0;
    http_exchange_drop(x);
}

void http_answer(struct http_exchange *x, const struct http_reply *reply)
{
    struct http *http = x->http;
    /* The library only reads it. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply->body.size, (void *)(uintptr_t)reply->body.data, MHD_RESPMEM_MUST_COPY);
    http_exchange_lock(http);
    x->tag = 0; /* whether the client stays for it is nobody's business */
    http->counts.refused += reply->status == 429;
    http_exchange_unlock(http);
    respond(x, reply, response);
    http_exchange_lock(http);
    let_go(x);
    http_exchange_unlock(http);
}

/* Under the lock. */
static void add_piece(struct http_exchange *x, struct text piece)
{
    x->is_cut = x->is_cut || piece.size > HTTP_STREAM_BYTES_MAX - (x->out.size - x->out_at);
    if (!x->is_cut)
        text_buf_add(&x->out, piece);
    x->is_cut = x->is_cut || x->out.failed;
}

void http_begin(struct http_exchange *x, const struct http_reply *reply)
{
    struct http *http = x->http;
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BLOCK, http_read_stream, x, NULL);
    http_exchange_lock(http);
    add_piece(x, reply->body);
    http_exchange_unlock(http);
    respond(x, reply, response);
}

bool http_send(struct http_exchange *x, struct text piece)
{
    struct http *http = x->http;
    http_exchange_lock(http);
    add_piece(x, piece);
    const bool is_read = !x->is_gone && !x->is_cut;
    http_exchange_resume(x);
    http_exchange_unlock(http);
    return is_read;
}

void http_end(struct http_exchange *x)
{
    struct http *http = x->http;
    http_exchange_lock(http);
    x->is_over = true;
    http_exchange_resume(x);
    let_go(x);
    http_exchange_unlock(http);
}

const struct http_request *http_exchange_request(const struct http_exchange *x)
{
    return &x->request;
}

bool http_exchange_tag(struct http_exchange *x, uint64_t tag)
{
    http_exchange_lock(x->http);
    x->tag = tag;
    const bool is_there = !x->is_gone;
    http_exchange_unlock(x->http);
    return is_there;
}

bool http_exchange_is_gone(struct http_exchange *x)
{
    http_exchange_lock(x->http);
    const bool is_gone = x->is_gone;
    http_exchange_unlock(x->http);
    return is_gone;
}

struct http_exchange *http_next(struct http *http, int wait_ms)
{
    struct http_exchange *x;
    return queue_pull(&http->whole, &x, wait_ms) ? x : NULL;
}

/* The other side of this exchange has hung up. */
static void note_gone(struct http *http, uint64_t key)
{
    struct http_exchange *x = &http->exchanges[(uint32_t)key];
    http_exchange_lock(http);
    if (x->generation == key >> 32 && x->has_connection && x->has_taker && !x->is_gone) {
        http_exchange_tell_gone(x);
        http_exchange_resume(x); /* the library finds it closed */
    }
    http_exchange_unlock(http);
}

/* Milliseconds to wait for what else happens; -1: as long as it takes. */
static int pass_deadlines(struct http *http)
{
    http_exchange_lock(http);
    const double now_s = clock_now_s();
    http->counts.refused += http_deadline_pass(&http->deadlines, now_s);
    const int left_ms = http_deadline_wait_ms(&http->deadlines, now_s);
    http_exchange_unlock(http);
    return left_ms;
}

static bool is_stopped(struct http *http)
{
    http_exchange_lock(http);
    const bool is_stopped = http->is_stopped;
    http_exchange_unlock(http);
    return is_stopped;
}

bool http_gone(struct http *http, uint64_t *tag, int wait_ms)
{
    enum { AT_ONCE = 64 };
    struct epoll_event events[AT_ONCE];
    while (!queue_pull(&http->tags, tag, 0)) {
        const int left_ms = pass_deadlines(http);
        const bool is_ours = left_ms >= 0 && (wait_ms < 0 || left_ms < wait_ms);
        const int count = epoll_wait(http->watch, events, AT_ONCE, is_ours ? left_ms : wait_ms);
        uint64_t wakes;
        if ((count == 0 && !is_ours) || (count < 0 && errno != EINTR) || is_stopped(http))
            return false;
        for (int i = 0; i < count; i++) {
            if (events[i].data.u64 != HTTP_EXCHANGE_WAKE)
                note_gone(http, events[i].data.u64);
            else if (read(http->wake, &wakes, sizeof wakes) < 0)
                assert(errno == EAGAIN);
        }
    }
    return true;
}

void http_count(struct http *http, struct http_counts *counts)
{
    http_exchange_lock(http);
    *counts = http->counts;
    http_exchange_unlock(http);
}

static void no_log(void *self, const char *format, va_list arguments)
{
    (void)self;
    (void)format;
    (void)arguments;
}

/* Raises the limit on descriptors as far as it goes, and says how many connections that is. */
static uint32_t connections_of(uint32_t asked)
{
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return asked;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    const uint64_t room = limit.rlim_cur > 2 * DESCRIPTORS_KEPT
                              ? limit.rlim_cur - DESCRIPTORS_KEPT
                              : DESCRIPTORS_KEPT;
    return asked > 0 && asked < room ? asked : room < UINT32_MAX ? (uint32_t)room : UINT32_MAX;
}

uint32_t http_requests_max(const struct http_options *options)
{
    return options->requests_max ? options->requests_max : REQUESTS_DEFAULT;
}

static enum status take_options(struct http *http, const struct http_options *from,
                                struct error *err)
{
    struct http_options *to = &http->options;
    *to = *from;
    to->address = from->address ? from->address : "127.0.0.1";
    to->connections_max = connections_of(from->connections_max);
    to->requests_max = http_requests_max(from);
    to->body_max = from->body_max ? from->body_max : BODY_DEFAULT;
    to->body_bytes_max = from->body_bytes_max ? from->body_bytes_max : BODIES_DEFAULT;
    to->idle_s = from->idle_s ? from->idle_s : IDLE_DEFAULT_S;
    if (to->requests_max > HTTP_REQUESTS_MAX)
        FAIL(err, ERR_LIMIT, "requests: %u held at once, at most %d", to->requests_max,
             HTTP_REQUESTS_MAX);
    return OK;
}

static enum status make_tables(struct http *http, struct error *err)
{
    const uint32_t count = http->options.requests_max + HTTP_REQUESTS_SPARE;
    struct epoll_event woken = {.events = EPOLLIN, .data.u64 = HTTP_EXCHANGE_WAKE};
    TRY(queue_init(&http->whole, count, sizeof(struct http_exchange *), err));
    TRY(queue_init(&http->tags, count, sizeof(uint64_t), err));
    http->exchanges = calloc(count, sizeof *http->exchanges);
    if (!http->exchanges || pthread_mutex_init(&http->lock, NULL) != 0)
        FAIL(err, ERR_MEMORY, "http: no memory for %u requests", count);
    http->has_lock = true;
    http->exchange_count = count;
    for (uint32_t i = count; i-- > 0; http->free = &http->exchanges[i])
        http->exchanges[i] = (struct http_exchange){.slot = i, .next_free = http->free};
    http->watch = epoll_create1(EPOLL_CLOEXEC);
    http->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (http->watch < 0 || http->wake < 0 ||
        epoll_ctl(http->watch, EPOLL_CTL_ADD, http->wake, &woken) != 0)
        FAIL(err, ERR_IO, "http: epoll: %s", strerror(errno));
    return OK;
}

static enum status listen_on(struct http *http, struct error *err)
{
    const struct http_options *options = &http->options;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(options->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(options->port)};
    const bool is_v6 = inet_pton(AF_INET6, options->address, &v6.sin6_addr) == 1;
    if (!is_v6 && inet_pton(AF_INET, options->address, &v4.sin_addr) != 1)
        FAIL(err, ERR_FORMAT, "address %.64s: want an IP address", options->address);
    const struct sockaddr *address =
        is_v6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4;
    errno = 0;
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
            (is_v6 ? MHD_USE_IPv6 : 0U),
        options->port, NULL, NULL, http_read_request, http, MHD_OPTION_EXTERNAL_LOGGER, no_log,
        NULL, MHD_OPTION_SOCK_ADDR, address, MHD_OPTION_NOTIFY_COMPLETED, http_read_completed,
        http, MHD_OPTION_NOTIFY_CONNECTION, http_read_connection, http,
        MHD_OPTION_CONNECTION_LIMIT, options->connections_max, MHD_OPTION_CONNECTION_TIMEOUT,
        options->idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_LISTEN_BACKLOG_SIZE,
        (unsigned)BACKLOG, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK,
        http_read_unescape, NULL, MHD_OPTION_END);
    if (!http->daemon)
        FAIL(err, ERR_IO, "%s port %u: %s", options->address, options->port,
             errno ? strerror(errno) : "cannot be listened on");
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
    http->port = info ? info->port : options->port;
    return OK;
}

enum status http_open(struct http **http, const struct http_options *options, struct error *err)
{
    struct http *made = calloc(1, sizeof *made);
    if (!made)
        FAIL(err, ERR_MEMORY, "http: no memory for %zu bytes", sizeof *made);
    made->watch = made->wake = -1;
    enum status status = take_options(made, options, err);
    if (status == OK)
        status = make_tables(made, err);
    if (status == OK)
        status = listen_on(made, err);
    if (status != OK) {
        http_close(made);
        return status;
    }
    *http = made;
    return OK;
}

uint16_t http_port(const struct http *http)
{
    return http->port;
}

void http_stop(struct http *http)
{
    http_exchange_lock(http);
    http->is_stopped = true;
    http_exchange_unlock(http);
    queue_close(&http->whole);
    http_exchange_wake(http);
}

/* The library must not be stopped while a connection is suspended. */
static void let_all_go(struct http *http)
{
    struct http_exchange *x;
    while (queue_pull(&http->whole, &x, 0)) {
        http_exchange_lock(http);
        let_go(x);
        http_exchange_unlock(http);
    }
    http_exchange_lock(http);
    for (uint32_t i = 0; i < http->exchange_count; i++) {
        http->exchanges[i].is_gone = true;
        http_exchange_resume(&http->exchanges[i]);
    }
    http_exchange_unlock(http);
}

void http_close(struct http *http)
{
    if (!http)
        return;
    if (http->daemon) {
        http_stop(http);
        let_all_go(http);
        MHD_stop_daemon(http->daemon);
        assert(http->counts.requests == 0);
    }
    if (http->whole.items)
        queue_deinit(&http->whole);
    if (http->tags.items)
        queue_deinit(&http->tags);
    if (http->watch >= 0)
        (void)close(http->watch);
    if (http->wake >= 0)
        (void)close(http->wake);
    if (http->has_lock)
        pthread_mutex_destroy(&http->lock);
    free(http->exchanges);
    free(http);
}
