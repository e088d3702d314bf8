/*
 * split_automaton - see split_automaton.h.
 *
 * The characters are put in classes that no set of the expression tells apart. A state is a
 * list of instructions, in order of preference, that wait for a character: what they lead to
 * without one is found when that is known, so that looking ahead is a matter of its class. A
 * match in that list cuts off all that is less preferred. This is how RE2 makes its automata
 * (R. Cox, Regular Expression Matching in the Wild, 2010); here all states are made at once,
 * since the expressions are small and the table is then read-only.
 */
#include "tokenizer/split_automaton.h"

#include "tokenizer/split_program.h"
#include "tokenizer/vocab.h"

#include <stdlib.h>
#include <string.h>

enum { CLASSES_MAX = 255, STATES_MAX = 1 << 12, ENTRIES_MAX = 1 << 18, BLOCKS_MAX = 1 << 11 };
enum { BLOCK = 256 };
enum { SLOTS = 2 * STATES_MAX, STEPS_MAX = 1 << 26 };

/* A list of instructions that is a state. */
struct list {
    const uint32_t *items;
    uint32_t count;
};

struct builder {
    struct split_program program;
    struct arena scratch;
    struct arena *arena;
    uint64_t class_sets[CLASSES_MAX + 1]; /* [class]: bit i: the class is in set i */
    uint32_t class_count, shift;          /* 1 << shift: entries of a row */
    uint32_t passed[SPLIT_SETS_MAX];      /* [set]: begins and ends of its ranges behind us */
    struct list states[STATES_MAX];
    uint32_t state_count;
    uint32_t slots[SLOTS]; /* state by the hash of its list, plus 1 */
    uint32_t *table;       /* rows, in the arena */
    /* Of one step. */
    uint32_t *stack, *seen, *next,
        *seen_next; /* [instructions]; seen*: round of the last visit */
    uint32_t round, next_count;
    uint64_t steps;
};

static enum status no_room(struct error *err)
{
    FAIL(err, ERR_MEMORY, "splitter: no room for the table of its expression");
}

/* The first begin or end of a range of set that is not passed. */
static uint32_t bound_of(const struct builder *b, uint32_t set)
{
    const struct char_set *ranges = &b->program.sets[set];
    const uint32_t passed = b->passed[set];
    if (passed / 2 == ranges->count)
        return UINT32_MAX;
    return passed % 2 ? ranges->ranges[passed / 2].end : ranges->ranges[passed / 2].begin;
}

/* The class of character, and up to where all have it. Called with characters that grow: the
 * bounds of the sets are walked once, in step. */
static enum status class_of(struct builder *b, uint32_t character, uint8_t *class,
                            uint32_t *end, struct error *err)
{
    uint64_t sets = 0;
    *end = UINT32_MAX;
    for (uint32_t i = 0; i < b->program.set_count; i++) {
        uint32_t bound = bound_of(b, i);
        for (; bound <= character; bound = bound_of(b, i))
            b->passed[i]++;
        *end = bound < *end ? bound : *end;
        sets |= (uint64_t)(b->passed[i] % 2) << i;
    }
    for (uint32_t i = 0; i < b->class_count; i++) {
        *class = (uint8_t)i;
        if (b->class_sets[i] == sets)
            return OK;
    }
    if (b->class_count == CLASSES_MAX)
        FAIL(err, ERR_LIMIT, "splitter: an expression with more than %d classes of characters",
             CLASSES_MAX);
    *class = (uint8_t)b->class_count;
    b->class_sets[b->class_count++] = sets;
    return OK;
}

/* The blocks of classes, one after the other in the arena. */
struct blocks {
    uint8_t *first;
    uint32_t count;
    uint16_t uniform[CLASSES_MAX + 1]; /* [class]: the block of nothing else, plus 1 */
};

