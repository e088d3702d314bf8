/* modules_re_match - see modules_re_match.h. */
#include "protocol/dsl/modules_re_match.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/type.h"

#include <stdio.h>
#include <string.h>

bool modules_re_match_new(struct interp *in, const struct modules_re_scan *scan,
                          struct value *out)
{
    const uint32_t count = regex_group_count(scan->pattern->regex);
    struct match *match = INTERP_NEW(in, struct match);
    int64_t *spans = interp_alloc(in, 2 * ((size_t)count + 1), sizeof *spans);
    if (!match || !spans)
        return false;
    *match = (struct match){.pattern = scan->pattern,
                            .subject = scan->subject,
                            .spans = spans,
                            .group_count = count,
                            .to = (int64_t)scan->subject->length};
    for (uint32_t i = 0; i <= count; i++) {
        const struct regex_span span = scan->spans[i];
        const bool set = span.begin != SIZE_MAX;
        spans[2 * i] = set ? (int64_t)str_index_of(in, scan->subject, span.begin) : -1;
        spans[2 * i + 1] = set ? (int64_t)str_index_of(in, scan->subject, span.end) : -1;
        if (i > 0 && set &&
            (match->last_group == 0 || /* the group that closed last */
             spans[2 * i + 1] > spans[2 * match->last_group + 1]))
            match->last_group = i;
    }
    *out = (struct value){.kind = VALUE_MATCH, .as.match = match};
    return !in->out_of_budget;
}

static bool no_group(struct interp *in)
{
    return exception_raise(in, &exception_index, "no such group");
}

/* The number of a group by number or name. */
static bool group_number(struct interp *in, const struct match *match, struct value index,
                         uint32_t *number)
{
    int64_t at = -1;
    if (index.kind == VALUE_STR)
        at = regex_group_find(match->pattern->regex, str_text(index.as.str));
    else if (number_is_int(index))
        at = number_integer(index);
    uint64_t hash; /* where there are names, anything else is looked up among them */
    if (index.kind != VALUE_STR && !number_is_int(index) &&
        regex_has_names(match->pattern->regex) && !compare_hash(in, index, &hash))
        return false;
    if (at < 0 || at > match->group_count)
        return no_group(in);
    *number = (uint32_t)at;
    return true;
}

static bool group_value(struct interp *in, const struct match *match, uint32_t number,
                        struct value *out)
{
    *out = value_none();
    if (match->spans[2 * number] < 0)
        return true;
    *out = value_str(str_slice(in, match->subject, (size_t)match->spans[2 * number],
                               (size_t)match->spans[2 * number + 1]));
    return out->as.str != NULL;
}

bool modules_re_match_group(struct interp *in, const struct match *match, struct value index,
                            struct value *out)
{
    uint32_t number = 0;
    return group_number(in, match, index, &number) && group_value(in, match, number, out);
}

void modules_re_match_repr(struct str_builder *b, const struct match *match)
{
    enum { SHOWN = 50 }; /* letters of the match's repr, as CPython cuts it */
    char head[80];
    struct value text;
    struct str_builder whole = {.in = b->in};
    snprintf(head, sizeof head,
             "<re.Match object; span=(%lld, %lld), match=", (long long)match->spans[0],
             (long long)match->spans[1]);
    str_builder_add(b, text_of(head));
    if (!group_value(b->in, match, 0, &text) || !repr_write(&whole, text)) {
        b->failed = true;
        return;
    }
    struct str *quoted = str_builder_str(&whole);
    if (!quoted) {
        b->failed = true;
        return;
    }
    const size_t end =
        str_byte_of(b->in, quoted, quoted->length < SHOWN ? quoted->length : SHOWN);
    str_builder_add(b, text_slice(str_text(quoted), 0, end));
    str_builder_byte(b, '>');
}

static bool group(struct interp *in, const struct args *args, struct value *out)
{
    const struct match *self = args->self.as.match;
    if (args->count == 0)
        return group_value(in, self, 0, out);
    if (args->count == 1)
        return modules_re_match_group(in, self, args->values[0], out);
    struct list *list = list_new(in, args->count);
    for (uint32_t i = 0; list && i < args->count; i++) {
        struct value item;
        if (!modules_re_match_group(in, self, args->values[i], &item) ||
            !list_push(in, list, item))
            return false;
    }
    *out = value_tuple(list);
    return list != NULL;
}

