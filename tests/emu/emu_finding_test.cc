/*
 * emu_finding_test - every kind of finding, provoked by a small kernel and caught under every
 * schedule and seed; its correct twin gives none.
 *
 * A kernel has one template parameter: whether it has the fault. `a` and `b` are buffers of
 * 1,024 elements in device memory, zero at the start.
 */
#include "tests/emu/emu_case.h"
#include "tests/emu/emu_report.h"

enum { THREADS = 128, SEEDS = 20, SHARED = 4096 };

namespace
{

struct buffers {
    int32_t *a, *b, *host, *null;
};

SIMT int32_t *piece_of(int count)
{
    struct simt_shared shared = simt_shared_begin();
    return simt_shared_take<int32_t>(shared, count);
}

SIMT int thread()
{
    return static_cast<int>(threadIdx.x);
}

/* ---- order ---- */

template <bool IS_BAD> SIMT_KERNEL(128, 1) no_barrier(const struct buffers p)
{
    int32_t *s = piece_of(THREADS);
    s[thread()] = thread();
    if (!IS_BAD)
        simt_barrier();
    p.a[thread()] = s[thread() ^ 32];
}

/* The second barrier of a loop: a read must end before the next write. */
template <bool IS_BAD> SIMT_KERNEL(128, 1) no_second_barrier(const struct buffers p)
{
    int32_t *s = piece_of(THREADS);
    int32_t sum = 0;
    for (int i = 0; i < 3; i++) {
        s[thread()] = thread() + i;
        simt_barrier();
        sum += s[(thread() + 37) % THREADS];
        if (!IS_BAD)
            simt_barrier();
    }
    p.a[thread()] = sum;
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) no_warp_sync(const struct buffers p)
{
    int32_t *s = piece_of(THREADS);
    s[thread()] = thread();
    if (!IS_BAD)
        simt_warp_sync();
    p.a[thread()] = s[thread() ^ 1];
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) shuffle_is_no_sync(const struct buffers p)
{
    int32_t *s = piece_of(THREADS);
    s[thread()] = thread();
    int32_t sum = simt_shuffle_xor(thread(), 1);
    if (!IS_BAD)
        simt_warp_sync();
    p.a[thread()] = s[thread() ^ 1] + sum;
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) lane_overwrites(const struct buffers p)
{
    int32_t *s = piece_of(4);
    if (simt_lane() == 0)
        s[simt_warp()] = simt_warp();
    simt_warp_sync();
    const int32_t got = s[simt_warp()];
    if (!IS_BAD)
        simt_warp_sync();
    if (simt_lane() == 31)
        s[simt_warp()] = 7;
    p.a[thread()] = got;
}

/* A barrier of two warps orders these and not the other two. */
template <bool IS_BAD> SIMT_KERNEL(128, 1) barrier_of_others(const struct buffers p)
{
    int32_t *s = piece_of(THREADS);
    const int half = simt_warp() / 2;
    s[thread()] = thread();
    simt_barrier_of(1 + half, 64);
    p.a[thread()] = s[IS_BAD ? (thread() + 64) % THREADS : thread() ^ 32];
}

/* Warp 0 hands to 1, 1 hands to 2: so 2 sees what 0 wrote, and 3 does not. */
template <bool IS_BAD> SIMT_KERNEL(128, 1) barrier_chain(const struct buffers p)
{
    int32_t *s = piece_of(32);
    const int w = simt_warp();
    if (w == 0)
        s[simt_lane()] = 5;
    if (w < 2)
        simt_barrier_of(1, 64);
    if (w == 1 || w == 2)
        simt_barrier_of(2, 64);
    if (w == (IS_BAD ? 3 : 2))
        p.a[thread()] = s[simt_lane()];
}

/* Bytes beside each other are no race; the same byte is. */
template <bool IS_BAD> SIMT_KERNEL(128, 1) bytes(const struct buffers p)
{
    struct simt_shared shared = simt_shared_begin();
    int8_t *s = simt_shared_take<int8_t>(shared, THREADS);
    int8_t *g = reinterpret_cast<int8_t *>(p.a);
    s[IS_BAD ? thread() & ~32 : thread()] = static_cast<int8_t>(thread());
    g[thread()] = static_cast<int8_t>(thread());
    simt_barrier();
    p.b[thread()] = s[IS_BAD ? 0 : thread()] + g[THREADS - 1 - thread()];
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) global_bytes(const struct buffers p)
{
    int8_t *g = reinterpret_cast<int8_t *>(p.a);
    const int i = static_cast<int>(blockIdx.x) * THREADS + thread();
    g[IS_BAD && i == THREADS + 2 ? 1 : i] = 1;
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) blocks_write(const struct buffers p)
{
    if (IS_BAD)
        p.a[thread()] = 1;
    else
        simt_atomic_add(&p.a[thread()], 1);
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) block_reads_another(const struct buffers p)
{
    const int block = static_cast<int>(blockIdx.x);
    const int32_t got = p.a[(IS_BAD ? 1 - block : block) * THREADS + thread()];
    p.a[block * THREADS + thread()] = got + 1;
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) global_no_barrier(const struct buffers p)
{
    int32_t *mine = p.a + static_cast<int>(blockIdx.x) * THREADS;
    mine[thread()] = thread();
    if (!IS_BAD)
        simt_barrier();
    p.b[static_cast<int>(blockIdx.x) * THREADS + thread()] = mine[thread() ^ 64];
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) atomic_and_plain(const struct buffers p)
{
    if (thread() != 77 || !IS_BAD)
        simt_atomic_add(&p.a[0], 1);
    else
        p.b[0] = p.a[0];
}

/* ---- places ---- */

template <bool IS_BAD> SIMT_KERNEL(128, 1) unwritten(const struct buffers p)
{
    struct simt_shared shared = simt_shared_begin();
    int16_t *s = simt_shared_take<int16_t>(shared, 2 * THREADS);
    s[2 * thread()] = 1;
    if (!IS_BAD)
        s[2 * thread() + 1] = 2;
    p.a[thread()] = *reinterpret_cast<int32_t *>(s + 2 * thread());
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) beyond_piece(const struct buffers p)
{
    struct simt_shared shared = simt_shared_begin();
    int32_t *s = simt_shared_take<int32_t>(shared, THREADS - 1);
    int32_t *next = simt_shared_take<int32_t>(shared, THREADS);
    next[thread()] = 1;
    if (IS_BAD || thread() < THREADS - 1)
        s[thread()] = next[thread()];
    p.a[thread()] = next[thread()];
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) before_piece(const struct buffers p)
{
    struct simt_shared shared = simt_shared_begin();
    int32_t *first = simt_shared_take<int32_t>(shared, THREADS);
    int32_t *s = simt_shared_take<int32_t>(shared, THREADS);
    first[thread()] = 1;
    s[thread()] = 2;
    p.a[thread()] = s[thread() - (IS_BAD && thread() == 0)];
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) beyond_buffer_read(const struct buffers p)
{
    p.b[thread()] = p.a[EMU_CASE_COUNT - THREADS + thread() + IS_BAD];
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) beyond_buffer_write(const struct buffers p)
{
    const int last = EMU_CASE_COUNT - 1;
    p.a[thread() == 0 && IS_BAD ? last + 1 : last - thread()] = 3;
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) before_buffer(const struct buffers p)
{
    p.b[thread()] = p.a[thread() - IS_BAD];
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) host_memory(const struct buffers p)
{
    (IS_BAD ? p.host : p.a)[thread()] = 1;
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) null_pointer(const struct buffers p)
{
    const int32_t *from = IS_BAD ? p.null : p.a;
    p.b[thread()] = from[thread()];
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) misaligned(const struct buffers p)
{
    const auto from = reinterpret_cast<const unsigned char *>(p.a) + (IS_BAD ? 8 : 16);
    const struct simt_16 got = simt_load16(from);
    p.b[thread()] = static_cast<int32_t>(got.word[0]);
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) misaligned_plain(const struct buffers p)
{
    auto from = reinterpret_cast<unsigned char *>(p.a) + (IS_BAD ? 2 : 0);
    p.b[thread()] = *reinterpret_cast<int32_t *>(from);
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) pieces_too_large(const struct buffers p)
{
    int32_t *s = piece_of(SHARED / 4 + IS_BAD);
    s[thread()] = thread();
    p.a[thread()] = s[thread()];
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) pieces_differ(const struct buffers p)
{
    int32_t *s = piece_of(IS_BAD && thread() == 64 ? THREADS / 2 : THREADS);
    s[thread()] = thread();
    p.a[thread()] = s[thread()];
}

/* ---- copies ---- */

/* FAULT 1: read before the wait. 2: read by others before a barrier. 3: one group too few. */
template <int FAULT> SIMT_KERNEL(128, 1) copies(const struct buffers p)
{
    int32_t *s = piece_of(2 * 4 * THREADS);
    simt_copy_async16(s + 4 * thread(), p.a + 4 * thread());
    simt_copy_commit();
    simt_copy_async16(s + 4 * (THREADS + thread()), p.a + 4 * thread(), 4);
    simt_copy_commit();
    if (FAULT == 1)
        p.b[THREADS + thread()] = s[4 * thread()];
    if (FAULT == 3)
        simt_copy_wait<2>();
    else
        simt_copy_wait<1>();
    if (FAULT != 2)
        simt_barrier();
    int32_t sum = s[4 * (FAULT == 2 ? thread() ^ 1 : THREADS - 1 - thread())];
    simt_copy_wait<0>();
    simt_barrier();
    sum += s[4 * (THREADS + (thread() ^ 64)) + 3];
    p.b[thread()] = sum;
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) copy_before_wait(const struct buffers p)
{
    copies<IS_BAD ? 1 : 0>(p);
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) copy_no_barrier(const struct buffers p)
{
    copies<IS_BAD ? 2 : 0>(p);
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) copy_wait_too_early(const struct buffers p)
{
    copies<IS_BAD ? 3 : 0>(p);
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) copies_collide(const struct buffers p)
{
    int32_t *s = piece_of(4 * THREADS);
    simt_copy_async16(s + 4 * thread(), p.a + 4 * thread());
    simt_copy_commit();
    if (!IS_BAD)
        simt_copy_wait<0>();
    simt_copy_async16(s + 4 * thread(), p.a);
    simt_copy_commit();
    simt_copy_wait<0>();
    p.b[thread()] = s[4 * thread()];
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) copy_over_reader(const struct buffers p)
{
    int32_t *s = piece_of(4 * THREADS);
    for (int i = 0; i < 4; i++)
        s[4 * thread() + i] = i;
    simt_barrier();
    p.b[thread()] = s[4 * (thread() ^ 33)];
    if (!IS_BAD)
        simt_barrier();
    simt_copy_async16(s + 4 * thread(), p.a);
    simt_copy_commit();
    simt_copy_wait<0>();
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) copy_never_awaited(const struct buffers p)
{
    int32_t *s = piece_of(4 * THREADS);
    simt_copy_async16(s + 4 * thread(), p.a);
    simt_copy_commit();
    if (!IS_BAD)
        simt_copy_wait<0>();
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) copy_uncommitted(const struct buffers p)
{
    int32_t *s = piece_of(4 * THREADS);
    simt_copy_async16(s + 4 * thread(), p.a);
    if (!IS_BAD)
        simt_copy_commit();
    simt_copy_wait<0>();
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) copy_misaligned(const struct buffers p)
{
    int32_t *s = piece_of(4 * THREADS);
    simt_copy_async16(s + 4 * thread(), p.a + (IS_BAD ? 1 : 4));
    simt_copy_commit();
    simt_copy_wait<0>();
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) copy_beyond(const struct buffers p)
{
    int32_t *s = piece_of(4 * THREADS);
    const int from = EMU_CASE_COUNT - 4 * THREADS + 4 * thread() + (IS_BAD ? 4 : 0);
    simt_copy_async16(s + 4 * thread(), p.a + from);
    simt_copy_commit();
    simt_copy_wait<0>();
}

/* ---- meetings ---- */

template <bool IS_BAD> SIMT_KERNEL(128, 1) diverges(const struct buffers p)
{
    int32_t value = thread();
    if (IS_BAD && simt_lane() == 13)
        value = static_cast<int32_t>(simt_ballot(true));
    else if (!IS_BAD || simt_lane() != 13)
        value = simt_shuffle_xor(value, 1);
    p.a[thread()] = value;
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) diverges_by_line(const struct buffers p)
{
    int32_t value = thread();
    if (IS_BAD && simt_lane() < 16)
        value = simt_shuffle_xor(value, 1);
    else
        value = simt_shuffle_xor(value, 2);
    p.a[thread()] = value;
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) barrier_in_branch(const struct buffers p)
{
    if (!IS_BAD || simt_lane() < 16)
        simt_barrier();
    p.a[thread()] = simt_shuffle_xor(thread(), 1);
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) lane_exits(const struct buffers p)
{
    if (IS_BAD && thread() == 40)
        return;
    p.a[thread()] = simt_warp_sum(thread());
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) warp_exits(const struct buffers p)
{
    if (IS_BAD && simt_warp() == 2)
        return;
    simt_barrier();
    p.a[thread()] = 1;
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) barrier_alone(const struct buffers p)
{
    if (!IS_BAD || simt_warp() != 3)
        simt_barrier_of(3, THREADS);
    p.a[thread()] = 1;
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) barriers_crossed(const struct buffers p)
{
    const int first = IS_BAD && simt_warp() % 2 ? 2 : 1;
    simt_barrier_of(first, THREADS);
    simt_barrier_of(3 - first, THREADS);
    p.a[thread()] = 1;
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) barrier_of_some(const struct buffers p)
{
    simt_barrier_of(1, IS_BAD ? THREADS - 16 : THREADS);
    p.a[thread()] = 1;
}

template <bool IS_BAD> SIMT_KERNEL(128, 1) barrier_counts_differ(const struct buffers p)
{
    simt_barrier_of(1, IS_BAD && simt_warp() == 1 ? THREADS / 2 : THREADS);
    p.a[thread()] = 1;
}

} // namespace

