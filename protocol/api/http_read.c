/* http_read - see http_read.h. */
#include "protocol/api/http_read.h"

#include "base/clock.h"
#include "base/json.h"
#include "protocol/api/http_exchange.h"
#include "protocol/api/http_gate.h"
#include "protocol/api/openai_reply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

static const char *const HEADER_NAMES[HTTP_HEADER_COUNT] = {
    [HTTP_AUTHORIZATION] = "Authorization",     [HTTP_X_API_KEY] = "X-Api-Key",
    [HTTP_CONTENT_TYPE] = "Content-Type",       [HTTP_IF_NONE_MATCH] = "If-None-Match",
    [HTTP_X_MINIONS_BATCH] = "X-Minions-Batch",
};

static enum http_method method_of(const char *method)
{
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        return HTTP_GET;
    return strcmp(method, "POST") == 0      ? HTTP_POST
           : strcmp(method, "DELETE") == 0  ? HTTP_DELETE
           : strcmp(method, "OPTIONS") == 0 ? HTTP_OPTIONS
                                            : HTTP_METHOD_OTHER;
}

static struct text header_of(struct MHD_Connection *connection, const char *name)
{
    return text_of(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name));
}

static enum MHD_Result add_argument(void *self, enum MHD_ValueKind kind, const char *key,
                                    const char *value)
{
    struct text_buf *line = self;
    (void)kind;
    text_buf_add(line,
                 line->size > 0 && line->data[line->size - 1] != 0 ? TEXT("&") : TEXT(""));
    text_buf_add(line, text_of(key));
    text_buf_add(line, TEXT("="));
    text_buf_add(line, text_of(value));
    return MHD_YES;
}

/* Copies path, query and headers into one buffer: the library's own go with the connection. */
static bool copy_request(struct http_exchange *x, const char *path, const char *method)
{
    size_t ends[HTTP_HEADER_COUNT + 2], begin = 0;
    struct text_buf *line = &x->line;
    text_buf_add(line, text_slice(text_of(path), 0, HTTP_PATH_MAX + 1));
    text_buf_byte(line, 0);
    ends[0] = line->size;
    (void)MHD_get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, add_argument, line);
    text_buf_byte(line, 0);
    ends[1] = line->size;
    for (int i = 0; i < HTTP_HEADER_COUNT; i++) {
        text_buf_add(line, header_of(x->connection, HEADER_NAMES[i]));
        text_buf_byte(line, 0);
        ends[i + 2] = line->size;
    }
    if (line->failed)
        return false;
    x->request.method = method_of(method);
    for (int i = 0; i < HTTP_HEADER_COUNT + 2; i++) {
        const struct text part = {line->data + begin, ends[i] - begin - 1};
        *(i == 0   ? &x->request.path
          : i == 1 ? &x->request.query
                   : &x->request.headers[i - 2]) = part;
        begin = ends[i];
    }
    return true;
}

struct refusal {
    int status;
    const char *message;
    const char *retry_after; /* seconds; NULL: none */
};

static const struct refusal NOT_OUR_HOST = {
    403, "Host: this server is not known by that name; see --host-name", NULL};
static const struct refusal NOT_OUR_SITE = {403, "Origin: pages of other sites are not served",
                                            NULL};
static const struct refusal TOO_MANY = {
    429, "too many requests are held already; try again later", "1"};
static const struct refusal BODY_TOO_LARGE = {413, "body: larger than this server takes", NULL};
static const struct refusal NO_MEMORY = {503, "there is no memory for this request", "1"};
static const struct refusal UNCLEAR_LENGTH = {
    400, "Content-Length: given twice, or beside Transfer-Encoding", NULL};
static const struct refusal PATH_TOO_LONG = {414, "path: longer than 1024 bytes", NULL};

