/* document_html_test - pages as text, and where their lines come from. */
#include "protocol/minions/document_html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t line_of(const struct text_buf *lines, size_t index)
{
    uint32_t line;
    memcpy(&line, lines->data + index * sizeof(line), sizeof(line));
    return line;
}

static void check(const char *source, const char *wanted)
{
    struct text_buf out = {0}, lines = {0};
    assert_int_equal(document_html_read(text_of(source), &out, &lines, NULL), OK);
    text_buf_byte(&out, '\0');
    assert_string_equal(out.data, wanted);
    size_t count = out.size > 1;
    for (size_t i = 0; i < out.size; i++)
        count += out.data[i] == '\n';
    assert_int_equal(lines.size, count * sizeof(uint32_t));
    text_buf_deinit(&out);
    text_buf_deinit(&lines);
}

static void strips_tags(void **state)
{
    (void)state;
    check("<p>One  <b>t</b>wo\t three</p><p>four", "One two three\n\nfour");
    check("<!DOCTYPE html><html><head><title>A &amp; B</title><style>p{}</style></head>"
          "<body><h2 class=\"x>y\">Sub\nhead</h2>text</body>",
          "# A & B\n\n## Sub head\n\ntext");
    check("a<script>if (a</b) x('<p>')</script>b<SCRIPT src=x />c", "a b c");
    check("a<!-- <p> -- > --> b<br>c", "a b\nc");
    check("<b \">one<i \">two</i></b>", "onetwo"); /* a quote that nothing asked for */
    check("a<script>'</scripts>'</script>b", "a b");
    check("<ul><li>one<li>two</ul>end", "- one\n- two\n\nend");
    check("<table><tr><th>a</th><th><p>b</p></th></tr>\n<tr><td>1</td>\n<td>2</td></tr>"
          "</table>z",
          "a\tb\n1\t2\n\nz");
    check("x<pre>  a\n    b\n</pre>y", "x\n\n  a\n    b\n\n\ny");
    check("1 < 2 & 3 > 2 &amp; &lt;&#65;&#x42;&nbsp;&euro;&unknown;&#xD800;&#0;&#150;",
          "1 < 2 & 3 > 2 & <AB \xe2\x82\xac&unknown;\xef\xbf\xbd\xef\xbf\xbd\xe2\x80\x93");
    check("", "");
    check("<p></p>", "");
}

static void leaves_out_what_is_hidden(void **state)
{
    (void)state;
    check("a<div hidden>b<div>c</div>d</div>e", "ae");
    check("a<b HIDDEN='until-found'>b<i>c</i></b>d", "ad");
    check("a<span class=\"hidden\" style=\"color: red\">b</span>c", "abc");
    check("a<span style=\"color:red; DISPLAY : none\">b</span>c", "ac");
    check("a<span style='visibility:hidden'>b</span>c", "ac");
    check("a<span title=\" hidden \" data-hidden>b</span>c", "abc");
    check("a<span title=\"display:none\">b</span>c", "abc");
    check("a<input hidden><br hidden>b", "a\nb");
    check("a<div hidden><script>'</div>'</script>b</div>c", "ac");
    check("a<template><p>b</template>c", "a c");
    /* Elements that may go without an end tag. */
    check("<p hidden>a<p>b", "b");
    check("<ul><li hidden>a<li>b<li hidden>c</ul>d", "- b\n\nd");
    check("<table><tr><td hidden>a<td>b</td></tr><tr hidden><td>c</table>d", "b\n\nd");
    check("<p hidden>a</p>b", "b");
    check("a<div hidden>never closed", "a");
}

static void survives_what_is_broken(void **state)
{
    (void)state;
    check("a<b", "a");
    check("a<b title=\"x>still</b> here", "astill here");
    check("<b title=\"x>one</b><i title='y'>two</i>", "onetwo");
    check("a<!-- open", "a");
    check("a<script>never closed <p>", "a");
    check("a</p", "a");
    check("<", "<");
    check("</", "</");
    check("&", "&");
    check("<averyveryverylongnamethatnobodyhas>x</averyveryverylongnamethatnobodyhas>", "x");
}

/* Time is linear: what would take hours if each tag looked through the rest for its quote. */
static void takes_no_quadratic_time(void **state)
{
    (void)state;
    static const char *const pieces[] = {"<a =\">\"", "<a",         "<!--",       "&",
                                         "<b ='",     "</",         "<li>",       "<script",
                                         "</scrip",   "<i hidden>", "<p hidden>", "<b hidden "};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct text_buf source = {0}, out = {0}, lines = {0};
        while (source.size < 1 << 20)
            text_buf_add(&source, text_of(pieces[i]));
        assert_int_equal(document_html_read(text_buf_text(&source), &out, &lines, NULL), OK);
        text_buf_deinit(&source);
        text_buf_deinit(&out);
        text_buf_deinit(&lines);
    }
}

static void keeps_line_numbers(void **state)
{
    (void)state;
    struct text_buf out = {0}, lines = {0};
    const struct text source = TEXT("<html>\n<h1>Top</h1>\n<script>\n\n</script>\n<p>one\n"
                                    "two<p>three</p>\n\n<p>four");
    assert_int_equal(document_html_read(source, &out, &lines, NULL), OK);
    text_buf_byte(&out, '\0');
    assert_string_equal(out.data, "# Top\n\none\ntwo\n\nthree\n\nfour");
    static const uint32_t wanted[] = {2, 6, 6, 7, 7, 7, 9, 9};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        assert_int_equal(line_of(&lines, i), wanted[i]);
    text_buf_deinit(&out);
    text_buf_deinit(&lines);
    out.size_max = 4;
    assert_int_equal(document_html_read(source, &out, &lines, NULL), ERR_LIMIT);
    text_buf_deinit(&out);
    text_buf_deinit(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strips_tags),
        cmocka_unit_test(leaves_out_what_is_hidden),
        cmocka_unit_test(survives_what_is_broken),
        cmocka_unit_test(takes_no_quadratic_time),
        cmocka_unit_test(keeps_line_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