enum { ANYWHERE = 1 }; /* found without tracing too, and under AddressSanitizer */

struct planted {
    const char *name;
    enum emu_kind kind;
    int flags;
    void (*bad)(struct buffers), (*good)(struct buffers);
};

#define PLANTED(kernel, kind, flags)                                                           \
    {                                                                                          \
        #kernel, kind, flags, kernel < true>, kernel < false>                                  \
    }

static const struct planted all[] = {
    PLANTED(no_barrier, EMU_RACE, 0),
    PLANTED(no_second_barrier, EMU_RACE, 0),
    PLANTED(no_warp_sync, EMU_RACE, 0),
    PLANTED(shuffle_is_no_sync, EMU_RACE, 0),
    PLANTED(lane_overwrites, EMU_RACE, 0),
    PLANTED(barrier_of_others, EMU_RACE, 0),
    PLANTED(barrier_chain, EMU_RACE, 0),
    PLANTED(bytes, EMU_RACE, 0),
    PLANTED(global_bytes, EMU_RACE, 0),
    PLANTED(blocks_write, EMU_RACE, 0),
    PLANTED(block_reads_another, EMU_RACE, 0),
    PLANTED(global_no_barrier, EMU_RACE, 0),
    PLANTED(atomic_and_plain, EMU_RACE, 0),
    PLANTED(unwritten, EMU_UNWRITTEN, 0),
    PLANTED(beyond_piece, EMU_OVERRUN, 0),
    PLANTED(before_piece, EMU_OVERRUN, 0),
    PLANTED(beyond_buffer_read, EMU_OVERRUN, 0),
    PLANTED(beyond_buffer_write, EMU_OVERRUN, 0),
    PLANTED(before_buffer, EMU_OVERRUN, 0),
    PLANTED(host_memory, EMU_HOST, 0),
    PLANTED(null_pointer, EMU_HOST, 0),
    PLANTED(misaligned, EMU_MISALIGNED, 0),
    PLANTED(misaligned_plain, EMU_MISALIGNED, 0),
    PLANTED(pieces_too_large, EMU_PIECES, ANYWHERE),
    PLANTED(pieces_differ, EMU_PIECES, ANYWHERE),
    PLANTED(copy_before_wait, EMU_FLIGHT, 0),
    PLANTED(copy_no_barrier, EMU_RACE, 0),
    PLANTED(copy_wait_too_early, EMU_FLIGHT, 0),
    PLANTED(copies_collide, EMU_FLIGHT, 0),
    PLANTED(copy_over_reader, EMU_RACE, 0),
    PLANTED(copy_never_awaited, EMU_COPY, ANYWHERE),
    PLANTED(copy_uncommitted, EMU_COPY, ANYWHERE),
    PLANTED(copy_misaligned, EMU_COPY, ANYWHERE),
    PLANTED(copy_beyond, EMU_OVERRUN, ANYWHERE),
    PLANTED(diverges, EMU_DIVERGENT, ANYWHERE),
    PLANTED(diverges_by_line, EMU_DIVERGENT, ANYWHERE),
    PLANTED(barrier_in_branch, EMU_DIVERGENT, ANYWHERE),
    PLANTED(lane_exits, EMU_EXITED, ANYWHERE),
    PLANTED(warp_exits, EMU_EXITED, ANYWHERE),
    PLANTED(barrier_alone, EMU_DEADLOCK, ANYWHERE),
    PLANTED(barriers_crossed, EMU_DEADLOCK, ANYWHERE),
    PLANTED(barrier_of_some, EMU_BADBARRIER, ANYWHERE),
    PLANTED(barrier_counts_differ, EMU_BADBARRIER, ANYWHERE),
};

