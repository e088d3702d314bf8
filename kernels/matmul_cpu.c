/*
 * matmul_cpu - threads and cache blocks around the kernels of matmul_int8 and matmul_f32.
 *
 *     task      a block of rows x a run of weight panels; tasks share nothing they write
 *     order     panel by panel (a panel stays in L1), under it tile by tile of rows (the block
 *               of rows stays in L2)
 *     threads   have neighbouring tasks (device.c): blocks of rows, or the next weights
 *     measured  by bench/matmul_bench through this file; see the cards of the kernels
 *     epilogue  y = (float)sum * (x_scale * w_scale), + bias, + y: the level's own, in
 *               matmul_finish
 *     gate      int8: both products of a tile, then y = act(gate product) * product, written
 *               once; floats: a second pass over y
 */
#include "base/i32.h"
#include "kernels/gate.h"
#include "kernels/matmul.h"
#include "kernels/matmul_f32.h"
#include "kernels/matmul_int8.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum {
    PANEL = MATMUL_INT8_PANEL,
    TILE_ROWS = 32, /* rows and panels per kernel call: their sums stay in L1 */
    TILE_PANELS = 2,
    TURN_ROWS_AVX2 = TILE_ROWS, /* fewer gain nothing by turning panels beforehand */
    TURN_ROWS_AVX512 = 3 * TILE_ROWS,
    FEW_ROWS = 4, /* with no more rows a tile is of so many panels that memory is one stream */
    FEW_PANELS = TILE_ROWS / FEW_ROWS * TILE_PANELS,
    BLOCK_ROWS_MAX = 256,      /* rows per task; 512 is no better */
    BLOCK_PANELS_MAX = 16,     /* panels per task, where there are enough for all threads */
    TASKS_PER_THREAD = 4,      /* so that threads end together */
    TASKS_PER_THREAD_LONG = 8, /* with more than one block of rows, where each takes longer */
    LINE_FLOATS = 16,          /* of a line of the cache */
    F32_PANEL_BYTES = 1 << 16  /* dequantized weights per task, of L2 */
};

struct grid {
    int32_t block_rows, row_blocks, panel_runs, panels_per_run, panels;
};

/* Where the rows of a thread's last task begin (-1: none yet), and what the level made of them:
 * the next task mostly has the same. */
struct made {
    int32_t row_begin;
    bool suits; /* x_turn */
    int32_t x_sums[BLOCK_ROWS_MAX];
};

struct int8_job {
    const struct matmul_args *args;
    struct device *device;
    matmul_int8_kernel *kernel;
    matmul_int8_finish *finish;
    matmul_int8_x_sums *x_sums; /* NULL: the kernel wants none */
    matmul_int8_turn *turn;     /* likewise */
    matmul_int8_x_turn *x_turn; /* likewise; only together with turn */
    int32_t turn_rows;          /* from how many on */
    void (*release)(void); /* gives up what a thread holds after the kernel's calls, or NULL */
    struct grid grid;
    struct made made[DEVICE_THREADS_MAX]; /* [threads] */
};

struct f32_job {
    const struct matmul_args *args;
    struct device *device;
    matmul_f32_kernel *kernel;
    bool is_gate;
    size_t row_bytes;   /* of a stored weight row */
    int32_t panel_outs; /* outputs per task */
};

/* What the slowest thread has to do, in tile columns, when each run has tiles of them. */
static int32_t grid_share(const struct grid *grid, int32_t tiles, uint32_t threads)
{
    const int32_t runs = i32_ceil_div(i32_ceil_div(grid->panels, TILE_PANELS), tiles);
    return i32_ceil_div(grid->row_blocks * runs, (int32_t)threads) * tiles;
}

/* Blocks of rows alike, then long runs of panels where there is work for every thread, short
 * ones otherwise: of whole tiles, and so many that no thread waits long for another. */
