/*
 * state_path - where the command keeps what must outlive it: $COHORT_STATE, else
 * $XDG_STATE_HOME/cohort, else ~/.local/state/cohort.
 */
#ifndef TOOLS_STATE_PATH_H
#define TOOLS_STATE_PATH_H

#include "base/error.h"

#include <stddef.h>

enum { STATE_PATH_BYTES = 4096 };

/* Writes the path of a file there, and makes the folder (for its user alone). ERR_IO: it cannot
 * be made, or no variable says where; ERR_LIMIT: the path is too long. */
MUST_USE enum status state_path(const char *file, char path[STATE_PATH_BYTES],
                                struct error *err);

#endif
