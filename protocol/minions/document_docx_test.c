/* document_docx_test - Word documents made here: their text, and archives that are hostile. */
#include "protocol/minions/document_docx.h"
#include "protocol/minions/document_docx_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include <cmocka.h>

static void check_xml(const char *xml, const char *wanted)
{
    struct text_buf out = {0};
    const struct document_docx_body_parts parts = {.document = text_of(xml)};
    assert_int_equal(document_docx_body_read(&parts, &out, NULL), OK);
    text_buf_byte(&out, '\0');
    assert_string_equal(out.data, wanted);
    text_buf_deinit(&out);
}

static void reads_paragraphs(void **state)
{
    (void)state;
    check_xml("<?xml version=\"1.0\"?><w:document><w:body>"
              "<w:p><w:pPr><w:pStyle w:val=\"Heading2\"/><w:tabs><w:tab w:val=\"left\"/>"
              "</w:tabs></w:pPr><w:r><w:t>Head</w:t></w:r></w:p>"
              "<w:p><w:r><w:t xml:space=\"preserve\">one </w:t><w:tab/><w:t>A&amp;B</w:t>"
              "</w:r><w:r><w:br/><w:t>two</w:t></w:r></w:p><w:p/>"
              "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
              "<w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:t/>"
              "<w:t><![CDATA[a<b]]></w:t><w:noBreakHyphen/></w:r></w:p></w:body>",
              "## Head\n\none \tA&B\ntwo\n\n\na<b-\n\n");
    check_xml(
        "<w:p><w:pPr><w:pStyle w:val=\"Heading9\"/></w:pPr><w:r><w:t>Deep</w:t></w:r></w:p>"
        "<w:p><w:pPr><w:pStyle w:val=\"Title\"/></w:pPr><w:r><w:t>Top</w:t></w:r></w:p>",
        "###### Deep\n\n# Top\n\n");
    check_xml("<!-- <w:r><w:t>no</w:t></w:r> --><w:p><w:r><w:t>yes</w:t></w:r></w:p>",
              "yes\n\n");
    check_xml("<w:p><![CDATA[no]]><w:r><w:t>yes</w:t></w:r></w:p>", "yes\n\n");
}

static void ends_pages_where_marked(void **state)
{
    (void)state;
    check_xml("<w:p><w:r><w:t>one</w:t><w:br w:type=\"page\"/></w:r></w:p>"
              "<w:p><w:r><w:lastRenderedPageBreak/><w:t>two</w:t></w:r></w:p>"
              "<w:p><w:r><w:lastRenderedPageBreak/><w:t>three</w:t></w:r></w:p>"
              "<w:p><w:pPr><w:pageBreakBefore/></w:pPr><w:r><w:lastRenderedPageBreak/>"
              "<w:t>four</w:t></w:r></w:p>",
              "one\f\n\ntwo\n\n\fthree\n\n\ffour\n\n");
    /* An empty page is one that the author asked for. */
    check_xml("<w:p><w:r><w:t>one</w:t><w:br w:type=\"page\"/><w:lastRenderedPageBreak/>"
              "<w:br w:type=\"page\"/><w:t>three</w:t></w:r></w:p>",
              "one\f\fthree\n\n");
}

static void keeps_rows_on_a_line(void **state)
{
    (void)state;
    check_xml("<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc>"
              "<w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p><w:p><w:r><w:t>c</w:t></w:r></w:p>"
              "</w:tc></w:tr></w:tbl><w:p><w:r><w:t>z</w:t></w:r></w:p>",
              "a \tb c \t\n\nz\n\n");
    check_xml("<w:tbl><w:tr><w:tc><w:p><w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr><w:r>"
              "<w:t>a</w:t></w:r></w:p></w:tc></w:tr></w:tbl>",
              "a \t\n\n"); /* no mark in the middle of a line */
    check_xml("<mc:AlternateContent><mc:Choice><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Choice>"
              "<mc:Fallback><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Fallback>"
              "</mc:AlternateContent>",
              "box\n\n");
}

