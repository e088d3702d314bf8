/*
 * chunk - the functions that cut a document into pieces.
 *
 * A piece is a span of the document wherever the text itself is one, so that its place is
 * known and equal pieces share their computation.
 */
#ifndef DSL_CHUNK_H
#define DSL_CHUNK_H

#include "protocol/dsl/modules.h"

extern const struct modules_member chunk_table[];
#endif
