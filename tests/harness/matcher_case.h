/*
 * matcher_case - a schema with its matcher, for tests that give it texts or let it lead a
 * random one, byte by byte.
 */
#ifndef TESTS_HARNESS_MATCHER_CASE_H
#define TESTS_HARNESS_MATCHER_CASE_H

#include "engine/matcher.h"

struct matcher_case {
    struct arena arena;
    struct schema schema;
    struct matcher matcher;
};

/* Whether there is memory. */
bool matcher_case_init(struct matcher_case *the_case);
void matcher_case_deinit(struct matcher_case *the_case);

/* The schema anew, from this source. What is no JSON is refused as what schema_compile
 * refuses. */
enum status matcher_case_compile(struct matcher_case *the_case, const char *source,
                                 struct error *err);

/* Every byte is accepted, and the text is then complete. */
bool matcher_case_accepts(struct matcher *matcher, struct text text);

extern uint64_t matcher_case_random; /* the state behind what is drawn: set it, all repeats */
uint32_t matcher_case_draw(uint32_t below);

/* One random byte further: any that fits; is_closing: those that end a value come first. False:
 * none fits, and *at is as it was. */
bool matcher_case_byte(struct matcher *matcher, struct matcher_state *at, bool is_closing,
                       char *byte);

#endif
