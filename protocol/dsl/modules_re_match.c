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

#include <stdarg.h>
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
                            .from = scan->from,
                            .to = scan->text.data ? scan->to : (int64_t)scan->subject->length};
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

void modules_re_match_pattern_repr(struct str_builder *b, const struct pattern *pattern)
{
    static const struct {
        int64_t flag;
        const char *name;
    } NAMES[] = {{REGEX_IGNORECASE, "re.IGNORECASE"},
                 {REGEX_MULTILINE, "re.MULTILINE"},
                 {REGEX_DOTALL, "re.DOTALL"},
                 {REGEX_VERBOSE, "re.VERBOSE"},
                 {REGEX_ASCII, "re.ASCII"}};
    enum { SHOWN = 200 }; /* letters of the source */
    struct str *quoted = repr_of(b->in, value_str(pattern->source));
    struct str *shown = quoted ? str_slice(b->in, quoted, 0, SHOWN) : NULL;
    const char *before = ", ";
    b->failed |= !shown;
    if (b->failed)
        return;
    str_builder_add(b, TEXT("re.compile("));
    str_builder_add(b, str_text(shown));
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (pattern->flags & NAMES[i].flag) {
            str_builder_add(b, text_of(before));
            str_builder_add(b, text_of(NAMES[i].name));
            before = "|";
        }
    str_builder_byte(b, ')');
}

