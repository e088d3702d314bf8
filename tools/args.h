/*
 * args - a subcommand's options as a table: parsing, checking and help come from one place.
 *
 * Owner    the table and its targets are the caller's. Text targets point into argv.
 * Failure  a wrong option is one line on standard error; args_parse then answers ARGS_WRONG and
 *          the command exits with EX_USAGE.
 */
#ifndef TOOLS_ARGS_H
#define TOOLS_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARGS_LIST_MAX = 256, ARGS_OPTIONS_MAX = 40 };

enum args_kind {
    ARGS_FLAG,  /* target bool: becomes true */
    ARGS_TEXT,  /* target const char * */
    ARGS_LIST,  /* target struct args_list: the option may be repeated */
    ARGS_U32,   /* target uint32_t, min .. max */
    ARGS_U64,   /* target uint64_t, any value */
    ARGS_REAL,  /* target float, min .. max */
    ARGS_CHOICE /* target int: index of the word in value, "exact|int8" */
};

struct args_list {
    const char *items[ARGS_LIST_MAX];
    uint32_t count;
};

struct args_option {
    char letter;       /* 0: the long name only */
    const char *name;  /* without dashes */
    const char *value; /* what the help calls the value; NULL for a flag */
    enum args_kind kind;
    void *target;
    double min, max;
    const char *help; /* a sentence; say the default */
};

struct args_command {
    const char *name;  /* "run" */
    const char *usage; /* after "cohort run ", such as "[options] PROMPT" */
    const char *about; /* a line for each paragraph, or item: "  WORD  what it is" */
    const struct args_option *options; /* [option_count], at most ARGS_OPTIONS_MAX */
    size_t option_count;
    int words_min, words_max; /* after the options, for args_parse_words */
};

/* .options and .option_count of a command, from its table. */
#define ARGS_OPTIONS(table) .options = (table), .option_count = sizeof(table) / sizeof(table)[0]

enum args_result {
    ARGS_GO,   /* carry on; argv[*rest] is the first argument that is no option */
    ARGS_DONE, /* help was asked for and printed: exit with 0 */
    ARGS_WRONG /* said so on standard error: exit with EX_USAGE */
};

/* argv[0] is the subcommand's name. -h and --help need no entry in the table. */
enum args_result args_parse(const struct args_command *command, int argc, char **argv,
                            int *rest);

/* The same, and wrong unless words_min .. words_max words follow the options. */
enum args_result args_parse_words(const struct args_command *command, int argc, char **argv,
                                  int *rest);

/* Whether count words after the options are min .. max; otherwise says so, with the usage. */
bool args_words_fit(const struct args_command *command, int count, int min, int max);

/* What the process exits with after a result other than ARGS_GO. */
int args_exit_code(enum args_result result);

#endif
