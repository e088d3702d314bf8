/* jinja - budgets; see jinja.h. */
#include "tokenizer/jinja.h"

enum status jinja_step(struct jinja *jinja, size_t bytes)
{
    const size_t cost = 1 + bytes / JINJA_STEP_BYTES;
    if (cost > JINJA_STEPS_MAX - jinja->steps)
        JINJA_FAIL(jinja, ERR_LIMIT, "past its budget of %d steps", JINJA_STEPS_MAX);
    jinja->steps += (uint32_t)cost;
    return OK;
}

enum status jinja_full(struct jinja *jinja)
{
    JINJA_FAIL(jinja, ERR_LIMIT, "past its memory of %zu bytes", jinja->arena->size);
}
