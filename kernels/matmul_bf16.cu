/*
 * matmul_bf16 - bf16 weights, F32 activations: an own conversion, cuBLASLt, own epilogues.
 *
 *     formula   y = bf16(x) w^T  (+ bias)  (+ y), or act(x gate^T) (x w^T), sums in F32
 *     tensors   x [rows, in] F32; w, gate [out, in] bf16; y [rows, out] F32
 *     grid      own kernels: 1,024 elements per block of 256 threads; the product's is the
 *               library's
 *     shared    own kernels none; registers 14 to 24, no spills
 *     cost      2 bytes per weight; own kernels 6 bytes per activation and, with a gate, 12 per
 *               output, in a launch of their own
 *     bound by  DRAM up to about 200 rows, then the bf16 tensor cores
 *     measured  not yet run on a GPU
 *
 * The library sees matrices by columns: y^T [out, rows] = w^T transposed times x^T [in, rows].
 * Split sums across blocks are not asked for (their order may change from run to run). Bias:
 * y is set to it, or it is added to y, before the product adds to y. Rows are taken in chunks
 * that fit the workspace: [x in bf16 | gate's product | the library's].
 */
#include "kernels/matmul_bf16.h"

#include "kernels/device_keep.h"
#include "kernels/parts/gate.cuh"

#include <cublasLt.h>

#include <stdlib.h>

namespace
{

enum {
    THREADS = 256,
    PER_BLOCK = 4 * THREADS,
    SHAPES_MAX = 64,
    BUCKETS = 15, /* 1, 2, 4 .. 16,384 rows */
    ROWS_MAX = 1 << (BUCKETS - 1),
    LIBRARY_BYTES = 4 << 20, /* of the workspace */
    ALIGN = 256
};

struct shape {
    int32_t out_dim, in_dim;
    cublasLtMatmulAlgo_t algorithms[BUCKETS];
};

/* What device_keep holds. */
struct bf16_state {
    cublasLtHandle_t handle;
    cublasLtMatmulDescOpaque_t product;
    struct shape shapes[SHAPES_MAX];
    int32_t shape_count;
};

/* The library's view of one call. */
struct layouts {
    cublasLtMatrixLayoutOpaque_t w, x, y;
};

/* The nearest bf16, ties to even; NaN becomes a quiet one. */
SIMT uint16_t bf16_from_float(float value)
{
    const uint32_t bits = simt_float_bits(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return static_cast<uint16_t>(bits >> 16 | 0x40u);
    return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

SIMT_KERNEL(THREADS, 1) bf16_kernel(uint16_t *to, const float *from, int64_t count)
{
    int64_t i = static_cast<int64_t>(blockIdx.x) * PER_BLOCK + threadIdx.x;
    for (int step = 0; step < PER_BLOCK / THREADS && i < count; step++, i += THREADS)
        to[i] = bf16_from_float(from[i]);
}

/* What bias_kernel adds to y [.., out_dim], or puts there. */
struct bias {
    const float *values; /* [out_dim] */
    int out_dim;
    bool accumulate;
};

SIMT_KERNEL(THREADS, 1) bias_kernel(float *y, struct bias bias, int64_t count)
{
    int64_t i = static_cast<int64_t>(blockIdx.x) * PER_BLOCK + threadIdx.x;
    for (int step = 0; step < PER_BLOCK / THREADS && i < count; step++, i += THREADS) {
        const float value = bias.values[i % bias.out_dim];
        y[i] = bias.accumulate ? y[i] + value : value;
    }
}

/* y = act(gate) y */
SIMT_KERNEL(THREADS, 1)
gate_kernel(float *y, const float *gate, int64_t count, enum silu_mul_kind kind)
{
    int64_t i = static_cast<int64_t>(blockIdx.x) * PER_BLOCK + threadIdx.x;
    for (int step = 0; step < PER_BLOCK / THREADS && i < count; step++, i += THREADS)
        y[i] = gate_act_of(kind, gate[i]) * y[i];
}

dim3 blocks_of(int64_t count)
{
    return dim3(static_cast<unsigned>((count + PER_BLOCK - 1) / PER_BLOCK));
}

enum status status_of(cublasStatus_t result)
{
    return result == CUBLAS_STATUS_SUCCESS        ? OK
           : result == CUBLAS_STATUS_ALLOC_FAILED ? ERR_MEMORY
                                                  : ERR_DEVICE;
}

enum status layouts_init(struct layouts *layouts, int32_t out_dim, int32_t in_dim, int32_t rows)
{
    const auto out = static_cast<uint64_t>(out_dim), in = static_cast<uint64_t>(in_dim);
    TRY(status_of(cublasLtMatrixLayoutInit(&layouts->w, CUDA_R_16BF, in, out, in_dim)));
    TRY(status_of(cublasLtMatrixLayoutInit(&layouts->x, CUDA_R_16BF, in,
                                           static_cast<uint64_t>(rows), in_dim)));
    return status_of(cublasLtMatrixLayoutInit(&layouts->y, CUDA_R_32F, out,
                                              static_cast<uint64_t>(rows), out_dim));
}

/* ---- choosing ---- */

void state_drop(void *memory)
{
    auto *state = static_cast<struct bf16_state *>(memory);
    (void)cublasLtDestroy(state->handle);
    free(state);
}

enum status state_make(struct device_keep *keep)
{
    auto *state = static_cast<struct bf16_state *>(calloc(1, sizeof(struct bf16_state)));
    const cublasOperation_t transposed = CUBLAS_OP_T;
    if (!state)
        return ERR_MEMORY;
    enum status status = status_of(cublasLtCreate(&state->handle));
    if (status != OK) {
        free(state);
        return status;
    }
    status = status_of(cublasLtMatmulDescInit(&state->product, CUBLAS_COMPUTE_32F, CUDA_R_32F));
    if (status == OK)
        status = status_of(cublasLtMatmulDescSetAttribute(
            &state->product, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed));
    if (status != OK) {
        state_drop(state);
        return status;
    }
    keep->memory = state;
    keep->drop = state_drop;
    return OK;
}

enum status preference_init(cublasLtMatmulPreferenceOpaque_t *preference)
{
    const uint64_t bytes = LIBRARY_BYTES;
    const uint32_t no_split = CUBLASLT_REDUCTION_SCHEME_NONE, align = 16;
    const struct {
        cublasLtMatmulPreferenceAttributes_t name;
        const void *value;
        size_t size;
    } wants[] = {
        {CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes, sizeof bytes},
        {CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &no_split, sizeof no_split},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, &align, sizeof align},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, &align, sizeof align},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, &align, sizeof align},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, &align, sizeof align},
    };
    TRY(status_of(cublasLtMatmulPreferenceInit(preference)));
    for (const auto &want : wants)
        TRY(status_of(cublasLtMatmulPreferenceSetAttribute(preference, want.name, want.value,
                                                           want.size)));
    return OK;
}

