/*
 * tiny_reference - see tiny_reference.h. One position after the other, a head at a time, sums
 * from left to right.
 *
 *     Llama 2     arXiv 2307.09288; LLaMA 2302.13971: RMSNorm, SwiGLU, RoPE
 *     Llama 3     frequencies divided by factors
 *     Qwen2       arXiv 2407.10671: biases of q, k, v
 *     Qwen3       arXiv 2505.09388: RMSNorm of each head of q and k
 *     Gemma 2     arXiv 2408.00118: GeGLU, norms before and after, every other layer in a
 *                 window, logits capped; the embedding times sqrt(hidden)
 *     Gemma 3     arXiv 2503.19786: five layers in a window of their own base, then one that
 *                 sees all; norms of q and k, no caps
 *     Phi-3       arXiv 2404.14219: q, k and v in one matrix, gate and up in another; LongRoPE
 *                 2402.13753
 *     SmolLM3     every fourth layer without RoPE (2501.18795)
 *     YaRN        arXiv 2309.00071
 */
#include "tests/harness/tiny_reference.h"

#include "engine/gguf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPS         1e-5
#define PI          3.14159265358979323846
#define LOCAL_THETA 10000.0

struct forward {
    struct gguf gguf;
    struct tiny_model_options o;
    struct tiny_reference_text text;
    double *x, *branch;    /* [count][hidden] */
    double *q, *k, *v;     /* [count][heads or kv_heads][head_dim] */
    double *row, *wide;    /* of one position: [hidden], [2 ffn] */
    float halves[1 << 15]; /* the one tensor that may be F16 */
    bool is_missing;       /* a tensor was */
};

static const float *tensor(struct forward *f, uint32_t layer, const char *suffix)
{
    char name[GGUF_NAME_BYTES_MAX];
    (void)snprintf(name, sizeof name, layer == UINT32_MAX ? "%.0u%s" : "blk.%u.%s",
                   layer == UINT32_MAX ? 0 : layer, suffix);
    const struct gguf_tensor *found = gguf_find_tensor(&f->gguf, name);
    static const float nothing[1 << 16];
    f->is_missing |= found == NULL;
    if (found && found->type == WEIGHT_F16) {
        weight_dequantize(found->type, found->data, f->halves, found->dims[0] * found->dims[1]);
        return f->halves;
    }
    return found ? (const float *)(const void *)found->data : nothing;
}

static const float *end_tensor(struct forward *f, const char *name)
{
    return tensor(f, UINT32_MAX, name);
}

static void norm(double *to, const double *x, const float *weight, uint32_t count)
{
    double squares = 0;
    for (uint32_t i = 0; i < count; i++)
        squares += x[i] * x[i];
    const double factor = 1.0 / sqrt(squares / count + EPS);
    for (uint32_t i = 0; i < count; i++)
        to[i] = x[i] * factor * (double)weight[i];
}

/* to[rows] = w x (+ bias), w [rows][cols]. */
static void product(double *to, const double *x, const float *w, uint32_t rows, uint32_t cols)
{
    for (uint32_t r = 0; r < rows; r++) {
        to[r] = 0;
        for (uint32_t c = 0; c < cols; c++)
            to[r] += (double)w[(size_t)r * cols + c] * x[c];
    }
}

static bool is_gemma(const struct forward *f)
{
    return f->o.family == TINY_MODEL_GEMMA2 || f->o.family == TINY_MODEL_GEMMA3;
}

static bool is_local(const struct forward *f, uint32_t layer)
{
    switch (f->o.family) {
    case TINY_MODEL_GEMMA2:
        return layer % 2 == 0;
    case TINY_MODEL_GEMMA3:
        return (layer + 1) % 6 != 0;
    default:
        return f->o.window > 0;
    }
}