static enum MHD_Result refuse(struct MHD_Connection *connection, const struct refusal *refusal)
{
    struct text_buf body = {0};
    struct json_writer w = {.out = &body};
    openai_reply_error(&w, &(struct reply_error){.status = refusal->status,
                                                 .text = text_of(refusal->message)});
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.size, body.failed ? NULL : body.data, MHD_RESPMEM_MUST_COPY);
    text_buf_deinit(&body);
    if (!response)
        return MHD_NO;
    (void)MHD_add_response_header(response, "Content-Type", "application/json");
    if (refusal == &UNCLEAR_LENGTH)
        (void)MHD_add_response_header(response, "Connection", "close");
    if (refusal->retry_after)
        (void)MHD_add_response_header(response, "Retry-After", refusal->retry_after);
    const enum MHD_Result result =
        MHD_queue_response(connection, (unsigned)refusal->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result count_framing(void *self, enum MHD_ValueKind kind, const char *key,
                                     const char *value)
{
    uint32_t *count = self;
    (void)kind;
    (void)value;
    *count +=
        strcasecmp(key, "Content-Length") == 0 || strcasecmp(key, "Transfer-Encoding") == 0;
    return MHD_YES;
}

/* Whether more than one header says where the body ends: the library takes one of them, a
 * proxy before us may have taken the other, and what is a body to one is a request to us. */
static bool is_unclear_length(struct MHD_Connection *connection)
{
    uint32_t count = 0;
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, count_framing, &count);
    return count > 1;
}

/* NULL: it may be read. */
static const struct refusal *refusal_of(const struct http *http,
                                        struct MHD_Connection *connection, const char *path)
{
    const struct text host = header_of(connection, "Host");
    const char *length =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    if (!http_gate_host_is_ours(host, http->options.hosts, http->options.host_count))
        return &NOT_OUR_HOST;
    if (!http_gate_origin_is_ours(header_of(connection, "Origin"), host))
        return &NOT_OUR_SITE;
    if (is_unclear_length(connection))
        return &UNCLEAR_LENGTH;
    if (strlen(path) > HTTP_PATH_MAX)
        return &PATH_TOO_LONG;
    if (length && strtoull(length, NULL, 10) > http->options.body_max)
        return &BODY_TOO_LARGE;
    return NULL;
}

static struct http_deadline *deadline_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* From now on the next request is waited for. Under the lock. */
static void set_deadline(struct http *http, struct http_deadline *deadline)
{
    const double wait_s = (double)http->options.idle_s * HTTP_REQUEST_IDLES;
    if (deadline && http_deadline_set(&http->deadlines, deadline, clock_now_s() + wait_s))
        http_exchange_wake(http);
}

/* The whole of it is there: it waits for a taker, or is answered at once. */
static enum MHD_Result pass_on(struct http_exchange *x)
{
    struct http *http = x->http;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_deadline *deadline = deadline_of(x->connection);
    x->request.body = text_buf_text(&x->body);
    http_exchange_lock(http);
    const bool is_stopped = http->is_stopped;
    if (deadline)
        http_deadline_clear(&http->deadlines, deadline);
    if (!is_stopped) {
        x->has_taker = true;
        if (info)
            http_exchange_watch(x, info->connect_fd);
        http_exchange_suspend(x);
        const bool was_pushed = queue_push(&http->whole, &x, 0);
        assert(was_pushed); /* it has room for all exchanges */
    }
    http_exchange_unlock(http);
    return is_stopped ? MHD_NO : MHD_YES;
}

static enum MHD_Result take_body(struct http_exchange *x, const char *data, size_t *size)
{
    struct http *http = x->http;
    http_exchange_lock(http);
    const bool is_large = *size > http->options.body_max - x->body.size;
    const bool has_room = *size <= http->options.body_bytes_max - http->counts.body_bytes;
    const size_t taken = x->refused || is_large || !has_room ? 0 : *size;
    if (!x->refused && is_large)
        x->refused = 413;
    else if (!x->refused && !has_room)
        x->refused = 503;
    const size_t before = x->body.size;
    text_buf_add(&x->body, (struct text){data, taken});
    http->counts.body_bytes += x->body.size - before;
    if (x->body.failed)
        x->refused = 503;
    http_exchange_unlock(http);
    *size = 0;
    return MHD_YES;
}

