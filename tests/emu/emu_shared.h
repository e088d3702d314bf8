/*
 * emu_shared - the shared memory of the running block, and who touched its bytes.
 *
 * Pieces lie as on the hardware but for a red zone of 128 bytes (one row of all banks, so that
 * bank conflicts stay what they are) after each. Fresh bytes are 0xff and count as unwritten.
 */
#ifndef TESTS_EMU_SHARED_H
#define TESTS_EMU_SHARED_H

#include "kernels/device_emu.h"

#include <stddef.h>
#include <stdint.h>

enum {
    EMU_SHARED_MAX = DEVICE_EMU_SHARED_MAX,
    EMU_SHARED_PIECES_MAX = 64,
    EMU_SHARED_RED_BYTES = 128,
    EMU_SHARED_ROOM = EMU_SHARED_MAX + (EMU_SHARED_PIECES_MAX + 1) * EMU_SHARED_RED_BYTES
};

enum emu_access { EMU_READ, EMU_WRITE, EMU_ATOMIC };

extern unsigned char emu_shared_memory[EMU_SHARED_ROOM];

/* At a block's start: nothing taken, nothing written. */
void emu_shared_reset(void);

static inline bool emu_shared_is_inside(const void *address, size_t bytes)
{
    const uintptr_t offset =
        reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(emu_shared_memory);
    return offset <= EMU_SHARED_ROOM - bytes;
}

/* The running thread reads, writes or adds to `bytes` at offset; `pc` asks. */
void emu_shared_touch(size_t offset, size_t bytes, enum emu_access access, const void *pc);
/* It sends a copy there; the copy lands. */
void emu_shared_send(size_t offset, const void *pc);
void emu_shared_land(size_t offset, const void *pc);

/* All accesses so far become ordered before all to come. */
void emu_shared_forget_times(void);

#endif
