/* constraint - see constraint.h. */
#include "engine/constraint.h"

#include "engine/matcher_copy.h"
#include "engine/matcher_inside.h"
#include "engine/regex.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Beside what stays: nodes and tables of the automaton that is being made. */
enum { WORK_BYTES = 64 << 20, CHUNK_WORK_BYTES = 128 << 20 };

static const char *const names[] = {[CONSTRAINT_SCHEMA] = "schema",
                                    [CONSTRAINT_REGEX] = "regular expression",
                                    [CONSTRAINT_CHUNK] = "chunk to copy from"};

static atomic_uint_fast64_t last_id;

static enum status compile_schema(struct constraint *made, struct error *err)
{
    struct json *root = NULL;
    TRY(json_parse(made->source, CONSTRAINT_SOURCE_MAX, &root, err));
    const enum status status = schema_compile(&made->schema, root, &made->arena, err);
    json_free(root);
    return status;
}

static enum status compile_regex(struct constraint *made, struct error *err)
{
    struct nfa nfa;
    TRY(automaton_nfa(&nfa, &made->arena, err));
    const struct regex_target target = {.nfa = &nfa,
                                        .scratch = &made->arena,
                                        .after = automaton_accept(&nfa, 0),
                                        .options = {.bytes = REGEX_PLAIN, .span = REGEX_WHOLE}};
    TRY(regex_add(&target, made->source, &nfa.start, err));
    TRY(automaton_make(&made->automaton, &nfa, (struct automaton_want){0}, &made->arena, err));
    if (made->automaton.distance[AUTOMATON_START] == AUTOMATON_NEVER)
        FAIL(err, ERR_LIMIT, "regular expression: no text matches it");
    return OK;
}

static enum status compile(struct constraint *made, struct text source, struct error *err)
{
    const char *what = names[made->kind];
    const size_t work = made->kind == CONSTRAINT_CHUNK ? CHUNK_WORK_BYTES : WORK_BYTES;
    if (source.size > CONSTRAINT_SOURCE_MAX)
        FAIL(err, ERR_LIMIT, "%s: %zu bytes, the limit is %d", what, source.size,
             CONSTRAINT_SOURCE_MAX);
    TRY(arena_init(&made->arena, CONSTRAINT_BYTES_MAX + work, err));
    made->source = text_copy(source, &made->arena);
    if (!made->source.data)
        FAIL(err, ERR_MEMORY, "%s: no memory for its %zu bytes", what, source.size);
    if (made->kind == CONSTRAINT_SCHEMA)
        TRY(compile_schema(made, err));
    else if (made->kind == CONSTRAINT_REGEX)
        TRY(compile_regex(made, err));
    else
        TRY(copied_make(&made->copied, made->source, &made->arena, err));
    if (made->arena.used > CONSTRAINT_BYTES_MAX)
        FAIL(err, ERR_LIMIT, "%s: its tables take %zu bytes, the limit is %d", what,
             made->arena.used, CONSTRAINT_BYTES_MAX);
    arena_trim(&made->arena);
    return OK;
}

enum status constraint_new(struct constraint **constraint, enum constraint_kind kind,
                           struct text source, struct error *err)
{
    struct constraint *made = calloc(1, sizeof *made);
    if (!made)
        FAIL(err, ERR_MEMORY, "constraint: no memory for %zu bytes", sizeof *made);
    made->kind = kind;
    made->id = atomic_fetch_add(&last_id, 1) + 1;
    const enum status status = compile(made, source, err);
    if (status != OK) {
        constraint_free(made);
        return status;
    }
    *constraint = made;
    return OK;
}

void constraint_free(struct constraint *constraint)
{
    if (!constraint)
        return;
    arena_deinit(&constraint->arena);
    free(constraint);
}

static const struct copied *copied_of(const struct constraint *chunk)
{
    return chunk ? &chunk->copied : NULL;
}

enum status constraint_check_chunk(const struct constraint *constraint,
                                   const struct constraint *chunk, struct error *err)
{
    if (constraint->kind != CONSTRAINT_SCHEMA)
        return OK;
    return matcher_copy_check(&constraint->schema, copied_of(chunk), err);
}

void constraint_start_copying(const struct constraint *constraint,
                              const struct constraint *chunk, struct matcher *matcher,
                              struct constraint_text *text)
{
    struct matcher_state state;
    text->state = AUTOMATON_START;
    text->chunk = chunk;
    text->matcher.frame_count = text->matcher.way_count = 0;
    if (constraint->kind == CONSTRAINT_REGEX)
        return;
    matcher->schema = &constraint->schema;
    matcher->copied = copied_of(chunk);
    matcher_start(matcher, &state);
    matcher_text_keep(&text->matcher, matcher, &state);
}

