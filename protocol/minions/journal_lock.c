/* journal_lock - see journal_lock.h. */
#include "protocol/minions/journal_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum status journal_lock_take(int *lock, const char *journal_path, int64_t run,
                              struct error *err)
{
    char path[4096];
    journal_lock_drop(lock);
    if (snprintf(path, sizeof(path), "%s.lock", journal_path) >= (int)sizeof(path))
        FAIL(err, ERR_LIMIT, "journal %.100s: its path is too long", journal_path);
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*lock < 0)
        FAIL(err, ERR_IO, "%.150s: %s", path, strerror(errno));
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = run, .l_len = 1};
    if (fcntl(*lock, F_OFD_SETLK, &range) == 0)
        return OK;
    const int why = errno;
    journal_lock_drop(lock);
    if (why == EAGAIN || why == EACCES)
        FAIL(err, ERR_LIMIT, "run %lld: another process is at it", (long long)run);
    FAIL(err, ERR_IO, "%.150s: %s", path, strerror(why));
}

void journal_lock_drop(int *lock)
{
    if (*lock >= 0)
        close(*lock);
    *lock = -1;
}
