/* sanitized - whether this build watches its memory or its threads: ten times slower where it
 * computes, so that what only computes more of the same is left to the plain build. */
#ifndef TESTS_SANITIZED_H
#define TESTS_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    #define SANITIZED 1
#else
    #define SANITIZED 0
#endif

#endif
