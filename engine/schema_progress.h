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

/* Needs that a property of the way may meet by its value. */
uint32_t schema_progress_may_meet(const struct schema_object *object, uint32_t way);
/* Whether a property that meets these may come where met are met: so that of the reserved names
 * there are always as many as needs that they can meet. */
bool schema_progress_is_free(const struct schema_object *object, uint32_t way, uint32_t met,
                             uint32_t meets);
/* The same where its name may have come before: it must not make a difference. */
bool schema_progress_may_repeat(const struct schema_object *object, uint32_t way, uint32_t met,
                                uint32_t meets);

/* Whether an object with these properties can be completed. */
bool schema_progress_can_end(const struct schema_object *object,
                             const struct schema_progress *progress);
/* The same with one more property, of that way, which has not been seen if it is listed. */
bool schema_progress_can_take(const struct schema_object *object,
                              const struct schema_progress *progress, uint32_t way);

#endif
