/* methods_find - str methods that search, split, join and replace. */
#include "protocol/dsl/methods.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"
#include "protocol/dsl/unicode.h"

#include <string.h>

static bool put_str(struct str *str, struct value *out)
{
    *out = value_str(str);
    return str != NULL;
}

static bool push_span(struct interp *in, struct list *list, struct str *str,
                      const size_t span[2])
{
    struct str *part = str_span(in, str, span[0], span[1]);
    return part && list_push(in, list, value_str(part));
}

/* What is looked for, in CPython's words where it is no str. */
static bool needle_of(struct interp *in, struct value value, struct str **needle)
{
    if (value.kind != VALUE_STR)
        return exception_raise(in, &exception_type, "must be str, not %s", type_name(value));
    *needle = value.as.str;
    return true;
}

/* The part of self that optional start and end leave, as bytes. */
static bool bounds(struct interp *in, struct str *self, const struct value *values,
                   size_t range[2])
{
    const int64_t length = (int64_t)self->length;
    int64_t at[2] = {0, length};
    for (uint32_t i = 0; i < 2; i++) {
        if (values[i].kind == VALUE_NONE || values[i].kind == VALUE_UNSET)
            continue;
        if (!number_is_int(values[i]))
            return exception_raise(in, &exception_type,
                                   "slice indices must be integers or None or have an "
                                   "__index__ method");
        at[i] = number_integer(values[i]);
        if (at[i] < 0)
            at[i] = at[i] + length < 0 ? 0 : at[i] + length;
    }
    if (at[0] > length) { /* beyond the end nothing is found, not even "" */
        range[0] = SIZE_MAX;
        return true;
    }
    at[1] = at[1] > length ? length : at[1];
    range[0] = str_byte_of(in, self, (size_t)at[0]);
    range[1] = at[1] < at[0] ? range[0] : str_byte_of(in, self, (size_t)at[1]);
    if (at[1] < at[0])
        range[0] = SIZE_MAX;
    return !in->out_of_budget;
}

enum find_how { FIND_FIRST = 0, FIND_LAST = 1, FIND_RAISES = 2 };

static bool find_any(struct interp *in, const struct args *args, const char *name, int how,
                     struct value *out)
{
    const struct args_spec spec = {name, 1, 3, {NULL}, {NULL}};
    struct value values[3];
    struct str *self = args->self.as.str, *needle = NULL;
    size_t range[2];
    if (!args_bind(in, &spec, args, values) || !bounds(in, self, values + 1, range) ||
        !needle_of(in, values[0], &needle))
        return false;
    size_t at = SIZE_MAX;
    if (range[0] != SIZE_MAX) {
        const struct text text = {self->data + range[0], range[1] - range[0]};
        at = how & FIND_LAST ? str_find_last(in, text, str_text(needle))
                             : str_find(in, text, str_text(needle), 0);
    }
    if (in->out_of_budget)
        return false;
    if (at == SIZE_MAX && (how & FIND_RAISES))
        return exception_raise(in, &exception_value, "substring not found");
    const size_t index = at == SIZE_MAX ? 0 : str_index_of(in, self, range[0] + at);
    *out = value_int(at == SIZE_MAX ? -1 : (int64_t)index);
    return !in->out_of_budget;
}

static bool find(struct interp *in, const struct args *args, struct value *out)
{
    return find_any(in, args, "find", FIND_FIRST, out);
}

static bool rfind(struct interp *in, const struct args *args, struct value *out)
{
    return find_any(in, args, "rfind", FIND_LAST, out);
}

static bool index_of(struct interp *in, const struct args *args, struct value *out)
{
    return find_any(in, args, "index", FIND_RAISES, out);
}

static bool rindex_of(struct interp *in, const struct args *args, struct value *out)
{
    return find_any(in, args, "rindex", FIND_LAST | FIND_RAISES, out);
}

