/*
 * worker_groups - requests that wait, by group, and which server has which group.
 *
 * A server takes from its own groups first, oldest first, else it adopts the oldest that nobody
 * has, else it helps out with the longest. Who had a group is remembered when it is empty.
 *
 * Owner    zero it, then worker_groups_init; deinit frees. Tickets are the caller's.
 * Thread   one thread at a time.
 */
#ifndef MINIONS_WORKER_GROUPS_H
#define MINIONS_WORKER_GROUPS_H

#include "base/error.h"

#include <stdint.h>

enum { WORKER_GROUPS_NOBODY = -1, WORKER_GROUPS_HOMES = 8192 };

/* The head of whatever waits. */
struct worker_ticket {
    struct worker_ticket *next;
    uint64_t group;
};

/* First in, first out. Zero it before first use. */
struct worker_line {
    struct worker_ticket *first, *last;
    uint32_t count;
};

void worker_groups_join(struct worker_line *line, struct worker_ticket *ticket);
/* NULL when there is none. */
struct worker_ticket *worker_groups_leave(struct worker_line *line);

struct worker_group {
    uint64_t name;
    int owner; /* a server's number, or NOBODY */
    struct worker_line line;
};

struct worker_groups {
    struct worker_group *groups; /* [count], the oldest first; all have someone waiting */
    uint32_t count, capacity;
    struct {
        uint64_t name;
        int owner;
    } homes[WORKER_GROUPS_HOMES]; /* by the name; a collision forgets the older */
};

void worker_groups_init(struct worker_groups *groups);
void worker_groups_deinit(struct worker_groups *groups);

/* ERR_MEMORY. */
MUST_USE enum status worker_groups_add(struct worker_groups *groups,
                                       struct worker_ticket *ticket, struct error *err);
/* The next for a server, NULL when there is none; of another's groups only from those with more
 * than help_from waiting. */
struct worker_ticket *worker_groups_take(struct worker_groups *groups, int server,
                                         uint32_t help_from);
/* The server has no group any more. */
void worker_groups_abandon(struct worker_groups *groups, int server);

#endif