void constraint_start(const struct constraint *constraint, struct matcher *matcher,
                      struct constraint_text *text)
{
    constraint_start_copying(constraint, NULL, matcher, text);
}

void constraint_resume(const struct constraint *constraint, const struct constraint_text *text,
                       struct matcher *matcher, struct matcher_state *state)
{
    matcher->copied = copied_of(text->chunk);
    matcher_text_resume(&text->matcher, &constraint->schema, matcher, state);
}

static bool advance_regex(const struct automaton *automaton, struct constraint_text *text,
                          struct text bytes)
{
    uint32_t state = text->state;
    for (size_t i = 0; i < bytes.size && state != AUTOMATON_DEAD; i++)
        state = automaton_step(automaton, state, (uint8_t)bytes.data[i]);
    if (state == AUTOMATON_DEAD)
        return false;
    text->state = state;
    return true;
}

bool constraint_advance(const struct constraint *constraint, struct matcher *matcher,
                        struct constraint_text *text, struct text bytes)
{
    struct matcher_state states[2];
    if (constraint->kind == CONSTRAINT_REGEX)
        return advance_regex(&constraint->automaton, text, bytes);
    constraint_resume(constraint, text, matcher, &states[0]);
    for (size_t i = 0; i < bytes.size; i++)
        if (!matcher_step(matcher, &states[i % 2], (uint8_t)bytes.data[i],
                          &states[(i + 1) % 2]))
            return false;
    matcher_text_keep(&text->matcher, matcher, &states[bytes.size % 2]);
    return true;
}

enum { NO_BYTE = -1 };

/* The only byte that may come, or NO_BYTE. */
static int forced_by_automaton(const struct automaton *automaton, uint32_t state)
{
    int only = NO_BYTE;
    for (int byte = 0; byte < 256; byte++) {
        if (automaton_step(automaton, state, (uint8_t)byte) == AUTOMATON_DEAD)
            continue;
        if (only != NO_BYTE)
            return NO_BYTE;
        only = byte;
    }
    return automaton_ends(automaton, state) ? NO_BYTE : only;
}

/* The same of a matcher's state, with the one after it. Within strings and names most bytes
 * are tried without the matcher's frames. */
static int forced_by_matcher(struct matcher *matcher, const struct matcher_state *state,
                             struct matcher_state *after)
{
    struct matcher_inside inside, unused;
    struct matcher_state next;
    const bool is_inside = matcher_inside_enter(matcher, state, &inside);
    int only = NO_BYTE;
    if (matcher_is_complete(state))
        return NO_BYTE;
    for (int byte = 0; byte < 256; byte++) {
        if (is_inside && byte != '"' &&
            !matcher_inside_step(matcher, &inside, (uint8_t)byte, &unused))
            continue;
        if (!matcher_step(matcher, state, (uint8_t)byte, &next))
            continue;
        if (only != NO_BYTE)
            return NO_BYTE;
        only = byte;
        *after = next;
    }
    return only;
}

size_t constraint_forced(const struct constraint *constraint, struct matcher *matcher,
                         const struct constraint_text *text, uint8_t *bytes, size_t most)
{
    const bool is_regex = constraint->kind == CONSTRAINT_REGEX;
    struct matcher_state states[2];
    uint32_t state = text->state;
    size_t count = 0;
    if (!is_regex)
        constraint_resume(constraint, text, matcher, &states[0]);
    for (; count < most; count++) {
        const int byte =
            is_regex ? forced_by_automaton(&constraint->automaton, state)
                     : forced_by_matcher(matcher, &states[count % 2], &states[(count + 1) % 2]);
        if (byte == NO_BYTE)
            break;
        bytes[count] = (uint8_t)byte;
        if (is_regex)
            state = automaton_step(&constraint->automaton, state, (uint8_t)byte);
    }
    return count;
}

void constraint_copy(const struct constraint *constraint, struct constraint_text *to,
                     const struct constraint_text *from)
{
    to->state = from->state;
    to->chunk = from->chunk;
    if (constraint->kind == CONSTRAINT_SCHEMA)
        matcher_text_copy(&to->matcher, &from->matcher);
}

bool constraint_is_complete(const struct constraint *constraint,
                            const struct constraint_text *text)
{
    if (constraint->kind == CONSTRAINT_SCHEMA)
        return matcher_text_is_complete(&text->matcher);
    return automaton_ends(&constraint->automaton, text->state);
}

bool constraint_is_over(const struct constraint *constraint, const struct constraint_text *text)
{
    if (constraint->kind == CONSTRAINT_SCHEMA)
        return matcher_text_is_over(&text->matcher);
    const struct automaton *automaton = &constraint->automaton;
    for (uint32_t c = 0; c < automaton->class_count; c++)
        if (automaton->next[text->state * automaton->class_count + c] != AUTOMATON_DEAD)
            return false;
    return automaton_ends(automaton, text->state);
}
