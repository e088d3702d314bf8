/*
 * modules - what `import` gives: tables of safe functions.
 *
 * re is in modules_re.c, json in modules_json.c (writing) and modules_json_read.c, math,
 * string and functools in modules_math.c, collections in modules_collections.c, itertools in
 * modules_itertools.c. Each ends its table with a NULL name.
 */
#ifndef DSL_MODULES_H
#define DSL_MODULES_H

#include "protocol/dsl/ast.h"
#include "protocol/dsl/methods.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/value.h"

/* A member is the one of these that is set. */
struct modules_member {
    const char *name;
    value_call *call;
    const struct type *type;
    const char *text;      /* a str */
    struct value constant; /* not VALUE_UNSET */
};

struct module {
    const char *name;
    const struct modules_member *members; /* NULL: any name, as an opaque annotation */
    const char *prefix;                   /* of its functions, where CPython names them */
};

struct pattern {
    struct regex *regex;
    struct str *source;
    int64_t flags;
};

struct match {
    struct pattern *pattern;
    struct str *subject;
    int64_t *spans; /* code points, [2 * (groups + 1)], -1 where unset */
    uint32_t group_count;
    uint32_t last_group;
    int64_t from, to; /* pos and endpos */
};

extern const struct modules_member modules_re[], modules_json[], modules_math[],
    modules_string[], modules_functools[], modules_collections[], modules_itertools[];
extern const struct methods_row modules_re_pattern_methods[], modules_re_match_methods[],
    modules_counter_methods[], modules_chain_methods[];

/* NULL: no such module. */
const struct module *modules_find(struct text name);
const char *modules_name(const struct module *module);
/* "re." of re.sub, as CPython names it; "" for what belongs to no module. */
const char *modules_prefix(value_call *call);
/* false, raising ImportError, when it has no such member. */
bool modules_member(struct interp *in, const struct module *module, struct text name,
                    struct value *out);

/* match[index], by number or name. */
bool modules_re_match_group(struct interp *in, const struct match *match, struct value index,
                            struct value *out);
void modules_re_match_repr(struct str_builder *b, const struct match *match);
void modules_re_match_pattern_repr(struct str_builder *b, const struct pattern *pattern);
/* Attributes of patterns and matches that are not methods: pattern, groups, string, ... */
bool modules_re_match_attribute(struct interp *in, struct value object, const struct str *name,
                                struct value *out, bool *found);

/* Most common first; equal counts in order of insertion, as all are when they have no order. */
struct dict *modules_counter_sorted(struct interp *in, const struct dict *counter);
/* Whether it is a method of Counter that a dict has not, or has otherwise. */
bool modules_counter_has(const struct str *name);
/* An empty Counter; NULL when tripped. */
struct dict *modules_counter_new(struct interp *in);
/* Counter + - & |; of two Counters. */
bool modules_counter_binary(struct interp *in, enum ast_operator op, const struct value pair[2],
                            struct value *out);
/* +counter and -counter */
bool modules_counter_unary(struct interp *in, bool minus, const struct dict *counter,
                           struct value *out);
/* counter += -= |= what has items, &= what has an index; only positive counts stay. */
bool modules_counter_in_place(struct interp *in, enum ast_operator op,
                              const struct value pair[2]);
#endif
