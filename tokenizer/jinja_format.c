/* jinja_format - see jinja_format.h. */
#include "tokenizer/jinja_format.h"

#include "tokenizer/jinja_print.h"
#include "tokenizer/jinja_string.h"
#include "tokenizer/jinja_value.h"

#include <math.h>
#include <stdio.h>

enum { REAL_BYTES_MAX = 336, DECIMALS = 6 };        /* the greatest double has 309 digits */
static const double WHOLE_MAX = 9007199254740992.0; /* integers are exact below 2^53 */

/* The value as a whole number, as %d has it: a real one loses its fraction. */
static enum status put_whole(struct jinja *jinja, const struct jinja_value *value,
                             struct jinja_builder *out)
{
    int64_t integer;
    if (!jinja_value_integer(value, &integer)) {
        if (value->kind != JINJA_FLOAT || !(fabs(value->real) < WHOLE_MAX))
            JINJA_FAIL(jinja, ERR_FORMAT, "a %%d of %s", jinja_value_type(value));
        integer = (int64_t)value->real;
    }
    const struct jinja_value whole = jinja_value_int(integer);
    return jinja_print_str(jinja, &whole, out);
}

static enum status put_real(struct jinja *jinja, const struct jinja_value *value, int decimals,
                            struct jinja_builder *out)
{
    char digits[REAL_BYTES_MAX];
    if (!jinja_value_is_number(value))
        JINJA_FAIL(jinja, ERR_FORMAT, "a %%f of %s", jinja_value_type(value));
    (void)snprintf(digits, sizeof digits, "%.*f", decimals, jinja_value_number(value));
    jinja_string_add_text(out, text_of(digits), false);
    return OK;
}

/* A place that begins at *at, behind its percent sign, which is left at its end. */
static enum status put(struct jinja *jinja, struct text format, size_t *at,
                       const struct jinja_value *value, struct jinja_builder *out)
{
    const size_t begin = *at - 1;
    int decimals = DECIMALS;
    const bool has_point = format.data[*at] == '.';
    if (has_point && *at + 2 < format.size && format.data[*at + 1] >= '0' &&
        format.data[*at + 1] <= '9') {
        decimals = format.data[*at + 1] - '0';
        *at += 2;
    }
    const char type = format.data[(*at)++];
    if (type == 'f')
        return put_real(jinja, value, decimals, out);
    if (!has_point && type == 's')
        return jinja_print_str(jinja, value, out);
    if (!has_point && (type == 'd' || type == 'i'))
        return put_whole(jinja, value, out);
    JINJA_FAIL(jinja, ERR_LIMIT, "the place '%.*s' of a format is not known here",
               TEXT_ARG(text_slice(format, begin, *at)));
}

enum status jinja_format(struct jinja *jinja, struct jinja_string format,
                         const struct jinja_list *values, struct jinja_value *result)
{
    const struct text text = jinja_string_text(format);
    struct jinja_builder out = {.arena = jinja->arena};
    uint32_t used = 0;
    for (size_t at = 0; at < text.size;) {
        size_t end = text_find(text, TEXT("%"), at);
        end = end < text.size ? end : text.size;
        jinja_string_add(&out, jinja_string_slice(format, at, end));
        at = end + 1;
        if (end == text.size)
            break;
        if (at == text.size)
            JINJA_FAIL(jinja, ERR_FORMAT, "%s", "a format ends in %");
        if (text.data[at] == '%') {
            jinja_string_add(&out, jinja_string_slice(format, at, at + 1));
            at++;
            continue;
        }
        if (used == values->count)
            JINJA_FAIL(jinja, ERR_FORMAT, "a format has more places than its %u values",
                       values->count);
        TRY(put(jinja, text, &at, &values->items[used++], &out));
    }
    if (used < values->count)
        JINJA_FAIL(jinja, ERR_FORMAT, "a format has %u places for %u values", used,
                   values->count);
    return jinja_string_take(jinja, &out, result);
}
