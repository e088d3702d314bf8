/* arena_test - pieces, alignment, rewinding, and the arena failing at every push. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { PUSHES = 9 };

/* The n-th piece of a fixed row of odd sizes and alignments. */
static uint8_t *push_nth(struct arena *arena, size_t n)
{
    return arena_push(arena, n * 7 + 1, n % 3 + 1, (size_t)1 << n % 7);
}

static void test_pieces(void **state)
{
    uint8_t buffer[1024];
    struct arena arena = {.base = buffer, .size = sizeof buffer};
    uint8_t *end_before = buffer;
    (void)state;
    memset(buffer, 0xaa, sizeof buffer);
    for (size_t n = 0; n < PUSHES; n++) {
        const size_t bytes = (n * 7 + 1) * (n % 3 + 1);
        uint8_t *piece = push_nth(&arena, n);
        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % ((size_t)1 << n % 7), 0);
        assert_true(piece >= end_before);
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(piece[i], 0);
        memset(piece, 0xbb, bytes);
        end_before = piece + bytes;
    }
    assert_int_equal(end_before - buffer, arena.used);
    arena_rewind(&arena, 0);
    assert_ptr_equal(push_nth(&arena, 0), buffer);
    assert_int_equal(buffer[0], 0);
}

/* Whatever the size of the arena, pushes succeed up to one and leave the arena as it was from
 * there on, and no byte past the end is touched. */
static void test_fails_at_every_push(void **state)
{
    uint8_t buffer[1024 + 1];
    bool was_full = false;
    (void)state;
    for (size_t size = 0; size < 1024; size++) {
        struct arena arena = {.base = buffer, .size = size};
        memset(buffer, 0xaa, sizeof buffer);
        for (size_t n = 0; n < PUSHES; n++) {
            const size_t used = arena.used;
            if (push_nth(&arena, n))
                continue;
            was_full = true;
            assert_int_equal(arena.used, used);
            assert_true(used + (n * 7 + 1) * (n % 3 + 1) + 63 > size);
        }
        assert_true(arena.used <= size);
        assert_int_equal(buffer[size], 0xaa);
    }
    assert_true(was_full);
}

static void test_hostile_counts(void **state)
{
    uint8_t buffer[64];
    struct arena arena = {.base = buffer, .size = sizeof buffer};
    (void)state;
    assert_null(arena_push(&arena, SIZE_MAX, 1, 1));
    assert_null(arena_push(&arena, SIZE_MAX / 2 + 2, 2, 1));
    assert_null(arena_push(&arena, 2, SIZE_MAX / 2 + 2, 8));
    assert_int_equal(arena.used, 0);
    assert_non_null(arena_push(&arena, 0, 8, 8));
    assert_non_null(arena_push(&arena, 64, 1, 1));
    assert_null(arena_push(&arena, 1, 1, 1));
}

static void test_mapping(void **state)
{
    struct arena arena;
    struct error err;
    (void)state;
    assert_int_equal(arena_init(&arena, 1, &err), OK);
    assert_true(arena.size >= 4096);
    assert_non_null(ARENA_NEW(&arena, double, arena.size / sizeof(double)));
    assert_null(ARENA_NEW(&arena, char, 1));
    arena_deinit(&arena);
    arena_deinit(&arena);
    assert_int_equal(arena_init(&arena, 0, &err), ERR_LIMIT);
    assert_int_equal(arena_init(&arena, SIZE_MAX, &err), ERR_LIMIT);
    assert_int_equal(arena_init(&arena, SIZE_MAX / 2, &err), ERR_MEMORY);
    assert_non_null(strstr(err.text, "no room for"));
}

/* What is used stays; what is beyond is not there any more, and pushes end before it. */
static void test_trim(void **state)
{
    struct arena arena = {0};
    (void)state;
    assert_int_equal(arena_init(&arena, (size_t)1 << 24, NULL), OK);
    uint8_t *piece = ARENA_NEW(&arena, uint8_t, 5000);
    memset(piece, 7, 5000);
    const size_t mark = arena.used;
    assert_non_null(ARENA_NEW(&arena, uint8_t, 1 << 20));
    arena_rewind(&arena, mark);
    arena_trim(&arena);
    assert_true(arena.size >= 5000 && arena.size < 5000 + 65536);
    assert_int_equal(piece[4999], 7);
    assert_null(ARENA_NEW(&arena, uint8_t, 1 << 17));
    arena_trim(&arena);
    arena_deinit(&arena);
}

static size_t resident_pages(const struct arena *arena)
{
    unsigned char flags[64];
    size_t count = 0;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    assert_true(arena->size <= sizeof flags * page);
    assert_int_equal(mincore(arena->base, arena->size, flags), 0);
    for (size_t i = 0; i < arena->size / page; i++)
        count += flags[i] & 1;
    return count;
}

/* Its room is all there again; of its memory what is to be kept. */
static void test_empty(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct arena arena = {0};
    (void)state;
    assert_int_equal(arena_init(&arena, 64 * page, NULL), OK);
    for (int turn = 0; turn < 3; turn++) {
        uint8_t *piece = ARENA_NEW(&arena, uint8_t, 60 * page);
        assert_non_null(piece);
        for (size_t i = 0; i < 60 * page; i += page)
            assert_int_equal(piece[i], 0);
        memset(piece, 7, 60 * page);
        assert_int_equal(resident_pages(&arena), 60);
        arena_rewind(&arena, page / 2);
        arena_empty(&arena, 3 * page - 1);
        assert_int_equal(arena.used, 0);
        assert_int_equal(resident_pages(&arena), 3);
    }
    arena_deinit(&arena);
}

/* What is pushed where nobody wrote comes as the kernel gives it; all else is zeroed. */
static void test_untouched(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct arena arena = {0};
    (void)state;
    assert_int_equal(arena_init(&arena, 64 * page, NULL), OK);
    assert_non_null(ARENA_NEW(&arena, uint8_t, 50 * page));
    assert_int_equal(resident_pages(&arena), 0);
    arena_rewind(&arena, page);
    uint8_t *piece = ARENA_NEW(&arena, uint8_t, 30 * page);
    memset(piece, 7, 30 * page);
    arena_rewind(&arena, 0);
    piece = ARENA_NEW(&arena, uint8_t, 64 * page);
    for (size_t i = 0; i < 64 * page; i++)
        assert_int_equal(piece[i], 0);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),         cmocka_unit_test(test_fails_at_every_push),
        cmocka_unit_test(test_hostile_counts), cmocka_unit_test(test_mapping),
        cmocka_unit_test(test_trim),           cmocka_unit_test(test_empty),
        cmocka_unit_test(test_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
