/*
 * jinja_print - see jinja_print.h.
 *
 * Nesting of values is limited where they are made (jinja_value.c), so the recursion here is.
 */
#include "tokenizer/jinja_print.h"

#include "tokenizer/jinja_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 64, INDENT_MAX = 64 };

static void add(struct jinja_builder *out, const char *string)
{
    jinja_string_add_text(out, text_of(string), false);
}

static void add_int(struct jinja_builder *out, int64_t integer)
{
    char digits[NUMBER_BYTES];
    (void)snprintf(digits, sizeof digits, "%lld", (long long)integer);
    add(out, digits);
}

/* Python's repr: the shortest decimal that reads back as the same number. */
static void add_float(struct jinja_builder *out, double real)
{
    char digits[NUMBER_BYTES], shown[NUMBER_BYTES];
    if (isnan(real) || isinf(real)) {
        add(out, isnan(real) ? "nan" : real < 0 ? "-inf" : "inf");
        return;
    }
    int precision = 0;
    do {
        (void)snprintf(digits, sizeof digits, "%.*e", precision, real);
    } while (strtod(digits, NULL) != real && ++precision < 17);
    const int exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent >= 16) {
        add(out, digits);
        return;
    }
    const int decimals = precision - exponent;
    (void)snprintf(shown, sizeof shown, "%.*f", decimals > 1 ? decimals : 1, real);
    add(out, shown);
}

/* Python's repr of a string: single quotes, unless it has those and no double ones. */
static void add_repr(struct jinja_builder *out, struct text text)
{
    const bool has_single = text_find(text, TEXT("'"), 0) != SIZE_MAX;
    const bool has_double = text_find(text, TEXT("\""), 0) != SIZE_MAX;
    const char quote = has_single && !has_double ? '"' : '\'';
    jinja_string_add_text(out, (struct text){&quote, 1}, false);
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];
        char escaped[8];
        if (c == '\\' || c == quote)
            (void)snprintf(escaped, sizeof escaped, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t')
            (void)snprintf(escaped, sizeof escaped, "\\%c",
                           c == '\n'   ? 'n'
                           : c == '\r' ? 'r'
                                       : 't');
        else if ((uint8_t)c < 0x20 || c == 0x7f)
            (void)snprintf(escaped, sizeof escaped, "\\x%02x", (unsigned)(uint8_t)c);
        else
            (void)snprintf(escaped, sizeof escaped, "%c", c);
        add(out, escaped);
    }
    jinja_string_add_text(out, (struct text){&quote, 1}, false);
}

static enum status print(struct jinja *jinja, const struct jinja_value *value, bool quoted,
                         struct jinja_builder *out);

static enum status print_list(struct jinja *jinja, const struct jinja_value *value,
                              struct jinja_builder *out)
{
    const bool is_tuple = value->kind == JINJA_TUPLE;
    add(out, is_tuple ? "(" : "[");
    for (uint32_t i = 0; i < value->list->count; i++) {
        add(out, i > 0 ? ", " : "");
        TRY(print(jinja, &value->list->items[i], true, out));
    }
    add(out, is_tuple && value->list->count == 1 ? "," : "");
    add(out, is_tuple ? ")" : "]");
    return OK;
}

static enum status print_map(struct jinja *jinja, const struct jinja_map *map,
                             struct jinja_builder *out)
{
    add(out, "{");
    for (uint32_t i = 0; i < map->count; i++) {
        add(out, i > 0 ? ", " : "");
        TRY(print(jinja, &map->keys[i], true, out));
        add(out, ": ");
        TRY(print(jinja, &map->values[i], true, out));
    }
    add(out, "}");
    return OK;
}

static enum status print(struct jinja *jinja, const struct jinja_value *value, bool quoted,
                         struct jinja_builder *out)
{
    TRY(jinja_step(jinja, 0));
    switch (value->kind) {
    case JINJA_UNDEFINED:
        add(out, quoted ? "Undefined" : "");
        return OK;
    case JINJA_NONE:
        add(out, "None");
        return OK;
    case JINJA_BOOL:
        add(out, value->boolean ? "True" : "False");
        return OK;
    case JINJA_INT:
        add_int(out, value->integer);
        return OK;
    case JINJA_FLOAT:
        add_float(out, value->real);
        return OK;
    case JINJA_STRING:
        if (quoted)
            add_repr(out, jinja_string_text(value->string));
        else
            jinja_string_add(out, value->string);
        return OK;
    case JINJA_LIST:
    case JINJA_TUPLE:
        return print_list(jinja, value, out);
    case JINJA_MAP:
        return print_map(jinja, value->map, out);
    default:
        JINJA_FAIL(jinja, ERR_LIMIT, "a %s cannot be written", jinja_value_type(value));
    }
}

enum status jinja_print_str(struct jinja *jinja, const struct jinja_value *value,
                            struct jinja_builder *out)
{
    return print(jinja, value, false, out);
}

static void json_unit(struct jinja_builder *out, uint32_t unit)
{
    char escaped[8];
    (void)snprintf(escaped, sizeof escaped, "\\u%04x", unit & 0xffff);
    add(out, escaped);
}

