/* ask_print - see ask.h. */
#include "base/json.h"
#include "protocol/minions/fold.h"
#include "tools/answer_json.h"
#include "tools/ask.h"
#include "tools/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    SHOWN_CITATIONS = 3,
    CITATION_INDENT = 4,
    LABEL_COLUMNS = 18, /* the ledger's labels, with the spaces behind them */
    COLUMNS_USUAL = 80,
    COLUMNS_MIN = 40,
    COLUMNS_MAX = 100 /* longer lines are hard to read */
};

/* Columns of the terminal, within reason; COLUMNS_USUAL where standard output is none. */
static size_t columns_of_output(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return COLUMNS_USUAL;
    if (size.ws_col < COLUMNS_MIN)
        return COLUMNS_MIN;
    return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

/* Where the first columns characters of text end. */
static size_t end_of_columns(struct text text, size_t columns)
{
    size_t at = 0;
    while (at < text.size && columns > 0) {
        (void)text_utf8_next(text, &at);
        columns--;
    }
    return at;
}

/* Prints text folded, in lines that the terminal does not break; each but the first has the
 * indentation, which the caller has written for that one. */
static void print_wrapped(struct text text, size_t indent)
{
    struct text_buf folded = {0};
    fold_add(&folded, text);
    struct text rest = text_buf_text(&folded);
    const size_t most = columns_of_output() - indent;
    for (bool is_first = true; rest.size > 0; is_first = false) {
        size_t end = end_of_columns(rest, most);
        if (end < rest.size) {
            const size_t limit = end;
            while (end > 0 && rest.data[end] != ' ')
                end--;
            if (end == 0) /* one long word */
                end = text_find(rest, TEXT(" "), limit);
            if (end > rest.size)
                end = rest.size;
        }
        printf("%*s%.*s\n", is_first ? 0 : (int)indent, "", TEXT_ARG(text_slice(rest, 0, end)));
        rest = text_trim(text_slice(rest, end, rest.size));
    }
    text_buf_deinit(&folded);
}

/* Prints the ledger's lines, each of a label and what is told of it; to programs as is. */
static void print_ledger(struct text lines)
{
    if (!isatty(STDOUT_FILENO)) {
        printf("%.*s", TEXT_ARG(lines));
        return;
    }
    for (size_t at = 0; at < lines.size;) {
        size_t end = text_find(lines, TEXT("\n"), at);
        if (end == SIZE_MAX)
            end = lines.size;
        const struct text line = text_slice(lines, at, end);
        printf("%.*s", TEXT_ARG(text_slice(line, 0, LABEL_COLUMNS)));
        print_wrapped(text_slice(line, LABEL_COLUMNS, line.size), LABEL_COLUMNS);
        at = end + 1;
    }
}

static struct text citation_text(const struct ask *ask, uint32_t index)
{
    const struct round_citation *citation = &ask->result.citations[index];
    return text_slice(ask->documents.texts[citation->document], citation->offset,
                      citation->offset + citation->size);
}

static void print_result(const struct ask *ask)
{
    const char *no_color = getenv("NO_COLOR");
    const bool color = isatty(STDOUT_FILENO) && (!no_color || !*no_color);
    const char *bold = color ? "\033[1m" : "", *dim = color ? "\033[2m" : "";
    const char *plain = color ? "\033[0m" : "";
    struct text_buf ledger = {0};
    printf("%s", bold);
    print_wrapped(text_buf_text(&ask->result.answer), 0);
    printf("%s", plain);
    for (uint32_t i = 0; i < ask->result.citation_count && i < SHOWN_CITATIONS; i++) {
        const struct round_citation *citation = &ask->result.citations[i];
        char place[DOCUMENTS_PLACE_MAX];
        documents_place(&ask->documents, citation->document, citation->offset, place);
        printf("\n[%u] %s\n", i + 1, place);
        printf("%*s", CITATION_INDENT, "");
        print_wrapped(citation_text(ask, i), CITATION_INDENT);
    }
    ledger_print(&ask->ledger, &ledger);
    printf("\n%s", dim);
    print_ledger(text_buf_text(&ledger));
    printf("%s", plain);
    text_buf_deinit(&ledger);
}

void ask_print_json(const struct ask *ask, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    json_write_object(&w);
    answer_json_write(&w, &(struct answer_json){.documents = &ask->documents,
                                                .result = &ask->result,
                                                .ledger = &ask->ledger,
                                                .run = ask->journal ? ask->run : 0});
    json_write_object_end(&w);
}

enum status ask_print(const struct ask *ask, struct error *err)
{
    if (!ask->json) {
        print_result(ask);
        return OK;
    }
    struct text_buf out = {0};
    ask_print_json(ask, &out);
    return output_line(&out, err);
}
