/* extract_test - sentences ranked by words and a scripted model, cited verbatim. */
#include "protocol/minions/extract.h"

#include "tests/harness/scripted_worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint8_t memory[1 << 20];

static const char FIRST[] = "Title\n\nThe fee for a copy is\nfive dollars. Anyone may copy the "
                            "work freely.\n\nNo warranty is given for this work.";
static const char SECOND[] = "A copy costs nothing at all here. Birds sing in the morning.";
static struct text texts[] = {{FIRST, sizeof(FIRST) - 1}, {SECOND, sizeof(SECOND) - 1}};
static const struct documents DOCUMENTS = {.texts = texts, .count = 2};

/* Likes sentences that hold the word in self. */
static void answer(void *self, struct worker_job *job, struct arena *arena)
{
    (void)arena;
    assert_int_equal(job->kind, WORKER_SCORE);
    assert_true(job->target.size > 0);
    const bool liked = text_find(job->prompt, text_of(self), 0) != SIZE_MAX;
    job->score = liked ? -1 : -3;
    job->is_failed = text_find(job->prompt, TEXT("Birds"), 0) != SIZE_MAX;
}

struct fixture {
    struct arena arena;
    struct scripted_worker scripted;
    struct worker worker;
    struct ledger ledger;
    struct jobs_context context;
    struct extract extract;
};

static void set_up(struct fixture *f, char *liked)
{
    *f = (struct fixture){.arena = {.base = memory, .size = sizeof(memory)},
                          .scripted = {.answer = answer, .self = liked}};
    f->worker = scripted_worker(&f->scripted);
    f->context =
        (struct jobs_context){.worker = &f->worker, .arena = &f->arena, .ledger = &f->ledger};
    assert_int_equal(extract_init(&f->extract, &DOCUMENTS, &f->arena, NULL), OK);
}

static struct dsl_job span(uint32_t document, size_t offset, size_t size, int32_t chunk_id)
{
    return (struct dsl_job){.chunk = text_slice(texts[document], offset, offset + size),
                            .task = TEXT("What is the fee for a copy?"),
                            .chunk_id = chunk_id,
                            .document = (int32_t)document,
                            .offset = offset};
}

static struct text unit_text(const struct extract_unit *unit)
{
    return text_slice(texts[unit->document], unit->offset, unit->offset + unit->size);
}

static void best_sentences_become_citations(void **state)
{
    (void)state;
    char liked[] = "dollars";
    struct fixture f;
    set_up(&f, liked);
    const struct dsl_job jobs[] = {span(0, 0, sizeof(FIRST) - 1, 0),
                                   span(1, 0, sizeof(SECOND) - 1, 1)};
    struct jobs_outcome outcomes[2];
    struct extract_work work = {.jobs = jobs, .outcomes = outcomes, .count = 2};
    assert_int_equal(extract_run(&f.extract, &f.context, &work, NULL), OK);
    assert_true(work.hit_count >= 3);
    assert_true(text_equal(unit_text(&work.hits[0].unit),
                           TEXT("The fee for a copy is\nfive dollars.")));
    for (uint32_t i = 1; i < work.hit_count; i++)
        assert_true(work.hits[i - 1].score >= work.hits[i].score);
    assert_int_equal(outcomes[0].output.kind, JOB_OUTPUT_ANSWER);
    assert_int_equal(outcomes[0].output.citation_offset, 7);
    assert_true(
        text_equal(outcomes[1].output.citation, TEXT("A copy costs nothing at all here.")));
    assert_true(outcomes[0].score > outcomes[1].score);
}

static void the_model_can_turn_the_order(void **state)
{
    (void)state;
    char liked[] = "freely";
    struct fixture f;
    set_up(&f, liked);
    struct dsl_job job = span(0, 0, sizeof(FIRST) - 1, 0);
    job.task = TEXT("copy");
    struct jobs_outcome outcome;
    struct extract_work work = {.jobs = &job, .outcomes = &outcome, .count = 1};
    assert_int_equal(extract_run(&f.extract, &f.context, &work, NULL), OK);
    assert_true(text_equal(outcome.output.citation, TEXT("Anyone may copy the work freely.")));
}

static void only_sentences_of_the_chunk(void **state)
{
    (void)state;
    char liked[] = "dollars";
    struct fixture f;
    set_up(&f, liked);
    /* From inside the first sentence to inside the last: neither is whole in it. */
    const struct dsl_job job = span(0, 10, 70, 0);
    struct jobs_outcome outcome;
    struct extract_work work = {.jobs = &job, .outcomes = &outcome, .count = 1};
    assert_int_equal(extract_run(&f.extract, &f.context, &work, NULL), OK);
    assert_int_equal(work.hit_count, 1);
    assert_true(text_equal(outcome.output.citation, TEXT("Anyone may copy the work freely.")));
    assert_int_equal(outcome.output.citation_offset + 10, work.hits[0].unit.offset);
}

static void a_made_up_chunk_is_traced_back(void **state)
{
    (void)state;
    char liked[] = "dollars";
    struct fixture f;
    set_up(&f, liked);
    const struct dsl_job job = {
        .chunk = TEXT("Not in the file. The fee for a copy  is five dollars."),
        .task = TEXT("What is the fee?"),
        .document = -1};
    struct jobs_outcome outcome;
    struct extract_work work = {.jobs = &job, .outcomes = &outcome, .count = 1};
    assert_int_equal(extract_run(&f.extract, &f.context, &work, NULL), OK);
    assert_int_equal(work.hit_count, 1);
    assert_int_equal(work.hits[0].unit.offset, 7);
    assert_true(
        text_equal(outcome.output.citation, TEXT("The fee for a copy  is five dollars.")));
}