static bool group_or(struct interp *in, const struct match *match, uint32_t number,
                     struct value fallback, struct value *out)
{
    if (!group_value(in, match, number, out))
        return false;
    if (out->kind == VALUE_NONE && fallback.kind != VALUE_UNSET)
        *out = fallback;
    return true;
}

static bool groups(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"groups", 0, 1, {"default"}, {NULL}};
    const struct match *self = args->self.as.match;
    struct value values[1];
    struct list *list = list_new(in, self->group_count);
    if (!list || !args_bind(in, &SPEC, args, values))
        return false;
    for (uint32_t i = 1; i <= self->group_count; i++) {
        struct value item;
        if (!group_or(in, self, i, values[0], &item) || !list_push(in, list, item))
            return false;
    }
    *out = value_tuple(list);
    return true;
}

static bool groupdict(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"groupdict", 0, 1, {"default"}, {NULL}};
    const struct match *self = args->self.as.match;
    struct value values[1];
    struct dict *dict = dict_new(in);
    if (!dict || !args_bind(in, &SPEC, args, values))
        return false;
    for (uint32_t i = 1; i <= self->group_count; i++) {
        const struct text name = regex_group_name(self->pattern->regex, i);
        struct value item;
        if (name.size == 0)
            continue;
        struct str *key = str_copy(in, name);
        if (!key || !group_or(in, self, i, values[0], &item) ||
            !dict_set(in, dict, value_str(key), item))
            return false;
    }
    *out = value_dict(dict);
    return true;
}

static bool place(struct interp *in, const struct args *args, const char *name,
                  const int64_t **span)
{
    const struct args_spec spec = {name, 0, 1, {NULL}, {NULL}};
    const struct match *self = args->self.as.match;
    struct value values[1];
    uint32_t number = 0;
    if (!args_bind(in, &spec, args, values) ||
        (values[0].kind != VALUE_UNSET && !group_number(in, self, values[0], &number)))
        return false;
    *span = &self->spans[2 * number];
    return true;
}

static bool start(struct interp *in, const struct args *args, struct value *out)
{
    const int64_t *span;
    if (!place(in, args, "start", &span))
        return false;
    *out = value_int(span[0]);
    return true;
}

static bool end(struct interp *in, const struct args *args, struct value *out)
{
    const int64_t *span;
    if (!place(in, args, "end", &span))
        return false;
    *out = value_int(span[1]);
    return true;
}

static bool span_of(struct interp *in, const struct args *args, struct value *out)
{
    const int64_t *span;
    if (!place(in, args, "span", &span))
        return false;
    const struct value pair[2] = {value_int(span[0]), value_int(span[1])};
    *out = value_tuple(list_of(in, pair, 2));
    return out->as.list != NULL;
}

