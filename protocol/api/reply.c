/* reply - see reply.h. */
#include "protocol/api/reply.h"

#include <math.h>
#include <stdlib.h>

enum status reply_init(struct reply *reply, uint32_t choice_count, struct error *err)
{
    *reply = (struct reply){.choice_count = choice_count};
    reply->choices = calloc(choice_count > 0 ? choice_count : 1, sizeof *reply->choices);
    if (!reply->choices)
        FAIL(err, ERR_MEMORY, "no memory for %u choices", choice_count);
    return OK;
}

void reply_deinit(struct reply *reply)
{
    for (uint32_t i = 0; reply->choices && i < reply->choice_count; i++) {
        text_buf_deinit(&reply->choices[i].text);
        logprob_list_deinit(&reply->choices[i].logprobs);
        free(reply->choices[i].vector);
        tool_calls_deinit(&reply->choices[i].calls);
    }
    for (uint32_t i = 0; reply->prompts && i < reply->prompt_count; i++) {
        text_buf_deinit(&reply->prompts[i].text);
        logprob_list_deinit(&reply->prompts[i].logprobs);
    }
    for (uint32_t i = 0; reply->stops && i < reply->stop_count; i++)
        text_buf_deinit(&reply->stops[i]);
    free(reply->stops);
    free(reply->choices);
    free(reply->prompts);
    *reply = (struct reply){0};
}

bool reply_has_failed(const struct reply *reply)
{
    bool has_failed = false;
    for (uint32_t i = 0; i < reply->choice_count; i++)
        has_failed |= reply->choices[i].text.failed || reply->choices[i].logprobs.failed;
    for (uint32_t i = 0; reply->prompts && i < reply->prompt_count; i++)
        has_failed |= reply->prompts[i].text.failed || reply->prompts[i].logprobs.failed;
    return has_failed;
}

enum status reply_init_prompts(struct reply *reply, uint32_t count, struct error *err)
{
    reply->prompts = calloc(count, sizeof *reply->prompts);
    reply->prompt_count = count;
    if (!reply->prompts)
        FAIL(err, ERR_MEMORY, "no memory for %u prompts", count);
    return OK;
}

enum status reply_init_stops(struct reply *reply, const struct text *stops, uint32_t count,
                             struct error *err)
{
    bool has_failed = false;
    if (count == 0)
        return OK;
    reply->stops = calloc(count, sizeof *reply->stops);
    reply->stop_count = reply->stops ? count : 0;
    for (uint32_t i = 0; i < reply->stop_count; i++) {
        text_buf_add(&reply->stops[i], stops[i]);
        has_failed |= reply->stops[i].failed;
    }
    if (!reply->stops || has_failed)
        FAIL(err, ERR_MEMORY, "no memory for %u stop strings", count);
    return OK;
}

void reply_set_vector(struct reply_choice *choice, const float *vector, uint32_t size)
{
    double sum = 0;
    for (uint32_t i = 0; i < size; i++)
        sum += (double)vector[i] * (double)vector[i];
    const double scale = sum > 0 ? 1 / sqrt(sum) : 0;
    choice->vector = calloc(size, sizeof *choice->vector);
    choice->text.failed |= !choice->vector;
    choice->vector_size = choice->vector ? size : 0;
    for (uint32_t i = 0; i < choice->vector_size; i++)
        choice->vector[i] = (float)((double)vector[i] * scale);
}

void reply_write_vector(struct json_writer *w, const struct reply_choice *choice)
{
    json_write_array(w);
    for (uint32_t i = 0; i < choice->vector_size; i++)
        json_write_double(w, (double)choice->vector[i]);
    json_write_array_end(w);
}
