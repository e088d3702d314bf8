/* clock - time: monotonic and processor seconds for measuring, Unix seconds for records. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" { /* kernels/device_cuda.cu calls it */
#endif

double clock_now_s(void);   /* monotonic, from an arbitrary start */
double clock_cpu_s(void);   /* the processor's, of all threads of this process: what others run
                             * on the machine does not count in it */
int64_t clock_unix_s(void); /* since 1970-01-01 UTC */
void clock_sleep_ms(int ms);
/* Adds the time since *at_s to *sum_s, and sets *at_s to now: laps of one stop-watch. */
void clock_lap_s(double *at_s, double *sum_s);

#ifdef __cplusplus
}
#endif

#endif
