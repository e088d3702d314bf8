/*
 * http_deadline - until when a connection's next request must be there whole.
 *
 * A client that sends a byte now and then is never idle. So its time runs from the connection's
 * begin, or the end of the last reply, until the whole request is there; one that passes is
 * shut, and the library finds it closed. All have the same time, so who is set later passes
 * later: a list in order, of which the first comes next.
 *
 * Functions are called under the server's lock.
 */
#ifndef API_HTTP_DEADLINE_H
#define API_HTTP_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct http_deadline {
    struct http_deadline *before, *after;
    double at_s;    /* clock_now_s */
    int descriptor; /* the connection's */
    bool is_set;
};

struct http_deadlines {
    struct http_deadline *first, *last;
};

/* Sets one, or sets it anew: at_s is not before any other's. True: it comes next. */
bool http_deadline_set(struct http_deadlines *all, struct http_deadline *one, double at_s);
void http_deadline_clear(struct http_deadlines *all, struct http_deadline *one);

/* Shuts the connections whose time is over, and clears them: how many. */
uint32_t http_deadline_pass(struct http_deadlines *all, double now_s);
/* Milliseconds until the next passes, at least 1. -1: none is set. */
int http_deadline_wait_ms(const struct http_deadlines *all, double now_s);

#endif
