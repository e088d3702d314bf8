/* http_exchange - see http_exchange.h. */
#include "protocol/api/http_exchange.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

void http_exchange_lock(struct http *http)
{
    pthread_mutex_lock(&http->lock);
}

void http_exchange_unlock(struct http *http)
{
    pthread_mutex_unlock(&http->lock);
}

void http_exchange_wake(const struct http *http)
{
    const uint64_t one = 1;
    if (write(http->wake, &one, sizeof one) < 0)
        assert(errno == EAGAIN); /* it is awake */
}

void http_exchange_tell_gone(struct http_exchange *x)
{
    x->is_gone = true;
    if (!x->tag)
        return;
    (void)!queue_push(&x->http->tags, &x->tag, 0); /* it has room for all exchanges */
    x->tag = 0;
    http_exchange_wake(x->http);
}

void http_exchange_resume(struct http_exchange *x)
{
    if (!x->is_suspended || !x->has_connection || x->is_answering)
        return;
    x->is_suspended = false;
    MHD_resume_connection(x->connection);
}

void http_exchange_suspend(struct http_exchange *x)
{
    x->is_suspended = true;
    MHD_suspend_connection(x->connection);
}

struct http_exchange *http_exchange_take(struct http *http, struct MHD_Connection *connection)
{
    http_exchange_lock(http);
    struct http_exchange *x = http->free;
    if (x) {
        http->free = x->next_free;
        http->counts.requests++;
        *x = (struct http_exchange){.http = http,
                                    .connection = connection,
                                    .slot = x->slot,
                                    .generation = x->generation + 1,
                                    .has_connection = true};
    } else {
        http->counts.refused++;
    }
    http_exchange_unlock(http);
    return x;
}

void http_exchange_drop(struct http_exchange *x)
{
    struct http *http = x->http;
    if (x->has_connection || x->has_taker)
        return;
    http->counts.requests--;
    http->counts.body_bytes -= x->body.size;
    text_buf_deinit(&x->line);
    text_buf_deinit(&x->body);
    text_buf_deinit(&x->out);
    x->next_free = http->free;
    http->free = x;
}

void http_exchange_watch(struct http_exchange *x, int descriptor)
{
    struct epoll_event watched = {.events = EPOLLRDHUP | EPOLLONESHOT,
                                  .data.u64 = (uint64_t)x->generation << 32 | x->slot};
    x->is_watched = epoll_ctl(x->http->watch, EPOLL_CTL_ADD, descriptor, &watched) == 0;
}
