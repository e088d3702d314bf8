/*
 * modules_re - see modules_re.h.
 *
 * Matching is linear in the text, but going through all matches need not be: a pattern may
 * look far ahead at each of them. Bytes are charged per search as far as the match reaches,
 * and the wall time spent in matching is a budget of its own.
 */
#include "protocol/dsl/modules_re.h"

#include "base/clock.h"
#include "protocol/dsl/args.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/modules_re_match.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/type.h"

#include <string.h>

static const double REGEX_TIME_S = 10, LOOK_S = 0.001;

/* Charges the time since before: an expression's own memory grows with it. */
static bool charge_time(struct interp *in, double before)
{
    in->regex_s += clock_now_s() - before;
    if (in->regex_s > REGEX_TIME_S)
        return interp_trip(in, "regular expressions took longer than %.0f s", REGEX_TIME_S);
    if (in->regex_s - in->heap_s < LOOK_S)
        return true;
    in->heap_s = in->regex_s;
    return interp_check_heap(in) && interp_check_time(in);
}

/* So much for one expression, a part of what the program has left. */
enum { MEMORY_MAX = 8 << 20, MEMORY_MIN = 1 << 19, MEMORY_PART = 8 };

static struct regex *open_regex(struct interp *in, struct text translated, bool ends_open,
                                char message[200])
{
    const size_t part = interp_bytes_left(in) / MEMORY_PART;
    const size_t most = part > MEMORY_MAX ? MEMORY_MAX : part < MEMORY_MIN ? MEMORY_MIN : part;
    struct regex *regex = regex_open(translated, ends_open, most, &in->regexes, message);
    if (!regex && most < MEMORY_MAX && strstr(message, "too large"))
        interp_trip(in, "the program used up its %zu bytes of memory", in->limits.bytes);
    return regex;
}

static bool add_extra(struct interp *in, const char *name, struct value value)
{
    struct str *key = str_view(in, text_of(name));
    return key && dict_set(in, in->raised->extra, value_str(key), value);
}

bool modules_re_raise(struct interp *in, struct str *source, const char *message)
{
    static const char AT[] = " at position ";
    const struct text pattern = str_text(source);
    const char *place = NULL;
    size_t position = 0, line = 1, line_begin = 0;
    for (const char *next = message; (next = strstr(next, AT)) != NULL; next++)
        place = next;
    for (const char *c = place ? place + strlen(AT) : ""; *c >= '0' && *c <= '9'; c++)
        position = position * 10 + (size_t)(*c - '0');
    for (size_t at = 0, index = 0; at < pattern.size && index < position; index++)
        if (text_utf8_next(pattern, &at) == '\n') {
            line++;
            line_begin = index + 1;
        }
    if (place && text_find(pattern, TEXT("\n"), 0) != SIZE_MAX)
        exception_raise(in, &exception_regex, "%s (line %zu, column %zu)", message, line,
                        position - line_begin + 1);
    else
        exception_raise(in, &exception_regex, "%s", message);
    const size_t size = place ? (size_t)(place - message) : strlen(message);
    struct str *words = str_copy(in, (struct text){message, size});
    struct dict *extra = words ? dict_new(in) : NULL;
    if (!extra || !in->raised || in->out_of_budget)
        return false;
    in->raised->extra = extra;
    (void)(add_extra(in, "msg", value_str(words)) &&
           add_extra(in, "pattern", value_str(source)) &&
           add_extra(in, "pos", place ? value_int((int64_t)position) : value_none()) &&
           add_extra(in, "lineno", place ? value_int((int64_t)line) : value_none()) &&
           add_extra(in, "colno",
                     place ? value_int((int64_t)(position - line_begin) + 1) : value_none()));
    return false;
}

