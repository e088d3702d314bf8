/* ask_print - see ask.h. */
#include "base/json.h"
#include "protocol/minions/fold.h"
#include "tools/answer_json.h"
#include "tools/ask.h"
#include "tools/output.h"
#include "tools/wrap.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SHOWN_CITATIONS = 3,
    CITATION_INDENT = 4,
    LABEL_COLUMNS = 18 /* the ledger's labels, with the spaces behind them */
};

/* Prints text folded, in lines that the terminal does not break; each but the first has the
 * indentation, which the caller has written for that one. */
static void print_wrapped(struct text text, size_t indent)
{
    struct text_buf folded = {0}, lines = {0};
    fold_add(&folded, text);
    wrap_add(&lines, text_buf_text(&folded), wrap_columns(), indent);
    printf("%.*s", TEXT_ARG(text_buf_text(&lines)));
    text_buf_deinit(&folded);
    text_buf_deinit(&lines);
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
