/* eval - see eval.h. Statements. */
#include "protocol/dsl/eval.h"

#include "protocol/dsl/compare.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/modules.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/type.h"

static enum eval_flow run(struct interp *in, struct eval_frame *f, const struct ast *node);

enum eval_flow eval_block(struct interp *in, struct eval_frame *f, const struct ast_list *body)
{
    for (uint32_t i = 0; i < body->count; i++) {
        const enum eval_flow flow = run(in, f, body->items[i]);
        if (flow != EVAL_NEXT)
            return flow;
    }
    return EVAL_NEXT;
}

static enum eval_flow flow_of(bool fine)
{
    return fine ? EVAL_NEXT : EVAL_RAISED;
}

static bool truth(struct interp *in, struct eval_frame *f, const struct ast *node, bool *yes)
{
    struct value value;
    if (!eval_expr(in, f, node, &value))
        return false;
    *yes = compare_truth(value);
    return true;
}

static enum eval_flow run_assign(struct interp *in, struct eval_frame *f,
                                 const struct ast *node)
{
    struct value value;
    if (!eval_expr(in, f, node->as.assign.value, &value))
        return EVAL_RAISED;
    for (uint32_t i = 0; i < node->as.assign.targets.count; i++)
        if (!eval_assign(in, f, node->as.assign.targets.items[i], value))
            return EVAL_RAISED;
    return EVAL_NEXT;
}

/* The object and index of `a[i] += 1` are evaluated once. */
static bool augment_item(struct interp *in, struct eval_frame *f, const struct ast *node)
{
    const struct ast *target = node->as.binary.left;
    struct value object, index, pair[2], result;
    return eval_expr(in, f, target->as.subscript.object, &object) &&
           eval_expr(in, f, target->as.subscript.index, &index) &&
           eval_get_item(in, object, index, &pair[0]) &&
           eval_expr(in, f, node->as.binary.right, &pair[1]) &&
           eval_binary(in, node->as.binary.op, pair, true, &result) &&
           eval_set_item(in, object, index, result);
}

static enum eval_flow run_augment(struct interp *in, struct eval_frame *f,
                                  const struct ast *node)
{
    const struct ast *target = node->as.binary.left;
    struct value pair[2], result;
    if (target->kind == AST_SUBSCRIPT)
        return flow_of(augment_item(in, f, node));
    return flow_of(eval_expr(in, f, target, &pair[0]) &&
                   eval_expr(in, f, node->as.binary.right, &pair[1]) &&
                   eval_binary(in, node->as.binary.op, pair, true, &result) &&
                   eval_assign(in, f, target, result));
}

static enum eval_flow run_if(struct interp *in, struct eval_frame *f, const struct ast *node)
{
    bool yes;
    if (!truth(in, f, node->as.branch.condition, &yes))
        return EVAL_RAISED;
    return eval_block(in, f, yes ? &node->as.branch.body : &node->as.branch.orelse);
}

static enum eval_flow run_while(struct interp *in, struct eval_frame *f, const struct ast *node)
{
    for (;;) {
        bool yes;
        if (!interp_charge(in, 1) || !truth(in, f, node->as.branch.condition, &yes))
            return EVAL_RAISED;
        if (!yes)
            return eval_block(in, f, &node->as.branch.orelse);
        const enum eval_flow flow = eval_block(in, f, &node->as.branch.body);
        if (flow == EVAL_BREAK)
            return EVAL_NEXT;
        if (flow == EVAL_RETURN || flow == EVAL_RAISED)
            return flow;
    }
}

static enum eval_flow run_for(struct interp *in, struct eval_frame *f, const struct ast *node)
{
    struct value iterable, item;
    if (!eval_expr(in, f, node->as.loop.iterable, &iterable))
        return EVAL_RAISED;
    struct iter *iter = iter_of(in, iterable);
    if (!iter)
        return EVAL_RAISED;
    for (;;) {
        in->line = node->line;
        const enum iter_result result = iter_next(in, iter, &item);
        if (result == ITER_END)
            return eval_block(in, f, &node->as.loop.orelse);
        if (result == ITER_RAISED || !eval_assign(in, f, node->as.loop.target, item))
            return EVAL_RAISED;
        const enum eval_flow flow = eval_block(in, f, &node->as.loop.body);
        if (flow == EVAL_BREAK)
            return EVAL_NEXT;
        if (flow == EVAL_RETURN || flow == EVAL_RAISED)
            return flow;
    }
}

