/* json_write - the writing half of json.h. */
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The comma that is due before a value or a name. */
static void begin_item(struct json_writer *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->has_item[w->depth])
        text_buf_byte(w->out, ',');
    w->has_item[w->depth] = true;
}

static void open_level(struct json_writer *w, char byte)
{
    begin_item(w);
    assert(w->depth + 1 < JSON_WRITER_DEPTH_MAX);
    w->has_item[++w->depth] = false;
    text_buf_byte(w->out, byte);
}

static void close_level(struct json_writer *w, char byte)
{
    assert(w->depth > 0 && !w->after_key);
    w->depth--;
    text_buf_byte(w->out, byte);
}

static void add_escape(struct text_buf *out, uint32_t c)
{
    static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; names[i]; i += 2) {
        if ((unsigned char)names[i] == c) {
            text_buf_format(out, "\\%c", names[i + 1]);
            return;
        }
    }
    text_buf_format(out, "\\u%04x", (unsigned)c);
}

static void add_string(struct text_buf *out, struct text value)
{
    size_t run = 0, at = 0; /* [run, at) is copied as it is */
    text_buf_byte(out, '"');
    while (at < value.size) {
        const size_t before = at;
        const uint32_t c = text_utf8_next(value, &at);
        if (c >= 0x20 && c != '"' && c != '\\' && c != UINT32_MAX)
            continue;
        text_buf_add(out, text_slice(value, run, before));
        run = at;
        if (c == UINT32_MAX)
            text_buf_add(out, TEXT("\xef\xbf\xbd"));
        else
            add_escape(out, c);
    }
    text_buf_add(out, text_slice(value, run, at));
    text_buf_byte(out, '"');
}

void json_write_object(struct json_writer *w)
{
    open_level(w, '{');
}

void json_write_object_end(struct json_writer *w)
{
    close_level(w, '}');
}

void json_write_array(struct json_writer *w)
{
    open_level(w, '[');
}

void json_write_array_end(struct json_writer *w)
{
    close_level(w, ']');
}

void json_write_key(struct json_writer *w, const char *key)
{
    assert(!w->after_key);
    begin_item(w);
    add_string(w->out, text_of(key));
    text_buf_byte(w->out, ':');
    w->after_key = true;
}

void json_write_text(struct json_writer *w, struct text value)
{
    begin_item(w);
    add_string(w->out, value);
}

void json_write_i64(struct json_writer *w, int64_t value)
{
    begin_item(w);
    text_buf_format(w->out, "%" PRId64, value);
}

void json_write_double(struct json_writer *w, double value)
{
    char shortest[32];
    if (!isfinite(value)) {
        json_write_null(w);
        return;
    }
    /* The fewest digits that read back as the same number. */
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(shortest, sizeof shortest, "%.*g", digits, value);
        const double back = strtod(shortest, NULL);
        if (back >= value && back <= value)
            break;
    }
    begin_item(w);
    text_buf_add(w->out, text_of(shortest));
}

void json_write_bool(struct json_writer *w, bool value)
{
    begin_item(w);
    text_buf_add(w->out, value ? TEXT("true") : TEXT("false"));
}

void json_write_null(struct json_writer *w)
{
    begin_item(w);
    text_buf_add(w->out, TEXT("null"));
}

static void add_value(struct text_buf *out, const struct json *value)
{
    const enum json_type type = json_type(value);
    struct json_writer w = {.out = out};
    struct text text = {0};
    int64_t whole = 0;
    bool flag = false;
    if (type == JSON_OBJECT || type == JSON_ARRAY) {
        text_buf_byte(out, type == JSON_OBJECT ? '{' : '[');
        for (const struct json *each = json_first(value); each; each = json_next(each)) {
            if (type == JSON_OBJECT) {
                add_string(out, json_key(each));
                text_buf_byte(out, ':');
            }
            add_value(out, each);
            if (json_next(each))
                text_buf_byte(out, ',');
        }
        text_buf_byte(out, type == JSON_OBJECT ? '}' : ']');
    } else if (json_text(value, &text)) {
        add_string(out, text);
    } else if (json_bool(value, &flag)) {
        json_write_bool(&w, flag);
    } else if (json_number_text(value, &text)) {
        text_buf_add(out, text);
    } else if (json_i64(value, &whole)) {
        json_write_i64(&w, whole);
    } else {
        json_write_null(&w);
    }
}

void json_write_value(struct json_writer *w, const struct json *value)
{
    begin_item(w);
    add_value(w->out, value);
}

void json_write_raw(struct json_writer *w, struct text json)
{
    begin_item(w);
    text_buf_add(w->out, json);
}

void json_write_key_text(struct json_writer *w, const char *key, struct text value)
{
    json_write_key(w, key);
    json_write_text(w, value);
}

void json_write_key_i64(struct json_writer *w, const char *key, int64_t value)
{
    json_write_key(w, key);
    json_write_i64(w, value);
}

void json_write_key_double(struct json_writer *w, const char *key, double value)
{
    json_write_key(w, key);
    json_write_double(w, value);
}

void json_write_key_bool(struct json_writer *w, const char *key, bool value)
{
    json_write_key(w, key);
    json_write_bool(w, value);
}
