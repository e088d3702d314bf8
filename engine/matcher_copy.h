/*
 * matcher_copy - strings that are copied from a chunk. A part of engine/matcher.
 */
#ifndef ENGINE_MATCHER_COPY_H
#define ENGINE_MATCHER_COPY_H

#include "engine/matcher.h"

/* Whether texts of the schema can be copied from that chunk. NULL: there is none, which is
 * ERR_FORMAT if the schema copies. ERR_LIMIT: a string has nothing in the chunk to be; not if
 * its own type is a list that leaves something else, such as null. */
MUST_USE enum status matcher_copy_check(const struct schema *schema,
                                        const struct copied *copied, struct error *err);

/* Whether there is any string of node, copied or not. */
bool matcher_copy_is_open(const struct copied *copied, const struct schema_node *node);

/* Between the quotes: whether the closing one may come, and whether byte may (true: frame then
 * stands behind it). */
bool matcher_copy_can_end(const struct copied *copied, const struct schema_node *node,
                          const struct matcher_frame *frame);
bool matcher_copy_step(const struct copied *copied, const struct schema_node *node,
                       struct matcher_frame *frame, uint8_t byte);
#endif
