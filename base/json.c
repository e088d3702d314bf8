/*
 * json - see json.h: cJSON's tree behind the strict pre-scan.
 *
 * cJSON keeps a number as a double, which loses integers past 2^53, and refuses numbers of
 * more than 63 characters, which RFC 8259 allows. So the numbers are ours: after cJSON has
 * built the tree, tree and source are walked side by side, number for number, and a number
 * that is not a short plain integer keeps a copy of its own text in valuestring, a field that
 * cJSON frees with the node and uses for strings only. Numbers too long for cJSON are blanked
 * to 0 in the copy that it reads.
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

/* The next number at or after *at in checked source; false when there is none left. */
static bool next_number(struct text source, size_t *at, struct text *number)
{
    bool in_string = false;
    for (; *at < source.size; ++*at) {
        const char c = source.data[*at];
        if (in_string && c == '\\')
            ++*at;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '-' || (c >= '0' && c <= '9')))
            break;
    }
    const size_t begin = *at;
    while (*at < source.size && memchr("+-.0123456789Ee", source.data[*at], 15))
        ++*at;
    *number = text_slice(source, begin, *at);
    return number->size > 0;
}

/* Whether the double that cJSON read says all of the number. */
static bool number_is_exact(struct text number)
{
    return number.size <= EXACT_DIGITS && !memchr(number.data, '.', number.size) &&
           !memchr(number.data, 'e', number.size) && !memchr(number.data, 'E', number.size);
}

static bool keep_text(cJSON *node, struct text number)
{
    char *copy = cJSON_malloc(number.size + 1);
    if (!copy)
        return false;
    memcpy(copy, number.data, number.size);
    copy[number.size] = '\0';
    node->valuestring = copy;
    node->valuedouble = strtod(copy, NULL);
    return true;
}

struct walk {
    struct text source;
    size_t at;
};

/* Tree and source hold the same numbers in the same order. Nesting is capped by the scan. */
static bool keep_numbers(cJSON *node, struct walk *walk)
{
    for (; node; node = node->next) {
        struct text number;
        if (cJSON_IsNumber(node) && (!next_number(walk->source, &walk->at, &number) ||
                                     (!number_is_exact(number) && !keep_text(node, number))))
            return false;
        if (!keep_numbers(node->child, walk))
            return false;
    }
    return true;
}

/* A copy of source in which numbers too long for cJSON read 0. */
static bool blank_long_numbers(struct text source, struct text_buf *copy)
{
    size_t at = 0;
    struct text number;
    text_buf_add(copy, source);
    while (!copy->failed && next_number(source, &at, &number)) {
        if (number.size <= CJSON_NUMBER_MAX)
            continue;
        char *begin = copy->data + (number.data - source.data);
        memset(begin, ' ', number.size);
        begin[0] = '0';
    }
    return !copy->failed;
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
    if (!tree || !keep_numbers(tree, &walk)) {
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
    *out = text_of(node_of(value)->valuestring);
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
