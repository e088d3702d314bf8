/* document_pdf_test - PDFs made here, through pdftotext where there is one. */
#include "protocol/minions/document_pdf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A PDF of two pages; those texts, or nothing where NULL. trailer: more of its entries. */
static struct text_buf make_pdf(const char *first, const char *second, const char *trailer)
{
    struct text_buf pdf = {0};
    size_t offsets[8], count = 1;
    const char *const texts[] = {first, second};
    text_buf_format(&pdf, "%%PDF-1.4\n");
    offsets[count++] = pdf.size;
    text_buf_format(&pdf, "1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n");
    offsets[count++] = pdf.size;
    text_buf_format(&pdf, "2 0 obj\n<</Type/Pages/Count 2/Kids[4 0 R 6 0 R]>>\nendobj\n");
    offsets[count++] = pdf.size;
    text_buf_format(&pdf, "3 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>\nendobj\n");
    for (size_t i = 0; i < 2; i++) {
        char show[100] = "";
        if (texts[i])
            snprintf(show, sizeof(show), "BT /F1 12 Tf 50 100 Td (%s) Tj ET", texts[i]);
        offsets[count] = pdf.size;
        text_buf_format(&pdf,
                        "%zu 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents "
                        "%zu 0 R/Resources<</Font<</F1 3 0 R>>>>>>\nendobj\n",
                        count, count + 1);
        count++;
        offsets[count] = pdf.size;
        text_buf_format(&pdf, "%zu 0 obj\n<</Length %zu>>\nstream\n%s\nendstream\nendobj\n",
                        count, strlen(show), show);
        count++;
    }
    const size_t table = pdf.size;
    text_buf_format(&pdf, "xref\n0 %zu\n0000000000 65535 f \n", count);
    for (size_t i = 1; i < count; i++)
        text_buf_format(&pdf, "%010zu 00000 n \n", offsets[i]);
    text_buf_format(&pdf, "trailer\n<</Size %zu/Root 1 0 R%s>>\nstartxref\n%zu\n%%%%EOF\n",
                    count, trailer, table);
    return pdf;
}

static void reads_pages(void **state)
{
    (void)state;
    struct text_buf pdf = make_pdf("First page", "Second page", ""), out = {0};
    struct error err = {0};
    const enum status status = document_pdf_read(text_buf_text(&pdf), &out, &err);
    text_buf_deinit(&pdf);
    if (status == ERR_IO && strstr(err.text, "poppler-utils")) {
        puts("skipped: pdftotext (poppler-utils) is not there");
        skip();
    }
    assert_int_equal(status, OK);
    const struct text text = text_buf_text(&out);
    const size_t page = text_find(text, TEXT("\f"), 0);
    assert_true(text_find(text, TEXT("First page"), 0) < page);
    const size_t second = text_find(text, TEXT("Second page"), 0);
    assert_true(second != SIZE_MAX && second > page);
    assert_true(text_ends(text, TEXT("\f")));
    text_buf_deinit(&out);
}

static void check_refused(struct text bytes, const char *why)
{
    struct text_buf out = {0};
    struct error err = {0};
    const enum status status = document_pdf_read(bytes, &out, &err);
    text_buf_deinit(&out);
    if (status == ERR_IO && strstr(err.text, "poppler-utils")) {
        puts("skipped: pdftotext (poppler-utils) is not there");
        skip();
    }
    assert_int_equal(status, ERR_FORMAT);
    assert_non_null(strstr(err.text, why));
    assert_int_equal(out.size, 0);
}

static void refuses_what_has_no_text(void **state)
{
    (void)state;
    struct text_buf pdf = make_pdf(NULL, NULL, "");
    check_refused(text_buf_text(&pdf), "2 pages without text");
    text_buf_deinit(&pdf);
    check_refused(TEXT("%PDF-1.7\nnothing of the kind"), "damaged PDF");
    check_refused(TEXT(""), "damaged PDF");
    pdf = make_pdf("secret", NULL,
                   "/ID[(0123456789abcdef)(0123456789abcdef)]/Encrypt<</Filter/Standard/V 1/R 2"
                   "/P -1/O(0123456789abcdef0123456789abcdef)"
                   "/U(0123456789abcdef0123456789abcdef)>>");
    check_refused(text_buf_text(&pdf), "encrypted PDF");
    text_buf_deinit(&pdf);
}

static void says_what_to_install(void **state)
{
    (void)state;
    struct text_buf out = {0};
    struct error err = {0};
    char *path = strdup(getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    setenv("PATH", "/nonexistent", 1);
    const enum status status = document_pdf_read(TEXT("%PDF-1.7"), &out, &err);
    assert_false(document_pdf_has_reader());
    setenv("PATH", path, 1);
    free(path);
    assert_int_equal(status, ERR_IO);
    assert_non_null(strstr(err.text, "install poppler-utils"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_pages),
        cmocka_unit_test(refuses_what_has_no_text),
        cmocka_unit_test(says_what_to_install),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
