/*
 * schema_want - see schema_want.h.
 *
 * Formats are those of RFC 3339 (dates), 5321 (addresses), 4291 and 2673 (numbers of hosts),
 * 1123, 3986 and 6901, in the ASCII that a model writes; days are those of the calendar.
 */
#include "engine/schema_want.h"

#include <string.h>

/* Parts of the patterns below, which stand there in < >. <more> is what a format has beside
 * ASCII: all of Unicode in addresses, and in IRIs what RFC 3987 says. */
struct piece {
    const char *name, *pattern;
};

#define ALL  "\xc2\x80-\xf4\x8f\xbf\xbf"
#define WIDE "\xc2\xa0-\xed\x9f\xbf\xef\xa4\x80-\xef\xbf\xaf\xf0\x90\x80\x80-\xf3\xaf\xbf\xbd"

static const struct piece pieces[] = {
    {"day", "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]"
            "|30)|02-(0[1-9]|1[0-9]|2[0-8]))|([0-9]{2}(0[48]|[2468][048]|[13579][26])|"
            "([02468][048]|[13579][26])00)-02-29)"},
    {"hour", "(([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?"
             "([zZ]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])|23:59:60(\\.[0-9]+)?([zZ]|[+-]00:00))"},
    {"span", "([0-9]+H([0-9]+M([0-9]+S)?)?|[0-9]+M([0-9]+S)?|[0-9]+S)"},
    {"hex", "[0-9a-fA-F]{1,4}"},
    {"octet", "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"},
    {"v4", "(<octet>\\.){3}<octet>"},
    {"two", "(<hex>:<hex>|<v4>)"},
    {"v6", "((<hex>:){6}<two>|::(<hex>:){5}<two>|(<hex>)?::(<hex>:){4}<two>|"
           "((<hex>:){0,1}<hex>)?::(<hex>:){3}<two>|((<hex>:){0,2}<hex>)?::(<hex>:){2}<two>|"
           "((<hex>:){0,3}<hex>)?::<hex>:<two>|((<hex>:){0,4}<hex>)?::<two>|"
           "((<hex>:){0,5}<hex>)?::<hex>|((<hex>:){0,6}<hex>)?::)"},
    {"label", "[A-Za-z0-9<more>]([A-Za-z0-9<more>-]{0,61}[A-Za-z0-9<more>])?"},
    {"host", "<label>(\\.<label>)*"},
    {"atom", "[A-Za-z0-9!#$%&'*+/=?^_`{|}~<more>-]+"},
    {"mail", "(<atom>(\\.<atom>)*|\"([ !#-\\[\\]-~<more>]|\\\\[ -~])*\")@"
             "(<host>|\\[(<v4>|IPv6:<v6>)\\])"},
    {"code", "%[0-9a-fA-F]{2}"},
    {"set", "A-Za-z0-9._~!$&'()*+,;=<more>-"},
    {"char", "([:@<set>]|<code>)"},
    {"authority", "(([:<set>]|<code>)*@)?(\\[(<v6>|[vV][0-9a-fA-F]+\\.[:A-Za-z0-9._~!$&'()*+,;="
                  "-]+)\\]|([<set>]|<code>)*)(:[0-9]*)?"},
    {"tail", "(\\?([:@/?<set>]|<code>)*)?(#([:@/?<set>]|<code>)*)?"},
    {"path", "(//<authority>(/<char>*)*|/(<char>+(/<char>*)*)?"},
    {"uri", "[A-Za-z][A-Za-z0-9+.-]*:<path>|<char>+(/<char>*)*|)<tail>"},
    {"near", "<path>|([@<set>]|<code>)+(/<char>*)*|)<tail>"},
    {"word", "([A-Za-z0-9_]|<code>)"},
    {"variable", "<word>(\\.?<word>)*(:[1-9][0-9]{0,3}|\\*)?"},
    {"pointer", "(/([^~/]|~[01])*)*"}};

