/* dsl_test - the door: ids, places, rounds, and that each limit trips. */
#include "protocol/dsl/dsl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char TRANSFORM[] = "\ndef transform_outputs(jobs):\n"
                                "    return ';'.join(f'{j.manifest.job_id}={j.output.answer}' "
                                "for j in jobs)\n";

struct run {
    struct dsl_program *program;
    struct dsl_jobs jobs;
    struct dsl_fault fault;
    enum status status;
};

/* Opens prepare (the source of prepare_jobs) with TRANSFORM behind it, and runs it. */
static struct run prepare(const char *source, const struct dsl_limits *limits,
                          const struct text *documents, uint32_t count)
{
    struct run r = {0};
    struct text_buf whole = {0};
    struct error err;
    text_buf_add(&whole, text_of(source));
    text_buf_add(&whole, text_of(TRANSFORM));
    const struct dsl_options options = {text_buf_text(&whole), documents, count, limits};
    r.status = dsl_open(&r.program, &options, &r.fault, &err);
    text_buf_deinit(&whole);
    if (r.status == OK)
        r.status = dsl_prepare_jobs(r.program, NULL, &r.jobs, &r.fault, &err);
    return r;
}

static const struct text DOCUMENTS[] = {{"one two three", 13}, {"vier f\xc3\xbcnf sechs", 16}};

static void jobs_have_ids_and_places(void **state)
{
    struct run r = prepare("def prepare_jobs(context, m=None, o=None):\n"
                           "    out = []\n"
                           "    for task in ['a', 'b']:\n"
                           "        for doc in context:\n"
                           "            for c in chunk_by_section(doc, 5, 0):\n"
                           "                out.append(JobManifest(chunk=c.strip(), task=task, "
                           "advice=''))\n"
                           "    out.append(JobManifest(chunk='made ' + 'up', task='a', "
                           "advice='x'))\n"
                           "    out.append(JobManifest(chunk='two' + ' three', task='a', "
                           "advice='x'))\n"
                           "    return out\n",
                           NULL, DOCUMENTS, 2);
    (void)state;
    assert_int_equal(r.status, OK);
    assert_int_equal(r.jobs.count, 14);
    for (uint32_t i = 0; i < r.jobs.count; i++) {
        const struct dsl_job *job = &r.jobs.list[i];
        assert_int_equal(job->job_id, i);
        assert_int_equal(job->document < 0, i == 12);
        if (job->document >= 0)
            assert_true(text_equal(text_slice(DOCUMENTS[job->document], job->offset,
                                              job->offset + job->chunk.size),
                                   job->chunk));
    }
    assert_int_equal(r.jobs.list[6].chunk_id, 0);
    assert_int_equal(r.jobs.list[6].task_id, 1);
    assert_int_equal(r.jobs.list[3].offset, 0);
    assert_int_equal(r.jobs.list[4].offset, 5);
    assert_int_equal(r.jobs.list[13].offset, 4); /* joined, but found again */
    dsl_close(r.program);
}

static void transform_sees_the_outputs(void **state)
{
    struct run r = prepare("def prepare_jobs(context, m=None, o=None):\n"
                           "    return [JobManifest(chunk=c, task='t', advice='')"
                           " for c in context[0].split()]\n",
                           NULL, DOCUMENTS, 1);
    (void)state;
    assert_int_equal(r.status, OK);
    const struct dsl_job two[] = {r.jobs.list[0], r.jobs.list[2]};
    const struct dsl_output outputs[] = {
        {.answer = TEXT("A"), .has_answer = true},
        {.sample = TEXT("\xff bad"), .citation = TEXT("c"), .has_citation = true},
    };
    const struct dsl_finished finished = {two, outputs, 2};
    struct text text;
    assert_int_equal(dsl_transform(r.program, &finished, &text, &r.fault, NULL), OK);
    assert_true(text_equal(text, TEXT("0=A;2=None")));
    dsl_close(r.program);
}

