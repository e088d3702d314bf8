/* sanitized - which sanitizer watches this build: gcc and clang say so each in its own way. */
#ifndef BASE_SANITIZED_H
#define BASE_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__)
    #define SANITIZED_ADDRESS 1
#elif defined(__has_feature)
    #if __has_feature(address_sanitizer)
        #define SANITIZED_ADDRESS 1
    #endif
#endif
#ifndef SANITIZED_ADDRESS
    #define SANITIZED_ADDRESS 0
#endif

#if defined(__SANITIZE_THREAD__)
    #define SANITIZED_THREAD 1
#elif defined(__has_feature)
    #if __has_feature(thread_sanitizer)
        #define SANITIZED_THREAD 1
    #endif
#endif
#ifndef SANITIZED_THREAD
    #define SANITIZED_THREAD 0
#endif

/* Either of both: slower, larger, and malloc is theirs. */
#define SANITIZED (SANITIZED_ADDRESS || SANITIZED_THREAD)

#endif
