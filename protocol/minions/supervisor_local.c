/* supervisor_local - see supervisor_local.h. */
#include "protocol/minions/supervisor_local.h"

#include "base/words.h"
#include "protocol/minions/fold.h"
#include "protocol/minions/prompts.h"
#include "protocol/minions/question.h"
#include "protocol/minions/sentence.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

enum {
    STEMS_MAX = 1024,
    WRITTEN_STEMS_MAX = 128,
    NEAR_WORDS = 3,
    QUOTE_BYTES_MAX = 600,
    NOTES_BYTES_MAX = 8 << 10,
    PREAMBLE_BYTES_MAX = 60
};

/* Share of the written content words that must be known. */
#define GROUNDED_SHARE 0.85

/* And of those beside a number, in the passages alone. */
#define FIGURE_SHARE 0.65

/* More than one in so many of the question's content words must stand in the best passages: of
 * 110 questions that a document answers at least a half do, of 10 that none answers at most one
 * in three. */
enum { BEARING_SHARE = 3 };

/* Chunks overlap by more than SENTENCE_BYTES_MAX, so that each sentence lies whole in one;
 * those that are wished smaller than two such overlaps, by half. Where all are read they grow
 * with the documents, for there may be no more jobs than a program may make: at most 1,000 and
 * one for each document. */
enum { CHUNK_SIZE = 4000, CHUNK_OVERLAP = 1200 };
static const char PROGRAM_HEAD[] = "def prepare_jobs(context, prev_job_manifests=None, "
                                   "prev_job_outputs=None):\n"
                                   "    question = ";
static const char PROGRAM_REST[] =
    "\n"
    "    return [JobManifest(chunk=chunk, task=question, advice=\"\") for chunk in chunks]\n"
    "\n"
    "def transform_outputs(jobs):\n"
    "    lines = []\n"
    "    for job in jobs:\n"
    "        if job.output.answer is not None:\n"
    "            lines.append(\"- \" + job.output.answer)\n"
    "    return \"\\n\".join(lines)\n";

static_assert((int)SENTENCE_BYTES_MAX <= (int)CHUNK_OVERLAP,
              "the overlap holds a whole sentence");

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

void supervisor_local_program(struct text_buf *buf, struct text question,
                              const struct prompts_wishes *wishes)
{
    const uint32_t size = wishes->chunk_size > 0 ? wishes->chunk_size : CHUNK_SIZE;
    text_buf_add(buf, text_of(PROGRAM_HEAD));
    add_literal(buf, text_trim(question));
    const uint32_t overlap = size / 2 < CHUNK_OVERLAP ? size / 2 : CHUNK_OVERLAP;
    text_buf_format(buf, "\n    size = %u\n", size);
    if (wishes->chunks_max == 0)
        text_buf_format(buf,
                        "    total = sum(len(document) for document in context)\n"
                        "    size = max(size, %u + total // 1000 + 1)\n",
                        overlap);
    text_buf_format(
        buf,
        "    chunks = [chunk for document in context\n"
        "              for chunk in chunk_by_section(document, max_chunk_size=size, "
        "overlap=%u)]",
        overlap);
    if (wishes->chunks_max > 0)
        text_buf_format(buf,
                        "\n    chunks = bm25_retrieve_top_k_chunks([question], chunks, k=%u)",
                        wishes->chunks_max);
    text_buf_add(buf, text_of(PROGRAM_REST));
}

static uint32_t passages_used(const struct supervisor_local_sources *sources)
{
    return sources->count < SUPERVISOR_LOCAL_PASSAGES_MAX ? sources->count
                                                          : SUPERVISOR_LOCAL_PASSAGES_MAX;
}

static bool is_among(uint64_t stem, const uint64_t *stems, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (stems[i] == stem)
            return true;
    return false;
}

static bool has_word(struct text text, uint64_t stem)
{
    struct words_reader reader = {.text = text};
    struct words_word word;
    while (words_next(&reader, &word))
        if (word.stem == stem)
            return true;
    return false;
}

/* Whether a word stands in a passage. */
static bool is_in_passage(uint64_t stem, const struct supervisor_local_sources *sources)
{
    for (uint32_t i = 0; i < passages_used(sources); i++)
        if (has_word(sources->passages[i], stem))
            return true;
    return false;
}

