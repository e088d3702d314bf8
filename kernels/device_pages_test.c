/* device_pages_test - pieces of every kind are zeroed, aligned and apart, in any order of
 * allocating and freeing; and blocks go when they are empty. */
#include "kernels/device_pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { PIECES = 96, LARGE = DEVICE_PAGES_LARGE };

struct piece {
    uint8_t *memory;
    size_t bytes;
    uint8_t mark;
};

static const size_t sizes[] = {1,      64,        (1 << 16) - 1, 1 << 16,
                               330000, 884736,    LARGE - 1,     LARGE,
                               65537,  LARGE + 1, 3u * LARGE + 5};

static void piece_take(struct device_pages *pages, struct piece *piece, uint32_t number)
{
    piece->bytes = sizes[number % (sizeof sizes / sizeof sizes[0])];
    piece->memory = device_pages_alloc(pages, piece->bytes);
    piece->mark = (uint8_t)(number % 251 + 1);
    assert_non_null(piece->memory);
    assert_int_equal((uintptr_t)piece->memory % (piece->bytes < LARGE ? 64 : LARGE), 0);
    assert_int_equal(piece->memory[0], 0);
    assert_int_equal(memcmp(piece->memory, piece->memory + 1, piece->bytes - 1), 0);
    memset(piece->memory, piece->mark, piece->bytes);
}

static void piece_drop(struct device_pages *pages, struct piece *piece)
{
    assert_int_equal(piece->memory[0], piece->mark);
    assert_int_equal(memcmp(piece->memory, piece->memory + 1, piece->bytes - 1), 0);
    device_pages_free(pages, piece->memory, piece->bytes);
    *piece = (struct piece){0};
}

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    static struct piece pieces[PIECES];
    struct device_pages pages = {0};
    uint32_t random = 1;
    for (uint32_t turn = 0; turn < 6 * PIECES; turn++) {
        random = random * 1664525u + 1013904223u;
        struct piece *piece = &pieces[(random >> 8) % PIECES];
        if (piece->memory == NULL)
            piece_take(&pages, piece, turn);
        else
            piece_drop(&pages, piece);
    }
    for (int i = 0; i < PIECES; i++) {
        if (pieces[i].memory != NULL)
            piece_drop(&pages, &pieces[i]);
    }
    assert_null(pages.block);
}

static void what_cannot_be_had_is_null(void **state)
{
    (void)state;
    struct device_pages pages = {0};
    assert_null(device_pages_alloc(&pages, SIZE_MAX));
    assert_null(device_pages_alloc(&pages, SIZE_MAX - 4096));
    assert_null(device_pages_alloc(&pages, SIZE_MAX - LARGE));
    device_pages_free(&pages, NULL, 1 << 16);
    assert_null(pages.block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
                                       cmocka_unit_test(what_cannot_be_had_is_null)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
