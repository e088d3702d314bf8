/*
 * cublaslt_int8 - see cublaslt_int8.h. In the library's column-major view: y^T = w x^T, with w
 * transposed and x not, the one order in which it takes int8.
 */
#include "kernels/cublaslt_int8.h"

#include "kernels/device_timer.h"

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <stdlib.h>

namespace
{
enum { RUNS = 21, COPIES_MAX = 32, WORKSPACE_BYTES = 32 << 20 };

/* What one measurement holds; bytes 0: not there. */
struct trial {
    struct device *device;
    cublasLtHandle_t handle;
    cublasLtMatmulDesc_t product;
    cublasLtMatrixLayout_t w_layout, x_layout, y_layout;
    cublasLtMatmulHeuristicResult_t choice;
    void *w[COPIES_MAX], *x, *y, *workspace;
    size_t w_bytes, x_bytes, y_bytes;
    int copies;
};

void *take(struct device *device, size_t bytes)
{
    return device_alloc(device, bytes);
}

void give(struct device *device, void *memory, size_t bytes)
{
    if (memory)
        device_free(device, memory, bytes);
}

void trial_close(struct trial *t)
{
    for (int i = 0; i < t->copies; i++)
        give(t->device, t->w[i], t->w_bytes);
    give(t->device, t->x, t->x_bytes);
    give(t->device, t->y, t->y_bytes);
    give(t->device, t->workspace, WORKSPACE_BYTES);
    if (t->y_layout)
        cublasLtMatrixLayoutDestroy(t->y_layout);
    if (t->x_layout)
        cublasLtMatrixLayoutDestroy(t->x_layout);
    if (t->w_layout)
        cublasLtMatrixLayoutDestroy(t->w_layout);
    if (t->product)
        cublasLtMatmulDescDestroy(t->product);
    if (t->handle)
        cublasLtDestroy(t->handle);
}

bool describe(struct trial *t, const struct cublaslt_int8_args *args)
{
    const auto rows = static_cast<uint64_t>(args->rows);
    const auto out = static_cast<uint64_t>(args->out_dim);
    const auto in = static_cast<uint64_t>(args->in_dim);
    const cublasOperation_t transposed = CUBLAS_OP_T;
    return cublasLtCreate(&t->handle) == CUBLAS_STATUS_SUCCESS &&
           cublasLtMatmulDescCreate(&t->product, CUBLAS_COMPUTE_32I, CUDA_R_32I) ==
               CUBLAS_STATUS_SUCCESS &&
           cublasLtMatmulDescSetAttribute(t->product, CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
                                          sizeof transposed) == CUBLAS_STATUS_SUCCESS &&
           cublasLtMatrixLayoutCreate(&t->w_layout, CUDA_R_8I, in, out, args->in_dim) ==
               CUBLAS_STATUS_SUCCESS &&
           cublasLtMatrixLayoutCreate(&t->x_layout, CUDA_R_8I, in, rows, args->in_dim) ==
               CUBLAS_STATUS_SUCCESS &&
           cublasLtMatrixLayoutCreate(&t->y_layout, CUDA_R_32I, out, rows, args->out_dim) ==
               CUBLAS_STATUS_SUCCESS;
}

bool choose(struct trial *t)
{
    cublasLtMatmulPreference_t wish;
    const uint64_t workspace = WORKSPACE_BYTES;
    int found = 0;
    if (cublasLtMatmulPreferenceCreate(&wish) != CUBLAS_STATUS_SUCCESS)
        return false;
    const bool is_chosen =
        cublasLtMatmulPreferenceSetAttribute(wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                             &workspace,
                                             sizeof workspace) == CUBLAS_STATUS_SUCCESS &&
        cublasLtMatmulAlgoGetHeuristic(t->handle, t->product, t->w_layout, t->x_layout,
                                       t->y_layout, t->y_layout, wish, 1, &t->choice,
                                       &found) == CUBLAS_STATUS_SUCCESS &&
        found > 0;
    cublasLtMatmulPreferenceDestroy(wish);
    return is_chosen;
}

enum status multiply(const struct trial *t, int run)
{
    const int32_t one = 1, zero = 0;
    const cublasStatus_t status = cublasLtMatmul(
        t->handle, t->product, &one, t->w[run % t->copies], t->w_layout, t->x, t->x_layout,
        &zero, t->y, t->y_layout, t->y, t->y_layout, &t->choice.algo, t->workspace,
        WORKSPACE_BYTES, static_cast<cudaStream_t>(device_stream(t->device)));
    return status == CUBLAS_STATUS_SUCCESS ? OK : ERR_DEVICE;
}

/* Random bytes: products of zeros run at another clock. */
enum status fill(struct trial *t, struct error *err)
{
    const size_t most = std::max(t->w_bytes, t->x_bytes);
    auto *bytes = static_cast<unsigned char *>(malloc(most));
    if (!bytes)
        FAIL(err, ERR_MEMORY, "cublaslt: no room for %zu bytes", most);
    uint32_t state = 1;
    for (size_t i = 0; i < most; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = static_cast<unsigned char>(state >> 24);
    }
    enum status status = device_upload(t->device, t->x, bytes, t->x_bytes);
    for (int i = 0; i < t->copies && status == OK; i++)
        status = device_upload(t->device, t->w[i], bytes, t->w_bytes);
    free(bytes);
    if (status != OK)
        FAIL(err, status, "cublaslt: the device took no upload");
    return OK;
}

enum status run(struct trial *t, double *us, struct error *err)
{
    double samples[RUNS];
    TRY(fill(t, err));
    for (int i = -3; i < RUNS; i++) { /* three to warm up */
        TRY(device_timer_mark(t->device, 0));
        if (multiply(t, i + 3) != OK)
            FAIL(err, ERR_DEVICE, "cublaslt: the product failed");
        TRY(device_timer_mark(t->device, 1));
        TRY(device_timer_us(t->device, 0, 1, &samples[i < 0 ? 0 : i], err));
    }
    std::sort(samples, samples + RUNS);
    *us = samples[RUNS / 2];
    return OK;
}

enum status open(struct trial *t, const struct cublaslt_int8_args *args, struct error *err)
{
    const auto in = static_cast<size_t>(args->in_dim);
    t->w_bytes = in * static_cast<size_t>(args->out_dim);
    t->x_bytes = in * static_cast<size_t>(args->rows);
    t->y_bytes = 4 * static_cast<size_t>(args->out_dim) * static_cast<size_t>(args->rows);
    const size_t wanted = args->is_cold ? 3 * args->l2_bytes / t->w_bytes + 1 : 1;
    t->copies = static_cast<int>(std::min<size_t>(wanted, COPIES_MAX));
    if (!describe(t, args) || !choose(t))
        FAIL(err, ERR_LIMIT, "cublaslt: takes no int8 product of %d x %d x %d", args->rows,
             args->out_dim, args->in_dim);
    bool has_room = (t->x = take(t->device, t->x_bytes)) != nullptr &&
                    (t->y = take(t->device, t->y_bytes)) != nullptr &&
                    (t->workspace = take(t->device, WORKSPACE_BYTES)) != nullptr;
    for (int i = 0; i < t->copies && has_room; i++)
        has_room = (t->w[i] = take(t->device, t->w_bytes)) != nullptr;
    if (!has_room)
        FAIL(err, ERR_MEMORY, "cublaslt: no room for %zu bytes of weights", t->w_bytes);
    return OK;
}
} // namespace

enum status cublaslt_int8_time(struct device *device, const struct cublaslt_int8_args *args,
                               double *us, struct error *err)
{
    struct trial t = {};
    t.device = device;
    if (args->rows < 1 || args->out_dim < 1 || args->in_dim < 1)
        FAIL(err, ERR_LIMIT, "cublaslt: %d x %d x %d", args->rows, args->out_dim, args->in_dim);
    enum status status = open(&t, args, err);
    if (status == OK)
        status = run(&t, us, err);
    trial_close(&t);
    return status;
}