/* The first choice of the library for each bucket. */
enum status shape_choose(struct bf16_state *state, struct shape *shape)
{
    cublasLtMatmulPreferenceOpaque_t preference;
    TRY(preference_init(&preference));
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        struct layouts l;
        cublasLtMatmulHeuristicResult_t choice = {};
        int found = 0;
        TRY(layouts_init(&l, shape->out_dim, shape->in_dim, 1 << bucket));
        if (cublasLtMatmulAlgoGetHeuristic(state->handle, &state->product, &l.w, &l.x, &l.y,
                                           &l.y, &preference, 1, &choice,
                                           &found) != CUBLAS_STATUS_SUCCESS ||
            found == 0)
            return ERR_LIMIT;
        shape->algorithms[bucket] = choice.algo;
    }
    return OK;
}

struct shape *shape_find(struct bf16_state *state, int32_t out_dim, int32_t in_dim)
{
    for (int32_t i = 0; state && i < state->shape_count; i++) {
        struct shape *shape = &state->shapes[i];
        if (shape->out_dim == out_dim && shape->in_dim == in_dim)
            return shape;
    }
    return nullptr;
}

/* ---- running ---- */

/* How a chunk of rows lies in the workspace. */
struct room {
    uint16_t *x;
    float *gate; /* [rows, out], where there is a gate */
    void *library;
    int32_t rows; /* that fit */
};