static void grid_make(struct grid *grid, int32_t rows, uint32_t threads)
{
    grid->row_blocks = i32_ceil_div(rows, grid->block_rows);
    const int32_t alike =
        i32_ceil_div(i32_ceil_div(rows, grid->row_blocks), TILE_ROWS) * TILE_ROWS;
    grid->block_rows = i32_min(alike, grid->block_rows);
    const int32_t each = grid->row_blocks > 1 ? TASKS_PER_THREAD_LONG : TASKS_PER_THREAD;
    const int32_t tasks = threads == 1 ? 1 : (int32_t)threads * each;
    const int32_t run = i32_ceil_div(grid->panels, i32_ceil_div(tasks, grid->row_blocks));
    const int32_t tiles_most = i32_ceil_div(i32_min(run, BLOCK_PANELS_MAX), TILE_PANELS);
    int32_t tiles = tiles_most;
    for (int32_t fewer = tiles_most; fewer > 0 && threads > 1; fewer--)
        if (grid_share(grid, fewer, threads) < grid_share(grid, tiles, threads))
            tiles = fewer;
    grid->panels_per_run = run < TILE_PANELS ? 1 : tiles * TILE_PANELS;
    grid->panel_runs = i32_ceil_div(grid->panels, grid->panels_per_run);
}

/* y[count] = act(gate) * y. */
static void gate_span(enum silu_mul_kind kind, const float *gate, float *y, int32_t count)
{
    for (int32_t i = 0; i < count; i += EXP_LANES) {
        const size_t bytes = (size_t)i32_min(EXP_LANES, count - i) * sizeof *y;
        exp_f32 act = {0}, up = {0};
        memcpy(&act, gate + i, bytes);
        memcpy(&up, y + i, bytes);
        gate_act(&act, &act, kind);
        act *= up;
        memcpy(y + i, &act, bytes);
    }
}

/* Room for a tile's panels. */
static size_t int8_turned_bytes(int32_t depth)
{
    return TILE_PANELS * matmul_int8_turned_bytes(depth);
}

/* The panel of a weight that output `out` is the first of. */
static const int8_t *int8_panel(const struct weight *w, int32_t depth, int32_t out)
{
    return (const int8_t *)w->data + matmul_int8_place(depth, out, 0);
}

/* The same tile of the gate. */
static struct matmul_int8_tile int8_gate(const struct int8_job *job,
                                         const struct matmul_int8_tile *tile, int32_t out)
{
    struct matmul_int8_tile gate = *tile;
    gate.panel = int8_panel(job->args->gate, tile->depth, out);
    if (gate.turned != NULL)
        gate.turned += int8_turned_bytes(tile->depth);
    return gate;
}

/* Asks for the outputs of a tile before its sums are made: they lie in as many places as there
 * are rows, most of them no longer in L2. */
static void outputs_fetch(const struct matmul_int8_outputs *outputs)
{
    for (int32_t r = 0; r < outputs->rows; r++) {
        const float *y = outputs->y + (size_t)r * outputs->y_stride;
        for (int32_t o = 0; o < outputs->outs; o += LINE_FLOATS)
            __builtin_prefetch(y + o, 1);
    }
}

/* The kernel's calls for a tile, and its epilogue; row and out are the tile's first. */
static void int8_tile(const struct int8_job *job, const struct matmul_int8_tile *tile,
                      int32_t row, int32_t out)
{
    const struct matmul_args *args = job->args;
    const size_t stride = (size_t)args->w->out_dim;
    int32_t sums[TILE_PANELS * TILE_ROWS * PANEL], gate_sums[TILE_PANELS * TILE_ROWS * PANEL];
    struct matmul_int8_outputs outputs = {
        .x_scales = args->x->scales + row,
        .w_scales = args->w->scales + out,
        .bias = args->bias ? args->bias + out : NULL,
        .y = args->y + (size_t)row * stride + (size_t)out,
        .y_stride = stride,
        .rows = tile->rows,
        .outs = i32_min(tile->panels * PANEL, args->w->out_dim - out),
        .accumulate = args->accumulate};
    outputs_fetch(&outputs);
    if (args->gate) {
        const struct matmul_int8_tile gate = int8_gate(job, tile, out);
        job->kernel(&gate, gate_sums);
        outputs.gate_sums = gate_sums;
        outputs.gate_scales = args->gate->scales + out;
        outputs.gate_kind = args->gate_kind;
    }
    job->kernel(tile, sums);
    job->finish(&outputs, sums);
}

