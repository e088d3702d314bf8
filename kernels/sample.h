/*
 * sample - from logits to a token, or to the log-probability of a given one.
 *
 * temperature 0: the allowed token with the greatest logit; the lowest number wins a tie.
 * Otherwise Gumbel-max: of the tokens that mask, top_k, top_p and min_p leave (applied in that
 * order, on logits / temperature), the one with the greatest logit / temperature + g(token),
 *     g = -log(-log(u)),  u in (0, 1) from Philox4x32-10 (Salmon et al. 2011)
 *     key (seed), counter (job, sample, position, token / 4), lane token % 4
 * so the same seed gives the same token whatever else is in the batch.
 *
 * top_k keeps the k best, of equal ones the lowest numbers. top_p keeps, from the best down,
 * tokens until their share of what is left reaches top_p. min_p keeps tokens at least min_p
 * times as probable as the best.
 *
 * logprob is log softmax of the raw logits (no mask, no temperature) at the token. The largest
 * logit must be finite: with a NaN or +infinity in the row nothing can be said of it.
 */
#ifndef KERNELS_SAMPLE_H
#define KERNELS_SAMPLE_H

#include "base/token.h"
#include "kernels/device.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sample_row {
    int32_t logits_row;
    token_id target; /* >= 0: no sampling, give this token's log-probability */
    const uint32_t
        *allowed;      /* bit t of [ceil(vocab / 32)] words: token t may come; NULL: all */
    float temperature; /* >= 0 */
    int32_t top_k;     /* 0: off */
    float top_p;       /* in (0, 1]; 1: off */
    float min_p;       /* in [0, 1); 0: off */
    uint64_t seed;
    uint32_t job, sample, position;
};

struct sample_result {
    token_id token; /* TOKEN_NONE when the row has a NaN or +infinity, or when the mask allows
                       no token with a finite logit */
    float logprob;  /* NaN with TOKEN_NONE */
};

struct sample_args {
    const float *logits; /* [logits rows, vocab] */
    const struct sample_row *rows;
    struct sample_result *results; /* [count] */
    int32_t count, vocab;
};

enum status sample_ref(struct device *device, const struct sample_args *args);
enum status sample_cpu(struct device *device, const struct sample_args *args);
enum status sample_cuda(struct device *device, const struct sample_args *args);
enum status sample_emu(struct device *device, const struct sample_args *args);

/* Philox4x32-10: turns counter[4] into four random words under key[2]. */
void sample_philox(uint32_t counter[4], const uint32_t key[2]);

/* The random words of tokens 4 * block .. 4 * block + 3. */
void sample_words(const struct sample_row *row, uint32_t block, uint32_t words[4]);

/* Of such a word, the uniform in (0, 1): the middle of one of 2^23 equal steps. */
float sample_uniform_of(uint32_t word);

/* The uniform in (0, 1) of one (seed, job, sample, position, token). */
float sample_uniform(const struct sample_row *row, token_id token);

#ifdef __cplusplus
}
#endif
#endif