static struct pattern *compile_new(struct interp *in, struct str *source, int64_t flags)
{
    struct text_buf translated = {.size_max = 1 << 20};
    char message[200] = "";
    bool ends_open = false;
    struct pattern *pattern = INTERP_NEW(in, struct pattern);
    struct regex *regex = NULL;
    if (!pattern || !interp_charge(in, 100 + source->size))
        return NULL;
    const double before = clock_now_s();
    if (regex_translate(str_text(source), &flags, &translated, &ends_open, message))
        regex = open_regex(in, text_buf_text(&translated), ends_open, message);
    text_buf_deinit(&translated);
    if (!charge_time(in, before) || in->out_of_budget)
        return NULL;
    if (regex && (flags & REGEX_ASCII) && (flags & REGEX_UNICODE)) {
        exception_raise(in, &exception_value, "ASCII and UNICODE flags are incompatible");
        return NULL;
    }
    if (!regex) {
        modules_re_raise(in, source, message);
        return NULL;
    }
    *pattern = (struct pattern){.regex = regex, .source = source, .flags = flags};
    return pattern;
}

struct pattern *modules_re_compile(struct interp *in, struct str *source, int64_t flags)
{
    const struct value pair[2] = {value_str(source), value_int(flags)};
    struct list *key = list_of(in, pair, 2);
    struct dict_entry *entry;
    if (!in->regex_cache)
        in->regex_cache = dict_new(in);
    if (!key || !in->regex_cache || !dict_find(in, in->regex_cache, value_tuple(key), &entry))
        return NULL;
    if (entry)
        return entry->value.as.pattern;
    struct pattern *pattern = compile_new(in, source, flags);
    const struct value value = {.kind = VALUE_PATTERN, .as.pattern = pattern};
    return pattern && dict_set(in, in->regex_cache, value_tuple(key), value) ? pattern : NULL;
}

static bool find_in(struct interp *in, const struct modules_re_scan *scan, size_t from,
                    enum regex_anchor anchor, struct regex_span *spans)
{
    const double before = clock_now_s();
    const bool found = regex_find(scan->pattern->regex, scan->text, from, anchor, spans);
    const size_t reached = found ? spans[0].end : scan->text.size;
    if (!charge_time(in, before))
        return false;
    return interp_charge(in, 4 + (reached > from ? reached - from : 0) / 64) && found;
}

bool modules_re_next(struct interp *in, struct modules_re_scan *scan)
{
    if (!scan->text.data)
        scan->text = str_text(scan->subject);
    if (scan->done || !find_in(in, scan, scan->at, REGEX_SEARCH, scan->spans)) {
        scan->done = true;
        return false;
    }
    const struct regex_span match = scan->spans[0];
    scan->at = match.end;
    if (match.begin != match.end)
        return true;
    if (match.end >= scan->text.size) /* an empty match at the end is the last */
        scan->done = true;
    else
        str_next(scan->subject, &scan->at);
    return true;
}

/* A pattern out of a str or a Pattern. */
static struct pattern *pattern_of(struct interp *in, struct value value, struct value flags)
{
    int64_t bits = 0;
    uint64_t hash;
    if (!args_int(in, flags, &bits))
        return NULL;
    if (value.kind == VALUE_STR)
        return modules_re_compile(in, value.as.str, bits);
    if (value.kind == VALUE_PATTERN && bits == 0)
        return value.as.pattern;
    if (value.kind == VALUE_PATTERN)
        exception_raise(in, &exception_value,
                        "cannot process flags argument with a compiled pattern");
    else if (compare_hash(in, value, &hash)) /* it is looked for among those compiled */
        exception_raise(in, &exception_type,
                        "first argument must be string or compiled pattern");
    return NULL;
}

/* The arguments of a function of re, or of the method of a pattern: pattern, subject, rest. */
struct call {
    struct pattern *pattern;
    struct str *subject;
    struct value rest[2];
};

static bool subject_of(struct interp *in, struct value value, struct call *call)
{
    if (value.kind != VALUE_STR)
        return exception_raise(in, &exception_type,
                               "expected string or bytes-like object, got '%s'",
                               type_name(value));
    call->subject = value.as.str;
    return true;
}

