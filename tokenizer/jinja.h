/*
 * jinja - what the parts of the template interpreter share.
 *
 * Chat templates are programs in Jinja's language that come inside model files. This is an
 * interpreter for the part of it that such templates use, with the meaning that
 * Jinja 3.1 gives it under trim_blocks and lstrip_blocks. Every byte of every string knows
 * whether it is trusted: written in the template, or data from a conversation. Only trusted
 * bytes can spell control tokens.
 *
 *     source --jinja_lex--> tokens --jinja_parse, jinja_expr--> nodes
 *     nodes + context --jinja_run (statements), jinja_eval (expressions)--> jinja_string
 *
 * Budgets: nodes evaluated (steps), nesting (depth), memory (the arena), bytes written. A
 * program cannot catch their end.
 *
 * Failure  ERR_FORMAT the template raised, or did what is an error in Jinja; ERR_LIMIT a
 *          construct that we do not know, or a budget. The sentence names the line.
 * Thread   nodes are read-only once parsed; one struct jinja per rendering.
 */
#ifndef TOKENIZER_JINJA_H
#define TOKENIZER_JINJA_H

#include "base/arena.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    JINJA_SOURCE_BYTES_MAX = 256 << 10,
    JINJA_STEPS_MAX = 4 << 20,
    JINJA_DEPTH_MAX = 256,
    JINJA_STEP_BYTES = 256 /* bytes of text handled that cost as much as one node */
};

/* Text in which trust[i] says whether data[i] comes from the template. */
struct jinja_string {
    const char *data;
    const uint8_t *trust;
    size_t size;
};

enum jinja_kind {
    JINJA_UNDEFINED,
    JINJA_NONE,
    JINJA_BOOL,
    JINJA_INT,
    JINJA_FLOAT,
    JINJA_STRING,
    JINJA_LIST,
    JINJA_TUPLE,
    JINJA_MAP,
    JINJA_NAMESPACE, /* a map whose members the template may set */
    JINJA_LOOP,      /* `loop` */
    JINJA_MACRO,
    JINJA_FUNCTION, /* a built-in, by name */
    JINJA_METHOD    /* a built-in of a value, by name */
};

struct jinja_value {
    enum jinja_kind kind;
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct jinja_string string;
        struct jinja_list *list; /* of tuples too */
        struct jinja_map *map;   /* of namespaces too */
        const struct jinja_loop *loop;
        const struct jinja_macro *macro;
        const struct jinja_method *method; /* of functions too */
        struct text hint;                  /* of undefined: the name that was looked for */
    };
};

struct jinja_list {
    struct jinja_value *items;
    uint32_t count, capacity;
    uint32_t nesting; /* lists and maps inside each other, this one not counted */
};

/* In the order of insertion. */
struct jinja_map {
    struct jinja_value *keys, *values;
    uint32_t count, capacity;
    uint32_t nesting;
};

struct jinja_loop {
    const struct jinja_list *items;
    uint32_t index, depth; /* from 0 */
};

struct jinja_method {
    struct jinja_value self;
    struct text name;
};

/* A name that has a value; scopes are chains of them. */
struct jinja_binding {
    struct text name;
    struct jinja_value value;
    struct jinja_binding *next;
};

struct jinja_scope {
    const struct jinja_scope *parent;
    struct jinja_binding *bindings;
};

struct jinja_macro {
    const struct jinja_node *parameters, *body;
    const struct jinja_scope *scope; /* where it was defined */
    struct text name;
};

/* The arguments of a call, a filter or a test. */
struct jinja_args {
    const struct jinja_list *positional;
    const struct jinja_map *named;
};

enum jinja_node_kind {
    /* Statements, chained by next. Children in brackets. */
    JINJA_NODE_TEXT,       /* value */
    JINJA_NODE_OUTPUT,     /* [0] expression */
    JINJA_NODE_IF,         /* [0] test [1] body [2] else: an IF alone is an elif */
    JINJA_NODE_FOR,        /* [0] target [1] iterable [2] body [3] condition [4] else */
    JINJA_NODE_SET,        /* [0] target [1] expression */
    JINJA_NODE_SET_BLOCK,  /* [0] target [1] filters around JINJA_NODE_BODY, or NULL [2] body */
    JINJA_NODE_MACRO,      /* text name [0] parameters [1] body */
    JINJA_NODE_CALL_BLOCK, /* [0] call [1] parameters [2] body */
    JINJA_NODE_FILTER_BLOCK, /* [0] filters around JINJA_NODE_BODY [1] body */
    JINJA_NODE_WITH,         /* [0] SETs [1] body: a scope of its own */
    JINJA_NODE_BREAK,
    JINJA_NODE_CONTINUE,
    /* Expressions; lists of them chained by next. */
    JINJA_NODE_CONST,   /* value */
    JINJA_NODE_NAME,    /* text */
    JINJA_NODE_LIST,    /* [0] items */
    JINJA_NODE_TUPLE,   /* [0] items */
    JINJA_NODE_MAP,     /* [0] PAIRs */
    JINJA_NODE_PAIR,    /* [0] key [1] value */
    JINJA_NODE_ATTR,    /* [0] object, text */
    JINJA_NODE_ITEM,    /* [0] object [1] index */
    JINJA_NODE_SLICE,   /* [0] object [1] start [2] stop [3] step, each or NULL */
    JINJA_NODE_CALL,    /* [0] callee [1] ARGs */
    JINJA_NODE_ARG,     /* [0] value; text: its name, "*" or "**" when it is spread, or empty */
    JINJA_NODE_FILTER,  /* [0] operand [1] ARGs, text */
    JINJA_NODE_TEST,    /* [0] operand [1] ARGs, text */
    JINJA_NODE_UNARY,   /* [0], text "-" or "+" */
    JINJA_NODE_BINARY,  /* [0] [1], text */
    JINJA_NODE_COMPARE, /* [0] first [1] OPERANDs */
    JINJA_NODE_OPERAND, /* [0], text "==", "in", "not in", ... */
    JINJA_NODE_AND,     /* [0] [1] */
    JINJA_NODE_OR,      /* [0] [1] */
    JINJA_NODE_NOT,     /* [0] */
    JINJA_NODE_COND,    /* [0] test [1] then [2] else or NULL */
    JINJA_NODE_BODY     /* what the body of a block gave, inside its filters */
};

struct jinja_node {
    enum jinja_node_kind kind;
    uint32_t line;
    struct text text;
    struct jinja_value value;
    struct jinja_node *child[5];
    struct jinja_node *next;
};

/* One rendering, or one parsing. */
struct jinja {
    struct arena *arena;
    struct error *err;
    uint32_t line; /* of the node at work */
    uint32_t steps, depth;
    struct jinja_scope *scope;       /* the innermost */
    struct jinja_builder *out;       /* where statements write */
    const struct jinja_value *block; /* of JINJA_NODE_BODY */
    int64_t now_s;                   /* Unix time for strftime_now */
};

#define JINJA_FAIL(jinja, status, format, ...)                                                 \
    FAIL((jinja)->err, status, "chat template, line %u: " format, (jinja)->line, __VA_ARGS__)

/* A struct in the arena of jinja. */
#define JINJA_NEW(jinja, type, count) ARENA_NEW((jinja)->arena, type, count)

/* Counts work: one node, and bytes of text handled. */
MUST_USE enum status jinja_step(struct jinja *jinja, size_t bytes);
/* The arena is full. */
MUST_USE enum status jinja_full(struct jinja *jinja);

#endif
