/* sample - the random numbers of sampling: counter-based, so that they depend on nothing but
 * their names (Salmon, Moraes, Dror, Shaw: Parallel random numbers, SC 2011, Philox4x32-10). */
#include "kernels/sample.h"

enum { ROUNDS = 10, LANES = 4 };

void sample_philox(uint32_t counter[4], const uint32_t key[2])
{
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        const uint64_t a = (uint64_t)counter[0] * 0xd2511f53u;
        const uint64_t b = (uint64_t)counter[2] * 0xcd9e8d57u;
        counter[0] = (uint32_t)(b >> 32) ^ counter[1] ^ k0;
        counter[2] = (uint32_t)(a >> 32) ^ counter[3] ^ k1;
        counter[1] = (uint32_t)b;
        counter[3] = (uint32_t)a;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
}

void sample_words(const struct sample_row *row, uint32_t block, uint32_t words[4])
{
    const uint32_t key[2] = {(uint32_t)row->seed, (uint32_t)(row->seed >> 32)};
    words[0] = row->job;
    words[1] = row->sample;
    words[2] = row->position;
    words[3] = block;
    sample_philox(words, key);
}

/* 23 bits and a half are exact in a float; 24 and a half would round up to 1. */
float sample_uniform_of(uint32_t word)
{
    return ((float)(word >> 9) + 0.5f) * 0x1p-23f;
}

float sample_uniform(const struct sample_row *row, token_id token)
{
    uint32_t words[LANES];
    sample_words(row, (uint32_t)token / LANES, words);
    return sample_uniform_of(words[(uint32_t)token % LANES]);
}
