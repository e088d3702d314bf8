/* scripted_server - see scripted_server.h. */
#include "tests/harness/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK_BYTES = 16384, STOP_CHECK_MS = 50, DRIP_BYTES = 7, DRIP_WAIT_US = 200 };

/* Waits until fd can be read; false when the server stops meanwhile. */
static bool wait_readable(struct scripted_server *server, int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (!atomic_load(&server->stop)) {
        if (poll(&ready, 1, STOP_CHECK_MS) > 0)
            return true;
    }
    return false;
}

static bool send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

static size_t content_length(struct text head)
{
    for (size_t at = 0; at != SIZE_MAX && at < head.size;) {
        const char *line = head.data + at;
        if (head.size - at > 15 && strncasecmp(line, "Content-Length:", 15) == 0)
            return (size_t)strtoul(line + 15, NULL, 10);
        at = text_find(head, TEXT("\n"), at);
        at = at == SIZE_MAX ? at : at + 1;
    }
    return 0;
}

/* Reads head and body of one request; false when the connection ends before. */
static bool read_request(struct scripted_server *server, int fd)
{
    struct text_buf *head = &server->heads[server->request_count];
    struct text_buf *body = &server->bodies[server->request_count];
    char block[BLOCK_BYTES];
    size_t length = SIZE_MAX;
    while (length == SIZE_MAX || body->size < length) {
        if (!wait_readable(server, fd))
            return false;
        const ssize_t got = recv(fd, block, sizeof(block), 0);
        if (got <= 0)
            return false;
        text_buf_add(length == SIZE_MAX ? head : body, (struct text){block, (size_t)got});
        if (length != SIZE_MAX)
            continue;
        const size_t end = text_find(text_buf_text(head), TEXT("\r\n\r\n"), 0);
        if (end == SIZE_MAX)
            continue;
        text_buf_add(body, text_slice(text_buf_text(head), end + 4, head->size));
        head->size = end + 2;
        length = content_length(text_buf_text(head));
    }
    server->received_bytes += body->size;
    return true;
}

static void send_reply(struct scripted_server *server, int fd,
                       const struct scripted_reply *reply)
{
    char head[512], block[BLOCK_BYTES];
    const size_t size = strlen(reply->body);
    if (reply->fault == SCRIPTED_RESET)
        return;
    if (reply->fault == SCRIPTED_HANG) {
        (void)wait_readable(server, fd); /* the client closes, or the test ends */
        return;
    }
    const bool endless = reply->fault == SCRIPTED_ENDLESS;
    const int head_size =
        snprintf(head, sizeof(head),
                 "HTTP/1.1 %d Scripted\r\nContent-Type: application/json\r\n%s%s"
                 "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                 reply->status, reply->header ? reply->header : "", reply->header ? "\r\n" : "",
                 endless ? (size_t)1 << 40 : size);
    if (!send_all(fd, head, (size_t)head_size))
        return;
    const size_t sent = reply->fault == SCRIPTED_CUT ? size / 2 : size;
    const size_t step = reply->fault == SCRIPTED_DRIP ? DRIP_BYTES : sent;
    for (size_t at = 0; at < sent; at += step) {
        const size_t some = step < sent - at ? step : sent - at;
        if (!send_all(fd, reply->body + at, some))
            return;
        server->sent_bytes += some;
        if (step < sent)
            (void)usleep(DRIP_WAIT_US); /* each drip is a packet of its own */
    }
    memset(block, ' ', sizeof(block));
    while (endless && !atomic_load(&server->stop) && send_all(fd, block, sizeof(block)))
        server->sent_bytes += sizeof(block);
}

static void *serve(void *user)
{
    struct scripted_server *server = user;
    while (wait_readable(server, server->listener)) {
        const int fd = accept(server->listener, NULL, NULL);
        const int on = 1;
        if (fd < 0)
            continue;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (server->request_count < SCRIPTED_SERVER_REQUESTS_MAX && read_request(server, fd)) {
            const uint32_t at = server->request_count++;
            const uint32_t last = server->reply_count - 1;
            send_reply(server, fd, &server->replies[at < last ? at : last]);
        }
        (void)close(fd);
    }
    return NULL;
}

bool scripted_server_start(struct scripted_server *server, const struct scripted_reply *replies,
                           uint32_t reply_count)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    memset(server, 0, sizeof(*server));
    server->replies = replies;
    server->reply_count = reply_count;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0)
        return false;
    if (bind(server->listener, (const struct sockaddr *)&address, size) != 0 ||
        listen(server->listener, 8) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&server->thread, NULL, serve, server) != 0) {
        (void)close(server->listener);
        return false;
    }
    server->port = ntohs(address.sin_port);
    return true;
}

void scripted_server_stop(struct scripted_server *server)
{
    atomic_store(&server->stop, true);
    pthread_join(server->thread, NULL);
    (void)close(server->listener);
}

void scripted_server_deinit(struct scripted_server *server)
{
    for (uint32_t i = 0; i < SCRIPTED_SERVER_REQUESTS_MAX; i++) {
        text_buf_deinit(&server->heads[i]);
        text_buf_deinit(&server->bodies[i]);
    }
}
