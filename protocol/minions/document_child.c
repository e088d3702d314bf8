/* document_child - see document_child.h. */
#include "protocol/minions/document_child.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 16, EXIT_MISSING = 127, DESCRIPTORS_MAX = 1 << 16, KEPT = 3 };

/* ---- the child ---- */

static bool set_limit(int resource, rlim_t value)
{
    const struct rlimit limit = {value, value};
    return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

static void close_rest(void)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, KEPT, ~0U, 0) == 0)
        return;
#endif
    for (int descriptor = KEPT; descriptor < DESCRIPTORS_MAX; descriptor++)
        close(descriptor);
}

/* The three descriptors lie above those they become. */
static _Noreturn void be_child(const struct document_child *child, int input, int output,
                               int said)
{
    static char locale[] = "LC_ALL=C.UTF-8", home[] = "HOME=/";
    char *const environment[] = {locale, home, NULL};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(said, STDERR_FILENO) < 0)
        _exit(1);
    close_rest();
    if (set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_FSIZE, 0) &&
        set_limit(RLIMIT_CPU, child->cpu_s) && set_limit(RLIMIT_AS, child->memory_bytes))
        (void)execvpe(child->argv[0], child->argv, environment);
    _exit(errno == ENOENT || errno == EACCES ? EXIT_MISSING : 1);
}

/* ---- the parent ---- */

struct pipes {
    int input;              /* a file in memory */
    int output[2], said[2]; /* to read, to write; -1: closed */
    pid_t child;
};

static void close_one(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

static void close_pipes(struct pipes *pipes)
{
    close_one(&pipes->input);
    for (int i = 0; i < 2; i++) {
        close_one(&pipes->output[i]);
        close_one(&pipes->said[i]);
    }
}

static bool fill_input(int descriptor, struct text input)
{
    size_t at = 0;
    while (at < input.size) {
        const ssize_t put = write(descriptor, input.data + at, input.size - at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        at += (size_t)put;
    }
    return lseek(descriptor, 0, SEEK_SET) == 0;
}

/* What the child inherits must not lie where its own three will. */
static int move_up(int descriptor)
{
    if (descriptor < 0 || descriptor >= KEPT)
        return descriptor;
    const int raised = fcntl(descriptor, F_DUPFD_CLOEXEC, KEPT);
    close(descriptor);
    return raised;
}

static enum status open_pipes(struct pipes *pipes, struct text input, struct error *err)
{
    pipes->input = move_up(memfd_create("document", MFD_CLOEXEC));
    const bool is_open =
        pipe2(pipes->output, O_CLOEXEC) == 0 && pipe2(pipes->said, O_CLOEXEC) == 0;
    for (int i = 0; i < 2; i++) {
        pipes->output[i] = move_up(pipes->output[i]);
        pipes->said[i] = move_up(pipes->said[i]);
    }
    if (!is_open || pipes->input < 0 || pipes->output[0] < 0 || pipes->output[1] < 0 ||
        pipes->said[0] < 0 || pipes->said[1] < 0 || !fill_input(pipes->input, input))
        FAIL(err, ERR_IO, "no pipe or memory for another program: %s", strerror(errno));
    return OK;
}

static enum status start(struct pipes *pipes, const struct document_child *child,
                         struct error *err)
{
    pipes->child = fork();
    if (pipes->child == 0)
        be_child(child, pipes->input, pipes->output[1], pipes->said[1]);
    if (pipes->child < 0)
        FAIL(err, ERR_IO, "%s cannot be started: %s", child->argv[0], strerror(errno));
    close_one(&pipes->input);
    close_one(&pipes->output[1]);
    close_one(&pipes->said[1]);
    return OK;
}

/* Reads one block of what the child wrote; closes the descriptor at its end. */
static struct text read_block(int *descriptor, char block[BLOCK_BYTES])
{
    const ssize_t got = read(*descriptor, block, BLOCK_BYTES);
    if (got > 0)
        return (struct text){block, (size_t)got};
    if (got == 0 || errno != EINTR)
        close_one(descriptor);
    return (struct text){0};
}

/* Takes what the child writes until both pipes are closed at its side. */
static enum document_child_end listen_to(struct pipes *pipes, double end_s,
                                         struct text_buf *output,
                                         struct document_child_result *result)
{
    char block[BLOCK_BYTES];
    size_t said = 0;
    while (pipes->output[0] >= 0 || pipes->said[0] >= 0) {
        struct pollfd pollers[] = {{.fd = pipes->output[0], .events = POLLIN},
                                   {.fd = pipes->said[0], .events = POLLIN}};
        const double left_s = end_s - clock_now_s();
        if (left_s <= 0)
            return DOCUMENT_CHILD_TIMED_OUT;
        if (poll(pollers, 2, (int)(left_s * 1000) + 1) <= 0)
            continue;
        if (pollers[0].revents != 0)
            text_buf_add(output, read_block(&pipes->output[0], block));
        if (output->failed)
            return DOCUMENT_CHILD_TOO_LARGE;
        if (pollers[1].revents == 0)
            continue;
        const struct text heard = read_block(&pipes->said[0], block);
        const size_t kept = text_slice(heard, 0, DOCUMENT_CHILD_SAID_MAX - 1 - said).size;
        if (kept > 0)
            memcpy(result->said + said, heard.data, kept);
        said += kept;
    }
    return DOCUMENT_CHILD_ENDED;
}

/* Waits for a child that has closed its pipes, until end_s. False: it still runs. */
static bool wait_for(pid_t child, double end_s, int *state)
{
    const struct timespec nap = {.tv_nsec = 1000000};
    for (;;) {
        const pid_t done = waitpid(child, state, WNOHANG);
        if (done == child || (done < 0 && errno != EINTR))
            return true;
        if (clock_now_s() >= end_s)
            return false;
        (void)nanosleep(&nap, NULL);
    }
}

static void end_child(pid_t child, int *state)
{
    (void)kill(child, SIGKILL);
    while (waitpid(child, state, 0) < 0 && errno == EINTR)
        continue;
}

enum status document_child_run(const struct document_child *child, struct text_buf *output,
                               struct document_child_result *result, struct error *err)
{
    struct pipes pipes = {-1, {-1, -1}, {-1, -1}, -1};
    const double end_s = clock_now_s() + child->wait_s;
    int state = 0;
    *result = (struct document_child_result){0};
    enum status status = open_pipes(&pipes, child->input, err);
    if (status == OK)
        status = start(&pipes, child, err);
    if (status != OK) {
        close_pipes(&pipes);
        return status;
    }
    result->end = listen_to(&pipes, end_s, output, result);
    if (result->end == DOCUMENT_CHILD_ENDED && !wait_for(pipes.child, end_s, &state))
        result->end = DOCUMENT_CHILD_TIMED_OUT;
    if (result->end != DOCUMENT_CHILD_ENDED)
        end_child(pipes.child, &state);
    else if (!WIFEXITED(state))
        result->end = DOCUMENT_CHILD_KILLED;
    else if (WEXITSTATUS(state) == EXIT_MISSING)
        result->end = DOCUMENT_CHILD_MISSING;
    else
        result->exit_code = WEXITSTATUS(state);
    close_pipes(&pipes);
    return OK;
}
