/* modules - see modules.h: the modules by name, and their members. */
#include "protocol/dsl/modules.h"

#include "protocol/dsl/builtins.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/type.h"

#include <string.h>

static const struct module MODULES[] = {
    {"re", modules_re, "re."},
    {"json", modules_json, "json."},
    {"math", modules_math, "math."},
    {"string", modules_string, "string."},
    {"functools", modules_functools, "_functools."},
    {"collections", modules_collections, "collections."},
    {"itertools", modules_itertools, "itertools."},
    {"typing", NULL, NULL},
    {"pydantic", NULL, NULL},
    {"__future__", NULL, NULL},
};

const struct module *modules_find(struct text name)
{
    for (size_t i = 0; i < sizeof MODULES / sizeof MODULES[0]; i++)
        if (text_equal(text_of(MODULES[i].name), name))
            return &MODULES[i];
    return NULL;
}

const char *modules_name(const struct module *module)
{
    return module->name;
}

const char *modules_prefix(value_call *call)
{
    for (size_t i = 0; i < sizeof MODULES / sizeof MODULES[0]; i++) {
        const struct modules_member *at = MODULES[i].members;
        while (at && at->name && at->call != call)
            at++;
        if (at && at->name) /* of functools, reduce alone is told by where it is written */
            return strcmp(at->name, "partial") == 0 ? "functools." : MODULES[i].prefix;
    }
    return "";
}

static bool member_value(struct interp *in, const struct modules_member *member,
                         struct value *out)
{
    if (member->call)
        return builtins_function(in, member->name, member->call, out);
    if (member->text) {
        *out = value_str(str_view(in, text_of(member->text)));
        return out->as.str != NULL;
    }
    *out = member->constant;
    if (member->type)
        *out = type_value(member->type);
    else if (member->constant.kind == VALUE_UNSET)
        *out = (struct value){.kind = VALUE_TYPING, .as.typing = member->name};
    return true;
}

bool modules_member(struct interp *in, const struct module *module, struct text name,
                    struct value *out)
{
    if (!module->members) { /* typing: any name, of which nothing but its name counts */
        struct str *copy = str_copy(in, name);
        if (!copy)
            return false;
        *out = (struct value){.kind = VALUE_TYPING, .as.typing = copy->data};
        return true;
    }
    for (const struct modules_member *member = module->members; member->name; member++)
        if (text_equal(text_of(member->name), name))
            return member_value(in, member, out);
    return exception_raise(in, &exception_import, "cannot import name '%.*s' from '%s'",
                           TEXT_ARG(name), module->name);
}