/* The block with these classes, a new one when there is none like it. */
static enum status add_block(struct builder *b, struct blocks *blocks, const uint8_t *block,
                             uint16_t *index, struct error *err)
{
    for (uint32_t i = 0; i < blocks->count; i++) {
        *index = (uint16_t)i;
        if (memcmp(blocks->first + (size_t)i * BLOCK, block, BLOCK) == 0)
            return OK;
    }
    if (blocks->count == BLOCKS_MAX)
        FAIL(err, ERR_LIMIT, "splitter: more than %d blocks of characters", BLOCKS_MAX);
    uint8_t *kept = ARENA_NEW(b->arena, uint8_t, BLOCK);
    if (!kept)
        return no_room(err);
    memcpy(kept, block, BLOCK);
    blocks->first = blocks->count == 0 ? kept : blocks->first;
    *index = (uint16_t)blocks->count++;
    return OK;
}

/* Most pages lie within one range: nothing is looked at for those but their class. */
static enum status make_blocks(struct builder *b, struct blocks *blocks, uint16_t *pages,
                               struct error *err)
{
    uint32_t end = 0;
    uint8_t block[BLOCK], class = 0;
    for (uint32_t c = 0; c < CHAR_SET_MALFORMED;) {
        const uint32_t page = c / BLOCK;
        if (end <= c)
            TRY(class_of(b, c, &class, &end, err));
        if (c % BLOCK == 0 && end >= c + BLOCK && blocks->uniform[class] > 0) {
            pages[page] = (uint16_t)(blocks->uniform[class] - 1);
            c += BLOCK;
            continue;
        }
        const bool is_uniform = c % BLOCK == 0 && end >= c + BLOCK;
        const uint32_t page_end = (page + 1) * BLOCK,
                       part_end = end < page_end ? end : page_end;
        memset(block + c % BLOCK, class, part_end - c);
        c = part_end;
        if (c == page_end)
            TRY(add_block(b, blocks, block, &pages[page], err));
        if (is_uniform)
            blocks->uniform[class] = (uint16_t)(pages[page] + 1);
    }
    return OK;
}

static enum status make_classes(struct builder *b, struct split_automaton *automaton,
                                struct error *err)
{
    uint16_t *pages = ARENA_NEW(b->arena, uint16_t, SPLIT_PAGES);
    struct blocks blocks = {0};
    uint32_t end, moved = 0x100;
    if (!pages)
        return no_room(err);
    TRY(make_blocks(b, &blocks, pages, err));
    TRY(class_of(b, CHAR_SET_MALFORMED, &automaton->malformed, &end, err));
    automaton->finis = (uint8_t)b->class_count;
    automaton->blocks = blocks.first;
    automaton->pages = pages;
    for (uint32_t byte = 0; byte < 256; byte++) {
        const uint32_t c = vocab_spells_itself(byte) ? byte : moved++;
        automaton->bytes[byte] = blocks.first[(size_t)pages[c / BLOCK] * BLOCK + c % BLOCK];
    }
    memcpy(automaton->ascii, blocks.first + (size_t)pages[0] * BLOCK, sizeof automaton->ascii);
    while (1u << b->shift <= b->class_count)
        b->shift++;
    return OK;
}

static bool is_in(const struct builder *b, uint32_t set, uint32_t class)
{
    return class < b->class_count && (b->class_sets[class] >> set & 1);
}

static void push_next(struct builder *b, uint32_t instruction)
{
    if (b->seen_next[instruction] == b->round)
        return;
    b->seen_next[instruction] = b->round;
    b->next[b->next_count++] = instruction;
}

/* Follows one instruction of a state up to the character; true: to a match. */
static bool follow(struct builder *b, uint32_t instruction, uint32_t class)
{
    uint32_t depth = 0;
    b->stack[depth++] = instruction;
    while (depth > 0) {
        const uint32_t at = b->stack[--depth];
        const struct split_instruction *code = &b->program.code[at];
        if (b->seen[at] == b->round)
            continue;
        b->seen[at] = b->round;
        b->steps++;
        if (code->op == SPLIT_OP_MATCH)
            return true;
        if (code->op == SPLIT_OP_FORK) {
            b->stack[depth++] = code->second;
            b->stack[depth++] = code->first;
        } else if (code->op == SPLIT_OP_SET && is_in(b, code->set, class)) {
            push_next(b, at + 1);
        } else if (code->op == SPLIT_OP_LOOK &&
                   (class == b->class_count ? code->at_end : is_in(b, code->set, class))) {
            b->stack[depth++] = at + 1;
        }
    }
    return false;
}