/* Where this worker's tiles find their panels turned, and behind them the rows of a block where
 * the level turns these too; NULL: as they lie in the weight. */
static int8_t *int8_turned(const struct int8_job *job, const struct matmul_int8_tile *block,
                           uint32_t worker)
{
    size_t bytes = 2 * int8_turned_bytes(block->depth);
    if (job->turn == NULL || block->rows < job->turn_rows)
        return NULL;
    if (job->x_turn != NULL)
        bytes += matmul_int8_x_turned_bytes(block->rows, block->depth);
    return device_scratch_bytes(job->device) < bytes ? NULL
                                                     : device_scratch(job->device, worker);
}

/* Turns a tile's panels, and those of the gate behind them. */
static void int8_turn(const struct int8_job *job, struct matmul_int8_tile *tile, int32_t out,
                      int8_t *turned)
{
    job->turn(tile, turned);
    tile->turned = turned;
    if (job->args->gate == NULL)
        return;
    const struct matmul_int8_tile gate = int8_gate(job, tile, out);
    job->turn(&gate, turned + int8_turned_bytes(tile->depth));
}

/* What the level wants of a block of rows beforehand, from row_begin on: to *block and to the
 * memory of turned panels. The result is that memory, or NULL when rows do not suit it. */
static int8_t *int8_rows_make(struct int8_job *job, struct matmul_int8_tile *block,
                              int32_t row_begin, uint32_t worker)
{
    struct made *made = &job->made[worker];
    int8_t *turned = int8_turned(job, block, worker);
    const bool is_made = made->row_begin == row_begin;
    made->row_begin = row_begin;
    if (job->x_sums != NULL && !is_made)
        job->x_sums(block, made->x_sums);
    if (turned == NULL || job->x_turn == NULL)
        return turned;
    block->x_turned = turned + 2 * int8_turned_bytes(block->depth);
    if (!is_made)
        made->suits = job->x_turn(block, block->x_turned);
    return made->suits ? turned : NULL;
}

static void int8_task(void *context, int32_t index, uint32_t worker)
{
    struct int8_job *job = context;
    const struct grid *grid = &job->grid;
    const struct matmul_args *args = job->args;
    const int32_t row_begin = index / grid->panel_runs * grid->block_rows;
    const int32_t rows = i32_min(grid->block_rows, args->rows - row_begin);
    const int32_t begin = index % grid->panel_runs * grid->panels_per_run;
    const int32_t end = i32_min(begin + grid->panels_per_run, grid->panels);
    const int8_t *x = args->x->q8 + (size_t)row_begin * (size_t)args->x->stride;
    struct matmul_int8_tile tile = {.x = x,
                                    .rows = rows,
                                    .rows_all = rows,
                                    .stride = args->x->stride,
                                    .depth = matmul_int8_depth(args->w->in_dim)};
    int8_t *turned = int8_rows_make(job, &tile, row_begin, worker);
    const int32_t *x_sums = job->x_sums != NULL ? job->made[worker].x_sums : NULL;
    const int32_t tile_panels = rows <= FEW_ROWS ? FEW_PANELS : TILE_PANELS;
    for (int32_t panel = begin; panel < end; panel += tile_panels) {
        tile.panels = i32_min(tile_panels, end - panel);
        tile.panel = int8_panel(args->w, tile.depth, panel * PANEL);
        if (turned != NULL)
            int8_turn(job, &tile, panel * PANEL, turned);
        for (int32_t row = 0; row < rows; row += TILE_ROWS) {
            tile.x = x + (size_t)row * (size_t)tile.stride;
            tile.x_sums = x_sums != NULL ? x_sums + row : NULL;
            tile.rows = i32_min(TILE_ROWS, rows - row);
            tile.rows_before = row;
            int8_tile(job, &tile, row_begin + row, panel * PANEL);
        }
    }
    if (job->release != NULL)
        job->release();
}

