/*
 * scope - which variable a name means.
 *
 * Lowering notes every name it meets in the scope it stands in, and whether it is bound there.
 * When the whole program is known, scope_resolve decides for each use: a slot of the frame, a
 * cell (the variable is shared with an inner function), or a global. Python's rules: a name
 * bound anywhere in a function is local to all of it, unless declared global or nonlocal.
 */
#ifndef DSL_SCOPE_H
#define DSL_SCOPE_H

#include "protocol/dsl/code.h"

enum scope_flag {
    SCOPE_BOUND = 1,
    SCOPE_GLOBAL = 2,   /* global x */
    SCOPE_NONLOCAL = 4, /* nonlocal x */
    SCOPE_CAPTURED = 8, /* an inner function uses it: it lives in a cell */
    SCOPE_FREE = 16     /* bound further out */
};

struct scope_symbol {
    struct str *name;
    uint32_t flags;
    uint32_t slot; /* in its place, once resolved */
    struct ast *uses;
    uint32_t binding_count, import_count;
    const struct ast *import; /* what its imports import, when that is one thing */
};

struct scope {
    struct interp *in;
    struct scope *outer, *inner, *next; /* inner: its first child; next: sibling */
    struct code *code;                  /* NULL: the module */
    struct dict *index;                 /* name -> number of the symbol */
    struct scope_symbol *symbols;
    uint32_t symbol_count, symbol_capacity;
    bool is_comprehension;
    bool in_function; /* `return` is allowed */
    uint32_t loops;   /* `break` is allowed inside one */
};

/* NULL when a budget tripped. */
struct scope *scope_open(struct interp *in, struct scope *outer, struct code *code);
/* The symbol's number, made when new, with the flags added; UINT32_MAX when tripped. */
uint32_t scope_note(struct scope *scope, struct str *name, uint32_t flags);
/* A name node that uses it, to be resolved. */
bool scope_use(struct scope *scope, struct ast *name, uint32_t flags);

/* That its last binding is an import: for scope_owner's caller. */
void scope_note_import(struct scope *scope, const struct ast *import);

/* After scope_resolve: the symbol, in whichever scope, that a name used in scope means. */
const struct scope_symbol *scope_owner(const struct scope *scope, const struct scope *module,
                                       const struct ast *name);

/* Resolves all names in all scopes and fills places, slot and cell counts of each code.
 * The module's symbols are the globals, in order. false: tripped, or *missing is a nonlocal
 * name that no function binds. */
bool scope_resolve(struct scope *module, struct str **missing);
#endif
