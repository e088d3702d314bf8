/* scripted_worker - see scripted_worker.h. */
#include "tests/harness/scripted_worker.h"

static enum status start(void *self, struct worker_job *const *jobs, uint32_t count,
                         struct arena *arena, struct error *err)
{
    struct scripted_worker *scripted = self;
    (void)err;
    scripted->jobs = jobs;
    scripted->count = count;
    scripted->done = 0;
    scripted->arena = arena;
    return OK;
}

static enum status next(void *self, struct worker_job **done, struct error *err)
{
    struct scripted_worker *scripted = self;
    (void)err;
    *done = NULL;
    if (scripted->done == scripted->count)
        return OK;
    *done = scripted->jobs[scripted->done++];
    scripted->answer(scripted->self, *done, scripted->arena);
    scripted->total++;
    return OK;
}

struct worker scripted_worker(struct scripted_worker *scripted)
{
    return (struct worker){
        .self = scripted, .start = start, .next = next, .parameters = scripted->parameters};
}
