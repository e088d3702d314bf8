/* scope - see scope.h. */
#include "protocol/dsl/scope.h"

#include "protocol/dsl/dict.h"
#include "protocol/dsl/interp.h"

#include <string.h>

struct scope *scope_open(struct interp *in, struct scope *outer, struct code *code)
{
    struct scope *scope = INTERP_NEW(in, struct scope);
    if (!scope)
        return NULL;
    *scope = (struct scope){.in = in, .outer = outer, .code = code};
    scope->index = dict_new(in);
    if (outer) {
        scope->next = outer->inner;
        outer->inner = scope;
    }
    return scope->index ? scope : NULL;
}

static bool reserve(struct scope *scope)
{
    if (scope->symbol_count < scope->symbol_capacity)
        return true;
    const uint32_t capacity = scope->symbol_capacity ? 2 * scope->symbol_capacity : 8;
    struct scope_symbol *symbols = interp_alloc(scope->in, capacity, sizeof *symbols);
    if (!symbols)
        return false;
    if (scope->symbol_count > 0)
        memcpy(symbols, scope->symbols, scope->symbol_count * sizeof *symbols);
    scope->symbols = symbols;
    scope->symbol_capacity = capacity;
    return true;
}

static struct scope_symbol *find(const struct scope *scope, struct str *name)
{
    struct dict_entry *entry;
    if (!dict_find(scope->in, scope->index, value_str(name), &entry) || !entry)
        return NULL;
    return &scope->symbols[entry->value.as.integer];
}

uint32_t scope_note(struct scope *scope, struct str *name, uint32_t flags)
{
    struct scope_symbol *symbol = find(scope, name);
    if (!symbol) {
        if (!reserve(scope) ||
            !dict_set(scope->in, scope->index, value_str(name), value_int(scope->symbol_count)))
            return UINT32_MAX;
        symbol = &scope->symbols[scope->symbol_count++];
        *symbol = (struct scope_symbol){.name = name};
    }
    symbol->flags |= flags;
    symbol->binding_count += (flags & SCOPE_BOUND) != 0;
    return (uint32_t)(symbol - scope->symbols);
}

bool scope_use(struct scope *scope, struct ast *name, uint32_t flags)
{
    const uint32_t number = scope_note(scope, name->as.name.name, flags);
    if (number == UINT32_MAX)
        return false;
    name->as.name.symbol = number;
    name->as.name.next_use = scope->symbols[number].uses;
    scope->symbols[number].uses = name;
    return true;
}

void scope_note_import(struct scope *scope, const struct ast *import)
{
    struct scope_symbol *symbol = &scope->symbols[import->as.import.target->as.name.symbol];
    const struct ast *before = symbol->import;
    if (before && (before->as.import.module != import->as.import.module ||
                   before->as.import.member != import->as.import.member))
        return; /* counted as a binding, not as an import: it is two things */
    symbol->import = import;
    symbol->import_count++;
}

static bool is_local(const struct scope_symbol *symbol)
{
    return (symbol->flags & SCOPE_BOUND) && !(symbol->flags & (SCOPE_GLOBAL | SCOPE_NONLOCAL));
}

/* The scope of the nearest function around that binds name; each between gets it as free. A
 * nonlocal's bindings are its owner's too. */
static bool capture(struct scope *from, struct str *name, uint32_t bindings, bool *found)
{
    struct scope *owner = from->outer;
    *found = false;
    for (; owner && owner->code; owner = owner->outer) {
        struct scope_symbol *symbol = find(owner, name);
        if (symbol && (symbol->flags & SCOPE_GLOBAL))
            return true;
        if (symbol && is_local(symbol)) {
            symbol->flags |= SCOPE_CAPTURED;
            symbol->binding_count += bindings;
            *found = true;
            break;
        }
    }
    for (struct scope *at = from; *found && at != owner; at = at->outer)
        if (scope_note(at, name, SCOPE_FREE) == UINT32_MAX)
            return false;
    return true;
}

