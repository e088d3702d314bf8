/*
 * doctor - cohort doctor: looks this machine over and says what to do about what it finds.
 *
 * Each finding is a line: what, how it is, and advice where there is something to do. A
 * "problem" is what keeps Cohort from working; "note" is worth knowing. The self-tests run the
 * real code against input that it must refuse.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "engine/engine.h"
#include "engine/gguf.h"
#include "protocol/minions/document_pdf.h"
#include "tokenizer/tokenizer.h"
#include "tools/cohort.h"
#include "tools/engine_args.h"
#include "tools/exit_code.h"
#include "tools/machine.h"
#include "tools/model_path.h"
#include "tools/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum {
    FINDINGS_MAX = 24,
    VALUE_BYTES = MODEL_PATH_BYTES,
    ADVICE_BYTES = sizeof(((struct error *)0)->text),
    TRIAL_TOKENS = 32
};
static const uint64_t GIB = 1ull << 30;

enum grade { FINE, NOTE, PROBLEM };
static const char *const grade_words[] = {"ok", "note", "problem"};

struct finding {
    enum grade grade;
    const char *what;
    char value[VALUE_BYTES], advice[ADVICE_BYTES];
};

struct doctor {
    struct engine_args engine_args;
    bool json, quick;
    struct machine machine;
    struct finding findings[FINDINGS_MAX];
    size_t count;
};

/* A new finding, fine until said otherwise. */
static struct finding *add(struct doctor *doctor, const char *what)
{
    struct finding *finding = &doctor->findings[doctor->count++];
    *finding = (struct finding){.grade = FINE, .what = what};
    return finding;
}

static void advise(struct finding *finding, enum grade grade, const char *advice)
{
    finding->grade = grade;
    (void)snprintf(finding->advice, ADVICE_BYTES, "%s", advice);
}

static const char *simd_words(enum device_simd simd)
{
    switch (simd) {
    case DEVICE_SIMD_SCALAR:
        break;
    case DEVICE_SIMD_NEON:
        return "NEON";
    case DEVICE_SIMD_NEON_DOT:
        return "NEON with dotprod";
    case DEVICE_SIMD_NEON_I8MM:
        return "NEON with i8mm";
    case DEVICE_SIMD_AVX2:
        return "AVX2";
    case DEVICE_SIMD_AVX512_VNNI:
        return "AVX-512 VNNI";
    case DEVICE_SIMD_AMX_INT8:
        return "AMX int8";
    }
    return "none that is used here";
}

static void look_at_machine(struct doctor *doctor)
{
    const struct machine *machine = &doctor->machine;
    struct finding *cores = add(doctor, "cores");
    (void)snprintf(cores->value, VALUE_BYTES, "%u", machine->cores);
    if (machine->cores < 2)
        advise(cores, NOTE, "one core: expect about half the speed of two");

    struct finding *simd = add(doctor, "SIMD");
    (void)snprintf(simd->value, VALUE_BYTES, "%s", simd_words(machine->simd));
    if (machine->simd == DEVICE_SIMD_SCALAR)
        advise(simd, NOTE,
               "without AVX2 the plain C kernels run: correct, and many times slower");

    struct finding *memory = add(doctor, "memory");
    (void)snprintf(memory->value, VALUE_BYTES, "%.1f GiB, %.1f GiB free",
                   (double)machine->memory_bytes / (double)GIB,
                   (double)machine->memory_free_bytes / (double)GIB);
    if (machine->memory_free_bytes < GIB)
        advise(memory, NOTE, "under 1 GiB free: close something, or use a smaller model");

    if (machine->large_pages != MACHINE_LARGE_UNKNOWN) {
        struct finding *pages = add(doctor, "large pages");
        const bool given = machine->large_pages == MACHINE_LARGE_GIVEN;
        (void)snprintf(pages->value, VALUE_BYTES, "%s", given ? "given" : "never");
        if (!given)
            advise(pages, NOTE,
                   "weights lie in small pages: echo madvise as root into "
                   "/sys/kernel/mm/transparent_hugepage/enabled");
    }

    struct finding *gpu = add(doctor, "GPU");
    (void)snprintf(gpu->value, VALUE_BYTES, "%s",
                   machine->has_nvidia_driver ? "an NVIDIA driver is here" : "none");
    if (machine->has_nvidia_driver && !engine_has(ENGINE_CUDA))
        advise(gpu, NOTE,
               "this build has no GPU back end: it computes on the CPU; cmake --preset cuda "
               "builds one");
}

