/*
 * ask - what a request asks the engine for, through whichever API it came.
 *
 * Owner    borrows from the request's JSON tree and from its arena.
 */
#ifndef API_ASK_H
#define API_ASK_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/engine.h"
#include "tokenizer/tokenizer.h"

enum ask_kind {
    ASK_CHAT, /* messages -> an answer */
    ASK_TEXT, /* a text -> how it goes on */
    ASK_EMBED /* a text -> a vector */
};

enum ask_tool_choice { ASK_TOOLS_NONE, ASK_TOOLS_AUTO, ASK_TOOLS_REQUIRED };

/* The tools of a chat (tools.h). */
struct ask_tools {
    const struct json *list; /* NULL: none */
    const struct json *only; /* the one that must be called */
    enum ask_tool_choice choice;
    bool is_single;              /* one call at most */
    bool is_bare;                /* each of the list is its function: Anthropic's (tools.h) */
    enum tokenizer_tools format; /* of calls; from here on what ask_settle finds */
    struct text told;            /* JSON, for the chat template */
};

/* One job of the engine. */
struct ask_prompt {
    const struct tokenizer_message *messages; /* [message_count]: CHAT */
    uint32_t message_count;
    struct text text;    /* TEXT, EMBED; empty where it came as tokens */
    struct text chunk;   /* in the place of the job's; data NULL: that one */
    const token_id *ids; /* [id_count] */
    uint32_t id_count;
};

struct ask {
    enum ask_kind kind;
    struct text model;
    struct ask_prompt *prompts; /* [prompt_count] */
    uint32_t prompt_count;
    struct engine_job job;    /* all but the prompt, for each of them; max_tokens 0: what the
                                 context has room for */
    const char *format_field; /* of the request: where the job's format comes from */
    const char *prompt_field; /* and its prompt, and its stops, where they are not "prompt" */
    const char *stop_field;   /* and "stop" */
    bool has_seed, stream, has_usage, logprobs;
    bool echo;              /* TEXT: the prompt comes back before what goes on from it */
    bool is_mute;           /* TEXT: nothing is to be written */
    bool has_one_choice;    /* the API has no place for more: users' messages stay one chat */
    bool is_base64;         /* EMBED: vectors as bytes, for APIs that have the choice */
    struct ask_tools tools; /* CHAT */
    uint32_t key;           /* keys_find: whose it is */
    int32_t lowered;        /* of its priority: admission.h */
};

#define ASK_JOB_OUTPUT ":joboutput" /* behind a model's name: see ask_settle */

enum { ASK_MESSAGES_MAX = 4096, ASK_PROMPTS_MAX = 2048 };

/* What several APIs have in common; name is the field's, for refusals. ERR_FORMAT and
 * ERR_LIMIT: one sentence that names it; ERR_MEMORY: the arena is full. value NULL: nothing is
 * said of it. */

/* A string, or a list of strings. */
MUST_USE enum status ask_read_stops(const struct json *value, const char *name,
                                    struct arena *arena, struct engine_job *job,
                                    struct error *err);
/* {"token id": bias, ...} */
MUST_USE enum status ask_read_biases(const struct json *value, const char *name,
                                     struct arena *arena, struct engine_job *job,
                                     struct error *err);
/* A string, a list of strings, a list of tokens, or a list of those: the ask's prompts. */
MUST_USE enum status ask_read_prompts(const struct json *value, const char *name,
                                      struct arena *arena, struct ask *ask, struct error *err);
/* count prompts, zeroed, as the ask's own. */
MUST_USE enum status ask_take_prompts(struct ask *ask, uint32_t count, struct arena *arena,
                                      struct error *err);
/* What the ask means to the model that is to answer, and to who serves it:
 *     a model's name that ends with :joboutput  the answer is a JobOutput (engine_job.h), its
 *                                               citation copied from the last user message
 *                                               where the request has no chunk
 *     is_batch                                  two or more messages, all of users, are as
 *                                               many conversations: choices in their order
 *     tools                                     see tools_settle */
MUST_USE enum status ask_settle(struct ask *ask, const struct tokenizer *tokenizer,
                                bool is_batch, struct arena *arena, struct error *err);
/* The tokens of a CHAT's prompt, with the tools it is told of and the beginning of a call that
 * must come. */
MUST_USE enum status ask_encode_chat(const struct ask *ask, uint32_t index,
                                     const struct tokenizer *tokenizer, struct token_list *ids,
                                     struct error *err);
/* Of a job that the engine has refused: where it is its format, prompt or stops, the sentence
 * begins with the request's field instead. Gives the status of err. */
MUST_USE enum status ask_refused(const struct ask *ask, struct error *err);
/* top_p 0 is none but the likeliest, where the engine's 0 is "off". */
void ask_set_top_p(struct engine_job *job, float top_p);

#endif
