/*
 * tokenizer - bytes to tokens and back, and conversations to tokens: the door of the room.
 *
 * Everything needed comes in one plain struct (tokenizer_source.h), filled by whoever read the
 * model's file. Text from people and documents is data: the spelling of a special token inside
 * it becomes ordinary tokens unless TOKENIZER_SPECIAL is asked for.
 *
 * Owner    tokenizer_open gives and copies what it keeps; tokenizer_close takes.
 * Thread   an open tokenizer is read-only: any number of threads.
 */
#ifndef TOKENIZER_TOKENIZER_H
#define TOKENIZER_TOKENIZER_H

#include "base/error.h"
#include "base/text.h"
#include "base/token.h"
#include "tokenizer/tokenizer_source.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TOKENIZER_PIECES_MAX = 1 << 21, TOKENIZER_TEXT_MAX = 256 << 20 };

struct tokenizer;

/* Whether texts begin with bos where a file names this splitter and no key says otherwise. */
bool tokenizer_adds_bos(struct text pre);

/* ERR_FORMAT a piece or merge that makes no sense (named); ERR_LIMIT an unknown model or
 * splitter (named, with the list of known ones), or too many pieces; ERR_MEMORY. */
MUST_USE enum status tokenizer_open(const struct tokenizer_source *source,
                                    struct tokenizer **tokenizer, struct error *err);
void tokenizer_close(struct tokenizer *tokenizer); /* NULL is fine */

uint32_t tokenizer_vocab_size(const struct tokenizer *tokenizer);
token_id tokenizer_bos(const struct tokenizer *tokenizer);
/* True for tokens that end a turn or the text: eos, eot, and the like. */
bool tokenizer_is_end(const struct tokenizer *tokenizer, token_id token);
bool tokenizer_is_control(const struct tokenizer *tokenizer, token_id token);
/* The token whose piece is spelled so (control and user-defined included); TOKEN_NONE. */
token_id tokenizer_find(const struct tokenizer *tokenizer, struct text piece);
/* The bytes that a token stands for in text; empty for control tokens. Valid as long as the
 * tokenizer. */
struct text tokenizer_bytes(const struct tokenizer *tokenizer, token_id token);

/* A growing list of tokens; zero it before first use. */
struct token_list {
    token_id *ids; /* malloc'ed */
    size_t count, capacity;
};
void token_list_deinit(struct token_list *list);
MUST_USE bool token_list_add(struct token_list *list, token_id id); /* false: no memory */

enum tokenizer_flags {
    TOKENIZER_PLAIN = 0,
    TOKENIZER_SPECIAL = 1, /* spellings of control tokens in the text become those tokens */
    TOKENIZER_BOUNDS = 2   /* add bos / eos where the model says so */
};

/* Appends text's tokens to list. ERR_LIMIT past TOKENIZER_TEXT_MAX bytes; ERR_MEMORY. Any
 * bytes are taken, valid UTF-8 or not; decoding gives them back. Three exceptions, as in
 * the reference implementations: bytes that the vocabulary has no token for are left out,
 * SentencePiece models take U+2581 for a space, and Qwen's compose characters (NFC). */
MUST_USE enum status tokenizer_encode(const struct tokenizer *tokenizer, struct text text,
                                      uint32_t flags, struct token_list *list,
                                      struct error *err);
/* Appends the bytes of count tokens, a whole text, to out; control tokens are spelled only when
 * asked. Where the model puts a space before a text (add_space_prefix), the first one goes: a
 * text in parts is for tokenizer_stream_add. */
void tokenizer_decode(const struct tokenizer *tokenizer, const token_id *ids, size_t count,
                      bool spell_control, struct text_buf *out);

/* Streaming decode that never cuts a UTF-8 character: bytes of an unfinished character wait
 * here. Zero it before first use. */
struct tokenizer_stream {
    char held[4];
    uint32_t held_count;
};
/* Appends what can be shown after this token. */
void tokenizer_stream_add(struct tokenizer_stream *stream, const struct tokenizer *tokenizer,
                          token_id token, struct text_buf *out);
/* The end: an unfinished character becomes U+FFFD. */
void tokenizer_stream_end(struct tokenizer_stream *stream, struct text_buf *out);

struct tokenizer_message {
    struct text role;       /* "system", "user", "assistant", "tool" */
    struct text content;    /* data: special spellings inside never become special tokens */
    struct text tool_calls; /* of the assistant: JSON, a list of {"id", "type", "function":
                               {"name", "arguments": an object}}; empty: none */
    struct text tool_call_id, name; /* of a tool; empty: not said */
};

struct tokenizer_conversation {
    const struct tokenizer_message *messages; /* [count] */
    uint32_t count;
    bool add_generation_prompt; /* end with the opening of the assistant's turn */
    struct text tools; /* JSON, a list of {"type", "function": {"name", ...}}; empty: none */
};

/* How a model's template writes the calls of tools. */
enum tokenizer_tools {
    TOKENIZER_TOOLS_NONE,    /* it is told of no tools */
    TOKENIZER_TOOLS_OTHER,   /* in a way that we do not know */
    TOKENIZER_TOOLS_HERMES,  /* <tool_call>\n{"name": n, "arguments": a}\n</tool_call> ... */
    TOKENIZER_TOOLS_LLAMA,   /* {"name": n, "parameters": a} */
    TOKENIZER_TOOLS_MISTRAL, /* [TOOL_CALLS][{"name": n, "arguments": a}, ...] */
};

/* Renders a conversation with the model's own chat template and appends its tokens.
 * ERR_LIMIT  no chat template, one past our interpreter (construct and line named), or its
 *            budget; ERR_FORMAT what the template raised. */
MUST_USE enum status tokenizer_encode_conversation(
    const struct tokenizer *tokenizer, const struct tokenizer_conversation *conversation,
    struct token_list *list, struct error *err);
/* The same without tools. */
MUST_USE static inline enum status tokenizer_encode_chat(
    const struct tokenizer *tokenizer, const struct tokenizer_message *messages, uint32_t count,
    bool add_generation_prompt, struct token_list *list, struct error *err)
{
    const struct tokenizer_conversation conversation = {
        .messages = messages, .count = count, .add_generation_prompt = add_generation_prompt};
    return tokenizer_encode_conversation(tokenizer, &conversation, list, err);
}
enum tokenizer_tools tokenizer_tools(const struct tokenizer *tokenizer);
/* Whether there is a chat template that our interpreter could read. */
bool tokenizer_has_chat(const struct tokenizer *tokenizer);

#ifdef __cplusplus
}
#endif
#endif