static void test_address_space(struct doctor *doctor)
{
    struct finding *finding = add(doctor, "address space");
    struct arena arena = {0};
    struct error err = {0};
    (void)snprintf(finding->value, VALUE_BYTES, "64 GiB can be reserved");
    if (arena_init(&arena, (size_t)(64 * GIB), &err) != OK) {
        (void)snprintf(finding->value, VALUE_BYTES, "%s", err.text);
        advise(finding, PROBLEM, "raise the limit on address space: ulimit -v unlimited");
    }
    arena_deinit(&arena);
}

/* Malformed input must be refused here as it was where the tests ran. */
static void test_refusals(struct doctor *doctor)
{
    struct finding *finding = add(doctor, "refusals");
    char deep[JSON_DEPTH_MAX + 1];
    _Alignas(8) static const uint8_t no_model[64] =
        "GGUF\3\0\0\0\377\377\377\377\377\377\377\377";
    struct gguf gguf = {0};
    memset(deep, '[', sizeof deep);
    const bool json_refused = json_check((struct text){deep, sizeof deep}, NULL) == ERR_LIMIT;
    const bool model_refused = gguf_init(&gguf, no_model, sizeof no_model, NULL) != OK;
    (void)snprintf(finding->value, VALUE_BYTES, "malformed JSON and GGUF are refused");
    if (!json_refused || !model_refused) {
        (void)snprintf(finding->value, VALUE_BYTES, "malformed input was taken");
        advise(finding, PROBLEM, "this build is broken: build it again and run ./check");
    }
}

static void look_for_readers(struct doctor *doctor)
{
    struct finding *pdf = add(doctor, "PDF");
    if (document_pdf_has_reader()) {
        (void)snprintf(pdf->value, VALUE_BYTES, "read through pdftotext");
        return;
    }
    (void)snprintf(pdf->value, VALUE_BYTES, "pdftotext is missing");
    advise(pdf, NOTE,
           "PDF files are refused, or passed over in folders; every other kind is read: "
           "apt-get install poppler-utils");
}

/* Generates a few tokens and takes the time. */
static enum status try_engine(struct engine *engine, double *tokens_per_s, struct error *err)
{
    const struct tokenizer *tokenizer = engine_tokenizer(engine);
    struct token_list ids = {0};
    struct engine_event events[8];
    uint64_t job_id, tokens = 0;
    if (!tokenizer)
        FAIL(err, ERR_LIMIT, "the model has no tokenizer that runs here");
    TRY(tokenizer_encode(tokenizer, TEXT("The quick brown fox"), TOKENIZER_BOUNDS, &ids, err));
    const struct engine_job job = {.prompt = ids.ids,
                                   .prompt_tokens = (uint32_t)ids.count,
                                   .max_tokens = TRIAL_TOKENS,
                                   .ignore_end = true};
    const double start = clock_now_s();
    const enum status status = engine_submit(engine, &job, &job_id, err);
    token_list_deinit(&ids);
    TRY(status);
    for (size_t count = 1; count > 0;) {
        count = engine_poll(engine, events, 8, -1);
        for (size_t i = 0; i < count; i++)
            tokens += events[i].kind == ENGINE_DONE ? events[i].output_tokens : 0;
    }
    *tokens_per_s = (double)tokens / (clock_now_s() - start);
    if (tokens != TRIAL_TOKENS)
        FAIL(err, ERR_DEVICE, "%" PRIu64 " tokens came out, %d were asked for", tokens,
             TRIAL_TOKENS);
    return OK;
}

