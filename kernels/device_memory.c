/* device_memory - how much memory this machine has to spare, as /proc/meminfo tells. */
#include "kernels/device_backend.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number behind key in a line "key   number kB", as bytes; 0 when the line is another. */
static size_t line_bytes(const char *line, const char *key)
{
    if (strncmp(line, key, strlen(key)) != 0)
        return 0;
    const unsigned long long kib = strtoull(line + strlen(key), NULL, 10);
    return kib > SIZE_MAX / 1024 ? 0 : (size_t)kib * 1024;
}

static size_t pages_bytes(int name)
{
    const long pages = sysconf(name);
    const long size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (size_t)pages * (size_t)size : 0;
}

void device_memory_host(size_t *free_bytes, size_t *total_bytes)
{
    FILE *file = fopen("/proc/meminfo", "re");
    char line[256];
    *free_bytes = *total_bytes = 0;
    while (file && (*free_bytes == 0 || *total_bytes == 0) && fgets(line, sizeof line, file)) {
        *free_bytes += line_bytes(line, "MemAvailable:");
        *total_bytes += line_bytes(line, "MemTotal:");
    }
    if (file)
        (void)fclose(file);
    if (*free_bytes == 0)
        *free_bytes = pages_bytes(_SC_AVPHYS_PAGES);
    if (*total_bytes == 0)
        *total_bytes = pages_bytes(_SC_PHYS_PAGES);
}
