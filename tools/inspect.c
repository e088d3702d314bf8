/*
 * inspect - cohort inspect: what is in a model file, and what running it takes here.
 *
 * Names, keys and strings come from the file: they are cut, and stripped of bytes that a
 * terminal would obey, before they are shown.
 */
#include "base/json.h"
#include "engine/gguf_get.h"
#include "engine/model_config.h"
#include "engine/model_file.h"
#include "kernels/kv_layout.h"
#include "tools/cohort.h"
#include "tools/engine_args.h"
#include "tools/exit_code.h"
#include "tools/machine.h"
#include "tools/memory_plan.h"
#include "tools/model_path.h"
#include "tools/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { SHOWN_BYTES = 72, JSON_TEXT_BYTES = 64 << 10, PLANS_MAX = 2 };

struct inspect {
    struct engine_args engine_args;
    int kv; /* enum engine_kv */
    bool json, tensors;
    char path[MODEL_PATH_BYTES];
    struct model_file file;
    struct model_config config;
    struct error config_error; /* status OK: config is filled */
    struct text_buf out;
};

struct plan {
    uint64_t parameters, stored_bytes;
    uint64_t kv_token_bytes[3]; /* by enum kv_type */
};

/* A file's text, safe for a terminal. */
static void add_shown(struct text_buf *out, struct text text)
{
    size_t at = 0;
    while (at < text.size && at < SHOWN_BYTES) {
        const size_t before = at;
        const uint32_t c = text_utf8_next(text, &at);
        const bool is_plain =
            c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) && c <= 0x10ffff;
        if (is_plain)
            text_buf_add(out, text_slice(text, before, at));
        else
            text_buf_add(out, c == '\n' ? TEXT("\\n") : TEXT("?"));
    }
    if (at < text.size)
        text_buf_add(out, TEXT("..."));
}

static bool is_real(enum gguf_type type)
{
    return type == GGUF_F32 || type == GGUF_F64;
}

/* The fewest digits that read back as the same float. */
static void write_float(float value, struct json_writer *w)
{
    char digits[32];
    for (int count = 6; count <= 9; count++) {
        (void)snprintf(digits, sizeof digits, "%.*g", count, (double)value);
        const float back = strtof(digits, NULL);
        if (back >= value && back <= value)
            break;
    }
    json_write_raw(w, text_of(digits)); /* finite: gguf_get_float refuses others */
}

/* One scalar as JSON. */
static void write_scalar(const struct gguf *gguf, const struct gguf_entry *entry,
                         struct json_writer *w)
{
    char key[GGUF_KEY_BYTES_MAX + 1];
    struct text text = {0};
    int64_t whole = 0;
    float real = 0;
    bool flag = false;
    (void)snprintf(key, sizeof key, "%.*s", TEXT_ARG(entry->key));
    if (entry->type == GGUF_STRING && gguf_get_text(gguf, key, &text, NULL) == OK)
        json_write_text(w, text);
    else if (entry->type == GGUF_BOOL && gguf_get_bool(gguf, key, &flag, NULL) == OK)
        json_write_bool(w, flag);
    else if (is_real(entry->type) && gguf_get_float(gguf, key, &real, NULL) == OK)
        write_float(real, w);
    else if (gguf_get_int(gguf, key, &whole, NULL) == OK)
        json_write_i64(w, whole);
    else
        json_write_null(w);
}

static void show_entry(struct inspect *inspect, const struct gguf_entry *entry)
{
    struct text_buf value = {0};
    struct json_writer w = {.out = &value};
    text_buf_add(&inspect->out, TEXT("  "));
    add_shown(&inspect->out, entry->key);
    if (entry->is_array) {
        text_buf_format(&inspect->out, "  %s[%" PRIu64 "]\n", gguf_type_name(entry->type),
                        entry->count);
        return;
    }
    write_scalar(inspect->file.gguf, entry, &w);
    text_buf_format(&inspect->out, "  ");
    add_shown(&inspect->out, text_buf_text(&value));
    text_buf_byte(&inspect->out, '\n');
    text_buf_deinit(&value);
}

