/*
 * emu_warp_test - what warps compute together: collectives, ldmatrix, mma.
 *
 * Operands of the matrix tests are placed by the formulas of the PTX ISA written out here, a
 * lane and register for each element, and judged by plain integer products.
 */
#include "tests/emu/emu_case.h"

enum { ROWS = 16, COLUMNS = 8, DEPTH_F16 = 16, DEPTH_S8 = 32, SEEDS = 5 };

namespace
{

SIMT_KERNEL(32, 1) collectives(int32_t *out)
{
    const int lane = simt_lane();
    out[lane] = simt_shuffle_xor(100 + lane, 5);
    out[32 + lane] = simt_shuffle(100 + lane, (lane * 7 + 3) % 32);
    out[64 + lane] = simt_shuffle_up(100 + lane, 4);
    out[96 + lane] = static_cast<int32_t>(simt_ballot(lane % 3 == 0));
    out[128 + lane] =
        static_cast<int32_t>(simt_warp_max(static_cast<uint32_t>(lane * 37 % 32)));
    out[160 + lane] = simt_warp_sum(lane - 20);
    out[192 + lane] =
        static_cast<int32_t>(simt_shuffle_xor(static_cast<float>(lane) + 0.5f, 16) * 2.0f);
    const uint64_t wide = simt_shuffle(uint64_t{1} << 40 | static_cast<unsigned>(lane), 9);
    out[224 + lane] = static_cast<int32_t>(wide >> 32) + static_cast<int32_t>(wide);
    out[256 + lane] =
        static_cast<int32_t>(simt_warp_max(uint64_t{static_cast<unsigned>(lane)} << 40) >> 32);
    out[288 + lane] =
        static_cast<int32_t>(simt_warp_sum(uint64_t{static_cast<unsigned>(lane)} << 32) >> 32);
}

/* Five numbers: four at a meeting and one more. Twice: what is given may not be overwritten. */
SIMT_KERNEL(32, 1) many_shuffles(int32_t *out)
{
    float v[5], other[5];
    for (int i = 0; i < 5; i++)
        v[i] = static_cast<float>(100 * i + simt_lane());
    simt_shuffle_xor(v, 3, other);
    for (int i = 0; i < 5; i++)
        v[i] += 1000.0f * other[i];
    simt_shuffle_xor(v, 16, other);
    for (int i = 0; i < 5; i++)
        out[32 * i + simt_lane()] = static_cast<int32_t>(other[i]);
}

/* c += a b with a [16][depth], b [depth][8], c [16][8] in device memory, element by element. */
SIMT_KERNEL(32, 1) mma_s8(const int8_t *a, const int8_t *b, int32_t *c)
{
    const int g = simt_lane() / 4, t = simt_lane() % 4;
    uint32_t ra[4] = {}, rb[2] = {};
    int32_t rc[4];
    for (int i = 0; i < 16; i++) { /* "row = groupID for i < 4 or 8 <= i < 12, else + 8" */
        const int row = i % 8 < 4 ? g : g + 8;
        const int k = t * 4 + i % 4 + (i < 8 ? 0 : 16);
        ra[i / 4] |= uint32_t{static_cast<uint8_t>(a[row * DEPTH_S8 + k])} << 8 * (i % 4);
    }
    for (int i = 0; i < 8; i++) {
        const int k = t * 4 + i % 4 + (i < 4 ? 0 : 16);
        rb[i / 4] |= uint32_t{static_cast<uint8_t>(b[k * COLUMNS + g])} << 8 * (i % 4);
    }
    for (int i = 0; i < 4; i++)
        rc[i] = c[(i < 2 ? g : g + 8) * COLUMNS + t * 2 + i % 2];
    simt_mma_s8(rc, ra, rb);
    for (int i = 0; i < 4; i++)
        c[(i < 2 ? g : g + 8) * COLUMNS + t * 2 + i % 2] = rc[i];
}

SIMT_KERNEL(32, 1) mma_f16(const int8_t *a, const int8_t *b, int32_t *c)
{
    const int g = simt_lane() / 4, t = simt_lane() % 4;
    uint32_t ra[4] = {}, rb[2] = {};
    float rc[4];
    for (int i = 0; i < 8; i++) { /* "row = groupID for i % 4 < 2, else + 8" */
        const int row = i % 4 < 2 ? g : g + 8;
        const int k = t * 2 + i % 2 + (i < 4 ? 0 : 8);
        ra[i / 2] |= uint32_t{simt_half_from_float(a[row * DEPTH_F16 + k])} << 16 * (i % 2);
    }
    for (int i = 0; i < 4; i++) {
        const int k = t * 2 + i % 2 + (i < 2 ? 0 : 8);
        rb[i / 2] |= uint32_t{simt_half_from_float(b[k * COLUMNS + g])} << 16 * (i % 2);
    }
    for (int i = 0; i < 4; i++)
        rc[i] = static_cast<float>(c[(i < 2 ? g : g + 8) * COLUMNS + t * 2 + i % 2]);
    simt_mma_f16(rc, ra, rb);
    for (int i = 0; i < 4; i++)
        c[(i < 2 ? g : g + 8) * COLUMNS + t * 2 + i % 2] = static_cast<int32_t>(rc[i]);
}

/* The same product the way kernels do it: tiles in shared memory, fragments by ldmatrix. b is
 * kept as [depth][8] and so loaded transposed. */
SIMT_KERNEL(32, 1) mma_ldmatrix(const int8_t *a, const int8_t *b, int32_t *c)
{
    struct simt_shared shared = simt_shared_begin();
    uint16_t *sa = simt_shared_take<uint16_t>(shared, ROWS * DEPTH_F16);
    uint16_t *sb = simt_shared_take<uint16_t>(shared, 2 * DEPTH_F16 * COLUMNS);
    const int lane = simt_lane(), g = lane / 4, t = lane % 4;
    for (int i = lane; i < ROWS * DEPTH_F16; i += 32)
        sa[i] = simt_half_from_float(a[i]);
    for (int i = lane; i < 2 * DEPTH_F16 * COLUMNS; i += 32)
        sb[i] = i < DEPTH_F16 * COLUMNS ? simt_half_from_float(b[i]) : uint16_t{0};
    simt_warp_sync();
    uint32_t ra[4], rb[4];
    float rc[4] = {};
    simt_ldmatrix_x4(ra, sa + lane % 16 * DEPTH_F16 + lane / 16 * 8);
    simt_ldmatrix_x4_transposed(rb, sb + lane * COLUMNS);
    simt_mma_f16(rc, ra, rb);
    for (int i = 0; i < 4; i++)
        c[(i < 2 ? g : g + 8) * COLUMNS + t * 2 + i % 2] += static_cast<int32_t>(rc[i]);
}

/* Each element of four tiles to the place where the ISA says that a lane finds it. */
SIMT_KERNEL(32, 1) ldmatrix_places(int32_t *plain, int32_t *transposed)
{
    struct simt_shared shared = simt_shared_begin();
    uint16_t *tiles = simt_shared_take<uint16_t>(shared, 4 * 8 * 8);
    const int lane = simt_lane();
    for (int i = lane; i < 4 * 8 * 8; i += 32)
        tiles[i] = static_cast<uint16_t>(i);
    simt_warp_sync();
    uint32_t regs[4];
    simt_ldmatrix_x4(regs, tiles + lane * 8);
    for (int q = 0; q < 4; q++)
        plain[lane * 4 + q] = static_cast<int32_t>(regs[q]);
    simt_ldmatrix_x4_transposed(regs, tiles + lane * 8);
    for (int q = 0; q < 4; q++)
        transposed[lane * 4 + q] = static_cast<int32_t>(regs[q]);
}

SIMT_KERNEL(32, 1) numbers(int32_t *out)
{
    if (simt_lane() > 0)
        return;
    out[0] = simt_dot4(0x7f80ff01u, 0x7f800180u, 1000); /* 127*127 + -128*-128 - 1 - 128 */
    out[1] = static_cast<int32_t>(simt_permute(0x33221100u, 0x77665544u, 0x7240u));
    out[2] = static_cast<int32_t>(simt_mul_high(0xffffffffu, 0x80000001u));
    out[3] = static_cast<int32_t>(simt_halves(1.0f, -2.0f));
    out[4] = static_cast<int32_t>(simt_halves_sub(0x64056403u, 0x64006400u)); /* 1029 - 1024 */
    out[5] = static_cast<int32_t>(simt_float_bits(simt_half_to_float(0x3555)));
    out[6] = simt_fma(1.0f + 0x1p-12f, 1.0f - 0x1p-12f, -1.0f) == -0x1p-24f;
    out[7] = static_cast<int32_t>(simt_bits_float(0x40490fdbu) * 1000.0f);
    out[8] = simt_half_from_float(2049.0f); /* to even: 2048 */
}

} // namespace

