/* ollama_models - see ollama_models.h. */
#include "protocol/api/ollama_models.h"

#include "base/sha256.h"
#include "protocol/api/ollama_reply.h"

#include <inttypes.h>
#include <string.h>

struct body {
    struct text model, name;
    bool is_stream;
};

static const struct field models_fields[] = {
    {"model", FIELD_TEXT, 0, 0, 512, offsetof(struct body, model), "Any name."},
    {"name", FIELD_TEXT, 0, 0, 512, offsetof(struct body, name), "The same, as it once was."},
    {"stream", FIELD_BOOL, 0, 0, 0, offsetof(struct body, is_stream),
     "An object a line. Default true."},
    {"verbose", FIELD_IGNORED, FIELD_IS_BOOL, 0, 0, 0, NULL},
    {"insecure", FIELD_IGNORED, FIELD_IS_BOOL, 0, 0, 0, NULL},
};
const struct field_list ollama_models_fields = FIELD_LIST(models_fields);

static const char *precision_of(const struct engine_info *info)
{
    return info->precision == ENGINE_INT8 ? "int8" : "exact";
}

static void write_digest(struct json_writer *w, const struct engine_info *info)
{
    struct text_buf told = {0};
    struct sha256 hash;
    char hex[SHA256_HEX_BYTES];
    text_buf_format(&told, "%s %s %s %" PRIu64 " %" PRIu64, info->model_name,
                    info->architecture, precision_of(info), info->parameters,
                    info->weight_bytes);
    sha256_init(&hash);
    sha256_add(&hash, told.data, told.size);
    sha256_hex(&hash, hex);
    text_buf_deinit(&told);
    json_write_key_text(w, "digest", text_of(hex));
}

static void write_details(struct json_writer *w, const struct engine_info *info)
{
    struct text_buf size = {0};
    const double parameters = (double)info->parameters;
    if (parameters < 1e6)
        text_buf_format(&size, "%.0fK", parameters / 1e3);
    else if (parameters < 1e9)
        text_buf_format(&size, "%.0fM", parameters / 1e6);
    else
        text_buf_format(&size, "%.1fB", parameters / 1e9);
    json_write_key(w, "details");
    json_write_object(w);
    json_write_key_text(w, "parent_model", TEXT(""));
    json_write_key_text(w, "family", text_of(info->architecture));
    json_write_key(w, "families");
    json_write_array(w);
    json_write_text(w, text_of(info->architecture));
    json_write_array_end(w);
    json_write_key_text(w, "parameter_size", text_buf_text(&size));
    json_write_key_text(w, "quantization_level", text_of(precision_of(info)));
    json_write_object_end(w);
    text_buf_deinit(&size);
}

static struct json_writer open_list(struct text_buf *out, const struct engine_info *info,
                                    uint64_t bytes)
{
    struct json_writer w = {.out = out};
    json_write_object(&w);
    json_write_key(&w, "models");
    json_write_array(&w);
    json_write_object(&w);
    json_write_key_text(&w, "name", text_of(info->model_name));
    json_write_key_text(&w, "model", text_of(info->model_name));
    json_write_key_i64(&w, "size", (int64_t)bytes);
    write_digest(&w, info);
    write_details(&w, info);
    return w;
}

static void close_list(struct json_writer *w)
{
    json_write_object_end(w);
    json_write_array_end(w);
    json_write_object_end(w);
}

static void write_time(struct json_writer *w, const char *key, int64_t unix_s)
{
    char time[OLLAMA_REPLY_TIME_SIZE];
    ollama_reply_time(unix_s, time);
    json_write_key_text(w, key, text_of(time));
}

void ollama_models_tags(const struct engine_info *info, int64_t loaded_s, struct text_buf *out)
{
    struct json_writer w = open_list(out, info, info->weight_bytes);
    write_time(&w, "modified_at", loaded_s);
    close_list(&w);
}

/* It is never unloaded: clients show a time that is far enough as "forever". */
void ollama_models_ps(const struct engine_info *info, struct text_buf *out)
{
    const uint64_t bytes = info->weight_bytes + info->kv_bytes;
    struct json_writer w = open_list(out, info, bytes);
    const bool is_on_gpu = strcmp(info->device, "cuda") == 0;
    json_write_key_text(&w, "expires_at", TEXT("9999-12-31T23:59:59Z"));
    json_write_key_i64(&w, "size_vram", is_on_gpu ? (int64_t)bytes : 0);
    json_write_key_i64(&w, "context_length", info->context_max);
    close_list(&w);
}

void ollama_models_version(struct text_buf *out)
{
    struct json_writer w = {.out = out};
    json_write_object(&w);
    json_write_key_text(&w, "version", TEXT(OLLAMA_MODELS_VERSION));
    json_write_object_end(&w);
}

/* A number of the model under its architecture's name. */
static void write_number(struct json_writer *w, const struct engine_info *info,
                         const char *name, int64_t value)
{
    struct text_buf key = {0};
    text_buf_format(&key, "%s.%s", info->architecture, name);
    if (!key.failed)
        json_write_key_i64(w, key.data, value);
    text_buf_deinit(&key);
}

enum status ollama_models_show(const struct ollama_models_shown *shown, const struct json *body,
                               struct text_buf *out, struct error *err)
{
    const struct engine_info *info = shown->info;
    struct json_writer w = {.out = out};
    struct body read = {0};
    TRY(field_read(body, &ollama_models_fields, &read, err));
    json_write_object(&w);
    write_time(&w, "modified_at", shown->loaded_s);
    write_details(&w, info);
    json_write_key(&w, "model_info");
    json_write_object(&w);
    json_write_key_text(&w, "general.architecture", text_of(info->architecture));
    json_write_key_text(&w, "general.basename", text_of(info->model_name));
    json_write_key_i64(&w, "general.parameter_count", (int64_t)info->parameters);
    write_number(&w, info, "context_length", info->context_max);
    write_number(&w, info, "embedding_length", info->hidden);
    write_number(&w, info, "vocab_size", info->vocab);
    json_write_object_end(&w);
    json_write_key(&w, "capabilities");
    json_write_array(&w);
    json_write_text(&w, TEXT("completion"));
    json_write_text(&w, TEXT("embedding"));
    if (shown->has_tools)
        json_write_text(&w, TEXT("tools"));
    json_write_array_end(&w);
    json_write_object_end(&w);
    return OK;
}

static void write_status(struct text_buf *out, struct text status)
{
    struct json_writer w = {.out = out};
    json_write_object(&w);
    json_write_key_text(&w, "status", status);
    json_write_object_end(&w);
}

enum status ollama_models_pull(const struct json *body, bool *is_stream, struct text_buf *out,
                               struct error *err)
{
    struct body read = {.is_stream = true};
    TRY(field_read(body, &ollama_models_fields, &read, err));
    *is_stream = read.is_stream;
    if (read.is_stream) {
        write_status(out, TEXT("pulling manifest"));
        text_buf_byte(out, '\n');
    }
    write_status(out, TEXT("success"));
    if (read.is_stream)
        text_buf_byte(out, '\n');
    return OK;
}
