/* args - see args.h: getopt_long, driven by the table. */
#include "tools/args.h"

#include "tools/wrap.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define USAGE "usage: "

enum {
    HELP_COLUMN = 30,
    HELP_COLUMN_NARROW = 10, /* of a terminal of less than the usual width */
    HELP_KEY = 1000,         /* what getopt_long answers for --help */
    FIRST_KEY = 1001,        /* and for option i of the table: FIRST_KEY + i */
    SHORT_BYTES = 2 * ARGS_OPTIONS_MAX + 4,
};

/* An option, and what it does: beside it where the terminal is wide and the option short, else
 * below. */
static void add_option(struct text_buf *out, const struct args_option *option, size_t columns)
{
    char left[96];
    const char letter[] = {'-', option->letter, ',', ' ', '\0'};
    const size_t indent = columns < WRAP_COLUMNS_USUAL ? HELP_COLUMN_NARROW : HELP_COLUMN;
    (void)snprintf(left, sizeof left, "  %s--%s%s%s", option->letter ? letter : "    ",
                   option->name, option->value ? " " : "", option->value ? option->value : "");
    if (strlen(left) < indent)
        text_buf_format(out, "%-*s", (int)indent, left);
    else
        text_buf_format(out, "%s\n%*s", left, (int)indent, "");
    wrap_add(out, text_of(option->help), columns, indent);
}

/* A line of what is said about the command. One that begins with spaces is an item: what stands
 * behind two more of them hangs below itself. */
static void add_about_line(struct text_buf *out, struct text line, size_t columns)
{
    size_t hang = 0;
    while (hang < line.size && line.data[hang] == ' ')
        hang++;
    const size_t gap = hang > 0 ? text_find(line, TEXT("  "), hang) : SIZE_MAX;
    if (gap != SIZE_MAX)
        for (hang = gap; hang < line.size && line.data[hang] == ' ';)
            hang++;
    text_buf_add(out, text_slice(line, 0, hang));
    wrap_add(out, text_slice(line, hang, line.size), columns, hang);
}

static void print_help(const struct args_command *command)
{
    static const struct args_option help = {'h',  "help", NULL, ARGS_FLAG,
                                            NULL, 0,      0,    "this text"};
    const struct text about = text_of(command->about);
    const size_t columns = wrap_columns();
    struct text_buf out = {0}, usage = {0};
    text_buf_format(&usage, "cohort %s %s", command->name, command->usage);
    text_buf_add(&out, TEXT(USAGE));
    wrap_add(&out, text_buf_text(&usage), columns, sizeof(USAGE) - 1);
    text_buf_byte(&out, '\n');
    for (size_t at = 0; at < about.size;) {
        size_t end = text_find(about, TEXT("\n"), at);
        if (end == SIZE_MAX)
            end = about.size;
        add_about_line(&out, text_slice(about, at, end), columns);
        at = end + 1;
    }
    text_buf_add(&out, TEXT("\noptions:\n"));
    for (size_t i = 0; i < command->option_count; i++)
        add_option(&out, &command->options[i], columns);
    add_option(&out, &help, columns);
    printf("%.*s", TEXT_ARG(text_buf_text(&out)));
    text_buf_deinit(&usage);
    text_buf_deinit(&out);
}

static bool in_range(double value, const struct args_option *option)
{
    return value >= option->min && value <= option->max;
}

static bool set_whole(const struct args_option *option, const char *value)
{
    char *end;
    errno = 0;
    const unsigned long long number = strtoull(value, &end, 10);
    if (errno != 0 || *end != '\0' || value[0] < '0' || value[0] > '9')
        return false;
    if (option->kind == ARGS_U64) {
        *(uint64_t *)option->target = number;
        return true;
    }
    if (!in_range((double)number, option))
        return false;
    *(uint32_t *)option->target = (uint32_t)number;
    return true;
}

static bool set_real(const struct args_option *option, const char *value)
{
    char *end;
    const double number = strtod(value, &end);
    if (end == value || *end != '\0' || !in_range(number, option))
        return false;
    *(float *)option->target = (float)number;
    return true;
}

static bool set_choice(const struct args_option *option, const char *value)
{
    const char *word = option->value;
    for (int index = 0;; index++) {
        const size_t size = strcspn(word, "|");
        if (strlen(value) == size && memcmp(word, value, size) == 0) {
            *(int *)option->target = index;
            return true;
        }
        if (word[size] == '\0')
            return false;
        word += size + 1;
    }
}

static bool set_list(const struct args_option *option, const char *value)
{
    struct args_list *list = option->target;
    if (list->count == ARGS_LIST_MAX)
        return false;
    list->items[list->count++] = value;
    return true;
}

