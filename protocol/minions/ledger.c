/* ledger - see ledger.h. */
#include "protocol/minions/ledger.h"

#include <inttypes.h>
#include <string.h>

#define SHOWN_S 0.01

enum { BYTES_PER_TOKEN = 4, ANSWER_TOKENS = 200, PARTS = 9 };

static double cost(const struct ledger *ledger, double prompt_tokens, double output_tokens)
{
    return (prompt_tokens * ledger->price.in + output_tokens * ledger->price.out) / 1e6;
}

enum status ledger_charge(struct ledger *ledger, size_t prompt_bytes, uint32_t output_tokens,
                          struct ledger_charge *charge, struct error *err)
{
    const struct ledger_charge worst = {cost(ledger, (double)prompt_bytes, output_tokens),
                                        prompt_bytes + output_tokens};
    ledger->is_spent = true; /* until it is covered, below */
    if (ledger->dollars + worst.dollars > ledger->budget_dollars)
        FAIL(err, ERR_LIMIT,
             "budget: the next call may cost $%.4f, $%.4f of $%.4f is left; nothing was sent",
             worst.dollars, ledger->budget_dollars - ledger->dollars, ledger->budget_dollars);
    if (ledger->budget_tokens > 0 && ledger->tokens + worst.tokens > ledger->budget_tokens)
        FAIL(err, ERR_LIMIT,
             "budget: the next call may take %" PRIu64 " tokens, %" PRIu64 " of %" PRIu64
             " are used; nothing was sent",
             worst.tokens, ledger->tokens, ledger->budget_tokens);
    ledger->is_spent = false;
    ledger->dollars += worst.dollars;
    ledger->tokens += worst.tokens;
    *charge = worst;
    return OK;
}

void ledger_settle(struct ledger *ledger, const struct ledger_charge *charge,
                   uint64_t prompt_tokens, uint64_t output_tokens)
{
    ledger->dollars +=
        cost(ledger, (double)prompt_tokens, (double)output_tokens) - charge->dollars;
    ledger->tokens += prompt_tokens + output_tokens - charge->tokens;
    ledger->remote_prompt_tokens += prompt_tokens;
    ledger->remote_output_tokens += output_tokens;
}

void ledger_release(struct ledger *ledger, const struct ledger_charge *charge)
{
    ledger->tokens -= charge->tokens;
    ledger->dollars -= charge->dollars;
    if (ledger->dollars < 0) /* rounding */
        ledger->dollars = 0;
}

