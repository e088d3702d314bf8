/*
 * tool_calls - the calls of tools in what a model wrote.
 *
 * Text that is no call stays text: a call that is cut off, JSON that is none, words around it
 * where the format has no place for them.
 *
 * Owner    zero a list before first use; tool_calls_deinit frees it.
 */
#ifndef API_TOOL_CALLS_H
#define API_TOOL_CALLS_H

#include "base/text.h"
#include "tokenizer/tokenizer.h"

#include <stdbool.h>
#include <stdint.h>

enum { TOOL_CALLS_MAX = 128 };

struct tool_call {
    struct text_buf name, arguments; /* a JSON object, as text */
};

struct tool_calls {
    struct tool_call *list; /* [count] */
    uint32_t count;
};
void tool_calls_deinit(struct tool_calls *calls);
/* Forgets those after the first count. */
void tool_calls_keep(struct tool_calls *calls, uint32_t count);

/* How a text is to be read. */
struct tool_calls_reader {
    enum tokenizer_tools format;
    bool is_forced; /* it is one call, without what the format puts around it */
};

/* The calls of a whole text; what stands before them is content_size bytes. True: there are
 * some, or no memory for them (then count is 0). */
bool tool_calls_read(const struct tool_calls_reader *reader, struct text text,
                     struct tool_calls *calls, size_t *content_size);

/* Of a text that is being written, whose first shown bytes have been told: how many bytes are
 * no part of a call, whatever follows. */
size_t tool_calls_content(const struct tool_calls_reader *reader, struct text text,
                          size_t shown);

/* Nine letters and digits, which is what the strictest templates take: the id of a call of a
 * reply's choice. */
enum { TOOL_CALLS_ID_SIZE = 9 };
void tool_calls_id(const char *reply_id, uint32_t choice, uint32_t index,
                   char id[TOOL_CALLS_ID_SIZE + 1]);

#endif
