/*
 * kbench_args - what cohort kbench is asked to run: the lists on its command line.
 *
 *     M        1,8,16..64/16,1..256*2     numbers and ranges, with a step or a factor
 *     shapes   llama-3.1-8b,qwen2.5-7b    names of engine/model_synthetic.h, and minions30x6
 */
#ifndef TOOLS_KBENCH_ARGS_H
#define TOOLS_KBENCH_ARGS_H

#include "base/error.h"
#include "engine/model_synthetic.h"

#include <stdbool.h>
#include <stdint.h>

enum { KBENCH_ARGS_M_MAX = 512, KBENCH_ARGS_ROWS_MAX = 16384, KBENCH_ARGS_SHAPES_MAX = 8 };

/* The rows of activations that an operation runs on, ascending, each once. */
struct kbench_args_m {
    int32_t values[KBENCH_ARGS_M_MAX];
    int32_t count;
};

/* ERR_FORMAT not a list; ERR_LIMIT a number outside 1 .. KBENCH_ARGS_ROWS_MAX, or more than
 * KBENCH_ARGS_M_MAX of them. */
MUST_USE enum status kbench_args_read_m(const char *list, struct kbench_args_m *m,
                                        struct error *err);

/* Shapes that the operations are cut from. minions30x6 is Llama 3.1 8B's attention over 30
 * chunks of 6 jobs. */
struct kbench_args_shape {
    const char *name;
    const struct model_config *config;
    int32_t chunks, jobs; /* 0: one sequence per row */
};

struct kbench_args_shapes {
    struct kbench_args_shape items[KBENCH_ARGS_SHAPES_MAX];
    int32_t count;
};

/* ERR_FORMAT names the shape that is none. */
MUST_USE enum status kbench_args_read_shapes(const char *list,
                                             struct kbench_args_shapes *shapes,
                                             struct error *err);

/* "3%" or "0.03" as 0.03. ERR_FORMAT: not a share from 0 to 10. */
MUST_USE enum status kbench_args_read_share(const char *text, double *share, struct error *err);

#endif
