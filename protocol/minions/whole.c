/* whole - see whole.h. */
#include "protocol/minions/whole.h"

#include "base/json.h"
#include "protocol/minions/job_output.h"
#include "protocol/minions/prompts.h"

enum { REPLY_BYTES_MAX = 1 << 20, OTHER_TOKENS = 4096 + 1024 }; /* the reply, and our words */

/* As much of each document as there is room for, cut between code points. */
static void fit(const struct whole_options *options, struct text texts[DOCUMENTS_MAX],
                uint64_t *left_bytes)
{
    const struct documents *documents = options->documents;
    size_t room = (size_t)(options->context_tokens - OTHER_TOKENS) * WHOLE_BYTES_PER_TOKEN;
    *left_bytes = 0;
    room = room > options->question.size ? room - options->question.size : 0;
    for (uint32_t i = 0; i < documents->count; i++) {
        texts[i] = documents->texts[i];
        if (texts[i].size > room) {
            texts[i].size = room;
            texts[i].size = text_utf8_valid(texts[i]);
        }
        room -= texts[i].size;
        *left_bytes += documents->texts[i].size - texts[i].size;
    }
}

/* The reply's answer: its JSON member, or where there is no JSON all of it. */
static void read_answer(struct text reply, struct text_buf *answer)
{
    struct json *root = NULL;
    struct text text = {0}, number = {0};
    double value = 0;
    bool truth = false;
    if (json_parse(job_output_find_object(reply), REPLY_BYTES_MAX, &root, NULL) != OK) {
        text_buf_add(answer, text_trim(reply));
        return;
    }
    const struct json *member = json_get(root, "answer");
    if (json_text(member, &text))
        text_buf_add(answer, text_trim(text));
    else if (json_bool(member, &truth))
        text_buf_add(answer, truth ? TEXT("yes") : TEXT("no"));
    else if (json_number_text(member, &number))
        text_buf_add(answer, number);
    else if (json_double(member, &value))
        text_buf_format(answer, "%.15g", value);
    json_free(root);
}

enum status whole_answer(struct remote *remote, const struct whole_options *options,
                         struct text_buf *answer, uint64_t *left_bytes, struct error *err)
{
    struct text texts[DOCUMENTS_MAX];
    struct text_buf prompt = {0};
    struct remote_reply reply = {0};
    if (options->context_tokens < WHOLE_CONTEXT_MIN)
        FAIL(err, ERR_LIMIT, "remote only: a context of %u tokens, at least %d are needed",
             options->context_tokens, WHOLE_CONTEXT_MIN);
    fit(options, texts, left_bytes);
    prompts_whole(&prompt, options->question, options->documents, texts);
    const struct remote_message message = {"user", text_buf_text(&prompt)};
    enum status status = OK;
    if (prompt.failed)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "remote only: no memory");
    if (status == OK)
        status = remote_chat(remote, &message, 1, &reply, err);
    if (status == OK) {
        read_answer(text_buf_text(&reply.content), answer);
        if (answer->failed)
            status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "remote only: no memory");
        else if (job_output_is_none(text_buf_text(answer)))
            status = error_set(err, ERR_REMOTE, __FILE__, __LINE__,
                               "remote only: the model gave no answer");
    }
    text_buf_deinit(&reply.content);
    text_buf_deinit(&prompt);
    return status;
}
