/* emu_request_test - counters of known access patterns, and copies that land when they must. */
#include "tests/emu/emu_case.h"

enum { THREADS = 64 };

namespace
{

/* Lanes STRIDE words apart in shared memory, one block of two warps. */
template <int STRIDE> SIMT_KERNEL(64, 1) strided(const int32_t *from, int32_t *to)
{
    struct simt_shared shared = simt_shared_begin();
    int32_t *s = simt_shared_take<int32_t>(shared, THREADS * STRIDE);
    const int i = static_cast<int>(threadIdx.x);
    s[i * STRIDE] = from[i];
    simt_barrier();
    to[i] = s[i * STRIDE];
}

/* Rows of ROW_BYTES read by ldmatrix. */
template <int ROW_BYTES> SIMT_KERNEL(32, 1) rows(int32_t *to)
{
    struct simt_shared shared = simt_shared_begin();
    unsigned char *s = simt_shared_take<unsigned char>(shared, 32 * ROW_BYTES);
    for (int i = 0; i < 32 * ROW_BYTES / 512; i++)
        simt_store16(s + (i * 32 + simt_lane()) * 16, {{1, 2, 3, 4}});
    simt_warp_sync();
    uint32_t regs[4];
    simt_ldmatrix_x4(regs, s + simt_lane() * ROW_BYTES);
    to[simt_lane()] = static_cast<int32_t>(regs[0]);
}

/* Global memory: neighbours, 32 bytes apart, and all the same. */
template <int STRIDE> SIMT_KERNEL(64, 1) sectors(const int32_t *from, int32_t *to)
{
    const int i = static_cast<int>(threadIdx.x);
    to[i] = from[i * STRIDE];
}

/* Lanes that leave a loop early still share requests with the others. */
SIMT_KERNEL(32, 1) ragged(const int32_t *from, int32_t *to)
{
    int32_t sum = 0;
    for (int i = 0; i <= simt_lane() % 4; i++)
        sum += from[i * 32 + simt_lane()];
    to[simt_lane()] = sum;
}

/* More accesses between meetings than the emulator keeps. */
SIMT_KERNEL(32, 1) long_loop(const int32_t *from, int32_t *to)
{
    int32_t sum = 0;
    for (int i = 0; i < 1000; i++)
        sum += from[i % 32 * 32 + simt_lane()];
    to[simt_lane()] = sum;
}

/* What a copy wrote is there after its wait, and 0xff before; zeros beyond its bytes. */
SIMT_KERNEL(32, 1) landing(const int32_t *from, int32_t *to)
{
    struct simt_shared shared = simt_shared_begin();
    int32_t *s = simt_shared_take<int32_t>(shared, 3 * 32 * 4);
    const int i = 4 * simt_lane();
    simt_copy_async16(s + i, from + i);
    simt_copy_commit();
    simt_copy_async16(s + 128 + i, from + i, 8);
    simt_copy_commit();
    simt_copy_async16(s + 256 + i, from + i, 0);
    simt_copy_commit();
    simt_copy_wait<2>();
    to[simt_lane()] = s[i + 3];
    to[32 + simt_lane()] = s[128 + i]; /* under way: a finding where traced, 0xff.. always */
    simt_copy_wait<1>();
    to[64 + simt_lane()] = s[128 + i + 1];
    to[96 + simt_lane()] = s[128 + i + 2];
    to[128 + simt_lane()] = s[256 + i];
    simt_copy_wait<0>();
    to[160 + simt_lane()] = s[256 + i];
}

SIMT_KERNEL(64, 1) products(int32_t *to)
{
    int32_t c[4] = {};
    float f[4] = {};
    const uint32_t a[4] = {1, 2, 3, 4}, b[2] = {5, 6};
    simt_mma_s8(c, a, b);
    simt_mma_s8(c, a, b);
    simt_mma_f16(f, a, b);
    simt_barrier();
    to[threadIdx.x] = c[0] + static_cast<int32_t>(f[0]);
}

/* to[0] counts, what follows is who came when. */
SIMT_KERNEL(128, 1) turns(int32_t *to)
{
    const int who = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    to[1 + simt_atomic_add(to, 1)] = who;
    simt_warp_sync();
    to[1 + simt_atomic_add(to, 1)] = who;
}

} // namespace

