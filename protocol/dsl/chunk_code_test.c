/* chunk_code_test - Python source cut at functions and classes, and pages of an empty text. */
#include "protocol/dsl/dsl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char SOURCE[] = "import os\n"
                             "try:\n"
                             "    from a import (b,\n"
                             "                   c)\n"
                             "except ImportError:\n"
                             "    import os\n"
                             "\n"
                             "@cached\n"
                             "@twice(3)\n"
                             "def first(x):\n"
                             "    def inner():\n"
                             "        import json\n"
                             "    return x  # kept\n"
                             "    # nobody's\n"
                             "\n"
                             "async def second(): return 2\n"
                             "\n"
                             "@final\n"
                             "class Box(Base,\n"
                             "          key=1):\n"
                             "    \"Says nothing.\"\n"
                             "    size: int = 3; other = 4\n"
                             "    names = [\n"
                             "    ]\n"
                             "    @property\n"
                             "    def wide(self, a={1: 2},\n"
                             "             b=None) -> int:\n"
                             "        return 1\n"
                             "\n"
                             "    def tall(self): return 2\n"
                             "\n"
                             "class Empty: value = 1\n";

#define FIRST                                                                                  \
    "@cached\n@twice(3)\ndef first(x):\n    def inner():\n        import json\n"               \
    "    return x  # kept"
#define SECOND "async def second(): return 2"
#define WIDE                                                                                   \
    "    @property\n    def wide(self, a={1: 2},\n             b=None) -> int:\n"              \
    "        return 1"
#define TALL    "    def tall(self): return 2"
#define IMPORTS "import os\nfrom a import (b,\n                   c)\n\n"
#define BOX     "class Box(Base,\n          key=1):"

/* The chunks that an expression over `doc` gives, each ended by `joint`, with 1 or 0 behind it
 * for a span of the document. */
static char *chunks_of(const char *expression, struct text document, char joint)
{
    struct text_buf source = {0}, out = {0};
    struct dsl_program *program = NULL;
    struct dsl_jobs jobs = {0};
    struct dsl_fault fault = {0};
    struct error err;
    text_buf_format(&source,
                    "def prepare_jobs(context, m=None, o=None):\n"
                    "    doc = context[0]\n"
                    "    return [JobManifest(chunk=c, task='t', advice='') for c in %s]\n"
                    "def transform_outputs(jobs):\n    return ''\n",
                    expression);
    const struct dsl_options options = {
        .source = text_buf_text(&source), .documents = &document, .document_count = 1};
    if (dsl_open(&program, &options, &fault, &err) != OK ||
        dsl_prepare_jobs(program, NULL, &jobs, &fault, &err) != OK)
        text_buf_format(&out, "%s: %s", fault.exception, fault.message);
    for (uint32_t i = 0; i < jobs.count; i++)
        text_buf_format(&out, "%.*s%c%d", TEXT_ARG(jobs.list[i].chunk), joint,
                        jobs.list[i].document == 0);
    dsl_close(program);
    text_buf_deinit(&source);
    text_buf_byte(&out, '\0');
    return out.data;
}

static void expect(const char *expression, const char *document, const char *chunks)
{
    char *got = chunks_of(expression, text_of(document), '|');
    assert_string_equal(got, chunks);
    free(got);
}

static void functions(void **state)
{
    (void)state;
    expect("chunk_by_code(doc)", SOURCE, FIRST "|1" SECOND "|1" WIDE "|1" TALL "|1");
    /* Two that stand so in the document are one span of it. */
    expect("chunk_by_code(doc, functions_per_chunk=2)", SOURCE,
           FIRST "\n\n" SECOND "|0" WIDE "\n\n" TALL "|1");
    expect("chunk_by_code(doc, 9)", "def a(): pass\r\ndef b(): pass\r\n",
           "def a(): pass\n\ndef b(): pass|0");
    expect("chunk_by_code(doc) + ['none']", "x = 1\n", "none|0");
    expect("chunk_by_code(doc, 0)", SOURCE,
           "ValueError: chunk_by_code() functions_per_chunk must be at least 1");
}

