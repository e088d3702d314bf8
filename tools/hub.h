/*
 * hub - the model hub (HF_ENDPOINT, or the one that hub.c names): its address, the token that
 * HF_TOKEN holds, and what its refusals mean for a person.
 */
#ifndef TOOLS_HUB_H
#define TOOLS_HUB_H

#include "tools/fetch.h"

const char *hub_endpoint(void);

/* The token to send with url, or NULL: one is set and url is the hub's. ERR_FORMAT a token with
 * a byte that cannot stand in a header. */
MUST_USE enum status hub_token(const char *url, const char **token, struct error *err);

/* What the hub refused for url, as a sentence that says what to do. A server that is not the
 * hub, or a refusal that is none of its own: *err stays as it is. */
void hub_explain(const char *url, const struct fetch_refusal *refusal, struct error *err);

#endif
