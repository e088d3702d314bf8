/* workers_args - see workers_args.h. */
#include "tools/workers_args.h"

#include <stdlib.h>

struct worker_fleet_options workers_args_options(const struct workers_args *args)
{
    return (struct worker_fleet_options){.urls = args->urls,
                                         .model = args->model,
                                         .key = getenv("COHORT_WORKERS_KEY"),
                                         .in_flight = args->in_flight,
                                         .timeout_s = (double)args->timeout_s,
                                         .rest_s = (double)args->rest_s};
}
