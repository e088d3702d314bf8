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

static void write_sizes(const struct memory_plan *plan, struct json_writer *w)
{
    const struct engine_info *info = &plan->info;
    json_write_key_text(w, "device_name", text_of(info->device_name));
    json_write_key_text(w, "kv", text_of(info->kv));
    json_write_key_i64(w, "memory_bytes", (int64_t)info->memory_bytes);
    json_write_key_i64(w, "memory_free_bytes", (int64_t)info->memory_free_bytes);
    json_write_key_i64(w, "weight_bytes", (int64_t)info->weight_bytes);
    json_write_key_i64(w, "kv_bytes", (int64_t)info->kv_bytes);
    json_write_key_i64(w, "kv_pages", info->kv_pages);
    json_write_key_i64(w, "page_tokens", info->page_tokens);
    json_write_key_i64(w, "context_max", info->context_max);
    json_write_key_i64(w, "sequences_max", info->sequences_max);
    json_write_key_i64(w, "step_tokens", info->step_tokens);
    json_write_key_i64(w, "job_tokens", MEMORY_PLAN_SHARED + MEMORY_PLAN_OWN + MEMORY_PLAN_OUT);
    json_write_key_i64(w, "jobs", plan->jobs);
}

void memory_plan_write(const struct memory_plan *plan, struct json_writer *w)
{
    json_write_object(w);
    json_write_key_text(w, "device", text_of(plan->info.device));
    json_write_key_text(w, "precision", text_of(plan->precision));
    if (plan->error.status == OK)
        write_sizes(plan, w);
    else
        json_write_key_text(w, "why_not", text_of(plan->error.text));
    json_write_object_end(w);
}
