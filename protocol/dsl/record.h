/*
 * record - JobManifest, JobOutput and Job: the only objects whose attributes a program sets.
 *
 * They behave as the pydantic models that supervisors know: fields by keyword, checked when
 * constructed, freely assignable afterwards; an unknown keyword is ignored.
 */
#ifndef DSL_RECORD_H
#define DSL_RECORD_H

#include "protocol/dsl/value.h"

enum { RECORD_FIELDS_MAX = 8 };

struct record {
    const struct type *type;
    struct value fields[RECORD_FIELDS_MAX]; /* in the order of record_field_name */
};

enum record_manifest_field {
    RECORD_CHUNK,
    RECORD_TASK,
    RECORD_ADVICE,
    RECORD_CHUNK_ID,
    RECORD_TASK_ID,
    RECORD_JOB_ID
};
enum record_output_field { RECORD_EXPLANATION, RECORD_CITATION, RECORD_ANSWER };
enum record_job_field {
    RECORD_MANIFEST,
    RECORD_OUTPUT,
    RECORD_SAMPLE,
    RECORD_INCLUDE,
    RECORD_GRADE /* hidden */
};

extern const struct type record_job_manifest, record_job_output, record_job;

/* Without those that are hidden: they stand last, are read by name, and are neither compared,
 * printed nor dumped, so that a program sees the classes as the reference has them. */
uint32_t record_field_count(const struct type *type);
const char *record_field_name(const struct type *type, uint32_t index);
/* -1 when the class has no such field. */
int32_t record_field_find(const struct type *type, struct text name);

/* All fields None. */
struct record *record_new(struct interp *in, const struct type *type);
/* model_dump() */
struct dict *record_dump(struct interp *in, const struct record *record);

static inline struct value record_value(struct record *record)
{
    return (struct value){.kind = VALUE_RECORD, .as.record = record};
}
#endif
