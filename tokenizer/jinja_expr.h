/* jinja_expr - parses the expressions of the template language, from tokens to nodes. */
#ifndef TOKENIZER_JINJA_EXPR_H
#define TOKENIZER_JINJA_EXPR_H

#include "tokenizer/jinja_lex.h"

struct jinja_parser {
    struct jinja *jinja;
    const struct jinja_token *token; /* the next one */
};

/* What every part of the parser needs. */
MUST_USE enum status jinja_expr_node(struct jinja_parser *parser, enum jinja_node_kind kind,
                                     struct jinja_node **node);
MUST_USE enum status jinja_expr_unexpected(struct jinja_parser *parser, const char *wanted);
/* Whether the next token is that name, that sign; skip: and goes past it when it is. */
bool jinja_expr_is_name(const struct jinja_parser *parser, const char *name);
bool jinja_expr_is_sign(const struct jinja_parser *parser, const char *sign);
bool jinja_expr_skip_name(struct jinja_parser *parser, const char *name);
bool jinja_expr_skip_sign(struct jinja_parser *parser, const char *sign);
/* Goes past any name, into *name. */
MUST_USE enum status jinja_expr_name(struct jinja_parser *parser, struct text *name);
MUST_USE enum status jinja_expr_sign(struct jinja_parser *parser, const char *sign);

/* An expression; with_if: `a if b else c` counts as one. */
MUST_USE enum status jinja_expr_parse(struct jinja_parser *parser, bool with_if,
                                      struct jinja_node **node);
/* The same, and commas make a tuple. */
MUST_USE enum status jinja_expr_tuple(struct jinja_parser *parser, bool with_if,
                                      struct jinja_node **node);
/* What stands left of `=` or `in`: a name, a member of one, or several with commas. */
MUST_USE enum status jinja_expr_target(struct jinja_parser *parser, struct jinja_node **node);
/* `| filter | filter` around *node, when there are any. */
MUST_USE enum status jinja_expr_filters(struct jinja_parser *parser, struct jinja_node **node);
/* One filter's name and arguments, around *node. */
MUST_USE enum status jinja_expr_filter(struct jinja_parser *parser, struct jinja_node **node);

#endif
