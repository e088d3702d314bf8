/* documents_test - reading, refusing, and naming places. */
#include "protocol/minions/documents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/cohort-documents-XXXXXX";

static const char *write_file(const char *name, const char *bytes, size_t size)
{
    static char path[4][128];
    static int next;
    char *at = path[next++ % 4];
    snprintf(at, sizeof(path[0]), "%s/%s", folder, name);
    FILE *file = fopen(at, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    return at;
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"a.txt",   "b.md",      "bad.txt",
                                        "nul.txt", "empty.txt", "blank.txt"};
    char path[128];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static void reads_and_places(void **state)
{
    (void)state;
    static const char plain[] = "one\ntwo\nthree words here\n";
    static const char marked[] = "# Top\n\nx\n```\n# not a heading\n```\n## Install it\nrun\n";
    const char *paths[] = {write_file("a.txt", plain, sizeof(plain) - 1),
                           write_file("b.md", marked, sizeof(marked) - 1),
                           write_file("empty.txt", "", 0)};
    struct documents documents;
    struct error err = {0};
    assert_int_equal(documents_open(&documents, paths, 3, &err), OK);
    assert_int_equal(documents.count, 3);
    assert_int_equal(documents.bytes, sizeof(plain) + sizeof(marked) - 2);
    assert_true(text_equal(documents.names[0], TEXT("a.txt")));
    assert_true(text_equal(documents.paths[1], text_of(paths[1])));
    char place[DOCUMENTS_PLACE_MAX];
    documents_place(&documents, 0, 8, place);
    assert_string_equal(place, "a.txt line 3");
    documents_place(&documents, 1, strlen(marked) - 2, place);
    assert_string_equal(place, "b.md line 8 (\"Install it\")");
    documents_place(&documents, 1, 20, place);
    assert_string_equal(place, "b.md line 5 (\"Top\")");
    uint32_t index;
    size_t offset, size;
    assert_true(documents_find(&documents, TEXT("two three"), &index, &offset, &size));
    assert_int_equal(index, 0);
    assert_int_equal(offset, 4);
    assert_int_equal(size, 9);
    assert_false(documents_find(&documents, TEXT("four"), &index, &offset, &size));
    documents_close(&documents);
}

static void refuses_what_is_not_text(void **state)
{
    (void)state;
    struct documents documents;
    struct error err = {0};
    const char *bad = write_file("bad.txt",
                                 "ab\xff"
                                 "c",
                                 4);
    assert_int_equal(documents_open(&documents, &bad, 1, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "byte 2 is not UTF-8"));
    const char *nul = write_file("nul.txt", "a\0b", 3);
    assert_int_equal(documents_open(&documents, &nul, 1, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "1 of 3 bytes are NUL"));
    char page[200];
    memset(page, 'x', sizeof(page));
    page[7] = '\0'; /* one in 200 is let through, as it is */
    nul = write_file("nul.txt", page, sizeof(page));
    assert_int_equal(documents_open(&documents, &nul, 1, &err), OK);
    assert_int_equal(documents.texts[0].data[7], '\0');
    documents_close(&documents);
    const char *blank = write_file("blank.txt", " \n\n", 3);
    assert_int_equal(documents_open(&documents, &blank, 1, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "3 bytes and no text"));
    const char *missing = "/nonexistent/file";
    assert_int_equal(documents_open(&documents, &missing, 1, &err), ERR_IO);
    assert_int_equal(documents_open(&documents, &missing, 0, &err), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_places),
        cmocka_unit_test(refuses_what_is_not_text),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
