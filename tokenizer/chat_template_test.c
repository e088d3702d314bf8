/*
 * chat_template_test - the interpreter: what small programs write, what is refused and where,
 * budgets, which bytes are trusted, a guard page behind every prefix; and the 20 real templates
 * with their 11 conversations, where the test data is at hand.
 */
#include "tokenizer/chat_template.h"

#include "base/file_map.h"
#include "base/json.h"
#include "tests/harness/test_data.h"
#include "tokenizer/jinja_parse.h"
#include "tokenizer/jinja_run.h"
#include "tokenizer/jinja_string.h"
#include "tokenizer/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const int64_t NOW_S = 1721995200; /* 2024-07-26T12:00:00Z */

/* Renders with the JSON object context; err says why when it fails. */
static enum status render(struct text source, const char *context,
                          struct chat_template_text *out, struct error *err)
{
    struct chat_template *chat;
    struct json *json;
    *out = (struct chat_template_text){0};
    assert_int_equal(json_parse(text_of(context), 0, &json, err), OK);
    enum status status = chat_template_open(source, &chat, err);
    if (status == OK) {
        status = chat_template_render_json(chat, json, NOW_S, out, err);
        chat_template_close(chat);
    }
    json_free(json);
    return status;
}

/* Expected texts are those of Jinja 3.1 under trim_blocks and lstrip_blocks. */
struct program {
    const char *source, *want;
};

static void check_programs(const struct program *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct chat_template_text out;
        struct error err;
        if (render(text_of(cases[i].source), "{\"m\":{\"a\":{\"b\":[{\"c\":7}]}}}", &out,
                   &err) != OK)
            fail_msg("%s: %s", cases[i].source, err.text);
        if (!text_equal(out.text, text_of(cases[i].want)))
            fail_msg("%s: '%.*s', want '%s'", cases[i].source, TEXT_ARG(out.text),
                     cases[i].want);
        chat_template_text_deinit(&out);
    }
}

static void test_programs(void **state)
{
    static const struct program cases[] = {
        {"", ""},
        {"a\n", "a"},
        {"  {% if 1 %}\n  x\n  {% endif %}\ny", "  x\ny"},
        {"a {%- if 1 +%}\nb{%+ endif %}", "a\nb"},
        {"{# c #}\n{% raw %}{{ x }}{% endraw %}", "{{ x }}"},
        {"{{ 1 + 2 * 3 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }}",
         "7 -4 2 3.5 1024"},
        {"{{ 1e16 }} {{ 0.1 + 0.2 }} {{ 1.5e-7 }} {{ 3.0 }}",
         "1e+16 0.30000000000000004 1.5e-07 3.0"},
        {"{{ [1, 'a', none, true, {'k': 1.5}, (1,)] }}",
         "[1, 'a', None, True, {'k': 1.5}, (1,)]"},
        {"{{ \"it's\" ~ ['it\\'s'] }}", "it's[\"it's\"]"},
        {"{{ 'x' if no else 'y' }}{{ 'z' if no }}{{ no }}", "y"},
        {"{% set x = 1 %}{% for i in [1, 2] %}{% set x = i %}{% endfor %}{{ x }}", "1"},
        {"{% set n = namespace(x=0) %}{% for i in [1, 2] %}{% set n.x = n.x + i %}{% endfor %}"
         "{{ n.x }}",
         "3"},
        {"{% for a, b in {'x': 1, 'y': 2}.items() %}{{ loop.index }}{{ a }}{{ b }}"
         "{{ ',' if not loop.last }}{% else %}none{% endfor %}",
         "1x1,2y2"},
        {"{% for i in range(5) if i is odd %}{{ i }}{{ loop.length }}{% endfor %}", "1232"},
        {"{% for i in range(9) %}{% if i == 2 %}{% continue %}{% elif i == 4 %}{% break %}"
         "{% endif %}{{ i }}{% endfor %}",
         "013"},
        {"{% for i in range(3) %}{% for j in range(2) %}{{ loop.depth }}{% endfor %}{% endfor "
         "%}",
         "222222"},
        {"{% macro f(a, b='!') %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }}{{ f(b=2, a='x') }}",
         "1!x2"},
        {"{% macro r(n) %}{{ n }}{% if n > 0 %}{{ r(n - 1) }}{% endif %}{% endmacro %}{{ r(3) "
         "}}",
         "3210"},
        {"{% with a = 1 %}{% generation %}{{ a }}{% endgeneration %}{% endwith %}{{ a }}", "1"},
        {"{% set x | upper %}a{% endset %}{{ x }}{% filter trim %} b {% endfilter %}", "Ab"},
        {"{{ 'a,b,c'.split(',')[::-1] | join('-') }}{{ 'abc'[1:] }}{{ 'abc'[-1] }}",
         "c-b-abcc"},
        {"{{ '\\u00e9\\n' | length }}{{ 'h\xc3\xa9h' | length }}{{ 'h\xc3\xa9h'[1] }}",
         "23\xc3\xa9"},
        {"{{ {'b': 1, 'a': [1, 2.5, '\xc3\xa9\"']} | tojson }}",
         "{\"b\": 1, \"a\": [1, 2.5, \"\xc3\xa9\\\"\"]}"},
        {"{{ [1, {'a': []}] | tojson(indent=2) }}", "[\n  1,\n  {\n    \"a\": []\n  }\n]"},
        {"{{ [{'a': 1}, {'a': 2}] | selectattr('a', 'gt', 1) | map(attribute='a') | list }}",
         "[2]"},
        {"{{ ['b', 'A'] | sort }}{{ [3, 1] | max }}{{ [1, 2] | sum }}{{ [1] | first }}",
         "['A', 'b']331"},
        {"{{ x is defined }}{{ none is none }}{{ 'a' is string }}{{ {} is mapping }}",
         "FalseTrueTrueTrue"},
        {"{{ 'a' in 'cat' }}{{ 2 not in [1] }}{{ 'k' in {'k': 1} }}{{ 1 < 2 < 3 }}",
         "TrueTrueTrueTrue"},
        {"{{ m.a.b[0].c }}{{ m['a'].b | length }}", "71"},
        {"{{ strftime_now('%d %b %Y') }}", "26 Jul 2024"},
    };
    (void)state;
    check_programs(cases, sizeof cases / sizeof cases[0]);
}

