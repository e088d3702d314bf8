/*
 * supervisor_args - the options of every command that may ask a paid supervisor, what it costs,
 * and opening it by them.
 *
 *     struct supervisor_args supervisor;
 *     supervisor_args_init(&supervisor);
 *     const struct args_option options[] = {
 *         SUPERVISOR_ARGS(supervisor),
 *         {...},
 *     };
 */
#ifndef TOOLS_SUPERVISOR_ARGS_H
#define TOOLS_SUPERVISOR_ARGS_H

#include "base/error.h"
#include "protocol/minions/egress.h"
#include "protocol/minions/ledger.h"
#include "protocol/minions/remote.h"
#include "tools/args.h"

#include <stdbool.h>
#include <stdint.h>

struct supervisor_args {
    const char *url, *model, *key_path, *record_path;
    int api;                           /* enum remote_api */
    float budget, price_in, price_out; /* dollars; prices: NaN: by the model */
    uint64_t budget_tokens;            /* 0: no limit of that kind */
};

/* A supervisor that is open, with the log of what it is sent. Zero it before. */
struct supervisor_link {
    struct egress egress;
    struct remote *remote; /* NULL: the local one */
};

#define SUPERVISOR_ARGS(args)                                                                  \
    {0,           "remote",                                                                    \
     "URL",       ARGS_TEXT,                                                                   \
     &(args).url, 0,                                                                           \
     0,           "supervisor: an endpoint, or replay:FILE of --record (default: local)"},     \
        {0, "remote-model", "NAME", ARGS_TEXT, &(args).model, 0, 0, "the supervisor's model"}, \
        {0,                                                                                    \
         "remote-api",                                                                         \
         "auto|openai|anthropic",                                                              \
         ARGS_CHOICE,                                                                          \
         &(args).api,                                                                          \
         0,                                                                                    \
         0,                                                                                    \
         "how it is spoken to (default: by the URL)"},                                         \
        {0,                                                                                    \
         "key-file",                                                                           \
         "FILE",                                                                               \
         ARGS_TEXT,                                                                            \
         &(args).key_path,                                                                     \
         0,                                                                                    \
         0,                                                                                    \
         "where its key is (default: COHORT_API_KEY, else OPENAI_/ANTHROPIC_API_KEY)"},        \
        {0,                                                                                    \
         "budget",                                                                             \
         "DOLLARS",                                                                            \
         ARGS_REAL,                                                                            \
         &(args).budget,                                                                       \
         0,                                                                                    \
         1000000,                                                                              \
         "no call is sent that may pass it (default 1)"},                                      \
        {0,                                                                                    \
         "budget-tokens",                                                                      \
         "N",                                                                                  \
         ARGS_U64,                                                                             \
         &(args).budget_tokens,                                                                \
         0,                                                                                    \
         0,                                                                                    \
         "nor one that may pass so many tokens, in and out (default: no limit)"},              \
        {0,                                                                                    \
         "price-in",                                                                           \
         "DOLLARS",                                                                            \
         ARGS_REAL,                                                                            \
         &(args).price_in,                                                                     \
         0,                                                                                    \
         1000000,                                                                              \
         "per million tokens to the supervisor (default: prices, by the model)"},              \
    {                                                                                          \
        0, "price-out", "DOLLARS", ARGS_REAL, &(args).price_out, 0, 1000000,                   \
            "per million tokens from it (default: the same)"                                   \
    }

void supervisor_args_init(struct supervisor_args *args);

/* A supervisor elsewhere is asked. */
bool supervisor_args_is_remote(const struct supervisor_args *args);

/* One is, and which model it is to be was not said. */
bool supervisor_args_lacks_model(const struct supervisor_args *args);

/* What it costs; where there is none, what a usual one would. Says on standard error, in the
 * command's name, when no price is known. What prices_find says. */
MUST_USE enum status supervisor_args_price(const struct supervisor_args *args,
                                           const char *command, struct ledger_price *price,
                                           struct error *err);

/* Opens the supervisor, and the egress log in the state folder; does nothing where there is
 * none. more: journal and is_dry count. What remote_open says. */
MUST_USE enum status supervisor_args_open(const struct supervisor_args *args,
                                          const struct remote_options *more,
                                          struct ledger *ledger, struct supervisor_link *link,
                                          struct error *err);
void supervisor_args_close(struct supervisor_link *link); /* safe on a zeroed struct */

#endif
