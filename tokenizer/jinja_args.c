/* jinja_args - see jinja_args.h. */
#include "tokenizer/jinja_args.h"

#include "tokenizer/jinja_string.h"

const struct jinja_value *jinja_args_get(const struct jinja_args *args, uint32_t index,
                                         const char *name)
{
    if (index < args->positional->count)
        return &args->positional->items[index];
    return name ? jinja_value_get(args->named, text_of(name)) : NULL;
}

enum status jinja_args_text(struct jinja *jinja, const struct jinja_value *arg,
                            struct text *value)
{
    if (!arg || arg->kind == JINJA_NONE)
        return OK;
    if (arg->kind != JINJA_STRING)
        JINJA_FAIL(jinja, ERR_FORMAT, "an argument is %s, not str", jinja_value_type(arg));
    *value = jinja_string_text(arg->string);
    return OK;
}

enum status jinja_args_int(struct jinja *jinja, const struct jinja_value *arg, int64_t *value)
{
    if (!arg || arg->kind == JINJA_NONE)
        return OK;
    if (!jinja_value_integer(arg, value))
        JINJA_FAIL(jinja, ERR_FORMAT, "an argument is %s, not int", jinja_value_type(arg));
    return OK;
}

bool jinja_args_bool(const struct jinja_value *arg)
{
    return arg && jinja_value_is_true(arg);
}

struct jinja_args jinja_args_rest(const struct jinja_args *args, uint32_t index,
                                  struct jinja_list *rest)
{
    *rest = (struct jinja_list){0};
    if (index < args->positional->count) {
        rest->items = args->positional->items + index;
        rest->count = args->positional->count - index;
    }
    return (struct jinja_args){rest, args->named};
}