size_t round_up(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

enum status room_make(struct device *device, const struct matmul_args *args, struct room *room)
{
    const size_t x_bytes = static_cast<size_t>(args->w->in_dim) * sizeof(uint16_t);
    const size_t gate_bytes =
        args->gate ? static_cast<size_t>(args->w->out_dim) * sizeof(float) : 0;
    const size_t all = device_workspace_bytes(device), beside = LIBRARY_BYTES + 3 * ALIGN;
    if (all < beside + x_bytes + gate_bytes)
        return ERR_LIMIT;
    const size_t fit = (all - beside) / (x_bytes + gate_bytes);
    room->rows = fit < ROWS_MAX ? static_cast<int32_t>(fit) : ROWS_MAX;
    room->rows = room->rows < args->rows ? room->rows : args->rows;
    if (room->rows < args->rows && room->rows >= 8)
        room->rows -= room->rows % 8; /* every chunk's y is aligned as the first */
    auto *next = static_cast<unsigned char *>(device_workspace(device));
    const auto rows = static_cast<size_t>(room->rows);
    room->x = reinterpret_cast<uint16_t *>(next);
    next += round_up(rows * x_bytes);
    room->gate = reinterpret_cast<float *>(next);
    next += round_up(rows * gate_bytes);
    room->library = next;
    return OK;
}

struct call {
    struct device *device;
    struct bf16_state *state;
    const struct room *room;
    const struct weight *w;
    int32_t rows;
};

/* y = x w^T, or y += when beta is 1. */
enum status product(const struct call *call, float *y, float beta)
{
    const int32_t out_dim = call->w->out_dim, in_dim = call->w->in_dim;
    const struct shape *shape = shape_find(call->state, out_dim, in_dim);
    const float alpha = 1.0f;
    struct layouts l;
    int bucket = 0;
    while (1 << bucket < call->rows)
        bucket++;
    if (!shape)
        return ERR_LIMIT;
    TRY(layouts_init(&l, out_dim, in_dim, call->rows));
    return status_of(cublasLtMatmul(
        call->state->handle, &call->state->product, &alpha, call->w->data, &l.w, call->room->x,
        &l.x, &beta, y, &l.y, y, &l.y, &shape->algorithms[bucket], call->room->library,
        LIBRARY_BYTES, static_cast<cudaStream_t>(device_stream(call->device))));
}

/* Rows from `first` on. */
enum status chunk_run(struct call *call, const struct matmul_args *args, int32_t first)
{
    struct device *device = call->device;
    const int64_t inputs = static_cast<int64_t>(call->rows) * args->w->in_dim;
    const int64_t outputs = static_cast<int64_t>(call->rows) * args->w->out_dim;
    const float *x = args->x->f32 + static_cast<int64_t>(first) * args->w->in_dim;
    float *y = args->y + static_cast<int64_t>(first) * args->w->out_dim;
    TRY(SIMT_LAUNCH(device, (bf16_kernel), blocks_of(inputs), THREADS, 0, call->room->x, x,
                    inputs));
    call->w = args->w;
    if (args->gate) {
        TRY(product(call, y, 0.0f));
        call->w = args->gate;
        TRY(product(call, call->room->gate, 0.0f));
        return SIMT_LAUNCH(device, (gate_kernel), blocks_of(outputs), THREADS, 0, y,
                           call->room->gate, outputs, args->gate_kind);
    }
    const struct bias bias = {args->bias, args->w->out_dim, args->accumulate};
    if (args->bias)
        TRY(SIMT_LAUNCH(device, (bias_kernel), blocks_of(outputs), THREADS, 0, y, bias,
                        outputs));
    return product(call, y, args->bias || args->accumulate ? 1.0f : 0.0f);
}

} // namespace

extern "C" enum status matmul_bf16_plan(struct device *device, int32_t out_dim, int32_t in_dim)
{
    struct device_keep *keep = device_keep_of(device);
    if (!keep->memory)
        TRY(state_make(keep));
    auto *state = static_cast<struct bf16_state *>(keep->memory);
    if (shape_find(state, out_dim, in_dim))
        return OK;
    if (state->shape_count == SHAPES_MAX)
        return ERR_LIMIT;
    struct shape *shape = &state->shapes[state->shape_count];
    shape->out_dim = out_dim;
    shape->in_dim = in_dim;
    TRY(shape_choose(state, shape));
    state->shape_count++;
    return OK;
}

extern "C" enum status matmul_bf16_cuda(struct device *device, const struct matmul_args *args)
{
    struct room room;
    auto *state = static_cast<struct bf16_state *>(device_keep_of(device)->memory);
    if (args->rows < 1)
        return OK;
    if (!state || reinterpret_cast<uintptr_t>(args->y) % 16 != 0)
        return ERR_LIMIT;
    TRY(room_make(device, args, &room));
    for (int32_t first = 0; first < args->rows; first += room.rows) {
        const int32_t left = args->rows - first;
        struct call call = {device, state, &room, nullptr, left < room.rows ? left : room.rows};
        TRY(chunk_run(&call, args, first));
    }
    return OK;
}