static enum status launch(struct emu_case *c, void (*kernel)(struct buffers), int32_t *host)
{
    const struct buffers p = {c->a, c->b, host, nullptr};
    return SIMT_LAUNCH(c->device, (kernel), 2, THREADS, SHARED, p);
}

/* Two blocks that only write the same would race: kernels that write p.a[thread()] do so. */
static enum status launch_one(struct emu_case *c, void (*kernel)(struct buffers), int32_t *host)
{
    const struct buffers p = {c->a, c->b, host, nullptr};
    return SIMT_LAUNCH(c->device, (kernel), 1, THREADS, SHARED, p);
}

static bool wants_two_blocks(const struct planted *planted)
{
    return strcmp(planted->name, "blocks_write") == 0 ||
           strcmp(planted->name, "block_reads_another") == 0 ||
           strcmp(planted->name, "global_no_barrier") == 0 ||
           strcmp(planted->name, "global_bytes") == 0;
}

static void planted_run(struct emu_case *c, const struct planted *planted, int schedule,
                        uint64_t seed)
{
    static int32_t host[EMU_CASE_COUNT];
    auto run = wants_two_blocks(planted) ? launch : launch_one;
    int32_t *heap = static_cast<int32_t *>(malloc(sizeof host));
    emu_case_begin(schedule, seed, true);
    (void)!run(c, planted->bad, heap);
    free(heap);
    if (emu_report_count_of(planted->kind) == 0)
        fail_msg("%s, schedule %d, seed %d: want kind %d, got \"%s\"", planted->name, schedule,
                 static_cast<int>(seed), static_cast<int>(planted->kind), device_emu_report());
    emu_case_begin(schedule, seed, true);
    assert_int_equal(device_upload(c->device, c->a, host, sizeof host), OK);
    assert_int_equal(run(c, planted->good, nullptr), OK);
    assert_int_equal(device_wait(c->device, nullptr), OK);
    if (device_emu_findings())
        fail_msg("%s without its fault, schedule %d, seed %d: %s", planted->name, schedule,
                 static_cast<int>(seed), device_emu_report());
}

static void planted_test(void **state)
{
    (void)state;
    struct emu_case c = emu_case_open();
    int left_out = 0;
    for (const struct planted &planted : all) {
        if (!emu_case_is_traced && !(planted.flags & ANYWHERE)) {
            left_out++;
            continue;
        }
        for (int schedule = 0; schedule < DEVICE_EMU_SCHEDULES; schedule++)
            for (uint64_t seed = 1; seed <= SEEDS; seed++)
                planted_run(&c, &planted, schedule, seed);
    }
    if (left_out)
        print_message("%d faults are left out: this build does not trace\n", left_out);
    emu_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(planted_test)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
