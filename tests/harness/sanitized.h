/* sanitized - what is left out where a sanitizer watches: it is several times slower where it
 * computes, so that what only computes more of the same is left to the plain build. */
#ifndef TESTS_SANITIZED_H
#define TESTS_SANITIZED_H

#include "base/sanitized.h"

#include <stdio.h>

/* In a cmocka test: leaves it to the plain build, and says so. */
#define SANITIZED_SKIP()                                                                       \
    do {                                                                                       \
        if (SANITIZED) {                                                                       \
            puts("left out: more of the same, for the plain build");                           \
            skip();                                                                            \
        }                                                                                      \
    } while (0)

#endif
