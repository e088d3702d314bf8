/* json_part - see json_part.h. */
#include "tokenizer/json_part.h"

struct text json_part_type(const struct json *part)
{
    struct text type = TEXT("");
    (void)json_text(json_get(part, "type"), &type);
    return type;
}

bool json_part_is(const struct json *part, const char *type)
{
    return text_equal(json_part_type(part), text_of(type));
}

bool json_part_flag(const struct json *object, const char *name, bool fallback)
{
    bool value = fallback;
    (void)json_bool(json_get(object, name), &value);
    return value;
}

bool json_part_equal(const struct json *value, const char *text)
{
    struct text found;
    return json_text(value, &found) && text_equal(found, text_of(text));
}

/* Where parts go. */
struct part_list {
    const struct json **parts;
    uint32_t max, count;
};

/* Sequences may stand inside one another: as deep as JSON itself may. */
static bool add_parts(struct part_list *list, const struct json *part, const char *members)
{
    if (!json_part_is(part, "Sequence")) {
        if (list->count == list->max)
            return false;
        list->parts[list->count++] = part;
        return true;
    }
    for (const struct json *at = json_first(json_get(part, members)); at; at = json_next(at)) {
        if (!add_parts(list, at, members))
            return false;
    }
    return true;
}

bool json_part_list(const struct json *part, const char *members, const struct json **parts,
                    uint32_t max, uint32_t *count)
{
    struct part_list list = {parts, max, 0};
    const bool fits = json_type(part) == JSON_NULL || add_parts(&list, part, members);
    *count = list.count;
    return fits;
}

enum status json_part_refuse(const char *what, struct text name, struct error *err)
{
    char shown[64];
    size_t size = 0;
    for (; size < name.size && size + 1 < sizeof shown; size++)
        shown[size] = name.data[size] >= ' ' && name.data[size] < 0x7f ? name.data[size] : '?';
    shown[size] = '\0';
    FAIL(err, ERR_LIMIT, "tokenizer.json: %s %s is not supported", what, shown);
}
