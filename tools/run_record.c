/* run_record - see run_record.h. */
#include "tools/run_record.h"

#include "base/json.h"
#include "base/sha256.h"
#include "tools/state_path.h"

#include <unistd.h>

enum status run_record_open(struct journal **journal, const char *path, struct error *err)
{
    char usual[STATE_PATH_BYTES];
    if (!path)
        TRY(state_path("runs.db", usual, err));
    return journal_open(journal, path ? path : usual, err);
}

static void write_documents(const struct documents *documents, struct json_writer *w)
{
    json_write_array(w);
    for (uint32_t i = 0; i < documents->count; i++) {
        struct sha256 hash;
        char hex[SHA256_HEX_BYTES];
        sha256_init(&hash);
        sha256_add(&hash, documents->texts[i].data, documents->texts[i].size);
        sha256_hex(&hash, hex);
        json_write_object(w);
        json_write_key_text(w, "path", documents->paths[i]);
        json_write_key_i64(w, "bytes", (int64_t)documents->texts[i].size);
        json_write_key_text(w, "sha256", text_of(hex));
        json_write_object_end(w);
    }
    json_write_array_end(w);
}

static void write_record(const struct run_record *record, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    char folder[STATE_PATH_BYTES];
    json_write_object(&w);
    json_write_key_text(&w, "question", record->question);
    json_write_key_text(&w, "folder", text_of(getcwd(folder, sizeof(folder)) ? folder : "/"));
    json_write_key(&w, "argv");
    json_write_array(&w);
    for (int i = 0; i < record->argc; i++)
        json_write_text(&w, text_of(record->argv[i]));
    json_write_array_end(&w);
    json_write_key(&w, "documents");
    write_documents(record->documents, &w);
    if (record->way)
        json_write_key_text(&w, "way", text_of(record->way));
    json_write_object_end(&w);
}

enum status run_record_begin(struct journal *journal, const struct run_record *record,
                             int64_t *run, struct error *err)
{
    struct text_buf options = {0};
    enum status status = OK;
    write_record(record, &options);
    if (options.failed)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "journal: no memory");
    else
        status = journal_begin(journal, text_buf_text(&options), run, err);
    text_buf_deinit(&options);
    return status;
}

enum status run_record_check(struct text options, int64_t run,
                             const struct documents *documents, struct error *err)
{
    struct text_buf now = {0};
    struct json_writer w = {.out = &now};
    json_write_key(&w, "documents");
    write_documents(documents, &w);
    const bool is_same = !now.failed && text_find(options, text_buf_text(&now), 0) != SIZE_MAX;
    text_buf_deinit(&now);
    if (!is_same)
        FAIL(err, ERR_FORMAT,
             "run %lld: its documents have changed since; ask anew without --resume",
             (long long)run);
    return OK;
}