/* search, match, fullmatch, findall, finditer(pattern, string, flags); as methods
 * (string, pos, endpos). */
static bool bind_search(struct interp *in, const struct args *args, const char *name,
                        struct call *call)
{
    const struct args_spec function = {name, 2, 3, {"pattern", "string", "flags"}, {NULL}};
    const struct args_spec method = {name, 1, 3, {"string", "pos", "endpos"}, {NULL}};
    const bool is_method = args->self.kind == VALUE_PATTERN;
    struct value values[3];
    if (!(is_method ? args_bind(in, &method, args, values)
                    : args_bind_python(in, &function, args, values, NULL)))
        return false;
    call->pattern = is_method ? args->self.as.pattern : pattern_of(in, values[0], values[2]);
    call->rest[0] = is_method ? values[1] : (struct value){.kind = VALUE_UNSET};
    call->rest[1] = is_method ? values[2] : (struct value){.kind = VALUE_UNSET};
    int64_t ignored;
    return call->pattern && args_int(in, call->rest[0], &ignored) &&
           args_int(in, call->rest[1], &ignored) &&
           subject_of(in, values[is_method ? 0 : 1], call);
}

/* Applies pos and endpos to a scan. */
static bool limit_scan(struct interp *in, const struct call *call, struct modules_re_scan *scan)
{
    int64_t at = 0, end = (int64_t)call->subject->length;
    if (!args_int(in, call->rest[0], &at) || !args_int(in, call->rest[1], &end))
        return false;
    const int64_t length = (int64_t)call->subject->length;
    at = at < 0 ? 0 : at > length ? length : at;
    end = end < 0 ? 0 : end > length ? length : end;
    *scan = (struct modules_re_scan){
        .pattern = call->pattern, .subject = call->subject, .from = at, .to = end};
    scan->at = str_byte_of(in, call->subject, (size_t)at);
    const size_t size = str_byte_of(in, call->subject, (size_t)end);
    scan->text = (struct text){call->subject->data, size};
    scan->done = scan->at > size;
    return !in->out_of_budget;
}

static bool search_any(struct interp *in, const struct args *args, const char *name,
                       enum regex_anchor anchor, struct value *out)
{
    struct call call = {0};
    struct modules_re_scan scan;
    if (!bind_search(in, args, name, &call) || !limit_scan(in, &call, &scan))
        return false;
    *out = value_none();
    if (scan.done || !find_in(in, &scan, scan.at, anchor, scan.spans))
        return !in->out_of_budget;
    return modules_re_match_new(in, &scan, out);
}

static bool search(struct interp *in, const struct args *args, struct value *out)
{
    return search_any(in, args, "search", REGEX_SEARCH, out);
}

static bool match(struct interp *in, const struct args *args, struct value *out)
{
    return search_any(in, args, "match", REGEX_MATCH, out);
}

static bool fullmatch(struct interp *in, const struct args *args, struct value *out)
{
    return search_any(in, args, "fullmatch", REGEX_FULLMATCH, out);
}

static struct str *group_text(struct interp *in, struct str *subject, struct regex_span span)
{
    if (span.begin == SIZE_MAX)
        return str_view(in, TEXT(""));
    return str_span(in, subject, span.begin, span.end);
}

/* What findall gives for one match: the text, the only group, or a tuple of all groups. */
static bool found_value(struct interp *in, const struct modules_re_scan *scan,
                        struct value *out)
{
    const uint32_t count = regex_group_count(scan->pattern->regex);
    if (count <= 1) {
        *out = value_str(group_text(in, scan->subject, scan->spans[count]));
        return out->as.str != NULL;
    }
    struct list *groups = list_new(in, count);
    for (uint32_t i = 1; groups && i <= count; i++) {
        struct str *group = group_text(in, scan->subject, scan->spans[i]);
        if (!group || !list_push(in, groups, value_str(group)))
            return false;
    }
    *out = value_tuple(groups);
    return groups != NULL;
}

