/*
 * peak_host - how fast this machine's memory is read, and copied, by a device's own threads:
 * what a product that reads each weight once is held against.
 */
#ifndef KERNELS_PEAK_HOST_H
#define KERNELS_PEAK_HOST_H

#include "kernels/device.h"

struct peak_host_rates {
    double read_bytes_per_s;
    double copy_bytes_per_s; /* read and written: two for each byte copied */
};

enum { PEAK_HOST_BYTES = 256 << 20 /* far beyond the caches */ };

/* The best of several runs over `bytes` of memory, at least 1 MiB. By processor time, all
 * threads taken to run at once: what other processes take of the cores does not count.
 * ERR_MEMORY. CPU devices only (asserted). */
MUST_USE enum status peak_host_measure(struct device *device, size_t bytes,
                                       struct peak_host_rates *rates, struct error *err);

/* Copies to be timed one by one, beside other work: what neighbours leave of a machine changes
 * from one moment to the next. */
struct peak_host_copies {
    struct device *device;
    uint8_t *from, *to;
    size_t bytes;
};

enum { PEAK_HOST_COPY_BYTES = 32 << 20 /* a few milliseconds */ };

/* Takes memory for copies of so many bytes. ERR_MEMORY; copies is then closed. */
MUST_USE enum status peak_host_copies_open(struct peak_host_copies *copies,
                                           struct device *device, size_t bytes,
                                           struct error *err);
/* Of one copy, by the clock: bytes read and written in a second. */
double peak_host_copies_rate(const struct peak_host_copies *copies);
void peak_host_copies_close(struct peak_host_copies *copies);

#endif
