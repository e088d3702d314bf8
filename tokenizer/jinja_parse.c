/* jinja_parse - see jinja_parse.h. */
#include "tokenizer/jinja_parse.h"

#include "tokenizer/jinja_expr.h"
#include "tokenizer/jinja_value.h"

/* Statements until one of these (NULL-ended) begins a tag; the parser then stands at that
 * name. */
static enum status statements(struct jinja_parser *parser, const char *const *ends,
                              struct jinja_node **first);

static enum status block_end(struct jinja_parser *parser)
{
    if (parser->token->kind != JINJA_TOKEN_BLOCK_END)
        return jinja_expr_unexpected(parser, "the end of the tag");
    parser->token++;
    return OK;
}

/* The rest of a tag's body: its statements and the closing tag. */
static enum status body(struct jinja_parser *parser, const char *end, struct jinja_node **first)
{
    const char *const ends[] = {end, NULL};
    TRY(block_end(parser));
    TRY(statements(parser, ends, first));
    parser->token++;
    return block_end(parser);
}

/* if and elif: the test, the body, and what follows it. */
static enum status if_statement(struct jinja_parser *parser, struct jinja_node *node)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    node->kind = JINJA_NODE_IF;
    for (;;) {
        TRY(jinja_expr_tuple(parser, false, &node->child[0]));
        TRY(block_end(parser));
        TRY(statements(parser, ends, &node->child[1]));
        if (!jinja_expr_skip_name(parser, "elif"))
            break;
        TRY(jinja_expr_node(parser, JINJA_NODE_IF, &node->child[2]));
        node = node->child[2];
    }
    if (jinja_expr_skip_name(parser, "else"))
        return body(parser, "endif", &node->child[2]);
    parser->token++;
    return block_end(parser);
}

static enum status for_statement(struct jinja_parser *parser, struct jinja_node *node)
{
    static const char *const ends[] = {"else", "endfor", NULL};
    node->kind = JINJA_NODE_FOR;
    TRY(jinja_expr_target(parser, &node->child[0]));
    if (!jinja_expr_skip_name(parser, "in"))
        return jinja_expr_unexpected(parser, "in");
    TRY(jinja_expr_tuple(parser, false, &node->child[1]));
    if (jinja_expr_skip_name(parser, "if"))
        TRY(jinja_expr_parse(parser, true, &node->child[3]));
    if (jinja_expr_is_name(parser, "recursive")) {
        parser->jinja->line = parser->token->line;
        JINJA_FAIL(parser->jinja, ERR_LIMIT, "%s", "recursive loops are not known");
    }
    TRY(block_end(parser));
    TRY(statements(parser, ends, &node->child[2]));
    if (jinja_expr_skip_name(parser, "else"))
        return body(parser, "endfor", &node->child[4]);
    parser->token++;
    return block_end(parser);
}

static enum status set_statement(struct jinja_parser *parser, struct jinja_node *node)
{
    node->kind = JINJA_NODE_SET;
    TRY(jinja_expr_target(parser, &node->child[0]));
    if (jinja_expr_skip_sign(parser, "=")) {
        TRY(jinja_expr_tuple(parser, true, &node->child[1]));
        return block_end(parser);
    }
    node->kind = JINJA_NODE_SET_BLOCK;
    TRY(jinja_expr_node(parser, JINJA_NODE_BODY, &node->child[1]));
    TRY(jinja_expr_filters(parser, &node->child[1]));
    return body(parser, "endset", &node->child[2]);
}

/* (a, b=default) as ARGs: the name in text, the default in [0]. */
static enum status parameters(struct jinja_parser *parser, struct jinja_node **first)
{
    struct jinja_node **end = first;
    TRY(jinja_expr_sign(parser, "("));
    while (!jinja_expr_skip_sign(parser, ")")) {
        if (*first)
            TRY(jinja_expr_sign(parser, ","));
        TRY(jinja_expr_node(parser, JINJA_NODE_ARG, end));
        TRY(jinja_expr_name(parser, &(*end)->text));
        if (jinja_expr_skip_sign(parser, "="))
            TRY(jinja_expr_parse(parser, true, &(*end)->child[0]));
        end = &(*end)->next;
    }
    return OK;
}

static enum status macro_statement(struct jinja_parser *parser, struct jinja_node *node)
{
    node->kind = JINJA_NODE_MACRO;
    TRY(jinja_expr_name(parser, &node->text));
    TRY(parameters(parser, &node->child[0]));
    return body(parser, "endmacro", &node->child[1]);
}

static enum status call_statement(struct jinja_parser *parser, struct jinja_node *node)
{
    node->kind = JINJA_NODE_CALL_BLOCK;
    if (jinja_expr_is_sign(parser, "("))
        TRY(parameters(parser, &node->child[1]));
    TRY(jinja_expr_parse(parser, false, &node->child[0]));
    if (node->child[0]->kind != JINJA_NODE_CALL)
        return jinja_expr_unexpected(parser, "a call");
    return body(parser, "endcall", &node->child[2]);
}

