/* documents_test - reading, refusing, and naming places. */
#include "protocol/minions/documents.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/cohort-documents-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[4][128];
    static int next;
    char *at = path[next++ % 4];
    snprintf(at, sizeof(path[0]), "%s/%s", folder, name);
    return at;
}

static const char *write_file(const char *name, const char *bytes, size_t size)
{
    const char *path = path_of(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    return path;
}

static const char *write_text(const char *name, const char *text)
{
    return write_file(name, text, strlen(text));
}

static void make(const char *name)
{
    assert_int_equal(mkdir(path_of(name), 0700), 0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
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

static void lines_of_some_files_are_records(void **state)
{
    static const struct {
        const char *name;
        bool has_records;
    } cases[] = {{"a.csv", true},   {"a.TSV", true}, {"a.jsonl", true},   {"a.ndjson", true},
                 {"a.json", false}, {"csv", false},  {"a.csv.txt", false}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *path = write_text(cases[i].name, "{\"a\": 1}\n");
        struct documents documents;
        assert_int_equal(documents_open(&documents, &path, 1, NULL), OK);
        if (documents.layouts[0].has_records != cases[i].has_records)
            fail_msg("%s", cases[i].name);
        documents_close(&documents);
    }
}

static void check_refused(const char *path, enum status wanted, const char *why)
{
    struct documents documents;
    struct error err = {0};
    assert_int_equal(documents_open(&documents, &path, 1, &err), wanted);
    assert_int_equal(documents.count, 0);
    if (!strstr(err.text, why))
        fail_msg("%s", err.text);
}

static void refuses_what_is_not_text(void **state)
{
    (void)state;
    struct documents documents;
    struct error err = {0};
    check_refused(write_file("nul.txt", "a\0b", 3), ERR_FORMAT, "1 of 3 bytes are NUL");
    check_refused(write_text("blank.txt", " \n\n"), ERR_FORMAT, "3 bytes and no text");
    check_refused("/nonexistent/file", ERR_IO, "/nonexistent/file: No such file");
    check_refused(write_file("x.png", "\x89PNG\r\n\x1a\n....", 12), ERR_FORMAT,
                  "x.png: it is a PNG image");
    check_refused(write_file("old.doc", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..", 10), ERR_FORMAT,
                  "old.doc: it is an old Word");
    check_refused(write_file("run",
                             "\x7f"
                             "ELF....",
                             8),
                  ERR_FORMAT, "run: it is an executable");
    check_refused(write_text("all.zip", "PK\3\4...."), ERR_FORMAT, "it is a zip archive");
    check_refused(write_text("book.xlsx", "PK\3\4...."), ERR_FORMAT, "an Excel workbook");
    check_refused(write_text("bad.docx", "PK\3\4...."), ERR_FORMAT,
                  "bad.docx: it is a damaged zip archive");
    check_refused("/dev/null", ERR_FORMAT, "it is a device");
    assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
    check_refused(path_of("pipe"), ERR_FORMAT, "it is a named pipe");
    const char *missing = "/nonexistent/file";
    assert_int_equal(documents_open(&documents, &missing, 0, &err), ERR_LIMIT);
}

static void guesses_encodings(void **state)
{
    (void)state;
    const char *paths[] = {write_text("latin.txt", "caf\xe9\r\nbar\r\n"),
                           write_file("wide.txt", "\xff\xfeh\0i\0", 6)};
    struct documents documents;
    assert_int_equal(documents_open(&documents, paths, 2, NULL), OK);
    assert_true(text_equal(documents.texts[0], TEXT("caf\xc3\xa9\nbar\n")));
    assert_true(text_equal(documents.texts[1], TEXT("hi")));
    text_buf_byte(&documents.notes, '\0');
    assert_string_equal(documents.notes.data,
                        "latin.txt: byte 3 is not UTF-8; read as Windows-1252\n");
    documents_close(&documents);
}

static void names_pages_and_lines(void **state)
{
    (void)state;
    const char *paths[] = {write_text("fed.txt", "one\ntwo\fthree\nfour"),
                           write_text("page.html", "<h1>Top</h1>\n\n<p>here"),
                           path_of("fed.txt")};
    struct documents documents;
    char place[DOCUMENTS_PLACE_MAX];
    assert_int_equal(documents_open(&documents, paths, 3, NULL), OK);
    documents_place(&documents, 1, documents.texts[1].size - 1, place);
    assert_string_equal(place, "page.html line 3 (\"Top\")");
    assert_true(text_equal(documents.names[0], documents.paths[0])); /* it was given twice */
    documents.names[0] = TEXT("-");
    documents_place(&documents, 0, documents.texts[0].size - 1, place);
    assert_string_equal(place, "standard input p. 2 line 3");
    documents.names[0] = TEXT("fed.txt");
    documents_place(&documents, 0, documents.texts[0].size - 1, place);
    assert_string_equal(place, "fed.txt p. 2 line 3");
    documents.layouts[0].is_paged = true;
    documents_place(&documents, 0, 8, place);
    assert_string_equal(place, "fed.txt p. 2");
    documents_place(&documents, 0, 7, place);
    assert_string_equal(place, "fed.txt p. 1");
    documents_close(&documents);
}

static void walks_folders(void **state)
{
    (void)state;
    make("top");
    make("top/sub");
    make("top/sub/deep");
    make("top/build");
    make("top/.git");
    (void)write_text("top/.gitignore", "build/\n*.log\n");
    (void)write_text("top/b.txt", "b");
    (void)write_text("top/a.log", "ignored");
    (void)write_text("top/.hidden", "hidden");
    (void)write_text("top/build/x.txt", "ignored");
    (void)write_text("top/sub/a.txt", "a");
    (void)write_text("top/sub/.gitignore", "!keep.log\n");
    (void)write_text("top/sub/keep.log", "kept");
    (void)write_text("top/sub/deep/b.txt", "deep b");
    (void)write_text("top/sub/deep/bad.docx", "PK\3\4");
    (void)write_file("top/sub/image", "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(symlink("..", path_of("top/sub/loop")), 0);
    assert_int_equal(symlink("/etc/passwd", path_of("top/sub/out")), 0);
    assert_int_equal(mkfifo(path_of("top/sub/pipe"), 0600), 0);
    const char *path = path_of("top");
    struct documents documents;
    assert_int_equal(documents_open(&documents, &path, 1, NULL), OK);
    static const char *const wanted[] = {"b.txt", "sub/a.txt", "sub/deep/b.txt",
                                         "sub/keep.log"};
    assert_int_equal(documents.count, 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(text_equal(documents.names[i], text_of(wanted[i])));
    assert_true(text_equal(documents.paths[1], text_of(path_of("top/sub/a.txt"))));
    text_buf_byte(&documents.notes, '\0');
    assert_non_null(strstr(documents.notes.data, "bad.docx: it is a damaged zip archive\n"));
    assert_non_null(strstr(documents.notes.data,
                           "4 files read; passed over: 2 hidden, 2 named in .gitignore, 1 of a "
                           "kind that is not read, 1 that could not be read, 2 symbolic links, "
                           "1 pipe, socket or device\n"));
    documents_close(&documents);
    /* From within, the rules above hold as well. */
    path = path_of("top/sub");
    (void)write_text("top/sub/x.log", "ignored");
    assert_int_equal(documents_open(&documents, &path, 1, NULL), OK);
    assert_int_equal(documents.count, 3);
    assert_true(text_equal(documents.names[2], TEXT("keep.log")));
    documents_close(&documents);
    check_refused(path_of("top/build/../.git"), ERR_FORMAT, "no file in it can be read");
}

static void bounds_folders(void **state)
{
    (void)state;
    char path[1024];
    int size = snprintf(path, sizeof(path), "%s/deep", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    for (int i = 0; i < 70; i++) {
        size += snprintf(path + size, sizeof(path) - (size_t)size, "/d");
        assert_int_equal(mkdir(path, 0700), 0);
    }
    check_refused(path_of("deep"), ERR_LIMIT, "at most 64 deep");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_places),
        cmocka_unit_test(refuses_what_is_not_text),
        cmocka_unit_test(lines_of_some_files_are_records),
        cmocka_unit_test(guesses_encodings),
        cmocka_unit_test(names_pages_and_lines),
        cmocka_unit_test(walks_folders),
        cmocka_unit_test(bounds_folders),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