static bool count(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"count", 1, 3, {NULL}, {NULL}};
    struct value values[3];
    struct str *self = args->self.as.str, *needle = NULL;
    size_t range[2];
    int64_t found = 0;
    if (!args_bind(in, &SPEC, args, values) || !bounds(in, self, values + 1, range) ||
        !needle_of(in, values[0], &needle))
        return false;
    if (range[0] != SIZE_MAX) {
        const struct text text = {self->data + range[0], range[1] - range[0]};
        if (needle->size == 0)
            found = (int64_t)str_count(text) + 1;
        for (size_t at = 0; needle->size > 0; found++) {
            at = str_find(in, text, str_text(needle), at);
            if (at == SIZE_MAX || !interp_charge(in, 1))
                break;
            at += needle->size;
        }
    }
    *out = value_int(found);
    return !in->out_of_budget;
}

static bool starts_or_ends(struct interp *in, const struct args *args, const char *name,
                           struct value *out)
{
    const bool ends = name[0] == 'e';
    const struct args_spec spec = {name, 1, 3, {NULL}, {NULL}};
    struct value values[3];
    struct str *self = args->self.as.str;
    size_t range[2];
    if (!args_bind(in, &spec, args, values) || !bounds(in, self, values + 1, range))
        return false;
    const bool tuple = values[0].kind == VALUE_TUPLE;
    const struct value *affixes = tuple ? values[0].as.list->items : values;
    const uint32_t affix_count = tuple ? values[0].as.list->count : 1;
    *out = value_bool(false);
    for (uint32_t i = 0; i < affix_count && !out->as.boolean;
         i++) { /* no further than it must */
        if (affixes[i].kind != VALUE_STR)
            return exception_raise(in, &exception_type,
                                   tuple ? "tuple for %s must only contain str, not %s"
                                         : "%s first arg must be str or a tuple of str, not %s",
                                   name, type_name(affixes[i]));
        const struct text affix = str_text(affixes[i].as.str);
        if (range[0] == SIZE_MAX)
            continue;
        const struct text text = {self->data + range[0], range[1] - range[0]};
        if (ends ? text_ends(text, affix) : text_starts(text, affix))
            *out = value_bool(true);
    }
    return interp_charge(in, affix_count);
}

static bool startswith(struct interp *in, const struct args *args, struct value *out)
{
    return starts_or_ends(in, args, "startswith", out);
}

static bool endswith(struct interp *in, const struct args *args, struct value *out)
{
    return starts_or_ends(in, args, "endswith", out);
}

static bool replace(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"replace", 2, 3, {NULL}, {NULL}};
    struct value values[3];
    struct str *self = args->self.as.str, *old = NULL, *new = NULL;
    int64_t left = -1;
    if (!args_bind(in, &SPEC, args, values) ||
        !args_str(in, values[0], "replace() argument 1", &old) ||
        !args_str(in, values[1], "replace() argument 2", &new) ||
        !args_int(in, values[2], &left))
        return false;
    const struct text text = str_text(self);
    struct str_builder b = {.in = in};
    size_t done = 0, at = 0;
    for (; left != 0 && !b.failed; left--) {
        at = str_find(in, text, str_text(old), at);
        if (at == SIZE_MAX)
            break;
        str_builder_add(&b, text_slice(text, done, at));
        str_builder_add(&b, str_text(new));
        done = at;
        if (old->size == 0 && at == text.size)
            break;
        if (old->size == 0)
            str_next(self, &at);
        else
            done = at = at + old->size;
        if (!interp_charge(in, 1))
            return false;
    }
    if (in->out_of_budget)
        return false;
    if (b.size == 0 && done == 0)
        return put_str(self, out); /* nothing found: still a span of its document */
    str_builder_add(&b, text_slice(text, done, text.size));
    return put_str(str_builder_str(&b), out);
}

static size_t skip_space(const struct str *str, size_t at, bool space)
{
    while (at < str->size) {
        size_t next = at;
        if (unicode_is(str_next(str, &next), UNICODE_SPACE) != space)
            break;
        at = next;
    }
    return at;
}