static void test_lines_and_formats(void **state)
{
    static const struct program cases[] = {
        {"{{ '%s=%d%%' | format('a', 3) }}{{ '%.2f %f' % (1.005, 2) }}{{ '%s' % [1] }}",
         "a=3%1.00 2.000000[1]"},
        {"{{ '%d %i' % (-2.9, true) }}{{ '100%%' % () }}", "-2 1100%"},
        {"{{ none | selectattr('a') | map('upper') | join }}|{{ no | reject | list }}", "|[]"},
        {"a\r\n  {% if 1 %}\r\nb\rc{{ 'd\r\n\re' }}{{ '\\r' }}\r\n{% endif %}\r\n",
         "a\nb\ncd\n\ne\r\n"},
    };
    (void)state;
    check_programs(cases, sizeof cases / sizeof cases[0]);
}

/* A refusal has its status and names the line, the second in all of these. */
static void test_refusals(void **state)
{
    static const struct {
        const char *source;
        enum status status;
    } cases[] = {
        {"\n{% if %}", ERR_FORMAT},
        {"\n{% if 1 %}x", ERR_FORMAT},
        {"\n{{ 'x }}", ERR_FORMAT},
        {"\n{{ (1 }}", ERR_FORMAT},
        {"\n{{ 1 ! 2 }}", ERR_FORMAT},
        {"\n{{", ERR_FORMAT},
        {"\n{# x", ERR_FORMAT},
        {"\n{% raw %}x", ERR_FORMAT},
        {"\n{% endif %}", ERR_LIMIT},
        {"\n{% extends 'x' %}", ERR_LIMIT},
        {"\n{% for x in y recursive %}{% endfor %}", ERR_LIMIT},
        {"\n{{ 1 | nofilter }}", ERR_LIMIT},
        {"\n{{ '%5d' | format(1) }}", ERR_LIMIT},
        {"\n{{ '%s' | format(a=1) }}", ERR_LIMIT},
        {"\n{{ '%s %s' | format(1) }}", ERR_FORMAT},
        {"\n{{ '%s' | format(1, 2) }}", ERR_FORMAT},
        {"\n{{ '%' | format }}", ERR_FORMAT},
        {"\n{{ '%d' % 'a' }}", ERR_FORMAT},
        {"\n{{ 1 is notest }}", ERR_LIMIT},
        {"\n{{ nofunction() }}", ERR_LIMIT},
        {"\n{{ 99999999999999999999 }}", ERR_LIMIT},
        {"\n{{ 9223372036854775807 + 1 }}", ERR_LIMIT},
        {"\n{{ 1 / 0 }}", ERR_FORMAT},
        {"\n{{ 1 % 0 }}", ERR_FORMAT},
        {"\n{{ 'a' + 1 }}", ERR_FORMAT},
        {"\n{{ no.member }}", ERR_FORMAT},
        {"\n{{ none + 1 }}", ERR_FORMAT},
        {"\n{% for x in 1 %}{% endfor %}", ERR_FORMAT},
        {"\n{% set a, b = [1] %}", ERR_FORMAT},
        {"\n{% set m.x = 1 %}", ERR_FORMAT},
        {"\n{{ raise_exception('no') }}", ERR_FORMAT},
        {"\n{{ 'a' | tojson(indent=99) }}", ERR_LIMIT},
        {"\n{{ namespace() }}", ERR_LIMIT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct chat_template_text out;
        struct error err = {0};
        const enum status status = render(text_of(cases[i].source), "{\"m\":{}}", &out, &err);
        if (status != cases[i].status || !strstr(err.text, "line 2: "))
            fail_msg("%s: %d '%s'", cases[i].source, status, err.text);
        chat_template_text_deinit(&out);
    }
}

/* Programs without an end, or with too much of something, are stopped. */
static void test_budgets(void **state)
{
    static const char *const sources[] = {
        "{% set s = 'x' * 60000 %}{% for i in range(50000) %}{% if s in s %}{% endif %}"
        "{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(s='xxxxxxxx') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}"
        "{% endfor %}",
        "{% set n = namespace(l=[]) %}{% for i in range(99999) %}{% set n.l = [n.l] %}"
        "{% endfor %}{{ n.l }}",
        "{% set n = namespace(l=[1]) %}{% for i in range(99) %}{% set n.l = n.l + n.l %}"
        "{% endfor %}",
        "{% for i in range(999999) %}{% endfor %}",
        "{{ 'x' * 99999999 }}",
        "{% for i in range(50000) %}{{ 'x' * 60000 }}{% endfor %}",
    };
    /* Nesting, and chains that are as deep as they are long. */
    static const char *const chains[][3] = {{"{{ ", "not ", "1 }}"},
                                            {"{{ ", "-", "1 }}"},
                                            {"{{ 1 ", "+ 1 ", "}}"},
                                            {"{{ 'a' ", "| trim ", "}}"},
                                            {"{{ 1 ", "if 1 else 1 ", "}}"},
                                            {"", "{% if 1 %}", ""},
                                            {"{{ ", "(", ""},
                                            {"{{ x", ".y", " }}"}};
    struct text_buf deep = {0};
    struct chat_template_text out;
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        assert_int_equal(render(text_of(sources[i]), "{}", &out, &err), ERR_LIMIT);
        assert_true(i > 0 || strstr(err.text, "steps"));
        chat_template_text_deinit(&out);
    }
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        text_buf_clear(&deep);
        text_buf_add(&deep, text_of(chains[i][0]));
        for (uint32_t links = 0; links < 5000; links++)
            text_buf_add(&deep, text_of(chains[i][1]));
        text_buf_add(&deep, text_of(chains[i][2]));
        assert_int_equal(render(text_buf_text(&deep), "{}", &out, &err), ERR_LIMIT);
        chat_template_text_deinit(&out);
    }
    text_buf_deinit(&deep);
}

