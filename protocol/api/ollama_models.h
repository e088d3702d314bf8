/*
 * ollama_models - what Ollama's clients ask about models, told of the one that is loaded:
 *
 *     GET  /api/tags, /api/ps   a list of one
 *     GET  /api/version         that of Ollama whose API this is
 *     POST /api/show            whatever the name, as for chats
 *     POST /api/pull            likewise: it is there already
 *
 * A model's digest is no hash of its file, which nobody reads again for it, but of what is told
 * here: it stays the same as long as that does.
 */
#ifndef API_OLLAMA_MODELS_H
#define API_OLLAMA_MODELS_H

#include "base/error.h"
#include "base/json.h"
#include "engine/engine.h"
#include "protocol/api/field.h"

#define OLLAMA_MODELS_VERSION "0.12.11"

extern const struct field_list ollama_models_fields; /* of show and pull */

/* loaded_s: Unix seconds. */
void ollama_models_tags(const struct engine_info *info, int64_t loaded_s, struct text_buf *out);
void ollama_models_ps(const struct engine_info *info, struct text_buf *out);
void ollama_models_version(struct text_buf *out);

struct ollama_models_shown {
    const struct engine_info *info;
    int64_t loaded_s;
    bool has_tools; /* tools_are_taken */
};
/* ERR_FORMAT, ERR_LIMIT: what is wrong with the body. */
MUST_USE enum status ollama_models_show(const struct ollama_models_shown *shown,
                                        const struct json *body, struct text_buf *out,
                                        struct error *err);
/* is_stream: it is to be sent as application/x-ndjson. */
MUST_USE enum status ollama_models_pull(const struct json *body, bool *is_stream,
                                        struct text_buf *out, struct error *err);

#endif
