/*
 * format_spec - the mini-language behind the colon:
 * [[fill]align][sign][#][0][width][,][.precision][type].
 */
#ifndef DSL_FORMAT_SPEC_H
#define DSL_FORMAT_SPEC_H

#include "protocol/dsl/str.h"
#include "protocol/dsl/value.h"

enum { FORMAT_SPEC_WIDTH_MAX = INT32_MAX };

struct format_spec {
    uint32_t fill;
    char align; /* '<' '>' '^' '=' or 0 */
    char sign;  /* '+' '-' ' ' or 0 */
    bool alternate;
    bool drops_minus;  /* of what is a zero once rounded */
    int64_t width;     /* 0: none */
    char grouping;     /* ',' '_' or 0 */
    int64_t precision; /* -1: none */
    char type;         /* 0: none */
};

/* Decimal digits of any script, none too; *at moves behind them. ValueError past 64 bits. */
bool format_spec_number(struct interp *in, struct text text, size_t *at, int64_t *out);
/* ValueError for what is no spec; object is the type's name for the message. */
bool format_spec_parse(struct interp *in, struct text text, const char *object,
                       struct format_spec *spec);
/* object: int or bool, for messages */
bool format_spec_int(struct str_builder *b, const struct format_spec *spec, const char *object,
                     int64_t value);
bool format_spec_float(struct str_builder *b, const struct format_spec *spec, double value);
bool format_spec_str(struct str_builder *b, const struct format_spec *spec, struct str *str);
#endif
