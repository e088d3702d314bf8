/* eval_table - see eval.h: what each way took and how often it was right. */
#include "tools/eval.h"

#include "base/json.h"
#include "tools/output.h"

#include <inttypes.h>

/* A way's units together. */
struct sum {
    uint64_t asked, right, failed, judged[JUDGE_MODEL + 1];
    double dollars, judge_dollars, seconds, model_s;
    uint64_t prompt_tokens, output_tokens, sent_bytes, jobs, left_bytes, cut, calls;
};

static struct sum sum_of(const struct eval *eval, enum eval_way way)
{
    struct sum sum = {0};
    for (uint32_t i = 0; i < eval->count; i++) {
        const struct eval_outcome *outcome = &eval->questions[i].outcomes[way];
        if (!outcome->is_over)
            continue;
        sum.asked++;
        sum.right += outcome->is_answered && outcome->is_right;
        sum.failed += !outcome->is_answered;
        sum.judged[outcome->judge] += outcome->is_answered;
        sum.dollars += outcome->dollars;
        sum.judge_dollars += outcome->judge_dollars;
        sum.seconds += outcome->seconds;
        sum.model_s += outcome->model_s;
        sum.prompt_tokens += outcome->prompt_tokens;
        sum.output_tokens += outcome->output_tokens;
        sum.sent_bytes += outcome->sent_bytes;
        sum.calls += outcome->calls;
        sum.jobs += outcome->jobs;
        sum.left_bytes += outcome->left_bytes;
        sum.cut += outcome->left_bytes > 0;
    }
    return sum;
}

