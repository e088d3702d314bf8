/*
 * anthropic_reply - replies in the words of Anthropic's messages: one object, or events:
 *
 *     message_start, content_block_start
 *     content_block_delta                      as it is written
 *     content_block_stop, message_delta, message_stop
 *
 * All tokens of a prompt are input_tokens: a prefix that was there from an earlier request is
 * no cache that the client asked for.
 */
#ifndef API_ANTHROPIC_REPLY_H
#define API_ANTHROPIC_REPLY_H

#include "protocol/api/reply.h"

extern const struct reply_wire anthropic_reply_wire;

#endif
