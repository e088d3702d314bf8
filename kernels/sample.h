/*
 * sample - from logits to a token, or to the log-probability of a given one.
 *
 *     l   the row's logits; with a softcap c > 0, c tanh(logit / c) (minus infinity stays)
 *     w   l after what the row's list says of the token, in this order:
 *           repetition   l / repetition where l > 0, else l * repetition (CTRL, Keskar 2019);
 *                        tokens of prompt and output
 *           frequency, presence   l - (count * frequency + presence); tokens of the output
 *           bias         l + bias
 *     h   heat: (w - the greatest w that the mask allows) / temperature, <= 0
 *
 * temperature 0: the allowed token with the greatest w; the lowest number wins a tie.
 * Otherwise Gumbel-max: of the tokens that mask, top_k, top_p, min_p and typical_p leave
 * (applied in that order), the one with the greatest h + g(token), the lowest number in a tie,
 *     g = -log(-log(u)),  u in (0, 1) from Philox4x32-10 (Salmon et al. 2011)
 *     key (seed), counter (job, sample, position, token / 4), lane token % 4
 * so the same seed gives the same token whatever else is in the batch.
 *
 * top_k keeps the k hottest, of equal ones the lowest numbers. top_p keeps, in the same order,
 * tokens until their share of what is left reaches top_p. min_p keeps tokens at least min_p
 * times as probable as the best. A token of h = minus infinity never comes.
 *
 * typical_p (Meister et al. 2022) keeps, of what is left with its probabilities p rescaled to
 * 1, the tokens whose surprise -log p is nearest to the entropy H, of equal ones the lowest
 * numbers, until their share reaches typical_p. With Z the sum of e^h,
 *     -log p - H = (log Z - h) - (log Z - sum p h) = |h| - sum p |h|
 * so a token is ordered by how far its |h| lies from the mean of |h|, and no logarithm is
 * taken. The best token may be cut; one at least is left.
 *
 * The order, temperature first, is that of Hugging Face's generate (temperature, top_k, top_p,
 * min_p, typical_p), which of equally typical tokens keeps all. llama.cpp's default is another:
 * top_k, typical_p, top_p, min_p, then temperature; with temperature 1 and one filter alone it
 * leaves the same, but for ties.
 *
 * logprob is log softmax of l (no mask, penalty or temperature) at the token. The largest logit
 * must be finite: with a NaN or +infinity in the row nothing can be said of it.
 *
 * All back ends give the same bits, tokens and log-probabilities (sample_draw.h says how); the
 * plain twin's log-probabilities are libm's, within 2e-6.
 */
#ifndef KERNELS_SAMPLE_H
#define KERNELS_SAMPLE_H

#include "base/token.h"
#include "kernels/device.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SAMPLE_TOP_MAX = 20, SAMPLE_VOCAB_MAX = 1 << 21, SAMPLE_UNSEEN = -1 };

/* A token that came before, or that has a bias, or both. */
struct sample_seen {
    token_id token;
    int32_t count; /* how often it is in the output; 0: in the prompt alone; SAMPLE_UNSEEN: in
                      neither */
    float bias;    /* finite */
};

/* What one row asks for. Zero means off where no other word is said. */
struct sample_row {
    int32_t logits_row;
    token_id target; /* >= 0: no sampling, give this token's log-probability */
    const uint32_t
        *allowed;      /* bit t of [ceil(vocab / 32)] words: token t may come; NULL: all */
    float temperature; /* >= 0, finite */
    int32_t top_k;     /* 0: off */
    float top_p;       /* in (0, 1]; 1: off */
    float min_p;       /* in [0, 1]; 0: off */
    float typical_p;   /* in [0, 1]; 0 or 1: off */
    uint64_t seed;
    uint32_t job, sample, position;
    const struct sample_seen *seen; /* [seen_count] by number, each once; borrowed */
    int32_t seen_count;
    float repetition;          /* > 0; 0 or 1: off */
    float frequency, presence; /* finite */
    int32_t top_count;         /* 0 .. SAMPLE_TOP_MAX: how many of the best to tell */
};

struct sample_result {
    token_id token; /* TOKEN_NONE when the row has a NaN or +infinity, or when the mask allows
                       no token with a finite logit */
    float logprob;  /* NaN with TOKEN_NONE */
};

/* One of the best tokens of l. */
struct sample_top {
    token_id token; /* TOKEN_NONE when there are fewer with a finite l, or none can be said */
    float logprob;  /* as in sample_result */
};

struct sample_args {
    const float *logits; /* [logits rows, vocab] */
    const struct sample_row *rows;
    struct sample_result *results; /* [count] */
    int32_t count, vocab;          /* vocab <= SAMPLE_VOCAB_MAX */
    struct sample_top *tops; /* [count][SAMPLE_TOP_MAX], of each row the first top_count are
                                      written, best first; NULL: no row is told */
    float softcap;           /* 0: off */
};

/* ERR_LIMIT: too little scratch or workspace for that many columns or rows. */
enum status sample_ref(struct device *device, const struct sample_args *args);
enum status sample_cpu(struct device *device, const struct sample_args *args);
enum status sample_cuda(struct device *device, const struct sample_args *args);
enum status sample_emu(struct device *device, const struct sample_args *args);

#ifdef __cplusplus
}
#endif
#endif