/* Where the character before at begins. */
static size_t back(const struct str *str, size_t at)
{
    do
        at--;
    while (((uint8_t)str->data[at] & 0xc0) == 0x80);
    return at;
}

static size_t skip_space_back(const struct str *str, size_t at, bool space)
{
    while (at > 0) {
        const size_t before = back(str, at);
        size_t next = before;
        if (unicode_is(str_next(str, &next), UNICODE_SPACE) != space)
            break;
        at = before;
    }
    return at;
}

static bool split_space(struct interp *in, struct str *self, int64_t most, struct list *list)
{
    size_t at = skip_space(self, 0, true);
    if (!interp_charge(in, self->size / 16))
        return false;
    for (; at < self->size; most--) {
        const size_t end =
            most == 0 ? skip_space_back(self, self->size, true) : skip_space(self, at, false);
        const size_t span[2] = {at, most == 0 ? self->size : end};
        if (!interp_charge(in, 1) || !push_span(in, list, self, span))
            return false;
        at = most == 0 ? self->size : skip_space(self, end, true);
    }
    return true;
}

static bool split_by(struct interp *in, struct str *self, struct text by, int64_t most,
                     struct list *list)
{
    size_t at = 0;
    for (; most != 0; most--) {
        const size_t end = str_find(in, str_text(self), by, at);
        const size_t span[2] = {at, end};
        if (end == SIZE_MAX)
            break;
        if (!interp_charge(in, 1) || !push_span(in, list, self, span))
            return false;
        at = end + by.size;
    }
    const size_t rest[2] = {at, self->size};
    return !in->out_of_budget && push_span(in, list, self, rest);
}

static bool rsplit_space(struct interp *in, struct str *self, int64_t most, struct list *list)
{
    size_t end = skip_space_back(self, self->size, true);
    if (!interp_charge(in, self->size / 16))
        return false;
    for (; end > 0; most--) {
        const size_t at = most == 0 ? 0 : skip_space_back(self, end, false);
        const size_t span[2] = {at, end};
        if (!interp_charge(in, 1) || !push_span(in, list, self, span))
            return false;
        end = at == 0 ? 0 : skip_space_back(self, at, true);
    }
    return true;
}

static bool rsplit_by(struct interp *in, struct str *self, struct text by, int64_t most,
                      struct list *list)
{
    size_t end = self->size;
    for (; most != 0; most--) {
        const size_t at = str_find_last(in, (struct text){self->data, end}, by);
        if (at == SIZE_MAX)
            break;
        const size_t span[2] = {at + by.size, end};
        if (!push_span(in, list, self, span))
            return false;
        end = at;
    }
    const size_t rest[2] = {0, end};
    return !in->out_of_budget && push_span(in, list, self, rest);
}

static bool split_any(struct interp *in, const struct args *args, bool from_right,
                      struct value *out)
{
    static const struct args_spec SPEC = {"split", 0, 2, {"sep", "maxsplit"}, {NULL}};
    struct value values[2];
    struct str *self = args->self.as.str, *by = NULL;
    int64_t most = -1;
    if (!args_bind(in, &SPEC, args, values) || !args_int(in, values[1], &most))
        return false;
    if (values[0].kind != VALUE_NONE && values[0].kind != VALUE_UNSET &&
        values[0].kind != VALUE_STR)
        return exception_raise(in, &exception_type, "must be str or None, not %s",
                               type_name(values[0]));
    if (values[0].kind == VALUE_STR)
        by = values[0].as.str;
    if (by && by->size == 0)
        return exception_raise(in, &exception_value, "empty separator");
    struct list *list = list_new(in, 0);
    bool fine = list != NULL;
    if (fine && from_right)
        fine = by ? rsplit_by(in, self, str_text(by), most, list)
                  : rsplit_space(in, self, most, list);
    else if (fine)
        fine = by ? split_by(in, self, str_text(by), most, list)
                  : split_space(in, self, most, list);
    for (uint32_t i = 0; fine && from_right && i < list->count / 2; i++) {
        const struct value swap = list->items[i];
        list->items[i] = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = swap;
    }
    *out = value_list(list);
    return fine;
}

