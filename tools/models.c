/* models - cohort models: what cohort pull has put in the cache, and away with it. */
#include "base/json.h"
#include "tools/args.h"
#include "tools/cohort.h"
#include "tools/exit_code.h"
#include "tools/model_store.h"
#include "tools/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static enum status write_json(const struct model_store_entry *entries, size_t count,
                              struct error *err)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    json_write_array(&w);
    for (size_t i = 0; i < count; i++) {
        json_write_object(&w);
        json_write_key_text(&w, "name", text_of(entries[i].name));
        json_write_key_i64(&w, "bytes", (int64_t)entries[i].bytes);
        json_write_key_text(&w, "path", text_of(entries[i].path));
        json_write_key_text(&w, "source", text_of(entries[i].source));
        json_write_key_text(&w, "sha256", text_of(entries[i].sha256));
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
    return output_line(&out, err);
}

static void write_lines(const struct model_store_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        printf("%s  %.1f MB\n  %s\n", entries[i].name, (double)entries[i].bytes / 1e6,
               entries[i].path);
        if (entries[i].source[0])
            printf("  from %s\n  sha256 %s\n", entries[i].source, entries[i].sha256);
    }
    if (count == 0)
        (void)fprintf(stderr, "no models yet; cohort pull gets one\n");
}

static enum status list(bool json, struct error *err)
{
    struct model_store_entry *entries;
    size_t count;
    enum status status = model_store_list(&entries, &count, err);
    if (status == OK && json)
        status = write_json(entries, count, err);
    else if (status == OK)
        write_lines(entries, count);
    free(entries);
    return status;
}

static enum status remove_model(const char *name, struct error *err)
{
    char path[MODEL_STORE_PATH_BYTES];
    if (!model_store_has(name, path, sizeof path))
        FAIL(err, ERR_IO, "no model named `%.100s`; cohort models lists them", name);
    return model_store_remove(path, err);
}

int models_main(int argc, char **argv)
{
    bool json = false;
    const struct args_option options[] = {
        {0, "json", NULL, ARGS_FLAG, &json, 0, 0, "one JSON array"},
    };
    const struct args_command command = {
        .name = "models",
        .usage = "[options] [rm NAME]",
        .about = "Lists the models in the cache: name, size, path, where they came from and "
                 "their SHA-256. With rm, removes one.",
        ARGS_OPTIONS(options),
    };
    struct error err = {0};
    int rest;
    const enum args_result parsed = args_parse(&command, argc, argv, &rest);
    if (parsed != ARGS_GO)
        return args_exit_code(parsed);
    const bool removes = argc > rest && strcmp(argv[rest], "rm") == 0;
    if (!args_words_fit(&command, argc - rest, removes ? 2 : 0, removes ? 2 : 0))
        return EX_USAGE;
    const enum status status = removes ? remove_model(argv[rest + 1], &err) : list(json, &err);
    if (status != OK)
        return exit_code_fail("models", &err);
    return exit_code_flush("models");
}
