/* tokenizer_stream - decodes token by token without cutting a character; see tokenizer.h. */
#include "tokenizer/tokenizer.h"

#include <string.h>

/* Whether held[0, count) begins a character of UTF-8 and does not end it. */
static bool is_unfinished(const char *held, uint32_t count)
{
    const uint8_t lead = (uint8_t)held[0];
    if (lead < 0xc2 || lead > 0xf4)
        return false;
    if (count == 1)
        return true;
    /* Only the second byte has a range of its own, so any continuation shows whether the
     * beginning was right. */
    char filled[4] = {(char)0x80, (char)0x80, (char)0x80, (char)0x80};
    memcpy(filled, held, count);
    size_t size = 0;
    return text_utf8_next((struct text){filled, sizeof filled}, &size) != UINT32_MAX &&
           size > count;
}

static void add_byte(struct tokenizer_stream *stream, char byte, struct text_buf *out)
{
    stream->held[stream->held_count++] = byte;
    size_t size = 0;
    const struct text held = {stream->held, stream->held_count};
    if (text_utf8_next(held, &size) != UINT32_MAX) {
        text_buf_add(out, held);
        stream->held_count = 0;
        return;
    }
    if (is_unfinished(stream->held, stream->held_count))
        return;
    const bool begins_anew = stream->held_count > 1;
    stream->held_count = 0;
    text_buf_add(out, TEXT("\xef\xbf\xbd"));
    if (begins_anew) /* what came before byte was cut short; byte may be whole */
        add_byte(stream, byte, out);
}

void tokenizer_stream_add(struct tokenizer_stream *stream, const struct tokenizer *tokenizer,
                          token_id token, struct text_buf *out)
{
    const struct text bytes = tokenizer_bytes(tokenizer, token);
    for (size_t i = 0; i < bytes.size; i++)
        add_byte(stream, bytes.data[i], out);
}

void tokenizer_stream_end(struct tokenizer_stream *stream, struct text_buf *out)
{
    if (stream->held_count > 0)
        text_buf_add(out, TEXT("\xef\xbf\xbd"));
    stream->held_count = 0;
}
