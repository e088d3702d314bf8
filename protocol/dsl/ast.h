/*
 * ast - our own tree of a program: what lower makes and eval runs.
 *
 * A node is an expression or a statement. Names are resolved before anything runs: to a slot
 * of the frame, to a cell shared with inner functions, or to a global. Everything lies in the
 * program's arena.
 */
#ifndef DSL_AST_H
#define DSL_AST_H

#include "protocol/dsl/value.h"

enum ast_kind {
    AST_CONST, /* expressions */
    AST_NAME,
    AST_FORMAT,    /* f-string: parts joined */
    AST_FORMATTED, /* one replacement field */
    AST_LIST,
    AST_TUPLE,
    AST_SET,
    AST_DICT,
    AST_COMPREHENSION,
    AST_NEGATE,
    AST_PLUS,
    AST_INVERT,
    AST_NOT,
    AST_BINARY,
    AST_AND,
    AST_OR,
    AST_COMPARE,
    AST_CALL,
    AST_ATTRIBUTE,
    AST_SUBSCRIPT,
    AST_SLICE,
    AST_FUNCTION, /* lambda, and the value of a def */
    AST_CONDITIONAL,
    AST_WALRUS,
    AST_STAR,       /* *x in a display, a call or a target; **x in a display or a call */
    AST_EXPRESSION, /* statements */
    AST_ASSIGN,
    AST_AUGMENT,
    AST_DELETE,
    AST_RETURN,
    AST_IF,
    AST_FOR,
    AST_WHILE,
    AST_TRY,
    AST_RAISE,
    AST_ASSERT,
    AST_IMPORT,
    AST_PASS,
    AST_BREAK,
    AST_CONTINUE
};

enum ast_operator {
    AST_ADD,
    AST_SUB,
    AST_MUL,
    AST_DIV,
    AST_FLOOR_DIV,
    AST_MOD,
    AST_POW,
    AST_AND_BITS,
    AST_OR_BITS,
    AST_XOR,
    AST_LEFT,
    AST_RIGHT,
    AST_MATMUL
};

enum ast_comparison {
    AST_EQ,
    AST_NE,
    AST_LT,
    AST_LE,
    AST_GT,
    AST_GE,
    AST_IN,
    AST_NOT_IN,
    AST_IS,
    AST_IS_NOT
};

enum ast_place { AST_LOCAL, AST_CELL, AST_GLOBAL };

enum ast_display { AST_DISPLAY_LIST, AST_DISPLAY_SET, AST_DISPLAY_DICT, AST_DISPLAY_GENERATOR };

struct ast_list {
    struct ast **items;
    uint32_t count;
};

/* for target in iterable if conditions..., of a comprehension */
struct ast_clause {
    struct ast *target, *iterable;
    struct ast_list conditions;
};

struct ast_handler {
    struct ast *classes; /* NULL: all */
    struct ast *target;  /* NULL: no name */
    struct ast_list body;
    int32_t line;
};

struct ast {
    enum ast_kind kind;
    int32_t line;
    union {
        struct value constant;
        struct {
            struct str *name;
            enum ast_place place;
            uint32_t slot;
            uint32_t symbol; /* in its scope: for scope.c */
            struct ast *next_use;
        } name;
        struct ast_list list; /* FORMAT, LIST, TUPLE, SET, DELETE; DICT: key, value, key, ... */
        struct {
            struct ast *value, *spec; /* spec: NULL or an expression */
            char conversion;          /* 'r', 's', 'a' or 0 */
        } formatted;
        struct {
            enum ast_display display;
            struct code *code;
            struct ast *element, *value; /* value: of a dict */
            struct ast_clause *clauses;  /* the first iterable belongs to the outer scope */
            uint32_t clause_count;
        } comprehension;
        struct ast *operand; /* NEGATE, PLUS, INVERT, NOT, EXPRESSION, RETURN */
        struct {
            enum ast_operator op;
            struct ast *left, *right;
        } binary; /* BINARY, AND, OR, AUGMENT; WALRUS: left = target */
        struct {
            struct ast_list operands;
            enum ast_comparison *operators; /* one less than operands */
        } compare;
        struct {
            struct ast *function;
            struct ast_list arguments; /* AST_STAR for *x; then the named ones */
            struct str **names;        /* of the last named_count; NULL: **x */
            uint32_t named_count;
            bool spread; /* there is a * or ** */
        } call;
        struct {
            struct ast *object;
            struct str *name;
        } attribute;
        struct {
            struct ast *object, *index;
        } subscript;
        struct {
            struct ast *start, *stop, *step; /* each may be NULL */
        } slice;
        struct {
            struct code *code;
            struct ast **defaults; /* [parameter_count], NULL where none */
        } function;
        struct {
            struct ast *condition, *yes, *no;
        } conditional;
        struct {
            struct ast *operand;
            bool twice; /* ** */
        } star;
        struct {
            struct ast_list targets;
            struct ast *value;
        } assign;
        struct {
            struct ast *condition;
            struct ast_list body, orelse;
        } branch; /* IF, WHILE */
        struct {
            struct ast *target, *iterable;
            struct ast_list body, orelse;
        } loop;
        struct {
            struct ast_list body, orelse, finally;
            struct ast_handler *handlers;
            uint32_t handler_count;
        } attempt;
        struct {
            struct ast *exception, *cause; /* RAISE; ASSERT: condition, message */
        } raise;
        struct {
            const struct module *module;
            struct str *member; /* NULL: the module itself */
            struct ast *target;
        } import;
    } as;
};

#endif
