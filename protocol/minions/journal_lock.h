/*
 * journal_lock - which process is at which run of a journal.
 *
 * While a run is held, the byte of its number in FILE.lock is locked: a lock goes with its
 * process, whatever ends it.
 */
#ifndef MINIONS_JOURNAL_LOCK_H
#define MINIONS_JOURNAL_LOCK_H

#include "base/error.h"

#include <stdint.h>

/* Takes the run for this process, in place of what *lock (-1: nothing) held. ERR_LIMIT another
 * process is at it, or the path is too long; ERR_IO. On failure *lock is -1. */
MUST_USE enum status journal_lock_take(int *lock, const char *journal_path, int64_t run,
                                       struct error *err);
void journal_lock_drop(int *lock);

#endif
