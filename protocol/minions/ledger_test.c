/* ledger_test - money: charged before, corrected after, never past the budget. */
#include "protocol/minions/ledger.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-12;
}

static void charge_settle_release(void **state)
{
    (void)state;
    struct ledger ledger = {.price = {.in = 2, .out = 10}, .budget_dollars = 1};
    struct ledger_charge charged = {0};
    assert_int_equal(ledger_charge(&ledger, 100000, 1000, &charged, NULL), OK);
    assert_true(near(charged.dollars, 0.21) && near(ledger.dollars, 0.21));
    ledger_settle(&ledger, &charged, 25000, 100);
    assert_true(near(ledger.dollars, 0.051));
    assert_int_equal(ledger.remote_prompt_tokens, 25000);
    assert_int_equal(ledger.remote_output_tokens, 100);
    assert_int_equal(ledger_charge(&ledger, 100000, 0, &charged, NULL), OK);
    ledger_release(&ledger, &charged);
    assert_true(near(ledger.dollars, 0.051));
}

static void budget_is_never_passed(void **state)
{
    (void)state;
    struct ledger ledger = {.price = {.in = 1, .out = 1}, .budget_dollars = 0.001};
    struct error err = {0};
    struct ledger_charge charged = {0};
    assert_int_equal(ledger_charge(&ledger, 900, 100, &charged, &err), OK);
    assert_int_equal(ledger_charge(&ledger, 1, 0, &charged, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "nothing was sent"));
    assert_true(near(ledger.dollars, 0.001));
    struct ledger tokens = {.price = {.in = 1, .out = 1}, .budget_dollars = 1};
    tokens.budget_tokens = 2000;
    assert_int_equal(ledger_charge(&tokens, 1900, 100, &charged, &err), OK);
    assert_int_equal(ledger_charge(&tokens, 1, 0, &charged, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "may take 1 tokens, 2000 of 2000 are used"));
    charged = (struct ledger_charge){0.002, 2000};
    ledger_settle(&tokens, &charged, 500, 10);
    assert_int_equal(tokens.tokens, 510);
}

static void prints_and_writes(void **state)
{
    (void)state;
    struct ledger ledger = {
        .price = {.in = 2.5, .out = 10}, .document_bytes = 4000, .documents = 1, .jobs = 3};
    struct text_buf buf = {0};
    ledger_print(&ledger, &buf);
    assert_non_null(strstr(buf.data, "nothing, $0"));
    assert_non_null(strstr(buf.data, "about 1000 tokens, $0.0045"));
    assert_null(strstr(buf.data, "time "));
    ledger.seconds = 50;
    ledger.times = (struct ledger_times){.model_s = 49, .parse_s = 0.004, .chunk_s = 0.25};
    text_buf_clear(&buf);
    ledger_print(&ledger, &buf);
    assert_non_null(strstr(
        buf.data, "\ntime              model 49.00 s (98.00 %), chunk 0.25 s (0.50 %)\n"));
    text_buf_clear(&buf);
    struct json_writer writer = {.out = &buf};
    ledger_write(&ledger, &writer);
    struct json *root = NULL;
    assert_int_equal(json_parse(text_buf_text(&buf), 0, &root, NULL), OK);
    int64_t jobs = 0;
    assert_true(json_i64(json_get(root, "jobs"), &jobs) && jobs == 3);
    double parse_s = 0;
    const struct json *times = json_get(root, "times");
    assert_true(json_double(json_get(times, "parse_s"), &parse_s) && near(parse_s, 0.004));
    json_free(root);
    text_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charge_settle_release),
        cmocka_unit_test(budget_is_never_passed),
        cmocka_unit_test(prints_and_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
