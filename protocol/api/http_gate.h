/*
 * http_gate - whether a request may be served at all, by its Host and its Origin.
 *
 * A web page can make a browser send requests to whatever listens on its machine. Its Origin
 * tells it; a name that resolves to 127.0.0.1 (DNS rebinding) hides it, but stands in Host.
 */
#ifndef API_HTTP_GATE_H
#define API_HTTP_GATE_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* True when host, with or without a port, is an IP address, localhost or one of the names, in
 * any case. Empty: no (HTTP/1.1 demands one). */
bool http_gate_host_is_ours(struct text host, const char *const *names, uint32_t count);

/* True when origin is the site that was asked ("http://HOST", "https://HOST"), or there is
 * none. */
bool http_gate_origin_is_ours(struct text origin, struct text host);

#endif
