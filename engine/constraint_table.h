/*
 * constraint_table - constraints by their source, so that jobs of one schema share one, as do
 * jobs that copy from one chunk.
 *
 * A constraint is held by the jobs that use it. What nobody holds is kept for a while, the
 * CONSTRAINT_TABLE_IDLE_MAX that were let go of last: the next job may want it again.
 *
 * Owner    the caller owns the struct; constraint_table_deinit wants all of them dropped.
 * Thread   any: a lock of its own, not held while a source is compiled.
 */
#ifndef ENGINE_CONSTRAINT_TABLE_H
#define ENGINE_CONSTRAINT_TABLE_H

#include "engine/constraint.h"

#include <pthread.h>

enum {
    CONSTRAINT_TABLE_MAX = 4096, /* held at a time */
    CONSTRAINT_TABLE_IDLE_MAX = 64
};
#define CONSTRAINT_TABLE_BYTES_MAX ((size_t)1 << 30) /* of those that are held */

struct constraint_table {
    pthread_mutex_t lock;
    bool has_lock;
    struct constraint *first, *last; /* in the order in which they were taken or let go of */
    uint32_t count, idle_count;
    size_t held_bytes;
};

MUST_USE enum status constraint_table_init(struct constraint_table *table, struct error *err);
void constraint_table_deinit(struct constraint_table *table); /* safe on a zeroed struct */

/* Gives the constraint of that source, held once more; compiles it when there is none.
 * ERR_LIMIT: too many are held, or too much; else what constraint_new says. */
MUST_USE enum status constraint_table_take(struct constraint_table *table,
                                           enum constraint_kind kind, struct text source,
                                           struct constraint **constraint, struct error *err);
/* Of one that was taken; NULL is fine. */
void constraint_table_drop(struct constraint *constraint);

#endif
