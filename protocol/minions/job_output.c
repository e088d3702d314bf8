/* job_output - see job_output.h. */
#include "protocol/minions/job_output.h"

#include "base/json.h"
#include "protocol/minions/fold.h"

#include <string.h>
#include <strings.h>

enum { REPLY_BYTES_MAX = 1 << 20 };

bool job_output_is_none(struct text answer)
{
    static const char *const words[] = {"none",          "null",          "n/a",
                                        "not mentioned", "not specified", "not found"};
    answer = text_trim(answer);
    while (answer.size > 0 && strchr(".!\"'", answer.data[answer.size - 1]))
        answer.size--;
    while (answer.size > 0 && strchr("\"'", answer.data[0]))
        answer = text_slice(answer, 1, answer.size);
    if (answer.size == 0)
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (answer.size == strlen(words[i]) &&
            strncasecmp(answer.data, words[i], answer.size) == 0)
            return true;
    return false;
}

struct text job_output_find_object(struct text reply)
{
    const char *open = reply.size ? memchr(reply.data, '{', reply.size) : NULL;
    const char *close = reply.size ? memrchr(reply.data, '}', reply.size) : NULL;
    if (!open || !close || close < open)
        return (struct text){0};
    const size_t begin = (size_t)(open - reply.data), end = (size_t)(close - reply.data) + 1;
    return text_slice(reply, begin, end);
}

const char *job_output_grade(enum job_output_kind kind)
{
    static const char *const words[JOB_OUTPUT_KINDS] = {
        [JOB_OUTPUT_ANSWER] = "grounded",       [JOB_OUTPUT_NONE] = "none",
        [JOB_OUTPUT_TRUNCATED] = "truncated",   [JOB_OUTPUT_UNREADABLE] = "unreadable",
        [JOB_OUTPUT_UNGROUNDED] = "ungrounded",
    };
    return words[kind];
}

/* A string member copied to the arena. A null counts as empty; false when it is neither, or
 * the arena is full. */
static bool take_text(const struct json *object, const char *key, struct arena *arena,
                      struct text *out)
{
    struct text value = {0};
    const struct json *member = json_get(object, key);
    *out = (struct text){0};
    if (!json_text(member, &value))
        return json_type(member) == JSON_NULL;
    *out = text_copy(text_trim(value), arena);
    return out->data != NULL;
}

/* Replaces a quoted citation by the chunk's own bytes, or drops it. */
static void check_citation(struct text chunk, struct job_output *output)
{
    struct text quoted = output->citation;
    size_t offset = 0, size = 0;
    output->citation = (struct text){0};
    if (job_output_is_none(quoted))
        return;
    bool found = fold_find(chunk, quoted, &offset, &size);
    if (!found) { /* models put quotes around, and dots after */
        while (quoted.size > 0 && strchr("\"'.", quoted.data[quoted.size - 1]))
            quoted.size--;
        while (quoted.size > 0 && strchr("\"'.", quoted.data[0]))
            quoted = text_slice(quoted, 1, quoted.size);
        found = fold_find(chunk, quoted, &offset, &size);
    }
    if (!found)
        return;
    output->citation = text_slice(chunk, offset, offset + size);
    output->citation_offset = offset;
}

void job_output_parse(struct text reply, bool is_cut, struct text chunk, struct arena *arena,
                      struct job_output *output)
{
    struct json *root = NULL;
    const struct text object = job_output_find_object(reply);
    *output =
        (struct job_output){.kind = is_cut ? JOB_OUTPUT_TRUNCATED : JOB_OUTPUT_UNREADABLE};
    if (object.size == 0 || json_parse(object, REPLY_BYTES_MAX, &root, NULL) != OK)
        return;
    struct job_output read = {0};
    if (json_get(root, "answer") && take_text(root, "explanation", arena, &read.explanation) &&
        take_text(root, "citation", arena, &read.citation) &&
        take_text(root, "answer", arena, &read.answer)) {
        read.kind = job_output_is_none(read.answer) ? JOB_OUTPUT_NONE : JOB_OUTPUT_ANSWER;
        if (read.kind == JOB_OUTPUT_NONE)
            read.answer = (struct text){0};
        check_citation(chunk, &read);
        if (read.kind == JOB_OUTPUT_ANSWER && read.citation.size == 0)
            read.kind = JOB_OUTPUT_UNGROUNDED;
        *output = read;
    }
    json_free(root);
}
