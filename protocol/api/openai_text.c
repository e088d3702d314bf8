/* openai_text - see openai_text.h. */
#include "protocol/api/openai_text.h"

#include "protocol/api/openai_body.h"
#include "protocol/api/openai_reply.h"

enum { MAX_TOKENS_DEFAULT = 16 };

struct body {
    struct openai_body common;
    const struct json *prompt;
};

static const struct field text_fields[] = {
    OPENAI_BODY_FIELDS,
    {"prompt", FIELD_JSON, FIELD_IS_STRING | FIELD_IS_ARRAY, 0, 0,
     offsetof(struct body, prompt), "A string, a list of strings, tokens, or lists of them."},
    {"max_tokens", FIELD_COUNT, 0, 0, INT32_MAX, OPENAI_BODY_ASK(job.max_tokens),
     "Tokens of a text. Default 16."},
    {"logprobs", FIELD_COUNT, 0, 0, ENGINE_TOPS_MAX, OPENAI_BODY_ASK(job.top_count),
     "Tell each token's log-probability, and of so many of the likeliest at its place."},
    {"echo", FIELD_BOOL, 0, 0, 0, OPENAI_BODY_ASK(echo), "The prompt stands before the text."},
    {"suffix", FIELD_REFUSED, 0, 0, 0, 0, NULL},
};

const struct field_list openai_text_fields = FIELD_LIST(text_fields);

enum status openai_text_parse(const struct json *from, struct arena *arena, struct ask *ask,
                              struct error *err)
{
    struct body body = {.common = openai_body_start(ASK_TEXT)};
    struct ask *read = &body.common.ask;
    *ask = *read;
    read->job.max_tokens = MAX_TOKENS_DEFAULT;
    TRY(field_read(from, &openai_text_fields, &body, err));
    TRY(openai_body_finish(&body.common, from, arena, err));
    TRY(ask_read_prompts(body.prompt, "prompt", arena, read, err));
    read->logprobs = json_type(json_get(from, "logprobs")) != JSON_NULL;
    read->is_mute = read->job.max_tokens == 0;
    if (read->echo && read->logprobs && read->stream)
        FAIL(err, ERR_LIMIT,
             "logprobs: not with echo in a stream; ask for one of the three less");
    *ask = *read;
    return OK;
}

/* ---- replies ---- */

/* A token as text; one that is no whole characters as OpenAI spells it, "bytes:\\xe2\\x80". */
static void write_token(struct json_writer *w, struct text bytes, bool is_key)
{
    struct text_buf shown = {0};
    if (text_utf8_valid(bytes) == bytes.size) {
        text_buf_add(&shown, bytes);
    } else {
        text_buf_add(&shown, TEXT("bytes:"));
        for (size_t i = 0; i < bytes.size; i++)
            text_buf_format(&shown, "\\x%02x", (unsigned char)bytes.data[i]);
    }
    text_buf_byte(&shown, 0);
    if (is_key && !shown.failed)
        json_write_key(w, shown.data);
    else if (!shown.failed)
        json_write_text(w, text_slice(text_buf_text(&shown), 0, shown.size - 1));
    text_buf_deinit(&shown);
}

static double shown_logprob(float logprob)
{
    return logprob <= OPENAI_REPLY_LOGPROB_MIN ? (double)OPENAI_REPLY_LOGPROB_MIN
                                               : (double)logprob; /* NAN is written null */
}

/* A stretch of a list's tokens, which stand after so many characters. */
struct stretch {
    const struct logprob_list *list;
    uint32_t first, count, characters;
};

/* The stretches of a choice: its prompt's, where that comes back, and its own. */
struct stretches {
    struct stretch of[2];
};

static void write_tokens(struct json_writer *w, const struct stretches *all)
{
    json_write_key(w, "tokens");
    json_write_array(w);
    for (int s = 0; s < 2; s++)
        for (uint32_t i = 0; i < all->of[s].count; i++)
            write_token(w, all->of[s].list->tokens[all->of[s].first + i].bytes, false);
    json_write_array_end(w);
}

static void write_logprobs(struct json_writer *w, const struct stretches *all)
{
    json_write_key(w, "token_logprobs");
    json_write_array(w);
    for (int s = 0; s < 2; s++)
        for (uint32_t i = 0; i < all->of[s].count; i++)
            json_write_double(
                w, shown_logprob(all->of[s].list->tokens[all->of[s].first + i].logprob));
    json_write_array_end(w);
}

static void write_offsets(struct json_writer *w, const struct stretches *all)
{
    json_write_key(w, "text_offset");
    json_write_array(w);
    for (int s = 0; s < 2; s++)
        for (uint32_t i = 0; i < all->of[s].count; i++)
            json_write_i64(w, (int64_t)all->of[s].characters +
                                  all->of[s].list->tokens[all->of[s].first + i].offset);
    json_write_array_end(w);
}

/* The likeliest at a token's place; null where nothing is known of them. */
static void write_top(struct json_writer *w, const struct logprob_list *list, uint32_t index)
{
    const struct logprob_token *token = &list->tokens[index];
    if (token->top_count == 0) {
        json_write_null(w);
        return;
    }
    json_write_object(w);
    for (uint32_t t = 0; t < token->top_count; t++) {
        const struct logprob_top *top = &list->tops[token->top_first + t];
        write_token(w, top->bytes, true);
        json_write_double(w, shown_logprob(top->logprob));
    }
    json_write_object_end(w);
}

