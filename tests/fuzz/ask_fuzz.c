/*
 * ask_fuzz - libFuzzer target: any bytes as the body of a request, by the field table and the
 * parser of every endpoint that has them. What is refused is refused in one sentence about a
 * field of the table or about the body; what is accepted is within the limits of ask.h.
 *
 *     ask_fuzz -max_len=4096 -timeout=2 CORPUS
 */
#include "protocol/api/endpoints.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_BYTES = 1 << 16, TARGET_WORDS = 1 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

/* A refusal names what it is about; the tables' own sentences all do. */
static void check_refusal(const struct endpoint *endpoint, enum status status,
                          const struct error *err)
{
    const struct text sentence = text_of(err->text);
    demand(status == ERR_FORMAT || status == ERR_LIMIT || status == ERR_MEMORY);
    demand(sentence.size > 0 && text_find(sentence, TEXT("\n"), 0) == SIZE_MAX);
    demand(status == ERR_MEMORY || field_of_refusal(endpoint->fields, err->text) ||
           text_starts(sentence, TEXT("body: ")));
}

static void check_ask(const struct ask *ask)
{
    demand(ask->prompt_count > 0 && ask->prompts);
    demand(ask->job.sample_count <= ENGINE_SAMPLES_MAX);
    demand(ask->job.stop_count <= ENGINE_STOPS_MAX && ask->job.bias_count <= ENGINE_BIASES_MAX);
    demand(ask->job.top_count <= ENGINE_TOPS_MAX);
    demand(ask->job.priority >= -ENGINE_PRIORITY_MAX &&
           ask->job.priority <= ENGINE_PRIORITY_MAX);
    for (uint32_t i = 0; i < ask->prompt_count; i++)
        demand(ask->prompts[i].message_count <= ASK_MESSAGES_MAX);
}

static void try_endpoint(const struct endpoint *endpoint, const struct json *body)
{
    static uint8_t room[ROOM_BYTES];
    static uint64_t target[TARGET_WORDS];
    struct arena arena = {.base = room, .size = sizeof room};
    struct error err = {0};
    struct ask ask;
    for (uint32_t i = 0; i < endpoint->fields->count; i++)
        demand(endpoint->fields->fields[i].offset + 16 <= sizeof target);
    enum status status = field_read(body, endpoint->fields, target, &err);
    if (status != OK)
        check_refusal(endpoint, status, &err);
    if (!endpoint->parse)
        return;
    status = endpoint->parse(body, &arena, &ask, &err);
    if (status != OK)
        check_refusal(endpoint, status, &err);
    else
        check_ask(&ask);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *root = NULL;
    char *copy = malloc(size ? size : 1); /* its exact size, so that one byte more is seen */
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    if (json_parse((struct text){copy, size}, 0, &root, NULL) == OK)
        for (uint32_t i = 0; endpoints_own(i); i++)
            if (endpoints_own(i)->fields)
                try_endpoint(endpoints_own(i), root);
    json_free(root);
    free(copy);
    return 0;
}
