/* remote_kept_test - what is kept of a paid call: journal, egress log, record; and what is read
 * back from there. */
#include "protocol/minions/remote.h"

#include "tests/harness/scripted_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK_BODY                                                                                \
    "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"hello\"},"               \
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}"

struct kept {
    char folder[64], journal[96], egress[96], record[96];
};

static void make_kept(struct kept *kept)
{
    snprintf(kept->folder, sizeof(kept->folder), "/tmp/remote_test_XXXXXX");
    assert_non_null(mkdtemp(kept->folder));
    snprintf(kept->journal, sizeof(kept->journal), "%s/runs.db", kept->folder);
    snprintf(kept->egress, sizeof(kept->egress), "%s/egress.jsonl", kept->folder);
    snprintf(kept->record, sizeof(kept->record), "%s/record.jsonl", kept->folder);
}

static void drop_kept(const struct kept *kept)
{
    char command[100];
    snprintf(command, sizeof(command), "rm -r %s", kept->folder);
    assert_int_equal(system(command), 0);
}

/* Two calls of a run against that server: a new run, or the given one gone on with. */
static enum status two_calls(const struct kept *kept, int64_t *run, uint16_t port,
                             struct ledger *ledger, struct error *err)
{
    char url[64];
    struct journal *journal = NULL;
    struct egress egress = {0};
    struct remote *remote = NULL;
    struct remote_reply reply = {0};
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1", port);
    *ledger = (struct ledger){.price = {1, 1}, .budget_dollars = 1};
    assert_int_equal(journal_open(&journal, kept->journal, err), OK);
    assert_int_equal(egress_open(&egress, kept->egress, err), OK);
    assert_int_equal(*run ? journal_resume(journal, *run, err)
                          : journal_begin(journal, TEXT("{}"), run, err),
                     OK);
    const struct remote_options options = {.url = url,
                                           .model = "big",
                                           .retry_wait_s = 0.001,
                                           .journal = journal,
                                           .egress = &egress,
                                           .record_path = kept->record};
    assert_int_equal(remote_open(&remote, &options, ledger, err), OK);
    enum status status = OK;
    for (int i = 0; i < 2 && status == OK; i++) {
        const struct remote_message message = {"user", i ? TEXT("second") : TEXT("first")};
        status = remote_chat(remote, &message, 1, &reply, err);
        if (status == OK)
            assert_true(text_equal(text_buf_text(&reply.content), TEXT("hello")));
    }
    remote_close(remote);
    egress_close(&egress);
    journal_close(journal);
    text_buf_deinit(&reply.content);
    return status;
}

