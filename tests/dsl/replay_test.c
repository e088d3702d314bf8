/*
 * replay_test - recorded programs of a frontier model over real filings: the same jobs, the
 * same text or exception of transform_outputs.
 *
 * Needs the data folder's minions/replay and the programs xz; skipped without them.
 */
#include "base/json.h"
#include "base/sha256.h"
#include "protocol/dsl/dsl.h"
#include "tests/harness/test_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { REACHED_JOBS = 93, REACHED_TEXT = 90, SKIPPED = 77 };

struct replay {
    struct text_buf programs, outputs, documents; /* JSON lines twice, a tar */
    int total, jobs_same, texts, texts_same;
};

/* A file unpacked by xz as a child. */
static bool unpack(const char *name, struct text_buf *out)
{
    const struct test_data_path path = test_data("minions/replay/%s", name);
    char command[600];
    static char block[1 << 16];
    if (!test_data_is_there(&path))
        return false;
    snprintf(command, sizeof command, "xz -dc '%s'", path.text);
    FILE *pipe = popen(command, "r");
    if (!pipe)
        return false;
    for (size_t size; (size = fread(block, 1, sizeof block, pipe)) > 0;)
        text_buf_add(out, (struct text){block, size});
    return pclose(pipe) == 0 && out->size > 0;
}

/* The content of NAME.txt in a tar: headers of 512 bytes, size in octal at 124. */
static struct text tar_member(struct text tar, struct text name)
{
    for (size_t at = 0; at + 512 <= tar.size && tar.data[at] != '\0';) {
        const char *header = tar.data + at;
        const size_t size = strtoul(header + 124, NULL, 8);
        const char *base = strrchr(header, '/');
        base = base ? base + 1 : header;
        if (strncmp(base, name.data, name.size) == 0 && base[name.size] == '.')
            return text_slice(tar, at + 512, at + 512 + size);
        at += 512 + (size + 511) / 512 * 512;
    }
    return (struct text){0};
}

/* The line of that id, parsed; NULL when there is none. */
static struct json *find_line(struct text lines, struct text id)
{
    for (size_t at = 0; at < lines.size;) {
        const size_t end = text_find(lines, TEXT("\n"), at);
        const struct text line = text_slice(lines, at, end);
        struct json *json = NULL;
        struct text found;
        char key[64];
        const int size = snprintf(key, sizeof key, "\"id\": \"%.*s\"", TEXT_ARG(id));
        at = end == SIZE_MAX ? lines.size : end + 1;
        if (text_find(text_slice(line, 0, 100), (struct text){key, (size_t)size}, 0) ==
            SIZE_MAX)
            continue;
        assert_int_equal(json_parse(line, 0, &json, NULL), OK);
        if (json_text(json_get(json, "id"), &found) && text_equal(found, id))
            return json;
        json_free(json);
    }
    return NULL;
}

static bool same_jobs(const struct json *want, const struct dsl_job *jobs, uint32_t count)
{
    struct sha256 hash;
    char hex[SHA256_HEX_BYTES];
    struct text expected = {0};
    int64_t expected_count = 0;
    sha256_init(&hash);
    for (uint32_t i = 0; i < count; i++) {
        sha256_add(&hash, jobs[i].chunk.data, jobs[i].chunk.size);
        sha256_add(&hash, "\x1f", 1);
        sha256_add(&hash, jobs[i].task.data, jobs[i].task.size);
        sha256_add(&hash, "\x1f", 1);
        sha256_add(&hash, jobs[i].advice.data, jobs[i].advice.size);
        sha256_add(&hash, "\x1e", 1);
    }
    sha256_hex(&hash, hex);
    if (!json_i64(json_get(want, "count"), &expected_count) || expected_count != count ||
        !json_text(json_get(want, "sha256"), &expected) || !text_equal(expected, text_of(hex)))
        return false;
    const struct json *pair = json_first(json_get(want, "chunk_task_ids"));
    for (uint32_t i = 0; i < count; i++, pair = json_next(pair)) {
        int64_t chunk_id = -1, task_id = -1;
        const struct json *first = json_first(pair);
        if (!json_i64(first, &chunk_id) || !json_i64(json_next(first), &task_id) ||
            chunk_id != jobs[i].chunk_id || task_id != jobs[i].task_id)
            return false;
    }
    return true;
}

/* Every job whose chunk has a place must stand there. */
static void check_places(const struct text *document, const struct dsl_job *jobs,
                         uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (jobs[i].document < 0)
            continue;
        const struct text there =
            text_slice(*document, jobs[i].offset, jobs[i].offset + jobs[i].chunk.size);
        assert_true(text_equal(there, jobs[i].chunk));
    }
}

static void read_output(const struct json *sample, struct dsl_output *output,
                        struct json **parsed)
{
    assert_true(json_text(json_get(sample, "sample"), &output->sample));
    assert_int_equal(json_parse(output->sample, 0, parsed, NULL), OK);
    json_text(json_get(*parsed, "explanation"), &output->explanation);
    output->has_citation = json_text(json_get(*parsed, "citation"), &output->citation);
    output->has_answer = json_text(json_get(*parsed, "answer"), &output->answer);
}

