/*
 * news - what a run of rounds does, job by job, for whoever watches it.
 *
 * The conductor puts it into a queue and never waits: where that is full, news are dropped, and
 * the watcher's picture lacks them. Texts are copied, cut where they are long.
 */
#ifndef MINIONS_NEWS_H
#define MINIONS_NEWS_H

#include "base/queue.h"
#include "base/text.h"
#include "protocol/minions/job_output.h"

#include <stdint.h>

enum { NEWS_TEXT_BYTES = 240 };

enum news_kind {
    NEWS_JOB_PLANNED,    /* chunk, task, document, offset, size; text: the task */
    NEWS_JOB_DONE,       /* a worker has replied */
    NEWS_JOB_JUDGED,     /* outcome; text: the answer */
    NEWS_PROGRAM_REFUSED /* text: why, as the supervisor is told */
};

struct news {
    enum news_kind kind;
    uint32_t round;      /* from 1 */
    uint32_t job;        /* of the round, from 0 */
    int32_t chunk, task; /* which, from 0 */
    int32_t document;    /* whose span the chunk is; -1: the program made it up */
    size_t offset, size; /* of the chunk in the document */
    enum job_output_kind outcome;
    uint32_t text_size;
    char text[NEWS_TEXT_BYTES];
};

/* to NULL: nobody watches. text is copied behind news. */
void news_tell(struct queue *to, const struct news *news, struct text text);

#endif