static uint32_t count_lines(const char *path)
{
    FILE *file = fopen(path, "r");
    uint32_t lines = 0;
    assert_non_null(file);
    for (int c; (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    assert_int_equal(fclose(file), 0);
    return lines;
}

static void an_answered_call_is_not_sent_again(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {
        {400, "{\"error\":{\"message\":\"use 'max_completion_tokens'\"}}", SCRIPTED_WHOLE,
         NULL},
        {200, OK_BODY, SCRIPTED_WHOLE, NULL},
        {200, OK_BODY, SCRIPTED_CUT, NULL},
        {200, OK_BODY, SCRIPTED_WHOLE, NULL}};
    struct kept kept;
    struct scripted_server server;
    struct ledger first, second;
    struct error err = {0};
    int64_t run = 0;
    make_kept(&kept);
    assert_true(scripted_server_start(&server, replies, 4));
    assert_int_equal(two_calls(&kept, &run, server.port, &first, &err), ERR_REMOTE);
    assert_int_equal(two_calls(&kept, &run, server.port, &second, &err), OK);
    scripted_server_stop(&server);
    assert_int_equal(server.request_count, 4); /* the first call once more: no */
    /* The second run's ledger is that of both: to the byte what the server saw. */
    assert_int_equal(second.calls, 4);
    assert_int_equal(second.sent_bytes, server.received_bytes);
    assert_int_equal(second.received_bytes, server.sent_bytes);
    assert_int_equal(second.remote_prompt_tokens, 14);
    assert_true(second.dollars > first.dollars);
    assert_int_equal(count_lines(kept.egress), 4);
    assert_int_equal(count_lines(kept.record),
                     2); /* made anew by the second run, of all calls */
    /* Attempts of one call carry one key; the next call's is another. */
    const char *keys[4];
    for (int i = 0; i < 4; i++)
        keys[i] = strstr(server.heads[i].data, "Idempotency-Key: cohort-");
    assert_true(keys[2] && keys[3] && memcmp(keys[2], keys[3], 60) == 0);
    assert_true(keys[1] && memcmp(keys[1], keys[2], 60) != 0);
    scripted_server_deinit(&server);
    drop_kept(&kept);
}

static void what_was_recorded_is_replayed(void **state)
{
    (void)state;
    struct kept kept;
    struct ledger ledger = {.price = {1, 1}};
    struct remote *remote = NULL;
    struct remote_reply reply = {0};
    struct error err = {0};
    char url[128];
    make_kept(&kept);
    FILE *file = fopen(kept.record, "w");
    assert_non_null(file);
    assert_true(
        fputs("{\"request\":{},\"reply\":\"one\",\"is_cut\":true}\n\n{\"reply\":\"two\"}\n"
              "{\"request\":1}\n",
              file) >= 0);
    assert_int_equal(fclose(file), 0);
    snprintf(url, sizeof(url), "replay:%s", kept.record);
    const struct remote_options options = {.url = url};
    const struct remote_message message = {"user", TEXT("hi")};
    assert_int_equal(remote_open(&remote, &options, &ledger, &err), OK);
    assert_int_equal(remote_chat(remote, &message, 1, &reply, &err), OK);
    assert_true(reply.is_cut && text_equal(text_buf_text(&reply.content), TEXT("one")));
    assert_int_equal(remote_chat(remote, &message, 1, &reply, &err), OK);
    assert_true(!reply.is_cut && text_equal(text_buf_text(&reply.content), TEXT("two")));
    assert_int_equal(remote_chat(remote, &message, 1, &reply, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "call 3 of the file has no reply"));
    assert_int_equal(ledger.calls, 0);
    assert_true(ledger.dollars == 0);
    remote_close(remote);
    text_buf_deinit(&reply.content);
    drop_kept(&kept);
}

/* Two attempts may have been served: a resumed run reckons with both, in dollars and tokens. */
static void unknown_charges_outlive_the_process(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {{500, "{}", SCRIPTED_WHOLE, NULL},
                                             {429, "{}", SCRIPTED_WHOLE, NULL},
                                             {500, "{}", SCRIPTED_WHOLE, NULL},
                                             {200, OK_BODY, SCRIPTED_WHOLE, NULL}};
    struct scripted_server server;
    struct kept kept;
    struct error err = {0};
    struct ledger ledgers[3] = {
        {.budget_dollars = 1}, {.budget_dollars = 1}, {.budget_dollars = 1}};
    struct remote_reply reply = {0};
    int64_t run = 0;
    char url[64];
    make_kept(&kept);
    assert_true(scripted_server_start(&server, replies, 4));
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1", server.port);
    const struct remote_message message = {"user", TEXT("hi")};
    for (int i = 0; i < 3; i++) {
        struct journal *journal = NULL;
        struct remote *remote = NULL;
        ledgers[i].price = (struct ledger_price){1, 1};
        assert_int_equal(journal_open(&journal, kept.journal, &err), OK);
        assert_int_equal(i == 0 ? journal_begin(journal, TEXT("{}"), &run, &err)
                                : journal_resume(journal, run, &err),
                         OK);
        const struct remote_options options = {.url = url,
                                               .model = "big",
                                               .journal = journal,
                                               .attempts_max = i == 0 ? 3 : 1,
                                               .retry_wait_s = 0.001};
        assert_int_equal(remote_open(&remote, &options, &ledgers[i], &err), OK);
        const enum status status = remote_chat(remote, &message, 1, &reply, &err);
        assert_int_equal(status, i == 0 ? ERR_REMOTE : OK);
        remote_close(remote);
        journal_close(journal);
    }
    scripted_server_stop(&server);
    assert_int_equal(server.request_count, 4);
    assert_int_equal(ledgers[0].tokens, 2 * (server.bodies[0].size + 4096));
    assert_true(ledgers[1].tokens > ledgers[0].tokens && ledgers[1].dollars > 0);
    assert_int_equal(ledgers[2].tokens, ledgers[1].tokens);
    assert_true(ledgers[2].dollars > ledgers[1].dollars - 1e-9 &&
                ledgers[2].dollars < ledgers[1].dollars + 1e-9);
    scripted_server_deinit(&server);
    text_buf_deinit(&reply.content);
    drop_kept(&kept);
}

static void a_dry_call_sends_nothing(void **state)
{
    (void)state;
    struct ledger ledger = {.price = {1, 1}};
    struct remote *remote = NULL;
    struct remote_reply reply = {0};
    struct error err = {0};
    const struct remote_options options = {
        .url = "https://nowhere.invalid/v1", .model = "big", .is_dry = true};
    const struct remote_message message = {"user", TEXT("hi")};
    assert_int_equal(remote_open(&remote, &options, &ledger, &err), OK);
    assert_int_equal(remote_chat(remote, &message, 1, &reply, &err), OK);
    assert_true(text_equal(text_buf_text(&reply.content), TEXT("[the reply to call 1]")));
    assert_true(text_starts(remote_dry(remote), TEXT("{\"model\":\"big\",\"messages\":")));
    assert_int_equal(ledger.calls, 0);
    remote_close(remote);
    text_buf_deinit(&reply.content);
}

static void the_key_can_be_in_a_file(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {{200, OK_BODY, SCRIPTED_WHOLE, NULL}};
    struct scripted_server server;
    struct kept kept;
    struct ledger ledger = {.price = {1, 1}, .budget_dollars = 1};
    struct remote *remote = NULL;
    struct remote_reply reply = {0};
    struct error err = {0};
    char url[64];
    make_kept(&kept);
    FILE *file = fopen(kept.record, "w");
    assert_non_null(file);
    assert_true(fputs("canary-in-a-file\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_true(scripted_server_start(&server, replies, 1));
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1", server.port);
    const struct remote_options options = {.url = url, .model = "big", .key_path = kept.record};
    const struct remote_message message = {"user", TEXT("hi")};
    assert_int_equal(remote_open(&remote, &options, &ledger, &err), OK);
    assert_int_equal(remote_chat(remote, &message, 1, &reply, &err), OK);
    remote_close(remote);
    scripted_server_stop(&server);
    assert_non_null(strstr(server.heads[0].data, "Authorization: Bearer canary-in-a-file\r\n"));
    scripted_server_deinit(&server);
    text_buf_deinit(&reply.content);
    drop_kept(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answered_call_is_not_sent_again),
        cmocka_unit_test(what_was_recorded_is_replayed),
        cmocka_unit_test(unknown_charges_outlive_the_process),
        cmocka_unit_test(a_dry_call_sends_nothing),
        cmocka_unit_test(the_key_can_be_in_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