static const struct {
    const char *name, *pattern, *more;
} formats[] = {
    {"date", "^<day>$", ""},
    {"time", "^<hour>$", ""},
    {"date-time", "^<day>[tT]<hour>$", ""},
    {"duration",
     "^P([0-9]+W|([0-9]+Y([0-9]+M([0-9]+D)?)?|[0-9]+M([0-9]+D)?|[0-9]+D)(T<span>)?|"
     "T<span>)$",
     ""},
    {"email", "^<mail>$", ""},
    {"idn-email", "^<mail>$", ALL},
    {"hostname", "^<host>$", ""},
    {"ipv4", "^<v4>$", ""},
    {"ipv6", "^<v6>$", ""},
    {"uuid", "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", ""},
    {"uri", "^<uri>$", ""},
    {"uri-reference", "^(<uri>|<near>)$", ""},
    {"iri", "^<uri>$", WIDE},
    {"iri-reference", "^(<uri>|<near>)$", WIDE},
    {"uri-template",
     "^([^\\x00-\\x20\"%\\x3c\\x3e\\\\^`{|}\\x7f]|<code>|"
     "\\{[+#./;?&=,!@|]?<variable>(,<variable>)*\\})*$",
     ""},
    {"json-pointer", "^<pointer>$", ""},
    {"relative-json-pointer", "^(0|[1-9][0-9]*)(#|<pointer>)$", ""},
};

static size_t find_format(struct text name)
{
    size_t at = 0;
    while (at < sizeof formats / sizeof *formats &&
           !text_equal(name, text_of(formats[at].name)))
        at++;
    return at;
}

static void put_pieces(struct text_buf *out, struct text pattern, const char *more)
{
    for (size_t at = 0; at < pattern.size;) {
        const size_t open = text_find(pattern, TEXT("<"), at);
        const size_t close = text_find(pattern, TEXT(">"), at);
        const struct text name = text_slice(pattern, open + 1, close);
        text_buf_add(out, text_slice(pattern, at, open));
        if (open == SIZE_MAX)
            return;
        at = close + 1;
        if (text_equal(name, TEXT("more")))
            text_buf_format(out, "%s", more);
        for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
            if (text_equal(name, text_of(pieces[i].name)))
                put_pieces(out, text_of(pieces[i].pattern), more);
    }
}

enum status schema_want_init(struct schema_want *want, struct schema_build *build,
                             enum regex_bytes bytes)
{
    *want = (struct schema_want){.arena = build->arena, .err = build->err, .bytes = bytes};
    TRY(automaton_nfa(&want->nfa, build->arena, build->err));
    want->nfa.work = &build->work;
    return OK;
}

enum status schema_want_label(struct schema_want *want, bool holds, uint16_t *label)
{
    if (want->count == SCHEMA_WANT_LABELS_MAX)
        FAIL(want->err, ERR_LIMIT, "schema: more than %d restrictions of one text",
             SCHEMA_WANT_LABELS_MAX);
    *label = want->count++;
    *(holds ? &want->want.all : &want->want.none) |= 1u << *label;
    return OK;
}

/* Before an end with that label. */
static struct regex_target target_of(struct schema_want *want, uint16_t label)
{
    return (struct regex_target){.nfa = &want->nfa,
                                 .scratch = want->arena,
                                 .after = automaton_accept(&want->nfa, label),
                                 .options = {.bytes = want->bytes, .span = REGEX_SEARCH}};
}

static enum status add_pattern(struct schema_want *want, struct text pattern, bool holds)
{
    struct nfa *nfa = &want->nfa;
    uint16_t label = 0;
    uint16_t start = 0;
    TRY(schema_want_label(want, holds, &label));
    const struct regex_target target = target_of(want, label);
    TRY(regex_add(&target, pattern, &start, want->err));
    nfa->start = automaton_split(nfa, nfa->start, start);
    return OK;
}

