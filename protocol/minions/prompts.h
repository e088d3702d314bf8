/*
 * prompts - every word that we say to a model, in one place.
 *
 * Each call appends one message to a text_buf. What comes from documents and workers is put
 * between marks and called data, so that a model can tell it from what is asked of it.
 * The description of the documents holds names and sizes, never their text.
 */
#ifndef MINIONS_PROMPTS_H
#define MINIONS_PROMPTS_H

#include "base/text.h"
#include "protocol/dsl/dsl.h"
#include "protocol/minions/documents.h"

#include <stdbool.h>
#include <stdint.h>

/* What the supervisor is asked before the first round: what to look for. */
void prompts_advice(struct text_buf *buf, struct text question,
                    const struct documents *documents);

enum { PROMPTS_TASKS_MAX = 4 };

/* What the user wants of the supervisor's program. Zero: nothing was said. */
struct prompts_wishes {
    uint32_t tasks_max;  /* different tasks a round; 0: PROMPTS_TASKS_MAX */
    uint32_t chunk_size; /* characters */
    uint32_t chunks_max; /* only so many chunks, the best by BM25 */
};

/* One round, and what carries over from the one before (empty in the first). */
struct prompts_turn {
    uint32_t round, rounds_max; /* 1 .. rounds_max */
    struct text feedback, scratchpad;
    struct prompts_wishes wishes;
};

/* Asks for the program of one round and describes the language's world. */
void prompts_decompose(struct text_buf *buf, struct text question,
                       const struct prompts_turn *turn);

/* Why the program before was not taken. An exception's message can quote the documents: only
 * messages about names, types and the program's own text are passed on. */
void prompts_repair(struct text_buf *buf, const struct dsl_fault *fault);

/* One worker's message: the chunk before the task, so that jobs on a chunk share it. */
void prompts_worker(struct text_buf *buf, const struct dsl_job *job);

/* Gives the supervisor what the workers found and asks for its decision as JSON. */
void prompts_synthesize(struct text_buf *buf, struct text question, struct text findings,
                        bool must_answer);
/* Says that the decision could not be read, and what it must look like. */
void prompts_synthesize_again(struct text_buf *buf, bool must_answer);

/* The plain Minion protocol: opens the talk of at most messages_max messages to the worker. */
void prompts_talk(struct text_buf *buf, struct text question, const struct documents *documents,
                  uint32_t messages_max);
/* Gives the supervisor what the worker replied, and asks what next. */
void prompts_heard(struct text_buf *buf, const struct dsl_output *heard, bool must_answer);
/* Says that the last reply could not be read. */
void prompts_talk_again(struct text_buf *buf, bool must_answer);

/* What the local model's last answer is written from. */
struct prompts_sources {
    struct text question;
    const struct text *passages; /* [count] */
    uint32_t count;
    struct text notes; /* what workers answered; may be empty */
};

/* The local model's last task: a short answer from the best passages. */
void prompts_final(struct text_buf *buf, const struct prompts_sources *sources);

/* What stands before the question when a passage is scored against it. */
void prompts_score(struct text_buf *buf, struct text passage);

/* The whole documents and the question in one message: what MinionS is measured against. texts
 * are the documents as far as they are to be sent. */
void prompts_whole(struct text_buf *buf, struct text question,
                   const struct documents *documents, const struct text *texts);

/* Asks for a verdict on an answer. */
void prompts_judge(struct text_buf *buf, struct text question, struct text expected,
                   struct text answer);
/* Says that the verdict could not be read. */
#define PROMPTS_JUDGE_AGAIN                                                                    \
    "That could not be read. Reply with {\"right\": \"yes\"} or {\"right\": \"no\"} alone."

#endif
