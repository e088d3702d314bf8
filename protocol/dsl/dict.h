/*
 * dict - dictionaries and sets, in order of insertion.
 *
 * Open addressing over an index of entry numbers; entries keep their order and removed ones
 * are swept when the entries are full. Each key comparison is charged, so keys that collide on
 * purpose cost the program its own steps.
 *
 * Functions answer false when they raised (an unhashable key) or tripped a budget.
 */
#ifndef DSL_DICT_H
#define DSL_DICT_H

#include "protocol/dsl/value.h"

/* A proxy is a mappingproxy, which only reads: what a pattern's groupindex is. */
enum dict_flavor { DICT_PLAIN, DICT_DEFAULT, DICT_COUNTER, DICT_ORDERED, DICT_PROXY };

struct dict_entry {
    uint64_t hash;
    struct value key; /* VALUE_UNSET: removed */
    struct value value;
};

/* A set is a dict whose values do not count. */
struct dict {
    struct dict_entry *entries;
    uint32_t used;  /* entries in use, removed ones among them */
    uint32_t count; /* entries that hold a key */
    uint32_t capacity;
    int32_t *index; /* [index_size] entry number; -1 free, -2 removed */
    uint32_t index_size;
    enum dict_flavor flavor;
    bool frozen; /* frozenset */
    struct value factory;
    struct dict *own; /* attributes set on a Counter or an OrderedDict, or NULL */
};

struct dict *dict_new(struct interp *in);
/* *found is the entry, NULL when the key is absent. Valid until the next change. */
bool dict_find(struct interp *in, const struct dict *dict, struct value key,
               struct dict_entry **found);
bool dict_set(struct interp *in, struct dict *dict, struct value key, struct value value);
/* *removed is the old value, unset when the key was absent. */
bool dict_remove(struct interp *in, struct dict *dict, struct value key, struct value *removed);
void dict_remove_entry(struct dict *dict, struct dict_entry *entry);
void dict_clear(struct dict *dict);
struct dict *dict_copy(struct interp *in, const struct dict *dict);
/* Adds all entries of other. */
bool dict_merge(struct interp *in, struct dict *dict, const struct dict *other);

/* The next entry that holds a key, at or after *at, which moves past it. NULL at the end. */
struct dict_entry *dict_next(const struct dict *dict, uint32_t *at);

/* Adds every item of an iterable to a set. */
bool dict_add_all(struct interp *in, struct dict *set, struct value iterable);
#endif
