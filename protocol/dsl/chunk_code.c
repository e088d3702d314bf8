/*
 * chunk_code - see chunk.h: Python source cut at its functions and classes.
 *
 * A function is whole lines, from its first decorator to its last statement, so that what is
 * cut out keeps its indentation and is a span of the document. As in the protocol's reference,
 * functions of the module and of its classes count; those nested deeper go with what is around
 * them. Ours takes `async def` too.
 *
 *     chunk_by_code                 functions, so many a piece, with an empty line between
 *     chunk_by_function_and_class   the module's imports before each function; before a method
 *                                   its class's head too; after the methods of a class its
 *                                   outline: head, variables, heads of the methods
 *
 * A text that is not Python is one piece. So is one with brackets or continuation lines past
 * what a program may have, for which Tree-sitter would need more than linear time.
 */
#include "protocol/dsl/args.h"
#include "protocol/dsl/chunk.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/parse.h"

#include <string.h>
#include <tree_sitter/api.h>

enum { CODE_BYTES_MAX = 16 << 20, STEPS_PER_BYTE = 8 }; /* prose is the slowest: 1 us a byte */
enum { SLICE_US = 2000 }; /* of parsing, between two looks at time and memory */

const TSLanguage *tree_sitter_python(void);

struct source {
    struct interp *in;
    struct str *doc;
    TSTree *tree;
    struct list *out;    /* functions, or pieces */
    struct text imports; /* with the empty line behind them; empty when there are none */
    struct text head;    /* of the class */
    struct str_builder outline;
    size_t outlined; /* the outline holds the lines before this byte */
};

typedef bool visit_node(struct source *source, TSNode node);

static bool node_is(TSNode node, const char *type)
{
    return strcmp(ts_node_type(node), type) == 0;
}

/* Visits the children until one visit fails. */
static bool each_child(struct source *source, TSNode parent, visit_node *visit)
{
    TSTreeCursor cursor = ts_tree_cursor_new(parent);
    bool more = ts_tree_cursor_goto_first_child(&cursor), fine = true;
    while (more && fine) {
        fine =
            interp_charge(source->in, 1) && visit(source, ts_tree_cursor_current_node(&cursor));
        more = ts_tree_cursor_goto_next_sibling(&cursor);
    }
    ts_tree_cursor_delete(&cursor);
    return fine;
}

static size_t line_begin(const struct str *doc, size_t at)
{
    while (at > 0 && doc->data[at - 1] != '\n' && doc->data[at - 1] != '\r')
        at--;
    return at;
}

static size_t line_end(const struct str *doc, size_t at)
{
    while (at < doc->size && doc->data[at] != '\n' && doc->data[at] != '\r')
        at++;
    return at;
}

/* Where the last statement in a node ends: comments behind it belong to nobody. */
static size_t code_end(TSNode node)
{
    for (uint32_t count = ts_node_child_count(node); count > 0;) {
        const TSNode last = ts_node_child(node, count - 1);
        if (node_is(last, "comment")) {
            count--;
            continue;
        }
        node = last;
        count = ts_node_child_count(node);
    }
    return ts_node_end_byte(node);
}

/* The definition under its decorators. */
static TSNode undecorated(TSNode node)
{
    return node_is(node, "decorated_definition")
               ? ts_node_child_by_field_name(node, "definition", 10)
               : node;
}

static TSNode body_of(TSNode definition)
{
    return ts_node_child_by_field_name(definition, "body", 4);
}

/* The lines from a definition's keyword to the colon before its body. */
static struct text head_lines(const struct str *doc, TSNode definition)
{
    const size_t begin = line_begin(doc, ts_node_start_byte(definition));
    size_t colon = ts_node_start_byte(definition);
    for (uint32_t i = 0; i < ts_node_child_count(definition); i++)
        if (node_is(ts_node_child(definition, i), ":"))
            colon = ts_node_start_byte(ts_node_child(definition, i));
    return text_slice(str_text(doc), begin, line_end(doc, colon));
}

static struct text function_lines(const struct str *doc, TSNode node)
{
    return text_slice(str_text(doc), line_begin(doc, ts_node_start_byte(node)),
                      line_end(doc, code_end(node)));
}

