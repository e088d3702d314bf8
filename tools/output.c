/* output - see output.h. */
#include "tools/output.h"

#include <stdio.h>

enum status output_text(struct text_buf *out, struct error *err)
{
    const bool is_whole = !out->failed;
    const size_t size = out->size;
    if (is_whole)
        (void)fwrite(out->data, 1, size, stdout);
    text_buf_deinit(out);
    if (!is_whole)
        FAIL(err, ERR_MEMORY, "no memory for a result of more than %zu bytes", size);
    return OK;
}

enum status output_line(struct text_buf *out, struct error *err)
{
    text_buf_byte(out, '\n');
    return output_text(out, err);
}

void output_notes(const char *command, struct text lines)
{
    for (size_t at = 0; at < lines.size;) {
        size_t end = text_find(lines, TEXT("\n"), at);
        if (end == SIZE_MAX)
            end = lines.size;
        (void)fprintf(stderr, "cohort %s: %.*s\n", command,
                      TEXT_ARG(text_slice(lines, at, end)));
        at = end + 1;
    }
}
