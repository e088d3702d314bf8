/*
 * emu_trace - sorts accesses by where they go.
 *
 * A thread's own stack and the program's constants are not traced. What is neither shared nor
 * device memory, and writes to anything else, end the launch before the access is made.
 */
#include "tests/emu/emu_trace.h"

#include "base/sanitized.h"
#include "tests/emu/emu_block.h"
#include "tests/emu/emu_global.h"
#include "tests/emu/emu_memory.h"
#include "tests/emu/emu_report.h"
#include "tests/emu/emu_request.h"
#include "tests/emu/emu_shared.h"

#include <link.h>
#include <string.h>

enum { IMAGES_MAX = 128 };

bool emu_trace_on;

static struct {
    uintptr_t start, end;
} images[IMAGES_MAX];
static int image_count;

static int note_image(struct dl_phdr_info *info, size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    for (int i = 0; i < info->dlpi_phnum && image_count < IMAGES_MAX; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD) {
            images[image_count].start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            images[image_count].end = images[image_count].start + info->dlpi_phdr[i].p_memsz;
            image_count++;
        }
    return 0;
}

void emu_trace_launch(bool is_traced)
{
#if !SANITIZED_ADDRESS
    if (image_count == 0)
        dl_iterate_phdr(note_image, nullptr);
    emu_trace_on = is_traced;
#else
    (void)is_traced;
    (void)note_image;
#endif
}

static bool is_constant(uintptr_t address)
{
    for (int i = 0; i < image_count; i++)
        if (address >= images[i].start && address < images[i].end)
            return true;
    return false;
}

static const char *name_access(enum emu_access access)
{
    return access == EMU_READ ? "reads" : access == EMU_WRITE ? "writes" : "adds to";
}

static void elsewhere(uintptr_t address, size_t bytes, enum emu_access access, const void *pc)
{
    if (access == EMU_READ && is_constant(address))
        return;
    char who[48];
    emu_report_add(
        EMU_HOST, pc, nullptr,
        "%s %s %zu bytes at %p, which is neither shared nor device memory nor its own",
        emu_block_name_thread(emu_block.running->number, who, sizeof who), name_access(access),
        bytes, reinterpret_cast<void *>(address));
    emu_block_end();
}

static void misaligned(uintptr_t address, size_t bytes, enum emu_access access, const void *pc)
{
    char who[48];
    emu_report_add(EMU_MISALIGNED, pc, nullptr, "%s %s %zu bytes at %p",
                   emu_block_name_thread(emu_block.running->number, who, sizeof who),
                   name_access(access), bytes, reinterpret_cast<void *>(address));
}

static inline void trace(const void *place, size_t bytes, enum emu_access access,
                         const void *pc)
{
    if (!emu_trace_on)
        return;
    const auto address = reinterpret_cast<uintptr_t>(place);
    const auto stack = reinterpret_cast<uintptr_t>(emu_block.running->fiber.stack);
    const uintptr_t offset = address - reinterpret_cast<uintptr_t>(emu_shared_memory);
    if (address - stack < EMU_FIBER_STACK_BYTES)
        return;
    if (offset < EMU_SHARED_ROOM) {
        emu_shared_touch(offset, bytes, access, pc);
        emu_request_add(offset, bytes, true, pc);
    } else if (address - emu_memory_base < emu_memory_limit - emu_memory_base) {
        emu_global_touch(address, bytes, access, pc);
        emu_request_add(address, bytes, false, pc);
    } else
        elsewhere(address, bytes, access, pc);
}

/* An access that the hardware wants aligned to its size. */
static inline void trace_aligned(const void *place, size_t bytes, enum emu_access access,
                                 const void *pc)
{
    if (!emu_trace_on)
        return;
    if (reinterpret_cast<uintptr_t>(place) % bytes != 0)
        misaligned(reinterpret_cast<uintptr_t>(place), bytes, access, pc);
    trace(place, bytes, access, pc);
}

/* ---- what the wrappers ask for ---- */

struct emu_16 emu_trace_load16(const void *from)
{
    struct emu_16 value;
    trace_aligned(from, sizeof value, EMU_READ, __builtin_return_address(0));
    memcpy(&value, from, sizeof value);
    return value;
}

void emu_trace_store16(void *to, struct emu_16 value)
{
    trace_aligned(to, sizeof value, EMU_WRITE, __builtin_return_address(0));
    memcpy(to, &value, sizeof value);
}

int32_t emu_trace_atomic_add(int32_t *place, int32_t value)
{
    trace_aligned(place, sizeof *place, EMU_ATOMIC, __builtin_return_address(0));
    const int32_t before = *place;
    *place = static_cast<int32_t>(static_cast<uint32_t>(before) + static_cast<uint32_t>(value));
    return before;
}