/* What one call with all documents in it would use: bytes / 4 tokens in, 200 out. */
static void remote_only(const struct ledger *ledger, uint64_t *prompt_tokens,
                        uint64_t *output_tokens, double *dollars)
{
    *prompt_tokens = (ledger->document_bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN;
    *output_tokens = ANSWER_TOKENS;
    *dollars = cost(ledger, (double)*prompt_tokens, ANSWER_TOKENS);
}

double ledger_remote_only_dollars(const struct ledger *ledger)
{
    uint64_t prompt_tokens, output_tokens;
    double dollars;
    remote_only(ledger, &prompt_tokens, &output_tokens, &dollars);
    return dollars;
}

/* How the workers' jobs ended, and how many there were a second. */
static void print_outcomes(const struct ledger *ledger, struct text_buf *buf)
{
    uint32_t all = 0;
    const char *before = "";
    for (int i = 0; i < JOB_OUTPUT_KINDS; i++)
        all += ledger->outcomes[i];
    if (all == 0)
        return;
    text_buf_add(buf, TEXT("workers           "));
    for (int i = 0; i < JOB_OUTPUT_KINDS; i++) {
        if (ledger->outcomes[i] == 0)
            continue;
        text_buf_format(buf, "%s%u %s (%.0f %%)", before, ledger->outcomes[i],
                        job_output_grade((enum job_output_kind)i),
                        100.0 * ledger->outcomes[i] / all);
        before = ", ";
    }
    if (ledger->times.model_s > 0)
        text_buf_format(buf, "; %.1f jobs/s", ledger->jobs / ledger->times.model_s);
    text_buf_byte(buf, '\n');
}

/* A part of a run's time, as people and as programs are told of it. */
struct part {
    const char *word, *key;
    double seconds;
};

static void list_parts(const struct ledger_times *times, struct part parts[PARTS])
{
    const struct part all[PARTS] = {
        {"model", "model_s", times->model_s},
        {"supervisor", "remote_s", times->remote_s},
        {"load", "load_s", times->load_s},
        {"read", "read_s", times->read_s},
        {"parse", "parse_s", times->parse_s},
        {"chunk", "chunk_s", times->chunk_s},
        {"schedule", "schedule_s", times->schedule_s},
        {"journal", "journal_s", times->journal_s},
        {"aggregate", "aggregate_s", times->aggregate_s},
    };
    memcpy(parts, all, sizeof(all));
}

/* The parts in seconds and, of the whole run, per cent; not those of less than a hundredth of a
 * second, which `ledger_write` has too. */
static void print_times(const struct ledger *ledger, struct text_buf *buf)
{
    struct part parts[PARTS];
    const char *before = "time              ";
    list_parts(&ledger->times, parts);
    for (int i = 0; i < PARTS; i++) {
        if (parts[i].seconds < SHOWN_S)
            continue;
        text_buf_format(buf, "%s%s %.2f s (%.2f %%)", before, parts[i].word, parts[i].seconds,
                        100 * parts[i].seconds / ledger->seconds);
        before = ", ";
    }
    if (before[0] == ',')
        text_buf_byte(buf, '\n');
}

void ledger_print(const struct ledger *ledger, struct text_buf *buf)
{
    uint64_t only_prompt, only_output;
    double only_dollars;
    remote_only(ledger, &only_prompt, &only_output, &only_dollars);
    const char *about = ledger->is_estimated ? "about " : "";
    const bool is_elsewhere = ledger->worker_hosts && ledger->worker_hosts[0];
    if (ledger->calls == 0)
        text_buf_format(buf, "%s  nothing, $0\n",
                        is_elsewhere ? "to a supervisor " : "left the machine");
    else
        text_buf_format(buf,
                        "left the machine  %u calls, %" PRIu64 " bytes, %s%" PRIu64
                        " tokens in and %" PRIu64 " out, $%.4f\n",
                        ledger->calls, ledger->sent_bytes, about, ledger->remote_prompt_tokens,
                        ledger->remote_output_tokens, ledger->dollars);
    if (is_elsewhere)
        text_buf_format(
            buf, "workers elsewhere %" PRIu64 " bytes to %s, %" PRIu64 " bytes back\n",
            ledger->worker_sent_bytes, ledger->worker_hosts, ledger->worker_received_bytes);
    text_buf_format(buf,
                    "%s       %" PRIu64 " bytes in %u document%s; %u jobs, %" PRIu64
                    " tokens read (%" PRIu64 " shared), %" PRIu64 " written, %.1f s\n",
                    is_elsewhere ? "all in all " : "stayed here", ledger->document_bytes,
                    ledger->documents, ledger->documents == 1 ? "" : "s", ledger->jobs,
                    ledger->local_prompt_tokens, ledger->local_cached_tokens,
                    ledger->local_output_tokens, ledger->seconds);
    print_outcomes(ledger, buf);
    print_times(ledger, buf);
    text_buf_format(buf,
                    "remote only       would have sent about %" PRIu64
                    " tokens, $%.4f at $%.2f in and $%.2f out per million\n",
                    only_prompt, only_dollars, ledger->price.in, ledger->price.out);
}

static void write_count(struct json_writer *writer, const char *key, uint64_t value)
{
    json_write_key_i64(writer, key, (int64_t)value);
}

static void write_times(const struct ledger_times *times, struct json_writer *writer)
{
    struct part parts[PARTS];
    json_write_key(writer, "times");
    json_write_object(writer);
    list_parts(times, parts);
    for (int i = 0; i < PARTS; i++)
        json_write_key_double(writer, parts[i].key, parts[i].seconds);
    json_write_object_end(writer);
}

static void write_outcomes(const struct ledger *ledger, struct json_writer *writer)
{
    json_write_key(writer, "outcomes");
    json_write_object(writer);
    for (int i = 0; i < JOB_OUTPUT_KINDS; i++)
        write_count(writer, job_output_grade((enum job_output_kind)i), ledger->outcomes[i]);
    json_write_object_end(writer);
}

void ledger_write(const struct ledger *ledger, struct json_writer *writer)
{
    uint64_t only_prompt, only_output;
    double only_dollars;
    remote_only(ledger, &only_prompt, &only_output, &only_dollars);
    json_write_object(writer);
    write_count(writer, "calls", ledger->calls);
    write_count(writer, "retries", ledger->retries);
    write_count(writer, "sent_bytes", ledger->sent_bytes);
    write_count(writer, "received_bytes", ledger->received_bytes);
    write_count(writer, "remote_prompt_tokens", ledger->remote_prompt_tokens);
    write_count(writer, "remote_output_tokens", ledger->remote_output_tokens);
    write_count(writer, "worker_sent_bytes", ledger->worker_sent_bytes);
    write_count(writer, "worker_received_bytes", ledger->worker_received_bytes);
    json_write_key_text(writer, "worker_hosts", text_of(ledger->worker_hosts));
    json_write_key_bool(writer, "is_estimated", ledger->is_estimated);
    json_write_key_double(writer, "dollars", ledger->dollars);
    write_count(writer, "document_bytes", ledger->document_bytes);
    write_count(writer, "documents", ledger->documents);
    write_count(writer, "jobs", ledger->jobs);
    write_count(writer, "local_prompt_tokens", ledger->local_prompt_tokens);
    write_count(writer, "local_cached_tokens", ledger->local_cached_tokens);
    write_count(writer, "local_output_tokens", ledger->local_output_tokens);
    write_outcomes(ledger, writer);
    json_write_key_double(writer, "seconds", ledger->seconds);
    write_times(&ledger->times, writer);
    write_count(writer, "remote_only_prompt_tokens", only_prompt);
    json_write_key_double(writer, "remote_only_dollars", only_dollars);
    json_write_key_double(writer, "price_in", ledger->price.in);
    json_write_key_double(writer, "price_out", ledger->price.out);
    json_write_object_end(writer);
}
