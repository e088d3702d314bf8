/* ask_run - see ask_run.h. */
#include "protocol/api/ask_run.h"

#include <math.h>

enum status ask_run_init(struct ask_run *run, const struct engine *engine,
                         const struct ask *ask, struct error *err)
{
    const bool is_one = ask->job.sample_count == 0 || ask->kind == ASK_EMBED;
    struct reply *reply = &run->reply;
    *run = (struct ask_run){.engine = engine, .samples = is_one ? 1 : ask->job.sample_count};
    if (ask->prompt_count == 0 || ask->prompt_count > ASK_PROMPTS_MAX)
        FAIL(err, ERR_LIMIT, "prompts: %u, 1 to %d are taken", ask->prompt_count,
             ASK_PROMPTS_MAX);
    if (run->samples > ENGINE_SAMPLES_MAX)
        FAIL(err, ERR_LIMIT, "n: %u, at most %d are taken", run->samples, ENGINE_SAMPLES_MAX);
    TRY(reply_init(reply, ask->prompt_count * run->samples, err));
    TRY(reply_init_stops(reply, ask->job.stops, ask->job.stop_count, err));
    if (ask->echo)
        TRY(reply_init_prompts(reply, ask->prompt_count, err));
    for (uint32_t i = 0; ask->is_mute && i < reply->choice_count; i++)
        reply->choices[i].finish = ENGINE_LENGTH;
    reply->model = text_of(engine_info(engine)->model_name);
    reply->has_logprobs = ask->logprobs;
    reply->has_usage = ask->has_usage;
    reply->is_base64 = ask->is_base64;
    reply->has_tools = ask->tools.list != NULL;
    reply->is_single_call = ask->tools.is_single;
    reply->tools =
        (struct tool_calls_reader){ask->tools.format, ask->tools.choice == ASK_TOOLS_REQUIRED};
    run->ends_max = reply->choice_count + (ask->echo && ask->logprobs ? ask->prompt_count : 0);
    return OK;
}

void ask_run_deinit(struct ask_run *run)
{
    reply_deinit(&run->reply);
    *run = (struct ask_run){0};
}

/* ---- jobs ---- */

static enum status encode(const struct ask *ask, uint32_t index,
                          const struct tokenizer *tokenizer, struct token_list *ids,
                          struct error *err)
{
    const struct ask_prompt *prompt = &ask->prompts[index];
    ids->count = 0;
    if (ask->kind == ASK_CHAT)
        return ask_encode_chat(ask, index, tokenizer, ids, err);
    if (!prompt->ids)
        return tokenizer_encode(tokenizer, prompt->text, TOKENIZER_BOUNDS, ids, err);
    for (uint32_t i = 0; i < prompt->id_count; i++)
        if (!token_list_add(ids, prompt->ids[i]))
            FAIL(err, ERR_MEMORY, "no memory for %u tokens", prompt->id_count);
    return OK;
}

static void add_job(struct ask_run_jobs *made, const struct engine_job *job, uint32_t ends)
{
    made->jobs[made->count] = *job;
    made->ends[made->count++] = ends;
}

/* The prompt as it comes back, and the job that tells how likely each of its tokens was; of the
 * first nothing can be said. */
static void add_echo(struct ask_run *run, const struct engine_job *job,
                     struct ask_run_jobs *made)
{
    const struct tokenizer *tokenizer = engine_tokenizer(run->engine);
    struct reply_prompt *prompt = &run->reply.prompts[job->tag];
    const struct engine_job score = {.kind = ENGINE_SCORE,
                                     .prompt = job->prompt,
                                     .prompt_tokens = job->prompt_tokens,
                                     .score_tokens = job->prompt_tokens - 1,
                                     .tells_scores = true,
                                     .top_count = job->top_count,
                                     .priority = job->priority,
                                     .deadline_ms = job->deadline_ms,
                                     .tag = ASK_RUN_SCORE_TAG | job->tag};
    tokenizer_decode(tokenizer, job->prompt, job->prompt_tokens, false, &prompt->text);
    if (!run->reply.has_logprobs || job->prompt_tokens == 0)
        return;
    const struct engine_event first = {.token = job->prompt[0], .logprob = NAN};
    prompt->logprobs.is_at_start = true;
    if (first.token >= 0 && (uint32_t)first.token < tokenizer_vocab_size(tokenizer))
        logprob_list_add(&prompt->logprobs, tokenizer, &first);
    if (score.score_tokens > 0)
        add_job(made, &score, 1);
}

