/* device_host - what this machine has: memory to spare (/proc/meminfo), cores. */
#include "kernels/device_backend.h"

#include <sched.h>
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

void device_host_memory(size_t *free_bytes, size_t *total_bytes)
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

/* Whole cores that a container's quota ("200000 100000": microseconds per period) is worth;
 * UINT32_MAX without one. Threads beyond it would only take turns being stopped. */
static uint32_t cores_quota(void)
{
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (file == NULL)
        return UINT32_MAX;
    char line[64];
    const bool read = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    if (!read)
        return UINT32_MAX;
    char *rest;
    const unsigned long long quota_us = strtoull(line, &rest, 10);
    const unsigned long long period_us = strtoull(rest, NULL, 10);
    if (rest == line || period_us == 0) /* "max 100000" */
        return UINT32_MAX;
    const unsigned long long cores = quota_us / period_us + (quota_us % period_us != 0);
    return cores < 1 ? 1 : cores < UINT32_MAX ? (uint32_t)cores : UINT32_MAX;
}

uint32_t device_host_cores(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    const int count = CPU_COUNT(&set);
    const uint32_t quota = cores_quota();
    const uint32_t cores = count < 1 ? 1 : (uint32_t)count;
    return cores < quota ? cores : quota;
}
