/*
 * syntax - the concrete syntax tree of a program, as the grammar sees it.
 *
 * parse makes it from Tree-sitter's tree, lower reads it. Only parse.c knows Tree-sitter, so
 * that lowering can be tested and fuzzed by itself. Comments are left out.
 */
#ifndef DSL_SYNTAX_H
#define DSL_SYNTAX_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Grammar node kinds that have a meaning here; all others are SYNTAX_OTHER or SYNTAX_TOKEN. */
#define SYNTAX_KINDS(X)                                                                        \
    X(MODULE, "module")                                                                        \
    X(BLOCK, "block")                                                                          \
    X(EXPRESSION_STATEMENT, "expression_statement")                                            \
    X(RETURN, "return_statement")                                                              \
    X(IF, "if_statement")                                                                      \
    X(ELIF, "elif_clause")                                                                     \
    X(ELSE, "else_clause")                                                                     \
    X(FOR, "for_statement")                                                                    \
    X(WHILE, "while_statement")                                                                \
    X(TRY, "try_statement")                                                                    \
    X(EXCEPT, "except_clause")                                                                 \
    X(FINALLY, "finally_clause")                                                               \
    X(FUNCTION, "function_definition")                                                         \
    X(CLASS, "class_definition")                                                               \
    X(DECORATED, "decorated_definition")                                                       \
    X(WITH, "with_statement")                                                                  \
    X(MATCH, "match_statement")                                                                \
    X(IMPORT, "import_statement")                                                              \
    X(IMPORT_FROM, "import_from_statement")                                                    \
    X(FUTURE_IMPORT, "future_import_statement")                                                \
    X(WILDCARD_IMPORT, "wildcard_import")                                                      \
    X(ALIASED_IMPORT, "aliased_import")                                                        \
    X(DOTTED_NAME, "dotted_name")                                                              \
    X(PASS, "pass_statement")                                                                  \
    X(BREAK, "break_statement")                                                                \
    X(CONTINUE, "continue_statement")                                                          \
    X(RAISE, "raise_statement")                                                                \
    X(ASSERT, "assert_statement")                                                              \
    X(GLOBAL, "global_statement")                                                              \
    X(NONLOCAL, "nonlocal_statement")                                                          \
    X(DELETE, "delete_statement")                                                              \
    X(ASSIGNMENT, "assignment")                                                                \
    X(AUGMENTED, "augmented_assignment")                                                       \
    X(IDENTIFIER, "identifier")                                                                \
    X(INTEGER, "integer")                                                                      \
    X(FLOAT, "float")                                                                          \
    X(STRING, "string")                                                                        \
    X(STRING_START, "string_start")                                                            \
    X(STRING_CONTENT, "string_content")                                                        \
    X(STRING_END, "string_end")                                                                \
    X(INTERPOLATION, "interpolation")                                                          \
    X(FORMAT_SPECIFIER, "format_specifier")                                                    \
    X(FORMAT_EXPRESSION, "format_expression")                                                  \
    X(TYPE_CONVERSION, "type_conversion")                                                      \
    X(CONCATENATED, "concatenated_string")                                                     \
    X(TRUE, "true")                                                                            \
    X(FALSE, "false")                                                                          \
    X(NONE, "none")                                                                            \
    X(ELLIPSIS, "ellipsis")                                                                    \
    X(LIST, "list")                                                                            \
    X(TUPLE, "tuple")                                                                          \
    X(DICTIONARY, "dictionary")                                                                \
    X(PAIR, "pair")                                                                            \
    X(SET, "set")                                                                              \
    X(LIST_COMPREHENSION, "list_comprehension")                                                \
    X(DICT_COMPREHENSION, "dictionary_comprehension")                                          \
    X(SET_COMPREHENSION, "set_comprehension")                                                  \
    X(GENERATOR, "generator_expression")                                                       \
    X(FOR_IN, "for_in_clause")                                                                 \
    X(IF_CLAUSE, "if_clause")                                                                  \
    X(BINARY, "binary_operator")                                                               \
    X(UNARY, "unary_operator")                                                                 \
    X(NOT, "not_operator")                                                                     \
    X(BOOLEAN, "boolean_operator")                                                             \
    X(COMPARISON, "comparison_operator")                                                       \
    X(LAMBDA, "lambda")                                                                        \
    X(CONDITIONAL, "conditional_expression")                                                   \
    X(NAMED, "named_expression")                                                               \
    X(ATTRIBUTE, "attribute")                                                                  \
    X(SUBSCRIPT, "subscript")                                                                  \
    X(SLICE, "slice")                                                                          \
    X(CALL, "call")                                                                            \
    X(ARGUMENTS, "argument_list")                                                              \
    X(KEYWORD_ARGUMENT, "keyword_argument")                                                    \
    X(LIST_SPLAT, "list_splat")                                                                \
    X(DICT_SPLAT, "dictionary_splat")                                                          \
    X(PARENTHESIZED, "parenthesized_expression")                                               \
    X(PARENTHESIZED_SPLAT, "parenthesized_list_splat")                                         \
    X(AWAIT, "await")                                                                          \
    X(YIELD, "yield")                                                                          \
    X(PATTERN_LIST, "pattern_list")                                                            \
    X(TUPLE_PATTERN, "tuple_pattern")                                                          \
    X(LIST_PATTERN, "list_pattern")                                                            \
    X(LIST_SPLAT_PATTERN, "list_splat_pattern")                                                \
    X(DICT_SPLAT_PATTERN, "dictionary_splat_pattern")                                          \
    X(EXPRESSION_LIST, "expression_list")                                                      \
    X(PARAMETERS, "parameters")                                                                \
    X(LAMBDA_PARAMETERS, "lambda_parameters")                                                  \
    X(DEFAULT_PARAMETER, "default_parameter")                                                  \
    X(TYPED_PARAMETER, "typed_parameter")                                                      \
    X(TYPED_DEFAULT_PARAMETER, "typed_default_parameter")                                      \
    X(KEYWORD_SEPARATOR, "keyword_separator")                                                  \
    X(POSITIONAL_SEPARATOR, "positional_separator")                                            \
    X(AS_PATTERN, "as_pattern")                                                                \
    X(AS_PATTERN_TARGET, "as_pattern_target")                                                  \
    X(TYPE, "type")

#define SYNTAX_ENUM_(symbol, name) SYNTAX_##symbol,
enum syntax_kind { SYNTAX_KINDS(SYNTAX_ENUM_) SYNTAX_OTHER, SYNTAX_TOKEN };
#undef SYNTAX_ENUM_

struct syntax {
    enum syntax_kind kind;
    int32_t line;      /* 1-based */
    const char *name;  /* as the grammar calls it; a token is called by its own text */
    const char *field; /* its role in the parent, or NULL */
    struct text text;  /* the source it covers */
    const struct syntax *first, *next;
};

#endif
