/* progress - see progress.h. */
#include "tools/progress.h"

#include "base/json.h"

static const char *const PHASES[] = {[ROUND_READING] = "reading",
                                     [ROUND_ASKING] = "asking the supervisor",
                                     [ROUND_WORKING] = "working",
                                     [ROUND_ANSWERING] = "answering",
                                     [ROUND_OVER] = "done"};

void progress_watch_init(struct progress_watch *watch, const struct round_progress *run,
                         const struct ledger *ledger, const struct documents *documents,
                         double start_s)
{
    struct ledger whole = *ledger;
    whole.document_bytes = documents->bytes;
    *watch = (struct progress_watch){.run = run,
                                     .start_s = start_s,
                                     .remote_only_dollars = ledger_remote_only_dollars(&whole)};
}

struct progress progress_look(struct progress_watch *watch, double now_s)
{
    const struct round_progress *run = watch->run;
    struct progress now = {.phase = (enum round_phase)atomic_load(&run->phase),
                           .round = atomic_load(&run->round),
                           .jobs_done = atomic_load(&run->worker.jobs_done),
                           .jobs_total = atomic_load(&run->worker.jobs_total),
                           .dollars = (double)atomic_load(&run->micro_dollars) / 1e6,
                           .remote_only_dollars = watch->remote_only_dollars,
                           .seconds = now_s - watch->start_s};
    if (now.phase == ROUND_WORKING && watch->looked_s > 0)
        watch->working_s += now.seconds - watch->looked_s;
    watch->looked_s = now.seconds;
    if (watch->working_s > 0)
        now.tokens_per_s = (double)atomic_load(&run->worker.tokens) / watch->working_s;
    return now;
}

/* Below zero where the rounds cost more than the documents would have. */
static double saved(const struct progress *progress)
{
    return progress->remote_only_dollars - progress->dollars;
}

static void write_json(const struct progress *progress, struct text_buf *line)
{
    struct json_writer w = {.out = line};
    json_write_object(&w);
    json_write_key_text(&w, "event", TEXT("progress"));
    json_write_key_text(&w, "phase", text_of(PHASES[progress->phase]));
    json_write_key_i64(&w, "round", progress->round);
    json_write_key_i64(&w, "jobs_done", progress->jobs_done);
    json_write_key_i64(&w, "jobs_total", progress->jobs_total);
    json_write_key_double(&w, "tokens_per_s", progress->tokens_per_s);
    json_write_key_double(&w, "dollars", progress->dollars);
    json_write_key_double(&w, "saved_dollars", saved(progress));
    json_write_key_double(&w, "seconds", progress->seconds);
    json_write_object_end(&w);
}

void progress_line(const struct progress *progress, enum progress_style style,
                   struct text_buf *line)
{
    if (style == PROGRESS_JSON) {
        write_json(progress, line);
        return;
    }
    if (progress->round > 0)
        text_buf_format(line, "round %u, ", progress->round);
    text_buf_format(line, "%s", PHASES[progress->phase]);
    if (progress->jobs_total > 0)
        text_buf_format(line, "  jobs %u/%u", progress->jobs_done, progress->jobs_total);
    if (progress->tokens_per_s > 0)
        text_buf_format(line, "  %.0f tokens/s", progress->tokens_per_s);
    text_buf_format(line, "  $%.4f spent", progress->dollars);
    if (saved(progress) > 0)
        text_buf_format(line, ", $%.4f saved", saved(progress));
    text_buf_format(line, "  %.0f s", progress->seconds);
}

bool progress_is_due(const struct progress *last, const struct progress *now)
{
    if (last->phase != now->phase || last->round != now->round)
        return true;
    return now->phase == ROUND_WORKING && now->seconds - last->seconds >= PROGRESS_EVERY_S;
}