/* The level's functions into *job. */
static void int8_choose(struct int8_job *job, enum device_simd simd)
{
    job->kernel = matmul_int8_scalar;
    job->finish = matmul_int8_finish_scalar;
    job->x_sums = NULL;
    job->turn = NULL;
    job->x_turn = NULL;
    job->turn_rows = 0;
#if defined(__x86_64__)
    if (simd == DEVICE_SIMD_AMX_INT8) {
        job->kernel = matmul_int8_amx;
        job->release = matmul_int8_amx_release;
        job->finish = matmul_int8_finish_avx512;
    } else if (simd == DEVICE_SIMD_AVX512_VNNI) {
        job->kernel = matmul_int8_avx512;
        job->x_sums = matmul_int8_x_sums_avx512;
        job->turn = matmul_int8_turn_avx512;
        job->turn_rows = TURN_ROWS_AVX512;
        job->finish = matmul_int8_finish_avx512;
    } else if (simd == DEVICE_SIMD_AVX2) {
        job->kernel = matmul_int8_avx2;
        job->turn = matmul_int8_turn_avx2;
        job->x_turn = matmul_int8_x_turn_avx2;
        job->turn_rows = TURN_ROWS_AVX2;
        job->finish = matmul_int8_finish_avx2;
    }
#elif defined(__aarch64__) /* what ends a product has NEON there at every level */
    if (simd == DEVICE_SIMD_NEON_I8MM)
        job->kernel = matmul_int8_i8mm;
    else if (simd == DEVICE_SIMD_NEON_DOT)
        job->kernel = matmul_int8_dotprod;
    else if (simd == DEVICE_SIMD_NEON)
        job->kernel = matmul_int8_neon;
#endif
    (void)simd;
}

/* Rows per task: as many as find room, where they are turned. */
static int32_t int8_block_rows(const struct int8_job *job, int32_t depth)
{
    const size_t panels = 2 * int8_turned_bytes(depth);
    const size_t scratch = device_scratch_bytes(job->device);
    for (int32_t rows = BLOCK_ROWS_MAX; job->x_turn != NULL && rows > 0; rows -= TILE_ROWS)
        if (panels + matmul_int8_x_turned_bytes(rows, depth) <= scratch)
            return rows;
    return BLOCK_ROWS_MAX;
}

static enum status int8_run(struct device *device, const struct matmul_args *args)
{
    assert((args->x->forms & ACTIVATION_INT8) != 0 && args->x->cols == args->w->in_dim);
    assert(args->x->stride >= matmul_int8_depth(args->w->in_dim));
    struct int8_job job;
    job.args = args;
    job.device = device;
    for (uint32_t i = 0; i < device_threads(device); i++)
        job.made[i].row_begin = -1;
    job.release = NULL;
    int8_choose(&job, device_simd(device));
    job.grid.panels = matmul_int8_panels(args->w->out_dim);
    job.grid.block_rows = int8_block_rows(&job, matmul_int8_depth(args->w->in_dim));
    grid_make(&job.grid, args->rows, device_threads(device));
    device_parallel(device, job.grid.row_blocks * job.grid.panel_runs, int8_task, &job);
    return OK;
}

