/* machine - what this machine has, as the kernel tells: cores, memory, SIMD, a GPU. */
#ifndef TOOLS_MACHINE_H
#define TOOLS_MACHINE_H

#include "kernels/device.h"

#include <stdbool.h>
#include <stdint.h>

/* What the system does with memory for which large pages are asked. */
enum machine_large_pages { MACHINE_LARGE_UNKNOWN, MACHINE_LARGE_NEVER, MACHINE_LARGE_GIVEN };

struct machine {
    uint32_t cores;             /* that this process may use */
    uint64_t memory_bytes;      /* of the machine, or of the control group when less */
    uint64_t memory_free_bytes; /* that can be had without swapping; 0: unknown */
    enum device_simd simd;      /* the widest that the kernels can use */
    enum machine_large_pages large_pages;
    bool has_nvidia_driver;
};

void machine_look(struct machine *machine);

#endif
