/*
 * serve_body - the body of POST /minions: a question, documents, settings.
 *
 * Owner    a read body borrows from its JSON tree and keeps decoded files until deinit.
 */
#ifndef TOOLS_SERVE_BODY_H
#define TOOLS_SERVE_BODY_H

#include "base/json.h"
#include "protocol/api/field.h"
#include "protocol/minions/documents.h"
#include "protocol/minions/round.h"

extern const struct field_list serve_body_fields;

struct serve_body {
    struct text question, task; /* task: the reference server's name for it */
    const struct json *documents, *context;
    struct text retrieve, protocol, worker, supervisor;
    uint32_t rounds, samples;
    struct prompts_wishes wishes;
    uint64_t seed;
    bool stream;

    struct documents_file *files; /* [file_count] */
    struct text_buf *decoded;     /* [file_count] what came as base64; of context, its name */
    uint32_t file_count;
};

/* ERR_FORMAT, ERR_LIMIT: one sentence that begins with the field's name; ERR_MEMORY. deinit is
 * due in any case. */
MUST_USE enum status serve_body_read(struct serve_body *body, const struct json *from,
                                     struct error *err);
void serve_body_deinit(struct serve_body *body);

/* The words of the body as the round's choices. */
enum round_worker serve_body_worker(const struct serve_body *body);
enum round_protocol serve_body_protocol(const struct serve_body *body);

#endif
