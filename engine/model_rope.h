/*
 * model_rope - the frequencies by which a model's positions turn, scaled as its file says.
 *
 *     plain    inv_freq[k] = theta^(-2k / rope_dim)
 *     linear   divided by the factor
 *     YaRN     (Peng et al. 2023, arXiv 2309.00071) each divided by the factor as far as it
 *              turns less often than beta_slow .. beta_fast times in the original context:
 *                  inv_freq (1 - ramp) + inv_freq / factor ramp,  ramp from 0 to 1 between
 *                  the pairs  rope_dim ln(original / (2 pi beta)) / (2 ln theta),
 *              cosines and sines times 0.1 ln(factor) + 1
 *     factors  divided by a number of their own: Llama 3's scaling, and LongRoPE (Ding et al.
 *              2024, arXiv 2402.13753), which has cosines and sines times
 *              sqrt(1 + ln(context / original) / ln(original))
 */
#ifndef ENGINE_MODEL_ROPE_H
#define ENGINE_MODEL_ROPE_H

#include "engine/model.h"

/* inv_freq[rope_dim / 2] of all but local layers. factors[rope_dim / 2], each > 0, or NULL. */
void model_rope_fill(float *inv_freq, const struct model_config *config, const float *factors);

/* The same of local layers: config->rope_local_theta, never scaled. */
void model_rope_fill_local(float *inv_freq, const struct model_config *config);

/* What cosines and sines are multiplied by. */
float model_rope_magnitude(const struct model_config *config);

#endif
