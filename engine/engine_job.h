/*
 * engine_job - what passes through the engine's door: a job on its way in, the events that come
 * out of it. A part of engine.h, which is what others include.
 */
#ifndef ENGINE_ENGINE_JOB_H
#define ENGINE_ENGINE_JOB_H

#include "base/text.h"
#include "base/token.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct engine_port;

enum engine_kind {
    ENGINE_GENERATE, /* prompt -> sample_count continuations */
    ENGINE_SCORE,    /* log-likelihood of the prompt's last score_tokens given what is before */
    ENGINE_EMBED     /* the prompt as a vector: hidden states behind the final norm, pooled */
};

enum engine_pooling {
    ENGINE_POOL_MEAN, /* of all tokens */
    ENGINE_POOL_LAST  /* of the last one */
};

enum engine_format {
    ENGINE_FORMAT_TEXT,
    ENGINE_FORMAT_SCHEMA, /* JSON, valid against the schema in format_source */
    ENGINE_FORMAT_REGEX   /* all of it matches the regular expression in format_source */
};

enum {
    ENGINE_SAMPLES_MAX = 128,
    ENGINE_STOPS_MAX = 16,
    ENGINE_STOP_BYTES_MAX = 256,
    ENGINE_BIASES_MAX = 1024,
    ENGINE_TOPS_MAX = 20,
    ENGINE_PRIORITY_MAX = 100,
    ENGINE_PRIORITY_JOBS = 1024, /* a step of priority is worth having come so many jobs ago */
    ENGINE_QUEUE_MAX = 65536     /* jobs waiting */
};

/* Added to a token's logit. */
struct engine_bias {
    token_id token;
    float bias; /* -100 .. 100 */
};

/* One of the likeliest tokens, whatever was chosen. */
struct engine_top {
    token_id token; /* TOKEN_NONE: there are no more */
    float logprob;  /* raw softmax */
};

/* Borrowed for the call of engine_submit.
 *
 * With ENGINE_FORMAT_SCHEMA and ENGINE_FORMAT_REGEX (what of JSON Schema and of regular
 * expressions is taken: engine/schema.h, engine/regex.h) a text that ends with ENGINE_STOP is
 * valid, whatever was drawn, unless a stop string cut it. One that takes more tokens than
 * max_tokens is cut there, with ENGINE_LENGTH, as any other: not if they are at least as many
 * as the shortest text has bytes, since it is then brought to an end in time (engine/masks.h,
 * with what that takes of the vocabulary). Cut, too, is one that comes to a place from which
 * the model's tokens do not lead on. Jobs of one source share what is compiled. */
struct engine_job {
    enum engine_kind kind;
    enum engine_format format;
    struct text format_source; /* SCHEMA: its JSON; REGEX: the expression. At most 1 MiB */
    struct text chunk; /* SCHEMA: what its strings with "x-copied-from": "chunk" are copied
                          from (engine/copied.h), at most 1 MiB; data NULL: there is none */
    const token_id *prompt;
    uint32_t prompt_tokens;      /* >= 1 */
    enum engine_pooling pooling; /* ENGINE_EMBED */
    uint32_t score_tokens;       /* ENGINE_SCORE: 1 .. prompt_tokens - 1 */
    bool tells_scores;     /* ENGINE_SCORE: each of them as an ENGINE_TOKEN event without text,
                          with as many of the likeliest as top_count says */
    uint32_t sample_count; /* ENGINE_GENERATE: 1 .. ENGINE_SAMPLES_MAX; 0 counts as 1 */
    uint32_t max_tokens;   /* ENGINE_GENERATE: >= 1, per sample */
    float temperature;     /* 0: greedy */
    int32_t top_k;         /* 0: off */
    float top_p;           /* 0 or 1: off */
    float min_p;           /* 0: off, 1: none but the likeliest */
    float typical_p;       /* 0 or 1: off */
    float repetition_penalty; /* 0 or 1: off; else 0.01 .. 100. Tokens of prompt and output: a
                                 positive logit is divided by it, another multiplied */
    float presence_penalty, frequency_penalty; /* -2 .. 2; 0: off. Tokens of the output: taken
                                                  off the logit once, and once per occurrence */
    const struct engine_bias *biases;          /* [bias_count], each token once */
    uint32_t bias_count;
    uint32_t top_count; /* of each position, how many of the likeliest tokens to tell */
    uint64_t seed;
    uint32_t job_key;         /* which job of its run this is, for the random stream */
    const struct text *stops; /* [stop_count] text ends before the first of these */
    uint32_t stop_count;
    bool ignore_end;          /* go on past end-of-text tokens until max_tokens */
    int32_t priority;         /* -100 .. 100, the greater goes first: it counts as having come
                         ENGINE_PRIORITY_JOBS jobs earlier for each, so that none starves */
    uint32_t deadline_ms;     /* from submission on; past it the job ends, whether it waits or
                             runs. 0: none */
    struct engine_port *port; /* where its events go; NULL: to engine_poll */
    uint64_t tag;             /* the caller's, handed back in each event */
};

/* For ENGINE_FORMAT_SCHEMA: what a worker of the MinionS protocol answers, its citation copied
 * from the job's chunk. First why, so that the answer follows from it. The lengths leave a
 * reply room to be whole within 1,024 tokens, and end one of a model that repeats itself. */
extern const char engine_job_output_schema[];

enum engine_finish {
    ENGINE_STOP,   /* an end token or a stop string */
    ENGINE_LENGTH, /* max_tokens, or the model's context is full */
    ENGINE_CANCELLED,
    ENGINE_FAILED,  /* a number that is not one came out of the model, or the device failed */
    ENGINE_DEADLINE /* deadline_ms have passed; what was written until then is there */
};

enum engine_event_kind {
    ENGINE_TOKEN, /* text grew: text is what is new (possibly empty) */
    ENGINE_DONE   /* one sample ended; the job's last has samples_left 0 */
};

struct engine_event {
    enum engine_event_kind kind;
    uint64_t job_id, tag;
    uint32_t sample;
    struct text text; /* TOKEN: new bytes, whole UTF-8 characters; valid until next poll */
    token_id token;   /* TOKEN: the token behind them; TOKEN_NONE for flushed text */
    float logprob;    /* TOKEN: of that token, raw softmax */
    const struct engine_top *tops; /* TOKEN with a token: [top_count] as the job asked for, best
                                      first; valid until next poll */
    uint32_t top_count;
    enum engine_finish finish; /* DONE */
    uint32_t stop_string;      /* DONE: which of the job's stops ended it, from 1; 0: none */
    uint32_t samples_left;     /* DONE: samples of this job still running */
    uint32_t prompt_tokens;    /* DONE */
    uint32_t cached_tokens;    /* DONE: prompt tokens that were not computed for this job */
    uint32_t output_tokens;    /* DONE */
    double score;              /* DONE of ENGINE_SCORE: sum of log-probabilities, nats */
    const float *vector; /* DONE of ENGINE_EMBED that ended with STOP: [vector_size], as it
                                  comes, of no certain length; valid until next poll */
    uint32_t vector_size;
};

#ifdef __cplusplus
}
#endif
#endif
