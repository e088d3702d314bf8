/*
 * run_record - what the journal keeps of a run beside its calls and jobs: the question, the
 * command line and the folder that it was given in, and the hashes of its documents, so that it
 * can be gone on with and shown.
 *
 *     {"question", "folder", "argv", "documents": [{"path", "bytes", "sha256"}], "way"}
 */
#ifndef TOOLS_RUN_RECORD_H
#define TOOLS_RUN_RECORD_H

#include "base/error.h"
#include "base/text.h"
#include "protocol/minions/documents.h"
#include "protocol/minions/journal.h"

struct run_record {
    struct text question;
    int argc;
    char **argv; /* argv[0] is the command */
    const struct documents *documents;
    const char *way; /* of an evaluation; NULL: none */
};

/* Opens the journal where it always is, or at path. ERR_IO, ERR_FORMAT. */
MUST_USE enum status run_record_open(struct journal **journal, const char *path,
                                     struct error *err);

/* Begins a run with that record. */
MUST_USE enum status run_record_begin(struct journal *journal, const struct run_record *record,
                                      int64_t *run, struct error *err);

/* The documents must be those that the jobs at hand were done on: ERR_FORMAT when what the
 * journal kept (options) names others. */
MUST_USE enum status run_record_check(struct text options, int64_t run,
                                      const struct documents *documents, struct error *err);

#endif
