/*
 * eval - runs our tree.
 *
 * Expressions answer a bool and write their value; statements answer what happens next. Locals
 * of active calls lie on the interp's stack; variables shared with inner functions in cells.
 * Every node costs a step. The parts: eval.c statements, eval_expr.c expressions, eval_call.c
 * calls, eval_target.c assignment, eval_comp.c comprehensions.
 */
#ifndef DSL_EVAL_H
#define DSL_EVAL_H

#include "protocol/dsl/code.h"
#include "protocol/dsl/interp.h"

enum eval_flow { EVAL_NEXT, EVAL_BREAK, EVAL_CONTINUE, EVAL_RETURN, EVAL_RAISED };

struct eval_frame {
    const struct code *code;
    struct value *slots;
    struct cell **cells; /* its own, then the captured ones */
    struct value returned;
};

/* Calls any callable: function, class, method, partial. */
bool eval_call_value(struct interp *in, struct value callee, const struct args *args,
                     struct value *out);
bool eval_can_call(struct value value);
/* Runs the module's statements. */
bool eval_module(struct interp *in, const struct code *module);

/* Below: shared by the eval_*.c files. */

bool eval_expr(struct interp *in, struct eval_frame *f, const struct ast *node,
               struct value *out);
enum eval_flow eval_block(struct interp *in, struct eval_frame *f, const struct ast_list *body);
/* target = value, for names, attributes, subscripts and unpacking. */
bool eval_assign(struct interp *in, struct eval_frame *f, const struct ast *target,
                 struct value value);
bool eval_delete(struct interp *in, struct eval_frame *f, const struct ast *target);
bool eval_call(struct interp *in, struct eval_frame *f, const struct ast *node,
               struct value *out);
bool eval_comprehension(struct interp *in, struct eval_frame *f, const struct ast *node,
                        struct value *out);
bool eval_function(struct interp *in, struct eval_frame *f, const struct ast *node,
                   struct value *out);
bool eval_name(struct interp *in, struct eval_frame *f, const struct ast *node,
               struct value *out);

/* Cells of a new frame: fresh own ones, then free ones out of the frame around it. */
struct cell **eval_cells(struct interp *in, const struct code *code, struct cell **outer);

/* a[index], a[index] = value and del a[index]. */
bool eval_get_item(struct interp *in, struct value object, struct value index,
                   struct value *out);
bool eval_set_item(struct interp *in, struct value object, struct value index,
                   struct value value);
/* Python's slice over a length: where it starts, how many, by which step. */
struct eval_span {
    int64_t start, stop, step, count;
};
bool eval_span_of(struct interp *in, const struct slice *slice, int64_t length,
                  struct eval_span *span);

/* a + b and so on, for all kinds of values. in_place: `a += b` may change a list itself. */
bool eval_binary(struct interp *in, enum ast_operator op, const struct value pair[2],
                 bool in_place, struct value *out);
#endif
