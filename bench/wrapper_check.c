/*
 * wrapper_check - the wrappers of kernels/parts/simt.cuh on a device against their meaning in
 * plain C, and on a GPU against the emulator too: bit for bit, but for exp2 and reciprocal,
 * which are within what is promised of the instructions (kernels/wrapper_check.h).
 *
 *     wrapper_check [cuda|emu] [BLOCKS]
 *
 * A table, one line per kind; exit 1 on a difference or a finding of the emulator, 77 where
 * there is no such device. It needs no test library: it runs where only a compiler is.
 */
#include "kernels/wrapper_check.h"

#include "kernels/device_emu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS_DEFAULT = 64, BLOCKS_MAX = 65536, NO_DEVICE = 77 };
enum { BLOCK_WORDS = WRAPPER_CHECK_THREADS * WRAPPER_CHECK_WORDS };

/* Random words, a quarter of them floats of ordinary size, some of them special. */
static void fill(uint32_t *words, int64_t count)
{
    static const uint32_t special[] = {0,          0x80000000, 0x7f800000, 0xff800000,
                                       0x7fc00000, 1,          0x00800000, 0x7f7fffff};
    uint64_t state = 7;
    for (int64_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const uint32_t random = (uint32_t)(state >> 32), kind = (uint32_t)(state >> 20) % 16;
        words[i] = random;
        if (kind < 4)
            words[i] = (random & 0x807fffff) | (120 + random % 16) << 23;
        else if (kind == 4)
            words[i] = special[random % 8];
    }
}

static enum status launch(struct device *device, const struct wrapper_check_args *args)
{
#ifdef COHORT_CUDA
    if (device_kind(device) == DEVICE_CUDA)
        return wrapper_check_cuda(device, args);
#endif
#ifdef COHORT_EMU
    if (device_kind(device) == DEVICE_EMU)
        return wrapper_check_emu(device, args);
#endif
    return wrapper_check_ref(device, args);
}

/* out = the kind's result on that device. */
static enum status run(struct device *device, const struct wrapper_check_args *host)
{
    const size_t bytes = (size_t)host->blocks * BLOCK_WORDS * sizeof(uint32_t);
    struct error err;
    uint32_t *in = device_alloc(device, bytes), *out = device_alloc(device, bytes);
    enum status status = in && out ? device_upload(device, in, host->in, bytes) : ERR_MEMORY;
    const struct wrapper_check_args args = {host->kind, in, out, host->blocks};
    if (status == OK)
        status = launch(device, &args);
    if (status == OK)
        status = device_wait(device, &err);
    if (status == OK)
        status = device_download(device, host->out, out, bytes);
    device_free(device, in, bytes);
    device_free(device, out, bytes);
    return status;
}

/* Differences from what was wanted; all words when it did not run. */
static int64_t compare(struct device *device, const struct wrapper_check_args *args,
                       const uint32_t *wanted)
{
    const int64_t words = (int64_t)args->blocks * BLOCK_WORDS;
    if (run(device, args) != OK)
        return words;
    return wrapper_check_differences(args->kind, args->out, wanted, words);
}

/* Failures over all kinds. emulated: the second judge of a GPU, or NULL. */
static int check_all(struct device *device, struct device *emulated, int32_t blocks)
{
    const size_t words = (size_t)blocks * BLOCK_WORDS;
    uint32_t *in = calloc(words, 4), *out = calloc(words, 4), *wanted = calloc(words, 4);
    int failures = in && out && wanted ? 0 : 1;
    if (failures == 0)
        fill(in, (int64_t)words);
    for (int kind = 0; kind < WRAPPER_CHECK_KINDS && in && out && wanted; kind++) {
        const struct wrapper_check_args meant = {(enum wrapper_check_kind)kind, in, wanted,
                                                 blocks};
        const struct wrapper_check_args args = {meant.kind, in, out, blocks};
        int64_t from_emulator = 0;
        (void)!wrapper_check_ref(device, &meant);
        const int64_t from_meaning = compare(device, &args, wanted);
        if (emulated && run(emulated, &meant) == OK)
            from_emulator = wrapper_check_differences(meant.kind, out, wanted, (int64_t)words);
        else if (emulated)
            from_emulator = (int64_t)words;
        printf("%-20s %9zu words  %lld differ from plain C", wrapper_check_name(meant.kind),
               words, (long long)from_meaning);
        if (emulated)
            printf(", %lld from the emulator", (long long)from_emulator);
        printf("\n");
        failures += from_meaning > 0 || from_emulator > 0;
    }
    free(in);
    free(out);
    free(wanted);
    return failures;
}

static uint64_t findings(void)
{
#ifdef COHORT_EMU
    if (device_emu_findings() > 0)
        printf("the emulator's findings: %s\n", device_emu_report());
    return device_emu_findings();
#else
    return 0;
#endif
}

int main(int argc, char **argv)
{
    const bool is_cuda = argc > 1 && strcmp(argv[1], "cuda") == 0;
    const long blocks = argc > 2 ? strtol(argv[2], NULL, 10) : BLOCKS_DEFAULT;
    const struct device_options options = {.kind = is_cuda ? DEVICE_CUDA : DEVICE_EMU};
    const struct device_options second = {.kind = DEVICE_EMU};
    struct device *device = NULL, *emulated = NULL;
    struct error err;
    if (argc > 3 || (argc > 1 && !is_cuda && strcmp(argv[1], "emu") != 0) || blocks < 1 ||
        blocks > BLOCKS_MAX) {
        (void)fprintf(stderr, "usage: wrapper_check [cuda|emu] [BLOCKS]\n");
        return 64;
    }
    if (device_open(&device, &options, &err) != OK) {
        (void)fprintf(stderr, "wrapper_check: %s\n", err.text);
        return NO_DEVICE;
    }
    if (is_cuda && device_open(&emulated, &second, &err) != OK)
        printf("without the emulator: %s\n", err.text);
    const int failures = check_all(device, emulated, (int32_t)blocks);
    device_close(device);
    device_close(emulated);
    return failures > 0 || findings() > 0;
}
