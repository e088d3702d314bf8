/*
 * copied_test - small random chunks beside an oracle that knows every piece from a word's
 * beginning to a word's end; hostile chunks within their bounds.
 */
#include "engine/copied.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CHUNKS = 4000, PIECES_MAX = 40, BYTES_MAX = 160, LEAST_MAX = 3, MOST_MAX = 6 };

static struct arena arena;
static uint64_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(seed >> 33) % below;
}

/* What was read so far, and where in the text it may have ended. */
struct walk {
    const struct copied *copied;
    uint32_t places[BYTES_MAX * 2];
    uint32_t count;
    uint32_t state;
};

/* How far the nearest end is from a place, with least or more characters between. */
static uint32_t end_after(const struct copied_text *text, uint32_t place, uint32_t least,
                          bool in_characters)
{
    uint32_t characters = 0;
    uint32_t bytes = 0;
    for (uint32_t at = place; text->bytes[at]; at++) {
        characters += (text->marks[at] & COPIED_TEXT_WHOLE) != 0;
        bytes++;
        if (text->marks[at] & COPIED_TEXT_ENDS && characters >= least)
            return in_characters ? characters : bytes;
    }
    return UINT32_MAX;
}

/* The same over all places, an end at the place itself counted when something was read. */
static uint32_t nearest(const struct walk *walk, uint32_t least, bool in_characters)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < walk->count; i++) {
        const uint32_t place = walk->places[i];
        const bool here = walk->state != COPIED_START && least == 0 &&
                          walk->copied->text.marks[place - 1] & COPIED_TEXT_ENDS;
        const uint32_t to =
            here ? 0 : end_after(&walk->copied->text, place, least, in_characters);
        best = to < best ? to : best;
    }
    return best;
}

static void walk_further(const struct walk *walk, uint8_t byte, struct walk *next)
{
    next->copied = walk->copied;
    next->state = copied_step(walk->copied, walk->state, byte);
    next->count = 0;
    for (uint32_t i = 0; i < walk->count && byte != 0; i++)
        if (walk->copied->text.bytes[walk->places[i]] == byte)
            next->places[next->count++] = walk->places[i] + 1;
}

/* Bounds on the length hold what they promise, and can be kept to by one byte or another. */
static void check_reaches(const struct walk *walk)
{
    for (uint32_t least = 0; least <= LEAST_MAX; least++)
        for (uint32_t most = least; most <= MOST_MAX; most++) {
            const uint32_t bound = most == MOST_MAX ? COPIED_NO_MAX : most;
            const uint32_t truth = nearest(walk, least, true);
            const bool said = copied_reaches(walk->copied, walk->state, least, bound);
            if (least == 0 || bound == COPIED_NO_MAX)
                assert_int_equal(said, truth != UINT32_MAX && truth <= bound);
            else if (said)
                assert_true(truth <= bound);
            bool found = !said || (least == 0 && copied_can_end(walk->copied, walk->state));
            for (uint32_t byte = 1; byte < 256 && !found; byte++) {
                const uint32_t to = copied_step(walk->copied, walk->state, (uint8_t)byte);
                const uint32_t one = to && copied_is_whole(walk->copied, to);
                found = to && bound >= one &&
                        copied_reaches(walk->copied, to, least - (least > 0 && one),
                                       bound == COPIED_NO_MAX ? bound : bound - one);
            }
            assert_true(found);
        }
}

/* Every text that the chunk has, and one byte past each. */
static void check_walk(const struct walk *walk)
{
    const uint32_t distance = nearest(walk, 0, false);
    assert_int_equal(copied_distance(walk->copied, walk->state),
                     distance == UINT32_MAX ? COPIED_NEVER : distance);
    check_reaches(walk);
    struct walk next;
    for (uint32_t byte = 0; byte < 256; byte++) {
        walk_further(walk, (uint8_t)byte, &next);
        const bool goes_on = next.count > 0 && nearest(&next, 0, false) != UINT32_MAX;
        if (goes_on != (next.state != COPIED_DEAD))
            fail_msg("%s, byte %u: %s", (const char *)walk->copied->text.bytes, byte,
                     goes_on ? "is refused" : "is taken");
        if (goes_on)
            check_walk(&next);
    }
}