/* A tree of the document; NULL when it is not to be had, or a budget tripped. */
static TSTree *parse(struct interp *in, const struct str *doc)
{
    if (!parse_is_tame(str_text(doc)))
        return NULL;
    TSParser *parser = ts_parser_new();
    TSTree *tree = NULL;
    const bool is_fit = ts_parser_set_language(parser, tree_sitter_python());
    ts_parser_set_timeout_micros(parser, SLICE_US);
    while (is_fit && !tree && interp_check_time(in) && interp_check_heap(in))
        tree = ts_parser_parse_string(parser, NULL, doc->data, (uint32_t)doc->size);
    ts_parser_delete(parser);
    if (tree && ts_node_has_error(ts_tree_root_node(tree))) {
        ts_tree_delete(tree);
        return NULL;
    }
    return tree;
}

/* Parses the document for one of the two; source->tree is NULL when it is one piece, which is
 * then in out. */
static bool open_source(struct source *source, const char *function)
{
    struct interp *in = source->in;
    struct str *doc = source->doc;
    if (doc->size > CODE_BYTES_MAX)
        return exception_raise(in, &exception_value,
                               "%s() doc has %zu bytes; at most %d are taken", function,
                               doc->size, CODE_BYTES_MAX);
    source->out = list_new(in, 0);
    if (!source->out || !interp_charge(in, doc->size * STEPS_PER_BYTE))
        return false;
    source->tree = parse(in, doc);
    return source->tree || (!in->out_of_budget && list_push(in, source->out, value_str(doc)));
}

/* ---- chunk_by_code ---- */

static bool push_function(struct source *source, TSNode node)
{
    const struct text lines = function_lines(source->doc, node);
    const size_t begin = (size_t)(lines.data - source->doc->data);
    struct str *function = str_span(source->in, source->doc, begin, begin + lines.size);
    return function && list_push(source->in, source->out, value_str(function));
}

static bool visit_method(struct source *source, TSNode node)
{
    return !node_is(undecorated(node), "function_definition") || push_function(source, node);
}

static bool visit_top(struct source *source, TSNode node)
{
    const TSNode definition = undecorated(node);
    if (node_is(definition, "class_definition"))
        return each_child(source, body_of(definition), visit_method);
    return visit_method(source, node);
}

static struct list *group(const struct source *source, int64_t per_chunk)
{
    struct list *groups = list_new(source->in, 0);
    const uint32_t count = source->out->count;
    for (uint32_t i = 0; groups && i < count;) {
        const uint32_t some = per_chunk < count - i ? (uint32_t)per_chunk : count - i;
        const struct list *parts = list_slice(source->in, source->out, i, some);
        struct str *piece =
            parts ? chunk_join(source->in, source->doc, parts, TEXT("\n\n")) : NULL;
        if (!piece || !list_push(source->in, groups, value_str(piece)))
            return NULL;
        i += some;
    }
    return groups;
}

static bool by_code(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {
        "chunk_by_code", 1, 2, {"doc", "functions_per_chunk"}, {NULL}};
    struct source source = {.in = in};
    struct value values[2];
    int64_t per_chunk = 1;
    if (!args_bind(in, &SPEC, args, values) ||
        !args_str(in, values[0], "chunk_by_code() doc", &source.doc) ||
        !args_int(in, values[1], &per_chunk))
        return false;
    if (per_chunk < 1)
        return exception_raise(in, &exception_value,
                               "chunk_by_code() functions_per_chunk must be at least 1");
    if (!open_source(&source, SPEC.function))
        return false;
    *out = value_list(source.out);
    if (!source.tree)
        return true;
    const bool fine = each_child(&source, ts_tree_root_node(source.tree), visit_top);
    ts_tree_delete(source.tree);
    struct list *pieces = fine ? group(&source, per_chunk) : NULL;
    *out = value_list(pieces);
    return pieces != NULL;
}

/* ---- chunk_by_function_and_class ---- */