static void collectives_test(void **state)
{
    (void)state;
    struct emu_case c = emu_case_open();
    for (int i = 0; i < DEVICE_EMU_SCHEDULES * SEEDS; i++) {
        int32_t out[320];
        emu_case_begin(i % DEVICE_EMU_SCHEDULES, static_cast<uint64_t>(i), true);
        assert_int_equal(SIMT_LAUNCH(c.device, (collectives), 1, 32, 0, c.a), OK);
        assert_int_equal(device_download(c.device, out, c.a, sizeof out), OK);
        emu_case_expect_none();
        for (int lane = 0; lane < 32; lane++) {
            assert_int_equal(out[lane], 100 + (lane ^ 5));
            assert_int_equal(out[32 + lane], 100 + (lane * 7 + 3) % 32);
            assert_int_equal(out[64 + lane], 100 + (lane < 4 ? lane : lane - 4));
            assert_int_equal(out[96 + lane], 0x49249249);
            assert_int_equal(out[128 + lane], 31);
            assert_int_equal(out[160 + lane], 31 * 32 / 2 - 20 * 32);
            assert_int_equal(out[192 + lane], 2 * (lane ^ 16) + 1);
            assert_int_equal(out[224 + lane], 256 + 9);
            assert_int_equal(out[256 + lane], 31 << 8);
            assert_int_equal(out[288 + lane], 31 * 32 / 2);
        }
    }
    emu_case_close(&c);
}

