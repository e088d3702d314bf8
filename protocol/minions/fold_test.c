/* fold_test - folding, and finding a quotation whose line breaks differ. */
#include "protocol/minions/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void folds_runs_and_ends(void **state)
{
    (void)state;
    struct text_buf buf = {0};
    fold_add(&buf, TEXT("  a\n\t b  c \r\n"));
    assert_true(text_equal(text_buf_text(&buf), TEXT("a b c")));
    text_buf_clear(&buf);
    fold_add(&buf, TEXT(" \n "));
    assert_int_equal(buf.size, 0);
    text_buf_deinit(&buf);
}

static void finds_across_line_breaks(void **state)
{
    (void)state;
    const struct text hay = TEXT("if you cure\n    the violation. You may\nnot convey");
    size_t offset, size;
    assert_true(fold_find(hay, TEXT(" cure the  violation."), &offset, &size));
    assert_int_equal(offset, 7);
    assert_true(
        text_equal(text_slice(hay, offset, offset + size), TEXT("cure\n    the violation.")));
    assert_true(fold_find(hay, TEXT("not\nconvey"), &offset, &size));
    assert_int_equal(offset + size, hay.size);
}

static void says_no(void **state)
{
    (void)state;
    size_t offset, size;
    assert_false(fold_find(TEXT("thevoid"), TEXT("the void"), &offset, &size));
    assert_false(fold_find(TEXT("the void"), TEXT("thevoid"), &offset, &size));
    assert_false(fold_find(TEXT("the void"), TEXT("the void."), &offset, &size));
    assert_false(fold_find(TEXT("the void"), TEXT(" \n"), &offset, &size));
    assert_false(fold_find(TEXT(""), TEXT("a"), &offset, &size));
}

static void hash_and_equality_agree(void **state)
{
    (void)state;
    const struct text a = TEXT("one two\n three"), b = TEXT(" one  two three ");
    assert_true(fold_equal(a, b));
    assert_true(fold_hash(a) == fold_hash(b));
    assert_false(fold_equal(a, TEXT("one twothree")));
    assert_false(fold_hash(a) == fold_hash(TEXT("one twothree")));
    assert_true(fold_equal(TEXT(""), TEXT(" ")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_runs_and_ends),
        cmocka_unit_test(finds_across_line_breaks),
        cmocka_unit_test(says_no),
        cmocka_unit_test(hash_and_equality_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
