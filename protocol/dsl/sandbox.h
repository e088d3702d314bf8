/*
 * sandbox - a child process that computes and can do nothing else.
 *
 *     sandbox_start -> (sandbox_send, sandbox_receive)* -> sandbox_stop
 *
 * The child is a fork: it sees the parent's memory as it was, and runs serve(self, socket) with
 *   - no descriptors but that socket, no environment;
 *   - no more memory than it had at its start and memory_bytes, no files, no core dumps;
 *   - on Linux with seccomp, no system calls but those for memory, time and reading and writing
 *     (it cannot open anything even if it were taken over; the call kills it).
 * It dies with the parent. Under a sanitizer, whose run-time needs more, only the first holds.
 *
 * A message is its size (8 bytes) and so many bytes. The parent waits for one until a deadline
 * and then kills.
 *
 * Thread   one thread at a time. The parent may have more: the child calls nothing before its
 *          serve that is not safe after fork, and serve should use memory and arithmetic alone.
 */
#ifndef DSL_SANDBOX_H
#define DSL_SANDBOX_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct sandbox {
    pid_t child; /* 0: none */
    int socket;
};

/* How a wait ended. */
enum sandbox_end { SANDBOX_DONE, SANDBOX_TIMED_OUT, SANDBOX_DIED, SANDBOX_TOO_LARGE };

struct sandbox_options {
    size_t memory_bytes;
    void (*serve)(void *self, int socket); /* never comes back to the caller */
    void *self;
};

/* ERR_IO, ERR_MEMORY: the system gives no process. */
MUST_USE enum status sandbox_start(struct sandbox *sandbox,
                                   const struct sandbox_options *options, struct error *err);
void sandbox_stop(struct sandbox *sandbox); /* kills; safe on a zeroed struct */

/* From the parent. A message larger than size_max is not taken in. */
enum sandbox_end sandbox_send(struct sandbox *sandbox, struct text message, double wait_s);
enum sandbox_end sandbox_receive(struct sandbox *sandbox, size_t size_max, double wait_s,
                                 struct text_buf *message);

/* Whether this build permits few system calls: not under a sanitizer, nor on a processor whose
 * list nobody wrote. */
bool sandbox_is_strict(void);

/* From the child; false: the parent is gone. */
bool sandbox_put(int socket, struct text message);
bool sandbox_get(int socket, struct text_buf *message);

#endif