static void json_string(struct jinja_builder *out, struct text text, bool ascii)
{
    static const char plain[] = "\"\\\n\r\t\b\f", letters[] = "\"\\nrtbf";
    add(out, "\"");
    for (size_t at = 0; at < text.size;) {
        const size_t begin = at;
        const uint32_t code_point = text_utf8_next(text, &at);
        const char *short_form =
            code_point > 0 && code_point < 0x80 ? strchr(plain, (int)code_point) : NULL;
        if (short_form) {
            const char escaped[] = {'\\', letters[short_form - plain], '\0'};
            add(out, escaped);
        } else if (code_point < 0x20 || (ascii && code_point > 0x7e && code_point < 0x10000)) {
            json_unit(out, code_point);
        } else if (ascii && code_point >= 0x10000 && code_point != UINT32_MAX) {
            json_unit(out, 0xd800 + ((code_point - 0x10000) >> 10));
            json_unit(out, 0xdc00 + ((code_point - 0x10000) & 0x3ff));
        } else {
            jinja_string_add_text(out, text_slice(text, begin, at), false);
        }
    }
    add(out, "\"");
}

/* A new line at that depth, when there is an indent. */
static void json_line(struct jinja_builder *out, const struct jinja_print_json *style,
                      uint32_t depth)
{
    if (style->indent < 0)
        return;
    add(out, "\n");
    for (int64_t i = 0; i < style->indent * depth; i++)
        add(out, " ");
}

/* Order in which the members of a map are written: as they are, or by key. */
static enum status json_order(struct jinja *jinja, const struct jinja_map *map, bool sort,
                              uint32_t **order)
{
    *order = JINJA_NEW(jinja, uint32_t, map->count);
    if (!*order)
        return jinja_full(jinja);
    for (uint32_t i = 0; i < map->count; i++) {
        uint32_t at = i;
        int sign;
        while (sort && at > 0 &&
               jinja_value_order(&map->keys[(*order)[at - 1]], &map->keys[i], &sign) &&
               sign > 0) {
            (*order)[at] = (*order)[at - 1];
            at--;
        }
        (*order)[at] = i;
        TRY(jinja_step(jinja, (size_t)(i - at) * sizeof **order));
    }
    return OK;
}

static enum status json(struct jinja *jinja, const struct jinja_value *value,
                        const struct jinja_print_json *style, uint32_t depth,
                        struct jinja_builder *out);

static enum status json_map(struct jinja *jinja, const struct jinja_map *map,
                            const struct jinja_print_json *style, uint32_t depth,
                            struct jinja_builder *out)
{
    uint32_t *order;
    TRY(json_order(jinja, map, style->sort_keys, &order));
    add(out, "{");
    for (uint32_t i = 0; i < map->count; i++) {
        const struct jinja_value *key = &map->keys[order[i]];
        if (i > 0)
            jinja_string_add_text(out, style->item_separator, false);
        json_line(out, style, depth + 1);
        if (key->kind == JINJA_STRING) {
            TRY(json(jinja, key, style, depth, out));
        } else { /* a number as a key is written as a string */
            add(out, "\"");
            TRY(json(jinja, key, style, depth, out));
            add(out, "\"");
        }
        jinja_string_add_text(out, style->key_separator, false);
        TRY(json(jinja, &map->values[order[i]], style, depth + 1, out));
    }
    if (map->count > 0)
        json_line(out, style, depth);
    add(out, "}");
    return OK;
}

static enum status json_list(struct jinja *jinja, const struct jinja_list *list,
                             const struct jinja_print_json *style, uint32_t depth,
                             struct jinja_builder *out)
{
    add(out, "[");
    for (uint32_t i = 0; i < list->count; i++) {
        if (i > 0)
            jinja_string_add_text(out, style->item_separator, false);
        json_line(out, style, depth + 1);
        TRY(json(jinja, &list->items[i], style, depth + 1, out));
    }
    if (list->count > 0)
        json_line(out, style, depth);
    add(out, "]");
    return OK;
}

static enum status json(struct jinja *jinja, const struct jinja_value *value,
                        const struct jinja_print_json *style, uint32_t depth,
                        struct jinja_builder *out)
{
    TRY(jinja_step(jinja, 0));
    switch (value->kind) {
    case JINJA_NONE:
        add(out, "null");
        return OK;
    case JINJA_BOOL:
        add(out, value->boolean ? "true" : "false");
        return OK;
    case JINJA_INT:
        add_int(out, value->integer);
        return OK;
    case JINJA_FLOAT:
        add_float(out, value->real);
        return OK;
    case JINJA_STRING:
        json_string(out, jinja_string_text(value->string), style->ascii);
        return OK;
    case JINJA_LIST:
    case JINJA_TUPLE:
        return json_list(jinja, value->list, style, depth, out);
    case JINJA_MAP:
        return json_map(jinja, value->map, style, depth, out);
    default:
        JINJA_FAIL(jinja, ERR_FORMAT, "tojson of a value that is %s", jinja_value_type(value));
    }
}

enum status jinja_print_json(struct jinja *jinja, const struct jinja_value *value,
                             const struct jinja_print_json *style, struct jinja_builder *out)
{
    if (style->indent > INDENT_MAX)
        JINJA_FAIL(jinja, ERR_LIMIT, "tojson with an indent of more than %d", INDENT_MAX);
    return json(jinja, value, style, 0, out);
}
