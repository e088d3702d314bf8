/* engine_args - see engine_args.h. */
#include "tools/engine_args.h"

void engine_args_apply(const struct engine_args *args, struct engine_options *options)
{
    options->device = (enum engine_device)args->device;
    options->precision = (enum engine_precision)args->precision;
    options->threads = args->threads;
    options->context_max = args->context;
}

enum status engine_args_open(const struct engine_args *args, const struct engine_options *more,
                             struct engine **engine, struct error *err)
{
    char path[MODEL_PATH_BYTES];
    struct engine_options options = more ? *more : (struct engine_options){0};
    *engine = NULL;
    TRY(model_path_find(args->model, path, sizeof path, err));
    options.model_path = path;
    engine_args_apply(args, &options);
    return engine_open(engine, &options, err);
}
