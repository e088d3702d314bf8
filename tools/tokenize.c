/* tokenize - cohort tokenize: text on standard input to one JSON array of token ids. */
#include "base/file_map.h"
#include "base/json.h"
#include "engine/model.h"
#include "tokenizer/tokenizer.h"
#include "tools/args.h"
#include "tools/cohort.h"
#include "tools/exit_code.h"
#include "tools/model_path.h"
#include "tools/output.h"

#include <stdio.h>
#include <sysexits.h>

struct tokenize {
    const char *model;
    bool json, plain, bounds;
    struct text_buf input, output;
    struct token_list ids;
};

/* The exact precision leaves the weights in the mapped file, so opening costs no more than the
 * vocabulary. */
static enum status open_model(struct tokenize *t, struct model **model, struct device **device,
                              struct error *err)
{
    const struct device_options options = {.kind = DEVICE_CPU, .threads = 1};
    char path[MODEL_PATH_BYTES];
    TRY(model_path_find(t->model, path, sizeof path, err));
    TRY(device_open(device, &options, err));
    TRY(model_open(model, path, MODEL_EXACT, *device, err));
    if (!(*model)->tokenizer)
        FAIL(err, ERR_LIMIT, "%s: %s", path,
             (*model)->tokenizer_error.status != OK ? (*model)->tokenizer_error.text
                                                    : "the file has no tokenizer");
    return OK;
}

static void write_ids(struct tokenize *t)
{
    struct json_writer w = {.out = &t->output};
    if (t->json) {
        json_write_array(&w);
        for (size_t i = 0; i < t->ids.count; i++)
            json_write_i64(&w, t->ids.ids[i]);
        json_write_array_end(&w);
        text_buf_byte(&t->output, '\n');
        return;
    }
    for (size_t i = 0; i < t->ids.count; i++)
        text_buf_format(&t->output, "%d\n", t->ids.ids[i]);
}

static enum status run(struct tokenize *t, struct model **model, struct device **device,
                       struct error *err)
{
    const uint32_t flags = (t->plain ? TOKENIZER_PLAIN : TOKENIZER_SPECIAL) |
                           (t->bounds ? TOKENIZER_BOUNDS : TOKENIZER_PLAIN);
    TRY(open_model(t, model, device, err));
    TRY(file_map_read(&t->input, "-", TOKENIZER_TEXT_MAX, err));
    TRY(tokenizer_encode((*model)->tokenizer, text_buf_text(&t->input), flags, &t->ids, err));
    write_ids(t);
    return output_text(&t->output, err);
}

int tokenize_main(int argc, char **argv)
{
    struct tokenize t = {0};
    const struct args_option options[] = {
        MODEL_PATH_OPTION(&t.model),
        {0, "json", NULL, ARGS_FLAG, &t.json, 0, 0, "one JSON array (default: an id a line)"},
        {0, "plain", NULL, ARGS_FLAG, &t.plain, 0, 0,
         "spellings of control tokens are text like any other"},
        {0, "bounds", NULL, ARGS_FLAG, &t.bounds, 0, 0,
         "add begin and end tokens where the model says so"},
    };
    const struct args_command command = {
        .name = "tokenize",
        .usage = "[options] < TEXT",
        .about = "Reads text on standard input and prints the ids of its tokens.",
        ARGS_OPTIONS(options),
    };
    struct model *model = NULL;
    struct device *device = NULL;
    struct error err = {0};
    int rest;
    const enum args_result parsed = args_parse_words(&command, argc, argv, &rest);
    if (parsed != ARGS_GO)
        return args_exit_code(parsed);
    const int code =
        run(&t, &model, &device, &err) == OK ? EX_OK : exit_code_fail("tokenize", &err);
    model_close(model, device);
    device_close(device);
    token_list_deinit(&t.ids);
    text_buf_deinit(&t.input);
    text_buf_deinit(&t.output);
    return code != EX_OK ? code : exit_code_flush("tokenize");
}