static void check_chunk(struct text chunk)
{
    static struct walk walk;
    struct copied copied;
    arena_rewind(&arena, 0);
    assert_int_equal(copied_make(&copied, chunk, &arena, NULL), OK);
    assert_true(copied.text.size <= sizeof walk.places / sizeof *walk.places);
    walk = (struct walk){.copied = &copied, .state = COPIED_START};
    for (uint32_t at = 0; at < copied.text.size; at++)
        if (copied.text.marks[at] & COPIED_TEXT_BEGINS)
            walk.places[walk.count++] = at;
    if (walk.count > 0)
        check_walk(&walk);
    else
        assert_int_equal(copied_distance(&copied, COPIED_START), COPIED_NEVER);
    for (uint32_t byte = 0; byte < 256; byte++)
        assert_int_equal(copied_step(&copied, COPIED_DEAD, (uint8_t)byte), COPIED_DEAD);
}

static void random_chunks_are_as_the_oracle_says(void **state)
{
    /* Among them characters of several kinds that begin with the same byte. */
    static const struct text pieces[] = {{"a", 1},
                                         {"b", 1},
                                         {" ", 1},
                                         {"a", 1},
                                         {" \n\t", 3},
                                         {"1", 1},
                                         {".", 1},
                                         {",", 1},
                                         {"'", 1},
                                         {"\"", 1},
                                         {"\\", 1},
                                         {"\x01", 1},
                                         {"\xc3\xa9", 2},
                                         {"\xcd\x80", 2},
                                         {"\xff", 1},
                                         {"\xc3\x97", 2},
                                         {"\xc2\xa0", 2},
                                         {"\xe4\xb8\xad", 3},
                                         {"-", 1},
                                         {"\xc3", 1},
                                         {"ab ab ab ", 9},
                                         {"a a ", 4},
                                         {"\xe4\xb7\x80", 3},
                                         {"\0", 1},
                                         {"\x02", 1},
                                         {"\xcd\xb0", 2},
                                         {"\xc2\xb7", 2},
                                         {"\xc2\xaa", 2},
                                         {"\xc3\xa8", 2}};
    (void)state;
    for (int i = 0; i < CHUNKS; i++) {
        char chunk[BYTES_MAX];
        size_t size = 0;
        /* Few kinds of pieces, and much is repeated; or any. */
        const uint32_t first = draw(sizeof pieces / sizeof *pieces);
        const uint32_t kinds = 1 + draw(i % 2 ? 4 : sizeof pieces / sizeof *pieces);
        const uint32_t count = draw(i % 50 ? 12 : PIECES_MAX);
        for (uint32_t n = 0; n < count && size + 9 < sizeof chunk; n++) {
            const uint32_t which = first + draw(kinds) * 7; /* coprime to their number */
            const struct text piece = pieces[which % (sizeof pieces / sizeof *pieces)];
            memcpy(chunk + size, piece.data, piece.size);
            size += piece.size;
        }
        check_chunk((struct text){chunk, size});
    }
}

static void chunks_without_a_word_and_with_one(void **state)
{
    (void)state;
    check_chunk(TEXT(""));
    check_chunk(TEXT(" \n"));
    check_chunk(TEXT("\xff\xfe"));
    check_chunk(TEXT("\xc2\xa0"));
    check_chunk(TEXT("word"));
    check_chunk(TEXT("."));
}

static bool takes(const struct copied *copied, const char *copy)
{
    uint32_t state = COPIED_START;
    for (; *copy && state; copy++)
        state = copied_step(copied, state, (uint8_t)*copy);
    return state && copied_can_end(copied, state);
}

