/* supervisor_args - see supervisor_args.h. */
#include "tools/supervisor_args.h"

#include "tools/prices.h"
#include "tools/state_path.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void supervisor_args_init(struct supervisor_args *args)
{
    *args = (struct supervisor_args){.budget = 1, .price_in = NAN, .price_out = NAN};
}

bool supervisor_args_is_remote(const struct supervisor_args *args)
{
    return args->url && strcmp(args->url, "local") != 0;
}

bool supervisor_args_lacks_model(const struct supervisor_args *args)
{
    return supervisor_args_is_remote(args) && !args->model &&
           !text_starts(text_of(args->url), TEXT("replay:"));
}

enum status supervisor_args_price(const struct supervisor_args *args, const char *command,
                                  struct ledger_price *price, struct error *err)
{
    bool is_known = true;
    *price = PRICES_UNKNOWN;
    if (args->model)
        TRY(prices_find(args->model, price, &is_known, err));
    if (!is_known && isnan(args->price_in))
        (void)fprintf(stderr,
                      "cohort %s: no price of %s is known, $%.2f and $%.2f per million tokens "
                      "are reckoned with\n",
                      command, args->model, price->in, price->out);
    if (!isnan(args->price_in))
        price->in = (double)args->price_in;
    if (!isnan(args->price_out))
        price->out = (double)args->price_out;
    return OK;
}

enum status supervisor_args_open(const struct supervisor_args *args,
                                 const struct remote_options *more, struct ledger *ledger,
                                 struct supervisor_link *link, struct error *err)
{
    char path[STATE_PATH_BYTES];
    if (!supervisor_args_is_remote(args))
        return OK;
    TRY(state_path("egress.jsonl", path, err));
    TRY(egress_open(&link->egress, path, err));
    struct remote_options options = *more;
    options.url = args->url;
    options.model = args->model;
    options.api = (enum remote_api)args->api;
    options.key_path = args->key_path;
    options.record_path = args->record_path;
    options.egress = &link->egress;
    return remote_open(&link->remote, &options, ledger, err);
}

void supervisor_args_close(struct supervisor_link *link)
{
    remote_close(link->remote);
    egress_close(&link->egress);
    *link = (struct supervisor_link){0};
}