static bool findall(struct interp *in, const struct args *args, struct value *out)
{
    struct call call = {0};
    struct modules_re_scan scan;
    struct list *list = list_new(in, 0);
    if (!list || !bind_search(in, args, "findall", &call) || !limit_scan(in, &call, &scan))
        return false;
    *out = value_list(list);
    while (modules_re_next(in, &scan)) {
        struct value item;
        if (!found_value(in, &scan, &item) || !list_push(in, list, item))
            return false;
    }
    return !in->out_of_budget;
}

static enum iter_result step_finditer(struct interp *in, struct iter *iter, struct value *out)
{
    struct modules_re_scan *scan = iter->state;
    if (!modules_re_next(in, scan))
        return in->out_of_budget ? ITER_RAISED : ITER_END;
    return modules_re_match_new(in, scan, out) ? ITER_ITEM : ITER_RAISED;
}

static bool finditer(struct interp *in, const struct args *args, struct value *out)
{
    struct call call = {0};
    struct modules_re_scan *scan = INTERP_NEW(in, struct modules_re_scan);
    if (!scan || !bind_search(in, args, "finditer", &call) || !limit_scan(in, &call, scan))
        return false;
    struct iter *iter = iter_new(in, step_finditer, "callable_iterator");
    if (!iter)
        return false;
    iter->state = scan;
    *out = iter_value(iter);
    return true;
}

static bool split(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec FUNCTION = {
        "split", 2, 4, {"pattern", "string", "maxsplit", "flags"}, {NULL}};
    static const struct args_spec METHOD = {"split", 1, 2, {"string", "maxsplit"}, {NULL}};
    const bool method = args->self.kind == VALUE_PATTERN;
    struct value values[4];
    struct call call = {0};
    int64_t most = 0;
    struct list *list = list_new(in, 0);
    if (!list || !(method ? args_bind(in, &METHOD, args, values)
                          : args_bind_python(in, &FUNCTION, args, values, NULL)))
        return false;
    call.pattern = method ? args->self.as.pattern : pattern_of(in, values[0], values[3]);
    if (!call.pattern || !args_int(in, values[method ? 1 : 2], &most) ||
        !subject_of(in, values[method ? 0 : 1], &call))
        return false;
    struct modules_re_scan scan = {.pattern = call.pattern, .subject = call.subject};
    const uint32_t groups = regex_group_count(call.pattern->regex);
    size_t begin = 0;
    for (int64_t cuts = 0; (most == 0 || cuts < most) && modules_re_next(in, &scan); cuts++) {
        struct str *piece = str_span(in, call.subject, begin, scan.spans[0].begin);
        if (!piece || !list_push(in, list, value_str(piece)))
            return false;
        for (uint32_t i = 1; i <= groups; i++) {
            struct str *group = group_text(in, call.subject, scan.spans[i]);
            const bool unset = scan.spans[i].begin == SIZE_MAX;
            if (!group || !list_push(in, list, unset ? value_none() : value_str(group)))
                return false;
        }
        begin = scan.spans[0].end;
    }
    struct str *rest =
        in->out_of_budget ? NULL : str_span(in, call.subject, begin, call.subject->size);
    *out = value_list(list);
    return rest && list_push(in, list, value_str(rest));
}

/* What CPython joins at the end: texts between matches and what the function answered. */
struct parts {
    struct str_builder *b;
    struct value wrong; /* the first that is no str, or unset */
    uint32_t count, wrong_index;
};