typedef void mma_kernel(const int8_t *a, const int8_t *b, int32_t *c);

/* Random bytes within +-limit: sums of halves stay exact in F32. */
static void mma_judge(mma_kernel *kernel, int depth, int limit)
{
    struct emu_case c = emu_case_open();
    int8_t a[ROWS * DEPTH_S8], b[DEPTH_S8 * COLUMNS];
    int32_t out[ROWS * COLUMNS];
    srand(7);
    for (int8_t &value : a)
        value = static_cast<int8_t>(rand() % (2 * limit + 1) - limit);
    for (int8_t &value : b)
        value = static_cast<int8_t>(rand() % (2 * limit + 1) - limit);
    for (int i = 0; i < ROWS * COLUMNS; i++)
        out[i] = i * 3 - 100;
    auto device_a = static_cast<int8_t *>(device_alloc(c.device, sizeof a));
    auto device_b = static_cast<int8_t *>(device_alloc(c.device, sizeof b));
    emu_case_begin(DEVICE_EMU_GREEDY, 1, true);
    assert_int_equal(device_upload(c.device, device_a, a, sizeof a), OK);
    assert_int_equal(device_upload(c.device, device_b, b, sizeof b), OK);
    assert_int_equal(device_upload(c.device, c.a, out, sizeof out), OK);
    assert_int_equal(SIMT_LAUNCH(c.device, (kernel), 1, 32, 4096, device_a, device_b, c.a), OK);
    assert_int_equal(device_download(c.device, out, c.a, sizeof out), OK);
    emu_case_expect_none();
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++) {
            int32_t sum = (i * COLUMNS + j) * 3 - 100;
            for (int k = 0; k < depth; k++)
                sum += a[i * depth + k] * b[k * COLUMNS + j];
            assert_int_equal(out[i * COLUMNS + j], sum);
        }
    device_free(c.device, device_a, sizeof a);
    device_free(c.device, device_b, sizeof b);
    emu_case_close(&c);
}

