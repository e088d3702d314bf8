/*
 * extract - a worker that only reads: it ranks sentences, and the best become citations.
 *
 * A small model that writes nonsense can still tell which sentence a question is about: after
 * the right one, the question is less of a surprise to it. Each sentence s gets
 *
 *     score(s) = BM25+(question, s) / max BM25+
 *              + a bonus when s has the form of an answer (question.h)
 *              + EXTRACT_MODEL_WEIGHT * standardized mean log P(question | s) per token
 *
 * The model is asked about the EXTRACT_CANDIDATES sentences best without it; the others keep
 * their rank behind. What is cited is a span of the document, verbatim by construction.
 */
#ifndef MINIONS_EXTRACT_H
#define MINIONS_EXTRACT_H

#include "base/error.h"
#include "protocol/minions/documents.h"
#include "protocol/minions/jobs.h"

#include <stdint.h>

enum { EXTRACT_CANDIDATES = 12, EXTRACT_HITS_MAX = 16 };

/* A sentence of a document. */
struct extract_unit {
    uint32_t document;
    size_t offset, size;
};

struct extract_hit {
    struct extract_unit unit;
    double score; /* higher is better; comparable within one question */
};

struct extract {
    const struct documents *documents;
    struct extract_unit *units; /* [unit_count] by document, then offset */
    struct text *texts;         /* [unit_count] their bytes */
    uint32_t *headings;         /* [unit_count] the unit that heads it; itself: a heading;
                                   UINT32_MAX: none */
    struct text *contexts;      /* [unit_count] whose words count for it as well: its heading;
                                   of a row of a table, what stands before the table;
                                   of a signature, what is signed with it */
    uint32_t *by_hash;          /* [unit_count] positions by folded hash, for made-up chunks */
    uint64_t *hashes;           /* [unit_count] */
    uint32_t unit_count;
};

/* A round's jobs for extract_run, and what came of them. */
struct extract_work {
    const struct dsl_job *jobs;    /* [count] */
    struct jobs_outcome *outcomes; /* [count], filled */
    uint32_t count;
    struct extract_hit hits[EXTRACT_HITS_MAX]; /* the best over all tasks, best first; filled */
    uint32_t hit_count;
};

/* Splits the documents (borrowed) into sentences. Everything lies in the arena. ERR_MEMORY. */
MUST_USE enum status extract_init(struct extract *extract, const struct documents *documents,
                                  struct arena *arena, struct error *err);

/* What is signed, and whom for, where the sentence at that place is a signature; else empty. */
struct text extract_clause(const struct extract *extract, uint32_t document, size_t offset);

/* Runs jobs as an extracting worker: each task is a question to the sentences of the chunks
 * it is asked of. outcomes[i] holds the best sentence of jobs[i]'s chunk when it is among the
 * best EXTRACT_HITS_MAX of its task, else none. */
MUST_USE enum status extract_run(const struct extract *extract,
                                 const struct jobs_context *context, struct extract_work *work,
                                 struct error *err);

#endif
