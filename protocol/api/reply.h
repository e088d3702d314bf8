/*
 * reply - what came of an ask, and how each API words it.
 *
 * Owner    reply_init allocates, reply_deinit frees.
 */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/engine.h"
#include "protocol/api/logprob.h"
#include "protocol/api/tool_calls.h"

#include <stdbool.h>
#include <stdint.h>

/* One continuation of one prompt. */
struct reply_choice {
    struct text_buf text;
    struct logprob_list logprobs; /* where they were asked for */
    enum engine_finish finish;
    uint32_t stop_string; /* of the reply's stops, from 1; 0: none ended it */
    uint32_t output_tokens;
    double last_s; /* clock_now_s of its last token */
    float *vector; /* [vector_size] of length 1; of an ask that embeds */
    uint32_t vector_size;
    struct tool_calls calls; /* then text is what was said before them */
    size_t shown;            /* bytes of text that went into pieces, where calls may come */
};

/* A prompt that comes back. */
struct reply_prompt {
    struct text_buf text;
    struct logprob_list logprobs; /* where they were asked for: its first token's is NAN */
};

struct reply {
    char id[48];
    struct text model;            /* borrowed */
    int64_t created;              /* Unix seconds */
    double begun_s, first_s;      /* clock_now_s of the request, and of its first token */
    double ended_s;               /* and of its end, once that is there */
    struct reply_choice *choices; /* [choice_count], prompt after prompt */
    uint32_t choice_count;
    struct reply_prompt *prompts; /* [prompt_count]; NULL: none was to come back */
    uint32_t prompt_count;        /* choice_count is a multiple of it */
    struct text_buf *stops;       /* [stop_count] as they were asked for */
    uint32_t stop_count;
    uint32_t asked_tokens;                   /* of prompts, known before any is computed */
    bool has_logprobs, has_usage, is_base64; /* asked for */
    uint32_t prompt_tokens, cached_tokens, completion_tokens;
    uint32_t piece_count, end_count; /* of a stream: pieces, choices' ends before this one */
    struct tool_calls_reader tools;
    bool has_tools, is_single_call; /* texts are read by tools; one call at most is kept */
};

/* choice_count empty choices. ERR_MEMORY. */
MUST_USE enum status reply_init(struct reply *reply, uint32_t choice_count, struct error *err);
/* Room for prompts that come back. ERR_MEMORY. */
MUST_USE enum status reply_init_prompts(struct reply *reply, uint32_t count, struct error *err);
/* Copies of the strings that end a text. ERR_MEMORY. */
MUST_USE enum status reply_init_stops(struct reply *reply, const struct text *stops,
                                      uint32_t count, struct error *err);
/* The choice's vector: a copy, made as long as 1. */
void reply_set_vector(struct reply_choice *choice, const float *vector, uint32_t size);
void reply_deinit(struct reply *reply); /* safe on a zeroed struct */
/* Whether something did not fit in memory. */
bool reply_has_failed(const struct reply *reply);
/* The vector of a choice that has one, as a JSON list. */
void reply_write_vector(struct json_writer *w, const struct reply_choice *choice);

/* What is wrong with a request, or with us. */
struct reply_error {
    int status;        /* of HTTP */
    struct text text;  /* one sentence */
    const char *param; /* the field it is about; NULL: none */
};

/* A piece of a choice that grew. */
struct reply_piece {
    uint32_t choice;
    struct text text;
    uint32_t token_first, token_count; /* of the choice's logprobs */
};

/* How an API words a reply: whole, or in pieces as it comes. */
struct reply_wire {
    const char *stream_type; /* Content-Type of a stream */
    const char *id_prefix;   /* of reply.id; NULL: "chatcmpl-" */
    void (*whole)(const struct reply *reply, struct text_buf *out);
    void (*begin)(const struct reply *reply, struct text_buf *out);
    void (*piece)(const struct reply *reply, const struct reply_piece *piece,
                  struct text_buf *out);
    void (*choice_end)(const struct reply *reply, uint32_t choice, struct text_buf *out);
    void (*end)(const struct reply *reply, struct text_buf *out);
    void (*error)(const struct reply_error *error, struct text_buf *out);
    /* The same inside a stream that has begun. */
    void (*stream_error)(const struct reply_error *error, struct text_buf *out);
};

#endif