static void wall_time_is_limited(void **state)
{
    const struct dsl_limits limits = {.wall_s = 0.1, .steps = UINT64_MAX};
    struct run r = prepare("def prepare_jobs(context, m=None, o=None):\n"
                           "    while True: pass\n",
                           &limits, DOCUMENTS, 1);
    (void)state;
    assert_int_equal(r.status, ERR_LIMIT);
    assert_int_equal(r.fault.kind, DSL_BUDGET);
    assert_string_equal(r.fault.message, "it ran for more than 0.1 seconds");
    assert_int_equal(dsl_prepare_jobs(r.program, NULL, &r.jobs, &r.fault, NULL), ERR_LIMIT);
    dsl_close(r.program);
}

/* A grade is read by name, and is no part of the class otherwise: dumps are the reference's. */
static void a_grade_is_seen_and_not_dumped(void **state)
{
    static const char source[] =
        "def prepare_jobs(context, m=None, o=None):\n"
        "    return [JobManifest(chunk=context[0], task='t', advice='')]\n"
        "def transform_outputs(jobs):\n"
        "    j = jobs[0]\n"
        "    return f'{j.grade} {list(j.model_dump())} {\"grade\" in repr(j)}'\n";
    struct dsl_program *program = NULL;
    struct dsl_fault fault;
    struct dsl_jobs jobs;
    struct text text;
    (void)state;
    const struct dsl_options options = {text_of(source), DOCUMENTS, 1, NULL};
    assert_int_equal(dsl_open(&program, &options, &fault, NULL), OK);
    assert_int_equal(dsl_prepare_jobs(program, NULL, &jobs, &fault, NULL), OK);
    const struct dsl_output graded = {.grade = TEXT("ungrounded")}, plain = {.sample = {0}};
    struct dsl_finished finished = {jobs.list, &graded, 1};
    assert_int_equal(dsl_transform(program, &finished, &text, &fault, NULL), OK);
    assert_true(
        text_equal(text, TEXT("ungrounded ['manifest', 'output', 'sample', 'include'] False")));
    finished.outputs = &plain;
    assert_int_equal(dsl_transform(program, &finished, &text, &fault, NULL), OK);
    assert_true(text_starts(text, TEXT("None [")));
    dsl_close(program);
}

/* Spans of one text are small in the program, and large where each is written out. */
static void texts_of_jobs_count_as_memory(void **state)
{
    const struct dsl_limits limits = {.bytes = (size_t)8 << 20};
    struct run r = prepare("def prepare_jobs(context, m=None, o=None):\n"
                           "    s = 'a' * 100000\n"
                           "    return [JobManifest(chunk=s[i:], task='t', advice='')"
                           " for i in range(1000)]\n",
                           &limits, DOCUMENTS, 1);
    (void)state;
    assert_int_equal(r.status, ERR_LIMIT);
    assert_int_equal(r.fault.kind, DSL_BUDGET);
    assert_string_equal(r.fault.message,
                        "the texts of its jobs are larger than its memory allows");
    dsl_close(r.program);
}

static void second_round_sees_the_first(void **state)
{
    struct run r =
        prepare("def prepare_jobs(context, m=None, o=None):\n"
                "    if m is None:\n"
                "        return [JobManifest(chunk=context[0], task='t', advice='')]\n"
                "    return [JobManifest(chunk=x.chunk, task=y.answer, advice='')"
                " for x, y in zip(m, o)]\n",
                NULL, DOCUMENTS, 1);
    const struct dsl_output output = {.answer = TEXT("next"), .has_answer = true};
    struct dsl_jobs jobs;
    (void)state;
    assert_int_equal(r.status, OK);
    const struct dsl_finished past = {r.jobs.list, &output, 1};
    assert_int_equal(dsl_prepare_jobs(r.program, &past, &jobs, &r.fault, NULL), OK);
    assert_int_equal(jobs.count, 1);
    assert_true(text_equal(jobs.list[0].task, TEXT("next")));
    assert_int_equal(jobs.list[0].document, 0);
    dsl_close(r.program);
}

static const char MANY[] =
    "def prepare_jobs(context, m=None, o=None):\n"
    "    return [JobManifest(chunk='c' * 100, task='t', advice='')] * 50\n";

static void expect_budget(const char *source, struct dsl_limits limits, const char *word)
{
    struct run r = prepare(source, &limits, DOCUMENTS, 1);
    assert_int_equal(r.status, ERR_LIMIT);
    assert_int_equal(r.fault.kind, DSL_BUDGET);
    if (!strstr(r.fault.message, word))
        fail_msg("%s lacks %s", r.fault.message, word);
    dsl_close(r.program);
}

