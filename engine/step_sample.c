/* step_sample - see step_sample.h. */
#include "engine/step_sample.h"

#include "engine/step_shape.h"

void step_sample_add(struct step *step, const struct seq *seq, uint32_t head)
{
    const struct engine_job *ask = &seq->job->ask;
    const uint32_t position = seq->head_first + head;
    struct sample_row row = {
        .logits_row = seq->head_row + (int32_t)head,
        .target = TOKEN_NONE,
        .temperature = ask->temperature,
        .top_k = ask->top_k,
        .top_p = ask->top_p,
        .min_p = ask->min_p,
        .typical_p = ask->typical_p,
        .seed = ask->seed,
        .job = ask->job_key,
        .sample = seq->sample,
        .position = position + 1,
        .seen = seq->seen.list,
        .seen_count = (int32_t)seq->seen.count,
        .repetition = ask->repetition_penalty,
        .frequency = ask->frequency_penalty,
        .presence = ask->presence_penalty,
        .top_count = (int32_t)ask->top_count,
    };
    if (ask->kind == ENGINE_SCORE)
        row.target = ask->prompt[position + 1];
    else
        row.allowed = step_shape_allowed(step, seq, head);
    batch_build_sample(&step->build, &row);
}