/* Trusted bytes as 't', data as 'd'. */
static void test_trust(void **state)
{
    static const struct {
        const char *source, *want;
    } cases[] = {
        {"ab{{ x }}c", "ttddt"},
        {"{{ '<' + x + '>' }}{{ bos_token }}", "tddttt"},
        {"{{ x | upper }}{{ x[0] }}{{ 'ab' | upper }}", "dddtt"},
        {"{{ x | replace('y', 'zz') }}", "dtt"},
        {"{{ 'ayb'.replace('y', x) }}", "tddt"},
        {"{{ [x, 'a'] | join(',') }}", "ddtt"},
        {"{{ (' ' + x + ' ').strip() }}{{ ('a' ~ x).split('x')[0] }}", "ddt"},
        {"{{ x | tojson }}{{ {'a': 1} | tojson }}", "dddddddddddd"},
        {"{% set z %}a{{ x }}{% endset %}{{ z }}", "tdd"},
        {"{% macro m(v) %}[{{ v }}]{% endmacro %}{{ m(x) }}", "tddt"},
        {"{{ x | indent(1, true) }}{{ 7 }}{{ x * 2 }}", "tddddddd"},
        {"{{ x if x == 'xy' else 'xy' }}{{ 'xy' if x == 'xy' else x }}", "ddtt"},
        {"{{ k.keys() | first }}{% for c in x %}{{ c }}{% endfor %}", "ddd"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct chat_template_text out;
        struct error err;
        char marks[64];
        if (render(text_of(cases[i].source),
                   "{\"x\":\"xy\",\"bos_token\":\"<s\",\"k\":{\"a\":1}}", &out, &err) != OK)
            fail_msg("%s: %s", cases[i].source, err.text);
        assert_true(out.text.size < sizeof marks);
        memset(marks, 'd', sizeof marks);
        for (size_t r = 0; r < out.trusted.range_count; r++)
            memset(marks + out.trusted.ranges[r].begin, 't',
                   out.trusted.ranges[r].end - out.trusted.ranges[r].begin);
        marks[out.text.size] = '\0';
        if (strcmp(marks, cases[i].want) != 0)
            fail_msg("%s: %.*s is %s, want %s", cases[i].source, TEXT_ARG(out.text), marks,
                     cases[i].want);
        chat_template_text_deinit(&out);
    }
}

/* Every prefix of a template with all kinds of token: read at the end of memory by the parser
 * itself, since a chat_template works on its own copy. */
static void test_guard_page(void **state)
{
    static const char source[] =
        "a{%- if x is defined and not y -%}{{- 'q\\u00e9' ~ \"w\\\"\" | trim(1, k='v') -}}"
        "{% elif 1.5e3 >= 2 // 3 %}{#- c -#}{% raw -%} {{ {%- endraw %}{% else %}\n"
        "{% for a, b in d.items() if a %}{{ loop.index0[1:2:-1] }}{% break %}{% endfor %}"
        "{% set n.s = [1, {'k': (2,)}, 'z'] %}{% endif %}";
    const struct testing_guard guard = testing_guard_open();
    struct arena arena;
    uint32_t whole = 0;
    (void)state;
    assert_int_equal(arena_init(&arena, 16 << 20, NULL), OK);
    for (size_t size = 0; size < sizeof source; size++) {
        const struct text prefix = testing_guard_copy(&guard, (struct text){source, size});
        struct jinja jinja = {.arena = &arena};
        const struct jinja_node *body;
        whole += jinja_parse(&jinja, prefix, &body) == OK;
        arena_rewind(&arena, 0);
    }
    assert_true(whole >= 2); /* "", "a" and what is read before the first tag is whole */
    arena_deinit(&arena);
}

/* A rendering whose arena ends at any byte fails and does nothing worse. */
static void test_small_arenas(void **state)
{
    static const char source[] =
        "{% macro f(a) %}{{ [a, 'x'] | join('-') | upper }}{% endmacro %}"
        "{% for i in range(3) %}{{ f(i) ~ {'k': i} | tojson }}{% endfor %}";
    uint32_t failed = 0;
    bool done = false;
    (void)state;
    for (size_t size = 64; size < 1 << 18 && !done; size += 64) {
        uint8_t *memory = malloc(size);
        struct arena arena = {.base = memory, .size = size};
        struct jinja_builder out = {.arena = &arena};
        struct jinja_scope scope = {0};
        struct jinja jinja = {.arena = &arena, .scope = &scope, .out = &out};
        const struct jinja_node *body;
        assert_non_null(memory);
        done =
            jinja_parse(&jinja, text_of(source), &body) == OK && jinja_run(&jinja, body) == OK;
        failed += !done;
        free(memory);
    }
    assert_true(done && failed > 10);
}

static struct json *read_json(const char *name, struct text_buf *buf)
{
    const struct test_data_path path = test_data("chat/%s", name);
    struct json *root = NULL;
    if (!test_data_is_there(&path))
        skip();
    assert_int_equal(file_map_read(buf, path.text, 1 << 20, NULL), OK);
    assert_int_equal(json_parse(text_buf_text(buf), 0, &root, NULL), OK);
    return root;
}

static void check_rendering(const struct chat_template *chat, const struct json *context,
                            const struct json *result, const char *name)
{
    struct chat_template_text out;
    struct error err = {0};
    struct text want = {0};
    bool ok = false;
    const enum status status = chat_template_render_json(chat, context, NOW_S, &out, &err);
    assert_true(json_bool(json_get(result, "ok"), &ok));
    if ((status == OK) != ok)
        fail_msg("%s %.*s: %s", name, TEXT_ARG(json_key(result)), ok ? err.text : "no error");
    if (ok) {
        assert_true(json_text(json_get(result, "text"), &want));
        if (!text_equal(want, out.text))
            fail_msg("%s %.*s: another text", name, TEXT_ARG(json_key(result)));
    }
    chat_template_text_deinit(&out);
}

static void test_real_templates(void **state)
{
    struct text_buf buffers[3] = {0};
    struct json *contexts = read_json("contexts.json", &buffers[0]);
    struct json *expected = read_json("expected.json", &buffers[1]);
    uint32_t count = 0;
    (void)state;
    for (const struct json *at = json_first(json_get(expected, "results")); at;
         at = json_next(at)) {
        struct chat_template *chat;
        struct error err;
        char key[64];
        const struct test_data_path path =
            test_data("chat/templates/%.*s", TEXT_ARG(json_key(at)));
        text_buf_clear(&buffers[2]);
        if (file_map_read(&buffers[2], path.text, 1 << 20, &err) != OK ||
            chat_template_open(text_buf_text(&buffers[2]), &chat, &err) != OK)
            fail_msg("%s: %s", path.text, err.text);
        for (const struct json *result = json_first(at); result; result = json_next(result)) {
            (void)snprintf(key, sizeof key, "%.*s", TEXT_ARG(json_key(result)));
            check_rendering(chat, json_get(contexts, key), result, path.text);
            count++;
        }
        chat_template_close(chat);
    }
    assert_int_equal(count, 220);
    json_free(contexts);
    json_free(expected);
    for (size_t i = 0; i < 3; i++)
        text_buf_deinit(&buffers[i]);
}

/* Small programs on which Jinja and other implementations agree. Two have keys with a NUL,
 * which base/json does not give whole. */
static void test_unit_programs(void **state)
{
    struct text_buf buffer = {0};
    struct json *units = read_json("hf_jinja_units.json", &buffer);
    uint32_t agreed = 0, identical = 0;
    (void)state;
    for (const struct json *unit = json_first(units); unit; unit = json_next(unit)) {
        struct text source, want, name;
        struct chat_template *chat;
        struct chat_template_text out = {0};
        struct error err = {0};
        bool agrees = false;
        assert_true(json_bool(json_get(unit, "jinja2_agrees"), &agrees));
        assert_true(json_text(json_get(unit, "template"), &source) &&
                    json_text(json_get(unit, "expected"), &want) &&
                    json_text(json_get(unit, "name"), &name));
        if (!agrees)
            continue;
        agreed++;
        if (chat_template_open(source, &chat, &err) != OK)
            fail_msg("%.*s: %s", TEXT_ARG(name), err.text);
        const bool done = chat_template_render_json(chat, json_get(unit, "context"), NOW_S,
                                                    &out, &err) == OK &&
                          text_equal(out.text, want);
        if (!done && !text_starts(name, TEXT("TOJSON_ENSURE_ASCII")))
            fail_msg("%.*s: %s '%.*s'", TEXT_ARG(name), err.text, TEXT_ARG(out.text));
        identical += done;
        chat_template_text_deinit(&out);
        chat_template_close(chat);
    }
    print_message("unit programs: %u of %u identical\n", identical, agreed);
    assert_true(agreed == 98 && identical >= 96);
    json_free(units);
    text_buf_deinit(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs),      cmocka_unit_test(test_lines_and_formats),
        cmocka_unit_test(test_refusals),      cmocka_unit_test(test_budgets),
        cmocka_unit_test(test_trust),         cmocka_unit_test(test_guard_page),
        cmocka_unit_test(test_small_arenas),  cmocka_unit_test(test_real_templates),
        cmocka_unit_test(test_unit_programs),
    };
    (void)setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
