/*
 * reference - models against the float64 references of the test data: logits at every position
 * of a prompt, logits after one and the greedy way from there.
 *
 * What differs fails the test, what is not there skips it (cmocka).
 */
#ifndef TESTS_HARNESS_REFERENCE_H
#define TESTS_HARNESS_REFERENCE_H

#include "base/json.h"
#include "engine/model_run.h"

enum { REFERENCE_IDS_MAX = 96 };

/* Fails the test with the sentence unless status is OK. */
void reference_check(enum status status, const struct error *err);

/* The JSON file models/NAME of the test data; json_free takes it. */
struct json *reference_json(const char *name);

/* Opens a model for what follows; ops NULL: the device's. model_run_close takes it. */
void reference_open(struct model_run *run, const char *path, const struct ops *ops);

/* All members of "prompts" of one model in arch_tiny/index.json: every position against the
 * logits in arch_tiny/FILE.KEY.logits.f32, whole and in steps of 3 rows, within 1e-3. */
void reference_prompts(struct model_run *run, const struct json *model);

/* Each {ids, last_logits, greedy}: logits after the ids within 1e-3 (where they are told), and
 * the tokens that follow greedily. There must be some. */
void reference_cases(struct model_run *run, const struct json *cases);

/* Continues after ids[id_count], greedily, until out[count] is written. */
void reference_greedy(struct model_run *run, const token_id *ids, int32_t id_count,
                      token_id *out, int32_t count);

#endif
