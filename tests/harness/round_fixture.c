/* round_fixture - see round_fixture.h. */
#include "tests/harness/round_fixture.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char round_fixture_program[] =
    "```python\n"
    "def prepare_jobs(context, prev_job_manifests=None, prev_job_outputs=None):\n"
    "    jobs = []\n"
    "    for doc in context:\n"
    "        for chunk in chunk_by_paragraph(doc, max_chunk_size=60):\n"
    "            jobs.append(JobManifest(chunk=chunk, task='Revenue in 2019?', "
    "advice='Look for a number.'))\n"
    "    return jobs\n"
    "def transform_outputs(jobs):\n"
    "    return '; '.join([j.output.answer for j in jobs if j.grade == 'grounded'])\n```";

const char round_fixture_refused[] = "```python\nimport os\ndef prepare_jobs(context):\n"
                                     "    return os.listdir()\n```";

static const char REPORT[] =
    "Annual report\n\nThe canary sings in section one of this report.\n\nRevenue in 2019 was\n"
    "72.7 million dollars. Costs were 50 million dollars.\n\nNobody was injured this year.\n";
static struct text texts[] = {{REPORT, sizeof(REPORT) - 1}};
static struct text paths[] = {{"/tmp/report.txt", 15}};
static struct text names[] = {{"report.txt", 10}};
const struct documents round_fixture_documents = {
    .texts = texts, .paths = paths, .names = names, .count = 1, .bytes = sizeof(REPORT) - 1};

void round_fixture_answer(void *self, struct worker_job *job, struct arena *arena)
{
    const char *reply = "{\"explanation\": \"\", \"citation\": null, \"answer\": null}";
    job->score = text_find(job->prompt, TEXT("Costs"), 0) != SIZE_MAX ? -1 : -2;
    if (!job->is_output)
        reply = self;
    else if (text_find(job->prompt, TEXT("72.7 million"), 0) != SIZE_MAX)
        reply = "{\"explanation\": \"stated\", \"citation\": \"Revenue in 2019 was 72.7 "
                "million dollars.\", \"answer\": \"72.7 million\"}";
    else if (text_find(job->prompt, TEXT("Nobody"), 0) != SIZE_MAX)
        reply = "{\"answer\": \"cut o";
    job->reply = text_copy(text_of(reply), arena);
    job->prompt_tokens = 100;
    job->output_tokens = 5;
}

/* The same, but for prompts that are too long. */
static void answer_short(void *self, struct worker_job *job, struct arena *arena)
{
    static char nothing[] = "";
    const struct round_fixture *f = self;
    job->is_failed = f->setup.prompt_max > 0 && job->prompt.size > f->setup.prompt_max;
    if (!job->is_failed)
        round_fixture_answer(nothing, job, arena);
}

/* ---- the script ---- */

static void write_openai(struct json_writer *w, const struct round_script *script,
                         const char *text, const uint32_t tokens[2])
{
    json_write_object(w);
    json_write_key(w, "choices");
    json_write_array(w);
    json_write_object(w);
    json_write_key(w, script->is_stream ? "delta" : "message");
    json_write_object(w);
    json_write_key_text(w, "content", text_of(text));
    json_write_object_end(w);
    json_write_object_end(w);
    json_write_array_end(w);
    json_write_key(w, "usage");
    json_write_object(w);
    json_write_key_i64(w, "prompt_tokens", tokens[0]);
    json_write_key_i64(w, "completion_tokens", tokens[1]);
    json_write_object_end(w);
    json_write_object_end(w);
}

static void write_anthropic(struct json_writer *w, const char *text, const uint32_t tokens[2])
{
    json_write_object(w);
    json_write_key_text(w, "type", TEXT("message"));
    json_write_key(w, "content");
    json_write_array(w);
    json_write_object(w);
    json_write_key_text(w, "type", TEXT("text"));
    json_write_key_text(w, "text", text_of(text));
    json_write_object_end(w);
    json_write_array_end(w);
    json_write_key_text(w, "stop_reason", TEXT("end_turn"));
    json_write_key(w, "usage");
    json_write_object(w);
    json_write_key_i64(w, "input_tokens", tokens[0]);
    json_write_key_i64(w, "output_tokens", tokens[1]);
    json_write_object_end(w);
    json_write_object_end(w);
}

static void stream_anthropic(struct text_buf *body, const char *text, const uint32_t tokens[2])
{
    struct json_writer w = {.out = body};
    text_buf_format(body,
                    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{"
                    "\"usage\":{\"input_tokens\":%u,\"output_tokens\":1}}}\n\n"
                    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\","
                    "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":",
                    tokens[0]);
    json_write_text(&w, text_of(text));
    text_buf_format(body,
                    "}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":"
                    "{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":%u}}\n\n"
                    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
                    tokens[1]);
}

