/*
 * round_fixture - whole runs of `round_run` against a scripted supervisor on a real socket. The
 * worker is scripted; the language, the prompts, the client and the ledger are real.
 *
 *     struct round_script script = {.api = REMOTE_API_ANTHROPIC, .is_stream = true};
 *     round_fixture_say(&script, "Look for a number.", 10, 5);
 *     round_fixture_fault(&script, 429, "{}", SCRIPTED_WHOLE);
 *     ...
 *     round_fixture_run_well(&fixture, &script, &setup);
 *     round_fixture_check_answer(&fixture, "42");
 *     round_fixture_end(&fixture, &script);
 */
#ifndef HARNESS_ROUND_FIXTURE_H
#define HARNESS_ROUND_FIXTURE_H

#include "protocol/minions/round.h"
#include "tests/harness/scripted_server.h"
#include "tests/harness/scripted_worker.h"

enum { ROUND_SCRIPT_MAX = 32 };

/* What the supervisor says; zero it and set the first two. */
struct round_script {
    enum remote_api api; /* OPENAI or ANTHROPIC */
    bool is_stream;      /* its whole replies are event streams */
    struct scripted_reply replies[ROUND_SCRIPT_MAX];
    char *bodies[ROUND_SCRIPT_MAX];
    uint32_t count;
    uint64_t prompt_tokens, output_tokens; /* of all that is said */
};

/* Adds a 200 with that text and usage. */
void round_fixture_say(struct round_script *script, const char *text, uint32_t prompt_tokens,
                       uint32_t output_tokens);
/* Adds another reply; body stays the caller's. */
void round_fixture_fault(struct round_script *script, int status, const char *body,
                         enum scripted_fault fault);
void round_fixture_script_deinit(struct round_script *script);

/* What a supervisor ends with, or wants of the workers next. */
#define ROUND_FIXTURE_ANSWERS(text)                                                            \
    "{\"decision\": \"provide_final_answer\", \"answer\": \"" text "\"}"
#define ROUND_FIXTURE_ASKS(key, text)                                                          \
    "{\"decision\": \"request_additional_info\", \"" key "\": \"" text "\"}"
/* A program that asks every paragraph for the revenue; one that is refused for its import. */
extern const char round_fixture_program[], round_fixture_refused[];
/* One document: it holds "canary", which must never be sent, and what `answer` looks for. */
extern const struct documents round_fixture_documents;
/* A worker: generating, it reads revenue out of its chunk; scoring, it likes sentences that
 * speak of costs; at the end it writes what self says. */
void round_fixture_answer(void *self, struct worker_job *job, struct arena *arena);

/* Zero means: the default (in brackets). */
struct round_setup {
    uint32_t rounds_max;
    enum round_protocol protocol;
    struct prompts_wishes wishes;
    const struct documents *documents; /* [round_fixture_documents] */
    double budget_dollars;             /* [10], at $2 and $8 per million tokens */
    size_t response_max;
    uint32_t attempts_max;
    uint32_t prompt_max; /* bytes; the worker takes no longer prompt [any] */
};

struct round_fixture {
    struct scripted_server server;
    struct ledger ledger;
    struct remote *remote;
    struct scripted_worker scripted;
    struct round_setup setup;
    struct round_progress progress;
    struct round_result result;
    struct error err;
    enum status status;
};

void round_fixture_run(struct round_fixture *f, const struct round_script *script,
                       const struct round_setup *setup);
/* The same, and fails with the error's own words unless the run ends well. */
void round_fixture_run_well(struct round_fixture *f, const struct round_script *script,
                            const struct round_setup *setup);
void round_fixture_deinit(struct round_fixture *f);
/* That, and the script's own deinit. */
void round_fixture_end(struct round_fixture *f, struct round_script *script);

/* Whether the body of a request holds those words (as they stand in JSON). */
bool round_fixture_sent(const struct round_fixture *f, uint32_t request, const char *words);
/* Asserts the answer's text, that nothing of the documents but findings was sent, and: */
void round_fixture_check_answer(const struct round_fixture *f, const char *answer);
/* Asserts that calls and bytes of the ledger are those that the server counted. */
void round_fixture_check_ledger(const struct round_fixture *f);

#endif
