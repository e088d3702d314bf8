/* lower_check - see lower_check.h. */
#include "protocol/dsl/lower_check.h"

#include "protocol/dsl/interp.h"
#include "protocol/dsl/modules.h"
#include "protocol/dsl/regex.h"

#include <string.h>

enum { NAME_MAX_BYTES = 32 };

struct lower_site {
    const struct ast *node;
    const struct scope *scope;
    bool may_fail; /* a handler waits for it */
    struct lower_site *next;
};

bool lower_check_later(struct lower *l, const struct ast *node)
{
    struct lower_site *site = INTERP_NEW(l->in, struct lower_site);
    if (!site)
        return lower_tripped(l) != NULL;
    *site = (struct lower_site){node, l->scope, l->handlers > 0, NULL};
    *l->sites_end = site;
    l->sites_end = &site->next;
    return true;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's: how many bytes are put in, taken out or changed. */
static uint32_t distance(struct text a, struct text b)
{
    uint32_t row[NAME_MAX_BYTES + 1];
    a = text_slice(a, 0, NAME_MAX_BYTES);
    b = text_slice(b, 0, NAME_MAX_BYTES);
    for (uint32_t j = 0; j <= b.size; j++)
        row[j] = j;
    for (uint32_t i = 0; i < a.size; i++) {
        uint32_t corner = row[0]++;
        for (uint32_t j = 0; j < b.size; j++) {
            const uint32_t changed = corner + (a.data[i] != b.data[j]);
            corner = row[j + 1];
            row[j + 1] = least(changed, least(corner, row[j]) + 1);
        }
    }
    return row[b.size];
}

const char *lower_check_nearest(const struct module *module, struct text name)
{
    const char *nearest = NULL;
    uint32_t shortest = UINT32_MAX;
    for (const struct modules_member *m = module->members; m && m->name; m++) {
        const uint32_t away = distance(text_of(m->name), name);
        if (away < shortest)
            nearest = m->name;
        shortest = least(away, shortest);
    }
    return nearest;
}

/* The import that a name can only mean, or NULL. */
static const struct ast *import_of(const struct lower_site *site, const struct scope *globals,
                                   const struct ast *name)
{
    if (name->kind != AST_NAME)
        return NULL;
    const struct scope_symbol *symbol = scope_owner(site->scope, globals, name);
    return symbol && symbol->import_count == symbol->binding_count ? symbol->import : NULL;
}

static bool check_member(const struct lower *l, const struct lower_site *site,
                         const struct scope *globals)
{
    const struct ast *import = import_of(site, globals, site->node->as.attribute.object);
    const struct text name = str_text(site->node->as.attribute.name);
    if (!import || import->as.import.member || site->may_fail || l->asks ||
        !import->as.import.module->members || text_starts(name, TEXT("__")))
        return true;
    const struct modules_member *member = import->as.import.module->members;
    while (member->name && !text_equal(text_of(member->name), name))
        member++;
    if (member->name)
        return true;
    const char *module = modules_name(import->as.import.module);
    parse_refuse(l->fault, site->node->line,
                 "%s.%.*s is not part of this language: the nearest is %s.%s", module,
                 TEXT_ARG(name), module, lower_check_nearest(import->as.import.module, name));
    return false;
}

/* re.search and so on, by whatever name: those that take a pattern first. */
static bool is_of_re(const struct lower_site *site, const struct scope *globals)
{
    const struct ast *function = site->node->as.call.function;
    const bool is_attribute = function->kind == AST_ATTRIBUTE;
    const struct ast *import =
        import_of(site, globals, is_attribute ? function->as.attribute.object : function);
    if (!import || import->as.import.module->members != modules_re ||
        is_attribute != !import->as.import.member)
        return false;
    const struct str *name =
        is_attribute ? function->as.attribute.name : import->as.import.member;
    return !str_is(name, "escape");
}

/* With flags that are not known, a pattern may be verbose: its comments say anything. */
static bool is_beyond_re2(struct text pattern, int64_t flags, char message[200])
{
    struct text_buf translated = {.size_max = 1 << 20};
    bool ends_open;
    const bool fine = regex_translate(pattern, &flags, &translated, &ends_open, message);
    text_buf_deinit(&translated);
    return !fine && strstr(message, "not supported");
}

static bool check_pattern(const struct lower *l, const struct lower_site *site,
                          const struct scope *globals)
{
    const struct ast_list *arguments = &site->node->as.call.arguments;
    char message[200];
    if (arguments->count == 0 || site->node->as.call.spread || !is_of_re(site, globals))
        return true;
    const struct ast *pattern = arguments->items[0];
    if (arguments->count == site->node->as.call.named_count) /* the pattern is named, too */
        for (uint32_t i = 0; i < arguments->count; i++)
            if (str_is(site->node->as.call.names[i], "pattern"))
                pattern = arguments->items[i];
    if (pattern->kind != AST_CONST || pattern->as.constant.kind != VALUE_STR)
        return true;
    const struct text text = str_text(pattern->as.constant.as.str);
    if (!is_beyond_re2(text, REGEX_VERBOSE, message) || !is_beyond_re2(text, 0, message))
        return true;
    parse_refuse(l->fault, pattern->line, "regular expression: %s", message);
    return false;
}

bool lower_check_all(struct lower *l, const struct scope *globals)
{
    for (const struct lower_site *site = l->sites; site; site = site->next) {
        const bool fine = site->node->kind == AST_CALL ? check_pattern(l, site, globals)
                                                       : check_member(l, site, globals);
        if (!fine)
            return false;
    }
    return true;
}