void round_fixture_say(struct round_script *script, const char *text, uint32_t prompt_tokens,
                       uint32_t output_tokens)
{
    const uint32_t tokens[] = {prompt_tokens, output_tokens};
    struct text_buf body = {0};
    struct json_writer w = {.out = &body};
    if (script->api == REMOTE_API_ANTHROPIC && script->is_stream) {
        stream_anthropic(&body, text, tokens);
    } else if (script->api == REMOTE_API_ANTHROPIC) {
        write_anthropic(&w, text, tokens);
    } else {
        if (script->is_stream)
            text_buf_add(&body, TEXT("data: "));
        write_openai(&w, script, text, tokens);
        if (script->is_stream)
            text_buf_add(&body, TEXT("\n\ndata: [DONE]\n\n"));
    }
    text_buf_byte(&body, '\0');
    assert_false(body.failed);
    script->bodies[script->count] = body.data;
    script->prompt_tokens += prompt_tokens;
    script->output_tokens += output_tokens;
    round_fixture_fault(script, 200, body.data, SCRIPTED_WHOLE);
}

void round_fixture_fault(struct round_script *script, int status, const char *body,
                         enum scripted_fault fault)
{
    assert_true(script->count < ROUND_SCRIPT_MAX);
    script->replies[script->count++] =
        (struct scripted_reply){.status = status, .body = body, .fault = fault};
}

void round_fixture_script_deinit(struct round_script *script)
{
    for (uint32_t i = 0; i < script->count; i++)
        free(script->bodies[i]);
}

/* ---- the run ---- */

void round_fixture_run(struct round_fixture *f, const struct round_script *script,
                       const struct round_setup *setup)
{
    char url[64];
    memset(f, 0, sizeof(*f));
    f->setup = *setup;
    f->ledger = (struct ledger){.price = {2, 8},
                                .budget_dollars =
                                    setup->budget_dollars > 0 ? setup->budget_dollars : 10};
    f->scripted =
        (struct scripted_worker){.answer = answer_short, .self = f, .parameters = 8000000000u};
    const struct worker worker = scripted_worker(&f->scripted);
    assert_true(scripted_server_start(&f->server, script->replies, script->count));
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1", f->server.port);
    const struct remote_options remote = {.url = url,
                                          .model = "big",
                                          .api = script->api,
                                          .retry_wait_s = 0.001,
                                          .response_max = setup->response_max,
                                          .attempts_max = setup->attempts_max};
    assert_int_equal(remote_open(&f->remote, &remote, &f->ledger, &f->err), OK);
    const struct round_options options = {
        .question = TEXT("What was the revenue in 2019?"),
        .documents = setup->documents ? setup->documents : &round_fixture_documents,
        .worker = &worker,
        .remote = f->remote,
        .ledger = &f->ledger,
        .rounds_max = setup->rounds_max,
        .protocol = setup->protocol,
        .wishes = setup->wishes};
    f->status = round_run(&options, &f->progress, &f->result, &f->err);
    remote_close(f->remote);
    scripted_server_stop(&f->server);
}

void round_fixture_run_well(struct round_fixture *f, const struct round_script *script,
                            const struct round_setup *setup)
{
    round_fixture_run(f, script, setup);
    if (f->status != OK)
        fail_msg("%s", f->err.text);
}

void round_fixture_deinit(struct round_fixture *f)
{
    scripted_server_deinit(&f->server);
    round_result_deinit(&f->result);
}

void round_fixture_end(struct round_fixture *f, struct round_script *script)
{
    round_fixture_deinit(f);
    round_fixture_script_deinit(script);
}

bool round_fixture_sent(const struct round_fixture *f, uint32_t request, const char *words)
{
    return text_find(text_buf_text(&f->server.bodies[request]), text_of(words), 0) != SIZE_MAX;
}

void round_fixture_check_answer(const struct round_fixture *f, const char *answer)
{
    const struct text given = text_buf_text(&f->result.answer);
    if (!text_equal(given, text_of(answer)))
        fail_msg("answered: %.*s", TEXT_ARG(given));
    for (uint32_t i = 0; i < f->server.request_count; i++)
        assert_false(round_fixture_sent(f, i, "canary"));
    round_fixture_check_ledger(f);
}

void round_fixture_check_ledger(const struct round_fixture *f)
{
    uint64_t sent = 0;
    for (uint32_t i = 0; i < f->server.request_count; i++)
        sent += f->server.bodies[i].size;
    assert_int_equal(f->ledger.calls, f->server.request_count);
    assert_int_equal(f->ledger.sent_bytes, sent);
    assert_int_equal(f->ledger.received_bytes, f->server.sent_bytes);
}
