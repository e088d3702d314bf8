/* methods_dict - methods of dict and its kin. */
#include "protocol/dsl/methods.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type_construct.h"

static bool view(struct interp *in, const struct args *args, const char *name,
                 enum iter_dict_part part, struct value *out)
{
    const struct args_spec spec = {name, 0, 0, {NULL}, {NULL}};
    if (!args_bind(in, &spec, args, NULL))
        return false;
    struct iter *iter = iter_view(in, args->self.as.dict, part);
    *out = iter_value(iter);
    return iter != NULL;
}

static bool keys(struct interp *in, const struct args *args, struct value *out)
{
    return view(in, args, "keys", ITER_KEYS, out);
}

static bool values_of(struct interp *in, const struct args *args, struct value *out)
{
    return view(in, args, "values", ITER_VALUES, out);
}

static bool items(struct interp *in, const struct args *args, struct value *out)
{
    return view(in, args, "items", ITER_ITEMS, out);
}

static bool get(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"get", 1, 2, {NULL}, {NULL}};
    struct value values[2];
    struct dict_entry *entry;
    if (!args_bind(in, &SPEC, args, values) ||
        !dict_find(in, args->self.as.dict, values[0], &entry))
        return false;
    *out = entry ? entry->value : values[1].kind == VALUE_UNSET ? value_none() : values[1];
    return true;
}

/* An OrderedDict's methods have names for their arguments, where a dict's have none. */
static bool bind(struct interp *in, const struct args *args, const struct args_spec specs[2],
                 struct value *values)
{
    return args_bind(in, &specs[args->self.as.dict->flavor == DICT_ORDERED], args, values);
}

static bool setdefault(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPECS[2] = {{"setdefault", 1, 2, {NULL}, {NULL}},
                                              {"setdefault", 1, 2, {"key", "default"}, {NULL}}};
    struct value values[2];
    struct dict_entry *entry;
    if (!bind(in, args, SPECS, values) || !dict_find(in, args->self.as.dict, values[0], &entry))
        return false;
    *out = entry ? entry->value : values[1].kind == VALUE_UNSET ? value_none() : values[1];
    return entry || dict_set(in, args->self.as.dict, values[0], *out);
}

static bool pop(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPECS[2] = {{"pop", 1, 2, {NULL}, {NULL}},
                                              {"pop", 1, 2, {"key", "default"}, {NULL}}};
    struct value values[2];
    if (!bind(in, args, SPECS, values))
        return false;
    *out = (struct value){.kind = VALUE_UNSET}; /* an empty dict does not look at the key */
    if (args->self.as.dict->count > 0 && !dict_remove(in, args->self.as.dict, values[0], out))
        return false;
    if (out->kind != VALUE_UNSET)
        return true;
    *out = values[1];
    return out->kind != VALUE_UNSET || exception_raise_value(in, &exception_key, values[0]);
}

static bool popitem(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPECS[2] = {{"popitem", 0, 0, {NULL}, {NULL}},
                                              {"popitem", 0, 1, {"last"}, {NULL}}};
    struct dict *self = args->self.as.dict;
    struct value last[1] = {{.kind = VALUE_UNSET}};
    uint32_t at = 0;
    if (!bind(in, args, SPECS, last))
        return false;
    struct dict_entry *entry = dict_next(self, &at);
    if (!entry) {
        struct str *message =
            str_copy(in, self->flavor == DICT_ORDERED ? TEXT("dictionary is empty")
                                                      : TEXT("popitem(): dictionary is empty"));
        return message && exception_raise_value(in, &exception_key, value_str(message));
    }
    if (last[0].kind == VALUE_UNSET || compare_truth(last[0])) {
        at = self->used;
        do
            entry = &self->entries[--at];
        while (entry->key.kind == VALUE_UNSET);
    }
    const struct value pair[2] = {entry->key, entry->value};
    struct list *tuple = list_of(in, pair, 2);
    if (!tuple)
        return false;
    dict_remove_entry(self, entry);
    *out = value_tuple(tuple);
    return true;
}

static bool update(struct interp *in, const struct args *args, struct value *out)
{
    *out = value_none();
    return type_construct_fill(in, args, args->self.as.dict);
}

static bool clear(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"clear", 0, 0, {NULL}, {NULL}};
    *out = value_none();
    if (!args_bind(in, &SPEC, args, NULL))
        return false;
    dict_clear(args->self.as.dict);
    return true;
}

static bool copy(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"copy", 0, 0, {NULL}, {NULL}};
    if (!args_bind(in, &SPEC, args, NULL))
        return false;
    *out = value_dict(dict_copy(in, args->self.as.dict));
    return out->as.dict != NULL;
}

/* dict.fromkeys(keys[, value]) */
static bool fromkeys(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"fromkeys", 1, 2, {NULL}, {NULL}};
    struct value values[2];
    struct dict *dict = dict_new(in);
    if (!dict || !args_bind(in, &SPEC, args, values) || !dict_add_all(in, dict, values[0]))
        return false;
    uint32_t at = 0;
    for (struct dict_entry *entry; (entry = dict_next(dict, &at)) != NULL;)
        entry->value = values[1].kind == VALUE_UNSET ? value_none() : values[1];
    if (args->self.kind == VALUE_DICT) { /* of its own kind */
        dict->flavor = args->self.as.dict->flavor;
        dict->factory = value_none();
    }
    *out = value_dict(dict);
    return true;
}

static bool move_to_end(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"move_to_end", 1, 2, {"key", "last"}, {NULL}};
    struct dict *self = args->self.as.dict;
    struct value values[2], moved;
    *out = value_none();
    if (!args_bind(in, &SPEC, args, values) || !dict_remove(in, self, values[0], &moved))
        return false;
    if (moved.kind == VALUE_UNSET)
        return exception_raise_value(in, &exception_key, values[0]);
    if (!(values[1].kind == VALUE_BOOL && !values[1].as.boolean))
        return dict_set(in, self, values[0], moved);
    struct dict *fresh = dict_new(in); /* to the front: all others behind it */
    if (!fresh || !dict_set(in, fresh, values[0], moved) || !dict_merge(in, fresh, self))
        return false;
    fresh->flavor = self->flavor;
    fresh->factory = self->factory;
    *self = *fresh;
    return true;
}

const struct methods_row methods_dict_table[] = {
    {"items", items},
    {"get", get},
    {"keys", keys},
    {"values", values_of},
    {"setdefault", setdefault},
    {"pop", pop},
    {"update", update},
    {"popitem", popitem},
    {"clear", clear},
    {"copy", copy},
    {"fromkeys", fromkeys},
    {"move_to_end", move_to_end},
    {NULL, NULL},
};