static bool split(struct interp *in, const struct args *args, struct value *out)
{
    return split_any(in, args, false, out);
}

static bool rsplit(struct interp *in, const struct args *args, struct value *out)
{
    return split_any(in, args, true, out);
}

static bool is_line_end(uint32_t c)
{
    return (c >= '\n' && c <= '\r') || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 ||
           c == 0x2029;
}

static bool splitlines(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"splitlines", 0, 1, {"keepends"}, {NULL}};
    struct value values[1];
    struct str *self = args->self.as.str;
    struct list *list = list_new(in, 0);
    int64_t keep = 0;
    if (!list || !args_bind(in, &SPEC, args, values) || !args_c_int(in, values[0], &keep) ||
        !interp_charge(in, self->size / 16))
        return false;
    size_t begin = 0;
    for (size_t at = 0; at < self->size;) {
        const size_t end = at;
        const uint32_t c = str_next(self, &at);
        if (!is_line_end(c))
            continue;
        at += c == '\r' && at < self->size && self->data[at] == '\n';
        const size_t span[2] = {begin, keep ? at : end};
        if (!interp_charge(in, 1) || !push_span(in, list, self, span))
            return false;
        begin = at;
    }
    const size_t rest[2] = {begin, self->size};
    *out = value_list(list);
    return begin == self->size || push_span(in, list, self, rest);
}

static bool join(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"join", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    struct str_builder b = {.in = in};
    if (!args_bind(in, &SPEC, args, values))
        return false;
    struct list *items = list_from(in, values[0]);
    if (!items) {
        if (in->raised && exception_is_a(in->raised, &exception_type) &&
            values[0].kind != VALUE_ITER)
            return exception_raise(in, &exception_type, "can only join an iterable");
        return false;
    }
    size_t size = 0;
    for (uint32_t i = 0; i < items->count; i++) {
        if (items->items[i].kind != VALUE_STR)
            return exception_raise(in, &exception_type,
                                   "sequence item %u: expected str instance, %s found", i,
                                   type_name(items->items[i]));
        if (__builtin_add_overflow(size, items->items[i].as.str->size, &size) ||
            (i > 0 && __builtin_add_overflow(size, args->self.as.str->size, &size)))
            size = SIZE_MAX;
    }
    if (items->count == 1) /* a single one stays a span of its document */
        return put_str(items->items[0].as.str, out);
    if (size > 0 && !str_builder_reserve(&b, size))
        return false;
    for (uint32_t i = 0; i < items->count; i++) {
        if (i > 0)
            str_builder_add(&b, str_text(args->self.as.str));
        str_builder_add(&b, str_text(items->items[i].as.str));
    }
    return put_str(str_builder_str(&b), out);
}

static bool has_code_point(const struct str *set, uint32_t code_point)
{
    for (size_t at = 0; at < set->size;)
        if (str_next(set, &at) == code_point)
            return true;
    return false;
}

static bool strip_any(struct interp *in, const struct args *args, const char *name, int sides,
                      struct value *out)
{
    const struct args_spec spec = {name, 0, 1, {NULL}, {NULL}};
    struct value values[1];
    struct str *self = args->self.as.str, *set = NULL;
    if (!args_bind(in, &spec, args, values))
        return false;
    if (values[0].kind != VALUE_UNSET && values[0].kind != VALUE_NONE) {
        if (values[0].kind != VALUE_STR)
            return exception_raise(in, &exception_type, "%s arg must be None or str", name);
        set = values[0].as.str;
    }
    size_t begin = 0, end = self->size;
    while (sides & 1 && begin < end) {
        size_t next = begin;
        const uint32_t c = str_next(self, &next);
        if (!(set ? has_code_point(set, c) : unicode_is(c, UNICODE_SPACE)))
            break;
        begin = next;
    }
    while (sides & 2 && end > begin) {
        const size_t before = back(self, end);
        size_t next = before;
        const uint32_t c = str_next(self, &next);
        if (!(set ? has_code_point(set, c) : unicode_is(c, UNICODE_SPACE)))
            break;
        end = before;
    }
    const uint64_t steps = (self->size - (end - begin)) * (1 + (set ? set->size : 0)) / 8;
    return interp_charge(in, steps) && put_str(str_span(in, self, begin, end), out);
}

