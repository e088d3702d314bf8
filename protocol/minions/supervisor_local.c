/* supervisor_local - see supervisor_local.h. */
#include "protocol/minions/supervisor_local.h"

#include "protocol/minions/fold.h"
#include "protocol/minions/prompts.h"
#include "protocol/minions/sentence.h"
#include "protocol/minions/words.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

enum { STEMS_MAX = 1024, QUOTE_BYTES_MAX = 600, NOTES_BYTES_MAX = 8 << 10 };

/* Share of the written content words that must be known. */
#define GROUNDED_SHARE 0.9

/* Chunks overlap by more than SENTENCE_BYTES_MAX, so that each sentence lies whole in one. */
static const char PROGRAM_HEAD[] = "def prepare_jobs(context, prev_job_manifests=None, "
                                   "prev_job_outputs=None):\n"
                                   "    question = ";
static const char PROGRAM_REST[] =
    "\n"
    "    jobs = []\n"
    "    for document in context:\n"
    "        for chunk in chunk_by_section(document, max_chunk_size=4000, overlap=1200):\n"
    "            jobs.append(JobManifest(chunk=chunk, task=question, advice=\"\"))\n"
    "    return jobs\n"
    "\n"
    "def transform_outputs(jobs):\n"
    "    lines = []\n"
    "    for job in jobs:\n"
    "        if job.output.answer is not None:\n"
    "            lines.append(\"- \" + job.output.answer)\n"
    "    return \"\\n\".join(lines)\n";

static_assert(SENTENCE_BYTES_MAX <= 1200, "the overlap holds a whole sentence");

/* A string literal of the language. */
static void add_literal(struct text_buf *buf, struct text text)
{
    text_buf_byte(buf, '"');
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];
        if (c == '"' || c == '\\')
            text_buf_format(buf, "\\%c", c);
        else if ((unsigned char)c < ' ')
            text_buf_byte(buf, ' '); /* a question is one line */
        else
            text_buf_byte(buf, c);
    }
    text_buf_byte(buf, '"');
}

void supervisor_local_program(struct text_buf *buf, struct text question)
{
    text_buf_add(buf, text_of(PROGRAM_HEAD));
    add_literal(buf, text_trim(question));
    text_buf_add(buf, text_of(PROGRAM_REST));
}

static uint32_t passages_used(const struct supervisor_local_sources *sources)
{
    return sources->count < SUPERVISOR_LOCAL_PASSAGES_MAX ? sources->count
                                                          : SUPERVISOR_LOCAL_PASSAGES_MAX;
}

/* Whether every number in written stands in a passage. */
static bool numbers_are_known(struct text written,
                              const struct supervisor_local_sources *sources)
{
    struct words_reader reader = {.text = written};
    struct words_word word;
    while (words_next(&reader, &word)) {
        bool known = !word.is_number;
        for (uint32_t i = 0; i < passages_used(sources) && !known; i++) {
            struct words_reader passage = {.text = sources->passages[i]};
            struct words_word other;
            while (!known && words_next(&passage, &other))
                known = other.stem == word.stem;
        }
        if (!known)
            return false;
    }
    return true;
}

/* Whether a text denies something. Small models lose a `not` on the way, or add one. */
static bool denies(struct text text)
{
    static const char *const words[] = {"no",   "not",     "cannot",  "never",
                                        "none", "nothing", "without", "nor"};
    struct words_reader reader = {.text = text};
    struct words_word word;
    while (words_next(&reader, &word)) {
        const struct text spelled = text_slice(text, word.offset, word.offset + word.size);
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (spelled.size == strlen(words[i]) &&
                strncasecmp(spelled.data, words[i], spelled.size) == 0)
                return true;
    }
    return false;
}

bool supervisor_local_is_grounded(struct text written,
                                  const struct supervisor_local_sources *sources)
{
    uint64_t stems[STEMS_MAX];
    const uint32_t asked = words_content(sources->question, stems, STEMS_MAX);
    uint32_t count = asked;
    if (written.size == 0 || !numbers_are_known(written, sources) ||
        denies(written) != denies(sources->passages[0]))
        return false;
    count += words_content(sources->notes, stems + count, STEMS_MAX - count);
    for (uint32_t i = 0; i < passages_used(sources); i++)
        count += words_content(sources->passages[i], stems + count, STEMS_MAX - count);
    /* It must say something beyond the question, and nothing beyond the passages. */
    return words_share(written, stems, asked) < 1.0 &&
           words_share(written, stems, count) >= GROUNDED_SHARE;
}

/* The first sentences of a reply, without what the token limit left unfinished. */
static struct text whole_sentences(struct text reply, bool is_cut)
{
    struct sentence_reader reader = {.text = reply};
    size_t begin = 0, size = 0, end = 0;
    for (int i = 0; i < 2 && sentence_next(&reader, &begin, &size); i++) {
        const bool ends = size > 0 && (reply.data[begin + size - 1] == '.' ||
                                       reply.data[begin + size - 1] == '!' ||
                                       reply.data[begin + size - 1] == '"');
        if (ends || !is_cut)
            end = begin + size;
    }
    return text_trim(text_slice(reply, 0, end));
}

/* The passage as an answer: folded, and cut at a word when it is long. */
static void quote(struct text_buf *answer, struct text passage)
{
    const size_t start = answer->size;
    fold_add(answer, passage);
    if (answer->failed || answer->size - start <= QUOTE_BYTES_MAX)
        return;
    size_t end = start + QUOTE_BYTES_MAX;
    while (end > start && answer->data[end] != ' ')
        end--;
    answer->size = end;
    text_buf_add(answer, TEXT(" ..."));
}

enum status supervisor_local_answer(const struct jobs_context *context,
                                    const struct supervisor_local_sources *sources,
                                    struct text_buf *answer, bool *is_quoted, struct error *err)
{
    struct text_buf prompt = {0};
    prompts_final(&prompt, &(struct prompts_sources){
                               sources->question, sources->passages, passages_used(sources),
                               text_slice(sources->notes, 0, NOTES_BYTES_MAX)});
    struct worker_job job = {.kind = WORKER_WRITE,
                             .prompt = text_buf_text(&prompt),
                             .max_tokens = SUPERVISOR_LOCAL_ANSWER_TOKENS};
    enum status status = OK;
    if (prompt.failed)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__,
                           "supervisor: no memory for a message");
    else
        status = jobs_run(context, &job, 1, err);
    text_buf_deinit(&prompt);
    TRY(status);
    const struct text written = whole_sentences(job.reply, job.is_cut);
    *is_quoted = job.is_failed || !supervisor_local_is_grounded(written, sources);
    if (*is_quoted)
        quote(answer, sources->passages[0]);
    else
        fold_add(answer, written);
    return OK;
}