/* Statements in which a module's import may stand. */
static bool can_hold_import(TSNode node)
{
    static const char *const types[] = {
        "module",         "block",         "if_statement",    "elif_clause",
        "else_clause",    "try_statement", "except_clause",   "finally_clause",
        "with_statement", "for_statement", "while_statement", "except_group_clause"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (node_is(node, types[i]))
            return true;
    return false;
}

static bool is_import(TSNode node)
{
    return node_is(node, "import_statement") || node_is(node, "import_from_statement") ||
           node_is(node, "future_import_statement");
}

/* Adds an import that is not among those seen yet. */
static bool add_import(struct source *source, TSNode node, struct dict *seen,
                       struct str_builder *b)
{
    struct dict_entry *entry = NULL;
    struct str *line =
        str_span(source->in, source->doc, ts_node_start_byte(node), ts_node_end_byte(node));
    if (!line || !dict_find(source->in, seen, value_str(line), &entry) ||
        (!entry && !dict_set(source->in, seen, value_str(line), value_none())))
        return false;
    if (entry)
        return true;
    str_builder_add(b, str_text(line));
    str_builder_byte(b, '\n');
    return !b->failed;
}

/* Collects the imports outside functions and classes, each once. One cursor walks: a module's
 * blocks may be nested deeper than C can be called. */
static bool find_imports(struct source *source)
{
    struct dict *seen = dict_new(source->in);
    struct str_builder b = {.in = source->in};
    TSTreeCursor cursor = ts_tree_cursor_new(ts_tree_root_node(source->tree));
    bool fine = seen != NULL, more = true;
    while (fine && more) {
        const TSNode node = ts_tree_cursor_current_node(&cursor);
        fine = interp_charge(source->in, 1) &&
               (!is_import(node) || add_import(source, node, seen, &b));
        if (can_hold_import(node) && ts_tree_cursor_goto_first_child(&cursor))
            continue;
        while (more && !ts_tree_cursor_goto_next_sibling(&cursor))
            more = ts_tree_cursor_goto_parent(&cursor);
    }
    ts_tree_cursor_delete(&cursor);
    if (b.size > 0)
        str_builder_byte(&b, '\n');
    source->imports = (struct text){b.data, b.size};
    return fine && !b.failed;
}

/* The imports, the head of a class where there is one, and then text. */
static bool push_piece(struct source *source, struct text head, struct text text)
{
    struct str_builder b = {.in = source->in};
    str_builder_add(&b, source->imports);
    str_builder_add(&b, head);
    if (head.size > 0)
        str_builder_byte(&b, '\n');
    str_builder_add(&b, text);
    struct str *piece = str_builder_str(&b);
    return piece && list_push(source->in, source->out, value_str(piece));
}

/* Adds lines to the outline, but for those that it has. */
static bool outline_add(struct source *source, struct text lines)
{
    const size_t begin = (size_t)(lines.data - source->doc->data);
    if (begin < source->outlined)
        return true;
    str_builder_byte(&source->outline, '\n');
    str_builder_add(&source->outline, lines);
    source->outlined = begin + lines.size;
    return !source->outline.failed;
}

static bool visit_member(struct source *source, TSNode node)
{
    const TSNode definition = undecorated(node);
    if (node_is(definition, "function_definition"))
        return push_piece(source, source->head, function_lines(source->doc, node)) &&
               outline_add(source, head_lines(source->doc, definition));
    if (node_is(node, "expression_statement") && node_is(ts_node_child(node, 0), "assignment"))
        return outline_add(source, function_lines(source->doc, node));
    return true;
}

static bool visit_class(struct source *source, TSNode node)
{
    const struct text lines = head_lines(source->doc, node);
    source->head = text_trim(lines);
    source->outline = (struct str_builder){.in = source->in};
    source->outlined = (size_t)(lines.data - source->doc->data) + lines.size;
    str_builder_add(&source->outline, source->head);
    return each_child(source, body_of(node), visit_member) &&
           push_piece(source, TEXT(""),
                      (struct text){source->outline.data, source->outline.size});
}

static bool visit_definition(struct source *source, TSNode node)
{
    const TSNode definition = undecorated(node);
    if (node_is(definition, "class_definition"))
        return visit_class(source, definition);
    if (!node_is(definition, "function_definition"))
        return true;
    if (source->imports.size == 0)
        return push_function(source, node);
    return push_piece(source, TEXT(""), function_lines(source->doc, node));
}

static bool by_function_and_class(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"chunk_by_function_and_class", 1, 1, {"doc"}, {NULL}};
    struct source source = {.in = in};
    struct value values[1];
    if (!args_bind(in, &SPEC, args, values) ||
        !args_str(in, values[0], "chunk_by_function_and_class() doc", &source.doc) ||
        !open_source(&source, SPEC.function))
        return false;
    *out = value_list(source.out);
    if (!source.tree)
        return true;
    const bool fine = find_imports(&source) &&
                      each_child(&source, ts_tree_root_node(source.tree), visit_definition);
    ts_tree_delete(source.tree);
    return fine;
}

const struct modules_member chunk_code_table[] = {
    {.name = "chunk_by_code", .call = by_code},
    {.name = "chunk_by_function_and_class", .call = by_function_and_class},
    {.name = NULL},
};
