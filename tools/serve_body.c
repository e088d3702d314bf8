/* serve_body - see serve_body.h. */
#include "tools/serve_body.h"

#include "base/base64.h"

#include <stddef.h>
#include <stdlib.h>

enum { CHUNKS_DEFAULT = 20, TASKS_MAX = 64, CHUNK_MIN = 100, CHUNK_MAX = 1 << 20 };

#define AT(field) offsetof(struct serve_body, field)

static const struct field fields[] = {
    {"question", FIELD_TEXT, 0, 0, ROUND_QUESTION_BYTES_MAX, AT(question), "What is asked."},
    {"task", FIELD_TEXT, 0, 0, ROUND_QUESTION_BYTES_MAX, AT(task),
     "The same, where there is no question."},
    {"documents", FIELD_JSON, FIELD_IS_ARRAY, 0, 0, AT(documents),
     "[{name, text}] or, of PDF, DOCX and the like, [{name, base64}]."},
    {"context", FIELD_JSON, FIELD_IS_ARRAY | FIELD_IS_STRING, 0, 0, AT(context),
     "Texts without names, beside or in place of documents."},
    {"stream", FIELD_BOOL, 0, 0, 0, AT(stream), "Progress as server-sent events."},
    {"rounds", FIELD_COUNT, 0, 1, ROUND_MAX, AT(rounds), "With a remote supervisor at most."},
    {"samples", FIELD_COUNT, 0, 1, 64, AT(samples), "Replies to each job."},
    {"tasks", FIELD_COUNT, 0, 1, TASKS_MAX, AT(wishes.tasks_max), "Different tasks a round."},
    {"chunk_size", FIELD_COUNT, 0, CHUNK_MIN, CHUNK_MAX, AT(wishes.chunk_size), "Characters."},
    {"chunks", FIELD_COUNT, 0, 1, 2048, AT(wishes.chunks_max),
     "How many are read where they are retrieved. Default 20."},
    {"retrieve", FIELD_TEXT, 0, 0, 0, AT(retrieve), "bm25: read only the best chunks."},
    {"protocol", FIELD_TEXT, 0, 0, 0, AT(protocol), "minions, or minion: one worker talks."},
    {"worker", FIELD_TEXT, 0, 0, 0, AT(worker), "auto, extract or generate."},
    {"supervisor", FIELD_TEXT, 0, 0, 0, AT(supervisor),
     "local, or remote: the one that the server was started with. Default: that, if any."},
    {"seed", FIELD_SEED, 0, 0, 0, AT(seed), "Of the random stream."},
    {"doc_metadata", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"logging_id", FIELD_IGNORED, 0, 0, 0, 0, NULL},
    {"max_rounds", FIELD_COUNT, 0, 1, ROUND_MAX, AT(rounds), "The same as rounds."},
};
const struct field_list serve_body_fields = FIELD_LIST(fields);

static enum status check_word(struct text word, const char *name, const char *const *allowed,
                              struct error *err)
{
    struct text_buf list = {0};
    for (size_t i = 0; allowed[i]; i++) {
        if (!word.data || text_equal(word, text_of(allowed[i]))) {
            text_buf_deinit(&list);
            return OK;
        }
        text_buf_format(&list, "%s%s", i > 0 ? ", " : "", allowed[i]);
    }
    const enum status status =
        error_set(err, ERR_LIMIT, __FILE__, __LINE__, "%s: \"%.*s\"; want one of: %s", name,
                  TEXT_ARG(text_slice(word, 0, 40)), list.data ? list.data : "");
    text_buf_deinit(&list);
    return status;
}

static enum status read_document(struct serve_body *body, const struct json *from,
                                 struct error *err)
{
    struct text base64;
    struct documents_file *file = &body->files[body->file_count];
    struct text_buf *decoded = &body->decoded[body->file_count];
    if (!json_text(json_get(from, "name"), &file->name) || file->name.size == 0)
        FAIL(err, ERR_FORMAT, "documents: want a name for each");
    body->file_count++;
    if (json_text(json_get(from, "text"), &file->bytes))
        return OK;
    if (!json_text(json_get(from, "base64"), &base64))
        FAIL(err, ERR_FORMAT, "documents: %.*s has neither text nor base64",
             TEXT_ARG(text_slice(file->name, 0, 80)));
    if (!base64_decode(base64, decoded))
        FAIL(err, ERR_FORMAT, "documents: %.*s: its base64 is malformed",
             TEXT_ARG(text_slice(file->name, 0, 80)));
    file->bytes = text_buf_text(decoded);
    return OK;
}