/* Whether the exception is one of the classes: a class, or a tuple of them. */
static bool class_matches(struct interp *in, const struct exception *exception,
                          struct value classes, bool *matches)
{
    *matches = false;
    if (classes.kind == VALUE_TUPLE) { /* nested as deep and as often as a program likes */
        bool fine = true;
        if (!interp_charge(in, 1) || !interp_enter(in))
            return false;
        for (uint32_t i = 0; i < classes.as.list->count && fine && !*matches; i++)
            fine = class_matches(in, exception, classes.as.list->items[i], matches);
        interp_leave(in);
        return fine;
    }
    if (classes.kind != VALUE_TYPE || !exception_type_is_a(classes.as.type, &exception_base))
        return exception_raise(in, &exception_type,
                               "catching classes that do not inherit from BaseException is "
                               "not allowed");
    *matches = exception_is_a(exception, classes.as.type);
    return true;
}

static enum eval_flow run_handler(struct interp *in, struct eval_frame *f,
                                  const struct ast_handler *handler,
                                  struct exception *exception)
{
    const struct value value = {.kind = VALUE_EXCEPTION, .as.exception = exception};
    if (handler->target && !eval_assign(in, f, handler->target, value))
        return EVAL_RAISED;
    const enum eval_flow flow = eval_block(in, f, &handler->body);
    if (handler->target && !in->out_of_budget) { /* the name goes, as in Python */
        struct exception *raised = in->raised;
        in->raised = NULL;
        if (!eval_delete(in, f, handler->target))
            in->raised = NULL; /* the body deleted it itself */
        in->raised = raised;
    }
    return flow;
}

/* The first handler that fits. While its classes are looked at, the exception is handled. */
static enum eval_flow choose_handler(struct interp *in, struct eval_frame *f,
                                     const struct ast *node, struct exception *exception)
{
    if (!exception) /* a budget: nobody catches it */
        return EVAL_RAISED;
    for (uint32_t i = 0; i < node->as.attempt.handler_count; i++) {
        const struct ast_handler *handler = &node->as.attempt.handlers[i];
        bool matches = true;
        in->raised = NULL;
        if (handler->classes) {
            struct value classes;
            if (!eval_expr(in, f, handler->classes, &classes) ||
                !class_matches(in, exception, classes, &matches))
                return EVAL_RAISED;
        }
        if (matches)
            return run_handler(in, f, handler, exception);
    }
    in->raised = exception;
    return EVAL_RAISED;
}

static enum eval_flow run_handlers(struct interp *in, struct eval_frame *f,
                                   const struct ast *node)
{
    struct exception *before = in->handled;
    in->handled = in->raised;
    const enum eval_flow flow = choose_handler(in, f, node, in->raised);
    in->handled = before;
    return flow;
}

static enum eval_flow run_try(struct interp *in, struct eval_frame *f, const struct ast *node)
{
    const uint32_t stack_used = in->stack_used, depth = in->depth, nest = in->nest;
    enum eval_flow flow = eval_block(in, f, &node->as.attempt.body);
    if (flow == EVAL_RAISED) {
        in->stack_used = stack_used;
        in->depth = depth;
        in->nest = nest;
        flow = run_handlers(in, f, node);
    } else if (flow == EVAL_NEXT) {
        flow = eval_block(in, f, &node->as.attempt.orelse);
    }
    if (node->as.attempt.finally.count == 0 || in->out_of_budget)
        return flow;
    struct exception *raised = in->raised, *before = in->handled;
    const struct value returned = f->returned;
    in->raised = NULL;
    in->handled = raised ? raised : before;
    const enum eval_flow last = eval_block(in, f, &node->as.attempt.finally);
    in->handled = before;
    if (last != EVAL_NEXT)
        return last;
    in->raised = raised;
    f->returned = returned;
    return flow;
}

/* An exception out of what `raise` was given: an instance, or a class to be called. */
static struct exception *exception_of(struct interp *in, struct value value)
{
    if (value.kind == VALUE_TYPE && exception_type_is_a(value.as.type, &exception_base)) {
        const struct args none = {0};
        if (!eval_call_value(in, value, &none, &value))
            return NULL;
    }
    if (value.kind != VALUE_EXCEPTION) {
        exception_raise(in, &exception_type, "exceptions must derive from BaseException");
        return NULL;
    }
    return value.as.exception;
}

