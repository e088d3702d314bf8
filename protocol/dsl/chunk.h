/*
 * chunk - the functions that cut a document into pieces.
 *
 * A piece is a span of the document wherever the text itself is one, so that its place is
 * known and equal pieces share their computation.
 */
#ifndef DSL_CHUNK_H
#define DSL_CHUNK_H

#include "protocol/dsl/modules.h"

extern const struct modules_member chunk_table[];      /* those for any text */
extern const struct modules_member chunk_code_table[]; /* those for Python source */

/* Parts (at least one) with joint between them: a span of doc when they stand so in it, else a
 * text of its own. NULL when a budget tripped. */
struct str *chunk_join(struct interp *in, struct str *doc, const struct list *parts,
                       struct text joint);
#endif
