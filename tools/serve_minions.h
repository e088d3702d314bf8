/*
 * serve_minions - POST /minions: the protocol's rounds for a client of the server.
 *
 * The reply is one JSON object, or with "stream" server-sent events while it runs:
 *
 *     documents  {"documents": [{"name", "path", "bytes", "text"}]}; text: what they were read
 *                as, up to 1 MiB of all
 *     progress   as `cohort ask --progress json`
 *     plan       {"round", "tasks": ["..."], "jobs": [{"job", "chunk", "task", "document",
 *                "offset", "size"}]}
 *     done       {"round", "jobs": [7, 8]}
 *     judged     {"round", "jobs": [{"job", "grade", "answer"}]}
 *     refused    {"round", "message"}: a program that goes back for repair
 *     result     what is the whole reply without "stream"
 *     error      {"error": {"message", ...}}
 *
 * A run is in the journal as those of `cohort ask` are. A client that leaves ends its run.
 *
 * Owner    serve_minions_open gives, and keeps server, engine and args until close, which comes
 *          before server_close.
 */
#ifndef TOOLS_SERVE_MINIONS_H
#define TOOLS_SERVE_MINIONS_H

#include "base/error.h"
#include "protocol/api/server.h"
#include "tools/supervisor_args.h"

struct serve_minions;

/* POST /minions, for server_options. */
extern const struct endpoint_list serve_minions_endpoints;

/* ERR_IO, ERR_MEMORY; ERR_FORMAT what supervisor_args says. */
MUST_USE enum status serve_minions_open(struct serve_minions **minions, struct server *server,
                                        struct engine *engine,
                                        const struct supervisor_args *args, struct error *err);
void serve_minions_close(struct serve_minions *minions); /* NULL is fine */

#endif