static enum eval_flow run_raise(struct interp *in, struct eval_frame *f, const struct ast *node)
{
    struct value value;
    if (!node->as.raise.exception) {
        if (in->handled)
            in->raised = in->handled;
        else
            exception_raise(in, &exception_runtime, "No active exception to reraise");
        return EVAL_RAISED;
    }
    if (!eval_expr(in, f, node->as.raise.exception, &value))
        return EVAL_RAISED;
    struct exception *exception = exception_of(in, value);
    if (!exception)
        return EVAL_RAISED;
    if (node->as.raise.cause && !eval_expr(in, f, node->as.raise.cause, &exception->cause))
        return EVAL_RAISED;
    exception->line = node->line;
    in->raised = exception;
    return EVAL_RAISED;
}

static enum eval_flow run_assert(struct interp *in, struct eval_frame *f,
                                 const struct ast *node)
{
    bool yes;
    struct value message;
    if (!truth(in, f, node->as.raise.exception, &yes))
        return EVAL_RAISED;
    if (yes)
        return EVAL_NEXT;
    if (node->as.raise.cause) {
        if (eval_expr(in, f, node->as.raise.cause, &message))
            exception_raise_value(in, &exception_assertion, message);
        return EVAL_RAISED;
    }
    const struct args none = {.self = type_value(&exception_assertion)};
    if (exception_construct(in, &none, &message))
        in->raised = message.as.exception;
    return EVAL_RAISED;
}

static enum eval_flow run_import(struct interp *in, struct eval_frame *f,
                                 const struct ast *node)
{
    const struct module *module = node->as.import.module;
    struct value value = {.kind = VALUE_MODULE, .as.module = module};
    if (node->as.import.member &&
        !modules_member(in, module, str_text(node->as.import.member), &value))
        return EVAL_RAISED;
    return flow_of(eval_assign(in, f, node->as.import.target, value));
}

static enum eval_flow run_delete(struct interp *in, struct eval_frame *f,
                                 const struct ast *node)
{
    for (uint32_t i = 0; i < node->as.list.count; i++)
        if (!eval_delete(in, f, node->as.list.items[i]))
            return EVAL_RAISED;
    return EVAL_NEXT;
}

static enum eval_flow run_return(struct interp *in, struct eval_frame *f,
                                 const struct ast *node)
{
    struct value value = value_none();
    if (node->as.operand && !eval_expr(in, f, node->as.operand, &value))
        return EVAL_RAISED;
    f->returned = value;
    return EVAL_RETURN;
}

static enum eval_flow run_any(struct interp *in, struct eval_frame *f, const struct ast *node)
{
    struct value ignored;
    switch (node->kind) {
    case AST_EXPRESSION:
        return flow_of(eval_expr(in, f, node->as.operand, &ignored));
    case AST_ASSIGN:
        return run_assign(in, f, node);
    case AST_AUGMENT:
        return run_augment(in, f, node);
    case AST_DELETE:
        return run_delete(in, f, node);
    case AST_RETURN:
        return run_return(in, f, node);
    case AST_IF:
        return run_if(in, f, node);
    case AST_FOR:
        return run_for(in, f, node);
    case AST_WHILE:
        return run_while(in, f, node);
    case AST_TRY:
        return run_try(in, f, node);
    case AST_RAISE:
        return run_raise(in, f, node);
    case AST_ASSERT:
        return run_assert(in, f, node);
    case AST_IMPORT:
        return run_import(in, f, node);
    case AST_BREAK:
        return EVAL_BREAK;
    case AST_CONTINUE:
        return EVAL_CONTINUE;
    default:
        return EVAL_NEXT;
    }
}

static enum eval_flow run(struct interp *in, struct eval_frame *f, const struct ast *node)
{
    if (!interp_charge(in, 1) || !interp_enter(in))
        return EVAL_RAISED;
    in->line = node->line;
    const enum eval_flow flow = run_any(in, f, node);
    interp_leave(in);
    return flow;
}

bool eval_module(struct interp *in, const struct code *module)
{
    struct eval_frame frame = {.code = module};
    return eval_block(in, &frame, &module->body) != EVAL_RAISED;
}
