/* model_store - see model_store.h. */
#include "tools/model_store.h"

#include "base/file_map.h"
#include "base/json.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDING ".gguf"

enum { NOTE_BYTES_MAX = 1 << 16 };

/* Small models that this engine runs, as their makers or well-known converters publish them. */
static const struct model_store_known table[] = {
    {"smollm2-135m", "bartowski/SmolLM2-135M-Instruct-GGUF", "SmolLM2-135M-Instruct-Q8_0.gguf"},
    {"smollm2-360m", "HuggingFaceTB/SmolLM2-360M-Instruct-GGUF",
     "smollm2-360m-instruct-q8_0.gguf"},
    {"smollm2-1.7b", "HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF",
     "smollm2-1.7b-instruct-q4_k_m.gguf"},
    {"qwen2.5-0.5b", "Qwen/Qwen2.5-0.5B-Instruct-GGUF", "qwen2.5-0.5b-instruct-q8_0.gguf"},
    {"qwen2.5-1.5b", "Qwen/Qwen2.5-1.5B-Instruct-GGUF", "qwen2.5-1.5b-instruct-q8_0.gguf"},
    {"qwen2.5-3b", "Qwen/Qwen2.5-3B-Instruct-GGUF", "qwen2.5-3b-instruct-q8_0.gguf"},
    {"llama-3.2-1b", "bartowski/Llama-3.2-1B-Instruct-GGUF", "Llama-3.2-1B-Instruct-Q8_0.gguf"},
    {"llama-3.2-3b", "bartowski/Llama-3.2-3B-Instruct-GGUF", "Llama-3.2-3B-Instruct-Q8_0.gguf"},
};

const struct model_store_known *model_store_known_at(size_t index)
{
    return index < sizeof table / sizeof table[0] ? &table[index] : NULL;
}

const struct model_store_known *model_store_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

static bool is_harmless(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '-' || c == '_';
}

enum status model_store_file(struct text from, char file[MODEL_STORE_NAME_BYTES],
                             struct error *err)
{
    const struct text whole = from;
    for (size_t i = 0; i < from.size; i++) /* what follows is not the name's */
        if (from.data[i] == '?' || from.data[i] == '#')
            from.size = i;
    for (size_t i = from.size; i > 0; i--) {
        if (from.data[i - 1] != '/' && from.data[i - 1] != '\\')
            continue;
        from = text_slice(from, i, from.size);
        break;
    }
    while (text_starts(from, TEXT(".")))
        from = text_slice(from, 1, from.size);
    if (text_ends(from, TEXT(ENDING)))
        from.size -= sizeof ENDING - 1;
    const size_t most = MODEL_STORE_NAME_BYTES - sizeof ENDING;
    const size_t size = from.size < most ? from.size : most;
    for (size_t i = 0; i < size; i++)
        file[i] = is_harmless(from.data[i]) ? from.data[i] : '_';
    memcpy(file + size, ENDING, sizeof ENDING);
    if (size == 0)
        FAIL(err, ERR_FORMAT, "`%.*s` ends with no file's name", TEXT_ARG(whole));
    return OK;
}

enum status model_store_path(const char *file, char *path, size_t size, struct error *err)
{
    const char *cache = getenv("COHORT_CACHE"), *home = getenv("HOME");
    const bool has_cache = cache && cache[0];
    const char *root = has_cache ? cache : home ? home : "";
    const int written = snprintf(path, size, "%s%s/models%s%s", root,
                                 has_cache ? "" : "/.cache/cohort", file[0] ? "/" : "", file);
    if (written < 0 || (size_t)written >= size)
        FAIL(err, ERR_LIMIT, "the cache's path has %d bytes, the limit is %zu", written,
             size - 1);
    return OK;
}

enum status model_store_make(struct error *err)
{
    char path[MODEL_STORE_PATH_BYTES];
    TRY(model_store_path("", path, sizeof path, err));
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        const char end = *at;
        *at = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            FAIL(err, ERR_IO, "%s: %s", path, strerror(errno));
        *at = end;
        if (end == '\0')
            return OK;
    }
}

static bool is_there(const char *file, char *path, size_t size)
{
    return model_store_path(file, path, size, NULL) == OK && access(path, R_OK) == 0;
}

bool model_store_has(const char *name, char *path, size_t size)
{
    char file[MODEL_STORE_NAME_BYTES], found[MODEL_STORE_PATH_BYTES];
    const struct model_store_known *known = model_store_find(name);
    if (strchr(name, '/') || model_store_file(text_of(name), file, NULL) != OK)
        return false;
    if (!is_there(file, found, sizeof found) &&
        !(known && model_store_file(text_of(known->file), file, NULL) == OK &&
          is_there(file, found, sizeof found)))
        return false;
    const size_t length = strlen(found);
    if (length >= size)
        return false;
    memcpy(path, found, length + 1);
    return true;
}

