/*
 * kbench_case - one operation on one shape, ready to be run: its arguments in host memory, for
 * the plain twin, and several times over in device memory, so that a timing loop can go round
 * further than the L2 cache reaches.
 *
 *     kbench_case_open: dims -> kernel->open fills host buffers -> sets are uploaded
 *     kernel->run(c, set)           on the device, with buffers of that set
 *     kernel->run(c, KBENCH_HOST)   the twin, with the host's buffers
 *
 * Owner    kbench_case_open gives, kbench_case_close takes.
 */
#ifndef TOOLS_KBENCH_CASE_H
#define TOOLS_KBENCH_CASE_H

#include "kernels/ops.h"
#include "tools/kbench_args.h"
#include "tools/kbench_stats.h"

enum {
    KBENCH_BUFFERS_MAX = 16,
    KBENCH_SETS_MAX = 32,
    KBENCH_WEIGHTS_MAX = 2,
    KBENCH_HOST = -1 /* in the place of a set: the twin's memory */
};

/* How attention's rows over shared chunks are laid out: those under one chunk read its keys
 * once; or each by itself, in the order of their chunks, or of their jobs. */
enum kbench_order { KBENCH_GROUPED, KBENCH_SORTED, KBENCH_NAIVE };

/* What a buffer holds when the operation is done, for the comparison with the twin. */
enum kbench_output {
    KBENCH_NO_OUTPUT,
    KBENCH_OUT_F32,
    KBENCH_OUT_BYTES,  /* all or nothing */
    KBENCH_OUT_SAMPLES /* struct sample_result: tokens all or nothing, log-probabilities near */
};

struct kbench_buffer {
    void *host;
    void *sets[KBENCH_SETS_MAX];
    size_t bytes;
    enum kbench_output output;
};

struct kbench_weight {
    struct weight_source source; /* data is the case's */
    size_t bytes;                /* of the source */
    enum weight_form form;
    struct weight host, sets[KBENCH_SETS_MAX];
};

/* The sizes that the operations are cut to: the shape's, or small ones of the same proportions
 * (heads per KV head, head_dim); shape_text says what ran. */
struct kbench_dims {
    int32_t hidden, ffn, heads, kv_heads, head_dim, vocab;
    int32_t context, chunks, jobs, shared; /* of attention; chunks 0: no sharing */
    bool is_interleaved;
};

struct kbench_case {
    struct device *device, *host;
    const struct ops *ops;
    const struct kbench_kernel *kernel;
    const struct kbench_args_shape *shape;
    const char *variant, *dtype;
    int32_t m;               /* rows; attention over chunks sets its own */
    bool is_check;           /* outputs in a form that can be compared */
    bool is_small;           /* sizes that an emulator or a plain twin gets through */
    enum kbench_order order; /* attention alone looks at it */
    uint64_t seed;

    struct kbench_dims dims;
    char shape_text[64];
    struct kbench_work work;
    struct kbench_buffer buffers[KBENCH_BUFFERS_MAX];
    int32_t buffer_count;
    struct kbench_weight weights[KBENCH_WEIGHTS_MAX];
    int32_t weight_count;
    int32_t set_count;
    struct attention_work attention; /* counts; arrays are buffers */
};

struct kbench_kernel {
    const char *name, *about;
    const char *variants; /* "plain,add": the first is the default; "" when there is one */
    const char *dtypes;   /* "int8,f16" */
    bool has_cpu_bits;    /* an accelerator's results are ops_cpu's, bit for bit: those are then
                          what it is held against, and no difference is taken */
    double tolerance;     /* else, from the plain twin: largest difference, of the largest
                          magnitude; 0: bit for bit */
    enum status (*open)(struct kbench_case *c, struct error *err);
    enum status (*run)(struct kbench_case *c, int32_t set);
};

/* Opens c, whose fields above dims the caller has set. set_bytes: how much memory all sets
 * should go over together (at least one set is made). ERR_LIMIT, ERR_MEMORY. */
MUST_USE enum status kbench_case_open(struct kbench_case *c, size_t set_bytes,
                                      struct error *err);
void kbench_case_close(struct kbench_case *c);
/* Fills dims, shape_text and work, and leaves c closed: nothing can be run. */
MUST_USE enum status kbench_case_reckon(struct kbench_case *c, struct error *err);

/* How the device's results of set 0 compare with the twin's. Runs both once on fresh inputs;
 * call it before anything else runs. */
struct kbench_check {
    bool is_bits;          /* every output the same */
    double max_abs, share; /* largest difference; that over the largest magnitude */
};
MUST_USE enum status kbench_case_check(struct kbench_case *c, struct kbench_check *check,
                                       struct error *err);
/* The same for two devices: c's and that of other, a case of the same kernel and seed. */
MUST_USE enum status kbench_case_check_pair(struct kbench_case *c, struct kbench_case *other,
                                            struct kbench_check *check, struct error *err);

/* ---- for the kernels' own open and run ---- */

/* Adds a buffer and gives its zeroed host memory; NULL: none. Buffers are numbered from 0 in
 * the order of the calls. */
void *kbench_case_add(struct kbench_case *c, size_t bytes, enum kbench_output output);
/* The same, with count floats uniform in [-1, 1). */
float *kbench_case_floats(struct kbench_case *c, size_t count, enum kbench_output output);
/* Buffer `index` of a set, or the host's. */
void *kbench_case_at(const struct kbench_case *c, int32_t index, int32_t set);
/* Adds a matrix of random numbers of that type; c->weights[weight_count - 1]. */
MUST_USE enum status kbench_case_matrix(struct kbench_case *c, int32_t out_dim, int32_t in_dim,
                                        enum weight_type type, enum weight_form form,
                                        struct error *err);
const struct weight *kbench_case_weight(const struct kbench_case *c, int32_t index,
                                        int32_t set);
/* Three buffers: an activation's F32, its int8 and its scales, as forms asks. fill: with
 * random numbers, as an input. The view of them for a set comes from the first's number. */
MUST_USE enum status kbench_case_activation(struct kbench_case *c, int32_t cols, uint32_t forms,
                                            bool fill, struct error *err);
struct activation kbench_case_view(const struct kbench_case *c, int32_t first, int32_t cols,
                                   uint32_t forms, int32_t set);
/* The largest share that kbench_check may have. */
double kbench_case_tolerance(const struct kbench_case *c);
/* The table and the device of a set. */
const struct ops *kbench_case_ops(const struct kbench_case *c, int32_t set);
struct device *kbench_case_device(const struct kbench_case *c, int32_t set);

/* A random 32-bit number of the case's stream. */
uint32_t kbench_case_random(struct kbench_case *c);

#endif
