/* signature - see signature.h. */
#include "protocol/dsl/signature.h"

#include "protocol/dsl/interp.h"
#include "protocol/dsl/str.h"

#include <stdio.h>

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

bool signature_too_many(struct interp *in, const struct signature *signature, uint32_t given,
                        uint32_t only_named)
{
    const uint32_t least = signature->least, most = signature->most;
    char range[48], more[96] = "";
    if (least == most)
        snprintf(range, sizeof range, "%u", most);
    else
        snprintf(range, sizeof range, "from %u to %u", least, most);
    if (only_named > 0)
        snprintf(more, sizeof more, " positional argument%s (and %u keyword-only argument%s)",
                 plural(given), only_named, plural(only_named));
    return exception_raise(in, &exception_type,
                           "%.*s() takes %s positional argument%s but %u%s %s given",
                           TEXT_ARG(signature->name), range, least == most ? plural(most) : "s",
                           given, more, given == 1 && only_named == 0 ? "was" : "were");
}

/* 'a', 'b', and 'c' */
bool signature_missing(struct interp *in, struct text function, const struct list *names,
                       bool only_named)
{
    const uint32_t count = names->count;
    struct str_builder b = {.in = in};
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            str_builder_add(&b, count == 2       ? TEXT(" and ")
                                : i == count - 1 ? TEXT(", and ")
                                                 : TEXT(", "));
        str_builder_byte(&b, '\'');
        str_builder_add(&b, str_text(names->items[i].as.str));
        str_builder_byte(&b, '\'');
    }
    const struct str *all = str_builder_str(&b);
    return all && exception_raise(
                      in, &exception_type, "%.*s() missing %u required %s argument%s: %.*s",
                      TEXT_ARG(function), count, only_named ? "keyword-only" : "positional",
                      plural(count), TEXT_ARG(str_text(all)));
}

bool signature_unexpected(struct interp *in, struct text function, const struct str *name)
{
    return exception_raise(in, &exception_type,
                           "%.*s() got an unexpected keyword argument '%.*s'",
                           TEXT_ARG(function), TEXT_ARG(str_text(name)));
}

bool signature_twice(struct interp *in, struct text function, const struct str *name)
{
    return exception_raise(in, &exception_type,
                           "%.*s() got multiple values for argument '%.*s'", TEXT_ARG(function),
                           TEXT_ARG(str_text(name)));
}
