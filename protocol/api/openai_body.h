/*
 * openai_body - what the bodies of OpenAI's requests have in common: how a text is drawn.
 *
 * A table of fields begins with OPENAI_BODY_FIELDS and reads into a struct openai_body, or into
 * one that begins with it.
 */
#ifndef API_OPENAI_BODY_H
#define API_OPENAI_BODY_H

#include "protocol/api/ask.h"
#include "protocol/api/field.h"

#include <stddef.h>

/* Where fields mean what the engine's do, they are read at once into its job. */
struct openai_body {
    struct ask ask;
    const struct json *stop, *biases, *stream_options;
    float top_p, typical_p;
    uint32_t best_of, top_k;
};

#define OPENAI_BODY_ASK(field) offsetof(struct openai_body, ask.field)
#define OPENAI_BODY_OWN(field) offsetof(struct openai_body, field)

/* clang-format off */
#define OPENAI_BODY_FIELDS                                                                     \
    {"model", FIELD_TEXT, 0, 0, 512, OPENAI_BODY_ASK(model),                                   \
     "Any name: the loaded model answers. NAME:joboutput: with a JobOutput."},                 \
    {"temperature", FIELD_REAL, 0, 0, 2, OPENAI_BODY_ASK(job.temperature),                     \
     "0: greedy. Default 1."},                                                                 \
    {"top_p", FIELD_REAL, 0, 0, 1, OPENAI_BODY_OWN(top_p), "Default 1."},                      \
    {"top_k", FIELD_COUNT, 0, 1, INT32_MAX, OPENAI_BODY_OWN(top_k),                            \
     "Only the k likeliest tokens."},                                                          \
    {"min_p", FIELD_REAL, 0, 0, 1, OPENAI_BODY_ASK(job.min_p),                                 \
     "Tokens below this share of the likeliest's."},                                           \
    {"typical_p", FIELD_REAL, 0, 1e-6, 1, OPENAI_BODY_OWN(typical_p),                          \
     "Locally typical sampling."},                                                             \
    {"n", FIELD_COUNT, 0, 1, ENGINE_SAMPLES_MAX, OPENAI_BODY_ASK(job.sample_count),            \
     "Answers. Default 1."},                                                                   \
    {"best_of", FIELD_COUNT, 0, 0, INT32_MAX, OPENAI_BODY_OWN(best_of),                        \
     "1 or n; more is not supported."},                                                        \
    {"seed", FIELD_SEED, 0, 0, 0, OPENAI_BODY_ASK(job.seed),                                   \
     "Same request and seed: same text."},                                                     \
    {"stop", FIELD_JSON, FIELD_IS_STRING | FIELD_IS_ARRAY, 0, 0, OPENAI_BODY_OWN(stop),        \
     "Up to 16 strings that end an answer."},                                                  \
    {"frequency_penalty", FIELD_REAL, 0, -2, 2, OPENAI_BODY_ASK(job.frequency_penalty),        \
     "Default 0."},                                                                            \
    {"presence_penalty", FIELD_REAL, 0, -2, 2, OPENAI_BODY_ASK(job.presence_penalty),          \
     "Default 0."},                                                                            \
    {"repetition_penalty", FIELD_REAL, 0, 0.01, 100,                                           \
     OPENAI_BODY_ASK(job.repetition_penalty), "Default 1."},                                   \
    {"logit_bias", FIELD_JSON, FIELD_IS_OBJECT, 0, 0, OPENAI_BODY_OWN(biases),                 \
     "Token ids and -100 to 100."},                                                            \
    {"chunk", FIELD_TEXT, 0, 0, 1 << 20, OPENAI_BODY_ASK(job.chunk),                           \
     "What a schema's strings with x-copied-from: chunk are copied from."},                    \
    {"stream", FIELD_BOOL, 0, 0, 0, OPENAI_BODY_ASK(stream),                                   \
     "Send the answer as it is written."},                                                     \
    {"stream_options", FIELD_JSON, FIELD_IS_OBJECT, 0, 0, OPENAI_BODY_OWN(stream_options),     \
     "{include_usage: true}."},                                                                \
    {"priority", FIELD_INT, 0, -ENGINE_PRIORITY_MAX, ENGINE_PRIORITY_MAX,                      \
     OPENAI_BODY_ASK(job.priority), "The greater goes first."},                                \
    {"deadline_ms", FIELD_COUNT, 0, 1, UINT32_MAX, OPENAI_BODY_ASK(job.deadline_ms),           \
     "The answer ends after this time, with finish_reason deadline."},                         \
    {"ignore_eos", FIELD_BOOL, 0, 0, 0, OPENAI_BODY_ASK(job.ignore_end),                       \
     "Go on to max_tokens."},                                                                  \
    {"user", FIELD_IGNORED, 0, 0, 0, 0, NULL},                                                 \
    {"metadata", FIELD_IGNORED, 0, 0, 0, 0, NULL},                                             \
    {"store", FIELD_IGNORED, 0, 0, 0, 0, NULL},                                                \
    {"service_tier", FIELD_IGNORED, 0, 0, 0, 0, NULL}
/* clang-format on */

/* OpenAI's defaults, to be read over. */
struct openai_body openai_body_start(enum ask_kind kind);
/* What the table alone cannot say of from, a body that was read into body. */
MUST_USE enum status openai_body_finish(struct openai_body *body, const struct json *from,
                                        struct arena *arena, struct error *err);

#endif
