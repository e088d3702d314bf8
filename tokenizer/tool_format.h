/*
 * tool_format - how a chat template writes tools and their calls: it is made to write some.
 *
 * A template is a program: what it does with a tool is not to be read from its source. So it
 * is rendered with a tool that nobody has, and then with a call of that tool.
 */
#ifndef TOKENIZER_TOOL_FORMAT_H
#define TOKENIZER_TOOL_FORMAT_H

#include "tokenizer/chat_template.h"

enum tokenizer_tools tool_format_of(const struct chat_template *chat);

#endif