static bool same_text(const struct json *want, enum status status, struct text text,
                      const struct dsl_fault *fault)
{
    struct text expected = {0};
    char failure[700];
    json_text(json_get(want, "text"), &expected);
    if (status != OK) {
        snprintf(failure, sizeof failure, "%s: %s", fault->exception, fault->message);
        text = text_of(failure);
    }
    return text_equal(text, expected);
}

static void transform(struct replay *r, const struct json *line, struct text id,
                      struct dsl_program *program, const struct dsl_job *jobs)
{
    struct json *recorded = find_line(text_buf_text(&r->outputs), id);
    const struct json *samples = json_get(recorded, "outputs");
    const uint32_t count = (uint32_t)json_count(samples);
    struct dsl_job *known = calloc(count + 1, sizeof *known);
    struct dsl_output *outputs = calloc(count + 1, sizeof *outputs);
    struct json **parsed = calloc(count + 1, sizeof *parsed);
    struct text text = {0};
    struct dsl_fault fault = {0};
    uint32_t at = 0;
    if (recorded) {
        for (const struct json *s = json_first(samples); s; s = json_next(s), at++) {
            int64_t job_id = 0;
            assert_true(json_i64(json_get(s, "job_id"), &job_id));
            known[at] = jobs[job_id];
            read_output(s, &outputs[at], &parsed[at]);
        }
        const struct dsl_finished finished = {known, outputs, count};
        const enum status status = dsl_transform(program, &finished, &text, &fault, NULL);
        const bool same = same_text(json_get(line, "transform"), status, text, &fault);
        r->texts++;
        r->texts_same += same;
        if (!same)
            printf("%.*s: transform differs (line %d: %s: %s)\n", TEXT_ARG(id), fault.line,
                   fault.exception, fault.message);
    }
    for (uint32_t i = 0; i < at; i++)
        json_free(parsed[i]);
    json_free(recorded);
    free(parsed);
    free(outputs);
    free(known);
}

static void replay_one(struct replay *r, const struct json *line)
{
    struct text id = {0}, code = {0}, reply = {0}, name = {0};
    struct dsl_program *program = NULL;
    struct dsl_fault fault = {0};
    struct dsl_jobs jobs = {0};
    json_text(json_get(line, "id"), &id);
    json_text(json_get(line, "code"), &code);
    json_text(json_get(line, "doc"), &name);
    if (json_text(json_get(line, "raw_output"), &reply))
        assert_true(text_equal(text_trim(dsl_find_source(reply)), text_trim(code)));
    struct text document = tar_member(text_buf_text(&r->documents), name);
    assert_non_null(document.data);
    r->total++;
    const struct json *recorded = json_get(line, "jobs");
    const struct dsl_options options = {
        .source = code, .documents = &document, .document_count = 1};
    enum status status = dsl_open(&program, &options, &fault, NULL);
    if (status == OK)
        status = dsl_prepare_jobs(program, NULL, &jobs, &fault, NULL);
    if (status != OK) {
        /* no jobs were recorded either where the manifests did not validate */
        const bool alike = !recorded && strcmp(fault.exception, "ValidationError") == 0;
        r->jobs_same += alike;
        if (!alike)
            printf("%.*s: line %d: %s: %s\n", TEXT_ARG(id), fault.line, fault.exception,
                   fault.message);
        dsl_close(program);
        return;
    }
    const bool same = same_jobs(recorded, jobs.list, jobs.count);
    check_places(&document, jobs.list, jobs.count);
    r->jobs_same += same;
    if (same)
        transform(r, line, id, program, jobs.list);
    else
        printf("%.*s: jobs differ\n", TEXT_ARG(id));
    dsl_close(program);
}

static void recorded_programs(void **state)
{
    struct replay *r = *state;
    const struct text lines = text_buf_text(&r->programs);
    for (size_t at = 0; at < lines.size;) {
        const size_t end = text_find(lines, TEXT("\n"), at);
        struct json *line = NULL;
        assert_int_equal(json_parse(text_slice(lines, at, end), 0, &line, NULL), OK);
        replay_one(r, line);
        json_free(line);
        at = end == SIZE_MAX ? lines.size : end + 1;
    }
    printf("recorded programs: jobs the same %d of %d, text the same %d of %d\n", r->jobs_same,
           r->total, r->texts_same, r->texts);
    assert_true(r->jobs_same >= REACHED_JOBS);
    assert_true(r->texts_same >= REACHED_TEXT);
}

int main(void)
{
    static struct replay r;
    if (!unpack("dev_programs.jsonl.xz", &r.programs) ||
        !unpack("dev_job_outputs.jsonl.xz", &r.outputs) ||
        !unpack("dev_docs.tar.xz", &r.documents)) {
        printf("skipped: no recorded programs, or no program xz\n");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(recorded_programs, &r)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    text_buf_deinit(&r.programs);
    text_buf_deinit(&r.outputs);
    text_buf_deinit(&r.documents);
    return failed;
}
