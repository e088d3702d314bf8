/*
 * maskbench - schemas of the wild with instances, valid ones and others, for tests and benches.
 *
 * The file lies where the tests' data does (COHORT_TEST_DATA, or ../shared/data); without it
 * there is nothing to read.
 */
#ifndef TESTS_HARNESS_MASKBENCH_H
#define TESTS_HARNESS_MASKBENCH_H

#include "base/json.h"

#include <stdio.h>

enum { MASKBENCH_LINE_MAX = 1 << 20 };

struct maskbench {
    FILE *file;
    struct json *root;
    char line[MASKBENCH_LINE_MAX];
};

/* A schema; all of it is valid until the next. */
struct maskbench_case {
    struct text name;
    const struct json *schema, *tests;
    bool agrees; /* another implementation says of the instances what the file says */
};

/* False: the file is not there; a line says where it should be. */
bool maskbench_open(struct maskbench *bench);
bool maskbench_next(struct maskbench *bench, struct maskbench_case *next);
/* False: the file could not be read to its end. */
bool maskbench_close(struct maskbench *bench);

#endif
