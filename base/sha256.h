/*
 * sha256 - the hash of FIPS 180-4: is a file the one that was meant?
 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_HEX_BYTES = 65 };

struct sha256 {
    uint32_t state[8];
    uint8_t block[64];
    size_t filled;
    uint64_t bytes;
};

void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t size);
/* Ends it and writes 64 lower-case digits and a NUL. */
void sha256_hex(struct sha256 *hash, char hex[SHA256_HEX_BYTES]);

#endif
