/*
 * json - see json.h: cJSON's tree behind the strict pre-scan.
 *
 * cJSON keeps a number as a double, which loses integers past 2^53, and refuses numbers of
 * more than 63 characters, which RFC 8259 allows. So scalars are ours: after cJSON has
 * built the tree, tree and source are walked side by side, scalar for scalar, and a number
 * that is not a short plain integer keeps a copy of its own text in valuestring, a field that
 * cJSON frees with the node and uses for strings only. Numbers too long for cJSON are blanked
 * to 0 in the copy that it reads. Likewise the size of a string that contains \u0000, which
 * NUL-terminated strings lose, is kept in valuedouble, which cJSON uses for numbers only.
 */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXACT_DIGITS = 15,     /* a plain integer of so many characters is exact as a double */
    CJSON_NUMBER_MAX = 60, /* cJSON reads at most 63 characters of a number */
};

static const cJSON *node_of(const struct json *value)
{
    return (const cJSON *)value;
}

static const struct json *value_of(const cJSON *node)
{
    return (const struct json *)node;
}

/* Checked source, and how far a walk over its scalars has come. */
struct walk {
    struct text source;
    size_t at;
};

/* The next string (a name too), quotes and all, or number; empty when there is none left. */
static struct text next_scalar(struct walk *walk)
{
    const struct text source = walk->source;
    while (walk->at < source.size && !memchr("\"-0123456789", source.data[walk->at], 12))
        walk->at++;
    const size_t begin = walk->at;
    if (begin == source.size)
        return (struct text){0};
    if (source.data[begin] == '"') {
        while (source.data[++walk->at] != '"')
            walk->at += source.data[walk->at] == '\\';
        walk->at++;
    } else {
        while (walk->at < source.size && memchr("+-.0123456789Ee", source.data[walk->at], 15))
            walk->at++;
    }
    return text_slice(source, begin, walk->at);
}

static bool is_number(struct text scalar)
{
    return scalar.size > 0 && scalar.data[0] != '"';
}

/* Whether the double that cJSON read says all of the number. */
static bool number_is_exact(struct text number)
{
    return number.size <= EXACT_DIGITS && !memchr(number.data, '.', number.size) &&
           !memchr(number.data, 'e', number.size) && !memchr(number.data, 'E', number.size);
}

static bool keep_number(cJSON *node, struct text number)
{
    if (number_is_exact(number))
        return true;
    char *copy = cJSON_malloc(number.size + 1);
    if (!copy)
        return false;
    memcpy(copy, number.data, number.size);
    copy[number.size] = '\0';
    node->valuestring = copy;
    node->valuedouble = strtod(copy, NULL);
    return true;
}

/* Code unit of the escape \uXXXX at escape. */
static uint32_t escape_unit(const char *escape)
{
    char digits[5] = {0};
    memcpy(digits, escape + 2, 4);
    return (uint32_t)strtoul(digits, NULL, 16);
}

/* Bytes that a string of the source stands for. */
static size_t decoded_size(struct text string)
{
    size_t size = 0;
    for (size_t at = 1; at + 1 < string.size;) {
        const char *c = string.data + at;
        char utf8[4];
        if (c[0] != '\\' || c[1] != 'u') {
            at += c[0] == '\\' ? 2 : 1;
            size++;
            continue;
        }
        const uint32_t unit = escape_unit(c);
        const bool is_pair = unit >= 0xd800 && unit <= 0xdfff;
        at += is_pair ? 12 : 6;
        size += is_pair ? 4 : text_utf8_put(unit, utf8);
    }
    return size;
}

static bool has_nul(struct text string)
{
    return text_find(string, TEXT("\\u0000"), 0) != SIZE_MAX;
}

/* A string with \u0000 in it: cJSON decodes all of it, only its size is lost. */
static void keep_size(cJSON *node, struct text string)
{
    if (has_nul(string))
        node->valuedouble = (double)decoded_size(string);
}

/* In a name, NUL becomes 0xff: no UTF-8, so that no name asked for can be mistaken for it. */
static void keep_name(char *name, struct text string)
{
    const size_t size = has_nul(string) ? decoded_size(string) : 0;
    for (size_t i = 0; i < size; i++) {
        if (name[i] == '\0')
            name[i] = '\xff';
    }
}

/* Tree and source hold the same scalars in the same order. Nesting is capped by the scan. */
static bool keep_scalars(cJSON *node, struct walk *walk)
{
    for (; node; node = node->next) {
        if (node->string)
            keep_name(node->string, next_scalar(walk));
        if (cJSON_IsString(node))
            keep_size(node, next_scalar(walk));
        if (cJSON_IsNumber(node) && !keep_number(node, next_scalar(walk)))
            return false;
        if (!keep_scalars(node->child, walk))
            return false;
    }
    return true;
}