static bool set_target(const struct args_option *option, const char *value)
{
    switch (option->kind) {
    case ARGS_FLAG:
        *(bool *)option->target = true;
        return true;
    case ARGS_TEXT:
        *(const char **)option->target = value;
        return true;
    case ARGS_LIST:
        return set_list(option, value);
    case ARGS_U32:
    case ARGS_U64:
        return set_whole(option, value);
    case ARGS_REAL:
        return set_real(option, value);
    case ARGS_CHOICE:
        return set_choice(option, value);
    }
    return false;
}

static void say_wrong_value(const struct args_command *command,
                            const struct args_option *option, const char *value)
{
    (void)fprintf(stderr, "cohort %s: --%s %s: want ", command->name, option->name, value);
    if (option->kind == ARGS_CHOICE)
        (void)fprintf(stderr, "%s\n", option->value);
    else if (option->kind == ARGS_LIST)
        (void)fprintf(stderr, "at most %d of them\n", ARGS_LIST_MAX);
    else if (option->kind == ARGS_U64)
        (void)fprintf(stderr, "a whole number below 2^64\n");
    else
        (void)fprintf(stderr, "a number from %.10g to %.10g\n", option->min, option->max);
}

/* The table in the two forms that getopt_long reads. */
static void fill_getopt(const struct args_command *command, struct option *longs, char *shorts)
{
    *shorts++ = ':'; /* so that a missing value is told from an unknown option */
    *shorts++ = 'h';
    for (size_t i = 0; i < command->option_count; i++) {
        const struct args_option *option = &command->options[i];
        longs[i] = (struct option){.name = option->name,
                                   .has_arg = option->value ? required_argument : no_argument,
                                   .val = FIRST_KEY + (int)i};
        if (!option->letter)
            continue;
        *shorts++ = option->letter;
        if (option->value)
            *shorts++ = ':';
    }
    longs[command->option_count] = (struct option){.name = "help", .val = HELP_KEY};
    *shorts = '\0';
}

static const struct args_option *find_option(const struct args_command *command, int key)
{
    if (key >= FIRST_KEY)
        return &command->options[key - FIRST_KEY];
    for (size_t i = 0; i < command->option_count; i++) {
        if (command->options[i].letter == key)
            return &command->options[i];
    }
    return NULL;
}

/* getopt_long stopped at an option that is unknown, ambiguous, or lacks its value. */
static void say_wrong_option(const struct args_command *command, int key, const char *word)
{
    if (key == ':')
        (void)fprintf(stderr, "cohort %s: %s: a value is missing\n", command->name, word);
    else
        (void)fprintf(stderr, "cohort %s: %s: unknown option; try --help\n", command->name,
                      word);
}

enum args_result args_parse(const struct args_command *command, int argc, char **argv,
                            int *rest)
{
    struct option longs[ARGS_OPTIONS_MAX + 2] = {{0}};
    char shorts[SHORT_BYTES];
    fill_getopt(command, longs, shorts);
    opterr = 0;
    optind = 0; /* glibc: begin anew */
    for (;;) {
        const int key = getopt_long(argc, argv, shorts, longs, NULL);
        if (key == -1)
            break;
        if (key == '?' || key == ':') {
            say_wrong_option(command, key, argv[optind - 1]);
            return ARGS_WRONG;
        }
        if (key == HELP_KEY || key == 'h') {
            print_help(command);
            return ARGS_DONE;
        }
        const struct args_option *option = find_option(command, key);
        if (!set_target(option, optarg)) {
            say_wrong_value(command, option, optarg);
            return ARGS_WRONG;
        }
    }
    *rest = optind;
    return ARGS_GO;
}

bool args_words_fit(const struct args_command *command, int count, int min, int max)
{
    if (count >= min && count <= max)
        return true;
    (void)fprintf(stderr, "cohort %s: %d argument%s, want ", command->name, count,
                  count == 1 ? "" : "s");
    if (max == 0)
        (void)fprintf(stderr, "none");
    else if (min == max)
        (void)fprintf(stderr, "%d", max);
    else
        (void)fprintf(stderr, "%d to %d", min, max);
    (void)fprintf(stderr, "; usage: cohort %s %s\n", command->name, command->usage);
    return false;
}

enum args_result args_parse_words(const struct args_command *command, int argc, char **argv,
                                  int *rest)
{
    const enum args_result result = args_parse(command, argc, argv, rest);
    if (result == ARGS_GO &&
        !args_words_fit(command, argc - *rest, command->words_min, command->words_max))
        return ARGS_WRONG;
    return result;
}

int args_exit_code(enum args_result result)
{
    return result == ARGS_WRONG ? EX_USAGE : EX_OK;
}