static enum status filter_statement(struct jinja_parser *parser, struct jinja_node *node)
{
    node->kind = JINJA_NODE_FILTER_BLOCK;
    TRY(jinja_expr_node(parser, JINJA_NODE_BODY, &node->child[0]));
    TRY(jinja_expr_filter(parser, &node->child[0]));
    TRY(jinja_expr_filters(parser, &node->child[0]));
    return body(parser, "endfilter", &node->child[1]);
}

static enum status with_statement(struct jinja_parser *parser, struct jinja_node *node)
{
    struct jinja_node **end = &node->child[0];
    node->kind = JINJA_NODE_WITH;
    while (parser->token->kind != JINJA_TOKEN_BLOCK_END) {
        if (node->child[0])
            TRY(jinja_expr_sign(parser, ","));
        TRY(jinja_expr_node(parser, JINJA_NODE_SET, end));
        TRY(jinja_expr_target(parser, &(*end)->child[0]));
        TRY(jinja_expr_sign(parser, "="));
        TRY(jinja_expr_parse(parser, true, &(*end)->child[1]));
        end = &(*end)->next;
    }
    return body(parser, "endwith", &node->child[1]);
}

/* {% generation %} marks for training what the assistant said: as if the tags were not there,
 * which a scope of its own without names comes to. */
static enum status generation_statement(struct jinja_parser *parser, struct jinja_node *node)
{
    node->kind = JINJA_NODE_IF;
    TRY(jinja_expr_node(parser, JINJA_NODE_CONST, &node->child[0]));
    node->child[0]->value = jinja_value_bool(true);
    return body(parser, "endgeneration", &node->child[1]);
}

static enum status break_statement(struct jinja_parser *parser, struct jinja_node *node)
{
    node->kind = JINJA_NODE_BREAK;
    return block_end(parser);
}

static enum status continue_statement(struct jinja_parser *parser, struct jinja_node *node)
{
    node->kind = JINJA_NODE_CONTINUE;
    return block_end(parser);
}

static const struct {
    const char *name;
    enum status (*parse)(struct jinja_parser *parser, struct jinja_node *node);
} STATEMENTS[] = {
    {"if", if_statement},       {"for", for_statement},
    {"set", set_statement},     {"macro", macro_statement},
    {"call", call_statement},   {"filter", filter_statement},
    {"with", with_statement},   {"generation", generation_statement},
    {"break", break_statement}, {"continue", continue_statement},
};

/* One statement, whose tag was opened. */
static enum status statement(struct jinja_parser *parser, struct jinja_node **node)
{
    TRY(jinja_expr_node(parser, JINJA_NODE_TEXT, node));
    for (size_t i = 0; i < sizeof STATEMENTS / sizeof STATEMENTS[0]; i++) {
        if (jinja_expr_skip_name(parser, STATEMENTS[i].name))
            return STATEMENTS[i].parse(parser, *node);
    }
    parser->jinja->line = parser->token->line;
    JINJA_FAIL(parser->jinja, ERR_LIMIT, "the statement '%.*s' is not known here",
               TEXT_ARG(parser->token->text));
}

static bool is_end(const struct jinja_parser *parser, const char *const *ends)
{
    for (; *ends; ends++) {
        if (jinja_expr_is_name(parser, *ends))
            return true;
    }
    return false;
}

static enum status text_or_output(struct jinja_parser *parser, struct jinja_node **node)
{
    const struct jinja_token *token = parser->token++;
    TRY(jinja_expr_node(parser, JINJA_NODE_TEXT, node));
    (*node)->line = token->line;
    if (token->kind == JINJA_TOKEN_TEXT)
        return jinja_value_text(parser->jinja, token->text, true, &(*node)->value);
    (*node)->kind = JINJA_NODE_OUTPUT;
    TRY(jinja_expr_tuple(parser, true, &(*node)->child[0]));
    if (parser->token->kind != JINJA_TOKEN_OUTPUT_END)
        return jinja_expr_unexpected(parser, "the end of the tag");
    parser->token++;
    return OK;
}

static enum status statements(struct jinja_parser *parser, const char *const *ends,
                              struct jinja_node **first)
{
    struct jinja *jinja = parser->jinja;
    struct jinja_node **end = first;
    if (jinja->depth == JINJA_DEPTH_MAX)
        JINJA_FAIL(jinja, ERR_LIMIT, "nested deeper than %d", JINJA_DEPTH_MAX);
    jinja->depth++;
    while (parser->token->kind != JINJA_TOKEN_END) {
        if (parser->token->kind == JINJA_TOKEN_BLOCK_BEGIN) {
            parser->token++;
            if (is_end(parser, ends))
                break;
            TRY(statement(parser, end));
        } else {
            TRY(text_or_output(parser, end));
        }
        end = &(*end)->next;
    }
    if (*ends && parser->token->kind == JINJA_TOKEN_END)
        return jinja_expr_unexpected(parser, *ends);
    jinja->depth--;
    return OK;
}

enum status jinja_parse(struct jinja *jinja, struct text source, const struct jinja_node **body)
{
    static const char *const no_ends[] = {NULL};
    struct jinja_parser parser = {.jinja = jinja};
    struct jinja_node *first = NULL;
    TRY(jinja_lex(jinja, source, &parser.token));
    TRY(statements(&parser, no_ends, &first));
    *body = first;
    return OK;
}