static uint64_t element_count(const struct gguf_tensor *tensor)
{
    uint64_t count = 1; /* gguf_init has held the product against the file's size */
    for (uint32_t i = 0; i < tensor->dim_count; i++)
        count *= (uint64_t)tensor->dims[i];
    return count;
}

static struct plan make_plan(const struct inspect *inspect)
{
    struct plan plan = {0};
    for (uint32_t i = 0; i < inspect->file.gguf->tensor_count; i++) {
        const struct gguf_tensor *tensor = &inspect->file.gguf->tensors[i];
        plan.parameters += element_count(tensor);
        plan.stored_bytes += tensor->size;
    }
    for (int type = KV_F32; inspect->config_error.status == OK && type <= KV_INT8; type++) {
        const struct kv_cache cache = {.type = (enum kv_type)type,
                                       .layers = inspect->config.layers,
                                       .kv_heads = inspect->config.kv_heads,
                                       .head_dim = inspect->config.head_dim};
        plan.kv_token_bytes[type] = kv_layout_page_bytes(&cache) / KV_PAGE_TOKENS;
    }
    return plan;
}

static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

static void show_plan(struct inspect *inspect)
{
    const struct plan plan = make_plan(inspect);
    const struct model_config *config = &inspect->config;
    struct machine machine;
    machine_look(&machine);
    text_buf_format(&inspect->out,
                    "memory here: %.0f MiB, %.0f MiB free\n"
                    "  weights, exact  %9.1f MiB (mapped from the file)\n",
                    mib(machine.memory_bytes), mib(machine.memory_free_bytes),
                    mib(plan.stored_bytes));
    for (int type = KV_F32; type <= KV_INT8; type++) {
        const uint64_t bytes = plan.kv_token_bytes[type];
        text_buf_format(&inspect->out,
                        "  KV cache, %-5s %9.1f MiB for one full context (%" PRIu64
                        " bytes a token)\n",
                        kv_layout_type_name((enum kv_type)type),
                        mib(bytes * (uint64_t)config->context_max), bytes);
    }
    if (plan.stored_bytes > machine.memory_free_bytes && machine.memory_free_bytes > 0)
        text_buf_add(&inspect->out,
                     TEXT("  the weights are larger than the free memory: expect the disk\n"));
}

/* Where the model could run: on the device asked for, else on each that this build computes on
 * for people (the emulator is for tests). */
static uint32_t make_plans(const struct inspect *inspect, struct memory_plan *plans)
{
    static const enum engine_device KINDS[PLANS_MAX] = {ENGINE_CPU, ENGINE_CUDA};
    struct engine_options options = {.kv = (enum engine_kv)inspect->kv,
                                     .model_path = inspect->path};
    uint32_t count = 0;
    engine_args_apply(&inspect->engine_args, &options);
    if (options.device != ENGINE_DEVICE_AUTO) {
        memory_plan_make(&options, &plans[0]);
        return 1;
    }
    for (int i = 0; i < PLANS_MAX; i++) {
        options.device = KINDS[i];
        if (engine_has(KINDS[i]))
            memory_plan_make(&options, &plans[count++]);
    }
    return count;
}

static void show_plans(struct inspect *inspect)
{
    struct memory_plan plans[PLANS_MAX];
    const uint32_t count = make_plans(inspect, plans);
    for (uint32_t i = 0; i < count; i++)
        memory_plan_show(&plans[i], &inspect->out);
}

static void write_plans(struct inspect *inspect, struct json_writer *w)
{
    struct memory_plan plans[PLANS_MAX];
    const uint32_t count = make_plans(inspect, plans);
    json_write_key(w, "plans");
    json_write_array(w);
    for (uint32_t i = 0; i < count; i++)
        memory_plan_write(&plans[i], w);
    json_write_array_end(w);
}

