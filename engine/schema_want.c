/*
 * schema_want - see schema_want.h.
 *
 * Formats are those of RFC 3339 (dates), 5321 (addresses), 4291 and 2673 (numbers of hosts),
 * 1123, 3986 and 6901, in the ASCII that a model writes; days are those of the calendar.
 */
#include "engine/schema_want.h"

#include <string.h>

#define DATE                                                                                   \
    "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|"  \
    "02-(0[1-9]|1[0-9]|2[0-8]))|([0-9]{2}(0[48]|[2468][048]|[13579][26])|"                     \
    "([02468][048]|[13579][26])00)-02-29)"
#define ZONE "([zZ]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
#define TIME                                                                                   \
    "(([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?" ZONE                               \
    "|23:59:60(\\.[0-9]+)?([zZ]|[+-]00:00))"
#define ATOM  "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
#define LABEL "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define HEX4  "[0-9a-fA-F]{1,4}"
#define OCTET "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define IPV4  "(" OCTET "\\.){3}" OCTET
#define LAST2 "(" HEX4 ":" HEX4 "|" IPV4 ")"
#define IPV6                                                                                   \
    "((" HEX4 ":){6}" LAST2 "|::(" HEX4 ":){5}" LAST2 "|(" HEX4 ")?::(" HEX4 ":){4}" LAST2     \
    "|((" HEX4 ":){0,1}" HEX4 ")?::(" HEX4 ":){3}" LAST2 "|((" HEX4 ":){0,2}" HEX4             \
    ")?::(" HEX4 ":){2}" LAST2 "|((" HEX4 ":){0,3}" HEX4 ")?::" HEX4 ":" LAST2 "|((" HEX4      \
    ":){0,4}" HEX4 ")?::" LAST2 "|((" HEX4 ":){0,5}" HEX4 ")?::" HEX4 "|((" HEX4               \
    ":){0,6}" HEX4 ")?::)"
#define PATH_CHAR "([A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9a-fA-F]{2})"
#define POINTER   "(/([^~/]|~[01])*)*"

static const struct {
    const char *name, *pattern;
} formats[] = {
    {"date", "^" DATE "$"},
    {"time", "^" TIME "$"},
    {"date-time", "^" DATE "[tT]" TIME "$"},
    {"duration", "^P([0-9]+W|([0-9]+Y([0-9]+M([0-9]+D)?)?|[0-9]+M([0-9]+D)?|[0-9]+D)"
                 "(T([0-9]+H([0-9]+M([0-9]+S)?)?|[0-9]+M([0-9]+S)?|[0-9]+S))?|"
                 "T([0-9]+H([0-9]+M([0-9]+S)?)?|[0-9]+M([0-9]+S)?|[0-9]+S))$"},
    {"email", "^" ATOM "(\\." ATOM ")*@" LABEL "(\\." LABEL ")*$"},
    {"uuid", "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"},
    {"ipv4", "^" IPV4 "$"},
    {"ipv6", "^" IPV6 "$"},
    {"hostname", "^" LABEL "(\\." LABEL ")*$"},
    {"uri", "^[A-Za-z][A-Za-z0-9+.-]*:" PATH_CHAR "*(\\[[0-9A-Fa-f:.]+\\]" PATH_CHAR
            "*)?(#" PATH_CHAR "*)?$"},
    {"json-pointer", "^" POINTER "$"},
    {"relative-json-pointer", "^(0|[1-9][0-9]*)(#|" POINTER ")$"},
};

const char *schema_want_format(struct text name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (text_equal(name, text_of(formats[i].name)))
            return formats[i].pattern;
    return NULL;
}

enum status schema_want_init(struct schema_want *want, enum regex_bytes bytes,
                             struct arena *arena, struct error *err)
{
    *want = (struct schema_want){.arena = arena, .err = err, .bytes = bytes};
    return automaton_nfa(&want->nfa, arena, err);
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

enum status schema_want_pattern(struct schema_want *want, struct text pattern, bool holds)
{
    struct nfa *nfa = &want->nfa;
    uint16_t label = 0;
    uint16_t start = 0;
    TRY(schema_want_label(want, holds, &label));
    const struct regex_target target = {
        .nfa = nfa,
        .scratch = want->arena,
        .after = automaton_accept(nfa, label),
        .options = {.bytes = want->bytes, .span = REGEX_SEARCH}};
    TRY(regex_add(&target, pattern, &start, want->err));
    nfa->start = automaton_split(nfa, nfa->start, start);
    return OK;
}

enum status schema_want_nothing(struct schema_want *want)
{
    return schema_want_pattern(want, TEXT("[]"), true);
}

enum status schema_want_make(struct schema_want *want, struct automaton *made)
{
    return automaton_make(made, &want->nfa, want->want, want->arena, want->err);
}