static void each_limit_trips(void **state)
{
    (void)state;
    struct run fine = prepare(MANY, NULL, DOCUMENTS, 1);
    assert_int_equal(fine.status, OK);
    assert_int_equal(fine.jobs.count, 50);
    dsl_close(fine.program);
    expect_budget(MANY, (struct dsl_limits){.jobs = 49}, "more than 49 jobs");
    expect_budget(MANY, (struct dsl_limits){.chunk_bytes = 4999}, "more than 4999 bytes");
    expect_budget("def prepare_jobs(context, m=None, o=None):\n    while True: pass\n",
                  (struct dsl_limits){.steps = 1000000}, "evaluation steps");
    expect_budget("def prepare_jobs(context, m=None, o=None):\n    return ['x'] * 10000000\n",
                  (struct dsl_limits){.bytes = 8 << 20}, "bytes of memory");
    expect_budget("def prepare_jobs(context, m=None, o=None):\n"
                  "    return prepare_jobs(context)\n",
                  (struct dsl_limits){.depth = 7}, "deeper than 7");
}

static void source_and_output_are_limited(void **state)
{
    const struct dsl_limits small = {.source_bytes = 60}, brief = {.output_bytes = 4};
    struct run r = prepare(MANY, &small, DOCUMENTS, 1);
    struct text text;
    (void)state;
    assert_int_equal(r.status, ERR_FORMAT);
    assert_int_equal(r.fault.kind, DSL_REFUSED);
    assert_null(r.program);
    r = prepare(MANY, &brief, DOCUMENTS, 1);
    assert_int_equal(r.status, OK);
    const struct dsl_output output = {.answer = TEXT("long"), .has_answer = true};
    const struct dsl_finished finished = {r.jobs.list, &output, 1};
    assert_int_equal(dsl_transform(r.program, &finished, &text, &r.fault, NULL), ERR_LIMIT);
    assert_int_equal(r.fault.kind, DSL_BUDGET);
    dsl_close(r.program);
}

static void faults_name_line_and_class(void **state)
{
    struct run r = prepare("def prepare_jobs(context, m=None, o=None):\n"
                           "    d = {}\n"
                           "    return d['k']\n",
                           NULL, DOCUMENTS, 1);
    (void)state;
    assert_int_equal(r.status, ERR_FORMAT);
    assert_int_equal(r.fault.kind, DSL_RAISED);
    assert_int_equal(r.fault.line, 3);
    assert_string_equal(r.fault.exception, "KeyError");
    assert_string_equal(r.fault.message, "'k'");
    dsl_close(r.program);
    r = prepare("x = 1\n", NULL, DOCUMENTS, 1);
    assert_int_equal(r.fault.kind, DSL_REFUSED);
    assert_non_null(strstr(r.fault.message, "prepare_jobs"));
}

static void source_is_found_in_a_reply(void **state)
{
    const struct text last = TEXT("First:\n```python\ndef prepare_jobs(c): old\n```\nthen\n"
                                  "```\ndef prepare_jobs(c): new\n```\nand\n```\nx\n```\n");
    (void)state;
    assert_true(text_equal(dsl_find_source(last), TEXT("def prepare_jobs(c): new\n")));
    assert_true(text_equal(dsl_find_source(TEXT("def prepare_jobs(c): 1")),
                           TEXT("def prepare_jobs(c): 1")));
    assert_true(text_equal(dsl_find_source(TEXT("```py\ndef prepare_jobs(c): cut")),
                           TEXT("def prepare_jobs(c): cut")));
    assert_int_equal(dsl_find_source((struct text){0}).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_have_ids_and_places),
        cmocka_unit_test(transform_sees_the_outputs),
        cmocka_unit_test(wall_time_is_limited),
        cmocka_unit_test(a_grade_is_seen_and_not_dumped),
        cmocka_unit_test(second_round_sees_the_first),
        cmocka_unit_test(each_limit_trips),
        cmocka_unit_test(source_and_output_are_limited),
        cmocka_unit_test(faults_name_line_and_class),
        cmocka_unit_test(texts_of_jobs_count_as_memory),
        cmocka_unit_test(source_is_found_in_a_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