static void write_tops(struct json_writer *w, const struct stretches *all)
{
    json_write_key(w, "top_logprobs");
    json_write_array(w);
    for (int s = 0; s < 2; s++)
        for (uint32_t i = 0; i < all->of[s].count; i++)
            write_top(w, all->of[s].list, all->of[s].first + i);
    json_write_array_end(w);
}

static const struct reply_prompt *prompt_of(const struct reply *reply, uint32_t choice)
{
    return reply->prompts
               ? &reply->prompts[choice / (reply->choice_count / reply->prompt_count)]
               : NULL;
}

/* piece NULL: the whole choice, with its prompt. */
static void write_choice_logprobs(struct json_writer *w, const struct reply *reply,
                                  uint32_t choice, const struct reply_piece *piece)
{
    const struct reply_prompt *prompt = prompt_of(reply, choice);
    const struct logprob_list *own = &reply->choices[choice].logprobs;
    struct stretches all = {{{NULL, 0, 0, 0}, {own, 0, own->count, 0}}};
    json_write_key(w, "logprobs");
    if (!reply->has_logprobs) {
        json_write_null(w);
        return;
    }
    if (piece)
        all.of[1] = (struct stretch){own, piece->token_first, piece->token_count, 0};
    else if (prompt)
        all.of[0] = (struct stretch){&prompt->logprobs, 0, prompt->logprobs.count, 0};
    if (all.of[0].list)
        all.of[1].characters = logprob_list_characters(all.of[0].list);
    json_write_object(w);
    write_tokens(w, &all);
    write_logprobs(w, &all);
    write_tops(w, &all);
    write_offsets(w, &all);
    json_write_object_end(w);
}

static void write_head(struct json_writer *w, const struct reply *reply)
{
    json_write_object(w);
    json_write_key_text(w, "id", text_of(reply->id));
    json_write_key_text(w, "object", TEXT("text_completion"));
    json_write_key_i64(w, "created", reply->created);
    json_write_key_text(w, "model", reply->model);
    json_write_key(w, "choices");
    json_write_array(w);
}

static void write_choice(struct json_writer *w, const struct reply *reply, uint32_t index)
{
    const struct reply_choice *choice = &reply->choices[index];
    const struct reply_prompt *prompt = prompt_of(reply, index);
    struct text_buf whole = {0};
    if (prompt)
        text_buf_add(&whole, text_buf_text(&prompt->text));
    text_buf_add(&whole, text_buf_text(&choice->text));
    json_write_object(w);
    json_write_key_i64(w, "index", index);
    json_write_key_text(w, "text", text_buf_text(&whole));
    write_choice_logprobs(w, reply, index, NULL);
    json_write_key_text(w, "finish_reason", text_of(openai_reply_finish(choice->finish)));
    json_write_object_end(w);
    text_buf_deinit(&whole);
}

static void text_whole(const struct reply *reply, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    write_head(&w, reply);
    for (uint32_t i = 0; i < reply->choice_count; i++)
        write_choice(&w, reply, i);
    json_write_array_end(&w);
    openai_reply_usage(&w, reply);
    json_write_object_end(&w);
}

/* A chunk of one choice; finish NULL: it goes on. */
static void write_chunk(const struct reply *reply, const struct reply_piece *piece,
                        const char *finish, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    text_buf_add(out, TEXT("data: "));
    write_head(&w, reply);
    json_write_object(&w);
    json_write_key_i64(&w, "index", piece->choice);
    json_write_key_text(&w, "text", piece->text);
    write_choice_logprobs(&w, reply, piece->choice, piece);
    json_write_key(&w, "finish_reason");
    if (finish)
        json_write_text(&w, text_of(finish));
    else
        json_write_null(&w);
    json_write_object_end(&w);
    json_write_array_end(&w);
    if (reply->has_usage) {
        json_write_key(&w, "usage");
        json_write_null(&w);
    }
    json_write_object_end(&w);
    text_buf_add(out, TEXT("\n\n"));
}

static void text_begin(const struct reply *reply, struct text_buf *out)
{
    for (uint32_t i = 0; reply->prompts && i < reply->choice_count; i++) {
        const struct reply_piece prompt = {.choice = i,
                                           .text = text_buf_text(&prompt_of(reply, i)->text)};
        write_chunk(reply, &prompt, NULL, out);
    }
}

static void text_piece(const struct reply *reply, const struct reply_piece *piece,
                       struct text_buf *out)
{
    write_chunk(reply, piece, NULL, out);
}

static void text_choice_end(const struct reply *reply, uint32_t choice, struct text_buf *out)
{
    const struct reply_piece end = {.choice = choice, .text = TEXT("")};
    write_chunk(reply, &end, openai_reply_finish(reply->choices[choice].finish), out);
}

static void text_end(const struct reply *reply, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    if (reply->has_usage) {
        text_buf_add(out, TEXT("data: "));
        write_head(&w, reply);
        json_write_array_end(&w);
        openai_reply_usage(&w, reply);
        json_write_object_end(&w);
        text_buf_add(out, TEXT("\n\n"));
    }
    text_buf_add(out, TEXT("data: [DONE]\n\n"));
}

const struct reply_wire openai_text_wire = {
    .stream_type = "text/event-stream",
    .id_prefix = "cmpl-",
    .whole = text_whole,
    .begin = text_begin,
    .piece = text_piece,
    .choice_end = text_choice_end,
    .end = text_end,
    .error = openai_reply_error_whole,
    .stream_error = openai_reply_error_event,
};
