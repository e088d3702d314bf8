/* sanitized - whether this build watches its memory or its threads: ten times slower where it
 * computes, so that what only computes more of the same is left to the plain build. */
#ifndef TESTS_SANITIZED_H
#define TESTS_SANITIZED_H

#include <stdio.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    #define SANITIZED 1
#else
    #define SANITIZED 0
#endif

/* In a cmocka test: leaves it to the plain build, and says so. */
#define SANITIZED_SKIP()                                                                       \
    do {                                                                                       \
        if (SANITIZED) {                                                                       \
            puts("left out: more of the same, for the plain build");                           \
            skip();                                                                            \
        }                                                                                      \
    } while (0)

#endif
