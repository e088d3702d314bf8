/*
 * cohort - the one binary: its subcommands and how they end.
 *
 * Each subcommand is one file, CMD.c, with one function CMD_main(argc, argv), argv[0] being
 * the subcommand's name; what it returns is the exit code. Exit codes are those of
 * <sysexits.h>. Errors are one line on standard error; results alone go to standard output.
 */
#ifndef TOOLS_COHORT_H
#define TOOLS_COHORT_H

#include "base/error.h"

#define COHORT_VERSION "0.1.0"

int ask_main(int argc, char **argv);
int batch_main(int argc, char **argv);
int serve_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int dsl_main(int argc, char **argv);
int embed_main(int argc, char **argv);
int eval_main(int argc, char **argv);
int inspect_main(int argc, char **argv);
int kbench_main(int argc, char **argv);
int models_main(int argc, char **argv);
int pull_main(int argc, char **argv);
int perplexity_main(int argc, char **argv);
int quantize_main(int argc, char **argv);
int run_main(int argc, char **argv);
int runs_main(int argc, char **argv);
int tokenize_main(int argc, char **argv);

#endif
