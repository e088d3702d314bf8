/* keys - see keys.h. */
#include "protocol/api/keys.h"

#include "base/file_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct keys {
    struct text_buf source;
    struct text list[KEYS_MAX];
    uint32_t count;
};

static enum status add_line(struct keys *keys, struct text line, size_t number,
                            struct error *err)
{
    line = text_trim(line);
    if (line.size == 0 || line.data[0] == '#')
        return OK;
    if (line.size > KEYS_BYTES_MAX)
        FAIL(err, ERR_LIMIT, "line %zu: a key of %zu bytes, at most %d", number, line.size,
             KEYS_BYTES_MAX);
    if (keys->count == KEYS_MAX)
        FAIL(err, ERR_LIMIT, "line %zu: at most %d keys", number, KEYS_MAX);
    keys->list[keys->count++] = line;
    return OK;
}

static enum status read_lines(struct keys *keys, struct error *err)
{
    const struct text all = text_buf_text(&keys->source);
    size_t number = 1;
    for (size_t at = 0; at < all.size; number++) {
        const size_t found = text_find(all, TEXT("\n"), at);
        const size_t end = found == SIZE_MAX ? all.size : found;
        TRY(add_line(keys, text_slice(all, at, end), number, err));
        at = end + 1;
    }
    if (keys->count == 0)
        FAIL(err, ERR_FORMAT, "there is no key in it");
    return OK;
}

enum status keys_read(struct keys **keys, const char *path, struct error *err)
{
    struct stat file;
    struct error why = {0};
    struct keys *made = calloc(1, sizeof *made);
    if (!made)
        FAIL(err, ERR_MEMORY, "%s: no memory for its keys", path);
    enum status status = file_map_read(&made->source, path, KEYS_MAX * KEYS_BYTES_MAX, err);
    if (status == OK && stat(path, &file) != 0)
        status = error_set(err, ERR_IO, __FILE__, __LINE__, "%s: %s", path, strerror(errno));
    else if (status == OK && (file.st_mode & (S_IRWXG | S_IRWXO)))
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__,
                           "%s: mode %03o lets others read its keys; want 600", path,
                           (unsigned)file.st_mode & 0777);
    if (status == OK && read_lines(made, &why) != OK)
        status = error_set(err, why.status, __FILE__, __LINE__, "%s: %s", path, why.text);
    if (status != OK) {
        keys_free(made);
        return status;
    }
    *keys = made;
    return OK;
}

void keys_free(struct keys *keys)
{
    if (!keys)
        return;
    text_buf_deinit(&keys->source);
    free(keys);
}

uint32_t keys_count(const struct keys *keys)
{
    return keys ? keys->count : 0;
}

/* Over a fixed number of bytes, whatever they are and wherever they differ. */
static bool is_same(struct text a, struct text b)
{
    size_t differ = a.size ^ b.size;
    for (size_t i = 0; i < KEYS_BYTES_MAX; i++) {
        const char of_a = i < a.size ? a.data[i] : 0, of_b = i < b.size ? b.data[i] : 0;
        differ |= (unsigned char)(of_a ^ of_b);
    }
    return differ == 0;
}

uint32_t keys_find(const struct keys *keys, struct text authorization, struct text key)
{
    const struct text scheme = TEXT("Bearer ");
    uint32_t found = KEYS_NONE;
    if (authorization.size > scheme.size &&
        strncasecmp(authorization.data, scheme.data, scheme.size) == 0)
        key = text_trim(text_slice(authorization, scheme.size, authorization.size));
    for (uint32_t i = 0; i < keys->count; i++) {
        const uint32_t is_it = is_same(keys->list[i], key);
        found = is_it ? i : found;
    }
    return found;
}