static void functions_and_classes(void **state)
{
    (void)state;
    expect("chunk_by_function_and_class(doc)", SOURCE,
           IMPORTS FIRST
           "|0" IMPORTS SECOND "|0" IMPORTS BOX "\n" WIDE "|0" IMPORTS BOX "\n" TALL
           "|0" IMPORTS BOX "\n    size: int = 3; other = 4\n    names = [\n    ]\n"
           "    def wide(self, a={1: 2},\n             b=None) -> int:\n" TALL "|0" IMPORTS
           "class Empty: value = 1|0");
    expect("chunk_by_function_and_class(doc)", "def a():\n  pass\n", "def a():\n  pass|1");
}

static void what_is_not_python_is_one_piece(void **state)
{
    (void)state;
    expect("chunk_by_code(doc)", "Net sales were (in part) 5 %.",
           "Net sales were (in part) 5 %.|1");
    expect("chunk_by_function_and_class(doc)", "def f(:\n", "def f(:\n|1");
    /* Many continuation lines would take the parser more than linear time. */
    struct text_buf slow = {0};
    text_buf_add(&slow, TEXT("def a(): pass\nx = 1"));
    for (int i = 0; i < 401; i++)
        text_buf_add(&slow, TEXT("\\\n"));
    char *got = chunks_of("chunk_by_code(doc)", text_buf_text(&slow), '|');
    assert_int_equal(strlen(got), slow.size + 2);
    text_buf_deinit(&slow);
    free(got);
}

static void pages(void **state)
{
    (void)state;
    expect("chunk_by_page(doc)", "one\fand\nPage 2 of 3\ntwo\n- 3 -\nthree",
           "one|1and\n|1\ntwo\n|1\nthree|1");
    expect("chunk_by_page(doc, page_markers=['^==+$', '\\\\f'])", "a\n====\nb\fc\n2\n",
           "a\n|1\nb|1c\n2\n|1");
    expect("chunk_by_page('') + [str(len(chunk_by_page('\\f')))]", "", "|00|0");
}

static void the_best_chunks(void **state)
{
    (void)state;
    static const char doc[] = "alpha beta.\n\ngamma delta.\n\nbeta gamma.\n\nnothing here.";
    expect("bm25_retrieve_top_k_chunks(['gammas'], chunk_by_paragraph(doc, 12), k=2)", doc,
           "gamma delta.|1beta gamma.|1");
    expect("bm25_retrieve_top_k_chunks(keywords=['alpha', 'delta'], weights={'delta': 3.5}, "
           "chunks=chunk_by_paragraph(doc, 12), k=1)",
           doc, "gamma delta.|1");
    expect("bm25_retrieve_top_k_chunks({'alpha': 2, 'delta': 1}, chunk_by_paragraph(doc, 12), "
           "k=1)",
           doc, "alpha beta.|1");
    /* Of equals the earlier; the default is ten. */
    expect("bm25_retrieve_top_k_chunks('absent', list(doc[:12]))", doc,
           "a|1l|1p|1h|1a|1 |1b|1e|1t|1a|1");
    expect("bm25_retrieve_top_k_chunks(['a'], [doc], {'a': 'b'})", doc,
           "TypeError: a keyword's weight must be a number, not str");
    expect("bm25_retrieve_top_k_chunks(['a'], [doc], k=-1)", doc,
           "ValueError: k must not be negative");
    expect("bm25_retrieve_top_k_chunks(['a'], [1])", doc,
           "TypeError: chunks' items must be str, not int");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions),
        cmocka_unit_test(functions_and_classes),
        cmocka_unit_test(what_is_not_python_is_one_piece),
        cmocka_unit_test(pages),
        cmocka_unit_test(the_best_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
