/*
 * keys - who may ask: API keys from a file, one a line, compared in constant time.
 *
 * Owner    keys_read gives, keys_free takes. Read-only after that: any thread.
 */
#ifndef API_KEYS_H
#define API_KEYS_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { KEYS_MAX = 1024, KEYS_BYTES_MAX = 512 };
#define KEYS_NONE UINT32_MAX

struct keys;

/* Blank lines and those that begin with # are passed over. ERR_IO; ERR_FORMAT: no key in it, or
 * one that others may read from the file (its mode); ERR_LIMIT; ERR_MEMORY. */
MUST_USE enum status keys_read(struct keys **keys, const char *path, struct error *err);
void keys_free(struct keys *keys); /* NULL is fine */

uint32_t keys_count(const struct keys *keys); /* of NULL: 0 */

/* Which key this is, from 0; KEYS_NONE: none of them. It takes as long whichever it is.
 * authorization is "Bearer KEY", or empty, then key is looked at. */
uint32_t keys_find(const struct keys *keys, struct text authorization, struct text key);

#endif
