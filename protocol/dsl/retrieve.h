/*
 * retrieve - bm25_retrieve_top_k_chunks, for programs: the chunks that go best with keywords.
 *
 *     bm25_retrieve_top_k_chunks(keywords, chunks, weights=None, k=10)
 *
 * keywords is a list of words or phrases, or a dict of them with their weights; weights names
 * those that do not weigh 1. The k best by BM25Plus come back in the order in which they were
 * given, as the same strings; of equals the earlier ones. Words are compared as base/words.h
 * says, not letter by letter as in the protocol's reference.
 */
#ifndef DSL_RETRIEVE_H
#define DSL_RETRIEVE_H

#include "protocol/dsl/modules.h"

extern const struct modules_member retrieve_table[];
#endif
