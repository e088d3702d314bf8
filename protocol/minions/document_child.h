/*
 * document_child - a program that reads bytes and writes text, bounded in everything.
 *
 * The bytes are its standard input, as a file in memory: no path of the user's is given to it,
 * and none can be taken for an option. No shell; an environment of two variables; no files
 * beside its three; limits on processor time, memory, time by the clock and what it writes.
 * Whatever becomes of it, it is gone when the call returns.
 */
#ifndef MINIONS_DOCUMENT_CHILD_H
#define MINIONS_DOCUMENT_CHILD_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DOCUMENT_CHILD_SAID_MAX = 4096 };

struct document_child {
    char *const *argv;   /* ends with NULL; [0] is looked for in PATH */
    struct text input;   /* its standard input */
    uint32_t cpu_s;      /* processor time at most */
    double wait_s;       /* time by the clock at most */
    size_t memory_bytes; /* address space at most */
};

enum document_child_end {
    DOCUMENT_CHILD_ENDED,     /* by itself; exit_code says how */
    DOCUMENT_CHILD_MISSING,   /* there is no such program */
    DOCUMENT_CHILD_KILLED,    /* by a signal: it crashed, or used up its processor time */
    DOCUMENT_CHILD_TIMED_OUT, /* it was still at work */
    DOCUMENT_CHILD_TOO_LARGE  /* it wrote more than output takes */
};

struct document_child_result {
    enum document_child_end end;
    int exit_code;
    char said[DOCUMENT_CHILD_SAID_MAX]; /* the first of its standard error, NUL-terminated */
};

/* Runs it to its end. output must have a size_max and gets what it wrote. ERR_IO it could not
 * be started; ERR_MEMORY. */
MUST_USE enum status document_child_run(const struct document_child *child,
                                        struct text_buf *output,
                                        struct document_child_result *result,
                                        struct error *err);

#endif
