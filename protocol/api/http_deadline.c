/* http_deadline - see http_deadline.h. */
#include "protocol/api/http_deadline.h"

#include <limits.h>
#include <stddef.h>
#include <sys/socket.h>

void http_deadline_clear(struct http_deadlines *all, struct http_deadline *one)
{
    if (!one->is_set)
        return;
    *(one->before ? &one->before->after : &all->first) = one->after;
    *(one->after ? &one->after->before : &all->last) = one->before;
    one->before = one->after = NULL;
    one->is_set = false;
}

bool http_deadline_set(struct http_deadlines *all, struct http_deadline *one, double at_s)
{
    http_deadline_clear(all, one);
    one->at_s = at_s;
    one->is_set = true;
    one->before = all->last;
    *(all->last ? &all->last->after : &all->first) = one;
    all->last = one;
    return all->first == one;
}

uint32_t http_deadline_pass(struct http_deadlines *all, double now_s)
{
    uint32_t count = 0;
    for (; all->first && all->first->at_s <= now_s; count++) {
        (void)shutdown(all->first->descriptor, SHUT_RDWR);
        http_deadline_clear(all, all->first);
    }
    return count;
}

int http_deadline_wait_ms(const struct http_deadlines *all, double now_s)
{
    if (!all->first)
        return -1;
    const double left_ms = (all->first->at_s - now_s) * 1000 + 1;
    return left_ms < 1 ? 1 : left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}
