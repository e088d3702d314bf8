/*
 * parsed - a request's body as an ask, or why it was refused: what tests of the APIs' parsers
 * share.
 */
#ifndef TESTS_HARNESS_PARSED_H
#define TESTS_HARNESS_PARSED_H

#include "protocol/api/ask.h"
#include "protocol/api/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef enum status (*parsed_by)(const struct json *body, struct arena *arena, struct ask *ask,
                                 struct error *err);

struct parsed {
    struct json *root; /* the test's to free */
    struct arena arena;
    struct ask ask;
    struct error err;
    enum status status;
};

/* A body as it was sent, valid until the next. */
static inline struct parsed parsed_body(parsed_by parse, const char *body)
{
    static uint8_t room[1 << 18];
    struct parsed p = {.arena = {.base = room, .size = sizeof room}};
    assert_int_equal(json_parse(text_of(body), 0, &p.root, NULL), OK);
    p.status = parse(p.root, &p.arena, &p.ask, &p.err);
    return p;
}

/* It ends with this status, and a sentence that begins with want. */
static inline void parsed_expect(parsed_by parse, const char *body, enum status status,
                                 const char *want)
{
    struct parsed p = parsed_body(parse, body);
    if (p.status != status || strncmp(p.err.text, want, strlen(want)) != 0)
        fail_msg("%s: %s", body, p.err.text);
    json_free(p.root);
}

/* It is refused for the field of this name. */
static inline void parsed_blames(parsed_by parse, const char *body,
                                 const struct field_list *fields, const char *name)
{
    struct parsed p = parsed_body(parse, body);
    assert_int_not_equal(p.status, OK);
    const char *blamed = field_of_refusal(fields, p.err.text);
    if (!blamed || strcmp(blamed, name) != 0)
        fail_msg("%s: %s", body, p.err.text);
    json_free(p.root);
}

#endif