static void show_tensors(struct inspect *inspect)
{
    for (uint32_t i = 0; i < inspect->file.gguf->tensor_count; i++) {
        const struct gguf_tensor *tensor = &inspect->file.gguf->tensors[i];
        text_buf_format(&inspect->out, "  %-32s %-5s [", gguf_label(tensor->name).text,
                        weight_type_name(tensor->type));
        for (uint32_t d = 0; d < tensor->dim_count; d++)
            text_buf_format(&inspect->out, "%s%" PRId64, d ? ", " : "", tensor->dims[d]);
        text_buf_format(&inspect->out, "]  %zu bytes\n", tensor->size);
    }
}

static const char *layout(const struct model_file *file)
{
    if (file->is_folder)
        return "Folder of safetensors";
    return file->gguf->version == 2 ? "GGUF version 2" : "GGUF version 3";
}

static void show(struct inspect *inspect)
{
    const struct model_config *config = &inspect->config;
    struct text_buf *out = &inspect->out;
    text_buf_format(out, "%s\n%s, %llu bytes, %u keys, %u tensors, %.1f M parameters\n",
                    inspect->path, layout(&inspect->file),
                    (unsigned long long)inspect->file.bytes, inspect->file.gguf->entry_count,
                    inspect->file.gguf->tensor_count,
                    (double)make_plan(inspect).parameters / 1e6);
    if (inspect->config_error.status == OK) {
        text_buf_format(
            out,
            "%s: %d layers, hidden %d, ffn %d, heads %d (KV %d) x %d, vocabulary %d, "
            "context %d\n",
            config->architecture, config->layers, config->hidden, config->ffn, config->heads,
            config->kv_heads, config->head_dim, config->vocab, config->context_max);
        show_plan(inspect);
        show_plans(inspect);
    } else {
        text_buf_format(out, "not a model that runs here: %s\n", inspect->config_error.text);
    }
    text_buf_add(out, TEXT("keys\n"));
    for (uint32_t i = 0; i < inspect->file.gguf->entry_count; i++)
        show_entry(inspect, &inspect->file.gguf->entries[i]);
    if (inspect->tensors) {
        text_buf_add(out, TEXT("tensors\n"));
        show_tensors(inspect);
    }
}

static void write_metadata(struct inspect *inspect, struct json_writer *w)
{
    json_write_key(w, "metadata");
    json_write_object(w);
    for (uint32_t i = 0; i < inspect->file.gguf->entry_count; i++) {
        const struct gguf_entry *entry = &inspect->file.gguf->entries[i];
        char key[GGUF_KEY_BYTES_MAX + 1];
        (void)snprintf(key, sizeof key, "%.*s", TEXT_ARG(entry->key));
        const bool is_long = entry->type == GGUF_STRING && entry->size > JSON_TEXT_BYTES;
        json_write_key(w, key);
        if (!entry->is_array && !is_long) {
            write_scalar(inspect->file.gguf, entry, w);
            continue;
        }
        json_write_object(w);
        if (entry->is_array) {
            json_write_key_text(w, "array_of", text_of(gguf_type_name(entry->type)));
            json_write_key_i64(w, "count", (int64_t)entry->count);
        } else { /* a whole tokenizer.json, say */
            json_write_key_i64(w, "text_bytes", (int64_t)entry->size);
        }
        json_write_object_end(w);
    }
    json_write_object_end(w);
}

static void write_tensors(struct inspect *inspect, struct json_writer *w)
{
    json_write_key(w, "tensors");
    json_write_array(w);
    for (uint32_t i = 0; i < inspect->file.gguf->tensor_count; i++) {
        const struct gguf_tensor *tensor = &inspect->file.gguf->tensors[i];
        json_write_object(w);
        json_write_key_text(w, "name", tensor->name);
        json_write_key_text(w, "type", text_of(weight_type_name(tensor->type)));
        json_write_key(w, "dims");
        json_write_array(w);
        for (uint32_t d = 0; d < tensor->dim_count; d++)
            json_write_i64(w, tensor->dims[d]);
        json_write_array_end(w);
        json_write_key_i64(w, "bytes", (int64_t)tensor->size);
        json_write_object_end(w);
    }
    json_write_array_end(w);
}