/* Where the group that begins at from ends: behind its parenthesis. With from at a pattern's
 * begin and no group: where its first alternative ends. */
static size_t group_end(struct text pattern, size_t from, bool group)
{
    uint32_t depth = 0;
    bool in_class = false;
    for (size_t at = from; at < pattern.size; at++) {
        const char c = pattern.data[at];
        if (c == '\\') {
            at++;
        } else if (in_class || c == '[') {
            in_class = c != ']';
        } else if (c == '(') {
            depth++;
        } else if (c == ')' && depth > 0) {
            if (--depth == 0 && group)
                return at + 1;
        } else if (c == '|' && depth == 0) {
            return at;
        }
    }
    return pattern.size;
}

enum status schema_want_pattern(struct schema_want *want, struct text pattern, bool holds)
{
    const size_t anchor = text_starts(pattern, TEXT("^")) ? 1 : 0;
    size_t at = anchor;
    struct text_buf part = {0};
    while (anchor && holds && group_end(pattern, 0, false) == pattern.size) {
        const struct text rest = text_slice(pattern, at, pattern.size);
        const bool ahead = text_starts(rest, TEXT("(?="));
        if (!ahead && !text_starts(rest, TEXT("(?!")))
            break;
        const size_t end = group_end(rest, 0, true);
        text_buf_clear(&part);
        text_buf_format(&part, "^(?:%.*s", TEXT_ARG(text_slice(rest, 3, end)));
        const enum status status = part.failed ? error_set(want->err, ERR_MEMORY, __FILE__,
                                                           __LINE__, "schema: no memory")
                                               : add_pattern(want, text_buf_text(&part), ahead);
        if (status != OK) {
            text_buf_deinit(&part);
            return status;
        }
        at += end;
    }
    text_buf_deinit(&part);
    if (at == anchor)
        return add_pattern(want, pattern, holds);
    struct text_buf whole = {0};
    text_buf_format(&whole, "^%.*s", TEXT_ARG(text_slice(pattern, at, pattern.size)));
    const enum status status =
        whole.failed ? error_set(want->err, ERR_MEMORY, __FILE__, __LINE__, "schema: no memory")
                     : add_pattern(want, text_buf_text(&whole), true);
    text_buf_deinit(&whole);
    return status;
}

enum status schema_want_parsed(struct schema_want *want, const struct regex_part *part)
{
    struct nfa *nfa = &want->nfa;
    uint16_t label = 0;
    TRY(schema_want_label(want, true, &label));
    const struct regex_target target = target_of(want, label);
    nfa->start = automaton_split(nfa, nfa->start, regex_add_parsed(&target, part));
    return OK;
}

enum status schema_want_buffer(struct schema_want *want, struct text_buf *pattern, bool holds)
{
    enum status status = OK;
    if (pattern->failed)
        status = error_set(want->err, ERR_MEMORY, __FILE__, __LINE__, "schema: no memory");
    else
        status = schema_want_pattern(want, text_buf_text(pattern), holds);
    text_buf_deinit(pattern);
    return status;
}

enum status schema_want_nothing(struct schema_want *want)
{
    return schema_want_pattern(want, TEXT("[]"), true);
}

enum status schema_want_make(struct schema_want *want, struct automaton *made)
{
    return automaton_make(made, &want->nfa, want->want, want->arena, want->err);
}

bool schema_want_is_format(struct text name)
{
    return find_format(name) < sizeof formats / sizeof *formats;
}

enum status schema_want_format(struct schema_want *want, struct text name, bool holds)
{
    struct text_buf pattern = {0};
    if (!schema_want_is_format(name)) /* it says nothing, so it cannot fail */
        return holds ? OK : schema_want_nothing(want);
    const size_t at = find_format(name);
    put_pieces(&pattern, text_of(formats[at].pattern), formats[at].more);
    return schema_want_buffer(want, &pattern, holds);
}