static struct device_emu_counters count(const char *kernel)
{
    struct device_emu_counters counters;
    emu_case_expect_none();
    assert_true(device_emu_count(kernel, &counters));
    return counters;
}

static void skip_untraced(void)
{
    if (emu_case_is_traced)
        return;
    print_message("left out: this build does not count\n");
    skip();
}

static void conflicts_test(void **state)
{
    (void)state;
    skip_untraced();
    struct emu_case c = emu_case_open();
    for (int schedule = 0; schedule < DEVICE_EMU_SCHEDULES; schedule++) {
        emu_case_begin(schedule, 5, true);
        assert_int_equal(SIMT_LAUNCH(c.device, (strided<1>), 1, THREADS, 8192, c.a, c.b), OK);
        struct device_emu_counters got = count("strided<1>");
        assert_int_equal(got.shared_requests, 4); /* two warps write, two read */
        assert_int_equal(got.shared_wavefronts, 4);
        assert_int_equal(got.shared_conflicts, 0);
        assert_int_equal(got.barriers, 2);
        assert_int_equal(got.shared_bytes, 8192);
        assert_int_equal(SIMT_LAUNCH(c.device, (strided<2>), 1, THREADS, 8192, c.a, c.b), OK);
        assert_int_equal(count("strided<2>").shared_conflicts, 4);
        assert_int_equal(SIMT_LAUNCH(c.device, (strided<32>), 1, THREADS, 8192, c.a, c.b), OK);
        assert_int_equal(count("strided<32>").shared_conflicts, 4 * 31);
        assert_int_equal(count("strided").launches, 3);
    }
    emu_case_close(&c);
}

static void ldmatrix_test(void **state)
{
    (void)state;
    skip_untraced();
    struct emu_case c = emu_case_open();
    emu_case_begin(DEVICE_EMU_LOCKSTEP, 1, true);
    assert_int_equal(SIMT_LAUNCH(c.device, (rows<64>), 1, 32, 4096, c.a), OK);
    assert_int_equal(SIMT_LAUNCH(c.device, (rows<80>), 1, 32, 4096, c.a), OK);
    /* Rows of 64 bytes: eight begin at two places of the 128 that banks span. The stores are
     * without conflict: 4 of them, 4 wavefronts each. */
    assert_int_equal(count("rows<64>").shared_wavefronts, 4 * 4 + 4 * 4);
    assert_int_equal(count("rows<64>").shared_conflicts, 12);
    assert_int_equal(count("rows<80>").shared_wavefronts, 5 * 4 + 4);
    assert_int_equal(count("rows<80>").shared_conflicts, 0);
    char text[4096];
    assert_true(device_emu_lines("rows<64>", text, sizeof text) > 0);
    assert_int_equal(strncmp(text, "tests/emu/emu_request_test.cc:", 30), 0);
    assert_non_null(strstr(text, "1 requests, 512 bytes, 16 wavefronts, 12 conflicts\n"));
    assert_true(device_emu_lines("rows<64>", text, 20) < 20);
    emu_case_close(&c);
}

static void sectors_test(void **state)
{
    (void)state;
    skip_untraced();
    struct emu_case c = emu_case_open();
    emu_case_begin(DEVICE_EMU_REVERSE, 1, true);
    assert_int_equal(SIMT_LAUNCH(c.device, (sectors<1>), 1, THREADS, 0, c.a, c.b), OK);
    assert_int_equal(SIMT_LAUNCH(c.device, (sectors<8>), 1, THREADS, 0, c.a, c.b), OK);
    assert_int_equal(SIMT_LAUNCH(c.device, (sectors<0>), 1, THREADS, 0, c.a, c.b), OK);
    assert_int_equal(count("sectors<1>").global_requests, 4);
    assert_int_equal(count("sectors<1>").global_sectors, 2 * (4 + 4));
    assert_int_equal(count("sectors<1>").global_bytes, 2 * 2 * 128);
    assert_int_equal(count("sectors<8>").global_sectors, 2 * (32 + 4));
    assert_int_equal(count("sectors<0>").global_sectors, 2 * (1 + 4));
    assert_int_equal(SIMT_LAUNCH(c.device, (ragged), 1, 32, 0, c.a, c.b), OK);
    assert_int_equal(count("ragged").global_requests, 4 + 1);
    assert_int_equal(SIMT_LAUNCH(c.device, (long_loop), 1, 32, 0, c.a, c.b), OK);
    assert_int_equal(count("long_loop").global_requests, 1000 + 1);
    assert_int_equal(count("long_loop").global_sectors, 4 * 1001);
    emu_case_close(&c);
}