static enum status read_context(struct serve_body *body, const struct json *from, size_t number,
                                struct error *err)
{
    struct documents_file *file = &body->files[body->file_count];
    struct text_buf *name = &body->decoded[body->file_count++];
    text_buf_format(name, "context %zu", number);
    if (name->failed)
        FAIL(err, ERR_MEMORY, "context: no memory for a name");
    file->name = text_buf_text(name);
    if (!json_text(from, &file->bytes))
        FAIL(err, ERR_FORMAT, "context: want a string or a list of strings");
    return OK;
}

static enum status read_files(struct serve_body *body, struct error *err)
{
    const bool is_list = json_type(body->context) == JSON_ARRAY;
    const size_t contexts = !body->context ? 0 : is_list ? json_count(body->context) : 1;
    const size_t count = json_count(body->documents) + contexts;
    if (count == 0)
        FAIL(err, ERR_FORMAT, "documents: there are none");
    if (count > DOCUMENTS_MAX)
        FAIL(err, ERR_LIMIT, "documents: %zu, at most %d are read", count, DOCUMENTS_MAX);
    body->files = calloc(count, sizeof *body->files);
    body->decoded = calloc(count, sizeof *body->decoded);
    if (!body->files || !body->decoded)
        FAIL(err, ERR_MEMORY, "documents: no memory for %zu", count);
    for (const struct json *item = json_first(body->documents); item; item = json_next(item))
        TRY(read_document(body, item, err));
    const struct json *item = is_list ? json_first(body->context) : body->context;
    for (size_t i = 0; i < contexts; i++, item = json_next(item))
        TRY(read_context(body, item, i + 1, err));
    return OK;
}

enum status serve_body_read(struct serve_body *body, const struct json *from, struct error *err)
{
    static const char *const retrieves[] = {"none", "bm25", NULL};
    static const char *const protocols[] = {"minions", "minion", NULL};
    static const char *const workers[] = {"auto", "extract", "generate", NULL};
    static const char *const supervisors[] = {"local", "remote", NULL};
    *body = (struct serve_body){0};
    TRY(field_read(from, &serve_body_fields, body, err));
    if (body->question.size == 0)
        body->question = body->task;
    if (text_trim(body->question).size == 0)
        FAIL(err, ERR_FORMAT, "question: there is none");
    TRY(check_word(body->retrieve, "retrieve", retrieves, err));
    TRY(check_word(body->protocol, "protocol", protocols, err));
    TRY(check_word(body->worker, "worker", workers, err));
    TRY(check_word(body->supervisor, "supervisor", supervisors, err));
    const bool is_retrieved = text_equal(body->retrieve, TEXT("bm25"));
    if (body->wishes.chunks_max > 0 && !is_retrieved)
        FAIL(err, ERR_FORMAT, "chunks: want retrieve, too: how are they chosen?");
    if (is_retrieved && body->wishes.chunks_max == 0)
        body->wishes.chunks_max = CHUNKS_DEFAULT;
    return read_files(body, err);
}

void serve_body_deinit(struct serve_body *body)
{
    for (uint32_t i = 0; body->decoded && i < body->file_count; i++)
        text_buf_deinit(&body->decoded[i]);
    free(body->files);
    free(body->decoded);
    *body = (struct serve_body){0};
}

enum round_worker serve_body_worker(const struct serve_body *body)
{
    return text_equal(body->worker, TEXT("extract"))    ? ROUND_EXTRACT
           : text_equal(body->worker, TEXT("generate")) ? ROUND_GENERATE
                                                        : ROUND_AUTO;
}

enum round_protocol serve_body_protocol(const struct serve_body *body)
{
    return text_equal(body->protocol, TEXT("minion")) ? ROUND_MINION : ROUND_MINIONS;
}