/* A copy of source in which numbers too long for cJSON read 0. */
static bool blank_long_numbers(struct text source, struct text_buf *copy)
{
    struct walk walk = {.source = source};
    text_buf_add(copy, source);
    while (!copy->failed) {
        const struct text scalar = next_scalar(&walk);
        if (scalar.size == 0)
            return true;
        if (!is_number(scalar) || scalar.size <= CJSON_NUMBER_MAX)
            continue;
        char *begin = copy->data + (scalar.data - source.data);
        memset(begin, ' ', scalar.size);
        begin[0] = '0';
    }
    return false;
}

enum status json_parse(struct text source, size_t size_max, struct json **root,
                       struct error *err)
{
    *root = NULL;
    if (size_max != 0 && source.size > size_max)
        FAIL(err, ERR_LIMIT, "JSON: %zu bytes, at most %zu are taken", source.size, size_max);
    TRY(json_check(source, err));

    struct text_buf copy = {0};
    cJSON *tree = NULL;
    if (blank_long_numbers(source, &copy))
        tree = cJSON_ParseWithLength(copy.data, copy.size);
    text_buf_deinit(&copy);
    struct walk walk = {.source = source};
    if (!tree || !keep_scalars(tree, &walk)) {
        cJSON_Delete(tree);
        FAIL(err, ERR_MEMORY, "JSON: no memory for the tree of %zu bytes", source.size);
    }
    *root = (struct json *)tree;
    return OK;
}

void json_free(struct json *root)
{
    cJSON_Delete((cJSON *)root);
}

enum json_type json_type(const struct json *value)
{
    const cJSON *node = node_of(value);
    if (cJSON_IsBool(node))
        return JSON_BOOL;
    if (cJSON_IsNumber(node))
        return JSON_NUMBER;
    if (cJSON_IsString(node))
        return JSON_STRING;
    if (cJSON_IsArray(node))
        return JSON_ARRAY;
    return cJSON_IsObject(node) ? JSON_OBJECT : JSON_NULL;
}

const struct json *json_get(const struct json *object, const char *key)
{
    if (!cJSON_IsObject(node_of(object)))
        return NULL;
    return value_of(cJSON_GetObjectItemCaseSensitive(node_of(object), key));
}

const struct json *json_first(const struct json *array_or_object)
{
    return array_or_object ? value_of(node_of(array_or_object)->child) : NULL;
}

const struct json *json_next(const struct json *value)
{
    return value ? value_of(node_of(value)->next) : NULL;
}

size_t json_count(const struct json *array_or_object)
{
    size_t count = 0;
    for (const struct json *v = json_first(array_or_object); v; v = json_next(v))
        count++;
    return count;
}

struct text json_key(const struct json *member)
{
    return text_of(member ? node_of(member)->string : NULL);
}

bool json_text(const struct json *value, struct text *out)
{
    if (!cJSON_IsString(node_of(value)))
        return false;
    const size_t size = (size_t)node_of(value)->valuedouble;
    *out = text_of(node_of(value)->valuestring);
    if (size > 0)
        out->size = size;
    return true;
}

bool json_double(const struct json *value, double *out)
{
    if (!cJSON_IsNumber(node_of(value)) || !isfinite(node_of(value)->valuedouble))
        return false;
    *out = node_of(value)->valuedouble;
    return true;
}

bool json_i64(const struct json *value, int64_t *out)
{
    if (!cJSON_IsNumber(node_of(value)))
        return false;
    const char *own = node_of(value)->valuestring;
    if (!own) {
        *out = (int64_t)node_of(value)->valuedouble;
        return true;
    }
    char *end;
    errno = 0;
    const long long number = strtoll(own, &end, 10);
    if (errno != 0)
        return false;
    if (*end == '.')
        end += 1 + strspn(end + 1, "0"); /* 3.0 is the integer 3 */
    if (*end != '\0')
        return false;
    *out = number;
    return true;
}

bool json_bool(const struct json *value, bool *out)
{
    if (!cJSON_IsBool(node_of(value)))
        return false;
    *out = cJSON_IsTrue(node_of(value));
    return true;
}

bool json_number_text(const struct json *value, struct text *out)
{
    if (!cJSON_IsNumber(node_of(value)) || !node_of(value)->valuestring)
        return false;
    *out = text_of(node_of(value)->valuestring);
    return true;
}