static void write_memory(struct inspect *inspect, struct json_writer *w)
{
    const struct plan plan = make_plan(inspect);
    struct machine machine;
    machine_look(&machine);
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"machine_bytes", machine.memory_bytes},
        {"free_bytes", machine.memory_free_bytes},
        {"weights_exact_bytes", plan.stored_bytes},
        {"kv_f32_bytes_per_token", plan.kv_token_bytes[KV_F32]},
        {"kv_f16_bytes_per_token", plan.kv_token_bytes[KV_F16]},
        {"kv_int8_bytes_per_token", plan.kv_token_bytes[KV_INT8]},
    };
    json_write_key_i64(w, "parameters", (int64_t)plan.parameters);
    json_write_key(w, "memory");
    json_write_object(w);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        json_write_key_i64(w, numbers[i].key, (int64_t)numbers[i].value);
    }
    json_write_object_end(w);
}

static void write_json(struct inspect *inspect)
{
    struct json_writer w = {.out = &inspect->out};
    json_write_object(&w);
    json_write_key_text(&w, "file", text_of(inspect->path));
    json_write_key_i64(&w, "file_bytes", (int64_t)inspect->file.bytes);
    json_write_key_i64(&w, "gguf_version", inspect->file.gguf->version);
    json_write_key_bool(&w, "runs_here", inspect->config_error.status == OK);
    if (inspect->config_error.status != OK) {
        json_write_key_text(&w, "why_not", text_of(inspect->config_error.text));
    }
    write_memory(inspect, &w);
    if (inspect->config_error.status == OK)
        write_plans(inspect, &w);
    write_metadata(inspect, &w);
    write_tensors(inspect, &w);
    json_write_object_end(&w);
    text_buf_byte(&inspect->out, '\n');
}

static enum status run(struct inspect *inspect, struct error *err)
{
    TRY(model_path_find(inspect->engine_args.model, inspect->path, sizeof inspect->path, err));
    TRY(model_file_open(&inspect->file, inspect->path, err));
    if (model_config_read(inspect->file.gguf, inspect->path, &inspect->config,
                          &inspect->config_error) == OK)
        inspect->config_error.status = OK;
    if (inspect->json)
        write_json(inspect);
    else
        show(inspect);
    return output_text(&inspect->out, err);
}

int inspect_main(int argc, char **argv)
{
    struct inspect inspect = {0};
    const struct args_option options[] = {
        ENGINE_ARGS(inspect.engine_args),
        {0, "kv", "auto|f32|f16|int8", ARGS_CHOICE, &inspect.kv, 0, 0,
         "numbers of the KV cache (default: those that go with device and precision)"},
        {0, "tensors", NULL, ARGS_FLAG, &inspect.tensors, 0, 0, "list the tensors too"},
        {0, "json", NULL, ARGS_FLAG, &inspect.json, 0, 0, "one JSON object, with the tensors"},
    };
    const struct args_command command = {
        .name = "inspect",
        .usage = "[options] [FILE]",
        .about =
            "Tells what is in a model file and what memory it takes on this machine: weights, "
            "KV pool, context and jobs side by side, as an engine would have them.",
        ARGS_OPTIONS(options),
        .words_max = 1,
    };
    struct error err = {0};
    int rest;
    const enum args_result parsed = args_parse_words(&command, argc, argv, &rest);
    if (parsed != ARGS_GO)
        return args_exit_code(parsed);
    if (argv[rest])
        inspect.engine_args.model = argv[rest];
    const int code = run(&inspect, &err) == OK ? EX_OK : exit_code_fail("inspect", &err);
    text_buf_deinit(&inspect.out);
    model_file_close(&inspect.file);
    return code != EX_OK ? code : exit_code_flush("inspect");
}
