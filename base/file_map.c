/* file_map - see file_map.h. */
#include "base/file_map.h"

#include "base/checked.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 16 };

static enum status check_size(const char *path, size_t size, size_t size_max, struct error *err)
{
    if (size_max != 0 && size > size_max)
        FAIL(err, ERR_LIMIT, "%s: %zu bytes or more, at most %zu are taken", path, size,
             size_max);
    return OK;
}

static enum status map_fd(struct file_map *map, int fd, const char *path, size_t size_max,
                          struct error *err)
{
    struct stat info;
    size_t size;
    if (fstat(fd, &info) != 0)
        FAIL(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        FAIL(err, ERR_IO, "%s: not a regular file", path);
    if (info.st_size < 0 || !checked_u64_to_size((uint64_t)info.st_size, &size))
        FAIL(err, ERR_LIMIT, "%s: too large for this machine's addresses", path);
    TRY(check_size(path, size, size_max, err));
    if (size == 0)
        return OK;
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        FAIL(err, ERR_IO, "%s: cannot map %zu bytes: %s", path, size, strerror(errno));
    *map = (struct file_map){.data = data,
                             .size = size,
                             .device = (uint64_t)info.st_dev,
                             .inode = (uint64_t)info.st_ino};
    return OK;
}

static enum status read_fd(struct text_buf *buf, int fd, const char *path, size_t size_max,
                           struct error *err)
{
    char bytes[READ_BYTES];
    size_t total = 0;
    for (;;) {
        const ssize_t count = read(fd, bytes, sizeof bytes);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            FAIL(err, ERR_IO, "%s: %s", path, strerror(errno));
        if (count == 0)
            return OK;
        total += (size_t)count;
        TRY(check_size(path, total, size_max, err));
        text_buf_add(buf, (struct text){bytes, (size_t)count});
        if (buf->failed)
            FAIL(err, ERR_MEMORY, "%s: no room after %zu bytes", path, buf->size);
    }
}

bool file_map_is(const struct file_map *map, const char *path)
{
    struct stat info;
    return map->data && stat(path, &info) == 0 && (uint64_t)info.st_dev == map->device &&
           (uint64_t)info.st_ino == map->inode;
}

enum status file_map_open(struct file_map *map, const char *path, size_t size_max,
                          struct error *err)
{
    *map = (struct file_map){0};
    /* O_NONBLOCK: opening a pipe must not wait for its writer before it is refused. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        FAIL(err, ERR_IO, "%s: %s", path, strerror(errno));
    const enum status status = map_fd(map, fd, path, size_max, err);
    (void)close(fd);
    return status;
}

void file_map_close(struct file_map *map)
{
    if (map->data) {
        /* munmap takes a pointer to writable memory, though it writes none. */
        void *data = (void *)(uintptr_t)map->data;
        (void)munmap(data, map->size);
    }
    *map = (struct file_map){0};
}

enum status file_map_read(struct text_buf *buf, const char *path, size_t size_max,
                          struct error *err)
{
    if (strcmp(path, "-") == 0)
        return read_fd(buf, STDIN_FILENO, "standard input", size_max, err);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        FAIL(err, ERR_IO, "%s: %s", path, strerror(errno));
    const enum status status = read_fd(buf, fd, path, size_max, err);
    (void)close(fd);
    return status;
}