uint64_t emu_trace_atomic_max(uint64_t *place, uint64_t value)
{
    trace_aligned(place, sizeof *place, EMU_ATOMIC, __builtin_return_address(0));
    const uint64_t before = *place;
    *place = before > value ? before : value;
    return before;
}

void emu_trace_read_shared16(const void *row, const void *pc)
{
    if (!emu_shared_is_inside(row, 16) || reinterpret_cast<uintptr_t>(row) % 16 != 0) {
        emu_report_add(emu_shared_is_inside(row, 16) ? EMU_MISALIGNED : EMU_OVERRUN, pc,
                       nullptr,
                       "thread %d: ldmatrix wants 16 aligned bytes of shared memory, not %p",
                       emu_block.running->number, row);
        emu_block_end();
    }
    trace(row, 16, EMU_READ, pc);
}

void emu_trace_copy(void *to_shared, const void *from, int bytes, const void *pc)
{
    if (!emu_trace_on)
        return;
    const uintptr_t offset =
        reinterpret_cast<uintptr_t>(to_shared) - reinterpret_cast<uintptr_t>(emu_shared_memory);
    emu_shared_send(offset, pc);
    emu_request_add(offset, 16, true, pc);
    if (bytes)
        trace(from, static_cast<size_t>(bytes), EMU_READ, pc);
}

void emu_trace_land(void *to_shared, const void *pc)
{
    if (emu_trace_on)
        emu_shared_land(reinterpret_cast<uintptr_t>(to_shared) -
                            reinterpret_cast<uintptr_t>(emu_shared_memory),
                        pc);
}

/* ---- what the compiler asks for: nothing, where kernels have AddressSanitizer instead ---- */

#if !SANITIZED_ADDRESS
extern "C" {
    /* Untraced, an access is a call, a comparison and a return: the rest is not inlined. */
    #define TRACE_ACCESS(name, bytes, access)                                                  \
        static                                                                                 \
            __attribute__((noinline)) void name##bytes##_aligned(void *place, const void *pc)  \
        {                                                                                      \
            trace_aligned(place, bytes, access, pc);                                           \
        }                                                                                      \
        static __attribute__((noinline)) void name##bytes##_any(void *place, const void *pc)   \
        {                                                                                      \
            trace(place, bytes, access, pc);                                                   \
        }                                                                                      \
        void __tsan_##name##bytes(void *place)                                                 \
        {                                                                                      \
            if (emu_trace_on)                                                                  \
                name##bytes##_aligned(place, __builtin_return_address(0));                     \
        }                                                                                      \
        void __tsan_volatile_##name##bytes(void *place)                                        \
        {                                                                                      \
            if (emu_trace_on)                                                                  \
                name##bytes##_aligned(place, __builtin_return_address(0));                     \
        }                                                                                      \
        void __tsan_unaligned_##name##bytes(void *place)                                       \
        {                                                                                      \
            if (emu_trace_on)                                                                  \
                name##bytes##_any(place, __builtin_return_address(0));                         \
        }                                                                                      \
        void __tsan_unaligned_volatile_##name##bytes(void *place)                              \
        {                                                                                      \
            if (emu_trace_on)                                                                  \
                name##bytes##_any(place, __builtin_return_address(0));                         \
        }
    #define TRACE_BOTH(bytes)                                                                  \
        TRACE_ACCESS(read, bytes, EMU_READ)                                                    \
        TRACE_ACCESS(write, bytes, EMU_WRITE)                                                  \
        void __tsan_read_write##bytes(void *place)                                             \
        {                                                                                      \
            trace_aligned(place, bytes, EMU_READ, __builtin_return_address(0));                \
            trace(place, bytes, EMU_WRITE, __builtin_return_address(0));                       \
        }

TRACE_BOTH(1)
TRACE_BOTH(2)
TRACE_BOTH(4)
TRACE_BOTH(8)
TRACE_BOTH(16)

void __tsan_read_range(void *place, unsigned long bytes)
{
    trace(place, bytes, EMU_READ, __builtin_return_address(0));
}

void __tsan_write_range(void *place, unsigned long bytes)
{
    trace(place, bytes, EMU_WRITE, __builtin_return_address(0));
}

void *__tsan_memcpy(void *to, const void *from, unsigned long bytes)
{
    trace(from, bytes, EMU_READ, __builtin_return_address(0));
    trace(to, bytes, EMU_WRITE, __builtin_return_address(0));
    return memcpy(to, from, bytes);
}

void *__tsan_memset(void *to, int value, unsigned long bytes)
{
    trace(to, bytes, EMU_WRITE, __builtin_return_address(0));
    return memset(to, value, bytes);
}

void __tsan_init(void)
{
}

void __tsan_func_entry(void *from)
{
    (void)from;
}

void __tsan_func_exit(void)
{
}
}
#endif