/* The sums of one tile to y, whose first row and output are row and out. */
static void f32_finish(const struct f32_job *job, const struct matmul_f32_tile *tile,
                       const float *sums, int32_t row, int32_t out)
{
    const struct matmul_args *args = job->args;
    const size_t out_dim = (size_t)args->w->out_dim;
    for (int32_t r = 0; r < tile->rows; r++, sums += tile->outs) {
        float *y = args->y + (size_t)(row + r) * out_dim + out;
        if (job->is_gate) {
            gate_span(args->gate_kind, sums, y, tile->outs);
            continue;
        }
        for (int32_t o = 0; o < tile->outs; o++) {
            float value = sums[o];
            if (args->bias != NULL)
                value += args->bias[out + o];
            y[o] = args->accumulate ? y[o] + value : value;
        }
    }
}

static void f32_task(void *context, int32_t index, uint32_t worker)
{
    const struct f32_job *job = context;
    const struct matmul_args *args = job->args;
    const struct weight *w = args->w;
    const int32_t out = index * job->panel_outs;
    float *values = device_scratch(job->device, worker);
    struct matmul_f32_tile tile = {
        .w = values, .outs = i32_min(job->panel_outs, w->out_dim - out), .in_dim = w->in_dim};
    const uint8_t *blocks = (const uint8_t *)w->data + (size_t)out * job->row_bytes;
    if (w->type == WEIGHT_F32 && (uintptr_t)blocks % sizeof(float) == 0)
        tile.w = (const float *)(const void *)blocks;
    else
        weight_dequantize_at(device_simd(job->device), w->type, blocks, values,
                             (int64_t)tile.outs * w->in_dim);
    float sums[TILE_ROWS * PANEL];
    for (int32_t row = 0; row < args->rows; row += TILE_ROWS) {
        tile.x = args->x->f32 + (size_t)row * (size_t)w->in_dim;
        tile.rows = i32_min(TILE_ROWS, args->rows - row);
        job->kernel(&tile, sums);
        f32_finish(job, &tile, sums, row, out);
    }
}

static enum status f32_run(struct device *device, const struct matmul_args *args, bool is_gate)
{
    assert((args->x->forms & ACTIVATION_F32) != 0 && args->x->cols == args->w->in_dim);
    const size_t row_floats = (size_t)args->w->in_dim * sizeof(float);
    size_t outs = F32_PANEL_BYTES / row_floats;
    outs = outs < 1 ? 1 : outs > PANEL ? PANEL : outs;
    uint32_t block_elems, block_bytes;
    if (!weight_type_layout(args->w->type, &block_elems, &block_bytes) ||
        device_scratch_bytes(device) < outs * row_floats)
        return ERR_LIMIT;
    struct f32_job job = {.args = args,
                          .device = device,
                          .kernel = matmul_f32_scalar,
                          .is_gate = is_gate,
                          .row_bytes = (size_t)args->w->in_dim / block_elems * block_bytes,
                          .panel_outs = (int32_t)outs};
#if defined(__x86_64__)
    if (device_simd(device) >= DEVICE_SIMD_AVX2)
        job.kernel = matmul_f32_avx2;
#elif defined(__aarch64__)
    if (device_simd(device) >= DEVICE_SIMD_NEON)
        job.kernel = matmul_f32_neon;
#endif
    device_parallel(device, i32_ceil_div(args->w->out_dim, job.panel_outs), f32_task, &job);
    return OK;
}

enum status matmul_cpu(struct device *device, const struct matmul_args *args)
{
    if (args->rows < 1)
        return OK;
    assert(args->gate == NULL || (args->bias == NULL && !args->accumulate));
    assert(args->gate == NULL || args->gate->form == args->w->form);
    if (args->w->form == WEIGHT_INT8)
        return int8_run(device, args);
    TRY(f32_run(device, args, false));
    if (args->gate == NULL)
        return OK;
    struct matmul_args gate = *args;
    gate.w = args->gate;
    return f32_run(device, &gate, true);
}
