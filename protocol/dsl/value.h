/*
 * value - what a program's names can hold.
 *
 * A value is sixteen bytes: its kind and either the number itself or a pointer to an object in
 * the program's arena. Objects are never freed one by one; the whole arena goes with the
 * program. The object structs are declared here, so that each part of the language can read
 * them; what makes and changes them lives in the file named after the object.
 */
#ifndef DSL_VALUE_H
#define DSL_VALUE_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interp;
struct module;
struct record;
struct pattern;
struct match;
struct code;
struct regex;
struct value;
struct iter;

enum value_kind {
    VALUE_UNSET, /* no value: an unassigned variable, an argument not given */
    VALUE_NONE,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_FLOAT,
    VALUE_STR,
    VALUE_LIST,
    VALUE_TUPLE,
    VALUE_DICT,
    VALUE_SET,
    VALUE_RANGE,
    VALUE_SLICE,
    VALUE_ELLIPSIS,
    VALUE_FUNCTION,
    VALUE_BUILTIN,
    VALUE_TYPE,
    VALUE_EXCEPTION,
    VALUE_ITER,
    VALUE_MODULE,
    VALUE_RECORD,
    VALUE_PATTERN,
    VALUE_MATCH,
    VALUE_TYPING
};

struct value {
    enum value_kind kind;
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct str *str;
        struct list *list; /* VALUE_LIST and VALUE_TUPLE */
        struct dict *dict; /* VALUE_DICT and VALUE_SET */
        struct range *range;
        struct slice *slice;
        struct function *function;
        struct builtin *builtin;
        const struct type *type;
        struct exception *exception;
        struct iter *iter;
        const struct module *module;
        struct record *record;
        struct pattern *pattern;
        struct match *match;
        const char *typing; /* the name, such as "List" */
    } as;
};

/* The arguments of one call. Keyword arguments come after the plain ones. */
struct args {
    struct value self; /* the object of a method */
    const struct value *values;
    uint32_t count;
    struct str *const *names;  /* [named_count]; NULL where not a str, as few take it */
    const struct value *keys;  /* the same as they came through **; may be NULL */
    const struct value *named; /* [named_count] */
    uint32_t named_count;
};

/* A function of the language written in C: false when it raised. */
typedef bool value_call(struct interp *in, const struct args *args, struct value *out);

enum iter_result { ITER_ITEM, ITER_END, ITER_RAISED };

typedef enum iter_result value_step(struct interp *in, struct iter *iter, struct value *out);

struct list {
    struct value *items;
    uint32_t count;
    uint32_t capacity;
};

struct range {
    int64_t start, stop, step;
    int64_t count;
};

struct slice {
    struct value start, stop, step;
};

struct cell {
    struct value value;
};

struct function {
    const struct code *code;
    struct value *defaults; /* one per parameter, VALUE_UNSET where none */
    struct cell **free;     /* captured from the functions around it */
    struct dict *own;       /* attributes that were set, or NULL */
};

struct builtin {
    const char *name;
    value_call *call;
    struct value self;
    struct list *bound; /* functools.partial: leading arguments, else NULL */
    struct dict *bound_named;
    struct dict *own; /* of a partial: attributes that were set, or NULL */
};

/* A class: built-in, record or exception. */
struct type {
    const char *name;
    const struct type *base;
    enum value_kind instance;
    value_call *construct;
};

struct exception {
    const struct type *type;
    struct list *args;
    struct value cause;
    struct dict *extra; /* attributes such as JSONDecodeError.pos, or NULL */
    int32_t line;
};

struct iter {
    value_step *step;
    const char *type_name;
    struct value source, other;
    int64_t at, stop, stride, left;
    void *state;
};

static inline struct value value_none(void)
{
    return (struct value){.kind = VALUE_NONE};
}

static inline struct value value_bool(bool boolean)
{
    return (struct value){.kind = VALUE_BOOL, .as.boolean = boolean};
}

static inline struct value value_int(int64_t integer)
{
    return (struct value){.kind = VALUE_INT, .as.integer = integer};
}

static inline struct value value_float(double real)
{
    return (struct value){.kind = VALUE_FLOAT, .as.real = real};
}
static inline struct value value_str(struct str *str)
{
    return (struct value){.kind = VALUE_STR, .as.str = str};
}

static inline struct value value_list(struct list *list)
{
    return (struct value){.kind = VALUE_LIST, .as.list = list};
}

static inline struct value value_tuple(struct list *list)
{
    return (struct value){.kind = VALUE_TUPLE, .as.list = list};
}

static inline struct value value_dict(struct dict *dict)
{
    return (struct value){.kind = VALUE_DICT, .as.dict = dict};
}

static inline struct value value_set(struct dict *dict)
{
    return (struct value){.kind = VALUE_SET, .as.dict = dict};
}

#endif
