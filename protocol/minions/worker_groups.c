/* worker_groups - see worker_groups.h. */
#include "protocol/minions/worker_groups.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NOBODY = WORKER_GROUPS_NOBODY, CAPACITY_FIRST = 256 };

void worker_groups_join(struct worker_line *line, struct worker_ticket *ticket)
{
    ticket->next = NULL;
    if (line->last)
        line->last->next = ticket;
    else
        line->first = ticket;
    line->last = ticket;
    line->count++;
}

struct worker_ticket *worker_groups_leave(struct worker_line *line)
{
    struct worker_ticket *ticket = line->first;
    if (!ticket)
        return NULL;
    line->first = ticket->next;
    if (!line->first)
        line->last = NULL;
    line->count--;
    return ticket;
}

void worker_groups_init(struct worker_groups *groups)
{
    for (uint32_t i = 0; i < WORKER_GROUPS_HOMES; i++)
        groups->homes[i].owner = NOBODY;
}

void worker_groups_deinit(struct worker_groups *groups)
{
    free(groups->groups);
    groups->groups = NULL;
}

static uint32_t home_index(uint64_t name)
{
    return (uint32_t)(name ^ (name >> 32)) & (WORKER_GROUPS_HOMES - 1);
}

static void drop(struct worker_groups *groups, uint32_t index)
{
    groups->count--; /* in order: the oldest stays the first */
    memmove(&groups->groups[index], &groups->groups[index + 1],
            (groups->count - index) * sizeof(*groups->groups));
}

static enum status grow(struct worker_groups *groups, struct error *err)
{
    if (groups->count < groups->capacity)
        return OK;
    const uint32_t capacity = groups->capacity ? groups->capacity * 2 : CAPACITY_FIRST;
    struct worker_group *more = realloc(groups->groups, capacity * sizeof(*more));
    if (!more)
        FAIL(err, ERR_MEMORY, "workers: no memory for %u groups", capacity);
    groups->groups = more;
    groups->capacity = capacity;
    return OK;
}

enum status worker_groups_add(struct worker_groups *groups, struct worker_ticket *ticket,
                              struct error *err)
{
    uint32_t at = groups->count; /* chunk by chunk: it is most often the last */
    while (at > 0 && groups->groups[at - 1].name != ticket->group)
        at--;
    if (at == 0) {
        TRY(grow(groups, err));
        const uint32_t home = home_index(ticket->group);
        const bool is_known = groups->homes[home].name == ticket->group;
        at = ++groups->count;
        groups->groups[at - 1] = (struct worker_group){
            .name = ticket->group, .owner = is_known ? groups->homes[home].owner : NOBODY};
    }
    worker_groups_join(&groups->groups[at - 1].line, ticket);
    return OK;
}

/* Which group that server takes from; NOBODY: none. */
static int choose(const struct worker_groups *groups, int server, uint32_t help_from)
{
    int orphan = NOBODY, longest = NOBODY;
    uint32_t most = help_from;
    for (uint32_t i = 0; i < groups->count; i++) {
        const struct worker_group *group = &groups->groups[i];
        if (group->owner == server)
            return (int)i;
        if (group->owner == NOBODY && orphan == NOBODY)
            orphan = (int)i;
        if (group->line.count > most) {
            most = group->line.count;
            longest = (int)i;
        }
    }
    return orphan != NOBODY ? orphan : longest;
}

struct worker_ticket *worker_groups_take(struct worker_groups *groups, int server,
                                         uint32_t help_from)
{
    const int index = choose(groups, server, help_from);
    if (index == NOBODY)
        return NULL;
    struct worker_group *group = &groups->groups[index];
    if (group->owner == NOBODY) {
        const uint32_t home = home_index(group->name);
        group->owner = server;
        groups->homes[home].name = group->name;
        groups->homes[home].owner = server;
    }
    struct worker_ticket *ticket = worker_groups_leave(&group->line);
    if (group->line.count == 0)
        drop(groups, (uint32_t)index);
    return ticket;
}

void worker_groups_abandon(struct worker_groups *groups, int server)
{
    for (uint32_t i = 0; i < groups->count; i++)
        if (groups->groups[i].owner == server)
            groups->groups[i].owner = NOBODY;
    for (uint32_t i = 0; i < WORKER_GROUPS_HOMES; i++)
        if (groups->homes[i].owner == server)
            groups->homes[i].owner = NOBODY;
}
