/* ask_ticker - see ask.h. A thread of its own looks at the run's progress. */
#include "base/clock.h"
#include "tools/ask.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { PROGRESS_MS = 150 };

static void ticker_show(struct ask_ticker *ticker)
{
    static const char *const phases[] = {"reading", "asking the supervisor", "working",
                                         "answering", "done"};
    struct round_progress *progress = &ticker->ask->progress;
    const int phase = atomic_load(&progress->phase);
    const double seconds = clock_now_s() - ticker->ask->start_s;
    const double tokens = (double)atomic_load(&progress->worker.tokens);
    char line[160];
    const int size =
        snprintf(line, sizeof(line), "%s  jobs %u/%u  %.0f tokens/s  $%.4f  %.0f s",
                 phases[phase], atomic_load(&progress->worker.jobs_done),
                 atomic_load(&progress->worker.jobs_total), seconds > 0 ? tokens / seconds : 0,
                 (double)atomic_load(&progress->micro_dollars) / 1e6, seconds);
    const int pad = ticker->width > size ? ticker->width - size : 0;
    (void)fprintf(stderr, "\r%s%*s", line, pad, "");
    ticker->width = size;
}

static void *ticker_run(void *user)
{
    struct ask_ticker *ticker = user;
    pthread_mutex_lock(&ticker->lock);
    while (!ticker->stop) {
        ticker_show(ticker);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PROGRESS_MS * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
            until.tv_nsec -= 1000000000L;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&ticker->stop_cond, &ticker->lock, &until);
    }
    (void)fprintf(stderr, "\r%*s\r", ticker->width, "");
    pthread_mutex_unlock(&ticker->lock);
    return NULL;
}

void ask_ticker_start(struct ask_ticker *ticker, struct ask *ask)
{
    *ticker = (struct ask_ticker){.ask = ask};
    if (ask->json || !isatty(STDERR_FILENO))
        return;
    pthread_mutex_init(&ticker->lock, NULL);
    pthread_cond_init(&ticker->stop_cond, NULL);
    ticker->is_running = pthread_create(&ticker->thread, NULL, ticker_run, ticker) == 0;
}

void ask_ticker_stop(struct ask_ticker *ticker)
{
    if (!ticker->is_running)
        return;
    pthread_mutex_lock(&ticker->lock);
    ticker->stop = true;
    pthread_cond_signal(&ticker->stop_cond);
    pthread_mutex_unlock(&ticker->lock);
    pthread_join(ticker->thread, NULL);
    pthread_mutex_destroy(&ticker->lock);
    pthread_cond_destroy(&ticker->stop_cond);
}