/* YaRN's mixture of a frequency and the same divided by the factor. */
static double yarn(double frequency, uint32_t pair, uint32_t rope_dim, double theta)
{
    const double per_turn = 2 * log(theta);
    const double first = floor(rope_dim * log(TINY_MODEL_ORIGINAL / (32 * 2 * PI)) / per_turn);
    const double last = ceil(rope_dim * log(TINY_MODEL_ORIGINAL / (2 * PI)) / per_turn);
    const double low = first < 0 ? 0 : first;
    const double high = last > rope_dim - 1 ? rope_dim - 1 : last;
    double share = (pair - low) / (high > low ? high - low : 0.001);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return frequency * (1 - share) + frequency / (double)TINY_MODEL_FACTOR * share;
}

static double frequency_of(struct forward *f, uint32_t layer, uint32_t pair)
{
    const bool is_gemma3 = f->o.family == TINY_MODEL_GEMMA3;
    const uint32_t dim = f->o.rope_dim;
    const double theta = is_gemma3 ? (double)TINY_MODEL_GEMMA3_THETA : (double)TINY_MODEL_THETA;
    if (is_gemma3 && is_local(f, layer))
        return pow(LOCAL_THETA, -2.0 * pair / dim);
    const double frequency = pow(theta, -2.0 * pair / dim);
    const bool is_long = f->text.context > TINY_MODEL_ORIGINAL;
    switch (f->o.rope) {
    case TINY_MODEL_ROPE_LINEAR:
        return frequency / (double)TINY_MODEL_FACTOR;
    case TINY_MODEL_ROPE_YARN:
        return yarn(frequency, pair, dim, theta);
    case TINY_MODEL_ROPE_FACTORS:
        return frequency / (double)end_tensor(f, "rope_freqs.weight")[pair];
    case TINY_MODEL_ROPE_LONG:
        return frequency / (double)end_tensor(f, is_long ? "rope_factors_long.weight"
                                                         : "rope_factors_short.weight")[pair];
    default:
        return frequency;
    }
}

static void turn(struct forward *f, uint32_t layer, double *head, int32_t position)
{
    const uint32_t half = f->o.rope_dim / 2;
    const bool is_paired = f->o.family == TINY_MODEL_LLAMA || f->o.family == TINY_MODEL_SMOLLM3;
    const double size = f->o.rope == TINY_MODEL_ROPE_LONG ? (double)TINY_MODEL_MAGNITUDE
                        : f->o.rope == TINY_MODEL_ROPE_YARN
                            ? 0.1 * log((double)TINY_MODEL_FACTOR) + 1
                            : 1;
    if (f->o.family == TINY_MODEL_SMOLLM3 && (layer + 1) % 4 == 0)
        return;
    for (uint32_t pair = 0; pair < half; pair++) {
        const double angle = position * frequency_of(f, layer, pair);
        double *a = head + (is_paired ? 2 * pair : pair);
        double *b = is_paired ? a + 1 : a + half;
        const double real = *a, imaginary = *b;
        *a = size * (real * cos(angle) - imaginary * sin(angle));
        *b = size * (real * sin(angle) + imaginary * cos(angle));
    }
}

/* One of q, k, v of every position: matrix, bias, norm and turn as the family has them. */
struct projection {
    const char *letter;
    double *to;
    uint32_t heads, first_row; /* of attn_qkv */
    bool is_turned;
};

