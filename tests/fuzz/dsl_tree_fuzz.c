/*
 * dsl_tree_fuzz - libFuzzer target: bytes as the choices of a grammar, so that each input is a
 * whole program and what lies behind the parser is tried: lowering, scopes, evaluation, methods
 * and modules. A program of this grammar is never refused for its syntax.
 *
 *     dsl_tree_fuzz -max_len=1024 -timeout=10 -rss_limit_mb=1024 CORPUS
 */
#include "tests/fuzz/dsl_run.h"

#include <stdio.h>

enum { DEPTH_MAX = 9, SOURCE_MAX = 12 << 10, INDENT_MAX = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In a form, $e is an expression, $n a name, $a an assignment's target, $m a method, $f a
 * function, $s a string, $r a regular expression, $b an indented block on lines of its own. */
struct forms {
    char mark;
    uint32_t plain; /* how many of the first have no parts: they end a branch */
    const char *list[80];
};

static const struct forms FORMS[] = {
    {'e',
     14,
     {"0",
      "1",
      "-1",
      "9223372036854775807",
      "1e308",
      "0.5",
      "''",
      "$s",
      "None",
      "True",
      "$n",
      "[]",
      "{}",
      "()",
      "$e + $e",
      "$e - $e",
      "$e * $e",
      "$e / $e",
      "$e // $e",
      "$e % $e",
      "$e ** $e",
      "$e << $e",
      "$e >> $e",
      "$e & $e",
      "$e | $e",
      "$e ^ $e",
      "not $e",
      "-($e)",
      "~($e)",
      "$e and $e",
      "$e or $e",
      "$e < $e <= $e",
      "$e == $e",
      "$e != $e",
      "$e in $e",
      "$e not in $e",
      "$e is $e",
      "($e if $e else $e)",
      "[$e, $e]",
      "[*$e, $e]",
      "{$e: $e}",
      "{**$e}",
      "{$e, $e}",
      "($e, $e)",
      "($e)[$e]",
      "($e)[$e:$e]",
      "($e)[$e:$e:$e]",
      "[$e for $a in $e]",
      "[$e for $n in $e if $e for $n in $e]",
      "{$e: $e for $a in $e}",
      "{$e for $n in $e if $e}",
      "sum($e for $n in $e)",
      "(lambda $n, *r, k=$e, **w: $e)($e, *$e)",
      "(lambda $n=$e: $e)($e)",
      "($e).$m()",
      "($e).$m($e)",
      "($e).$m($e, $e)",
      "$f($e)",
      "$f($e, $e)",
      "$f($e, $e, $e)",
      "$f(*$e, **$e)",
      "f'{$n!r:>{$n}} {$n:,.2f}{$n=}'",
      "'{:{}}{0}'.format($e, $e)",
      "$s % $e",
      "re.$m($r, $e)",
      "re.sub($r, $e, $e)",
      "re.compile($r, $e).$m($e)",
      "sorted($e, key=lambda x: $e, reverse=$e)",
      "max($e, key=$f, default=$e)",
      "($n := $e)",
      "JobManifest(chunk=$e, task=$e, advice=$e)",
      "context[0][$e:$e]",
      "chunk_by_section(context[0], $e, $e)",
      "list($e)",
      "str($e)"}},
    {'n', 8, {"a", "b", "c", "d", "x", "context", "f", "jobs"}},
    {'s',
     8,
     {"'abc'", "'\\u00e9\\U0001F600'", "'a,b;c'", "'%s %d'", "'{} {0[0]}'", "'12'",
      "'{\"a\": [1, null]}'", "' \\t\\n'"}},
    {'r',
     10,
     {"r'\\w+'", "r'(a)|(b)?'", "r'[^\\s]'", "r'^\\Z'", "r'(?P<n>.)'", "r'x*?'", "r'('",
      "r'\\d{2,3}'", "r'(?i)A'", "''"}},
    {'m', 40, {"append",     "extend",  "pop",      "sort",   "insert",   "remove",  "index",
               "count",      "split",   "rsplit",   "join",   "replace",  "strip",   "find",
               "format",     "zfill",   "center",   "title",  "lower",    "encode",  "items",
               "keys",       "values",  "get",      "update", "add",      "discard", "union",
               "setdefault", "popitem", "fromkeys", "copy",   "clear",    "findall", "search",
               "split",      "match",   "finditer", "groups", "translate"}},
    {'f',
     40,
     {"len",
      "int",
      "float",
      "str",
      "list",
      "dict",
      "set",
      "tuple",
      "sorted",
      "reversed",
      "zip",
      "map",
      "filter",
      "sum",
      "min",
      "max",
      "any",
      "all",
      "range",
      "enumerate",
      "repr",
      "round",
      "abs",
      "divmod",
      "pow",
      "ord",
      "chr",
      "type",
      "isinstance",
      "iter",
      "next",
      "Counter",
      "defaultdict",
      "OrderedDict",
      "math.sqrt",
      "math.floor",
      "json.dumps",
      "json.loads",
      "functools.reduce",
      "itertools.product"}},
    {'a', 4, {"$n", "$n, $n", "$n, *$n", "($n, $n), $n", "$n[$e]", "$n[$e:$e]"}},
    {'t',
     4,
     {"$a = $e",
      "$n += $e",
      "$e",
      "pass",
      "if $e:$belse:$b",
      "for $a in $e:$b",
      "for $n in $e:$belse:$b",
      "while $e:$b    break",
      "try:$bexcept Exception as $n:$b",
      "try:$bexcept (KeyError, $f):$belse:$bfinally:$b",
      "def f($n, *r, **k):$b    return $e",
      "def f($n=$e):$b    return $e",
      "$a = $n = $e",
      "del $a",
      "assert $e, $e",
      "raise ValueError($e)",
      "raise $e",
      "return $e",
      "$n *= $e",
      "$n[$e] -= $e",
      "for $n in $e:$b    continue",
      "global g\n$a = $e"}},
};

struct writer {
    const uint8_t *data;
    size_t size, at, used;
    char *source; /* [SOURCE_MAX + 1] */
    uint32_t depth, indent;
};

static void put(struct writer *w, char c)
{
    if (w->used < SOURCE_MAX)
        w->source[w->used++] = c;
    for (uint32_t i = 0; c == '\n' && i < w->indent * 4 && w->used < SOURCE_MAX; i++)
        w->source[w->used++] = ' ';
}

static void put_form(struct writer *w, char mark);

/* One or two statements, one step further in. */
static void put_block(struct writer *w)
{
    const uint32_t count = w->at < w->size && w->data[w->at++] % 2 ? 2 : 1;
    w->indent++;
    for (uint32_t i = 0; i < count; i++) {
        put(w, '\n');
        put_form(w, 't');
    }
    w->indent--;
    put(w, '\n');
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than DEPTH_MAX */
static void put_form(struct writer *w, char mark)
{
    size_t at = 0;
    while (at + 1 < sizeof FORMS / sizeof FORMS[0] && FORMS[at].mark != mark)
        at++;
    const struct forms *forms = &FORMS[at];
    const uint8_t choice = w->at < w->size ? w->data[w->at++] : 0;
    uint32_t count = forms->plain;
    const bool plain = w->depth >= DEPTH_MAX || w->at >= w->size || w->indent >= INDENT_MAX;
    while (!plain && count < sizeof forms->list / sizeof forms->list[0] && forms->list[count])
        count++;
    w->depth++;
    for (const char *c = forms->list[choice % count]; *c; c++) {
        if (*c != '$')
            put(w, *c);
        else if (*++c == 'b')
            put_block(w);
        else
            put_form(w, *c);
    }
    w->depth--;
}

static void put_text(struct writer *w, const char *text)
{
    for (; *text; text++)
        put(w, *text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char source[SOURCE_MAX + 1];
    struct writer w = {.data = data, .size = size, .source = source};
    put_text(&w,
             "import re, json, math, itertools, functools\n"
             "from collections import Counter, defaultdict, OrderedDict\n"
             "a, b, c, d, x, f, jobs = 1, 'text', [3, 1, 2], {'k': 1.5}, (0, 'y'), len, []\n"
             "def prepare_jobs(context, a=None, b=None):\n    c, x, d = [2], 1, {'a': 1}");
    for (w.indent = 1; w.at + size / 2 < w.size || w.at == 0;) {
        put(&w, '\n');
        put_form(&w, 't');
        if (size == 0)
            break;
    }
    put_text(&w, "\nreturn [JobManifest(chunk=context[0][1:9], task='t', advice='')]");
    w.indent = 0;
    put_text(&w, "\ndef transform_outputs(jobs):");
    w.indent = 1;
    put_text(&w, "\nx = [job.output.answer for job in jobs]");
    while (w.at < w.size) {
        put(&w, '\n');
        put_form(&w, 't');
    }
    put_text(&w, "\nreturn str(x)\n");
    if (getenv("DSL_TREE_SHOW"))
        fwrite(source, 1, w.used, stderr);
    if (w.used < SOURCE_MAX)
        dsl_run((struct text){source, w.used});
    return 0;
}
