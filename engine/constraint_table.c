/* constraint_table - see constraint_table.h. */
#include "engine/constraint_table.h"

#include <assert.h>
#include <string.h>

static void unlink_one(struct constraint_table *table, struct constraint *constraint)
{
    if (constraint->before)
        constraint->before->after = constraint->after;
    else
        table->first = constraint->after;
    if (constraint->after)
        constraint->after->before = constraint->before;
    else
        table->last = constraint->before;
    table->count--;
}

static void link_first(struct constraint_table *table, struct constraint *constraint)
{
    constraint->before = NULL;
    constraint->after = table->first;
    if (table->first)
        table->first->before = constraint;
    else
        table->last = constraint;
    table->first = constraint;
    table->count++;
}

static void hold(struct constraint_table *table, struct constraint *constraint)
{
    if (constraint->holders++ > 0)
        return;
    table->idle_count--;
    table->held_bytes += constraint->arena.size;
}

static void let_go(struct constraint_table *table, struct constraint *constraint)
{
    assert(constraint->holders > 0);
    if (--constraint->holders > 0)
        return;
    table->idle_count++;
    table->held_bytes -= constraint->arena.size;
}

/* The one of that source, held once more and moved to the front; NULL: there is none. */
static struct constraint *find(struct constraint_table *table, enum constraint_kind kind,
                               struct text source)
{
    struct constraint *at = table->first;
    while (at && (at->kind != kind || !text_equal(at->source, source)))
        at = at->after;
    if (!at)
        return NULL;
    unlink_one(table, at);
    link_first(table, at);
    hold(table, at);
    return at;
}

/* Frees those that nobody holds past what is kept of them, the longest unused first. */
static void forget_idle(struct constraint_table *table, uint32_t keep)
{
    struct constraint *before;
    for (struct constraint *at = table->last; at && table->idle_count > keep; at = before) {
        before = at->before;
        if (at->holders > 0)
            continue;
        unlink_one(table, at);
        table->idle_count--;
        constraint_free(at);
    }
}

/* Puts a fresh one in its place, unless another thread was faster. */
static enum status put(struct constraint_table *table, struct constraint *made,
                       struct constraint **constraint, struct error *err)
{
    struct constraint *twin = find(table, made->kind, made->source);
    if (twin) {
        constraint_free(made);
        *constraint = twin;
        return OK;
    }
    const uint32_t held = table->count - table->idle_count;
    const size_t bytes = made->arena.size;
    if (held >= CONSTRAINT_TABLE_MAX ||
        bytes > CONSTRAINT_TABLE_BYTES_MAX - table->held_bytes) {
        constraint_free(made);
        FAIL(err, ERR_LIMIT,
             "format: jobs that have not ended hold %u schemas and patterns of %zu bytes, the "
             "limits are %d and %zu",
             held, table->held_bytes + bytes, CONSTRAINT_TABLE_MAX, CONSTRAINT_TABLE_BYTES_MAX);
    }
    made->table = table;
    link_first(table, made);
    table->idle_count++;
    hold(table, made);
    *constraint = made;
    return OK;
}

enum status constraint_table_init(struct constraint_table *table, struct error *err)
{
    *table = (struct constraint_table){0};
    if (pthread_mutex_init(&table->lock, NULL) != 0)
        FAIL(err, ERR_MEMORY, "constraints: no lock can be made");
    table->has_lock = true;
    return OK;
}

void constraint_table_deinit(struct constraint_table *table)
{
    if (!table->has_lock)
        return;
    assert(table->idle_count == table->count);
    forget_idle(table, 0);
    pthread_mutex_destroy(&table->lock);
    table->has_lock = false;
}

enum status constraint_table_take(struct constraint_table *table, enum constraint_kind kind,
                                  struct text source, struct constraint **constraint,
                                  struct error *err)
{
    struct constraint *made;
    pthread_mutex_lock(&table->lock);
    *constraint = find(table, kind, source);
    pthread_mutex_unlock(&table->lock);
    if (*constraint)
        return OK;
    TRY(constraint_new(&made, kind, source, err));
    pthread_mutex_lock(&table->lock);
    const enum status status = put(table, made, constraint, err);
    pthread_mutex_unlock(&table->lock);
    return status;
}

void constraint_table_drop(struct constraint *constraint)
{
    if (!constraint)
        return;
    struct constraint_table *table = constraint->table;
    pthread_mutex_lock(&table->lock);
    let_go(table, constraint);
    forget_idle(table, CONSTRAINT_TABLE_IDLE_MAX);
    pthread_mutex_unlock(&table->lock);
}
