/* state_path - see state_path.h. */
#include "tools/state_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* Makes every folder of a path. */
static enum status make_folders(char *path, struct error *err)
{
    for (char *at = path + 1;; at++) {
        const char end = *at;
        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            FAIL(err, ERR_IO,
                 "%.120s: the folder cannot be made: %s; COHORT_STATE names another", path,
                 strerror(errno));
        *at = end;
        if (end == '\0')
            return OK;
    }
}

enum status state_path(const char *file, char path[STATE_PATH_BYTES], struct error *err)
{
    const char *own = variable("COHORT_STATE"), *xdg = variable("XDG_STATE_HOME");
    const char *home = variable("HOME");
    const char *top = own ? own : xdg ? xdg : home;
    const char *rest = own ? "" : xdg ? "/cohort" : "/.local/state/cohort";
    if (!top)
        FAIL(err, ERR_IO, "neither COHORT_STATE nor HOME says where to keep runs");
    const size_t folder = strlen(top) + strlen(rest);
    if (folder + strlen(file) + 2 > STATE_PATH_BYTES)
        FAIL(err, ERR_LIMIT, "%.100s: the path has more than %d bytes", top, STATE_PATH_BYTES);
    snprintf(path, STATE_PATH_BYTES, "%s%s", top, rest);
    TRY(make_folders(path, err));
    snprintf(path + folder, STATE_PATH_BYTES - folder, "/%s", file);
    return OK;
}
