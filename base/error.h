/*
 * error - how a call says that it failed, and why.
 *
 * A function that can fail answers enum status, which must be used. Where a person must learn
 * the reason, its last parameter is a struct error, filled once, at the place that found it.
 * A message is one sentence that names the thing, the value and the limit:
 *     tensor blk.3.ffn_up: ends at byte 9123, file has 8192
 *
 * Owner    the caller owns struct error; NULL is allowed and drops the sentence.
 * Thread   no shared state.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

enum status {
    OK = 0,
    ERR_MEMORY,   /* an arena, a pool or the machine has no room */
    ERR_FORMAT,   /* input is not what its format says */
    ERR_LIMIT,    /* input is well formed and beyond what we take on */
    ERR_IO,       /* the operating system refused: file, socket, process */
    ERR_DEVICE,   /* the accelerator failed */
    ERR_REMOTE,   /* the other end answered with a refusal or nonsense */
    ERR_CANCELLED /* somebody asked to stop */
};

struct error {
    enum status status;
    const char *file; /* source file and line that found it: for the log, not for people */
    int line;
    char text[240]; /* one sentence, NUL-terminated, cut when longer */
};

#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define MUST_USE          __attribute__((warn_unused_result))

/* Fills *err (when not NULL) and returns status. Control characters become "?". */
enum status error_set(struct error *err, enum status status, const char *file, int line,
                      const char *format, ...) PRINTF_LIKE(5, 6);

/* The status in one lower-case word, such as "format": for logs and JSON. */
const char *error_word(enum status status);

#define FAIL(err, status, ...)                                                                 \
    return error_set((err), (status), __FILE__, __LINE__, __VA_ARGS__)
#define TRY(call)                                                                              \
    do {                                                                                       \
        const enum status try_status_ = (call);                                                \
        if (try_status_ != OK)                                                                 \
            return try_status_;                                                                \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
