/* device_here - whether a device of a kind opens on this machine. */
#ifndef TESTS_HARNESS_DEVICE_HERE_H
#define TESTS_HARNESS_DEVICE_HERE_H

#include "kernels/device.h"

#include <stdio.h>

/* False, with a line that says why: no failure, but there is nothing to test. */
static inline bool device_here(enum device_kind kind)
{
    const struct device_options options = {.kind = kind, .threads = 1};
    struct device *device = NULL;
    struct error err;
    const bool is_here = device_open(&device, &options, &err) == OK;
    if (!is_here)
        printf("skipped: %s\n", err.text);
    device_close(device);
    return is_here;
}

#endif
