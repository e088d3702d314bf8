/*
 * forward_buffers - the device memory of a forward pass: the KV cache, the residual stream, the
 * activations between ops, the table of rope turns. A part of engine/forward.
 */
#ifndef ENGINE_FORWARD_BUFFERS_H
#define ENGINE_FORWARD_BUFFERS_H

#include "engine/batch_stage.h"
#include "engine/forward.h"
#include "engine/forward_graph.h"

/* An activation and the device memory behind it. */
struct forward_panel {
    struct activation activation;
    size_t f32_bytes, q8_bytes, scales_bytes;
};

struct forward_floats {
    float *data;
    size_t bytes;
};

struct forward_buffers {
    struct forward_floats x, q, k, v, gate, up, partials, logits;
    struct forward_floats turns;        /* [positions][2][rope_dim / 2] */
    struct forward_floats local_turns;  /* the same of local layers, where those differ */
    struct forward_floats branch;       /* [rows, hidden]: what a post norm reads */
    struct forward_panel posted;        /* [rows, hidden]: what it gives, F32 */
    struct forward_floats head_x;       /* [head rows, hidden]: of x, whose logits are wanted */
    struct forward_panel head_attended; /* of attended, the same rows */
    struct forward_panel normed;        /* [rows, hidden]: what q, k, v, gate and up read */
    struct forward_panel attended;      /* [rows, heads * head_dim]: what o reads */
    struct forward_panel gated;         /* [rows, ffn]: what down reads */
    struct forward_panel last;          /* [head rows, hidden]: what the head reads */
    size_t cache_bytes;

    struct sample_result *results;      /* [samples_max], and behind them */
    struct sample_top *tops;            /* [samples_max][SAMPLE_TOP_MAX] */
    struct sample_result *results_here; /* both on the host; where that is one, the same */
    size_t results_bytes;
    struct batch_stage stage;
    struct batch there; /* the last batch, where kernels read it */

    float *logits_here; /* [head_max, vocab] on the host, made when first asked for, where
                           kernels do not read the host's memory or logits have a softcap */
    bool has_logits;    /* logits_here is of the last rows */

    /* Where kernels do not read the host's memory; all zero elsewhere. */
    struct batch_pad pad;
    struct forward_graph graph;
    float *hidden_here; /* [head_max, hidden] on the host */
};

/* Makes forward->buffers and forward->cache.data for forward->limits. ERR_MEMORY names the
 * bytes needed and those free. On failure nothing is left to give back. */
MUST_USE enum status forward_buffers_make(struct forward *forward, struct error *err);
void forward_buffers_release(struct forward *forward);

#endif
