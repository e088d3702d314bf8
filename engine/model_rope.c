/* model_rope - see model_rope.h. All in double, rounded at the end. */
#include "engine/model_rope.h"

#include <math.h>

#define TWO_PI 6.283185307179586

/* The pair that turns `turns` times within the original context. */
static double pair_of(const struct model_config *config, double turns)
{
    const double theta = (double)config->rope_theta;
    return config->rope_dim * log(config->rope_original / (turns * TWO_PI)) /
           (2.0 * log(theta));
}

/* How much of the scaling pair k takes, 0 .. 1. */
static double ramp(const struct model_config *config, int32_t k)
{
    if (!config->rope_is_yarn)
        return 1.0;
    const double low = fmax(0.0, floor(pair_of(config, (double)config->rope_fast)));
    const double high =
        fmin(config->rope_dim - 1.0, ceil(pair_of(config, (double)config->rope_slow)));
    return fmin(1.0, fmax(0.0, (k - low) / fmax(0.001, high - low)));
}

void model_rope_fill(float *inv_freq, const struct model_config *config, const float *factors)
{
    for (int32_t k = 0; k < config->rope_dim / 2; k++) {
        const double plain = pow((double)config->rope_theta, -2.0 * k / config->rope_dim);
        const double scaled = ramp(config, k);
        const double both =
            plain * (1.0 - scaled) + plain / (double)config->rope_factor * scaled;
        inv_freq[k] = (float)(both / (factors ? (double)factors[k] : 1.0));
    }
}

void model_rope_fill_local(float *inv_freq, const struct model_config *config)
{
    for (int32_t k = 0; k < config->rope_dim / 2; k++)
        inv_freq[k] = (float)pow((double)config->rope_local_theta, -2.0 * k / config->rope_dim);
}

float model_rope_magnitude(const struct model_config *config)
{
    const double given = (double)config->rope_magnitude;
    if (config->rope_is_yarn)
        return (float)((given > 0.0 ? given : 1.0) *
                       (1.0 + 0.1 * log(fmax(1.0, (double)config->rope_factor))));
    if (given > 0.0)
        return config->rope_magnitude;
    if (!config->rope_is_long || config->context_max <= config->rope_original)
        return 1.0F;
    const double longer = log((double)config->context_max / config->rope_original);
    return (float)sqrt(1.0 + longer / log((double)config->rope_original));
}
