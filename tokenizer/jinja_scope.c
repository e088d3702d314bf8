/* jinja_scope - see jinja_scope.h. */
#include "tokenizer/jinja_scope.h"

enum status jinja_scope_new(struct jinja *jinja, const struct jinja_scope *parent,
                            struct jinja_scope **scope)
{
    *scope = JINJA_NEW(jinja, struct jinja_scope, 1);
    if (!*scope)
        return jinja_full(jinja);
    (*scope)->parent = parent;
    return OK;
}

static struct jinja_binding *find(const struct jinja_scope *scope, struct text name,
                                  uint32_t *looked_at)
{
    struct jinja_binding *binding = scope->bindings;
    while (binding && !text_equal(binding->name, name)) {
        binding = binding->next;
        ++*looked_at;
    }
    return binding;
}

enum status jinja_scope_set(struct jinja *jinja, struct text name, struct jinja_value value)
{
    uint32_t looked_at = 0;
    struct jinja_binding *binding = find(jinja->scope, name, &looked_at);
    if (!binding) {
        binding = JINJA_NEW(jinja, struct jinja_binding, 1);
        if (!binding)
            return jinja_full(jinja);
        binding->name = name;
        binding->next = jinja->scope->bindings;
        jinja->scope->bindings = binding;
    }
    binding->value = value;
    return jinja_step(jinja, (size_t)looked_at * sizeof *binding);
}

enum status jinja_scope_get(struct jinja *jinja, struct text name, struct jinja_value *value)
{
    uint32_t looked_at = 0;
    *value = jinja_value_undefined(name);
    for (const struct jinja_scope *scope = jinja->scope; scope; scope = scope->parent) {
        const struct jinja_binding *binding = find(scope, name, &looked_at);
        if (binding) {
            *value = binding->value;
            break;
        }
    }
    return jinja_step(jinja, (size_t)looked_at * sizeof(struct jinja_binding));
}