static void project(struct forward *f, uint32_t layer, const struct projection *p)
{
    const uint32_t dim = f->o.head_dim, hidden = f->o.hidden, rows = p->heads * dim;
    const bool is_fused = f->o.family == TINY_MODEL_PHI3;
    const bool is_normed =
        p->is_turned && (f->o.family == TINY_MODEL_QWEN3 || f->o.family == TINY_MODEL_GEMMA3);
    char name[32];
    (void)snprintf(name, sizeof name, "attn_%s.weight", is_fused ? "qkv" : p->letter);
    const float *w = tensor(f, layer, name) + (is_fused ? (size_t)p->first_row * hidden : 0);
    for (int32_t t = 0; t < f->text.count; t++) {
        double *to = p->to + (size_t)t * rows;
        norm(f->row, f->x + (size_t)t * hidden, tensor(f, layer, "attn_norm.weight"), hidden);
        product(to, f->row, w, rows, hidden);
        (void)snprintf(name, sizeof name, "attn_%s.bias", p->letter);
        for (uint32_t i = 0; f->o.family == TINY_MODEL_QWEN2 && i < rows; i++)
            to[i] += (double)tensor(f, layer, name)[i];
        (void)snprintf(name, sizeof name, "attn_%s_norm.weight", p->letter);
        for (uint32_t head = 0; p->is_turned && head < p->heads; head++) {
            if (is_normed)
                norm(to + head * dim, to + head * dim, tensor(f, layer, name), dim);
            turn(f, layer, to + head * dim, t);
        }
    }
}

/* out[head_dim] = what query head `head` of position t sees. */
static void attend_head(const struct forward *f, uint32_t layer, int32_t t, uint32_t head,
                        double *out)
{
    const uint32_t dim = f->o.head_dim, group = f->o.heads / f->o.kv_heads;
    const double *q = f->q + ((size_t)t * f->o.heads + head) * dim;
    const int32_t window = is_local(f, layer) && f->o.window > 0 ? (int32_t)f->o.window : t + 1;
    double sum = 0;
    memset(out, 0, dim * sizeof *out);
    for (int32_t s = t - window + 1 < 0 ? 0 : t - window + 1; s <= t; s++) {
        const size_t at = ((size_t)s * f->o.kv_heads + head / group) * dim;
        double score = 0;
        for (uint32_t i = 0; i < dim; i++)
            score += q[i] * f->k[at + i] / sqrt(dim);
        if (f->o.family == TINY_MODEL_GEMMA2)
            score = (double)TINY_MODEL_ATTENTION_CAP *
                    tanh(score / (double)TINY_MODEL_ATTENTION_CAP);
        sum += exp(score);
        for (uint32_t i = 0; i < dim; i++)
            out[i] += exp(score) * f->v[at + i];
    }
    for (uint32_t i = 0; i < dim; i++)
        out[i] /= sum;
}

/* x += branch, which Gemma normalises before. */
static void add_branch(struct forward *f, uint32_t layer, const char *post, int32_t t)
{
    const uint32_t hidden = f->o.hidden;
    double *x = f->x + (size_t)t * hidden, *branch = f->branch + (size_t)t * hidden;
    if (is_gemma(f))
        norm(branch, branch, tensor(f, layer, post), hidden);
    for (uint32_t i = 0; i < hidden; i++)
        x[i] += branch[i];
}

static void attention(struct forward *f, uint32_t layer)
{
    const uint32_t dim = f->o.head_dim, heads = f->o.heads, kv = f->o.kv_heads;
    const struct projection all[] = {{"q", f->q, heads, 0, true},
                                     {"k", f->k, kv, heads * dim, true},
                                     {"v", f->v, kv, (heads + kv) * dim, false}};
    for (int i = 0; i < 3; i++)
        project(f, layer, &all[i]);
    for (int32_t t = 0; t < f->text.count; t++) {
        for (uint32_t head = 0; head < heads; head++)
            attend_head(f, layer, t, head, f->wide + head * dim);
        product(f->branch + (size_t)t * f->o.hidden, f->wide,
                tensor(f, layer, "attn_output.weight"), f->o.hidden, heads * dim);
        add_branch(f, layer, "post_attention_norm.weight", t);
    }
}

static double activate(const struct forward *f, double gate)
{
    if (!is_gemma(f))
        return gate / (1 + exp(-gate));
    return 0.5 * gate * (1 + tanh(sqrt(2 / PI) * (gate + 0.044715 * gate * gate * gate)));
}

