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
 * logprob is log softmax of the raw logits (no mask, no temperature) at the token.
 */
#ifndef KERNELS_SAMPLE_H
#define KERNELS_SAMPLE_H

#include "base/token.h"
#include "kernels/device.h"

#include <stdbool.h>

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
    token_id token; /* TOKEN_NONE when the row has a NaN or the mask allows nothing */
    float logprob;
};

struct sample_args {
    const float *logits; /* [logits rows, vocab] */
    const struct sample_row *rows;
    struct sample_result *results; /* [count] */
    int32_t count, vocab;
};

enum status sample_ref(struct device *device, const struct sample_args *args);
enum status sample_cpu(struct device *device, const struct sample_args *args);

/* The uniform in (0, 1) of one (seed, job, sample, position, token). */
float sample_uniform(const struct sample_row *row, token_id token);

#endif
