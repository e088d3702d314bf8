/*
 * sha256 - the hash of FIPS 180-4, for comparing recorded jobs. Tests only.
 */
#ifndef TESTS_DSL_SHA256_H
#define TESTS_DSL_SHA256_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct sha256 {
    uint32_t state[8];
    uint8_t block[64];
    size_t filled;
    uint64_t bytes;
};

static inline uint32_t sha256_turn(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* Fractional bits of cube roots of the first 64 primes, computed as the standard defines. */
static inline uint32_t sha256_constant(int nth)
{
    static uint32_t table[64];
    if (table[0] == 0) {
        int found = 0;
        for (unsigned prime = 2; found < 64; prime++) {
            unsigned divisor = 2;
            while (divisor * divisor <= prime && prime % divisor != 0)
                divisor++;
            if (divisor * divisor <= prime)
                continue;
            long double low = 0, high = 8; /* bisection of x^3 == prime */
            for (int i = 0; i < 70; i++) {
                const long double middle = (low + high) / 2;
                if (middle * middle * middle < (long double)prime)
                    low = middle;
                else
                    high = middle;
            }
            table[found++] =
                (uint32_t)(uint64_t)((low - (long double)(int)low) * 4294967296.0L);
        }
    }
    return table[nth];
}

static inline void sha256_round(struct sha256 *h)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)h->block[4 * i] << 24 | (uint32_t)h->block[4 * i + 1] << 16 |
               (uint32_t)h->block[4 * i + 2] << 8 | h->block[4 * i + 3];
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + w[i - 7] +
               (sha256_turn(w[i - 15], 7) ^ sha256_turn(w[i - 15], 18) ^ w[i - 15] >> 3) +
               (sha256_turn(w[i - 2], 17) ^ sha256_turn(w[i - 2], 19) ^ w[i - 2] >> 10);
    memcpy(s, h->state, sizeof s);
    for (int i = 0; i < 64; i++) {
        const uint32_t e = s[4], a = s[0];
        const uint32_t one = s[7] +
                             (sha256_turn(e, 6) ^ sha256_turn(e, 11) ^ sha256_turn(e, 25)) +
                             ((e & s[5]) ^ (~e & s[6])) + sha256_constant(i) + w[i];
        const uint32_t two = (sha256_turn(a, 2) ^ sha256_turn(a, 13) ^ sha256_turn(a, 22)) +
                             ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (int i = 0; i < 8; i++)
        h->state[i] += s[i];
    h->filled = 0;
}

static inline void sha256_init(struct sha256 *h)
{
    *h = (struct sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                   0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

static inline void sha256_add(struct sha256 *h, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        h->block[h->filled++] = bytes[i];
        if (h->filled == 64)
            sha256_round(h);
    }
    h->bytes += size;
}

static inline void sha256_hex(struct sha256 *h, char hex[65])
{
    const uint64_t bits = h->bytes * 8;
    sha256_add(h, "\x80", 1);
    while (h->filled != 56)
        sha256_add(h, "", 1);
    for (int i = 7; i >= 0; i--) {
        const uint8_t byte = (uint8_t)(bits >> (8 * i));
        sha256_add(h, &byte, 1);
    }
    for (int i = 0; i < 8; i++)
        snprintf(hex + 8 * i, 9, "%08x", h->state[i]);
}

#endif
