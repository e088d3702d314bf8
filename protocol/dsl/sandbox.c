/*
 * sandbox - see sandbox.h.
 *
 * The filter is a list of permitted system calls; everything else kills the process. It is put
 * in place last, when the child has nothing left to set up. RLIMIT_AS counts what the parent
 * had mapped too, so that it is set to the size at the fork and the allowance.
 */
#include "protocol/dsl/sandbox.h"

#include "base/clock.h"
#include "base/sanitized.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

enum { DESCRIPTORS_MAX = 1 << 16 };
static const double WAIT_S_MAX = 3600;
/* For the C library's own needs beside what serve was promised. */
#define SLACK_BYTES ((size_t)48 << 20)

#if defined(__x86_64__)
    #define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
    #define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* ---- the child ---- */

#ifdef ARCHITECTURE
    #define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
    #define ALLOW(name)                                                                        \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (name), 0, 1),                                     \
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static bool filter_calls(void)
{
    static struct sock_filter filter[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        ALLOW(__NR_read),
        ALLOW(__NR_write),
        ALLOW(__NR_mmap),
        ALLOW(__NR_munmap),
        ALLOW(__NR_mremap),
        ALLOW(__NR_mprotect),
        ALLOW(__NR_madvise),
        ALLOW(__NR_brk),
        ALLOW(__NR_futex),
        ALLOW(__NR_clock_gettime),
        ALLOW(__NR_getrandom),
        ALLOW(__NR_rt_sigreturn),
        ALLOW(__NR_exit),
        ALLOW(__NR_exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}
#else
static bool filter_calls(void)
{
    return true; /* no list for this processor: the other limits hold */
}
#endif

static bool set_limit(int resource, rlim_t value)
{
    const struct rlimit limit = {value, value};
    return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

static void close_all_but(int kept)
{
#ifdef SYS_close_range
    if ((kept == 0 || syscall(SYS_close_range, 0, kept - 1, 0) == 0) &&
        syscall(SYS_close_range, kept + 1, ~0U, 0) == 0)
        return;
#endif
    for (int descriptor = 0; descriptor < DESCRIPTORS_MAX; descriptor++)
        if (descriptor != kept)
            close(descriptor);
}

/* Leaves nothing of the environment where it lay. */
static void wipe_environment(void)
{
    for (char **variable = environ; variable && *variable; variable++)
        explicit_bzero(*variable, strlen(*variable));
    environ = NULL;
}

/* Its size in bytes; read before descriptors are limited. 0: unknown. */
static size_t address_space(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    char line[64] = "";
    if (file) {
        if (fgets(line, sizeof(line), file))
            pages = strtoul(line, NULL, 10);
        (void)fclose(file);
    }
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static _Noreturn void be_child(const struct sandbox_options *options, int socket, size_t size)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    close_all_but(socket);
    wipe_environment();
    bool is_limited = set_limit(RLIMIT_FSIZE, 0) && set_limit(RLIMIT_CORE, 0);
    if (!SANITIZED)
        is_limited =
            is_limited && set_limit(RLIMIT_NOFILE, 0) &&
            (size == 0 || set_limit(RLIMIT_AS, size + options->memory_bytes + SLACK_BYTES)) &&
            filter_calls();
    if (is_limited)
        options->serve(options->self, socket);
    _exit(1);
}

/* ---- the parent ---- */

enum status sandbox_start(struct sandbox *sandbox, const struct sandbox_options *options,
                          struct error *err)
{
    int pair[2];
    *sandbox = (struct sandbox){.socket = -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        FAIL(err, ERR_IO, "sandbox: no socket: %s", strerror(errno));
    const size_t size = address_space();
    const pid_t child = fork();
    if (child == 0)
        be_child(options, pair[1], size);
    close(pair[1]);
    if (child < 0) {
        close(pair[0]);
        FAIL(err, ERR_MEMORY, "sandbox: no process: %s", strerror(errno));
    }
    *sandbox = (struct sandbox){child, pair[0]};
    return OK;
}

bool sandbox_is_strict(void)
{
#ifdef ARCHITECTURE
    return !SANITIZED;
#else
    return false;
#endif
}

void sandbox_stop(struct sandbox *sandbox)
{
    if (sandbox->child <= 0)
        return;
    (void)kill(sandbox->child, SIGKILL);
    while (waitpid(sandbox->child, NULL, 0) < 0 && errno == EINTR)
        continue;
    close(sandbox->socket);
    *sandbox = (struct sandbox){.socket = -1};
}

/* Waits until the socket can be read or written. */
static enum sandbox_end wait_for(const struct sandbox *sandbox, short event, double end_s)
{
    struct pollfd poller = {.fd = sandbox->socket, .events = event};
    for (;;) {
        const double left_s = end_s - clock_now_s();
        if (left_s <= 0)
            return SANDBOX_TIMED_OUT;
        const double wait_s = left_s < WAIT_S_MAX ? left_s : WAIT_S_MAX; /* fits an int in ms */
        const int ready = poll(&poller, 1, (int)(wait_s * 1000) + 1);
        if (ready > 0)
            return poller.revents & event ? SANDBOX_DONE : SANDBOX_DIED;
        if (ready < 0 && errno != EINTR)
            return SANDBOX_DIED;
    }
}

static enum sandbox_end send_bytes(const struct sandbox *sandbox, const void *data, size_t size,
                                   double end_s)
{
    const char *at = data;
    while (size > 0) {
        const enum sandbox_end end = wait_for(sandbox, POLLOUT, end_s);
        if (end != SANDBOX_DONE)
            return end;
        const ssize_t sent = send(sandbox->socket, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (sent <= 0)
            return SANDBOX_DIED;
        at += sent;
        size -= (size_t)sent;
    }
    return SANDBOX_DONE;
}

static enum sandbox_end receive_bytes(const struct sandbox *sandbox, void *data, size_t size,
                                      double end_s)
{
    char *at = data;
    while (size > 0) {
        const enum sandbox_end end = wait_for(sandbox, POLLIN, end_s);
        if (end != SANDBOX_DONE)
            return end;
        const ssize_t got = recv(sandbox->socket, at, size, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return SANDBOX_DIED;
        at += got;
        size -= (size_t)got;
    }
    return SANDBOX_DONE;
}

enum sandbox_end sandbox_send(struct sandbox *sandbox, struct text message, double wait_s)
{
    const uint64_t size = message.size;
    const double end_s = clock_now_s() + wait_s;
    const enum sandbox_end end = send_bytes(sandbox, &size, sizeof(size), end_s);
    return end == SANDBOX_DONE ? send_bytes(sandbox, message.data, message.size, end_s) : end;
}

enum sandbox_end sandbox_receive(struct sandbox *sandbox, size_t size_max, double wait_s,
                                 struct text_buf *message)
{
    char block[1 << 16];
    uint64_t size = 0;
    const double end_s = clock_now_s() + wait_s;
    enum sandbox_end end = receive_bytes(sandbox, &size, sizeof(size), end_s);
    text_buf_clear(message);
    if (end == SANDBOX_DONE && size > size_max)
        return SANDBOX_TOO_LARGE;
    while (end == SANDBOX_DONE && size > 0) {
        const size_t part = size < sizeof(block) ? (size_t)size : sizeof(block);
        end = receive_bytes(sandbox, block, part, end_s);
        if (end == SANDBOX_DONE)
            text_buf_add(message, (struct text){block, part});
        size -= part;
    }
    return message->failed ? SANDBOX_TOO_LARGE : end;
}

/* ---- messages, from the child ---- */

static bool write_all(int socket, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        const ssize_t put = write(socket, at, size);
        if (put <= 0)
            return false;
        at += put;
        size -= (size_t)put;
    }
    return true;
}

static bool read_all(int socket, void *data, size_t size)
{
    char *at = data;
    while (size > 0) {
        const ssize_t got = read(socket, at, size);
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

bool sandbox_put(int socket, struct text message)
{
    const uint64_t size = message.size;
    return write_all(socket, &size, sizeof(size)) &&
           write_all(socket, message.data, message.size);
}

bool sandbox_get(int socket, struct text_buf *message)
{
    char block[1 << 16];
    uint64_t size = 0;
    text_buf_clear(message);
    if (!read_all(socket, &size, sizeof(size)))
        return false;
    while (size > 0) {
        const size_t part = size < sizeof(block) ? (size_t)size : sizeof(block);
        if (!read_all(socket, block, part))
            return false;
        text_buf_add(message, (struct text){block, part});
        size -= part;
    }
    return !message->failed;
}
