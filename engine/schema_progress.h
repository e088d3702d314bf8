/*
 * schema_progress - whether an object with some of its properties can still be completed.
 *
 * What a property can add to is the set of needs that are met. From each of the 32 sets the
 * fewest further properties are told by adding one property after another, those of unlisted
 * names (which may come again) once for all when the schema is compiled. No more than
 * SCHEMA_NEEDS_MAX properties that meet the same needs are of any use.
 */
#ifndef ENGINE_SCHEMA_PROGRESS_H
#define ENGINE_SCHEMA_PROGRESS_H

#include "engine/schema.h"

/* Reads again what the ways that have a value meet: before all others. */
void schema_progress_fill(struct schema_object *object);

/* Whether an object with these properties can be completed. */
bool schema_progress_can_end(const struct schema_object *object,
                             const struct schema_progress *progress);
/* The same with one more property, of that way, which has not been seen if it is listed. */
bool schema_progress_can_take(const struct schema_object *object,
                              const struct schema_progress *progress, uint32_t way);

#endif
