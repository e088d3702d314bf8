/* ask_ticker - see ask.h. A thread of its own looks at the run's progress. */
#include "base/clock.h"
#include "tools/ask.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 150 };

/* Writes over the line before, cut to what the terminal shows. */
static void show_over(struct ask_ticker *ticker, struct text line)
{
    struct winsize size = {0};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        line = text_slice(line, 0, (size_t)size.ws_col - 1);
    const int width = (int)line.size;
    const int pad = ticker->width > width ? ticker->width - width : 0;
    (void)fprintf(stderr, "\r%.*s%*s", TEXT_ARG(line), pad, "");
    ticker->width = width;
}

static void show(struct ask_ticker *ticker)
{
    const struct progress now = progress_look(&ticker->watch, clock_now_s());
    if (!ticker->is_terminal && ticker->has_shown && !progress_is_due(&ticker->shown, &now))
        return;
    const enum progress_style style =
        ticker->ask->show_progress == ASK_PROGRESS_JSON ? PROGRESS_JSON : PROGRESS_PLAIN;
    text_buf_clear(&ticker->line);
    progress_line(&now, style, &ticker->line);
    if (ticker->is_terminal)
        show_over(ticker, text_buf_text(&ticker->line));
    else
        (void)fprintf(stderr, "%.*s\n", TEXT_ARG(text_buf_text(&ticker->line)));
    ticker->shown = now;
    ticker->has_shown = true;
}

static void *ticker_run(void *user)
{
    struct ask_ticker *ticker = user;
    pthread_mutex_lock(&ticker->lock);
    while (!ticker->stop) {
        show(ticker);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
            until.tv_nsec -= 1000000000L;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&ticker->stop_cond, &ticker->lock, &until);
    }
    if (ticker->is_terminal)
        (void)fprintf(stderr, "\r%*s\r", ticker->width, "");
    else
        show(ticker); /* where it ended */
    pthread_mutex_unlock(&ticker->lock);
    return NULL;
}

void ask_ticker_start(struct ask_ticker *ticker, struct ask *ask)
{
    *ticker = (struct ask_ticker){.ask = ask};
    if (ask->show_progress == ASK_PROGRESS_NONE ||
        (ask->show_progress == ASK_PROGRESS_AUTO && ask->json))
        return;
    progress_watch_init(&ticker->watch, &ask->progress, &ask->ledger, &ask->documents,
                        ask->start_s);
    ticker->is_terminal = ask->show_progress == ASK_PROGRESS_AUTO && isatty(STDERR_FILENO);
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
    text_buf_deinit(&ticker->line);
}
