/*
 * jinja_lex - cuts a template into text and the tokens of its tags.
 *
 * White space around tags goes the way that trim_blocks and lstrip_blocks say: the line end
 * after a block or comment and the blanks before one on its line vanish; a minus sign in a tag
 * takes all white space on that side, a plus sign none.
 */
#ifndef TOKENIZER_JINJA_LEX_H
#define TOKENIZER_JINJA_LEX_H

#include "tokenizer/jinja.h"

enum jinja_token_kind {
    JINJA_TOKEN_TEXT,        /* outside of tags */
    JINJA_TOKEN_BLOCK_BEGIN, /* {% */
    JINJA_TOKEN_BLOCK_END,
    JINJA_TOKEN_OUTPUT_BEGIN, /* {{ */
    JINJA_TOKEN_OUTPUT_END,
    JINJA_TOKEN_NAME,
    JINJA_TOKEN_STRING, /* its text still has its escapes, not its quotes */
    JINJA_TOKEN_INT,
    JINJA_TOKEN_FLOAT,
    JINJA_TOKEN_SIGN, /* an operator or bracket */
    JINJA_TOKEN_END
};

struct jinja_token {
    enum jinja_token_kind kind;
    uint32_t line;
    struct text text; /* of the source */
};

/* All tokens of source, which must stay; the last is JINJA_TOKEN_END. ERR_FORMAT a tag or
 * string that does not end, a bracket out of place, a character that no token begins with;
 * ERR_LIMIT past JINJA_SOURCE_BYTES_MAX. */
MUST_USE enum status jinja_lex(struct jinja *jinja, struct text source,
                               const struct jinja_token **tokens);

#endif
