/* prices - see prices.h. */
#include "tools/prices.h"

#include "base/file_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, FILE_BYTES_MAX = 1 << 20, LINE_BYTES = 256 };

static const char TABLE[] = "gpt-4o 2.5 10\n"
                            "gpt-4o-mini 0.15 0.6\n"
                            "gpt-4.1 2 8\n"
                            "gpt-4.1-mini 0.4 1.6\n"
                            "gpt-4.1-nano 0.1 0.4\n"
                            "gpt-5 1.25 10\n"
                            "gpt-5-mini 0.25 2\n"
                            "gpt-5-nano 0.05 0.4\n"
                            "o3 2 8\n"
                            "o4-mini 1.1 4.4\n"
                            "claude-opus-4 15 75\n"
                            "claude-sonnet-4 3 15\n"
                            "claude-haiku-4 1 5\n"
                            "claude-3-7-sonnet 3 15\n"
                            "claude-3-5-sonnet 3 15\n"
                            "claude-3-5-haiku 0.8 4\n"
                            "gemini-2.5-pro 1.25 10\n"
                            "gemini-2.5-flash 0.3 2.5\n"
                            "deepseek-chat 0.27 1.1\n";

/* Reads one line; false when it is no price. name is empty on a line that holds none. */
static bool read_line(struct text line, char name[LINE_BYTES], struct ledger_price *price)
{
    char *at = NULL;
    size_t end = text_find(line, TEXT("#"), 0);
    line = text_trim(text_slice(line, 0, end));
    name[0] = '\0';
    if (line.size == 0)
        return true;
    if (line.size >= LINE_BYTES)
        return false;
    snprintf(name, LINE_BYTES, "%.*s", TEXT_ARG(line));
    char *numbers = name + strcspn(name, " \t");
    if (*numbers == '\0')
        return false;
    *numbers++ = '\0';
    price->in = strtod(numbers, &at);
    if (at == numbers || !(price->in >= 0))
        return false;
    price->out = strtod(at, &numbers);
    return at != numbers && *numbers == '\0' && price->out >= 0;
}

/* The longest name that model begins with; *wrong is the number of a line that is none. */
static bool find_in(struct text lines, const char *model, struct ledger_price *price,
                    uint32_t *wrong)
{
    size_t longest = 0;
    uint32_t number = 0;
    for (size_t at = 0; at < lines.size;) {
        char name[LINE_BYTES];
        struct ledger_price read = {0};
        size_t end = text_find(lines, TEXT("\n"), at);
        const struct text line = text_slice(lines, at, end);
        at = end == SIZE_MAX ? lines.size : end + 1;
        number++;
        if (!read_line(line, name, &read)) {
            *wrong = number;
            return false;
        }
        const size_t size = strlen(name);
        if (size > longest && strncmp(model, name, size) == 0) {
            longest = size;
            *price = read;
        }
    }
    return longest > 0;
}

enum status prices_find(const char *model, struct ledger_price *price, bool *is_known,
                        struct error *err)
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    const bool has_xdg = xdg && *xdg;
    char path[PATH_BYTES];
    struct text_buf file = {0};
    uint32_t wrong = 0;
    snprintf(path, sizeof(path), "%s%s",
             has_xdg ? xdg
             : home  ? home
                     : "",
             has_xdg ? "/cohort/prices" : "/.config/cohort/prices");
    *is_known = false;
    if (access(path, F_OK) == 0) {
        TRY(file_map_read(&file, path, FILE_BYTES_MAX, err));
        *is_known = find_in(text_buf_text(&file), model, price, &wrong);
        text_buf_deinit(&file);
    }
    if (wrong > 0)
        FAIL(err, ERR_FORMAT, "%.150s line %u: a price is NAME IN OUT, such as gpt-4o 2.5 10",
             path, wrong);
    if (!*is_known)
        *is_known = find_in(text_of(TABLE), model, price, &wrong);
    if (!*is_known)
        *price = PRICES_UNKNOWN;
    return OK;
}
