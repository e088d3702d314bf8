/* supervisor_remote - see supervisor_remote.h. */
#include "protocol/minions/supervisor_remote.h"

#include "base/json.h"
#include "protocol/minions/job_output.h"
#include "protocol/minions/prompts.h"

enum { DECISION_BYTES_MAX = 1 << 20, CARRY_BYTES_MAX = 16 << 10 };

void supervisor_remote_deinit(struct supervisor_remote *supervisor)
{
    text_buf_deinit(&supervisor->advice.content);
    text_buf_deinit(&supervisor->program.content);
    text_buf_deinit(&supervisor->decision.content);
    text_buf_deinit(&supervisor->advice_prompt);
    text_buf_deinit(&supervisor->program_prompt);
    text_buf_deinit(&supervisor->feedback);
    text_buf_deinit(&supervisor->scratchpad);
}

static enum status check_prompt(const struct text_buf *prompt, struct error *err)
{
    if (prompt->failed)
        FAIL(err, ERR_MEMORY, "supervisor: no memory for a message");
    return OK;
}

enum status supervisor_remote_advise(struct supervisor_remote *supervisor, struct error *err)
{
    text_buf_clear(&supervisor->advice_prompt);
    prompts_advice(&supervisor->advice_prompt, supervisor->question, supervisor->documents);
    TRY(check_prompt(&supervisor->advice_prompt, err));
    const struct remote_message message = {"user", text_buf_text(&supervisor->advice_prompt)};
    return remote_chat(supervisor->remote, &message, 1, &supervisor->advice, err);
}

enum status supervisor_remote_program(struct supervisor_remote *supervisor, uint32_t round,
                                      const struct dsl_fault *fault, struct text *source,
                                      struct error *err)
{
    struct text_buf repair = {0};
    struct text_buf last = {0}; /* the reply being repaired: its buffer gets the next one */
    uint32_t count = 3;
    if (fault) {
        prompts_repair(&repair, fault);
        text_buf_add(&last, text_buf_text(&supervisor->program.content));
        count = 5;
    } else {
        const struct prompts_turn turn = {.round = round,
                                          .rounds_max = supervisor->rounds_max,
                                          .feedback = text_buf_text(&supervisor->feedback),
                                          .scratchpad = text_buf_text(&supervisor->scratchpad),
                                          .wishes = supervisor->wishes};
        text_buf_clear(&supervisor->program_prompt);
        prompts_decompose(&supervisor->program_prompt, supervisor->question, &turn);
    }
    const struct remote_message messages[] = {
        {"user", text_buf_text(&supervisor->advice_prompt)},
        {"assistant", text_buf_text(&supervisor->advice.content)},
        {"user", text_buf_text(&supervisor->program_prompt)},
        {"assistant", text_buf_text(&last)},
        {"user", text_buf_text(&repair)},
    };
    enum status status = check_prompt(&supervisor->program_prompt, err);
    if (status == OK)
        status = check_prompt(&repair, err);
    if (status == OK)
        status = check_prompt(&last, err);
    if (status == OK)
        status = remote_chat(supervisor->remote, messages, count, &supervisor->program, err);
    text_buf_deinit(&repair);
    text_buf_deinit(&last);
    if (status == OK)
        *source = dsl_find_source(text_buf_text(&supervisor->program.content));
    return status;
}

void supervisor_remote_value(const struct json *value, struct text_buf *out)
{
    struct text text = {0};
    double number = 0;
    bool truth = false;
    text_buf_clear(out);
    if (json_text(value, &text))
        text_buf_add(out, text_slice(text_trim(text), 0, CARRY_BYTES_MAX));
    else if (json_double(value, &number))
        text_buf_format(out, "%.15g", number);
    else if (json_bool(value, &truth))
        text_buf_add(out, truth ? TEXT("yes") : TEXT("no"));
}

/* Reads the decision; false when it is not one. */
static bool read_decision(struct supervisor_remote *supervisor, bool must_answer,
                          struct supervisor_remote_decision *decision)
{
    struct json *root = NULL;
    struct text word = {0};
    const struct text reply = text_buf_text(&supervisor->decision.content);
    if (json_parse(job_output_find_object(reply), DECISION_BYTES_MAX, &root, NULL) != OK)
        return false;
    supervisor_remote_value(json_get(root, "answer"), &decision->answer);
    const bool has_answer = !job_output_is_none(text_buf_text(&decision->answer));
    const bool has_word = json_text(json_get(root, "decision"), &word);
    const bool wants_more = has_word && text_equal(word, TEXT("request_additional_info"));
    supervisor_remote_value(json_get(root, "feedback"), &supervisor->feedback);
    supervisor_remote_value(json_get(root, "scratchpad"), &supervisor->scratchpad);
    json_free(root);
    decision->is_final = must_answer || !wants_more;
    return has_word && (has_answer || !decision->is_final);
}

enum status supervisor_remote_decide(struct supervisor_remote *supervisor, struct text findings,
                                     bool must_answer,
                                     struct supervisor_remote_decision *decision,
                                     struct error *err)
{
    struct text_buf prompt = {0}, again = {0}, last = {0};
    findings = text_slice(findings, 0, SUPERVISOR_REMOTE_FINDINGS_MAX);
    prompts_synthesize(&prompt, supervisor->question, findings, must_answer);
    prompts_synthesize_again(&again, must_answer);
    struct remote_message messages[] = {
        {"user", text_buf_text(&prompt)}, {"assistant", {0}}, {"user", text_buf_text(&again)}};
    enum status status = check_prompt(&prompt, err);
    if (status == OK)
        status = remote_chat(supervisor->remote, messages, 1, &supervisor->decision, err);
    if (status == OK && !read_decision(supervisor, must_answer, decision)) {
        text_buf_add(&last, text_buf_text(&supervisor->decision.content));
        messages[1].content = text_buf_text(&last);
        status = check_prompt(&last, err);
        if (status == OK)
            status = remote_chat(supervisor->remote, messages, 3, &supervisor->decision, err);
        if (status == OK && !read_decision(supervisor, must_answer, decision))
            status = error_set(err, ERR_REMOTE, __FILE__, __LINE__,
                               "supervisor: its decision could not be read, twice");
    }
    text_buf_deinit(&prompt);
    text_buf_deinit(&again);
    text_buf_deinit(&last);
    return status;
}

enum status supervisor_remote_rehearse(struct supervisor_remote *supervisor, struct error *err)
{
    struct text_buf prompt = {0};
    struct text source = {0};
    TRY(supervisor_remote_advise(supervisor, err));
    TRY(supervisor_remote_program(supervisor, 1, NULL, &source, err));
    prompts_synthesize(&prompt, supervisor->question,
                       TEXT("[the text that the program's transform_outputs makes of the "
                            "workers' answers, at most 65536 bytes]"),
                       false);
    enum status status = check_prompt(&prompt, err);
    const struct remote_message message = {"user", text_buf_text(&prompt)};
    if (status == OK)
        status = remote_chat(supervisor->remote, &message, 1, &supervisor->decision, err);
    text_buf_deinit(&prompt);
    return status;
}
