/* emu_report - see the header. */
#include "tests/emu/emu_report.h"

#include "tests/emu/emu_block.h"

#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEPT_MAX = 12, SEEN_MAX = 256, SENTENCE_BYTES = 256, TEXT_BYTES = 8192 };

static const char *const kind_names[EMU_KINDS] = {
    "race",     "unwritten",     "overrun",    "host memory", "copy under way",
    "copy",     "misaligned",    "divergence", "exited",      "barrier",
    "deadlock", "shared pieces", "bad access"};

static struct finding {
    enum emu_kind kind;
    const void *pc, *other_pc;
    char sentence[SENTENCE_BYTES];
} kept[KEPT_MAX];
static int kept_count;
static struct {
    enum emu_kind kind;
    const void *pc;
} seen[SEEN_MAX];
static int seen_count;
static uint64_t finding_count, kind_counts[EMU_KINDS];
static char report[TEXT_BYTES];
static bool report_is_fresh;

void emu_report_add(enum emu_kind kind, const void *pc, const void *other_pc,
                    const char *format, ...)
{
    finding_count++;
    kind_counts[kind]++;
    for (int i = 0; i < seen_count; i++)
        if (seen[i].kind == kind && seen[i].pc == pc)
            return;
    if (seen_count < SEEN_MAX) {
        seen[seen_count].kind = kind;
        seen[seen_count++].pc = pc;
    }
    if (kept_count == KEPT_MAX)
        return;
    report_is_fresh = false;
    struct finding *finding = &kept[kept_count++];
    finding->kind = kind;
    finding->pc = pc;
    finding->other_pc = other_pc;
    size_t used = 0;
    if (emu_block.running)
        used = static_cast<size_t>(snprintf(finding->sentence, SENTENCE_BYTES,
                                            "%.80s block (%u,%u,%u): ", emu_block.launch->name,
                                            emu_block_index.x, emu_block_index.y,
                                            emu_block_index.z));
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->sentence + used, SENTENCE_BYTES - used, format, arguments);
    va_end(arguments);
}

uint64_t emu_report_count(void)
{
    return finding_count;
}

uint64_t emu_report_count_of(enum emu_kind kind)
{
    return kind_counts[kind];
}

void emu_report_clear(void)
{
    kept_count = seen_count = 0;
    finding_count = 0;
    memset(kind_counts, 0, sizeof kind_counts);
    report_is_fresh = false;
}

/* ---- from a place in the code to file and line ---- */

static int note_base(struct dl_phdr_info *info, size_t bytes, void *base)
{
    (void)bytes;
    *static_cast<uintptr_t *>(base) = info->dlpi_addr;
    return 1; /* the program itself comes first */
}

/* Starts addr2line on this program's file; its answers come from the file returned. */
static FILE *symbols_open(const void *const *pcs, int count, pid_t *child)
{
    char program[1024], addresses[EMU_REPORT_PLACES][24];
    const char *arguments[EMU_REPORT_PLACES + 8] = {"addr2line", "-aifC", "-e", program};
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    uintptr_t base = 0;
    int ends[2];
    if (length < 0 || pipe2(ends, O_CLOEXEC) != 0)
        return nullptr;
    program[length] = 0;
    dl_iterate_phdr(note_base, &base);
    for (int i = 0; i < count; i++) {
        /* A return address lies behind its call. */
        snprintf(addresses[i], sizeof addresses[i], "0x%zx",
                 static_cast<size_t>(reinterpret_cast<uintptr_t>(pcs[i]) - base - 1));
        arguments[4 + i] = addresses[i];
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    const int failed = posix_spawnp(child, arguments[0], &actions, nullptr,
                                    const_cast<char *const *>(arguments), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE *answers = failed ? nullptr : fdopen(ends[0], "r");
    if (answers == nullptr)
        close(ends[0]);
    return answers;
}

/* A path as it stands in the tree, where it lies in it. */
static const char *in_tree(const char *path)
{
    static const char here[] = __FILE__, name[] = "tests/emu/emu_report.cc";
    const size_t top = sizeof here - sizeof name;
    return strncmp(path, here, top) == 0 ? path + top : path;
}

/* "void (anonymous namespace)::noun<1>(args)" is noun<1> to us. Writes in text. */
static const char *short_name(char *text)
{
    static const char unnamed[] = "(anonymous namespace)::";
    for (char *at = strstr(text, unnamed); at; at = strstr(at, unnamed))
        memmove(at, at + sizeof unnamed - 1, strlen(at) - sizeof unnamed + 2);
    text[strcspn(text, "(")] = 0;
    const char *name = text;
    const char *end = text + strcspn(text, "<");
    for (const char *at = text; at < end; at++)
        name = *at == ' ' ? at + 1 : name;
    return name;
}

static bool is_wrapper(const char *file)
{
    return strstr(file, "kernels/parts/simt_emu") != nullptr;
}

void emu_report_resolve(const void *const *pcs, int count,
                        char (*texts)[EMU_REPORT_PLACE_BYTES])
{
    pid_t child = 0;
    char function[1024], file[1024];
    int at = -1;
    bool is_found = false;
    count = count < EMU_REPORT_PLACES ? count : int{EMU_REPORT_PLACES};
    for (int i = 0; i < count; i++)
        snprintf(texts[i], EMU_REPORT_PLACE_BYTES, "%p", pcs[i]);
    FILE *answers = count ? symbols_open(pcs, count, &child) : nullptr;
    if (answers == nullptr)
        return;
    while (fgets(function, sizeof function, answers)) {
        function[strcspn(function, "\n")] = 0;
        if (strncmp(function, "0x", 2) == 0) { /* the next address; its frames follow */
            at++;
            is_found = false;
            continue;
        }
        if (!fgets(file, sizeof file, answers))
            break;
        file[strcspn(file, " \n")] = 0;
        if (at < 0 || at >= count || is_found || file[0] == '?' || is_wrapper(file))
            continue;
        is_found = true;
        snprintf(texts[at], EMU_REPORT_PLACE_BYTES, "%.120s (%.60s)", in_tree(file),
                 short_name(function));
    }
    fclose(answers);
    waitpid(child, nullptr, 0);
}

const char *emu_report_text(void)
{
    const void *pcs[2 * KEPT_MAX];
    char places[2 * KEPT_MAX][EMU_REPORT_PLACE_BYTES];
    static_assert(2 * KEPT_MAX <= EMU_REPORT_PLACES, "resolved in one call");
    size_t used = 0;
    int count = 0;
    if (report_is_fresh)
        return report;
    for (int i = 0; i < kept_count; i++) {
        if (kept[i].pc)
            pcs[count++] = kept[i].pc;
        if (kept[i].other_pc)
            pcs[count++] = kept[i].other_pc;
    }
    emu_report_resolve(pcs, count, places);
    report[0] = 0;
    for (int i = 0, place = 0; i < kept_count && used < TEXT_BYTES; i++) {
        const char *at = kept[i].pc ? places[place++] : "the host";
        const char *other = kept[i].other_pc ? places[place++] : nullptr;
        used += static_cast<size_t>(
            snprintf(report + used, TEXT_BYTES - used, "%s%s: %s; at %s%s%s", i ? "\n" : "",
                     kind_names[kept[i].kind], kept[i].sentence, at,
                     other ? "; the other at " : "", other ? other : ""));
    }
    report_is_fresh = true;
    return report;
}
