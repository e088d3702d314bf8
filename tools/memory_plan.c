/* memory_plan - see memory_plan.h. */
#include "tools/memory_plan.h"

static const char *const DEVICES[] = {"auto", "cpu", "cuda", "emu"};

uint32_t memory_plan_jobs(const struct engine_info *info, uint32_t tokens)
{
    const uint32_t pages = tokens / info->page_tokens + (tokens % info->page_tokens != 0);
    const uint32_t fit = info->kv_pages / pages;
    if (tokens > info->context_max)
        return 0;
    return fit < info->sequences_max ? fit : info->sequences_max;
}

void memory_plan_make(const struct engine_options *options, struct memory_plan *plan)
{
    *plan =
        (struct memory_plan){.precision = options->precision == ENGINE_INT8 ? "int8" : "exact"};
    plan->info.device = DEVICES[options->device];
    if (engine_look(options, &plan->info, &plan->error) != OK)
        return;
    plan->error.status = OK;
    plan->jobs =
        memory_plan_jobs(&plan->info, MEMORY_PLAN_SHARED + MEMORY_PLAN_OWN + MEMORY_PLAN_OUT);
}

static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

void memory_plan_show(const struct memory_plan *plan, struct text_buf *out)
{
    const struct engine_info *info = &plan->info;
    if (plan->error.status != OK) {
        text_buf_format(out, "plan on %s, %s: none: %s\n", info->device, plan->precision,
                        plan->error.text);
        return;
    }
    text_buf_format(out,
                    "plan on %s (%s), %s, KV %s\n"
                    "  memory      %9.1f MiB, %.1f MiB free beside the weights\n"
                    "  weights     %9.1f MiB\n"
                    "  KV pool     %9.1f MiB: %u pages of %u tokens\n",
                    info->device, info->device_name, plan->precision, info->kv,
                    mib(info->memory_bytes), mib(info->memory_free_bytes),
                    mib(info->weight_bytes), mib(info->kv_bytes), info->kv_pages,
                    info->page_tokens);
    text_buf_format(out,
                    "  context     %9u tokens, %u sequences side by side, steps of %u rows\n"
                    "  jobs        %9u of %d + %d + %d tokens at once, nothing shared\n",
                    info->context_max, info->sequences_max, info->step_tokens, plan->jobs,
                    MEMORY_PLAN_SHARED, MEMORY_PLAN_OWN, MEMORY_PLAN_OUT);
}

static void write_number(struct json_writer *w, const char *key, uint64_t value)
{
    json_write_key(w, key);
    json_write_i64(w, (int64_t)value);
}

static void write_word(struct json_writer *w, const char *key, const char *value)
{
    json_write_key(w, key);
    json_write_text(w, text_of(value));
}

static void write_sizes(const struct memory_plan *plan, struct json_writer *w)
{
    const struct engine_info *info = &plan->info;
    write_word(w, "device_name", info->device_name);
    write_word(w, "kv", info->kv);
    write_number(w, "memory_bytes", info->memory_bytes);
    write_number(w, "memory_free_bytes", info->memory_free_bytes);
    write_number(w, "weight_bytes", info->weight_bytes);
    write_number(w, "kv_bytes", info->kv_bytes);
    write_number(w, "kv_pages", info->kv_pages);
    write_number(w, "page_tokens", info->page_tokens);
    write_number(w, "context_max", info->context_max);
    write_number(w, "sequences_max", info->sequences_max);
    write_number(w, "step_tokens", info->step_tokens);
    write_number(w, "job_tokens", MEMORY_PLAN_SHARED + MEMORY_PLAN_OWN + MEMORY_PLAN_OUT);
    write_number(w, "jobs", plan->jobs);
}

void memory_plan_write(const struct memory_plan *plan, struct json_writer *w)
{
    json_write_object(w);
    write_word(w, "device", plan->info.device);
    write_word(w, "precision", plan->precision);
    if (plan->error.status == OK)
        write_sizes(plan, w);
    else
        write_word(w, "why_not", plan->error.text);
    json_write_object_end(w);
}
