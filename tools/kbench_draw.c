/* kbench_draw - sampling from logits: greedy, and with every filter on. */
#include "tools/kbench_kernels.h"

#include <stdio.h>
#include <string.h>

enum { LOGITS, ROWS, RESULTS };

static enum status open(struct kbench_case *c, struct error *err)
{
    const size_t rows = (size_t)c->m, vocab = (size_t)c->dims.vocab;
    const bool is_greedy = strcmp(c->variant, "greedy") == 0;
    float *logits = kbench_case_floats(c, rows * vocab, KBENCH_NO_OUTPUT);
    struct sample_row *wanted = kbench_case_add(c, rows * sizeof *wanted, KBENCH_NO_OUTPUT);
    if (!logits || !wanted ||
        !kbench_case_add(c, rows * sizeof(struct sample_result), KBENCH_OUT_SAMPLES))
        FAIL(err, ERR_MEMORY, "sample: no room for %d rows of %d", c->m, c->dims.vocab);
    for (size_t i = 0; i < rows * vocab; i++)
        logits[i] *= 8.0F;
    for (int32_t r = 0; r < c->m; r++) {
        wanted[r] = (struct sample_row){.logits_row = r,
                                        .target = TOKEN_NONE,
                                        .top_p = 1.0F,
                                        .seed = 7,
                                        .job = (uint32_t)r,
                                        .position = 100};
        if (is_greedy)
            continue;
        wanted[r].temperature = 0.7F;
        wanted[r].top_k = 50;
        wanted[r].top_p = 0.9F;
        wanted[r].min_p = 0.02F;
    }
    c->work.bytes = (double)(rows * (vocab * sizeof(float) + sizeof *wanted +
                                     sizeof(struct sample_result)));
    (void)snprintf(c->shape_text, sizeof c->shape_text, "%d", c->dims.vocab);
    return OK;
}

static enum status run(struct kbench_case *c, int32_t set)
{
    const struct sample_args args = {.logits = kbench_case_at(c, LOGITS, set),
                                     .rows = kbench_case_at(c, ROWS, set),
                                     .results = kbench_case_at(c, RESULTS, set),
                                     .count = c->m,
                                     .vocab = c->dims.vocab};
    return kbench_case_ops(c, set)->sample(kbench_case_device(c, set), &args);
}

const struct kbench_kernel kbench_draw_kernels[] = {
    {"sample", "a token from each row of logits", "greedy,filters", "f32", true, 2e-6, open,
     run},
    {0},
};
