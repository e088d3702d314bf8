/* document_pdf - see document_pdf.h. */
#include "protocol/minions/document_pdf.h"

#include "protocol/minions/document_child.h"
#include "protocol/minions/document_text.h"

#include <stdbool.h>
#include <string.h>

/* Poppler takes about 0.01 s and a few KB of text for a page. */
enum {
    ASKING_S_MAX = 10,
    CPU_S_MAX = 120,
    WAIT_S_MAX = 600,
    TEXT_BYTES_MAX = 64 << 20,
    REASON_BYTES_MAX = 100
};
#define MEMORY_BYTES_MAX ((size_t)4 << 30)

/* The first line of what it said, for a sentence: printable ASCII. */
static void first_reason(const char *said, char reason[REASON_BYTES_MAX + 1])
{
    size_t size = 0;
    for (; said[size] != '\0' && said[size] != '\n' && size < REASON_BYTES_MAX; size++)
        reason[size] = said[size] >= ' ' && said[size] <= '~' ? said[size] : '?';
    reason[size] = '\0';
}

static enum status check_end(const struct document_child_result *result, struct error *err)
{
    char reason[REASON_BYTES_MAX + 1];
    switch (result->end) {
    case DOCUMENT_CHILD_MISSING:
        FAIL(err, ERR_IO,
             "a PDF is read through pdftotext, which is missing here; install poppler-utils "
             "(apt-get install poppler-utils)");
    case DOCUMENT_CHILD_KILLED:
        FAIL(err, ERR_FORMAT, "pdftotext crashed on it or used %d s of processor time",
             CPU_S_MAX);
    case DOCUMENT_CHILD_TIMED_OUT:
        FAIL(err, ERR_LIMIT, "pdftotext was not done with it in %d s", WAIT_S_MAX);
    case DOCUMENT_CHILD_TOO_LARGE:
        FAIL(err, ERR_LIMIT, "its text is larger than %d bytes", TEXT_BYTES_MAX);
    case DOCUMENT_CHILD_ENDED:
        break;
    }
    if (result->exit_code == 0)
        return OK;
    if (strstr(result->said, "ncorrect password"))
        FAIL(err, ERR_FORMAT, "it is an encrypted PDF; a copy without a password can be read");
    first_reason(result->said, reason);
    FAIL(err, ERR_FORMAT, "it is a damaged PDF (pdftotext: %s)",
         reason[0] != '\0' ? reason : "no reason given");
}

static enum status check_text(struct text text, struct error *err)
{
    size_t pages = 0;
    for (size_t i = 0; i < text.size; i++)
        pages += text.data[i] == '\f';
    if (text_trim(text).size == 0)
        FAIL(err, ERR_FORMAT,
             "it is a PDF of %zu page%s without text; pictures of text are not read", pages,
             pages == 1 ? "" : "s");
    return OK;
}

enum status document_pdf_read(struct text bytes, struct text_buf *out, struct error *err)
{
    static char program[] = "pdftotext", layout[] = "-layout", encoding[] = "-enc",
                utf8[] = "UTF-8", line_end[] = "-eol", line_feeds[] = "unix", standard[] = "-";
    static char *const argv[] = {program,    layout,   encoding, utf8, line_end,
                                 line_feeds, standard, standard, NULL};
    const struct document_child child = {.argv = argv,
                                         .input = bytes,
                                         .cpu_s = CPU_S_MAX,
                                         .wait_s = WAIT_S_MAX,
                                         .memory_bytes = MEMORY_BYTES_MAX};
    struct text_buf text = {.size_max = TEXT_BYTES_MAX};
    struct document_child_result result;
    struct document_text_found found;
    enum status status = document_child_run(&child, &text, &result, err);
    if (status == OK)
        status = check_end(&result, err);
    if (status == OK)
        status = check_text(text_buf_text(&text), err);
    if (status == OK)
        status = document_text_decode(text_buf_text(&text), out, &found, err);
    text_buf_deinit(&text);
    return status;
}

bool document_pdf_has_reader(void)
{
    static char program[] = "pdftotext", version[] = "-v";
    static char *const argv[] = {program, version, NULL};
    const struct document_child child = {.argv = argv,
                                         .cpu_s = CPU_S_MAX,
                                         .wait_s = ASKING_S_MAX,
                                         .memory_bytes = MEMORY_BYTES_MAX};
    struct text_buf output = {.size_max = DOCUMENT_CHILD_SAID_MAX};
    struct document_child_result result;
    const enum status status = document_child_run(&child, &output, &result, NULL);
    text_buf_deinit(&output);
    return status == OK && result.end != DOCUMENT_CHILD_MISSING;
}
