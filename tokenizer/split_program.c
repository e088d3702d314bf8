/*
 * split_program - see split_program.h.
 *
 * Thompson's construction (1968), with forks that know which way is preferred.
 */
#include "tokenizer/split_program.h"

static bool is_full(const struct split_program *program)
{
    return program->count >= SPLIT_INSTRUCTIONS_MAX || program->is_out_of_room;
}

/* One more instruction, behind the one before it in the arena; too many are told at the end. */
static uint32_t emit(struct split_program *program, struct split_instruction instruction)
{
    if (is_full(program))
        return program->count;
    struct split_instruction *kept = ARENA_NEW(program->arena, struct split_instruction, 1);
    program->is_out_of_room = !kept;
    if (!kept)
        return program->count;
    program->code = program->code ? program->code : kept;
    *kept = instruction;
    return program->count++;
}

static uint32_t set_index(struct split_program *program, const struct char_set *set)
{
    for (uint32_t i = 0; i < program->set_count && i < SPLIT_SETS_MAX; i++) {
        if (char_set_equal(&program->sets[i], set))
            return i;
    }
    if (program->set_count < SPLIT_SETS_MAX)
        program->sets[program->set_count] = *set;
    return program->set_count++;
}

/* A fork whose ways are set once they are known. */
static uint32_t emit_fork(struct split_program *program)
{
    return emit(program, (struct split_instruction){.op = SPLIT_OP_FORK});
}

/* into: goes on into what is repeated or tried; past: goes past it. */
static void set_fork(struct split_program *program, uint32_t fork, uint32_t into, uint32_t past,
                     bool prefers_past)
{
    if (is_full(program))
        return;
    program->code[fork].first = prefers_past ? past : into;
    program->code[fork].second = prefers_past ? into : past;
}

static void emit_node(struct split_program *program, const struct split_node *node);

/* Every way but the last forks off and, at its end, jumps behind the last. */
static void emit_choice(struct split_program *program, const struct split_node *node)
{
    uint32_t jump = UINT32_MAX; /* a chain of jumps by first, until their end is known */
    for (const struct split_node *at = node->first; at; at = at->next) {
        if (!at->next) {
            emit_node(program, at);
            break;
        }
        const uint32_t fork = emit_fork(program);
        emit_node(program, at);
        const uint32_t end = emit_fork(program);
        set_fork(program, end, jump, jump, false);
        set_fork(program, fork, fork + 1, program->count, false);
        jump = end;
    }
    while (!is_full(program) && jump != UINT32_MAX) {
        const uint32_t before = program->code[jump].first;
        set_fork(program, jump, program->count, program->count, false);
        jump = before;
    }
}

static void emit_repeat(struct split_program *program, const struct split_node *node)
{
    for (uint32_t i = 0; i < node->least && !is_full(program); i++)
        emit_node(program, node->first);
    if (node->most == SPLIT_MANY) {
        const uint32_t fork = emit_fork(program);
        emit_node(program, node->first);
        const uint32_t back = emit_fork(program);
        set_fork(program, back, fork, fork, false);
        set_fork(program, fork, fork + 1, program->count, node->is_lazy);
        return;
    }
    uint32_t fork_before = UINT32_MAX; /* a chain, as in emit_choice */
    for (uint32_t i = node->least; i < node->most && !is_full(program); i++) {
        const uint32_t fork = emit_fork(program);
        set_fork(program, fork, fork_before, fork_before, false);
        fork_before = fork;
        emit_node(program, node->first);
    }
    while (!is_full(program) && fork_before != UINT32_MAX) {
        const uint32_t before = program->code[fork_before].first;
        set_fork(program, fork_before, fork_before + 1, program->count, node->is_lazy);
        fork_before = before;
    }
}

static void emit_node(struct split_program *program, const struct split_node *node)
{
    if (is_full(program))
        return;
    switch (node->kind) {
    case SPLIT_SET:
    case SPLIT_LOOK:
        (void)emit(program, (struct split_instruction){
                                .op = node->kind == SPLIT_SET ? SPLIT_OP_SET : SPLIT_OP_LOOK,
                                .at_end = node->at_end,
                                .set = set_index(program, &node->set)});
        break;
    case SPLIT_CHAIN:
        for (const struct split_node *at = node->first; at; at = at->next)
            emit_node(program, at);
        break;
    case SPLIT_CHOICE:
        emit_choice(program, node);
        break;
    case SPLIT_REPEAT:
        emit_repeat(program, node);
        break;
    }
}

enum status split_program_make(struct split_program *program, const struct split_node *root,
                               struct arena *arena, struct error *err)
{
    *program = (struct split_program){.arena = arena};
    emit_node(program, root);
    (void)emit(program, (struct split_instruction){.op = SPLIT_OP_MATCH});
    if (program->is_out_of_room)
        FAIL(err, ERR_MEMORY, "splitter: no room for its instructions");
    if (is_full(program))
        FAIL(err, ERR_LIMIT, "splitter: an expression of more than %d instructions",
             SPLIT_INSTRUCTIONS_MAX);
    if (program->set_count > SPLIT_SETS_MAX)
        FAIL(err, ERR_LIMIT,
             "splitter: an expression of %u sets of characters, the limit is %d",
             program->set_count, SPLIT_SETS_MAX);
    return OK;
}
