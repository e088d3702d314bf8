/*
 * job_output - what a worker replied, as a value: an answer, an honest "none", or neither.
 *
 * A reply should be one JSON object {"explanation", "citation", "answer"}. Servers without a
 * schema wrap it in prose or a fence: the outermost braces are taken. Nothing here is an
 * error: a reply that cannot be read is an outcome like the others.
 *
 * A citation counts only when it is verbatim in the chunk after white-space folding. Then its
 * text is the chunk's own spelling and its place is known; otherwise it is dropped.
 */
#ifndef MINIONS_JOB_OUTPUT_H
#define MINIONS_JOB_OUTPUT_H

#include "base/arena.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum job_output_kind {
    JOB_OUTPUT_ANSWER,
    JOB_OUTPUT_NONE,      /* the chunk does not say: answer null, empty, or "none" */
    JOB_OUTPUT_TRUNCATED, /* cut off by the token limit before it could be read */
    JOB_OUTPUT_UNREADABLE,
    JOB_OUTPUT_UNGROUNDED, /* an answer without a citation that the chunk holds */
    JOB_OUTPUT_KINDS
};

struct job_output {
    enum job_output_kind kind;
    struct text explanation, citation, answer; /* empty where there is none */
    size_t citation_offset;                    /* in the chunk, when citation is not empty */
};

/* Reads reply against its chunk; is_cut: the reply ended at its token limit. Texts lie in the
 * arena (citation in the chunk); a full arena makes the reply unreadable. */
void job_output_parse(struct text reply, bool is_cut, struct text chunk, struct arena *arena,
                      struct job_output *output);

/* The kind in a word: "grounded", "none", "truncated", "unreadable", "ungrounded". */
const char *job_output_grade(enum job_output_kind kind);

/* Whether an answer's text says that there is none: empty, "none", "null", "n/a", "not
 * mentioned", in any case, with closing marks. */
bool job_output_is_none(struct text answer);

/* The outermost {...} of a reply that may have prose around it; empty when there is none. */
struct text job_output_find_object(struct text reply);

#endif
