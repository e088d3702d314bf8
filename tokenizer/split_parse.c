/* split_parse - see split_parse.h. */
#include "tokenizer/split_parse.h"

#include "tokenizer/split_class.h"

struct parser {
    struct split_class_reader in;
    uint32_t depth;
};

#define REFUSE(p, ...) SPLIT_CLASS_REFUSE(&(p)->in, __VA_ARGS__)

static enum status parse_choice(struct parser *p, struct split_node **out, struct error *err);

static struct split_node *node_new(struct parser *p, enum split_kind kind)
{
    struct split_node *node = ARENA_NEW(p->in.arena, struct split_node, 1);
    if (node)
        node->kind = kind;
    return node;
}

static enum status add_node(struct parser *p, enum split_kind kind, struct split_node **out,
                            struct error *err)
{
    *out = node_new(p, kind);
    if (!*out)
        FAIL(err, ERR_MEMORY, "splitter: no room for its expression");
    (*out)->may_be_empty = kind == SPLIT_LOOK || kind == SPLIT_CHAIN;
    return OK;
}

static void add_child(struct split_node *parent, struct split_node *child)
{
    if (parent->kind == SPLIT_CHAIN)
        parent->may_be_empty = parent->may_be_empty && child->may_be_empty;
    else
        parent->may_be_empty = parent->may_be_empty || child->may_be_empty;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

/* A look at the next character: of set, or none. */
static enum status add_look(struct parser *p, const struct char_set *set, bool is_negative,
                            struct split_node **out, struct error *err)
{
    TRY(add_node(p, SPLIT_LOOK, out, err));
    (*out)->at_end = is_negative;
    if (!char_set_add_all(&(*out)->set, set, p->in.arena) ||
        (is_negative && !char_set_invert(&(*out)->set, p->in.arena)))
        FAIL(err, ERR_MEMORY, "splitter: no room for its expression");
    return OK;
}

/* A group's set when it is one of single characters: what may be looked at. */
static bool collect_set(const struct split_node *node, struct char_set *set,
                        struct arena *arena, bool *has_memory)
{
    if (node->kind == SPLIT_SET) {
        *has_memory = *has_memory && char_set_add_all(set, &node->set, arena);
        return true;
    }
    if (node->kind == SPLIT_CHAIN)
        return node->first && node->first == node->last &&
               collect_set(node->first, set, arena, has_memory);
    if (node->kind != SPLIT_CHOICE)
        return false;
    for (const struct split_node *at = node->first; at; at = at->next) {
        if (!collect_set(at, set, arena, has_memory))
            return false;
    }
    return node->first;
}

static enum status end_group(struct parser *p, struct error *err)
{
    if (!split_class_take(&p->in, ")"))
        FAIL(err, ERR_FORMAT, "splitter: byte %zu: a group without )", p->in.at);
    return OK;
}

static enum status parse_look(struct parser *p, bool is_negative, struct split_node **out,
                              struct error *err)
{
    struct char_set set = {0};
    bool has_memory = true;
    struct split_node *inner;
    TRY(parse_choice(p, &inner, err));
    if (!collect_set(inner, &set, p->in.arena, &has_memory))
        REFUSE(p, "looking ahead at more than one character");
    if (!has_memory)
        FAIL(err, ERR_MEMORY, "splitter: no room for its expression");
    TRY(add_look(p, &set, is_negative, out, err));
    return end_group(p, err);
}

/* After the opening parenthesis. */
static enum status parse_group(struct parser *p, struct split_node **out, struct error *err)
{
    const bool folds = p->in.folds;
    if (++p->depth > SPLIT_DEPTH_MAX)
        FAIL(err, ERR_LIMIT, "splitter: byte %zu: groups deeper than %d", p->in.at,
             SPLIT_DEPTH_MAX);
    if (split_class_take(&p->in, "?=") || split_class_take(&p->in, "?!")) {
        const bool is_negative = p->in.text.data[p->in.at - 1] == '!';
        TRY(parse_look(p, is_negative, out, err));
    } else {
        const bool sets_rest = split_class_take(&p->in, "?i)");
        if (sets_rest || split_class_take(&p->in, "?i:"))
            p->in.folds = true;
        else if (!split_class_take(&p->in, "?:") && split_class_take(&p->in, "?"))
            REFUSE(p, "a group of this kind");
        TRY(parse_choice(p, out, err));
        if (sets_rest) { /* as far as the group around it goes */
            p->in.folds = folds;
            p->depth--;
            return OK;
        }
        TRY(end_group(p, err));
    }
    p->in.folds = folds;
    p->depth--;
    return OK;
}

static enum status parse_atom(struct parser *p, struct split_node **out, struct error *err)
{
    static const struct char_range LINE_END = {'\n', '\n' + 1};
    struct char_set set = {0};
    if (split_class_take(&p->in, "("))
        return parse_group(p, out, err);
    if (split_class_take(&p->in, "$") || split_class_take(&p->in, "\\z")) {
        const bool is_line = p->in.text.data[p->in.at - 1] == '$';
        if (is_line && !char_set_add(&set, LINE_END, p->in.arena))
            FAIL(err, ERR_MEMORY, "splitter: no room for its expression");
        TRY(add_look(p, &set, false, out, err));
        (*out)->at_end = true;
        return OK;
    }
    if (split_class_take(&p->in, "^"))
        REFUSE(p, "^");
    if (split_class_take(&p->in, "*") || split_class_take(&p->in, "+") ||
        split_class_take(&p->in, "?"))
        FAIL(err, ERR_FORMAT, "splitter: byte %zu: nothing to repeat", p->in.at);
    TRY(add_node(p, SPLIT_SET, out, err));
    if (split_class_take(&p->in, ".")) {
        if (!char_set_add(&set, LINE_END, p->in.arena) || !char_set_invert(&set, p->in.arena))
            FAIL(err, ERR_MEMORY, "splitter: no room for its expression");
    } else {
        TRY(split_class_read(&p->in, &set, err));
    }
    (*out)->set = set;
    return OK;
}

/* {n}, {n,}, {,m}, {n,m}; false: it is none, and the brace stands for itself. */
static bool read_braces(struct parser *p, uint32_t *least, uint32_t *most)
{
    const struct text text = p->in.text;
    size_t at = p->in.at + 1;
    uint32_t bounds[2] = {0, 0};
    bool given[2] = {false, false}, has_comma = false;
    for (; at < text.size && text.data[at] != '}'; at++) {
        const char c = text.data[at];
        if (c == ',' && !has_comma) {
            has_comma = true;
        } else if (c >= '0' && c <= '9' && bounds[has_comma] <= SPLIT_TIMES_MAX) {
            bounds[has_comma] = bounds[has_comma] * 10 + (uint32_t)(c - '0');
            given[has_comma] = true;
        } else {
            return false;
        }
    }
    if (at >= text.size || !(given[0] || given[1]))
        return false;
    *least = bounds[0];
    *most = !has_comma ? bounds[0] : given[1] ? bounds[1] : SPLIT_MANY;
    p->in.at = at + 1;
    return true;
}

static bool read_times(struct parser *p, uint32_t *least, uint32_t *most)
{
    *least = 0;
    *most = SPLIT_MANY;
    if (split_class_take(&p->in, "*"))
        return true;
    *least = 1;
    if (split_class_take(&p->in, "+"))
        return true;
    *least = 0;
    *most = 1;
    if (split_class_take(&p->in, "?"))
        return true;
    return p->in.at < p->in.text.size && p->in.text.data[p->in.at] == '{' &&
           read_braces(p, least, most);
}

/* X*+ is X*(?!X), X++ is X+(?!X), and X?+ is X|(?!X), where X is one character. */
static enum status make_possessive(struct parser *p, struct split_node **node,
                                   struct error *err)
{
    struct split_node *repeat = *node, *look, *outer;
    struct char_set set = {0};
    bool has_memory = true;
    if (!collect_set(repeat->first, &set, p->in.arena, &has_memory))
        REFUSE(p, "possessive repetition of more than one character");
    if (!has_memory)
        FAIL(err, ERR_MEMORY, "splitter: no room for its expression");
    TRY(add_look(p, &set, true, &look, err));
    const bool is_maybe = repeat->most == 1;
    TRY(add_node(p, is_maybe ? SPLIT_CHOICE : SPLIT_CHAIN, &outer, err));
    add_child(outer, is_maybe ? repeat->first : repeat);
    add_child(outer, look);
    *node = outer;
    return OK;
}

static enum status parse_piece(struct parser *p, struct split_node **out, struct error *err)
{
    uint32_t least, most;
    TRY(parse_atom(p, out, err));
    while (p->in.at < p->in.text.size) {
        const bool has_braces = p->in.text.data[p->in.at] == '{';
        struct split_node *repeat;
        if (!read_times(p, &least, &most))
            break;
        if (least > SPLIT_TIMES_MAX || (most > SPLIT_TIMES_MAX && most != SPLIT_MANY) ||
            least > most)
            FAIL(err, ERR_LIMIT, "splitter: byte %zu: repeats %u to %u times, the limit is %d",
                 p->in.at, least, most, SPLIT_TIMES_MAX);
        TRY(add_node(p, SPLIT_REPEAT, &repeat, err));
        repeat->least = least;
        repeat->most = most;
        repeat->is_lazy = split_class_take(&p->in, "?");
        repeat->may_be_empty = least == 0;
        if (most == SPLIT_MANY && (*out)->may_be_empty)
            REFUSE(p, "repetition without limit of what may be empty");
        add_child(repeat, *out);
        *out = repeat;
        if (!has_braces && !repeat->is_lazy && split_class_take(&p->in, "+"))
            TRY(make_possessive(p, out, err));
        if (++p->depth > SPLIT_DEPTH_MAX)
            FAIL(err, ERR_LIMIT, "splitter: byte %zu: repetition deeper than %d", p->in.at,
                 SPLIT_DEPTH_MAX);
    }
    return OK;
}

static enum status parse_chain(struct parser *p, struct split_node **out, struct error *err)
{
    TRY(add_node(p, SPLIT_CHAIN, out, err));
    const struct text text = p->in.text;
    const uint32_t depth = p->depth;
    while (p->in.at < text.size && text.data[p->in.at] != '|' && text.data[p->in.at] != ')') {
        struct split_node *piece;
        TRY(parse_piece(p, &piece, err));
        p->depth = depth;
        add_child(*out, piece);
    }
    return OK;
}

static enum status parse_choice(struct parser *p, struct split_node **out, struct error *err)
{
    TRY(add_node(p, SPLIT_CHOICE, out, err));
    do {
        struct split_node *chain;
        TRY(parse_chain(p, &chain, err));
        add_child(*out, chain);
    } while (split_class_take(&p->in, "|"));
    return OK;
}

static enum status check_size(struct text text, struct error *err)
{
    if (text.size > SPLIT_BYTES_MAX)
        FAIL(err, ERR_LIMIT, "splitter: an expression of %zu bytes, the limit is %d", text.size,
             SPLIT_BYTES_MAX);
    return OK;
}

enum status split_parse(struct text regex, struct arena *arena, struct split_node **root,
                        struct error *err)
{
    struct parser p = {.in = {.text = regex, .arena = arena}};
    TRY(check_size(regex, err));
    TRY(parse_choice(&p, root, err));
    if (p.in.at < regex.size)
        FAIL(err, ERR_FORMAT, "splitter: byte %zu: ) without a group", p.in.at);
    return OK;
}

enum status split_parse_literal(struct text text, struct arena *arena, struct split_node **root,
                                struct error *err)
{
    struct parser p = {.in = {.text = text, .arena = arena}};
    TRY(check_size(text, err));
    TRY(add_node(&p, SPLIT_CHAIN, root, err));
    while (p.in.at < text.size) {
        struct split_node *node;
        uint32_t c = text_utf8_next(text, &p.in.at);
        c = c == UINT32_MAX ? (uint32_t)CHAR_SET_MALFORMED : c;
        TRY(add_node(&p, SPLIT_SET, &node, err));
        if (!char_set_add(&node->set, (struct char_range){c, c + 1}, arena))
            FAIL(err, ERR_MEMORY, "splitter: no room for its expression");
        add_child(*root, node);
    }
    return OK;
}