enum status model_store_note(const char *path, const char *source, const char *sha256,
                             struct error *err)
{
    char note[MODEL_STORE_PATH_BYTES + 8];
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    (void)snprintf(note, sizeof note, "%s.json", path);
    json_write_object(&w);
    json_write_key_text(&w, "source", text_of(source));
    json_write_key_text(&w, "sha256", text_of(sha256));
    json_write_object_end(&w);
    text_buf_byte(&out, '\n');
    const bool is_whole = !out.failed;
    FILE *file = is_whole ? fopen(note, "w") : NULL;
    const bool is_written = file && fwrite(out.data, 1, out.size, file) == out.size;
    text_buf_deinit(&out);
    if (!is_whole)
        FAIL(err, ERR_MEMORY, "%s: no memory to write it", note);
    if ((file && fclose(file) != 0) || !is_written)
        FAIL(err, ERR_IO, "%s: %s", note, strerror(errno));
    return OK;
}

static void copy_text(const struct json *object, const char *key, char *to, size_t size)
{
    struct text value;
    if (json_text(json_get(object, key), &value) && value.size < size)
        (void)snprintf(to, size, "%.*s", TEXT_ARG(value));
}

/* What the note beside the file tells; a note that is none tells nothing. */
static void read_note(struct model_store_entry *entry)
{
    char note[MODEL_STORE_PATH_BYTES + 8];
    struct text_buf text = {0};
    struct json *root = NULL;
    (void)snprintf(note, sizeof note, "%s.json", entry->path);
    if (file_map_read(&text, note, NOTE_BYTES_MAX, NULL) == OK &&
        json_parse(text_buf_text(&text), 0, &root, NULL) == OK) {
        copy_text(root, "source", entry->source, sizeof entry->source);
        copy_text(root, "sha256", entry->sha256, sizeof entry->sha256);
    }
    json_free(root);
    text_buf_deinit(&text);
}

static int by_name(const void *a, const void *b)
{
    const struct model_store_entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static bool fill_entry(struct model_store_entry *entry, const char *file)
{
    struct stat about;
    const struct text name = text_of(file);
    *entry = (struct model_store_entry){.bytes = 0};
    if (!text_ends(name, TEXT(ENDING)) || name.size >= sizeof entry->name ||
        model_store_path(file, entry->path, sizeof entry->path, NULL) != OK ||
        stat(entry->path, &about) != 0 || !S_ISREG(about.st_mode))
        return false;
    (void)snprintf(entry->name, sizeof entry->name, "%.*s",
                   (int)(name.size - (sizeof ENDING - 1)), file);
    entry->bytes = (uint64_t)about.st_size;
    read_note(entry);
    return true;
}

enum status model_store_list(struct model_store_entry **entries, size_t *count,
                             struct error *err)
{
    char path[MODEL_STORE_PATH_BYTES];
    size_t room = 0;
    enum status status = OK;
    *entries = NULL;
    *count = 0;
    TRY(model_store_path("", path, sizeof path, err));
    DIR *folder = opendir(path);
    if (!folder && errno == ENOENT)
        return OK;
    if (!folder)
        FAIL(err, ERR_IO, "%s: %s", path, strerror(errno));
    for (struct dirent *item; status == OK && (item = readdir(folder));) {
        if (*count == room && room < MODEL_STORE_MODELS_MAX) {
            room = room == 0 ? 16 : 2 * room;
            struct model_store_entry *more = realloc(*entries, room * sizeof *more);
            if (!more)
                status = error_set(err, ERR_MEMORY, __FILE__, __LINE__,
                                   "%s: no memory for %zu models", path, room);
            *entries = more ? more : *entries;
        }
        if (status == OK && *count < room && fill_entry(&(*entries)[*count], item->d_name))
            (*count)++;
    }
    (void)closedir(folder);
    if (*count > 0)
        qsort(*entries, *count, sizeof **entries, by_name);
    return status;
}

enum status model_store_remove(const char *path, struct error *err)
{
    char beside[MODEL_STORE_PATH_BYTES + 16];
    static const char *const endings[] = {".json", ".part", ".part.from"};
    if (unlink(path) != 0)
        FAIL(err, ERR_IO, "%s: %s", path, strerror(errno));
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        (void)snprintf(beside, sizeof beside, "%s%s", path, endings[i]);
        (void)unlink(beside);
    }
    return OK;
}
