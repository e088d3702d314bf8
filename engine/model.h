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
#include "kernels/weight.h"
#include "tokenizer/tokenizer.h"

#include <stdbool.h>
#include <stdint.h>

enum { MODEL_LAYERS_MAX = 512 };

/* What a precision means is in DESIGN.md D1; the head follows it too. */
enum model_precision { MODEL_EXACT, MODEL_INT8 };

struct model_config {
    char name[96]; /* general.name, or the file's name */
    char architecture[32];
    int32_t layers, hidden, ffn, heads, kv_heads, head_dim, vocab;
    int32_t context_max; /* positions the model was trained for */
    int32_t rope_dim;
    bool rope_interleaved;
    float rope_theta, rms_eps, attention_scale;
    float rope_factor; /* positions are divided by it; 1: no linear scaling */
};

struct model_layer {
    const float *attn_norm, *ffn_norm; /* [hidden] */
    struct weight q, k, v, o, gate, up, down;
    const float *q_bias, *k_bias, *v_bias; /* NULL where the model has none */
};

struct model {
    struct model_config config;
    enum model_precision precision;
    struct weight embed;          /* WEIGHT_STORED [vocab, hidden] */
    struct weight head;           /* [vocab, hidden]; from the embedding when tied */
    const float *output_norm;     /* [hidden] */
    const float *rope_inv_freq;   /* [rope_dim / 2], host memory on every device */
    struct model_layer *layers;   /* [config.layers] */
    struct tokenizer *tokenizer;  /* NULL when the file has none, or one past ours: */
    struct error tokenizer_error; /* why it is NULL; status OK when the file has none */
    uint64_t weight_bytes;        /* on the device, or mapped */
    void *owner;                  /* what model_close needs; private to model.c */
};

/* path: a GGUF file, or "synthetic:" and the name of a shape (engine/model_synthetic.h).
 * ERR_IO, ERR_FORMAT, ERR_LIMIT: the sentence names the field, the value and the limit. */
MUST_USE enum status model_open(struct model **model, const char *path,
                                enum model_precision precision, struct device *device,
                                struct error *err);
void model_close(struct model *model, struct device *device);

#endif
