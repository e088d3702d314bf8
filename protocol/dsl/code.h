/*
 * code - a function, lambda, comprehension or module as it runs: its parameters, where its
 * variables live, and its body.
 *
 * A frame has slots for variables that only the function itself sees, and cells for those that
 * inner functions share. A frame's cells are its own ones, then those captured from around it.
 */
#ifndef DSL_CODE_H
#define DSL_CODE_H

#include "protocol/dsl/ast.h"

enum { CODE_PARAMETERS_MAX = 64, CODE_SLOTS_MAX = 4096 };

struct code_place {
    enum ast_place place;
    uint32_t slot;
};

struct code {
    struct str *name;      /* "<lambda>" and the like where it has none */
    struct str *qualified; /* with the functions around it; NULL of a module */
    int32_t line;
    uint32_t parameter_count;  /* named ones: plain, then keyword-only */
    uint32_t positional_only;  /* of the plain ones */
    uint32_t positional_count; /* plain ones */
    struct str **parameters;   /* [parameter_count] */
    struct code_place *places; /* [parameter_count + 2]: then *args, **kwargs */
    bool has_star, has_double_star;
    uint32_t slot_count;
    uint32_t cell_count; /* its own */
    uint32_t free_count;
    uint32_t *free_from; /* [free_count] which cell of the frame around it */
    struct ast_list body;
    struct ast *expression; /* of a lambda, instead of a body */
};

#endif