/* Whether every number in written stands in a passage, and most of the words around it do:
 * small models give the figure of one thing as that of another, which the question names. */
static bool numbers_are_known(struct text written,
                              const struct supervisor_local_sources *sources)
{
    struct words_reader reader = {.text = written};
    struct words_word word;
    uint32_t words = 0, known = 0;
    bool has_number = false;
    while (words_next(&reader, &word)) {
        if (word.is_common)
            continue;
        const bool is_there = is_in_passage(word.stem, sources);
        if (word.is_number && !is_there)
            return false;
        has_number |= word.is_number;
        words += !word.is_number;
        known += !word.is_number && is_there;
    }
    return !has_number || known >= FIGURE_SHARE * words;
}

/* Whether every word that looks like a name, by a capital or a digit in it, is among the stems.
 * The first word has its capital from where it stands. */
static bool names_are_known(struct text written, const uint64_t *stems, uint32_t count)
{
    struct words_reader reader = {.text = written};
    struct words_word word;
    for (bool is_first = true; words_next(&reader, &word); is_first = false) {
        bool is_name = false;
        for (size_t i = word.offset; i < word.offset + word.size; i++) {
            const char c = written.data[i];
            is_name |= (c >= '0' && c <= '9') ||
                       (c >= 'A' && c <= 'Z' && (i > word.offset || !is_first));
        }
        if (is_name && !word.is_common && !is_among(word.stem, stems, count))
            return false;
    }
    return true;
}

static bool is_denial(struct text word)
{
    static const char *const words[] = {"no",   "not",     "cannot",  "never",
                                        "none", "nothing", "without", "nor"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (word.size == strlen(words[i]) && strncasecmp(word.data, words[i], word.size) == 0)
            return true;
    return false;
}

/* Collects the NEAR_WORDS content words after each denial in a text, at most max; gives how
 * many denials there are. */
static uint32_t read_denials(struct text text, uint64_t *denied, uint32_t max, uint32_t *count)
{
    struct words_reader reader = {.text = text};
    struct words_word word;
    uint32_t denials = 0, due = 0;
    *count = 0;
    while (words_next(&reader, &word)) {
        if (is_denial(text_slice(text, word.offset, word.offset + word.size))) {
            denials++;
            due = NEAR_WORDS;
        } else if (!word.is_common && due > 0 && *count < max) {
            denied[(*count)++] = word.stem;
            due--;
        }
    }
    return denials;
}

/* Whether written denies what the passage denies: small models lose a `not`, or add one. */
static bool agrees_in_denial(struct text written, struct text passage)
{
    uint64_t denied[WRITTEN_STEMS_MAX], words[WRITTEN_STEMS_MAX];
    uint32_t count = 0;
    if (read_denials(written, denied, WRITTEN_STEMS_MAX, &count) > 0)
        return read_denials(passage, denied, WRITTEN_STEMS_MAX, &count) > 0;
    (void)read_denials(passage, denied, WRITTEN_STEMS_MAX, &count);
    const uint32_t word_count = words_sequence(written, words, WRITTEN_STEMS_MAX);
    for (uint32_t i = 0; i < word_count; i++)
        if (is_among(words[i], denied, count))
            return false;
    return true;
}

/* Whether somewhere in passage stem stands near one of its neighbours in the written text. */
static bool stands_near(const uint64_t *passage, uint32_t count, uint64_t stem,
                        const uint64_t *neighbours, uint32_t neighbour_count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (passage[i] != stem)
            continue;
        const uint32_t begin = i > NEAR_WORDS ? i - NEAR_WORDS : 0;
        const uint32_t end = i + NEAR_WORDS + 1 < count ? i + NEAR_WORDS + 1 : count;
        for (uint32_t j = 0; j < neighbour_count; j++)
            if (is_among(neighbours[j], passage + begin, end - begin))
                return true;
    }
    return false;
}

/* Whether the words that the answer adds to the question keep the company they have in the
 * passages: a model that only shuffles known words says something else with them. */
