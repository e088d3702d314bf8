/* answer_json - what a run of rounds came to, as JSON: of `ask --json` and of POST /minions. */
#ifndef TOOLS_ANSWER_JSON_H
#define TOOLS_ANSWER_JSON_H

#include "base/json.h"
#include "protocol/minions/round.h"

struct answer_json {
    const struct documents *documents;
    const struct round_result *result;
    const struct ledger *ledger;
    int64_t run; /* its number in the journal; 0: none was kept */
};

/* {"answer", "is_quoted", "citations": [{"text", "document", "offset", "place", "score"}],
 * "rounds", "run", "ledger"}: the members alone, for the caller's object. */
void answer_json_write(struct json_writer *w, const struct answer_json *answer);

#endif
