/*
 * anthropic_reply - replies in the words of Anthropic's messages: one object, or events:
 *
 *     message_start
 *     content_block_start, content_block_delta ..., content_block_stop    of each block
 *     message_delta, message_stop
 *
 * A text comes as it is written; a call of a tool, in one piece, when it is whole. Where there
 * are calls, a text of nothing is no block.
 *
 * All tokens of a prompt are input_tokens: a prefix that was there from an earlier request is
 * no cache that the client asked for.
 */
#ifndef API_ANTHROPIC_REPLY_H
#define API_ANTHROPIC_REPLY_H

#include "protocol/api/reply.h"

extern const struct reply_wire anthropic_reply_wire;

#endif