static enum status add_state(struct builder *b, const uint32_t *items, uint32_t count,
                             uint32_t *state, struct error *err)
{
    uint32_t hash = count;
    for (uint32_t i = 0; i < count; i++)
        hash = (hash ^ items[i]) * 0x9e3779b1u;
    uint32_t slot = (hash >> 8) % SLOTS;
    for (; b->slots[slot] != 0; slot = (slot + 1) % SLOTS) {
        *state = b->slots[slot] - 1;
        const struct list *list = &b->states[*state];
        if (list->count == count &&
            (count == 0 || memcmp(list->items, items, count * sizeof *items) == 0))
            return OK;
    }
    const uint32_t entries = 1u << b->shift;
    if (b->state_count == STATES_MAX || b->state_count >= ENTRIES_MAX / entries)
        FAIL(err, ERR_LIMIT, "splitter: an expression whose table has more than %d entries",
             ENTRIES_MAX);
    uint32_t *kept = ARENA_NEW(&b->scratch, uint32_t, count);
    uint32_t *row = ARENA_NEW(b->arena, uint32_t, entries); /* behind the one before it */
    if (!kept || !row)
        return no_room(err);
    b->table = b->state_count == 0 ? row : b->table;
    if (count > 0)
        memcpy(kept, items, count * sizeof *items);
    *state = b->state_count++;
    b->states[*state] = (struct list){kept, count};
    b->slots[slot] = *state + 1;
    return OK;
}

/* What a state does at a character of class. */
static enum status make_entry(struct builder *b, uint32_t state, uint32_t class,
                              struct error *err)
{
    const struct list list = b->states[state];
    bool is_match = false;
    uint32_t next;
    b->round++;
    b->next_count = 0;
    for (uint32_t i = 0; i < list.count && !is_match; i++)
        is_match = follow(b, list.items[i], class);
    if (b->steps > STEPS_MAX)
        FAIL(err, ERR_LIMIT, "splitter: an expression that takes more than %d steps to prepare",
             STEPS_MAX);
    TRY(add_state(b, b->next, b->next_count, &next, err));
    b->table[(state << b->shift) + class] = next << b->shift << 1 | is_match;
    return OK;
}

/* The first row that says the same as row. */
static uint32_t same_row(const struct builder *b, uint32_t row)
{
    const uint32_t width = 1u << b->shift;
    uint32_t first = 0;
    while (memcmp(b->table + first, b->table + row, width * sizeof *b->table) != 0)
        first += width;
    return first;
}

/* Rows that say the same become one, until there are none. What a repetition leads to is then
 * one row from its first turn on. Few rows alone: the search is quadratic. */
static void merge_rows(struct builder *b)
{
    enum { ROWS_MAX = 256 };
    const uint32_t count = b->state_count;
    uint32_t firsts[ROWS_MAX];
    for (bool is_changed = count <= ROWS_MAX; is_changed;) {
        for (uint32_t i = 0; i < count; i++)
            firsts[i] = same_row(b, i << b->shift);
        is_changed = false;
        for (uint32_t i = 0; i < count << b->shift; i++) {
            const uint32_t entry = b->table[i], first = firsts[entry >> 1 >> b->shift];
            is_changed = is_changed || first != entry >> 1;
            b->table[i] = first << 1 | (entry & 1);
        }
    }
}