static void products_test(void **state)
{
    (void)state;
    skip_untraced();
    struct emu_case c = emu_case_open();
    struct device_emu_counters got;
    emu_case_begin(DEVICE_EMU_GREEDY, 1, true);
    assert_int_equal(SIMT_LAUNCH(c.device, (products), dim3(1, 2), 64, 0, c.a), OK);
    assert_true(device_emu_count("products", &got)); /* two blocks write the same: a finding */
    assert_int_equal(got.blocks, 2);
    assert_int_equal(got.mma_s8, 8);
    assert_int_equal(got.mma_f16, 4);
    assert_int_equal(got.barriers, 4);
    assert_true(device_emu_findings() > 0);
    emu_case_begin(DEVICE_EMU_GREEDY, 1, false);
    assert_int_equal(SIMT_LAUNCH(c.device, (products), 1, 64, 0, c.a), OK);
    assert_false(device_emu_count("products", &got));
    emu_case_close(&c);
}

/* The sums of a kernel of this name since the process began; no launches when there is none. */
static struct device_emu_counters total(const char *kernel)
{
    struct device_emu_counters counters;
    const char *name;
    for (int32_t i = 0; (name = device_emu_total(i, &counters)) != nullptr; i++)
        if (strstr(name, kernel))
            return counters;
    return {};
}

static void totals_test(void **state)
{
    (void)state;
    struct emu_case c = emu_case_open();
    struct device_emu_counters unused;
    const uint64_t traced = emu_case_is_traced;
    emu_case_begin(DEVICE_EMU_LOCKSTEP, 1, true);
    const struct device_emu_counters start = total("strided<4>");
    assert_int_equal(SIMT_LAUNCH(c.device, (strided<4>), 1, THREADS, 16384, c.a, c.b), OK);
    assert_int_equal(total("strided<4>").launches, start.launches + 1);
    emu_case_begin(DEVICE_EMU_LOCKSTEP, 1, true); /* clears */
    assert_int_equal(SIMT_LAUNCH(c.device, (strided<4>), 1, THREADS, 8192, c.a, c.b), OK);
    assert_int_equal(total("strided<4>").launches, start.launches + 2);
    assert_int_equal(total("strided<4>").shared_requests, start.shared_requests + 8 * traced);
    assert_int_equal(total("strided<4>").shared_bytes, 16384);
    emu_case_begin(DEVICE_EMU_LOCKSTEP, 1, false); /* asked for, though nobody watches */
    assert_int_equal(SIMT_LAUNCH(c.device, (strided<4>), 1, THREADS, 32768, c.a, c.b), OK);
    assert_int_equal(total("strided<4>").launches, start.launches + 3);
    assert_int_equal(total("strided<4>").shared_requests, start.shared_requests + 8 * traced);
    assert_int_equal(total("strided<4>").shared_bytes, 32768);
    assert_int_equal(SIMT_LAUNCH(c.device, (strided<4>), 1, THREADS, 200000, c.a, c.b),
                     ERR_LIMIT);
    assert_int_equal(total("strided<4>").launches, start.launches + 3);
    assert_int_equal(total("strided<4>").shared_bytes, 200000);
    assert_false(device_emu_count("strided<4>", &unused));
    assert_null(device_emu_total(-1, &unused));
    assert_null(device_emu_total(INT32_MAX, &unused));
    emu_case_close(&c);
}

static void landing_test(void **state)
{
    (void)state;
    struct emu_case c = emu_case_open();
    int32_t from[128], to[192];
    for (int i = 0; i < 128; i++)
        from[i] = i + 1;
    for (int schedule = 0; schedule < DEVICE_EMU_SCHEDULES; schedule++) {
        emu_case_begin(schedule, 3, false);
        assert_int_equal(device_upload(c.device, c.a, from, sizeof from), OK);
        assert_int_equal(SIMT_LAUNCH(c.device, (landing), 1, 32, 8192, c.a, c.b), OK);
        assert_int_equal(device_download(c.device, to, c.b, sizeof to), OK);
        emu_case_expect_none();
        for (int i = 0; i < 32; i++) {
            assert_int_equal(to[i], 4 * i + 4);
            assert_int_equal(to[32 + i], -1);
            assert_int_equal(to[64 + i], 4 * i + 2);
            assert_int_equal(to[96 + i], 0);
            assert_int_equal(to[128 + i], -1);
            assert_int_equal(to[160 + i], 0);
        }
    }
    emu_case_close(&c);
}