static void shows_what_a_reader_sees(void **state)
{
    (void)state;
    /* Tracked: inserted, deleted, moved. An empty w:del marks a paragraph's end as deleted. */
    check_xml("<w:p><w:pPr><w:rPr><w:del w:id=\"1\"/></w:rPr></w:pPr>"
              "<w:ins><w:r><w:t>new</w:t></w:r></w:ins>"
              "<w:del><w:r><w:delText>old</w:delText><w:tab/><w:t>x</w:t></w:r></w:del>"
              "<w:moveFrom><w:r><w:t>away</w:t></w:r></w:moveFrom>"
              "<w:moveFromRangeStart w:id=\"3\"/>"
              "<w:moveTo><w:r><w:t> here</w:t></w:r></w:moveTo></w:p>",
              "new here\n\n");
    check_xml("<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>"
              "<w:r><w:rPr><w:vanish w:val=\"0\"/></w:rPr><w:t>shown</w:t></w:r></w:p>",
              "shown\n\n");
}

static void keeps_boxes_behind_their_paragraph(void **state)
{
    (void)state;
    check_xml("<w:p><w:r><w:t>be</w:t><w:pict><w:txbxContent><w:p><w:r><w:t>box</w:t>"
              "<w:lastRenderedPageBreak/></w:r></w:p></w:txbxContent></w:pict><w:t>fore</w:t>"
              "</w:r></w:p><w:p><w:r><w:t>z</w:t></w:r></w:p>",
              "before\n\nbox\n\nz\n\n");
    check_xml("<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t><w:txbxContent><w:p><w:r><w:t>b</w:t>"
              "</w:r></w:p></w:txbxContent></w:r></w:p></w:tc></w:tr></w:tbl>",
              "a \t\n\nb\n\n");
    check_xml("<w:p><w:r><w:txbxContent><w:p><w:r><w:t>never closed", "never closed");
}

static void check_notes(const char *document, const char *footnotes, const char *wanted)
{
    struct text_buf out = {0};
    const struct document_docx_body_parts parts = {
        text_of(document), text_of(footnotes),
        TEXT("<w:endnote w:id=\"2\"><w:p><w:r><w:t>last</w:t></w:r></w:p></w:endnote>")};
    assert_int_equal(document_docx_body_read(&parts, &out, NULL), OK);
    text_buf_byte(&out, '\0');
    assert_string_equal(out.data, wanted);
    text_buf_deinit(&out);
}

static void puts_notes_where_they_are_referred_to(void **state)
{
    (void)state;
    static const char notes[] =
        "<w:footnotes><w:footnote w:type=\"separator\" w:id=\"0\"><w:p><w:r><w:t>--</w:t>"
        "</w:r></w:p></w:footnote><w:footnote w:id=\"5\"><w:p><w:r><w:footnoteRef/>"
        "<w:t>five</w:t></w:r></w:p><w:p><w:r><w:t>more</w:t></w:r></w:p></w:footnote>"
        "<w:footnote w:id=\"4\"><w:p><w:r><w:t>four</w:t></w:r></w:p></w:footnote>"
        "<w:footnote w:id=\"6\"><w:p></w:p></w:footnote>"
        "<w:footnote w:id=\"1234567890\"><w:p><w:r><w:t>no id</w:t></w:r></w:p></w:footnote>";
    check_notes("<w:p><w:r><w:t>One</w:t></w:r><w:r><w:footnoteReference w:id=\"5\"/></w:r>"
                "<w:r><w:t>.</w:t><w:endnoteReference w:id=\"2\"/></w:r></w:p>"
                "<w:p><w:r><w:br w:type=\"page\"/><w:t>Two</w:t>"
                "<w:footnoteReference w:id=\"4\"/><w:footnoteReference w:id=\"9\"/>"
                "<w:footnoteReference w:id=\"-1\"/></w:r></w:p>",
                notes,
                "One[1].[endnote 1]\n\n[1] five more\n\n[endnote 1] last\n\n"
                "\fTwo[2]\n\n[2] four\n\n");
    /* A note stands where it is first referred to, and there alone. */
    check_notes("<w:p><w:r><w:t>a</w:t><w:footnoteReference w:id=\"4\"/><w:t>b</w:t>"
                "<w:footnoteReference w:id=\"4\"/></w:r></w:p>",
                notes, "a[1]b\n\n[1] four\n\n[2] five more\n\n[endnote 1] last\n\n");
    /* One that nothing refers to stands at the end; separators and empty ones never. */
    check_notes("<w:p><w:r><w:t>a</w:t></w:r></w:p>", notes,
                "a\n\n[1] four\n\n[2] five more\n\n[endnote 1] last\n\n");
    check_notes("", "<w:footnote w:id=\"1\"><w:p>", "[endnote 1] last\n\n");
}

