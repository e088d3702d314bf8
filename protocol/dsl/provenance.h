/*
 * provenance - which span of which document a chunk is.
 */
#ifndef DSL_PROVENANCE_H
#define DSL_PROVENANCE_H

#include "protocol/dsl/interp.h"

/* Fills job->document and job->offset: what the str remembers, else a search for its text in
 * the documents. false: a budget tripped. */
bool provenance_locate(struct interp *in, const struct str *chunk, struct dsl_job *job);

/* The chunk of an earlier job as a str: a span of its document where it is one. */
struct str *provenance_chunk(struct interp *in, const struct dsl_job *job);
#endif