/* Outer scopes first: what an inner one captures is noted in those around it. */
static bool bind(struct scope *scope, struct str **missing)
{
    for (uint32_t i = 0; scope->code && i < scope->symbol_count; i++) {
        struct scope_symbol *symbol = &scope->symbols[i];
        struct str *name = symbol->name;
        const bool nonlocal = symbol->flags & SCOPE_NONLOCAL;
        bool found;
        if (is_local(symbol) || (symbol->flags & (SCOPE_GLOBAL | SCOPE_FREE)))
            continue;
        if (!capture(scope, name, nonlocal ? symbol->binding_count : 0, &found))
            return false;
        if (nonlocal && !found) {
            *missing = name;
            return false;
        }
    }
    for (struct scope *inner = scope->inner; inner; inner = inner->next)
        if (!bind(inner, missing))
            return false;
    return true;
}

static bool number_cells(struct scope *scope)
{
    struct code *code = scope->code;
    uint32_t free_max = 0;
    for (uint32_t i = 0; i < scope->symbol_count; i++) {
        struct scope_symbol *symbol = &scope->symbols[i];
        if (is_local(symbol) && (symbol->flags & SCOPE_CAPTURED))
            symbol->slot = code->cell_count++;
        else if (is_local(symbol))
            symbol->slot = code->slot_count++;
        free_max += (symbol->flags & SCOPE_FREE) != 0;
    }
    code->free_from = interp_alloc(scope->in, (size_t)free_max + 1, sizeof *code->free_from);
    if (!code->free_from)
        return false;
    for (uint32_t i = 0; i < scope->symbol_count; i++) {
        struct scope_symbol *symbol = &scope->symbols[i];
        if (!(symbol->flags & SCOPE_FREE) || is_local(symbol))
            continue;
        const struct scope_symbol *outer = find(scope->outer, symbol->name);
        code->free_from[code->free_count] = outer->slot;
        symbol->slot = code->cell_count + code->free_count++;
    }
    return true;
}

/* Module names are the globals, in the order met; other scopes add theirs. */
static bool number(struct scope *scope, struct scope *module)
{
    if (scope->code && !number_cells(scope))
        return false;
    for (uint32_t i = 0; i < scope->symbol_count; i++) {
        struct scope_symbol *symbol = &scope->symbols[i];
        enum ast_place place = AST_GLOBAL;
        if (scope->code && (symbol->flags & SCOPE_FREE) && !is_local(symbol))
            place = AST_CELL;
        else if (scope->code && is_local(symbol))
            place = symbol->flags & SCOPE_CAPTURED ? AST_CELL : AST_LOCAL;
        uint32_t slot = symbol->slot;
        if (place == AST_GLOBAL)
            slot = scope == module ? i : scope_note(module, symbol->name, 0);
        if (slot == UINT32_MAX)
            return false;
        scope->symbols[i].slot = slot;
        if (place == AST_GLOBAL && scope != module) /* global x, and then x is bound */
            module->symbols[slot].binding_count += scope->symbols[i].binding_count;
        for (struct ast *use = scope->symbols[i].uses; use; use = use->as.name.next_use) {
            use->as.name.place = place;
            use->as.name.slot = slot;
        }
    }
    for (struct scope *inner = scope->inner; inner; inner = inner->next)
        if (!number(inner, module))
            return false;
    return true;
}

static void place_parameters(struct scope *scope)
{
    struct code *code = scope->code;
    const uint32_t extra = scope->is_comprehension ? 0u : 2u;
    for (uint32_t i = 0; code && extra > 0 && i < code->parameter_count + extra; i++) {
        struct str *name = code->parameters[i];
        const struct scope_symbol *symbol = name ? find(scope, name) : NULL;
        if (!symbol)
            continue;
        code->places[i].place = symbol->flags & SCOPE_CAPTURED ? AST_CELL : AST_LOCAL;
        code->places[i].slot = symbol->slot;
    }
    for (struct scope *inner = scope->inner; inner; inner = inner->next)
        place_parameters(inner);
}

const struct scope_symbol *scope_owner(const struct scope *scope, const struct scope *module,
                                       const struct ast *name)
{
    if (name->as.name.place == AST_GLOBAL)
        return &module->symbols[name->as.name.slot];
    for (; scope && scope->code; scope = scope->outer) {
        const struct scope_symbol *symbol = find(scope, name->as.name.name);
        if (symbol && is_local(symbol))
            return symbol;
    }
    return NULL;
}

bool scope_resolve(struct scope *module, struct str **missing)
{
    *missing = NULL;
    if (!bind(module, missing) || !number(module, module))
        return false;
    place_parameters(module);
    return true;
}