enum { TURNS = 1 + 2 * 2 * 128 };

static void turns_take(struct emu_case *c, int32_t *who, int schedule, uint64_t seed)
{
    memset(who, 0, TURNS * sizeof *who);
    emu_case_begin(schedule, seed, true);
    assert_int_equal(device_upload(c->device, c->a, who, TURNS * sizeof *who), OK);
    assert_int_equal(SIMT_LAUNCH(c->device, (turns), 2, 128, 0, c->a), OK);
    assert_int_equal(device_download(c->device, who, c->a, TURNS * sizeof *who), OK);
    emu_case_expect_none();
    assert_int_equal(who[0], TURNS - 1);
}

/* The same seed gives the same order of turns; each schedule has its own. */
static void schedules_test(void **state)
{
    (void)state;
    struct emu_case c = emu_case_open();
    int32_t who[DEVICE_EMU_SCHEDULES][TURNS], again[TURNS];
    for (int schedule = 0; schedule < DEVICE_EMU_SCHEDULES; schedule++) {
        turns_take(&c, who[schedule], schedule, 5);
        turns_take(&c, again, schedule, 5);
        assert_memory_equal(who[schedule], again, sizeof again);
        turns_take(&c, again, schedule, 6);
        const bool is_random =
            schedule == DEVICE_EMU_GREEDY || schedule == DEVICE_EMU_LANE_AHEAD;
        assert_int_equal(memcmp(who[schedule], again, sizeof again) != 0, is_random);
    }
    const int32_t *lockstep = who[DEVICE_EMU_LOCKSTEP] + 1;
    const int32_t *reverse = who[DEVICE_EMU_REVERSE] + 1;
    const int32_t *ahead = who[DEVICE_EMU_LANE_AHEAD] + 1;
    const int32_t *greedy = who[DEVICE_EMU_GREEDY] + 1;
    for (int i = 0; i < 256; i++) { /* a block: all warps to the sync, all to the end */
        assert_int_equal(lockstep[i], i % 128);
        assert_int_equal(reverse[i], 255 - i % 128);
    }
    for (int i = 0; i < 3; i++) /* one lane of each warp, then the rest */
        assert_int_not_equal(ahead[i] / 32, ahead[i + 1] / 32);
    for (int i = 0; i < 64; i++) /* a warp to its end */
        assert_int_equal(greedy[i] / 32, greedy[0] / 32);
    emu_case_close(&c);
}

static void limits_test(void **state)
{
    (void)state;
    struct emu_case c = emu_case_open();
    emu_case_begin(DEVICE_EMU_LOCKSTEP, 1, true);
    assert_int_equal(SIMT_LAUNCH(c.device, (products), 1, 1025, 0, c.a), ERR_LIMIT);
    assert_int_equal(SIMT_LAUNCH(c.device, (products), 0, 64, 0, c.a), ERR_LIMIT);
    assert_int_equal(SIMT_LAUNCH(c.device, (products), dim3(1, 65536), 64, 0, c.a), ERR_LIMIT);
    assert_int_equal(SIMT_LAUNCH(c.device, (products), 1, 64, SIMT_SHARED_MAX + 1, c.a),
                     ERR_LIMIT);
    static_assert(int{DEVICE_EMU_SHARED_MAX} == int{SIMT_SHARED_MAX}, "one limit");
    assert_null(device_alloc(c.device, size_t{1} << 62));
    const auto address = reinterpret_cast<uintptr_t>(c.a);
    assert_int_equal(address % 64, 0);
    emu_case_expect_none();
    emu_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conflicts_test), cmocka_unit_test(ldmatrix_test),
        cmocka_unit_test(sectors_test),   cmocka_unit_test(products_test),
        cmocka_unit_test(landing_test),   cmocka_unit_test(limits_test),
        cmocka_unit_test(totals_test),    cmocka_unit_test(schedules_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