/* Whether its taker has had it; is_gone: nobody is left to be answered. Its taker may be
 * letting go of it just now. */
static bool is_passed_on(struct http_exchange *x, bool *is_gone)
{
    http_exchange_lock(x->http);
    const bool is_passed_on = x->has_taker || x->is_over;
    *is_gone = x->is_gone;
    http_exchange_unlock(x->http);
    return is_passed_on;
}

/* A path with a NUL in it stays as it was written: it would end there for whoever reads it. */
size_t http_read_unescape(void *self, struct MHD_Connection *connection, char *text)
{
    (void)self;
    (void)connection;
    return strstr(text, "%00") ? strlen(text) : MHD_http_unescape(text);
}

enum MHD_Result http_read_request(void *self, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **state)
{
    struct http *http = self;
    struct http_exchange *x = *state;
    bool is_gone;
    (void)version;
    if (!x) {
        const struct refusal *refusal = refusal_of(http, connection, url);
        if (refusal)
            return refuse(connection, refusal);
        x = http_exchange_take(http, connection);
        if (!x)
            return refuse(connection, &TOO_MANY);
        *state = x;
        return copy_request(x, url, method) ? MHD_YES : refuse(connection, &NO_MEMORY);
    }
    if (*upload_size > 0)
        return take_body(x, upload, upload_size);
    if (x->refused)
        return refuse(connection, x->refused == 413 ? &BODY_TOO_LARGE : &NO_MEMORY);
    return is_passed_on(x, &is_gone) ? (is_gone ? MHD_NO : MHD_YES) : pass_on(x);
}

/* The connection lets go of it. Under the lock. */
static void end_exchange(struct http_exchange *x, const union MHD_ConnectionInfo *info)
{
    if (x->is_watched && info)
        (void)epoll_ctl(x->http->watch, EPOLL_CTL_DEL, info->connect_fd, NULL);
    if (x->has_taker && !x->is_gone)
        http_exchange_tell_gone(x);
    x->has_connection = x->is_watched = x->is_suspended = false;
    http_exchange_drop(x);
}

void http_read_completed(void *self, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    struct http *http = self;
    struct http_exchange *x = *state;
    (void)why;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    http_exchange_lock(http);
    set_deadline(http, deadline_of(connection));
    if (x)
        end_exchange(x, info);
    http_exchange_unlock(http);
    *state = NULL;
}
static struct http_deadline *make_deadline(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_deadline *made = info ? calloc(1, sizeof *made) : NULL;
    if (made)
        made->descriptor = info->connect_fd;
    return made;
}

void http_read_connection(void *self, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = self;
    const bool begins = code == MHD_CONNECTION_NOTIFY_STARTED;
    struct http_deadline *deadline = begins ? make_deadline(connection) : *state;
    http_exchange_lock(http);
    http->counts.connections += begins ? 1U : -1U;
    if (begins)
        set_deadline(http, deadline);
    else if (deadline)
        http_deadline_clear(&http->deadlines, deadline);
    http_exchange_unlock(http);
    *state = begins ? deadline : NULL;
    if (!begins)
        free(deadline);
}

/* The next piece of a stream; nothing is there: the connection sleeps until http_send. */
ssize_t http_read_stream(void *self, uint64_t position, char *to, size_t max)
{
    struct http_exchange *x = self;
    struct http *http = x->http;
    (void)position;
    http_exchange_lock(http);
    const size_t left = x->out.size - x->out_at;
    ssize_t given = (ssize_t)(left < max ? left : max);
    if (given > 0) {
        memcpy(to, x->out.data + x->out_at, (size_t)given);
        x->out_at += (size_t)given;
    } else if (x->is_gone || x->is_cut) {
        given = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (x->is_over) {
        given = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        http_exchange_suspend(x);
    }
    if (x->out_at == x->out.size) {
        text_buf_clear(&x->out);
        x->out_at = 0;
    }
    http_exchange_unlock(http);
    return given;
}
