/*
 * schema_suite_test - the JSON Schema Test Suite, drafts 2020-12 and 7: of a schema that is not
 * refused each valid instance is accepted and each invalid one is not, but for the differences
 * that are listed, each with its reason. How much is refused is printed for each keyword.
 */
#include "tests/harness/json_case.h"
#include "tests/harness/matcher_case.h"
#include "tests/harness/test_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 200, NAME_BYTES = 100 };

struct tally {
    char file[NAME_BYTES];
    uint32_t schemas, refused, right, listed, wrong;
};

#define ASSERTED "a format restricts what is generated, in every dialect"
#define UNKNOWN  "a format that is not known says nothing"
#define NO_DRAFT "the dialect is read from $schema, and this schema has none"
#define LEAP     "of leap seconds only those written in UTC are taken"
#define PUNYCODE "what xn-- stands for is not decoded"
#define LENGTH   "the whole length of a host's name is not bounded"

/* What is otherwise here: a file, and how the descriptions of schema or instance begin. */
static const struct {
    const char *file, *schema, *instance, *reason;
} differences[] = {
    {"draft2020-12/format.json", "", "invalid", ASSERTED},
    {"draft2020-12/vocabulary.json", "schema that uses custom metaschema", "no validation",
     "metaschemas are not read: all vocabularies hold"},
    {"draft7/ref.json", "ref overrides any sibling keywords", "", NO_DRAFT},
    {"draft7/ref.json", "$ref prevents a sibling $id", "", NO_DRAFT},
    {"optional/format/date-time.json", "", "a valid date-time with a leap second, with", LEAP},
    {"optional/format/time.json", "", "valid leap second,", LEAP},
    {"optional/format/hostname.json", "", "exceeds maximum overall length", LENGTH},
    {"optional/format/hostname.json", "validation of A-label", "", PUNYCODE},
    {"optional/format/hostname.json", "", "invalid Punycode", PUNYCODE},
    {"optional/format/idn-hostname.json", "", "", UNKNOWN},
    {"optional/format/regex.json", "", "", UNKNOWN},
    {"optional/format/ecmascript-regex.json", "", "", UNKNOWN},
    {"optional/format/iri.json", "", "a valid IRI with a supplementary-plane private-use",
     "private characters are taken nowhere in an IRI"},
};

static const char *reason_of(const char *file, struct text schema, struct text instance)
{
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++)
        if (text_ends(text_of(file), text_of(differences[i].file)) &&
            text_starts(schema, text_of(differences[i].schema)) &&
            text_starts(instance, text_of(differences[i].instance)))
            return differences[i].reason;
    return NULL;
}

/* The instances of one schema; without a matcher: of one that no value is of. */
static void run_tests(const struct json *group, struct matcher *matcher, struct tally *tally)
{
    struct text_buf text = {0};
    struct text schema = TEXT("");
    json_text(json_get(group, "description"), &schema);
    const struct json *test = json_first(json_get(group, "tests"));
    for (; test; test = json_next(test)) {
        struct text name = TEXT("");
        bool valid = false;
        json_bool(json_get(test, "valid"), &valid);
        json_text(json_get(test, "description"), &name);
        text_buf_clear(&text);
        json_case_put(&text, json_get(test, "data"));
        if ((matcher && matcher_case_accepts(matcher, text_buf_text(&text))) == valid) {
            tally->right++;
        } else if (reason_of(tally->file, schema, name)) {
            tally->listed++;
        } else {
            printf("WRONG %s: %.*s: %.*s: %s, %s\n", tally->file, TEXT_ARG(schema),
                   TEXT_ARG(name), valid ? "valid" : "invalid", text.data);
            tally->wrong++;
        }
    }
    text_buf_deinit(&text);
}

static void run_file(struct text source, struct arena *arena, struct tally *tally)
{
    struct json *root = NULL;
    if (json_parse(source, 0, &root, NULL) != OK) {
        printf("%s is not JSON\n", tally->file);
        tally->wrong++;
        return;
    }
    for (const struct json *group = json_first(root); group; group = json_next(group)) {
        struct schema schema;
        struct matcher matcher;
        struct error err = {0};
        struct text name = TEXT("");
        json_text(json_get(group, "description"), &name);
        arena_rewind(arena, 0);
        tally->schemas++;
        if (schema_compile(&schema, json_get(group, "schema"), arena, &err) == OK &&
            matcher_init(&matcher, &schema, arena, &err) == OK) {
            run_tests(group, &matcher, tally);
            continue;
        }
        if (strstr(err.text, "no value is valid")) {
            run_tests(group, NULL, tally);
            continue;
        }
        tally->refused++;
        printf("refused %s: %.*s: %s\n", tally->file, TEXT_ARG(name), err.text);
    }
    json_free(root);
}

/* Whether the member of the tar is one of the suite's files that are run. */
static bool is_run(const char *name)
{
    const bool draft = strncmp(name, "tests/draft2020-12/", 19) == 0 ||
                       strncmp(name, "tests/draft7/", 13) == 0;
    return draft && strstr(name, ".json") &&
           (!strstr(name, "/optional/") || strstr(name, "/optional/format/"));
}

/* Headers of 512 bytes: the name, and the size in octal at 124. */
static uint32_t run_tar(struct text tar, struct arena *arena, struct tally *tallies)
{
    uint32_t count = 0;
    for (size_t at = 0; at + 512 <= tar.size && tar.data[at] != '\0';) {
        const char *header = tar.data + at;
        const size_t size = strtoul(header + 124, NULL, 8);
        const char *name = strncmp(header, "./", 2) == 0 ? header + 2 : header;
        if (is_run(name) && count < FILES_MAX) {
            struct tally *tally = &tallies[count++];
            snprintf(tally->file, sizeof tally->file, "%s", name + strlen("tests/"));
            run_file(text_slice(tar, at + 512, at + 512 + size), arena, tally);
        }
        at += 512 + (size + 511) / 512 * 512;
    }
    return count;
}

int main(void)
{
    static struct tally tallies[FILES_MAX];
    struct tally all = {.schemas = 0};
    struct text_buf tar = {0};
    struct arena arena;
    const struct test_data_path path = test_data("json/JSON-Schema-Test-Suite.tar.xz");
    if (!test_data_is_there(&path))
        return 77;
    if (!json_case_unpack(path.text, &tar) || arena_init(&arena, (size_t)512 << 20, NULL) != OK)
        return 1;
    const uint32_t files = run_tar(text_buf_text(&tar), &arena, tallies);
    for (uint32_t i = 0; i < files; i++) {
        const struct tally *tally = &tallies[i];
        printf("%-50s schemas %3u, refused %3u; instances right %4u, listed %3u, wrong %u\n",
               tally->file, tally->schemas, tally->refused, tally->right, tally->listed,
               tally->wrong);
        all.schemas += tally->schemas;
        all.refused += tally->refused;
        all.right += tally->right;
        all.listed += tally->listed;
        all.wrong += tally->wrong;
    }
    printf("all: schemas %u, refused %u; instances right %u, listed %u, wrong %u\n",
           all.schemas, all.refused, all.right, all.listed, all.wrong);
    arena_deinit(&arena);
    text_buf_deinit(&tar);
    return files == 0 || all.wrong > 0;
}
