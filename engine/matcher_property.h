/*
 * matcher_property - which properties may come next in an object, so that it can still be
 * completed. A part of engine/matcher.
 *
 * That hangs on the object and the properties that it has, not on how far the next one's name
 * has been read: what was found is kept for some objects that were asked for lately, so that
 * the bytes of a name cost a look at two sets.
 */
#ifndef ENGINE_MATCHER_PROPERTY_H
#define ENGINE_MATCHER_PROPERTY_H

#include "engine/matcher.h"

struct matcher_properties;

size_t matcher_property_bytes(void); /* of an arena, for one */
/* NULL: the arena is full. */
struct matcher_properties *matcher_property_new(struct arena *arena);
/* For another schema. */
void matcher_property_forget(struct matcher_properties *kept);

/* Whether one of this option of a way fits. */
bool matcher_property_fits(const struct schema_object *object,
                           const struct matcher_frame *frame, uint32_t way,
                           struct schema_option option);
/* Which of the other ways are of any that fits, as bits. */
uint64_t matcher_property_others(const struct schema_object *object,
                                 const struct matcher_frame *frame);
/* Whether one fits whose name goes on from where frame is in it. */
bool matcher_property_can_come(struct matcher_properties *kept,
                               const struct schema_object *object,
                               const struct matcher_frame *frame);

#endif