static void feed_forward(struct forward *f, uint32_t layer)
{
    const uint32_t hidden = f->o.hidden, ffn = f->o.ffn;
    const bool is_fused = f->o.family == TINY_MODEL_PHI3;
    const float *up = tensor(f, layer, "ffn_up.weight");
    const float *gate = is_fused ? up : tensor(f, layer, "ffn_gate.weight");
    for (int32_t t = 0; t < f->text.count; t++) {
        norm(f->row, f->x + (size_t)t * hidden, tensor(f, layer, "ffn_norm.weight"), hidden);
        product(f->wide, f->row, gate, ffn, hidden);
        product(f->wide + ffn, f->row, is_fused ? up + (size_t)ffn * hidden : up, ffn, hidden);
        for (uint32_t i = 0; i < ffn; i++)
            f->wide[i] = activate(f, f->wide[i]) * f->wide[ffn + i];
        product(f->branch + (size_t)t * hidden, f->wide, tensor(f, layer, "ffn_down.weight"),
                hidden, ffn);
        add_branch(f, layer, "post_ffw_norm.weight", t);
    }
}

static void embed(struct forward *f)
{
    const uint32_t hidden = f->o.hidden;
    const double scale = is_gemma(f) ? sqrt(hidden) : 1;
    const float *table = end_tensor(f, "token_embd.weight");
    for (int32_t t = 0; t < f->text.count; t++) {
        for (uint32_t i = 0; i < hidden; i++)
            f->x[(size_t)t * hidden + i] =
                scale * (double)table[(size_t)f->text.ids[t] * hidden + i];
    }
}

static void predict(struct forward *f, double *logits)
{
    const uint32_t hidden = f->o.hidden;
    const double cap = (double)TINY_MODEL_LOGIT_CAP;
    const float *head =
        end_tensor(f, f->o.has_own_head ? "output.weight" : "token_embd.weight");
    for (int32_t t = 0; t < f->text.count; t++, logits += TINY_MODEL_VOCAB) {
        norm(f->row, f->x + (size_t)t * hidden, end_tensor(f, "output_norm.weight"), hidden);
        product(logits, f->row, head, TINY_MODEL_VOCAB, hidden);
        for (int i = 0; f->o.family == TINY_MODEL_GEMMA2 && i < TINY_MODEL_VOCAB; i++)
            logits[i] = cap * tanh(logits[i] / cap);
    }
}

static double *take(double **memory, size_t count)
{
    double *taken = *memory;
    *memory += count;
    return taken;
}

enum status tiny_reference_logits(struct text file, const struct tiny_model_options *options,
                                  const struct tiny_reference_text *text, double *logits,
                                  struct error *err)
{
    struct forward f = {.o = tiny_model_resolved(options), .text = *text};
    const size_t count = (size_t)text->count, hidden = f.o.hidden;
    const size_t heads = (size_t)f.o.heads * f.o.head_dim * count;
    TRY(gguf_init(&f.gguf, (const uint8_t *)file.data, file.size, err));
    double *memory =
        calloc((3 * count + 1) * hidden + 3 * heads + 4 * f.o.ffn + heads, sizeof *memory);
    double *left = memory;
    if (memory) {
        f.x = take(&left, count * hidden);
        f.branch = take(&left, count * hidden);
        f.q = take(&left, heads);
        f.k = take(&left, heads);
        f.v = take(&left, heads);
        f.row = take(&left, hidden);
        f.wide = left;
        embed(&f);
        for (uint32_t i = 0; i < f.o.layers; i++) {
            attention(&f, i);
            feed_forward(&f, i);
        }
        predict(&f, logits);
    }
    gguf_deinit(&f.gguf);
    free(memory);
    if (!memory || f.is_missing)
        FAIL(err, memory ? ERR_FORMAT : ERR_MEMORY, "tiny reference: %s",
             memory ? "a tensor is missing" : "no memory");
    return OK;
}
