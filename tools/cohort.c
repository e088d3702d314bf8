/* cohort - the table of subcommands; see cohort.h. */
#include "tools/cohort.h"

#include "tools/exit_code.h"
#include "tools/wrap.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct command {
    const char *name, *about;
    int (*main)(int argc, char **argv);
} commands[] = {
    {"ask", "answer a question about documents, with citations", ask_main},
    {"eval", "questions with known answers: accuracy beside cost, each way", eval_main},
    {"dsl", "a supervisor's program, without any model", dsl_main},
    {"runs", "what was asked, what came of it, what left the machine", runs_main},
    {"run", "one prompt, streamed", run_main},
    {"batch", "an OpenAI batch file in, results out; resumes", batch_main},
    {"serve", "the model over HTTP, in OpenAI's API", serve_main},
    {"embed", "lines of text to vectors", embed_main},
    {"pull", "a model from a hub into the cache; resumes", pull_main},
    {"models", "the models in the cache, and away with them", models_main},
    {"tokenize", "text on standard input to token ids", tokenize_main},
    {"inspect", "what is in a model file, and what it needs here", inspect_main},
    {"kbench", "the kernels' times beside the machine's limits", kbench_main},
    {"quantize", "a model file in int8, or what int8 would cost it", quantize_main},
    {"perplexity", "how well a model predicts a text", perplexity_main},
    {"doctor", "look this machine over", doctor_main},
};

enum { COMMANDS = sizeof commands / sizeof commands[0], ABOUT_COLUMN = 14 };

static int print_help(void)
{
    const size_t columns = wrap_columns();
    struct text_buf out = {0};
    text_buf_add(&out, TEXT("usage: cohort COMMAND [options]\n\ncommands:\n"));
    for (size_t i = 0; i < COMMANDS; i++) {
        text_buf_format(&out, "  %-*s", ABOUT_COLUMN - 2, commands[i].name);
        wrap_add(&out, text_of(commands[i].about), columns, ABOUT_COLUMN);
    }
    text_buf_add(&out, TEXT("\ncohort COMMAND --help  tells a command's options\n"
                            "cohort --version\n"));
    printf("%.*s", TEXT_ARG(text_buf_text(&out)));
    text_buf_deinit(&out);
    return exit_code_flush("help");
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    (void)signal(SIGPIPE, SIG_IGN); /* a closed pipe is a failed write, told as such */
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(word, commands[i].name) == 0)
            return commands[i].main(argc - 1, argv + 1);
    }
    if (strcmp(word, "--version") == 0) {
        printf("cohort " COHORT_VERSION "\n");
        return exit_code_flush("version");
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        return print_help();
    (void)fprintf(stderr, "cohort: %s%s; try cohort --help\n",
                  argc > 1 ? "no command named " : "a command is missing", word);
    return EX_USAGE;
}