static bool keeps_company(struct text written, const struct supervisor_local_sources *sources)
{
    uint64_t asked[STEMS_MAX], words[WRITTEN_STEMS_MAX], passage[STEMS_MAX];
    const uint32_t asked_count = words_content(sources->question, asked, STEMS_MAX);
    const uint32_t count = words_sequence(written, words, WRITTEN_STEMS_MAX);
    uint32_t size = words_sequence(sources->notes, passage, STEMS_MAX);
    for (uint32_t i = 0; i < passages_used(sources); i++)
        size += words_sequence(sources->passages[i], passage + size, STEMS_MAX - size);
    for (uint32_t i = 0; i < count && count > 1; i++) {
        uint64_t neighbours[2];
        uint32_t neighbour_count = 0;
        if (is_among(words[i], asked, asked_count) || !is_among(words[i], passage, size))
            continue;
        if (i > 0)
            neighbours[neighbour_count++] = words[i - 1];
        if (i + 1 < count)
            neighbours[neighbour_count++] = words[i + 1];
        if (!stands_near(passage, size, words[i], neighbours, neighbour_count))
            return false;
    }
    return true;
}

bool supervisor_local_is_grounded(struct text written,
                                  const struct supervisor_local_sources *sources)
{
    uint64_t stems[STEMS_MAX];
    const uint32_t asked = words_content(sources->question, stems, STEMS_MAX);
    uint32_t count = asked;
    if (written.size == 0 || !numbers_are_known(written, sources) ||
        !agrees_in_denial(written, sources->passages[0]) || !keeps_company(written, sources))
        return false;
    count += words_content(sources->notes, stems + count, STEMS_MAX - count);
    for (uint32_t i = 0; i < passages_used(sources); i++)
        count += words_content(sources->passages[i], stems + count, STEMS_MAX - count);
    /* It must say something beyond the question, and little beyond the passages. */
    return names_are_known(written, stems, count) && words_share(written, stems, asked) < 1.0 &&
           words_share(written, stems, count) >= GROUNDED_SHARE;
}

bool supervisor_local_bears_on(const struct supervisor_local_sources *sources)
{
    uint64_t asked[STEMS_MAX];
    uint32_t found = 0;
    const uint32_t count = words_sequence(sources->question, asked, STEMS_MAX);
    for (uint32_t i = 0; i < count; i++)
        found += has_word(sources->notes, asked[i]) || is_in_passage(asked[i], sources);
    return count == 0 || found > count / BEARING_SHARE;
}

/* Cuts `The answer to this question is:` and the like from the front. */
static struct text without_preamble(struct text reply)
{
    const struct text opening = text_slice(reply, 0, PREAMBLE_BYTES_MAX);
    const size_t colon = text_find(opening, TEXT(": "), 0);
    if (!text_starts(reply, TEXT("The answer")) || colon == SIZE_MAX)
        return reply;
    return text_trim(text_slice(reply, colon + 1, reply.size));
}

/* The first sentence of a reply, and the second when both are grounded; without what the
 * token limit left unfinished. Empty when the first is not grounded. */
static struct text grounded_sentences(struct text reply, bool is_cut,
                                      const struct supervisor_local_sources *sources)
{
    struct sentence_reader reader = {.text = reply};
    size_t begin = 0, size = 0, end = 0;
    for (int i = 0; i < 2 && sentence_next(&reader, &begin, &size); i++) {
        const char last = reply.data[begin + size - 1];
        const bool ends = last == '.' || last == '!' || last == '"';
        const struct text sentence = text_slice(reply, begin, begin + size);
        if ((!ends && is_cut) || !supervisor_local_is_grounded(sentence, sources))
            break;
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

/* Whether the one passage is a signature and asked for: it is the answer, word for word, where
 * a small model gives the question's names to who signed. */
static bool is_signed(const struct supervisor_local_sources *sources)
{
    return sources->count == 1 && question_kind(sources->question) == QUESTION_SIGNER &&
           sentence_is_signature(sources->passages[0]);
}

enum status supervisor_local_answer(const struct jobs_context *context,
                                    const struct supervisor_local_sources *sources,
                                    struct text_buf *answer, bool *is_quoted, struct error *err)
{
    *is_quoted = is_signed(sources);
    if (*is_quoted) {
        quote(answer, sources->passages[0]);
        return OK;
    }
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
    const struct text written =
        grounded_sentences(without_preamble(text_trim(job.reply)), job.is_cut, sources);
    *is_quoted = job.is_failed || written.size == 0;
    if (*is_quoted)
        quote(answer, sources->passages[0]);
    else
        fold_add(answer, written);
    return OK;
}