static enum status make_table(struct builder *b, struct split_automaton *automaton,
                              struct error *err)
{
    const uint32_t count = b->program.count, begin = 0;
    uint32_t state;
    b->stack = ARENA_NEW(&b->scratch, uint32_t, 2 * (size_t)count + 2);
    b->seen = ARENA_NEW(&b->scratch, uint32_t, count);
    b->seen_next = ARENA_NEW(&b->scratch, uint32_t, count);
    b->next = ARENA_NEW(&b->scratch, uint32_t, count);
    if (!b->stack || !b->seen || !b->seen_next || !b->next)
        return no_room(err);
    TRY(add_state(b, NULL, 0, &state, err));
    TRY(add_state(b, &begin, 1, &state, err));
    automaton->start = state << b->shift;
    for (uint32_t i = 0; i < b->state_count; i++) {
        for (uint32_t class = 0; class <= b->class_count; class ++)
            TRY(make_entry(b, i, class, err));
    }
    merge_rows(b);
    automaton->table = b->table;
    automaton->row_count = b->state_count;
    automaton->shift = b->shift;
    for (uint32_t byte = 0; byte < 128 && !automaton->by_byte; byte++)
        automaton->skips[byte] =
            automaton->table[automaton->start + automaton->ascii[byte]] == 0;
    return OK;
}

static enum status build(struct builder *b, struct split_automaton *automaton,
                         const struct tokenizer_split *split, struct error *err)
{
    struct split_node *root;
    TRY(split->is_literal ? split_parse_literal(split->pattern, &b->scratch, &root, err)
                          : split_parse(split->pattern, &b->scratch, &root, err));
    TRY(split_program_make(&b->program, root, &b->scratch, err));
    TRY(make_classes(b, automaton, err));
    return make_table(b, automaton, err);
}

enum status split_automaton_make(struct split_automaton *automaton,
                                 const struct tokenizer_split *split, struct arena *arena,
                                 struct error *err)
{
    struct builder *b = calloc(1, sizeof *b);
    *automaton = (struct split_automaton){.by_byte = split->by_byte};
    if (!b)
        return no_room(err);
    b->arena = arena;
    enum status status = arena_init(&b->scratch, SPLIT_SCRATCH_BYTES, err);
    if (status == OK)
        status = build(b, automaton, split, err);
    arena_deinit(&b->scratch);
    free(b);
    return status;
}

/* The class of the character at *at, which is moved behind it. */
static uint8_t next_class(const struct split_automaton *automaton, struct text text, size_t *at)
{
    if (*at >= text.size)
        return automaton->finis;
    const uint8_t byte = (uint8_t)text.data[*at];
    if (automaton->by_byte)
        return automaton->bytes[(uint8_t)text.data[(*at)++]];
    if (byte < 0x80) {
        ++*at;
        return automaton->ascii[byte];
    }
    const uint32_t c = text_utf8_next(text, at);
    if (c == UINT32_MAX)
        return automaton->malformed;
    return automaton->blocks[(size_t)automaton->pages[c >> 8] << 8 | (c & 255)];
}

/* Whether a match may end in a row. */
static bool ends_in(const struct split_automaton *automaton, uint32_t row)
{
    for (uint32_t class = 0; class < 1u << automaton->shift; class ++) {
        if (automaton->table[row + class] & 1)
            return true;
    }
    return false;
}

/* The row in which most of ASCII stays and that matches at the end of a text; 0: none. */
static uint32_t find_loop(const struct split_automaton *automaton)
{
    const uint32_t step = 1u << automaton->shift;
    uint32_t best = 0, best_count = 0;
    for (uint32_t row = step; row < automaton->row_count * step; row += step) {
        uint32_t count = 0;
        for (uint32_t byte = 0; byte < 128; byte++)
            count += automaton->table[row + automaton->ascii[byte]] >> 1 == row ? 1 : 0;
        if (count <= best_count || !(automaton->table[row + automaton->finis] & 1))
            continue;
        best = row;
        best_count = count;
    }
    return automaton->by_byte ? 0 : best;
}

