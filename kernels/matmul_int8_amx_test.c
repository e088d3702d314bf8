/* matmul_int8_amx_test - the AMX kernel's own source, built on a model of the tiles in C,
 * against the scalar kernel, for machines that cannot run it; and, where the system grants
 * AMX, the kernel as it is. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernels/device.h"
#include "tests/harness/amx_model.h"

/* The source twice over in one program: the room's, and this one on the model. */
#define matmul_int8_amx         model_kernel
#define matmul_int8_amx_release model_release
#include "kernels/matmul_int8_amx.c"
#undef matmul_int8_amx
#undef matmul_int8_amx_release

void matmul_int8_amx(const struct matmul_int8_tile *tile, int32_t *out);
void matmul_int8_amx_release(void);

enum { ROWS_MAX = 67, DEPTH_MAX = 1536, PANELS_MAX = 5 };

static int8_t noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (int8_t)((int)(*state >> 8) % 255 - 127);
}

static int8_t value_at(uint32_t *state, int level, int bit)
{
    return level == 0 ? noise(state) : (int8_t)(level & bit ? 127 : -127);
}

/* One tile's memory, each array of exactly its size, so that a sanitizer sees every byte read
 * past it. level 0: noise; else every value is -127 or 127 by one bit of level. */
struct problem {
    struct matmul_int8_tile tile;
    int8_t *x, *w;
    int32_t *expected, *found;
    size_t sums;
};

static void problem_init(struct problem *p, const int32_t shape[3], int32_t gap, int level)
{
    const int32_t rows = shape[0], depth = shape[1], panels = shape[2];
    const size_t x_bytes = (size_t)((rows - 1) * (depth + gap) + depth);
    const size_t w_bytes = (size_t)(depth * panels * PANEL);
    uint32_t state = 7;
    p->sums = (size_t)(rows * panels * PANEL);
    p->x = malloc(x_bytes);
    p->w = malloc(w_bytes);
    p->expected = malloc(p->sums * sizeof *p->expected);
    p->found = malloc(p->sums * sizeof *p->found);
    assert_true(p->x && p->w && p->expected && p->found);
    for (size_t i = 0; i < x_bytes; i++)
        p->x[i] = value_at(&state, level, 1);
    for (size_t i = 0; i < w_bytes; i++)
        p->w[i] = value_at(&state, level, 2);
    p->tile = (struct matmul_int8_tile){.x = p->x,
                                        .panel = p->w,
                                        .stride = depth + gap,
                                        .rows = rows,
                                        .depth = depth,
                                        .panels = panels};
}

static void check(const int32_t shape[3], int32_t gap, int level, matmul_int8_kernel *kernel)
{
    struct problem p;
    problem_init(&p, shape, gap, level);
    matmul_int8_scalar(&p.tile, p.expected);
    memset(p.found, 0x55, p.sums * sizeof *p.found);
    kernel(&p.tile, p.found);
    if (memcmp(p.found, p.expected, p.sums * sizeof *p.found) != 0)
        fail_msg("%d rows, depth %d, %d panels: sums differ", shape[0], shape[1], shape[2]);
    free(p.x);
    free(p.w);
    free(p.expected);
    free(p.found);
}

static void check_shapes(matmul_int8_kernel *kernel, void (*release)(void))
{
    const int32_t depths[] = {64, 192, 576, DEPTH_MAX};
    for (size_t d = 0; d < sizeof depths / sizeof depths[0]; d++) {
        for (int level = 0; level < 4; level++) {
            for (int32_t rows = 1; rows <= ROWS_MAX; rows += level == 0 ? 1 : 11) {
                const int32_t shape[3] = {rows, depths[d], rows % PANELS_MAX + 1};
                check(shape, rows % 3 * 64, level, kernel);
                if (rows % 4 == 0)
                    release();
            }
        }
    }
    release();
}

static void sums_on_the_model_equal_the_scalar_kernel(void **state)
{
    (void)state;
    check_shapes(model_kernel, model_release);
    assert_int_equal(amx_model.config.palette, 0);
}

/* The thread's configuration is loaded for the first tile, for one of other rows, and after a
 * release; not again for rows that it fits. */
