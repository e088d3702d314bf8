/*
 * ops - the table of functions that a model is written against, at the grain of the model.
 *
 * A back end fills the table; engine/forward.c knows nothing else. Each op is described in its
 * own header, with a plain twin (_ref.c) that says what it means and judges every back end.
 */
#ifndef KERNELS_OPS_H
#define KERNELS_OPS_H

#include "kernels/attention.h"
#include "kernels/embed.h"
#include "kernels/gather.h"
#include "kernels/kv_copy.h"
#include "kernels/matmul.h"
#include "kernels/rmsnorm.h"
#include "kernels/rope.h"
#include "kernels/sample.h"
#include "kernels/silu_mul.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ops {
    const char *name;        /* "cpu", "ref", "cuda", "emu" */
    int32_t attention_split; /* of the work lists it wants */
    enum kv_order kv_order;  /* of the cache it wants */
    bool fuses_gate;         /* matmul takes a gate at no more than the cost of two products */
    enum status (*embed)(struct device *, const struct embed_args *);
    enum status (*rmsnorm)(struct device *, const struct rmsnorm_args *);
    enum status (*matmul)(struct device *, const struct matmul_args *);
    enum status (*rope_append)(struct device *, const struct rope_args *);
    enum status (*attention)(struct device *, const struct attention_args *);
    enum status (*silu_mul)(struct device *, const struct silu_mul_args *);
    enum status (*gather)(struct device *, const struct gather_args *);
    enum status (*kv_copy)(struct device *, const struct kv_copy_args *);
    enum status (*sample)(struct device *, const struct sample_args *);
};

/* The threaded, vectorised CPU versions. */
const struct ops *ops_cpu(void);
/* The plain twins, for tests: slow and clear. They take either order of the cache. */
const struct ops *ops_ref(void);
/* The GPU's kernels, on a GPU and on the emulator; where the build has them. */
const struct ops *ops_cuda(void);
const struct ops *ops_emu(void);

/* The table for a device of that kind; NULL when this build has none. */
const struct ops *ops_of(enum device_kind kind);

#ifdef __cplusplus
}
#endif
#endif
