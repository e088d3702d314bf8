/*
 * matcher_property - which properties may come next in an object, so that it can still be
 * completed. A part of engine/matcher.
 *
 * That hangs on the object and the properties that it has, not on how far the next one's name
 * has been read: what was found is kept for some objects that were asked for lately, so that
 * the bytes of a name cost a look at two sets.
 *
 * A name that is not listed may come twice, and readers differ in which of its values counts.
 * Where a property may meet by its value what some property must meet (schema_object.by_value),
 * names are told apart by a hash, as far as the bits of seen behind the listed names go: one
 * that may have come before meets nothing anew, and must meet again what it might have met.
 * Then it does not matter which of the values counts. A name in which a character is escaped
 * counts as one that came before.
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

/* A property whose name, as frame has read it, goes that way. False: of this option it does not
 * fit. True: *named is frame with it, and nothing said yet of where it stands. */
bool matcher_property_take(const struct schema_object *object,
                           const struct matcher_frame *frame, uint32_t way,
                           struct schema_option option, struct matcher_frame *named);
/* A name's byte, for telling whether it came before. */
void matcher_property_read(const struct schema_object *object, struct matcher_frame *frame,
                           uint8_t byte);
/* Which of the other ways are of any that fits, as bits. */
uint64_t matcher_property_others(const struct schema_object *object,
                                 const struct matcher_frame *frame);
/* Whether one fits whose name goes on from where frame is in it. */
bool matcher_property_can_come(struct matcher_properties *kept,
                               const struct schema_object *object,
                               const struct matcher_frame *frame);

#endif
