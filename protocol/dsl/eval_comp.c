/*
 * eval_comp - comprehensions and generator expressions; see eval.h.
 *
 * One machine serves both: a stack of iterators, one per `for`. Advancing it gives the next
 * binding of all targets that passes all conditions. A list, set or dict comprehension runs it
 * to the end at once; a generator expression keeps it and is advanced item by item, so that
 * any(), next() and the like stop early as in Python.
 */
#include "protocol/dsl/eval.h"

#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"

struct machine {
    struct eval_frame frame;
    const struct ast *node;
    struct iter **iters; /* [clause_count] */
    uint32_t level;      /* the clause that is advanced next */
    bool finished, running;
};

static bool conditions_hold(struct interp *in, struct machine *m,
                            const struct ast_list *conditions, bool *hold)
{
    *hold = true;
    for (uint32_t i = 0; *hold && i < conditions->count; i++) {
        struct value value;
        if (!eval_expr(in, &m->frame, conditions->items[i], &value))
            return false;
        *hold = compare_truth(value);
    }
    return true;
}

/* One step: the innermost open clause takes its next item, or closes. *bound when all targets
 * are bound and the element is due. */
static enum iter_result step_clause(struct interp *in, struct machine *m, bool *bound)
{
    const uint32_t count = m->node->as.comprehension.clause_count;
    const struct ast_clause *clause = &m->node->as.comprehension.clauses[m->level];
    struct value item;
    bool hold;
    const enum iter_result result = iter_next(in, m->iters[m->level], &item);
    if (result == ITER_RAISED)
        return ITER_RAISED;
    if (result == ITER_END) {
        if (m->level == 0)
            return ITER_END;
        m->level--;
        return ITER_ITEM;
    }
    if (!eval_assign(in, &m->frame, clause->target, item) ||
        !conditions_hold(in, m, &clause->conditions, &hold))
        return ITER_RAISED;
    *bound = hold && m->level + 1 == count;
    if (!hold || *bound)
        return ITER_ITEM;
    if (!eval_expr(in, &m->frame, clause[1].iterable, &item))
        return ITER_RAISED;
    m->iters[++m->level] = iter_of(in, item);
    return m->iters[m->level] ? ITER_ITEM : ITER_RAISED;
}

static enum iter_result advance(struct interp *in, struct machine *m)
{
    bool bound = false;
    while (!bound) {
        const enum iter_result result = step_clause(in, m, &bound);
        if (result != ITER_ITEM)
            return result;
    }
    return ITER_ITEM;
}

static enum iter_result step_generator(struct interp *in, struct iter *iter, struct value *out)
{
    struct machine *m = iter->state;
    if (m->finished)
        return ITER_END;
    if (m->running) {
        exception_raise(in, &exception_value, "generator already executing");
        return ITER_RAISED;
    }
    if (!interp_enter(in))
        return ITER_RAISED;
    m->running = true;
    enum iter_result result = advance(in, m);
    if (result == ITER_ITEM &&
        !eval_expr(in, &m->frame, m->node->as.comprehension.element, out))
        result = ITER_RAISED;
    m->running = false;
    m->finished = result != ITER_ITEM;
    interp_leave(in);
    if (result == ITER_RAISED && !in->out_of_budget && in->raised &&
        exception_is_a(in->raised, &exception_stop_iteration)) {
        in->raised = NULL; /* it would pass for the generator's own end: PEP 479 */
        exception_raise(in, &exception_runtime, "generator raised StopIteration");
    }
    return result;
}

/* The machine's iterator for the first clause is made in the scope around. */
static bool open_machine(struct interp *in, struct eval_frame *f, const struct ast *node,
                         struct machine *m)
{
    const struct code *code = node->as.comprehension.code;
    struct value first;
    m->node = node;
    m->frame.code = code;
    m->iters = interp_alloc(in, node->as.comprehension.clause_count, sizeof *m->iters);
    if (!m->iters || !eval_expr(in, f, node->as.comprehension.clauses[0].iterable, &first))
        return false;
    m->iters[0] = iter_of(in, first);
    if (!m->iters[0])
        return false;
    struct cell **outer = interp_alloc(in, (size_t)code->free_count + 1, sizeof *outer);
    for (uint32_t i = 0; outer && i < code->free_count; i++)
        outer[i] = f->cells[code->free_from[i]];
    m->frame.cells = outer ? eval_cells(in, code, outer) : NULL;
    return m->frame.cells != NULL;
}

static bool open_generator(struct interp *in, struct eval_frame *f, const struct ast *node,
                           struct value *out)
{
    struct machine *m = INTERP_NEW(in, struct machine);
    if (!m || !open_machine(in, f, node, m))
        return false;
    m->frame.slots =
        interp_alloc(in, (size_t)m->frame.code->slot_count + 1, sizeof *m->frame.slots);
    struct iter *iter = m->frame.slots ? iter_new(in, step_generator, "generator") : NULL;
    if (!iter)
        return false;
    iter->state = m;
    *out = iter_value(iter);
    return true;
}

static bool collect(struct interp *in, struct machine *m, struct value *out)
{
    const struct ast *node = m->node;
    const enum ast_display display = node->as.comprehension.display;
    struct list *list = display == AST_DISPLAY_LIST ? list_new(in, 0) : NULL;
    struct dict *dict = display == AST_DISPLAY_LIST ? NULL : dict_new(in);
    if (!list && !dict)
        return false;
    *out = list                         ? value_list(list)
           : display == AST_DISPLAY_SET ? value_set(dict)
                                        : value_dict(dict);
    for (;;) {
        struct value element, value = value_none();
        const enum iter_result result = advance(in, m);
        if (result != ITER_ITEM)
            return result == ITER_END;
        if (!eval_expr(in, &m->frame, node->as.comprehension.element, &element))
            return false;
        if (node->as.comprehension.value &&
            !eval_expr(in, &m->frame, node->as.comprehension.value, &value))
            return false;
        if (!(list ? list_push(in, list, element) : dict_set(in, dict, element, value)))
            return false;
    }
}

bool eval_comprehension(struct interp *in, struct eval_frame *f, const struct ast *node,
                        struct value *out)
{
    const uint32_t stack_used = in->stack_used;
    struct machine m = {0};
    if (node->as.comprehension.display == AST_DISPLAY_GENERATOR)
        return open_generator(in, f, node, out);
    m.frame.slots = interp_push(in, node->as.comprehension.code->slot_count);
    const bool fine = m.frame.slots && open_machine(in, f, node, &m) && collect(in, &m, out);
    in->stack_used = stack_used;
    return fine;
}