static void many_shuffles_test(void **state)
{
    (void)state;
    struct emu_case c = emu_case_open();
    for (int i = 0; i < DEVICE_EMU_SCHEDULES * SEEDS; i++) {
        int32_t out[160];
        emu_case_begin(i % DEVICE_EMU_SCHEDULES, static_cast<uint64_t>(i), true);
        assert_int_equal(SIMT_LAUNCH(c.device, (many_shuffles), 1, 32, 0, c.a), OK);
        assert_int_equal(device_download(c.device, out, c.a, sizeof out), OK);
        emu_case_expect_none();
        for (int k = 0; k < 160; k++) {
            const int base = k / 32 * 100, lane = k % 32 ^ 16;
            assert_int_equal(out[k], 1000 * (base + (lane ^ 3)) + base + lane);
        }
    }
    emu_case_close(&c);
}

static void mma_s8_test(void **state)
{
    (void)state;
    mma_judge(mma_s8, DEPTH_S8, 127);
}

static void mma_f16_test(void **state)
{
    (void)state;
    mma_judge(mma_f16, DEPTH_F16, 127);
    mma_judge(mma_ldmatrix, DEPTH_F16, 127);
}

static void ldmatrix_test(void **state)
{
    (void)state;
    struct emu_case c = emu_case_open();
    int32_t plain[128], transposed[128];
    emu_case_begin(DEVICE_EMU_LOCKSTEP, 1, true);
    assert_int_equal(SIMT_LAUNCH(c.device, (ldmatrix_places), 1, 32, 512, c.a, c.b), OK);
    assert_int_equal(device_download(c.device, plain, c.a, sizeof plain), OK);
    assert_int_equal(device_download(c.device, transposed, c.b, sizeof transposed), OK);
    emu_case_expect_none();
    for (int lane = 0; lane < 32; lane++)
        for (int q = 0; q < 4; q++) {
            const int g = lane / 4, t = lane % 4, tile = q * 64;
            const int first = tile + g * 8 + 2 * t, down = tile + 2 * t * 8 + g;
            assert_int_equal(plain[lane * 4 + q], first | (first + 1) << 16);
            assert_int_equal(transposed[lane * 4 + q], down | (down + 8) << 16);
        }
    emu_case_close(&c);
}

static void numbers_test(void **state)
{
    (void)state;
    struct emu_case c = emu_case_open();
    int32_t out[9];
    emu_case_begin(DEVICE_EMU_LOCKSTEP, 1, true);
    assert_int_equal(SIMT_LAUNCH(c.device, (numbers), 1, 32, 0, c.a), OK);
    assert_int_equal(device_download(c.device, out, c.a, sizeof out), OK);
    assert_int_equal(out[0], 1000 + 127 * 127 + 128 * 128 - 1 - 128);
    assert_int_equal(out[1], 0x77224400);
    assert_int_equal(out[2], static_cast<int32_t>(0x80000000u));
    assert_int_equal(out[3], static_cast<int32_t>(0xc0003c00u));
    assert_int_equal(out[4], 0x45004200);
    assert_int_equal(out[5], 0x3eaaa000);
    assert_int_equal(out[6], 1);
    assert_int_equal(out[7], 3141);
    assert_int_equal(out[8], 0x6800);
    emu_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collectives_test), cmocka_unit_test(many_shuffles_test),
        cmocka_unit_test(mma_s8_test),      cmocka_unit_test(mma_f16_test),
        cmocka_unit_test(ldmatrix_test),    cmocka_unit_test(numbers_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