static bool group(struct interp *in, const struct args *args, struct value *out)
{
    const struct match *self = args->self.as.match;
    if (!args_no_keywords(in, args, "group"))
        return false;
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

/* A template, and where it has been read to; faults are told at places in it. */
struct template
{
    struct interp *in;
    struct str *source;
    struct text text;
    size_t at;
};

PRINTF_LIKE(3, 4)
static bool template_fault(const struct template *t, size_t at, const char *format, ...)
{
    char words[120], message[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    snprintf(message, sizeof message, "%.*s at position %zu",
             (int)text_utf8_valid(text_of(words)), words,
             str_count(text_slice(t->text, 0, at)));
    return modules_re_raise(t->in, t->source, message);
}

/* The group of \g<name>; t->at is past the g. */
static bool named_group(struct template *t, const struct regex *regex, int64_t *number)
{
    const size_t begin = t->at + 1;
    if (t->at >= t->text.size || t->text.data[t->at] != '<')
        return template_fault(t, t->at, "missing <");
    const size_t close = text_find(t->text, TEXT(">"), begin);
    const struct text name = text_slice(t->text, begin, close);
    if (name.size == 0)
        return template_fault(t, begin, "missing group name");
    if (close == SIZE_MAX)
        return template_fault(t, begin, "missing >, unterminated name");
    t->at = close + 1;
    if (str_is_identifier(name)) {
        *number = regex_group_find(regex, name);
        return *number >= 0 || exception_raise(t->in, &exception_index,
                                               "unknown group name '%.*s'", TEXT_ARG(name));
    }
    *number = 0;
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9')
            return template_fault(t, begin, "bad character in group name '%.*s'",
                                  TEXT_ARG(name));
        *number = *number > INT32_MAX ? *number : *number * 10 + name.data[i] - '0';
    }
    return *number <= regex_group_count(regex) ||
           template_fault(t, begin, "invalid group reference %lld", (long long)*number);
}

static bool is_octal(const struct template *t, size_t at)
{
    return at < t->text.size && t->text.data[at] >= '0' && t->text.data[at] <= '7';
}

/* \0, \01 and \012, or the group of \1 and \12; t->at is at the first digit. *number is -1
 * where b got a character. */
static bool numbered_group(struct template *t, const struct regex *regex, struct str_builder *b,
                           int64_t *number)
{
    const char *digits = t->text.data + t->at;
    const size_t begin = t->at;
    const bool zero = digits[0] == '0';
    size_t size = 1;
    *number = digits[0] - '0';
    if (zero)
        size += !is_octal(t, begin + 1) ? 0u : is_octal(t, begin + 2) ? 2u : 1u;
    else if (is_octal(t, begin) && is_octal(t, begin + 1) && is_octal(t, begin + 2))
        size = 3;
    if (zero || size == 3) {
        int64_t code = 0;
        for (size_t i = 0; i < size; i++)
            code = code * 8 + digits[i] - '0';
        if (!zero && code > 0377)
            return template_fault(t, begin - 1,
                                  "octal escape value \\%.*s outside of range 0-0o377",
                                  (int)size, digits);
        str_builder_code_point(b, (uint32_t)code & 0xff);
        *number = -1;
        t->at += size;
        return true;
    }
    if (begin + 1 < t->text.size && digits[1] >= '0' && digits[1] <= '9') {
        *number = *number * 10 + digits[1] - '0';
        size++;
    }
    t->at += size;
    return *number <= regex_group_count(regex) ||
           template_fault(t, begin, "invalid group reference %lld", (long long)*number);
}

/* t->at is past the backslash. */
static bool template_escape(struct template *t, const struct modules_re_scan *scan,
                            struct str_builder *b)
{
    static const char FROM[] = "abfnrtv\\", TO[] = "\a\b\f\n\r\t\v\\";
    const struct regex *regex = scan->pattern->regex;
    const char c = t->text.data[t->at];
    const char *simple = c ? strchr(FROM, c) : NULL;
    int64_t number = -1;
    if (simple) {
        str_builder_byte(b, TO[simple - FROM]);
        t->at++;
    } else if (c >= '0' && c <= '9') {
        if (!numbered_group(t, regex, b, &number))
            return false;
    } else if (c == 'g') {
        t->at++;
        if (!named_group(t, regex, &number))
            return false;
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        return template_fault(t, t->at - 1, "bad escape \\%c", c);
    } else { /* the backslash stays, what it stands before follows */
        str_builder_byte(b, '\\');
    }
    if (number < 0 || scan->spans[number].begin == SIZE_MAX)
        return true;
    const struct regex_span span = scan->spans[number];
    str_builder_add(b, text_slice(str_text(scan->subject), span.begin, span.end));
    return true;
}

bool modules_re_match_expand(struct interp *in, const struct modules_re_scan *scan,
                             struct str *template, struct str_builder *b)
{
    struct template t = {in, template, str_text(template), 0};
    while (t.at < t.text.size && !b->failed) {
        const size_t slash = text_find(t.text, TEXT("\\"), t.at);
        const size_t end_of_plain = slash == SIZE_MAX ? t.text.size : slash;
        str_builder_add(b, text_slice(t.text, t.at, end_of_plain));
        t.at = end_of_plain + 1;
        if (slash == SIZE_MAX)
            break;
        if (t.at >= t.text.size)
            return template_fault(&t, t.at - 1, "bad escape (end of pattern)");
        if (!interp_charge(in, 1) || !template_escape(&t, scan, b))
            return false;
    }
    return !b->failed;
}

/* match.expand(template) */
static bool expand(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"expand", 1, 1, {"template"}, {NULL}};
    const struct match *self = args->self.as.match;
    struct modules_re_scan scan = {.pattern = self->pattern, .subject = self->subject};
    struct str_builder b = {.in = in};
    struct value values[1];
    struct str *template = NULL;
    if (!args_bind(in, &SPEC, args, values) ||
        !args_str(in, values[0], "expand() argument 1", &template))
        return false;
    for (uint32_t i = 0; i <= self->group_count; i++) {
        const int64_t *span = &self->spans[2 * i];
        scan.spans[i] = (struct regex_span){SIZE_MAX, SIZE_MAX};
        if (span[0] < 0)
            continue;
        scan.spans[i].begin = str_byte_of(in, self->subject, (size_t)span[0]);
        scan.spans[i].end = str_byte_of(in, self->subject, (size_t)span[1]);
    }
    if (in->out_of_budget || !modules_re_match_expand(in, &scan, template, &b))
        return false;
    *out = value_str(str_builder_str(&b));
    return out->as.str != NULL;
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
    if (dict && dict->count > 0)
        dict->flavor = DICT_PROXY;
    return dict != NULL;
}

static bool pattern_attribute(struct interp *in, struct pattern *pattern,
                              const struct str *name, struct value *out, bool *found)
{
    *found = true;
    if (str_is(name, "pattern"))
        *out = value_str(pattern->source);
    else if (str_is(name, "flags"))
        *out = value_int(pattern->flags | (pattern->flags & REGEX_ASCII ? 0 : REGEX_UNICODE));
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
    {"group", group}, {"groups", groups}, {"groupdict", groupdict}, {"start", start},
    {"end", end},     {"span", span_of},  {"expand", expand},       {NULL, NULL},
};