/* The group that \1 or \g<name> names; *at is past the backslash. */
static bool template_group(struct interp *in, const struct modules_re_scan *scan,
                           struct text text, size_t *at, int64_t *number)
{
    const uint32_t count = regex_group_count(scan->pattern->regex);
    const size_t begin = *at + (text.data[*at] == 'g' ? 2 : 0); /* of the number or name */
    if (text.data[*at] == 'g') {
        const size_t close = text_find(text, TEXT(">"), *at);
        if (*at + 1 >= text.size || text.data[*at + 1] != '<' || close == SIZE_MAX)
            return exception_raise(in, &exception_regex, "missing group name");
        const struct text name = text_slice(text, *at + 2, close);
        *at = close + 1;
        *number = 0;
        for (size_t i = 0; i < name.size && *number >= 0; i++)
            *number = name.data[i] >= '0' && name.data[i] <= '9' && *number <= count
                          ? *number * 10 + name.data[i] - '0'
                          : -1;
        if (*number < 0)
            *number = regex_group_find(scan->pattern->regex, name);
        if (*number < 0)
            return exception_raise(in, &exception_index, "unknown group name '%.*s'",
                                   TEXT_ARG(name));
    } else {
        *number = text.data[(*at)++] - '0';
        if (*at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9')
            *number = *number * 10 + text.data[(*at)++] - '0';
    }
    return *number <= count ||
           exception_raise(in, &exception_regex, "invalid group reference %lld at position %zu",
                           (long long)*number, str_count(text_slice(text, 0, begin)));
}

static bool template_escape(struct interp *in, const struct modules_re_scan *scan,
                            struct text text, size_t *at, struct str_builder *b)
{
    static const char FROM[] = "abfnrtv\\", TO[] = "\a\b\f\n\r\t\v\\";
    const char c = text.data[*at];
    const char *simple = c ? strchr(FROM, c) : NULL;
    int64_t number = 0;
    if (c == '0' || (!simple && c != 'g' && (c < '0' || c > '9'))) {
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
            return exception_raise(in, &exception_regex, "bad escape \\%c at position %zu", c,
                                   str_count(text_slice(text, 0, *at - 1)));
        if (c == '0')
            str_builder_byte(b, '\0');
        else
            str_builder_add(b, (struct text){text.data + *at - 1, 2});
        ++*at;
        return true;
    }
    if (simple) {
        str_builder_byte(b, TO[simple - FROM]);
        ++*at;
        return true;
    }
    if (!template_group(in, scan, text, at, &number))
        return false;
    const struct regex_span span = scan->spans[number];
    if (span.begin != SIZE_MAX)
        str_builder_add(b, text_slice(str_text(scan->subject), span.begin, span.end));
    return true;
}

bool modules_re_match_expand(struct interp *in, const struct modules_re_scan *scan,
                             struct str *template, struct str_builder *b)
{
    const struct text text = str_text(template);
    for (size_t at = 0; at < text.size && !b->failed;) {
        const size_t slash = text_find(text, TEXT("\\"), at);
        const size_t end_of_plain = slash == SIZE_MAX ? text.size : slash;
        str_builder_add(b, text_slice(text, at, end_of_plain));
        at = end_of_plain + 1;
        if (slash == SIZE_MAX)
            break;
        if (at >= text.size)
            return exception_raise(in, &exception_regex,
                                   "bad escape (end of pattern) at position %zu",
                                   str_count(text_slice(text, 0, at - 1)));
        if (!interp_charge(in, 1) || !template_escape(in, scan, text, &at, b))
            return false;
    }
    return !b->failed;
}

static bool named_groups(struct interp *in, const struct regex *regex, struct value *out)
{
    struct dict *dict = dict_new(in);
    for (uint32_t i = 1; dict && i <= regex_group_count(regex); i++) {
        const struct text name = regex_group_name(regex, i);
        struct str *key = name.size > 0 ? str_copy(in, name) : NULL;
        if (name.size > 0 && (!key || !dict_set(in, dict, value_str(key), value_int(i))))
            return false;
    }
    *out = value_dict(dict);
    return dict != NULL;
}

static bool pattern_attribute(struct interp *in, struct pattern *pattern,
                              const struct str *name, struct value *out, bool *found)
{
    *found = true;
    if (str_is(name, "pattern"))
        *out = value_str(pattern->source);
    else if (str_is(name, "flags"))
        *out = value_int(pattern->flags | REGEX_UNICODE);
    else if (str_is(name, "groups"))
        *out = value_int(regex_group_count(pattern->regex));
    else if (str_is(name, "groupindex"))
        return named_groups(in, pattern->regex, out);
    else
        *found = false;
    return true;
}

bool modules_re_match_attribute(struct interp *in, struct value object, const struct str *name,
                                struct value *out, bool *found)
{
    if (object.kind == VALUE_PATTERN)
        return pattern_attribute(in, object.as.pattern, name, out, found);
    struct match *match = object.as.match;
    *found = true;
    *out = value_none();
    if (str_is(name, "string")) {
        *out = value_str(match->subject);
    } else if (str_is(name, "re")) {
        *out = (struct value){.kind = VALUE_PATTERN, .as.pattern = match->pattern};
    } else if (str_is(name, "pos") || str_is(name, "endpos")) {
        *out = value_int(str_is(name, "pos") ? match->from : match->to);
    } else if (str_is(name, "lastindex")) {
        if (match->last_group > 0)
            *out = value_int(match->last_group);
    } else if (str_is(name, "lastgroup")) {
        const struct text last = regex_group_name(match->pattern->regex, match->last_group);
        struct str *text = match->last_group > 0 && last.size > 0 ? str_copy(in, last) : NULL;
        if (text)
            *out = value_str(text);
    } else {
        *found = false;
    }
    return !in->out_of_budget;
}

const struct methods_row modules_re_match_methods[] = {
    {"group", group}, {"groups", groups}, {"groupdict", groupdict},
    {"start", start}, {"end", end},       {"span", span_of},
    {NULL, NULL},
};
