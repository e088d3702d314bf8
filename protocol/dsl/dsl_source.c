/*
 * dsl_source - dsl_find_source of dsl.h: the program in a model's reply.
 *
 * A fence is a line that begins, after white space, with at least three backticks; the block
 * ends at the next such line, or with the reply. What stands behind the opening backticks is
 * the name of a language and does not count.
 */
#include "protocol/dsl/dsl.h"

static size_t line_end(struct text reply, size_t at)
{
    const size_t end = text_find(reply, TEXT("\n"), at);
    return end == SIZE_MAX ? reply.size : end;
}

static bool is_fence(struct text line)
{
    return text_starts(text_trim(line), TEXT("```"));
}

struct text dsl_find_source(struct text reply)
{
    struct text found = {0}, last = {0};
    size_t begin = SIZE_MAX; /* of the open block */
    for (size_t at = 0; at < reply.size;) {
        const size_t end = line_end(reply, at);
        const size_t next = end < reply.size ? end + 1 : end;
        const bool fence = is_fence(text_slice(reply, at, end));
        if (fence && begin == SIZE_MAX) {
            begin = next;
        } else if (fence || (begin != SIZE_MAX && next == reply.size)) {
            last = text_slice(reply, begin, fence ? at : next);
            if (text_find(last, TEXT("def prepare_jobs"), 0) != SIZE_MAX)
                found = last;
            begin = SIZE_MAX;
        }
        at = next;
    }
    return found.data ? found : last.data ? last : reply;
}
