/* document_file - see document_file.h. */
#include "protocol/minions/document_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 16 };

static const char *what_is(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a folder";
    if (S_ISFIFO(mode))
        return "a named pipe";
    if (S_ISSOCK(mode))
        return "a socket";
    return S_ISCHR(mode) || S_ISBLK(mode) ? "a device" : "no regular file";
}

/* Reads to the end, or just past size_max. */
static enum status read_all(int descriptor, const char *path, size_t size_max,
                            struct text_buf *bytes, struct error *err)
{
    char block[BLOCK_BYTES];
    for (;;) {
        const ssize_t got = read(descriptor, block, sizeof(block));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            FAIL(err, ERR_IO, "%s: %s", path, strerror(errno));
        if (got == 0)
            break;
        if ((size_t)got > size_max - bytes->size)
            FAIL(err, ERR_LIMIT, "%s: it is larger than the %zu bytes that may be read", path,
                 size_max);
        text_buf_add(bytes, (struct text){block, (size_t)got});
        if (bytes->failed)
            FAIL(err, ERR_MEMORY, "%s: no memory for its %zu bytes", path, bytes->size);
    }
    return OK;
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static enum status read_regular(int descriptor, const char *path, size_t size_max,
                                struct text_buf *bytes, struct error *err)
{
    struct stat before, after;
    if (fstat(descriptor, &before) != 0)
        FAIL(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(before.st_mode))
        FAIL(err, ERR_FORMAT, "%s: it is %s; files, folders and - for standard input are read",
             path, what_is(before.st_mode));
    if (before.st_size > 0 && (uint64_t)before.st_size > size_max)
        FAIL(err, ERR_LIMIT, "%s: %lld bytes, at most %zu may be read", path,
             (long long)before.st_size, size_max);
    TRY(read_all(descriptor, path, size_max, bytes, err));
    if (fstat(descriptor, &after) != 0)
        FAIL(err, ERR_IO, "%s: %s", path, strerror(errno));
    /* A file of the kernel's says that it has no bytes, and has some. */
    const bool is_whole = before.st_size == 0 || bytes->size == (size_t)before.st_size;
    if (before.st_size != after.st_size || !is_whole ||
        !is_same_time(&before.st_mtim, &after.st_mtim))
        FAIL(err, ERR_IO, "%s: it changed while it was read", path);
    return OK;
}

enum status document_file_read(const struct document_file *file, size_t size_max,
                               struct text_buf *bytes, struct error *err)
{
    if (strcmp(file->path, "-") == 0)
        return read_all(STDIN_FILENO, "standard input", size_max, bytes, err);
    /* Without O_NONBLOCK a pipe that nobody writes to would be waited for. */
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    const int descriptor = open(file->path, file->is_found ? flags | O_NOFOLLOW : flags);
    if (descriptor < 0 && errno == ENXIO)
        FAIL(err, ERR_FORMAT, "%s: it is a socket or a device", file->path);
    if (descriptor < 0)
        FAIL(err, ERR_IO, "%s: %s", file->path, strerror(errno));
    const enum status status = read_regular(descriptor, file->path, size_max, bytes, err);
    close(descriptor);
    return status;
}