static void a_configuration_is_loaded_when_the_rows_change(void **state)
{
    (void)state;
    const int32_t full[3] = {32, 64, 2}, two[3] = {64, 64, 3}, last[3] = {37, 64, 1};
    const uint32_t before = amx_model.loads;
    check(full, 0, 0, model_kernel);
    assert_int_equal(amx_model.loads, before + 1);
    check(full, 0, 0, model_kernel);
    check(two, 0, 0, model_kernel);
    assert_int_equal(amx_model.loads, before + 1);
    check(last, 0, 0, model_kernel);
    assert_int_equal(amx_model.loads, before + 2);
    model_release();
    check(last, 0, 0, model_kernel);
    assert_int_equal(amx_model.loads, before + 4);
    model_release();
}

/* Faults of the processor, each a configuration's or a tile's. */
enum fault {
    FAULT_NONE, /* what the others begin with must do well */
    FAULT_PALETTE,
    FAULT_RESERVED,
    FAULT_ROWS,
    FAULT_BYTES,
    FAULT_ROWS_ALONE,
    FAULT_BYTES_ALONE,
    FAULT_NINTH_TILE,
    FAULT_RELEASED,
    FAULT_UNSET_TILE,
    FAULT_SAME_TILE,
    FAULT_ROWS_UNLIKE,
    FAULT_DEPTH_UNLIKE,
    FAULT_COLUMNS_UNLIKE,
    FAULT_COLUMNS_CUT,
    FAULTS
};

/* Tile 0 sums, 1 rows, 2 weights: 3 rows, 4 columns, depth 8. */
static void config_break(struct amx_model_config *config, enum fault fault)
{
    *config =
        (struct amx_model_config){.palette = 1, .row_bytes = {16, 8, 16}, .rows = {3, 3, 2}};
    config->palette = fault == FAULT_PALETTE ? 2 : 1;
    config->reserved[5] = fault == FAULT_RESERVED;
    if (fault == FAULT_ROWS || fault == FAULT_ROWS_ALONE)
        config->rows[3] = fault == FAULT_ROWS ? 17 : 1;
    if (fault == FAULT_ROWS || fault == FAULT_BYTES_ALONE)
        config->row_bytes[3] = 4;
    if (fault == FAULT_BYTES) {
        config->rows[3] = 1;
        config->row_bytes[3] = 68;
    }
    if (fault == FAULT_NINTH_TILE) {
        config->rows[8] = 1;
        config->row_bytes[8] = 4;
    }
    if (fault == FAULT_ROWS_UNLIKE)
        config->rows[0] = 2;
    if (fault == FAULT_DEPTH_UNLIKE)
        config->row_bytes[1] = 12;
    if (fault == FAULT_COLUMNS_UNLIKE)
        config->row_bytes[0] = 12;
    if (fault == FAULT_SAME_TILE) /* shapes that fit */
        config->row_bytes[0] = config->row_bytes[2] = 8;
    if (fault == FAULT_COLUMNS_CUT)
        config->row_bytes[0] = config->row_bytes[2] = 14;
}

static void model_use(enum fault fault)
{
    struct amx_model_config config;
    config_break(&config, fault);
    amx_model_loadconfig(&config);
    if (fault == FAULT_RELEASED)
        amx_model_release();
    amx_model_zero(fault == FAULT_UNSET_TILE ? 5 : 0);
    amx_model_zero(1);
    amx_model_zero(2);
    amx_model_dpbssd(0, fault == FAULT_SAME_TILE ? 0 : 1, 2);
}

static void the_model_faults_where_the_processor_does(void **state)
{
    (void)state;
    for (int fault = FAULT_NONE; fault < FAULTS; fault++) {
        int status = 0;
        const pid_t child = fork();
        if (child == 0) {
            const int nowhere = open("/dev/null", O_WRONLY);
            (void)dup2(nowhere, STDERR_FILENO);
            model_use((enum fault)fault);
            _exit(0);
        }
        assert_true(child > 0 && waitpid(child, &status, 0) == child);
        const bool is_stopped = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
        const bool is_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (fault == FAULT_NONE ? !is_well : !is_stopped)
            fail_msg("fault %d: status %d", fault, status);
    }
}

static void sums_of_the_machine_equal_the_scalar_kernel(void **state)
{
    (void)state;
    if (device_simd_found(DEVICE_SIMD_WIDEST) != DEVICE_SIMD_AMX_INT8) {
        print_message("this machine has no AMX, or the system grants none\n");
        skip();
    }
#if defined(__x86_64__)
    check_shapes(matmul_int8_amx, matmul_int8_amx_release);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_on_the_model_equal_the_scalar_kernel),
        cmocka_unit_test(a_configuration_is_loaded_when_the_rows_change),
        cmocka_unit_test(the_model_faults_where_the_processor_does),
        cmocka_unit_test(sums_of_the_machine_equal_the_scalar_kernel)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
