/* wrap - see wrap.h. */
#include "tools/wrap.h"

#include <sys/ioctl.h>
#include <unistd.h>

size_t wrap_columns(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WRAP_COLUMNS_USUAL;
    if (size.ws_col < WRAP_COLUMNS_MIN)
        return WRAP_COLUMNS_MIN;
    return size.ws_col < WRAP_COLUMNS_MAX ? size.ws_col : WRAP_COLUMNS_MAX;
}

static size_t columns_of(struct text word)
{
    size_t columns = 0;
    for (size_t at = 0; at < word.size; columns++)
        (void)text_utf8_next(word, &at);
    return columns;
}

void wrap_add(struct text_buf *out, struct text text, size_t columns, size_t indent)
{
    size_t column = indent;
    bool is_begun = false; /* a word stands on the line */
    for (size_t at = 0; at < text.size;) {
        size_t end = text_find(text, TEXT(" "), at);
        if (end == SIZE_MAX)
            end = text.size;
        const struct text word = text_slice(text, at, end);
        const size_t width = columns_of(word);
        at = end + 1;
        if (width == 0)
            continue;
        if (is_begun && column + 1 + width > columns) {
            text_buf_format(out, "\n%*s", (int)indent, "");
            column = indent;
            is_begun = false;
        }
        if (is_begun)
            text_buf_byte(out, ' ');
        text_buf_add(out, word);
        column += width + (is_begun ? 1 : 0);
        is_begun = true;
    }
    text_buf_byte(out, '\n');
}