uint32_t split_automaton_enter(const struct split_automaton *automaton, const char pair[2])
{
    const uint8_t first = (uint8_t)pair[0], second = (uint8_t)pair[1];
    if (first >= 0x80 || second >= 0x80 || automaton->by_byte)
        return 0;
    const uint32_t row = automaton->table[automaton->start + automaton->ascii[first]] >> 1;
    return automaton->table[row + automaton->ascii[second]] >> 1;
}

void split_automaton_bytes(const struct split_automaton *automaton, struct split_bytes *bytes)
{
    const uint8_t *classes = automaton->by_byte ? automaton->bytes : automaton->ascii;
    bool ends[256] = {false}, follows[256] = {false};
    *bytes = (struct split_bytes){.is_any = ends_in(automaton, automaton->start)};
    for (uint32_t i = 0; i < automaton->row_count << automaton->shift; i++) {
        const uint32_t class = i & ((1u << automaton->shift) - 1);
        const uint32_t entry = automaton->table[i];
        ends[class] = ends[class] || ends_in(automaton, entry >> 1);
        follows[class] = follows[class] || (entry & 1);
    }
    bytes->loop = find_loop(automaton);
    for (uint32_t byte = 0; byte < 128; byte++) {
        bytes->leaves[byte] = bytes->loop == 0 ||
                              automaton->table[bytes->loop + classes[byte]] >> 1 != bytes->loop;
        bytes->begins[byte] = automaton->table[automaton->start + classes[byte]] != 0;
        bytes->ends[byte] = ends[classes[byte]];
        bytes->follows[byte] = follows[classes[byte]];
    }
}

size_t split_automaton_match(const struct split_automaton *automaton, struct text text,
                             size_t begin)
{
    const uint32_t *table = automaton->table;
    const uint8_t *classes = automaton->ascii;
    const size_t ascii_end = automaton->by_byte ? 0 : text.size;
    uint32_t row = automaton->start;
    size_t end = SIZE_MAX, at = begin;
    for (;;) {
        while (at < ascii_end && (uint8_t)text.data[at] < 0x80) {
            const uint32_t entry = table[row + classes[(uint8_t)text.data[at]]];
            end = entry & 1 ? at : end;
            row = entry >> 1;
            at++;
            if (row == 0)
                return end;
        }
        const size_t here = at;
        size_t next = at;
        const uint32_t entry = table[row + next_class(automaton, text, &next)];
        at = next;
        end = entry & 1 ? here : end;
        row = entry >> 1;
        if (row == 0)
            return end;
    }
}

/* Past the characters of ASCII with which no match begins. */
static size_t skip(const struct split_automaton *automaton, struct text text, size_t at)
{
    while (at < text.size && automaton->skips[(uint8_t)text.data[at]])
        at++;
    return at;
}

bool split_automaton_find(const struct split_automaton *automaton, struct text text,
                          size_t from, struct split_found *found)
{
    /* What is in failed_row between these places finds nothing. */
    uint32_t failed_row = 0;
    size_t failed_begin = 0, failed_end = 0;
    for (size_t begin = skip(automaton, text, from); begin <= text.size;
         begin = skip(automaton, text, begin)) {
        uint32_t row = automaton->start, last_row = 0;
        size_t end = SIZE_MAX, at = begin, run_begin = begin, after = begin;
        for (bool is_first = true; row != 0; is_first = false) {
            const size_t here = at;
            if (row == failed_row && here >= failed_begin && here < failed_end)
                break;
            if (row != last_row)
                run_begin = here;
            last_row = row;
            const uint32_t entry = automaton->table[row + next_class(automaton, text, &at)];
            if (entry & 1)
                end = here;
            row = entry >> 1;
            after = is_first ? at : after;
        }
        if (end != SIZE_MAX) {
            *found = (struct split_found){begin, end};
            return true;
        }
        if (row == 0 && last_row != automaton->start) {
            failed_row = last_row;
            failed_begin = run_begin;
            failed_end = at;
        }
        begin = after > begin ? after : text.size + 1;
    }
    return false;
}