static void survives_what_is_broken(void **state)
{
    (void)state;
    check_xml("", "");
    check_xml("<", "");
    check_xml("<w:t>not in a run", "");
    check_xml("<w:r><w:t>open", "open");
    check_xml("<w:r><w:t>a</w:tc></w:tc></w:p>", "a\t\t\n\n");
    check_xml("<w:r><w:br w:type=page/><w:br w:type=\"/></w:r>", "\n\n");
    check_xml("<!DOCTYPE x [<!ENTITY a \"&b;&b;\">]><w:r><w:t>&a;&amp</w:t></w:r>", "&a;&amp");
}

struct part {
    const char *name, *data;
    size_t size;
};

/* An archive in memory. */
static struct text_buf make_package(const struct part *parts, size_t count)
{
    char path[] = "/tmp/cohort-docx-XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(archive);
    for (size_t i = 0; i < count; i++) {
        zip_source_t *source = zip_source_buffer(archive, parts[i].data, parts[i].size, 0);
        assert_true(zip_file_add(archive, parts[i].name, source, 0) >= 0);
    }
    assert_int_equal(zip_close(archive), 0);
    struct text_buf bytes = {0};
    char block[4096];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (size_t got; (got = fread(block, 1, sizeof(block), file)) > 0;)
        text_buf_add(&bytes, (struct text){block, got});
    fclose(file);
    unlink(path);
    return bytes;
}

static struct text_buf make_zip(const char *name, const char *data, size_t size)
{
    const struct part part = {name, data, size};
    return make_package(&part, 1);
}

static void check_refused(struct text bytes, enum status wanted, const char *why)
{
    struct text_buf out = {.size_max = 64 << 20};
    struct error err = {0};
    assert_int_equal(document_docx_read(bytes, &out, &err), wanted);
    assert_non_null(strstr(err.text, why));
    text_buf_deinit(&out);
}

static void unpacks_archives(void **state)
{
    (void)state;
    static const char xml[] = "<w:p><w:r><w:t>hello</w:t></w:r></w:p>";
    struct text_buf zip = make_zip("word/document.xml", xml, sizeof(xml) - 1);
    struct text_buf out = {.size_max = 1 << 20};
    assert_int_equal(document_docx_read(text_buf_text(&zip), &out, NULL), OK);
    assert_true(text_equal(text_buf_text(&out), TEXT("hello\n\n")));
    text_buf_deinit(&out);
    /* Cut anywhere, it is refused or read, and no byte behind it is. */
    for (size_t size = 0; size < zip.size; size++) {
        char *copy = malloc(size + 1);
        assert_non_null(copy);
        memcpy(copy, zip.data, size);
        assert_int_equal(document_docx_read((struct text){copy, size}, &out, NULL), ERR_FORMAT);
        free(copy);
    }
    text_buf_deinit(&zip);
    zip = make_zip("xl/workbook.xml", xml, sizeof(xml) - 1);
    check_refused(text_buf_text(&zip), ERR_FORMAT, "no word/document.xml");
    text_buf_deinit(&zip);
}

