/*
 * sse - server-sent events (HTML standard, section 9.2) out of a body.
 *
 *     struct sse sse = {.rest = body};
 *     while (sse_next(&sse)) ... sse.event, sse.data
 *     sse_deinit(&sse);
 *
 * Lines end with LF, CR or both. Comments and fields that nobody here needs are passed over. An
 * event that the body breaks off in is not given: an event ends with an empty line.
 */
#ifndef MINIONS_SSE_H
#define MINIONS_SSE_H

#include "base/text.h"

#include <stdbool.h>

struct sse {
    struct text rest;     /* of the body: what was not read yet */
    struct text event;    /* of the last event: its name, empty where it has none */
    struct text_buf data; /* its data lines, a newline between them */
};

/* Goes to the next event with data; false when there is none, or no memory (data.failed). */
bool sse_next(struct sse *sse);
void sse_deinit(struct sse *sse);

#endif
