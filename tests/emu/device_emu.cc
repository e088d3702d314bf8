/* device_emu - the emulator behind device.h, and the knobs of device_emu.h. */
#include "kernels/device_emu.h"

#include "kernels/device_backend.h"
#include "tests/emu/emu_block.h"
#include "tests/emu/emu_launch.h"
#include "tests/emu/emu_memory.h"
#include "tests/emu/emu_report.h"
#include "tests/emu/emu_request.h"

#include <string.h>

enum { MULTIPROCESSORS = 4 }; /* few, so that small shapes still take several turns */

void device_emu_configure(const struct device_emu_options *options)
{
    emu_block_options = *options;
}

uint64_t device_emu_findings(void)
{
    return emu_report_count();
}

const char *device_emu_report(void)
{
    return emu_report_text();
}

void device_emu_clear(void)
{
    emu_report_clear();
    emu_request_clear();
    emu_launch_clear();
}

bool device_emu_count(const char *kernel, struct device_emu_counters *counters)
{
    return emu_request_count(kernel, counters);
}

const char *device_emu_total(int32_t index, struct device_emu_counters *counters)
{
    return emu_request_total(index, counters);
}

size_t device_emu_lines(const char *kernel, char *text, size_t bytes)
{
    return emu_request_lines(kernel, text, bytes);
}

/* ---- behind device.h: the emulator is the process's, so there is no state to speak of ---- */

static enum status emu_open(void **state, struct error *err)
{
    static int something;
    (void)err;
    *state = &something;
    return OK;
}

static void emu_close(void *state)
{
    (void)state;
}

static size_t held_bytes; /* of all buffers */

static size_t free_bytes(void)
{
    const size_t all = emu_block_options.memory_bytes;
    return held_bytes < all ? all - held_bytes : 0;
}

static void *emu_alloc(void *state, size_t bytes)
{
    (void)state;
    if (emu_block_options.memory_bytes > 0 && bytes > free_bytes())
        return nullptr;
    void *memory = emu_memory_take(bytes);
    if (memory)
        held_bytes += bytes;
    return memory;
}

static void emu_free(void *state, void *memory, size_t bytes)
{
    (void)state;
    if (memory && emu_memory_drop(memory))
        held_bytes -= bytes;
    else if (memory)
        emu_report_add(EMU_HOST, nullptr, nullptr, "%p is freed and is no device memory",
                       memory);
}

static enum status emu_copy_bytes(const void *device_side, void *to, const void *from,
                                  size_t bytes)
{
    if (emu_launch_has_failed())
        return ERR_DEVICE;
    if (bytes && !emu_memory_is_live(device_side, bytes)) {
        emu_report_add(
            EMU_OVERRUN, nullptr, nullptr,
            "the host copies %zu bytes at %p, which are not all in one device buffer", bytes,
            device_side);
        return ERR_DEVICE;
    }
    if (bytes)
        memcpy(to, from, bytes);
    return OK;
}

static enum status emu_upload(void *state, void *to, const void *from, size_t bytes)
{
    (void)state;
    return emu_copy_bytes(to, to, from, bytes);
}

static enum status emu_download(void *state, void *to, const void *from, size_t bytes)
{
    (void)state;
    return emu_copy_bytes(from, to, from, bytes);
}

/* The bytes as they are at its place in the order; what comes after must not show. */
static unsigned char fetched[DEVICE_FETCH_BYTES];

static enum status emu_fetch_begin(void *state, const void *from, size_t bytes)
{
    (void)state;
    return emu_copy_bytes(from, fetched, from, bytes);
}

static enum status emu_fetch_end(void *state, void *to, size_t bytes)
{
    (void)state;
    memcpy(to, fetched, bytes);
    return OK;
}

static enum status emu_wait(void *state, struct error *err)
{
    (void)state;
    if (emu_launch_has_failed())
        FAIL(err, ERR_DEVICE, "%s", emu_report_text());
    return OK;
}

static void *emu_stream(void *state)
{
    (void)state;
    return nullptr;
}

static int32_t emu_multiprocessors(void *state)
{
    (void)state;
    return MULTIPROCESSORS;
}

/* Without a limit the host's memory is the device's (device_memory_bytes). */
static void emu_facts(void *state, struct device_timer_facts *facts)
{
    (void)state;
    facts->memory_bytes = emu_block_options.memory_bytes;
    facts->memory_free_bytes = free_bytes();
}

const struct device_backend *device_emu_backend(void)
{
    static struct device_backend backend;
    backend.open = emu_open;
    backend.close = emu_close;
    backend.alloc = emu_alloc;
    backend.free = emu_free;
    backend.upload = emu_upload;
    backend.download = emu_download;
    backend.fetch_begin = emu_fetch_begin;
    backend.fetch_end = emu_fetch_end;
    backend.wait = emu_wait;
    backend.stream = emu_stream;
    backend.multiprocessors = emu_multiprocessors;
    backend.facts = emu_facts;
    return &backend;
}