/* One replacement: a template's groups filled in, or what the function answers. */
static bool put_replacement(struct interp *in, struct value replacement,
                            const struct modules_re_scan *scan, struct parts *parts)
{
    struct str_builder *b = parts->b;
    struct value matched, text;
    if (replacement.kind == VALUE_STR)
        return modules_re_match_expand(in, scan, replacement.as.str, b);
    if (!modules_re_match_new(in, scan, &matched))
        return false;
    const struct args args = {.values = &matched, .count = 1};
    if (!eval_call_value(in, replacement, &args, &text))
        return false;
    if (text.kind == VALUE_NONE) /* as nothing, which CPython tells nobody */
        return true;
    if (text.kind == VALUE_STR)
        str_builder_add(b, str_text(text.as.str));
    else if (parts->wrong.kind == VALUE_UNSET) { /* found when all are joined */
        parts->wrong = text;
        parts->wrong_index = parts->count;
    }
    parts->count++;
    return !b->failed;
}

/* A template's faults are raised though nothing may match: it is filled in once for that. */
static bool check_template(struct interp *in, const struct modules_re_scan *scan,
                           struct str *template)
{
    struct modules_re_scan nowhere = {.pattern = scan->pattern, .subject = scan->subject};
    struct str_builder b = {.in = in};
    for (uint32_t i = 0; i <= regex_group_count(scan->pattern->regex); i++)
        nowhere.spans[i].begin = nowhere.spans[i].end = SIZE_MAX;
    return modules_re_match_expand(in, &nowhere, template, &b);
}

/* A template as check_template wants it, or something to call; CPython looks it up among those
 * has parsed, and decodes what is no str. */
static bool check_replacement(struct interp *in, const struct modules_re_scan *scan,
                              struct value replacement)
{
    if (replacement.kind == VALUE_STR)
        return check_template(in, scan, replacement.as.str);
    if (eval_can_call(replacement))
        return true;
    uint64_t hash;
    return compare_hash(in, replacement, &hash) &&
           exception_raise(in, &exception_type,
                           "decoding to str: need a bytes-like object, %s found",
                           type_name(replacement));
}

static bool sub_any(struct interp *in, const struct args *args, const char *name,
                    struct value *out, int64_t *count)
{
    const struct args_spec function = {
        name, 3, 5, {"pattern", "repl", "string", "count", "flags"}, {NULL}};
    const struct args_spec method_spec = {name, 2, 3, {"repl", "string", "count"}, {NULL}};
    const bool method = args->self.kind == VALUE_PATTERN;
    struct value values[5];
    struct call call = {0};
    struct str_builder b = {.in = in};
    struct parts parts = {.b = &b};
    int64_t most = 0;
    if (!(method ? args_bind(in, &method_spec, args, values)
                 : args_bind_python(in, &function, args, values, NULL)))
        return false;
    call.pattern = method ? args->self.as.pattern : pattern_of(in, values[0], values[4]);
    const struct value replacement = values[method ? 0 : 1];
    struct modules_re_scan scan = {.pattern = call.pattern, .subject = str_view(in, TEXT(""))};
    if (!call.pattern || !scan.subject || !args_int(in, values[method ? 2 : 3], &most) ||
        !check_replacement(in, &scan, replacement) ||
        !subject_of(in, values[method ? 1 : 2], &call))
        return false;
    scan.subject = call.subject;
    const struct text text = str_text(call.subject);
    size_t begin = 0;
    *count = 0;
    while ((most == 0 || *count < most) && modules_re_next(in, &scan)) {
        str_builder_add(&b, text_slice(text, begin, scan.spans[0].begin));
        parts.count += scan.spans[0].begin > begin;
        if (!put_replacement(in, replacement, &scan, &parts))
            return false;
        begin = scan.spans[0].end;
        ++*count;
    }
    if (in->out_of_budget)
        return false;
    if (parts.wrong.kind != VALUE_UNSET)
        return exception_raise(in, &exception_type,
                               "sequence item %u: expected str instance, %s found",
                               parts.wrong_index, type_name(parts.wrong));
    *out = value_str(call.subject); /* nothing replaced: still a span of its document */
    if (*count == 0)
        return true;
    str_builder_add(&b, text_slice(text, begin, text.size));
    *out = value_str(str_builder_str(&b));
    return out->as.str != NULL;
}

