/* ask_print - see ask.h. */
#include "base/json.h"
#include "protocol/minions/fold.h"
#include "tools/answer_json.h"
#include "tools/ask.h"
#include "tools/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_CITATIONS = 3, LINE_COLUMNS = 84 };

/* Prints text folded, in lines of at most LINE_COLUMNS bytes with that indentation. */
static void print_wrapped(struct text text, const char *indent)
{
    struct text_buf folded = {0};
    fold_add(&folded, text);
    struct text rest = text_buf_text(&folded);
    const size_t most = LINE_COLUMNS - strlen(indent);
    while (rest.size > 0) {
        size_t end = rest.size;
        if (end > most) {
            end = most;
            while (end > 0 && rest.data[end] != ' ')
                end--;
            if (end == 0) /* one long word */
                end = text_find(rest, TEXT(" "), 0);
            if (end > rest.size)
                end = rest.size;
        }
        printf("%s%.*s\n", indent, TEXT_ARG(text_slice(rest, 0, end)));
        rest = text_trim(text_slice(rest, end, rest.size));
    }
    text_buf_deinit(&folded);
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
    print_wrapped(text_buf_text(&ask->result.answer), "");
    printf("%s", plain);
    for (uint32_t i = 0; i < ask->result.citation_count && i < SHOWN_CITATIONS; i++) {
        const struct round_citation *citation = &ask->result.citations[i];
        char place[DOCUMENTS_PLACE_MAX];
        documents_place(&ask->documents, citation->document, citation->offset, place);
        printf("\n[%u] %s\n", i + 1, place);
        print_wrapped(citation_text(ask, i), "    ");
    }
    ledger_print(&ask->ledger, &ledger);
    printf("\n%s%.*s%s", dim, TEXT_ARG(text_buf_text(&ledger)), plain);
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
