/*
 * memory_plan - what an engine on a model would take here, and how many jobs it would hold.
 *
 * The sizes are engine_look's: the model is loaded and the engine planned as when it is opened.
 */
#ifndef TOOLS_MEMORY_PLAN_H
#define TOOLS_MEMORY_PLAN_H

#include "base/json.h"
#include "engine/engine.h"

/* A job as they are here: a chunk of a document, a task with advice, an answer. */
enum { MEMORY_PLAN_SHARED = 800, MEMORY_PLAN_OWN = 250, MEMORY_PLAN_OUT = 100 };

struct memory_plan {
    const char *precision; /* "exact", "int8" */
    struct engine_info info;
    uint32_t jobs;      /* of that size side by side, nothing shared */
    struct error error; /* status OK, or why there is no plan: info and jobs are nothing */
};

/* Fills plan; what cannot be planned is in plan->error. */
void memory_plan_make(const struct engine_options *options, struct memory_plan *plan);

/* Jobs of that many tokens which fit the pool at once, and which may run at once. */
uint32_t memory_plan_jobs(const struct engine_info *info, uint32_t tokens);

void memory_plan_show(const struct memory_plan *plan, struct text_buf *out);
void memory_plan_write(const struct memory_plan *plan, struct json_writer *w);

#endif