static bool strip(struct interp *in, const struct args *args, struct value *out)
{
    return strip_any(in, args, "strip", 3, out);
}

static bool lstrip(struct interp *in, const struct args *args, struct value *out)
{
    return strip_any(in, args, "lstrip", 1, out);
}

static bool rstrip(struct interp *in, const struct args *args, struct value *out)
{
    return strip_any(in, args, "rstrip", 2, out);
}

static bool partition_any(struct interp *in, const struct args *args, const char *name,
                          struct value *out)
{
    const struct args_spec spec = {name, 1, 1, {NULL}, {NULL}};
    const bool last = name[0] == 'r';
    struct value values[1];
    struct str *self = args->self.as.str, *by = NULL;
    if (!args_bind(in, &spec, args, values) || !needle_of(in, values[0], &by))
        return false;
    if (by->size == 0)
        return exception_raise(in, &exception_value, "empty separator");
    const size_t at = last ? str_find_last(in, str_text(self), str_text(by))
                           : str_find(in, str_text(self), str_text(by), 0);
    struct list *list = in->out_of_budget ? NULL : list_new(in, 3);
    struct str *empty = str_view(in, TEXT(""));
    if (!list || !empty)
        return false;
    *out = value_tuple(list);
    if (at == SIZE_MAX) {
        const struct value whole = value_str(self), none = value_str(empty);
        return list_push(in, list, last ? none : whole) && list_push(in, list, none) &&
               list_push(in, list, last ? whole : none);
    }
    const size_t head[2] = {0, at}, tail[2] = {at + by->size, self->size};
    return push_span(in, list, self, head) && list_push(in, list, value_str(by)) &&
           push_span(in, list, self, tail);
}

static bool partition(struct interp *in, const struct args *args, struct value *out)
{
    return partition_any(in, args, "partition", out);
}

static bool rpartition(struct interp *in, const struct args *args, struct value *out)
{
    return partition_any(in, args, "rpartition", out);
}

static bool removeprefix(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"removeprefix", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    struct str *self = args->self.as.str, *affix = NULL;
    if (!args_bind(in, &SPEC, args, values) ||
        !args_str(in, values[0], "removeprefix() argument", &affix))
        return false;
    const size_t cut = text_starts(str_text(self), str_text(affix)) ? affix->size : 0;
    return put_str(str_span(in, self, cut, self->size), out);
}

static bool removesuffix(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"removesuffix", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    struct str *self = args->self.as.str, *affix = NULL;
    if (!args_bind(in, &SPEC, args, values) ||
        !args_str(in, values[0], "removesuffix() argument", &affix))
        return false;
    const size_t cut = text_ends(str_text(self), str_text(affix)) ? affix->size : 0;
    return put_str(str_span(in, self, 0, self->size - cut), out);
}

const struct methods_row methods_find_table[] = {
    {"strip", strip},
    {"split", split},
    {"join", join},
    {"replace", replace},
    {"startswith", startswith},
    {"endswith", endswith},
    {"find", find},
    {"rfind", rfind},
    {"index", index_of},
    {"rindex", rindex_of},
    {"count", count},
    {"rsplit", rsplit},
    {"splitlines", splitlines},
    {"lstrip", lstrip},
    {"rstrip", rstrip},
    {"partition", partition},
    {"rpartition", rpartition},
    {"removeprefix", removeprefix},
    {"removesuffix", removesuffix},
    {NULL, NULL},
};