static void a_row_counts_with_what_stands_before_it(void **state)
{
    (void)state;
    static const char tables[] = "Votes for the chair were:\n\nName    For\nAnn Lee    12\n"
                                 "Bo Day    34\n\nVotes for the treasurer were:\n\n"
                                 "Name    For\nBo Day    78\nAnn Lee    56\n";
    struct text text = {tables, sizeof(tables) - 1};
    const struct documents documents = {.texts = &text, .count = 1};
    char liked[] = "x";
    struct fixture f;
    set_up(&f, liked);
    assert_int_equal(extract_init(&f.extract, &documents, &f.arena, NULL), OK);
    const struct dsl_job job = {.chunk = text,
                                .task = TEXT("How many votes for the treasurer had Ann Lee?")};
    struct jobs_outcome outcome;
    struct extract_work work = {.jobs = &job, .outcomes = &outcome, .count = 1};
    assert_int_equal(extract_run(&f.extract, &f.context, &work, NULL), OK);
    assert_true(text_equal(outcome.output.citation, TEXT("Ann Lee    56")));
}

static void records_go_with_the_names_of_columns(void **state)
{
    (void)state;
    static const char table[] = "City,Area\nRome,1285\nOslo. Big,454\nBergen\n"
                                "Nobody lives in this one.\n";
    struct text text = {table, sizeof(table) - 1};
    struct documents_layout layout = {.has_records = true};
    const struct documents documents = {.texts = &text, .layouts = &layout, .count = 1};
    char liked[] = "x";
    struct fixture f;
    set_up(&f, liked);
    assert_int_equal(extract_init(&f.extract, &documents, &f.arena, NULL), OK);
    assert_int_equal(f.extract.unit_count, 5);
    struct dsl_job job = {.chunk = text, .task = TEXT("How large is the area of Oslo?")};
    struct jobs_outcome outcome;
    struct extract_work work = {.jobs = &job, .outcomes = &outcome, .count = 1};
    assert_int_equal(extract_run(&f.extract, &f.context, &work, NULL), OK);
    assert_true(text_equal(outcome.output.citation, TEXT("Oslo. Big,454")));
    assert_true(text_equal(f.extract.contexts[2], TEXT("City,Area")));
    job.task = TEXT("Is Bergen in the list?"); /* a record may be one word: it is no heading */
    assert_int_equal(extract_run(&f.extract, &f.context, &work, NULL), OK);
    assert_true(text_equal(outcome.output.citation, TEXT("Bergen")));
}

/* The names stand under a clause and, each, under those whom they sign for. */
static void a_signature_counts_with_what_is_signed(void **state)
{
    (void)state;
    static const char deed[] =
        "The owner has caused this deed to be signed by the undersigned, Bo Day being "
        "there.\n\n"
        "HARBOUR, INC.\n\nBy:   /s/ Ann Lee\nName: Ann Lee\n\n"
        "BLUE FISH BANK\nas Trustee\n\nBy:   /s/ Cy Orr\n\nThe bank keeps a copy of it.";
    struct text text = {deed, sizeof(deed) - 1};
    const struct documents documents = {.texts = &text, .count = 1};
    static const struct {
        const char *question, *signature;
    } cases[] = {{"Who signed the deed for the harbour?", "By:   /s/ Ann Lee\nName: Ann Lee"},
                 {"Who signed for the trustee?", "By:   /s/ Cy Orr"}};
    char liked[] = "caused";
    struct fixture f;
    set_up(&f, liked);
    assert_int_equal(extract_init(&f.extract, &documents, &f.arena, NULL), OK);
    for (int i = 0; i < 2; i++) {
        const struct dsl_job job = {.chunk = text, .task = text_of(cases[i].question)};
        struct jobs_outcome outcome;
        struct extract_work work = {.jobs = &job, .outcomes = &outcome, .count = 1};
        assert_int_equal(extract_run(&f.extract, &f.context, &work, NULL), OK);
        assert_true(text_equal(outcome.output.citation, text_of(cases[i].signature)));
    }
    const size_t second = text_find(text, TEXT("By:   /s/ Cy"), 0);
    const struct text clause = extract_clause(&f.extract, 0, second);
    assert_true(text_starts(clause, TEXT("signed The owner has caused this deed")));
    assert_true(text_ends(clause, TEXT("BLUE FISH BANK as Trustee")));
    assert_true(text_find(clause, TEXT("HARBOUR"), 0) == SIZE_MAX);
    assert_int_equal(extract_clause(&f.extract, 0, 0).size, 0);
}

static void nothing_to_extract(void **state)
{
    (void)state;
    char liked[] = "x";
    struct fixture f;
    set_up(&f, liked);
    struct dsl_job job = span(0, 0, 2, 0); /* no whole sentence */
    struct jobs_outcome outcome;
    struct extract_work work = {.jobs = &job, .outcomes = &outcome, .count = 1};
    assert_int_equal(extract_run(&f.extract, &f.context, &work, NULL), OK);
    assert_int_equal(work.hit_count, 0);
    assert_int_equal(outcome.output.kind, JOB_OUTPUT_NONE);
    job = span(0, 0, 5, 0); /* a title, and nothing else */
    assert_int_equal(extract_run(&f.extract, &f.context, &work, NULL), OK);
    assert_int_equal(work.hit_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_sentences_become_citations),
        cmocka_unit_test(the_model_can_turn_the_order),
        cmocka_unit_test(only_sentences_of_the_chunk),
        cmocka_unit_test(a_made_up_chunk_is_traced_back),
        cmocka_unit_test(a_row_counts_with_what_stands_before_it),
        cmocka_unit_test(records_go_with_the_names_of_columns),
        cmocka_unit_test(a_signature_counts_with_what_is_signed),
        cmocka_unit_test(nothing_to_extract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