static void reads_all_parts(void **state)
{
    (void)state;
#define PART(name, xml)                                                                        \
    {                                                                                          \
        name, xml, sizeof(xml) - 1                                                             \
    }
#define LINE(words) "<w:p><w:r><w:t>" words "</w:t></w:r></w:p>"
    static const struct part parts[] = {
        PART("word/document2.xml", "<w:p><w:r><w:t>Body</w:t><w:footnoteReference w:id='7'/>"
                                   "</w:r></w:p>"),
        PART("word/footnotes.xml", "<w:footnote w:id='7'>" LINE("Note") "</w:footnote>"),
        PART("word/header1.xml", LINE("Acme, annual report")),
        PART("word/header2.xml", LINE("Acme, annual  report")),
        PART("word/footer.xml", LINE("- 3 -")),
        PART("word/footer3.xml", LINE("Secret")),
        PART("word/comments.xml", LINE("A remark")),
    };
    struct text_buf zip = make_package(parts, sizeof(parts) / sizeof(parts[0]));
    struct text_buf out = {.size_max = 1 << 20};
    assert_int_equal(document_docx_read(text_buf_text(&zip), &out, NULL), OK);
    assert_string_equal(out.data, "Acme, annual report\n\nBody[1]\n\n[1] Note\n\nSecret\n\n");
    text_buf_deinit(&out);
    out.size_max = 30;
    assert_int_equal(document_docx_read(text_buf_text(&zip), &out, NULL), ERR_LIMIT);
    text_buf_deinit(&out);
    text_buf_deinit(&zip);
}

/* A number of the zip format: little-endian. */
static void add_number(struct text_buf *out, uint32_t number, int bytes)
{
    for (int i = 0; i < bytes; i++, number >>= 8)
        text_buf_byte(out, (char)(number & 0xff));
}

/* An archive of so many empty files, all of one name: a library would take seconds to make it.
 * Each has a local header, here one for all, and one in the directory at the end. */
static struct text_buf make_crowd(uint32_t count)
{
    struct text_buf bytes = {0}, directory = {0};
    text_buf_add(&bytes, TEXT("PK\3\4"));
    for (int i = 0; i < 22; i += 2)
        add_number(&bytes, 0, 2);
    add_number(&bytes, 1, 2); /* its name's size */
    add_number(&bytes, 0, 2);
    text_buf_byte(&bytes, 'a');
    for (uint32_t i = 0; i < count; i++) {
        text_buf_add(&directory, TEXT("PK\1\2"));
        for (int k = 0; k < 24; k += 2)
            add_number(&directory, 0, 2);
        add_number(&directory, 1, 2);
        for (int k = 0; k < 16; k += 2)
            add_number(&directory, 0, 2);
        text_buf_byte(&directory, 'a');
    }
    const size_t begin = bytes.size;
    text_buf_add(&bytes, text_buf_text(&directory));
    text_buf_add(&bytes, TEXT("PK\5\6"));
    add_number(&bytes, 0, 4);
    add_number(&bytes, count, 2);
    add_number(&bytes, count, 2);
    add_number(&bytes, (uint32_t)directory.size, 4);
    add_number(&bytes, (uint32_t)begin, 4);
    add_number(&bytes, 0, 2);
    text_buf_deinit(&directory);
    return bytes;
}

static void bounds_the_number_of_files(void **state)
{
    (void)state;
    struct text_buf zip = make_crowd((1 << 14) + 1);
    check_refused(text_buf_text(&zip), ERR_LIMIT,
                  "an archive of 16385 files, at most 16384 are taken");
    text_buf_deinit(&zip);
    zip = make_crowd(1 << 14);
    check_refused(text_buf_text(&zip), ERR_FORMAT, "no word/document.xml");
    text_buf_deinit(&zip);
}

static void stops_at_bombs(void **state)
{
    (void)state;
    const size_t size = (size_t)16 << 20;
    char *blank = calloc(size, 1);
    assert_non_null(blank);
    memset(blank, ' ', size);
    struct text_buf zip = make_zip("word/document.xml", blank, size);
    assert_true(zip.size < size / 500);
    check_refused(text_buf_text(&zip), ERR_LIMIT, "unpacks to more than");
    text_buf_deinit(&zip);
    free(blank);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_what_a_reader_sees),
        cmocka_unit_test(keeps_boxes_behind_their_paragraph),
        cmocka_unit_test(puts_notes_where_they_are_referred_to),
        cmocka_unit_test(reads_all_parts),
        cmocka_unit_test(reads_paragraphs),
        cmocka_unit_test(ends_pages_where_marked),
        cmocka_unit_test(keeps_rows_on_a_line),
        cmocka_unit_test(survives_what_is_broken),
        cmocka_unit_test(unpacks_archives),
        cmocka_unit_test(bounds_the_number_of_files),
        cmocka_unit_test(stops_at_bombs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
