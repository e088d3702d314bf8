/*
 * model - an opened model file: its configuration, its weights on a device, its tokenizer.
 *
 * Owner    model_open gives, model_close takes. Stored weights borrow the mapped file, which
 *          the model keeps open.
 * Thread   read-only once open.
 */
#ifndef ENGINE_MODEL_H
#define ENGINE_MODEL_H

#include "base/error.h"
#include "kernels/device.h"
#include "kernels/silu_mul.h"
#include "kernels/weight.h"
#include "tokenizer/tokenizer.h"

#include <stdbool.h>
#include <stdint.h>

enum { MODEL_LAYERS_MAX = 512 };

/* What a precision means is in DESIGN.md D1; the head follows it too. */
enum model_precision { MODEL_EXACT, MODEL_INT8 };

/* What a layer does otherwise than the others: bits of model_config.layer_kinds. */
enum model_layer_kind {
    MODEL_LAYER_LOCAL = 1,  /* sees model_config.window positions, turned by rope_local_theta */
    MODEL_LAYER_NO_ROPE = 2 /* queries and keys are not turned */
};

struct model_config {
    char name[96]; /* general.name, or the file's name */
    char architecture[32];
    int32_t layers, hidden, ffn, heads, kv_heads, head_dim, vocab;
    int32_t context_max; /* positions the model was trained for */
    int32_t rope_dim;
    bool rope_interleaved;
    float rope_theta, rms_eps, attention_scale;
    float rope_factor;          /* positions are divided by it; 1: no scaling */
    bool rope_is_yarn;          /* by it as far as YaRN says */
    float rope_magnitude;       /* of cosines and sines; 0: what the scaling itself says */
    float rope_fast, rope_slow; /* YaRN: turns within rope_original */
    int32_t rope_original;      /* positions before the scaling (YaRN, LongRoPE); 0: unsaid */
    bool rope_is_long;          /* LongRoPE: other factors where more than rope_original */
    float rope_local_theta;     /* of local layers, without scaling; 0: they turn as all do */
    int32_t window;             /* positions that a local layer sees; 0: no layer is local */
    enum silu_mul_kind gate_kind;
    bool has_qk_norm;    /* each head of q and k is normalised before it is turned */
    bool has_post_norms; /* so are attention's and feed-forward's results, before the sum */
    float embed_scale;   /* 0: none */
    float attention_softcap, logit_softcap; /* 0: none */
    uint8_t layer_kinds[MODEL_LAYERS_MAX];
};

struct model_layer {
    const float *attn_norm, *ffn_norm;           /* [hidden] */
    const float *attn_post_norm, *ffn_post_norm; /* [hidden]; NULL without has_post_norms */
    const float *q_norm, *k_norm;                /* [head_dim]; NULL without has_qk_norm */
    struct weight q, k, v, o, gate, up, down;
    const float *q_bias, *k_bias, *v_bias; /* NULL where the model has none */
};

struct model {
    struct model_config config;
    enum model_precision precision;
    struct weight embed;              /* WEIGHT_STORED [vocab, hidden] */
    struct weight head;               /* [vocab, hidden] */
    bool is_head_tied;                /* made from the embedding: the file has no other */
    const float *output_norm;         /* [hidden] */
    const float *rope_inv_freq;       /* [rope_dim / 2], host memory on every device */
    const float *rope_long_inv_freq;  /* the same where more than rope_original positions are
                                         to be held (LongRoPE); NULL: no other */
    const float *rope_local_inv_freq; /* of local layers; NULL: no other */
    float rope_magnitude;             /* cosines and sines are multiplied by it */
    struct model_layer *layers;       /* [config.layers] */
    struct tokenizer *tokenizer;      /* NULL when the file has none, or one past ours: */
    struct error tokenizer_error;     /* why it is NULL; status OK when the file has none */
    uint64_t weight_bytes;            /* on the device, or mapped */
    void *owner;                      /* what model_close needs; private to model.c */
};

/* path: a GGUF file or a folder (engine/model_file.h), or "synthetic:" and the name of a shape
 * (engine/model_synthetic.h).
 * ERR_IO, ERR_FORMAT, ERR_LIMIT: the sentence names the field, the value and the limit. */
MUST_USE enum status model_open(struct model **model, const char *path,
                                enum model_precision precision, struct device *device,
                                struct error *err);
void model_close(struct model *model, struct device *device);

/* Of the layers' matrices, in whichever form they are: what each token of a prompt goes
 * through. Norms and biases are a thousandth. */
uint64_t model_layer_parameters(const struct model *model);
/* All of them, with norms, biases, the embedding, and the head where it is another matrix. */
uint64_t model_parameters(const struct model *model);

#endif