enum status ask_run_jobs(struct ask_run *run, const struct ask *ask, uint32_t index,
                         struct ask_run_jobs *made, struct error *err)
{
    const uint32_t room = engine_info(run->engine)->context_max;
    struct engine_job job = ask->job;
    made->count = 0;
    TRY(encode(ask, index, engine_tokenizer(run->engine), &made->ids, err));
    job.kind = ask->kind == ASK_EMBED ? ENGINE_EMBED : ENGINE_GENERATE;
    if (job.max_tokens == 0)
        job.max_tokens = made->ids.count < room ? room - (uint32_t)made->ids.count : 1;
    job.prompt = made->ids.ids;
    job.prompt_tokens = (uint32_t)made->ids.count;
    run->reply.asked_tokens += job.prompt_tokens;
    job.job_key += index;
    job.priority = job.priority - ask->lowered > -ENGINE_PRIORITY_MAX
                       ? job.priority - ask->lowered
                       : -ENGINE_PRIORITY_MAX;
    job.tag = index;
    if (ask->prompts[index].chunk.data)
        job.chunk = ask->prompts[index].chunk;
    if (run->reply.prompts)
        add_echo(run, &job, made);
    if (ask->is_mute)
        run->mute_tokens += job.prompt_tokens;
    else
        add_job(made, &job, run->samples);
    return OK;
}

/* ---- events ---- */

/* Some models write what begins a call as a control token, which is no text. */
static void spell_control(const struct tokenizer *tokenizer, const struct engine_event *event,
                          struct text_buf *text)
{
    if (event->token != TOKEN_NONE && tokenizer_is_control(tokenizer, event->token))
        tokenizer_decode(tokenizer, &event->token, 1, true, text);
}

/* What of a text is certainly no call, and was not in a piece yet. */
static struct text newly_said(const struct reply *reply, struct reply_choice *choice)
{
    const struct text text = text_buf_text(&choice->text);
    const size_t shown = choice->shown;
    choice->shown = tool_calls_content(&reply->tools, text, shown);
    return text_slice(text, shown, choice->shown);
}

/* The whole text of a choice is there: its calls are taken out, or the rest of it is text. */
static void end_calls(struct reply *reply, struct ask_run_news *news)
{
    struct reply_choice *choice = &reply->choices[news->piece.choice];
    const struct text text = text_buf_text(&choice->text);
    size_t content;
    if (tool_calls_read(&reply->tools, text, &choice->calls, &content)) {
        choice->text.size = content;
        if (reply->is_single_call)
            tool_calls_keep(&choice->calls, 1);
        return;
    }
    news->piece.text = text_slice(text, choice->shown, text.size);
    news->piece.token_first = choice->logprobs.count;
    news->has_piece = news->piece.text.size > 0;
}

static void take_token(struct ask_run *run, const struct engine_event *event,
                       struct ask_run_news *news)
{
    const struct tokenizer *tokenizer = engine_tokenizer(run->engine);
    struct reply *reply = &run->reply;
    struct reply_choice *choice = &reply->choices[news->piece.choice];
    struct reply_piece *piece = &news->piece;
    piece->text = event->text;
    piece->token_first = choice->logprobs.count;
    if (reply->has_logprobs)
        logprob_list_add(&choice->logprobs, tokenizer, event);
    piece->token_count = choice->logprobs.count - piece->token_first;
    if (reply->has_tools)
        spell_control(tokenizer, event, &choice->text);
    text_buf_add(&choice->text, event->text);
    if (reply->has_tools)
        piece->text = newly_said(reply, choice);
    news->has_piece = piece->text.size > 0 || piece->token_count > 0;
}

static void take_end(struct ask_run *run, const struct engine_event *event,
                     struct ask_run_news *news)
{
    struct reply *reply = &run->reply;
    struct reply_choice *choice = &reply->choices[news->piece.choice];
    choice->finish = event->finish;
    choice->stop_string = event->stop_string;
    choice->output_tokens = event->output_tokens;
    reply->completion_tokens += event->output_tokens;
    if (event->sample == 0) {
        reply->prompt_tokens += event->prompt_tokens;
        reply->cached_tokens += event->cached_tokens;
    }
    if (event->vector)
        reply_set_vector(choice, event->vector, event->vector_size);
    if (reply->has_tools)
        end_calls(reply, news);
    news->is_end = true;
}

/* Of the job that scores a prompt. */
static void take_score(struct ask_run *run, const struct engine_event *event,
                       struct ask_run_news *news)
{
    struct reply_prompt *prompt =
        &run->reply.prompts[(uint32_t)event->tag & ~ASK_RUN_SCORE_TAG];
    news->is_score = true;
    if (event->kind == ENGINE_TOKEN)
        logprob_list_add(&prompt->logprobs, engine_tokenizer(run->engine), event);
    else
        news->is_end = true;
}

struct ask_run_news ask_run_take(struct ask_run *run, const struct engine_event *event)
{
    const uint32_t index = (uint32_t)event->tag;
    struct ask_run_news news = {0};
    if (index & ASK_RUN_SCORE_TAG) {
        take_score(run, event, &news);
    } else {
        news.piece.choice = index * run->samples + event->sample;
        if (event->kind == ENGINE_TOKEN)
            take_token(run, event, &news);
        else
            take_end(run, event, &news);
    }
    run->has_failed |= news.is_end && event->finish == ENGINE_FAILED;
    return news;
}

void ask_run_end(struct ask_run *run)
{
    run->reply.prompt_tokens += run->mute_tokens;
}
