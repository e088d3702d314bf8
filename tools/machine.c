/* machine - see machine.h. */
#include "tools/machine.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number that follows key in a file of "key number" lines; the file's first number when
 * key is empty. 0 when there is none. */
static uint64_t read_number(const char *path, const char *key)
{
    char line[256];
    uint64_t number = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    while (number == 0 && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) == 0)
            number = strtoull(line + strlen(key), NULL, 10); /* no number: 0 */
    }
    (void)fclose(file);
    return number;
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
    return limit != 0 && limit < value ? limit : value;
}

static uint32_t count_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return (uint32_t)CPU_COUNT(&set);
}

/* The file holds all choices, the one in force in brackets: "always [madvise] never". */
static enum machine_large_pages read_large_pages(void)
{
    char line[64] = "";
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
    if (!file)
        return MACHINE_LARGE_UNKNOWN;
    const bool is_read = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    if (!is_read)
        return MACHINE_LARGE_UNKNOWN;
    return strstr(line, "[never]") ? MACHINE_LARGE_NEVER : MACHINE_LARGE_GIVEN;
}

void machine_look(struct machine *machine)
{
    *machine = (struct machine){.cores = count_cores()};
    const uint64_t group = read_number("/sys/fs/cgroup/memory.max", "");
    const uint64_t used = read_number("/sys/fs/cgroup/memory.current", "");
    machine->memory_bytes = at_most(read_number("/proc/meminfo", "MemTotal:") << 10, group);
    machine->memory_free_bytes = at_most(read_number("/proc/meminfo", "MemAvailable:") << 10,
                                         group > used ? group - used : 0);
    machine->large_pages = read_large_pages();
    machine->simd = device_simd_found(DEVICE_SIMD_WIDEST);
    machine->has_nvidia_driver =
        access("/proc/driver/nvidia/version", R_OK) == 0 && access("/dev/nvidiactl", F_OK) == 0;
}
