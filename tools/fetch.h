/*
 * fetch - a file from an address, whole and as it was meant, or not at all.
 *
 *   Addresses   https; http only to this machine itself (for tests). Redirects are followed, at
 *               most FETCH_REDIRECTS_MAX, each held to the same rule and none from https to
 *               http. Certificates are verified. A token is sent to the address's own server
 *               (scheme, host, port) alone: what a redirect leads to elsewhere does not see it.
 *   Part        what has come lies in PATH.part, and PATH.part.from says of which address and
 *               version (ETag). Broken off, it goes on from there (Range, If-Range), now or in
 *               another run. A server that has another version by now, or that knows no ranges,
 *               sends the whole: then it begins anew. One process writes at a time (a lock).
 *   Size        what the server says is held against bytes_max and against the room on the disk
 *               before any of it is taken; it does not get more than it said.
 *   Identity    the SHA-256 is held against the one given, else against the one that the hub
 *               tells (X-Linked-ETag). One that differs: the part is thrown away. None known:
 *               the file is taken, and the result says so.
 *
 * The file appears under its name only when all this is done.
 */
#ifndef TOOLS_FETCH_H
#define TOOLS_FETCH_H

#include "base/error.h"
#include "base/sha256.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { FETCH_REDIRECTS_MAX = 5, FETCH_TRIES_MAX = 4, FETCH_URL_BYTES = 2048 };
/* Redirects are longer: signed addresses with policies in them. */
enum { FETCH_REDIRECT_BYTES = 16384, FETCH_WORD_BYTES = 64 };

/* What a server said with a status of 400 or more; status 0: it did not. */
struct fetch_refusal {
    long status;
    char code[FETCH_WORD_BYTES]; /* X-Error-Code, or "" */
    unsigned long wait_s;        /* Retry-After, or what RateLimit says; 0: nothing */
    bool had_token;              /* one was sent */
};

struct fetch_options {
    const char *url;
    const char *path;
    const char *sha256; /* 64 hex digits, or NULL */
    uint64_t bytes_max;
    const char *token;             /* sent as Authorization: Bearer; NULL: none */
    struct fetch_refusal *refusal; /* filled when the server refuses; NULL: nobody asks */
    /* Called now and then; total 0: the server did not say. NULL: nobody watches. */
    void (*progress)(void *user, uint64_t bytes, uint64_t total);
    void *user;
    long stall_s; /* without a byte, until it counts as broken off; 0: 60 */
};

struct fetch_result {
    uint64_t bytes;
    uint64_t resumed_bytes; /* that were there before this call */
    char sha256[SHA256_HEX_BYTES];
    bool is_verified; /* against a sum that was given or told */
};

/* ERR_FORMAT the address, a redirect or the sum is wrong; ERR_LIMIT too large for bytes_max or
 * the disk; ERR_REMOTE the server refuses, or breaks off again and again; ERR_IO the file
 * cannot be written, or is being written by another. */
MUST_USE enum status fetch_file(const struct fetch_options *options,
                                struct fetch_result *result, struct error *err);

/* A short text, under the same rules, into out; of options url, bytes_max, token, refusal. */
MUST_USE enum status fetch_text(const struct fetch_options *options, struct text_buf *out,
                                struct error *err);

#endif
