/*
 * lower - a syntax tree to our own tree, through a closed switch.
 *
 * A kind of node without a case is refused by its name and line, in words from which whoever
 * wrote the program can repair it. Functions answer NULL (or false) with the fault filled.
 */
#ifndef DSL_LOWER_H
#define DSL_LOWER_H

#include "protocol/dsl/parse.h"
#include "protocol/dsl/scope.h"

enum { LOWER_DEPTH_MAX = 200 };

struct lower {
    struct interp *in;
    struct scope *scope;
    struct dsl_fault *fault;
    bool asks;                             /* it calls hasattr */
    uint32_t handlers;                     /* of how many `try` it stands in the body */
    struct lower_site *sites, **sites_end; /* lower_check's */
};

/* A whole program. *globals are the names of the module's variables, in order of slot. */
struct code *lower_module(struct interp *in, const struct syntax *module,
                          struct dsl_fault *fault, struct scope **globals);

/* Below: shared by the lower_*.c files. */

struct ast *lower_expr(struct lower *l, const struct syntax *s);
/* What stands left of `=`, after `for` and so on: names are bound. */
struct ast *lower_target(struct lower *l, const struct syntax *s);
struct ast *lower_string(struct lower *l, const struct syntax *s);
struct ast *lower_integer(struct lower *l, const struct syntax *s);
struct ast *lower_float(struct lower *l, const struct syntax *s);
struct ast *lower_lambda(struct lower *l, const struct syntax *s);
struct ast *lower_comprehension(struct lower *l, const struct syntax *s);
struct ast *lower_import(struct lower *l, const struct syntax *s, struct ast_list *out);
/* def: an assignment of the function to its name. */
struct ast *lower_function(struct lower *l, const struct syntax *s);
bool lower_block(struct lower *l, const struct syntax *block, struct ast_list *out);

struct ast *lower_node(struct lower *l, const struct syntax *s, enum ast_kind kind);
/* Room for one item per child of s. */
bool lower_list(struct lower *l, const struct syntax *s, struct ast_list *list);
/* A name that is used (flags 0) or bound here. Refuses __names__. */
struct ast *lower_name(struct lower *l, const struct syntax *s, uint32_t flags);
struct str *lower_symbol(struct lower *l, struct text name);
/* Refuses s by its grammar name, with what to use instead. */
void *lower_refuse_kind(struct lower *l, const struct syntax *s);
/* When a budget tripped: says so. Always NULL. */
void *lower_tripped(struct lower *l);

/* First child with that field; NULL when there is none. */
const struct syntax *lower_field(const struct syntax *s, const char *field);
/* First named child from s on (s included). */
const struct syntax *lower_named(const struct syntax *s);
uint32_t lower_child_count(const struct syntax *s);
#endif
