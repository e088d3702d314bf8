/*
 * reply_fuzz - libFuzzer target: any bytes as what comes back from elsewhere. As a body of
 * either wire, whole and streamed (remote_wire, sse), as an error's words, and as a worker's
 * reply over a chunk (job_output). A citation that is accepted must stand in the chunk.
 *
 *     reply_fuzz -max_len=4096 -timeout=1 CORPUS
 */
#include "protocol/minions/job_output.h"
#include "protocol/minions/remote_wire.h"
#include "protocol/minions/sse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char CHUNK[] =
    "The offer is valid\n for three  years; \"spare\" parts: no. Gr\xc3\xb6\xc3\x9f"
    "e 7 {x}.";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_body(struct text body, enum remote_wire_kind kind)
{
    struct remote_wire wire = {.kind = kind, .model = "m", .output_tokens_max = 16};
    struct remote_reply reply = {0};
    struct error err = {0};
    char words[80];
    const enum status status = remote_wire_read(&wire, body, &reply, &err);
    assert(status == OK || (status == ERR_REMOTE && err.text[0] != '\0'));
    assert(!reply.has_usage || reply.output_tokens <= INT32_MAX);
    text_buf_deinit(&reply.content);
    remote_wire_words(body, words, sizeof(words));
    assert(strlen(words) < sizeof(words));
    remote_wire_match(&wire, body);
    int learnt = 0;
    while (remote_wire_learn(&wire, body))
        learnt++;
    assert(learnt <= 3); /* each thing once */
}

static void try_events(struct text body)
{
    struct sse sse = {.rest = body};
    size_t events = 0;
    while (sse_next(&sse)) {
        assert(sse.event.size == 0 ||
               (sse.event.data >= body.data && sse.event.data < body.data + body.size));
        events++;
    }
    assert(events <= body.size / 2);
    sse_deinit(&sse);
}

static void try_reply(struct text reply, bool is_cut)
{
    static uint8_t memory[1 << 16];
    struct arena arena = {.base = memory, .size = sizeof(memory)};
    const struct text chunk = {CHUNK, sizeof(CHUNK) - 1};
    struct job_output output;
    job_output_parse(reply, is_cut, chunk, &arena, &output);
    assert(output.kind < JOB_OUTPUT_KINDS && job_output_grade(output.kind));
    assert(output.citation.size == 0 ||
           output.citation.data == chunk.data + output.citation_offset);
    assert(output.citation_offset + output.citation.size <= chunk.size);
    assert(output.kind != JOB_OUTPUT_ANSWER || output.citation.size > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1); /* its exact size, so that one byte more is seen */
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    const struct text body = {copy, size};
    try_body(body, REMOTE_WIRE_OPENAI);
    try_body(body, REMOTE_WIRE_ANTHROPIC);
    try_events(body);
    try_reply(body, false);
    try_reply(body, true);
    free(copy);
    return 0;
}
