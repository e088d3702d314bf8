/* sse - see sse.h. */
#include "protocol/minions/sse.h"

/* Takes a line off the rest, without its end; false when what is left has no end. */
static bool take_line(struct sse *sse, struct text *line)
{
    const struct text rest = sse->rest;
    size_t end = 0;
    while (end < rest.size && rest.data[end] != '\n' && rest.data[end] != '\r')
        end++;
    if (end == rest.size)
        return false;
    const bool is_both =
        rest.data[end] == '\r' && end + 1 < rest.size && rest.data[end + 1] == '\n';
    *line = text_slice(rest, 0, end);
    sse->rest = text_slice(rest, end + (is_both ? 2 : 1), rest.size);
    return true;
}

/* The value of a field when the line is one of that name. */
static bool is_field(struct text line, struct text name, struct text *value)
{
    if (!text_starts(line, name))
        return false;
    struct text after = text_slice(line, name.size, line.size);
    if (after.size > 0 && after.data[0] != ':')
        return false;
    after = text_slice(after, 1, after.size);
    *value = text_starts(after, TEXT(" ")) ? text_slice(after, 1, after.size) : after;
    return true;
}

bool sse_next(struct sse *sse)
{
    struct text line, value;
    bool has_data = false;
    text_buf_clear(&sse->data);
    sse->event = (struct text){0};
    while (take_line(sse, &line)) {
        if (line.size == 0 && has_data)
            return !sse->data.failed;
        if (line.size == 0) {
            sse->event = (struct text){0};
        } else if (is_field(line, TEXT("data"), &value)) {
            if (has_data)
                text_buf_byte(&sse->data, '\n');
            text_buf_add(&sse->data, value);
            has_data = true;
        } else if (is_field(line, TEXT("event"), &value)) {
            sse->event = value;
        }
    }
    return false;
}

void sse_deinit(struct sse *sse)
{
    text_buf_deinit(&sse->data);
}
