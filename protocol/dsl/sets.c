/* sets - see sets.h. */
#include "protocol/dsl/sets.h"

#include "protocol/dsl/interp.h"

/* Adds to out the keys of a that are (wanted) or are not in b. */
static bool add_where(struct interp *in, struct dict *out, const struct dict *a,
                      const struct dict *b, bool wanted)
{
    uint32_t at = 0;
    for (const struct dict_entry *entry; (entry = dict_next(a, &at)) != NULL;) {
        struct dict_entry *found;
        if (!interp_charge(in, 1) || !dict_find(in, b, entry->key, &found))
            return false;
        if ((found != NULL) == wanted && !dict_set(in, out, entry->key, value_none()))
            return false;
    }
    return true;
}

struct dict *sets_combine(struct interp *in, enum sets_operation operation,
                          const struct dict *a, const struct dict *b)
{
    struct dict *out = dict_new(in);
    bool fine = false;
    if (!out)
        return NULL;
    switch (operation) {
    case SETS_UNION:
        fine = dict_merge(in, out, a) && dict_merge(in, out, b);
        break;
    case SETS_INTERSECTION:
        fine = add_where(in, out, a, b, true);
        break;
    case SETS_DIFFERENCE:
        fine = add_where(in, out, a, b, false);
        break;
    case SETS_SYMMETRIC:
        fine = add_where(in, out, a, b, false) && add_where(in, out, b, a, false);
        break;
    }
    return fine ? out : NULL;
}

bool sets_is_subset(struct interp *in, const struct dict *a, const struct dict *b, bool *subset)
{
    uint32_t at = 0;
    *subset = a->count <= b->count;
    for (const struct dict_entry *entry; *subset && (entry = dict_next(a, &at)) != NULL;) {
        struct dict_entry *found;
        if (!interp_charge(in, 1) || !dict_find(in, b, entry->key, &found))
            return false;
        *subset = found != NULL;
    }
    return true;
}