/* a of b, 0 where there is no b. */
static double share(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static void print_row(const struct sum *sum, enum eval_way way, struct text_buf *out)
{
    text_buf_format(out,
                    "%-8s %5" PRIu64 " of %-5" PRIu64 " %6.1f %% %9.4f %11" PRIu64 " %8" PRIu64
                    " %11" PRIu64 " %9.1f ",
                    eval_way_word(way), sum->right, sum->asked,
                    100 * share((double)sum->right, (double)sum->asked), sum->dollars,
                    sum->prompt_tokens, sum->output_tokens, sum->sent_bytes, sum->seconds);
    if (sum->jobs > 0)
        text_buf_format(out, "%8.1f\n", share((double)sum->jobs, sum->model_s));
    else
        text_buf_format(out, "%8s\n", "-");
}

/* How the answers were judged, over all ways, and what is not in the rows. */
static void print_notes(const struct eval *eval, const struct sum sums[EVAL_WAYS],
                        struct text_buf *out)
{
    uint64_t judged[JUDGE_MODEL + 1] = {0}, failed = 0, cut = 0, left = 0;
    double dollars = 0;
    for (int way = 0; way < EVAL_WAYS; way++) {
        for (int kind = JUDGE_EXACT; kind <= JUDGE_MODEL; kind++)
            judged[kind] += sums[way].judged[kind];
        failed += sums[way].failed;
        dollars += sums[way].judge_dollars;
        cut += sums[way].cut;
        left += sums[way].left_bytes;
    }
    text_buf_format(out,
                    "\njudged     %" PRIu64 " exact, %" PRIu64
                    " numeric (within %.3g %%), %" PRIu64
                    " by the supervisor ($%.4f, in no row)\n",
                    judged[JUDGE_EXACT], judged[JUDGE_NUMERIC], (double)eval->tolerance,
                    judged[JUDGE_MODEL], dollars);
    if (failed > 0)
        text_buf_format(out, "failed     %" PRIu64 " got no answer, and count as not right\n",
                        failed);
    if (cut > 0)
        text_buf_format(out,
                        "cut        %" PRIu64 " prompts of remote left off %" PRIu64
                        " bytes of documents: %u tokens are taken\n",
                        cut, left, eval->remote_context);
    if (eval->malformed > 0)
        text_buf_format(out, "skipped    %u malformed lines\n", eval->malformed);
}

/* Accuracy and cost beside remote's; false where they cannot be compared. */
static bool compare(const struct sum *sum, const struct sum *remote, double *accuracy,
                    double *cost)
{
    *accuracy = share((double)sum->right, (double)remote->right);
    *cost = share(sum->dollars, remote->dollars);
    return sum->asked == remote->asked && remote->right > 0 && remote->dollars > 0;
}

static void print_table(const struct eval *eval, const struct sum sums[EVAL_WAYS],
                        struct text_buf *out)
{
    text_buf_format(out, "%-8s %14s %8s %9s %11s %8s %11s %9s %8s\n", "way", "right",
                    "accuracy", "dollars", "tokens to", "from", "bytes out", "seconds",
                    "jobs/s");
    for (int way = 0; way < EVAL_WAYS; way++)
        if (eval->ways[way])
            print_row(&sums[way], (enum eval_way)way, out);
    print_notes(eval, sums, out);
    for (int way = 0; way < EVAL_WAYS; way++) {
        double accuracy, cost;
        if (way == EVAL_REMOTE || !eval->ways[way] ||
            !compare(&sums[way], &sums[EVAL_REMOTE], &accuracy, &cost))
            continue;
        text_buf_format(out, "%-10s %.1f %% of remote's accuracy at %.1f %% of its cost\n",
                        eval_way_word((enum eval_way)way), 100 * accuracy, 100 * cost);
    }
}

static void write_count(struct json_writer *w, const char *key, uint64_t value)
{
    json_write_key_i64(w, key, (int64_t)value);
}

static void write_way(const struct sum *sum, const struct sum *remote, enum eval_way way,
                      struct json_writer *w)
{
    double accuracy, cost;
    json_write_object(w);
    json_write_key_text(w, "way", text_of(eval_way_word(way)));
    write_count(w, "asked", sum->asked);
    write_count(w, "right", sum->right);
    write_count(w, "failed", sum->failed);
    json_write_key_double(w, "accuracy", share((double)sum->right, (double)sum->asked));
    json_write_key_double(w, "dollars", sum->dollars);
    write_count(w, "calls", sum->calls);
    write_count(w, "prompt_tokens", sum->prompt_tokens);
    write_count(w, "output_tokens", sum->output_tokens);
    write_count(w, "sent_bytes", sum->sent_bytes);
    json_write_key_double(w, "seconds", sum->seconds);
    write_count(w, "jobs", sum->jobs);
    json_write_key_double(w, "jobs_per_s", share((double)sum->jobs, sum->model_s));
    write_count(w, "left_bytes", sum->left_bytes);
    json_write_key_double(w, "judge_dollars", sum->judge_dollars);
    json_write_key(w, "judged");
    json_write_object(w);
    for (int kind = JUDGE_EXACT; kind <= JUDGE_MODEL; kind++)
        write_count(w, judge_word((enum judge_kind)kind), sum->judged[kind]);
    json_write_object_end(w);
    if (compare(sum, remote, &accuracy, &cost)) {
        json_write_key_double(w, "accuracy_of_remote", accuracy);
        json_write_key_double(w, "cost_of_remote", cost);
    }
    json_write_object_end(w);
}

static void write_table(const struct eval *eval, const struct sum sums[EVAL_WAYS],
                        struct text_buf *out)
{
    struct json_writer w = {.out = out};
    json_write_object(&w);
    json_write_key_i64(&w, "questions", eval->count);
    json_write_key_i64(&w, "malformed", eval->malformed);
    json_write_key_double(&w, "tolerance_percent", (double)eval->tolerance);
    json_write_key(&w, "ways");
    json_write_array(&w);
    for (int way = 0; way < EVAL_WAYS; way++)
        if (eval->ways[way])
            write_way(&sums[way], &sums[EVAL_REMOTE], (enum eval_way)way, &w);
    json_write_array_end(&w);
    json_write_object_end(&w);
    text_buf_byte(out, '\n');
}

enum status eval_table_print(const struct eval *eval, struct error *err)
{
    struct sum sums[EVAL_WAYS];
    struct text_buf out = {0};
    for (int way = 0; way < EVAL_WAYS; way++)
        sums[way] = sum_of(eval, (enum eval_way)way);
    if (eval->json)
        write_table(eval, sums, &out);
    else
        print_table(eval, sums, &out);
    return output_text(&out, err);
}