static bool sub(struct interp *in, const struct args *args, struct value *out)
{
    int64_t count;
    return sub_any(in, args, "sub", out, &count);
}

static bool subn(struct interp *in, const struct args *args, struct value *out)
{
    struct value pair[2];
    int64_t count;
    if (!sub_any(in, args, "subn", &pair[0], &count))
        return false;
    pair[1] = value_int(count);
    *out = value_tuple(list_of(in, pair, 2));
    return out->as.list != NULL;
}

static bool compile(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"compile", 1, 2, {"pattern", "flags"}, {NULL}};
    struct value values[2];
    if (!args_bind_python(in, &SPEC, args, values, NULL))
        return false;
    struct pattern *pattern = pattern_of(in, values[0], values[1]);
    *out = (struct value){.kind = VALUE_PATTERN, .as.pattern = pattern};
    return pattern != NULL;
}

static bool escape(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"escape", 1, 1, {"pattern"}, {NULL}};
    struct value values[1];
    struct str_builder b = {.in = in};
    if (!args_bind_python(in, &SPEC, args, values, NULL))
        return false;
    if (values[0].kind != VALUE_STR)
        return exception_raise(in, &exception_type,
                               "decoding to str: need a bytes-like object, %s found",
                               type_name(values[0]));
    const struct str *text = values[0].as.str;
    for (size_t i = 0; i < text->size && !b.failed; i++) {
        const char c = text->data[i];
        if (c && strchr("()[]{}?*+-|^$\\.&~# \t\n\r\v\f", c))
            str_builder_byte(&b, '\\');
        str_builder_byte(&b, c);
    }
    *out = value_str(str_builder_str(&b));
    return interp_charge(in, text->size / 16) && out->as.str != NULL;
}

static bool purge(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"purge", 0, 0, {NULL}, {NULL}};
    *out = value_none();
    return args_bind_python(in, &SPEC, args, NULL, NULL);
}

#define FLAG(flag_name, bits)                                                                  \
    {                                                                                          \
        .name = flag_name, .constant = {.kind = VALUE_INT, .as.integer = bits }                \
    }

const struct modules_member modules_re[] = {
    {.name = "search", .call = search},
    {.name = "match", .call = match},
    {.name = "fullmatch", .call = fullmatch},
    {.name = "findall", .call = findall},
    {.name = "finditer", .call = finditer},
    {.name = "split", .call = split},
    {.name = "sub", .call = sub},
    {.name = "subn", .call = subn},
    {.name = "compile", .call = compile},
    {.name = "escape", .call = escape},
    {.name = "purge", .call = purge},
    {.name = "error", .type = &exception_regex},
    FLAG("I", REGEX_IGNORECASE),
    FLAG("IGNORECASE", REGEX_IGNORECASE),
    FLAG("M", REGEX_MULTILINE),
    FLAG("MULTILINE", REGEX_MULTILINE),
    FLAG("S", REGEX_DOTALL),
    FLAG("DOTALL", REGEX_DOTALL),
    FLAG("X", REGEX_VERBOSE),
    FLAG("VERBOSE", REGEX_VERBOSE),
    FLAG("A", REGEX_ASCII),
    FLAG("ASCII", REGEX_ASCII),
    FLAG("U", REGEX_UNICODE),
    FLAG("UNICODE", REGEX_UNICODE),
    {.name = "Pattern"},
    {.name = "Match"},
    {.name = NULL},
};

const struct methods_row modules_re_pattern_methods[] = {
    {"search", search},   {"match", match},       {"fullmatch", fullmatch},
    {"findall", findall}, {"finditer", finditer}, {"split", split},
    {"sub", sub},         {"subn", subn},         {NULL, NULL},
};
