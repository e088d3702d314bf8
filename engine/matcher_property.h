/*
 * matcher_property - which properties may come next in an object, so that it can still be
 * completed. A part of engine/matcher.
 */
#ifndef ENGINE_MATCHER_PROPERTY_H
#define ENGINE_MATCHER_PROPERTY_H

#include "engine/matcher.h"

/* One of this option of a way; one of any of them. */
bool matcher_property_fits(const struct schema_object *object,
                           const struct matcher_frame *frame, uint32_t way,
                           struct schema_option option);
bool matcher_property_way_fits(const struct schema_object *object,
                               const struct matcher_frame *frame, uint32_t way);
/* One whose name goes on from where frame is in it. */
bool matcher_property_can_come(const struct schema_object *object,
                               const struct matcher_frame *frame);

#endif
