/* peak_loop - see peak_loop.h. */
#include "bench/peak_loop.h"

#include "base/clock.h"

enum { TURNS = 2000000, TRIES = 7 };

static void loop_run(void *context, int32_t index, uint32_t worker)
{
    const struct peak_loop *loop = context;
    (void)index;
    (void)worker;
    loop->run(TURNS);
}

double peak_loop_rate(struct device *device, const struct peak_loop *loop)
{
    struct peak_loop copy = *loop;
    const double start_s = clock_now_s();
    device_parallel(device, (int32_t)device_threads(device), loop_run, &copy);
    return loop->ops_per_turn * TURNS / (clock_now_s() - start_s);
}

double peak_loop_best(struct device *device, const struct peak_loop *loops, size_t count,
                      struct peak_loop *best)
{
    double most = 0;
    *best = (struct peak_loop){0};
    for (size_t i = 0; i < count * TRIES; i++) {
        const double rate = peak_loop_rate(device, &loops[i % count]);
        if (rate <= most)
            continue;
        most = rate;
        *best = loops[i % count];
    }
    return most;
}