static void a_citation_is_taken_and_another_is_not(void **state)
{
    static const char *const yes[] = {"The offer", "offer, valid for 3.5 years",
                                      "valid",     "\\\"Program\\\" means",
                                      "years.",    "3.5 years. A"};
    static const char *const no[] = {"The  offer", "the offer", "he offer",   "The off", "3",
                                     "5 years",    "Program\"", "A \\\"Prog", "offer "};
    struct copied copied;
    (void)state;
    arena_rewind(&arena, 0);
    assert_int_equal(copied_make(&copied,
                                 TEXT("The\n  offer, valid\tfor 3.5 years. A \"Program\" "
                                      "means any.\n"),
                                 &arena, NULL),
                     OK);
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!takes(&copied, yes[i]))
            fail_msg("refuses %s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (takes(&copied, no[i]))
            fail_msg("takes %s", no[i]);
}

/* A chunk of size bytes, one piece after another from what draws below kinds. */
static void fill_chunk(char *chunk, size_t size, uint32_t kinds)
{
    for (size_t i = 0; i < size; i++) {
        const uint32_t n = draw(kinds + 1);
        chunk[i] = (char)(n == kinds ? ' ' : 'a' + n);
    }
}

/* Follows pieces of the text itself. */
static void follow_pieces(const struct copied *copied)
{
    for (int i = 0; i < 1000; i++) {
        uint32_t at = draw(copied->text.size);
        while (at + 1 < copied->text.size && !(copied->text.marks[at] & COPIED_TEXT_BEGINS))
            at++;
        uint32_t state = COPIED_START;
        const uint32_t end = at + 200;
        for (; at < end && copied->text.bytes[at]; at++) {
            state = copied_step(copied, state, copied->text.bytes[at]);
            assert_int_not_equal(state, COPIED_DEAD);
            if (copied->text.marks[at] & COPIED_TEXT_ENDS)
                assert_true(copied_can_end(copied, state));
        }
    }
}

static void a_large_chunk_keeps_to_its_bounds(void **state)
{
    enum { LARGE = 1 << 18 };
    char *chunk = malloc(LARGE);
    (void)state;
    assert_non_null(chunk);
    for (uint32_t kind = 0; kind < 6; kind++) {
        struct copied copied;
        arena_rewind(&arena, 0);
        fill_chunk(chunk, LARGE, kind == 5 ? 200 : kind);
        if (kind == 4) /* twice the same */
            memcpy(chunk + LARGE / 2, chunk, LARGE / 2);
        assert_int_equal(copied_make(&copied, (struct text){chunk, LARGE}, &arena, NULL), OK);
        assert_true(copied.state_count <= 2 * copied.text.size + 2);
        assert_true(copied.way_count <= 2 * copied.text.size + 2 + 256);
        if (copied.text.size > 1)
            follow_pieces(&copied);
    }
    free(chunk);
}

static void a_small_arena_is_a_refusal(void **state)
{
    const struct text chunk = TEXT("to be or not to be");
    struct copied copied;
    struct error err = {0};
    (void)state;
    arena_rewind(&arena, 0);
    assert_int_equal(copied_make(&copied, chunk, &arena, NULL), OK);
    const size_t kept = arena.used;
    for (size_t size = 0; size < kept; size++) {
        uint8_t *room = malloc(size + 1);
        struct arena small = {.base = room, .size = size};
        assert_non_null(room);
        assert_int_equal(copied_make(&copied, chunk, &small, &err), ERR_MEMORY);
        free(room);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_chunks_are_as_the_oracle_says),
        cmocka_unit_test(chunks_without_a_word_and_with_one),
        cmocka_unit_test(a_citation_is_taken_and_another_is_not),
        cmocka_unit_test(a_large_chunk_keeps_to_its_bounds),
        cmocka_unit_test(a_small_arena_is_a_refusal),
    };
    if (arena_init(&arena, (size_t)64 << 20, NULL) != OK)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&arena);
    return failed;
}