static void test_model(struct doctor *doctor)
{
    char path[MODEL_PATH_BYTES];
    struct finding *model = add(doctor, "model");
    struct error err = {0};
    if (model_path_find(doctor->engine_args.model, path, sizeof path, &err) != OK) {
        (void)snprintf(model->value, VALUE_BYTES, "none");
        advise(model, PROBLEM, err.text);
        return;
    }
    (void)snprintf(model->value, VALUE_BYTES, "%s", path);
    if (doctor->quick)
        return;
    struct finding *engine_finding = add(doctor, "engine");
    struct engine *engine = NULL;
    double tokens_per_s = 0;
    enum status status = engine_args_open(&doctor->engine_args, NULL, &engine, &err);
    if (status == OK)
        status = try_engine(engine, &tokens_per_s, &err);
    if (status == OK)
        (void)snprintf(
            engine_finding->value, VALUE_BYTES, "%s on %s: %.1f tokens/s for one reader",
            engine_info(engine)->architecture, engine_info(engine)->device_name, tokens_per_s);
    else
        advise(engine_finding, PROBLEM, err.text);
    engine_close(engine);
}

static size_t problems(const struct doctor *doctor)
{
    size_t count = 0;
    for (size_t i = 0; i < doctor->count; i++)
        count += doctor->findings[i].grade == PROBLEM;
    return count;
}

static void show(const struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->count; i++) {
        const struct finding *finding = &doctor->findings[i];
        printf("%-8s %-14s %s\n", grade_words[finding->grade], finding->what, finding->value);
        if (finding->advice[0])
            printf("%-8s %-14s -> %s\n", "", "", finding->advice);
    }
    printf("%zu findings, %zu problems\n", doctor->count, problems(doctor));
}

static enum status show_json(const struct doctor *doctor, struct error *err)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    json_write_object(&w);
    json_write_key_text(&w, "version", TEXT(COHORT_VERSION));
    json_write_key_i64(&w, "problems", (int64_t)problems(doctor));
    json_write_key(&w, "findings");
    json_write_array(&w);
    for (size_t i = 0; i < doctor->count; i++) {
        const struct finding *finding = &doctor->findings[i];
        json_write_object(&w);
        json_write_key_text(&w, "what", text_of(finding->what));
        json_write_key_text(&w, "grade", text_of(grade_words[finding->grade]));
        json_write_key_text(&w, "value", text_of(finding->value));
        json_write_key_text(&w, "advice", text_of(finding->advice));
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
    json_write_object_end(&w);
    return output_line(&out, err);
}

int doctor_main(int argc, char **argv)
{
    struct doctor doctor = {.count = 0};
    const struct args_option options[] = {
        ENGINE_ARGS(doctor.engine_args),
        {0, "quick", NULL, ARGS_FLAG, &doctor.quick, 0, 0, "do not try the engine"},
        {0, "json", NULL, ARGS_FLAG, &doctor.json, 0, 0, "one JSON object"},
    };
    const struct args_command command = {
        .name = "doctor",
        .usage = "[options]",
        .about = "Looks this machine over: cores, SIMD, memory, GPU, model, limits, speed. "
                 "Exit code 69 when something keeps Cohort from working.",
        ARGS_OPTIONS(options),
    };
    struct error err = {0};
    int rest;
    const enum args_result parsed = args_parse_words(&command, argc, argv, &rest);
    if (parsed != ARGS_GO)
        return args_exit_code(parsed);
    machine_look(&doctor.machine);
    look_at_machine(&doctor);
    test_address_space(&doctor);
    test_refusals(&doctor);
    look_for_readers(&doctor);
    test_model(&doctor);
    if (!doctor.json)
        show(&doctor);
    else if (show_json(&doctor, &err) != OK)
        return exit_code_fail("doctor", &err);
    const int code = exit_code_flush("doctor");
    return code == EX_OK && problems(&doctor) > 0 ? EX_UNAVAILABLE : code;
}
