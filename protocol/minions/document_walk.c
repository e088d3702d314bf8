/* document_walk - see document_walk.h. */
#include "protocol/minions/document_walk.h"

#include "protocol/minions/document_file.h"
#include "protocol/minions/document_ignore.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { IGNORE_BYTES_MAX = 1 << 20, PATH_BYTES = PATH_MAX };
#define ARENA_BYTES        ((size_t)1 << 30) /* address space; pages come as touched */
#define IGNORE_ARENA_BYTES ((size_t)256 << 20)

/* A folder that was given, while it is walked. */
struct walker {
    struct document_walk *walk;
    struct document_ignore ignore;
    struct arena arena;     /* of ignore, and of the names in the folders that are open */
    size_t root_size;       /* of the folder's path with its slash */
    char above[PATH_BYTES]; /* the folder below its repository's top: empty, or with a slash */
};

enum status document_walk_init(struct document_walk *walk, struct error *err)
{
    *walk = (struct document_walk){0};
    TRY(arena_init(&walk->arena, ARENA_BYTES, err));
    walk->files = ARENA_NEW(&walk->arena, struct document_walk_file, DOCUMENT_WALK_FILES_MAX);
    if (!walk->files)
        FAIL(err, ERR_MEMORY, "no memory for a list of files");
    return OK;
}

void document_walk_deinit(struct document_walk *walk)
{
    arena_deinit(&walk->arena);
    *walk = (struct document_walk){0};
}

static enum status add_file(struct document_walk *walk, const char *path, size_t name,
                            bool is_found, struct error *err)
{
    if (walk->count >= DOCUMENT_WALK_FILES_MAX)
        FAIL(err, ERR_LIMIT, "%s: it is one file too many, at most %d are looked at", path,
             DOCUMENT_WALK_FILES_MAX);
    const struct text kept = text_copy(text_of(path), &walk->arena);
    if (!kept.data)
        FAIL(err, ERR_MEMORY, "%s: no memory", path);
    walk->files[walk->count++] = (struct document_walk_file){
        .path = kept.data, .name = text_slice(kept, name, kept.size), .is_found = is_found};
    return OK;
}

/* ---- .gitignore ---- */

/* Adds the rules of one folder, whose path ends with a slash; none where there are none. */
static enum status add_rules(struct walker *walker, const char *folder, struct text base,
                             struct error *err)
{
    char path[PATH_BYTES];
    struct text_buf rules = {0};
    const int size = snprintf(path, sizeof(path), "%s.gitignore", folder);
    if (size < 0 || (size_t)size >= sizeof(path))
        return OK;
    const struct document_file file = {.path = path, .is_found = true};
    enum status status = document_file_read(&file, IGNORE_BYTES_MAX, &rules, NULL);
    if (status == OK)
        status = document_ignore_add(&walker->ignore, text_buf_text(&rules), base, err);
    else if (status != ERR_LIMIT && status != ERR_MEMORY)
        status = OK;
    else
        status = error_set(err, status, __FILE__, __LINE__, "%.200s: larger than %d bytes",
                           path, IGNORE_BYTES_MAX);
    text_buf_deinit(&rules);
    return status;
}

static bool is_repository(char top[PATH_BYTES], size_t size)
{
    struct stat info;
    if (size + sizeof("/.git") > PATH_BYTES)
        return false;
    memcpy(top + size, "/.git", sizeof("/.git"));
    const bool is_top = lstat(top, &info) == 0;
    top[size] = '\0';
    return is_top;
}

/* Adds the rules of the folders above, when they are in one repository with it. */
static enum status add_rules_above(struct walker *walker, const char *folder, struct error *err)
{
    char real[PATH_BYTES], top[PATH_BYTES], place[PATH_BYTES + 1];
    if (!realpath(folder, real))
        return OK;
    size_t size = strlen(real);
    memcpy(top, real, size + 1);
    while (size > 0 && !is_repository(top, size)) {
        while (size > 0 && top[size - 1] != '/')
            size--;
        if (size > 0)
            size--;
        top[size] = '\0';
    }
    const size_t whole = strlen(real);
    if (size == 0 || size == whole)
        return OK; /* in no repository, or at its top */
    (void)snprintf(walker->above, sizeof(walker->above), "%.*s/", PATH_BYTES - 2,
                   real + size + 1);
    for (size_t end = size; end < whole; end++) {
        if (real[end] != '/')
            continue;
        (void)snprintf(place, sizeof(place), "%.*s/", (int)end, real);
        const size_t below = end > size ? end - size : 0; /* with its slash */
        TRY(add_rules(walker, place, (struct text){walker->above, below}, err));
    }
    return OK;
}

/* ---- folders ---- */

static int compare_names(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;
    return strcmp(*a, *b);
}

/* The names in an open folder, sorted, in the walker's arena. */
static enum status list_names(struct walker *walker, DIR *folder, const char *path,
                              const char ***names, uint32_t *count, struct error *err)
{
    const struct dirent *entry;
    struct text_buf list = {0};
    enum status status = OK;
    while (status == OK && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        const struct text name = text_copy(text_of(entry->d_name), &walker->arena);
        if (++walker->walk->entries > DOCUMENT_WALK_ENTRIES_MAX)
            status = error_set(err, ERR_LIMIT, __FILE__, __LINE__,
                               "%.150s: more than %d files and folders are in what was given",
                               path, DOCUMENT_WALK_ENTRIES_MAX);
        else if (!name.data)
            status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "%.150s: no memory", path);
        else
            text_buf_add(&list, (struct text){(const char *)&name.data, sizeof(name.data)});
    }
    *count = (uint32_t)(list.size / sizeof(char *));
    *names = ARENA_NEW(&walker->arena, const char *, *count);
    if (status == OK && (list.failed || !*names))
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "%.150s: no memory", path);
    if (status == OK && list.size > 0) {
        memcpy(*names, list.data, list.size);
        qsort(*names, *count, sizeof(**names), compare_names);
    }
    text_buf_deinit(&list);
    return status;
}

static enum status walk_folder(struct walker *walker, const char *path, uint32_t depth,
                               struct error *err);

/* Whether a path that was come upon is to be left out; counts it then. */
static enum status test_entry(struct walker *walker, const char *path, const char *name,
                              const struct stat *info, bool *is_out, struct error *err)
{
    struct document_walk *walk = walker->walk;
    char below[PATH_BYTES * 2];
    *is_out = true;
    if (name[0] == '.') {
        walk->hidden += strcmp(name, ".gitignore") != 0;
        return OK;
    }
    if (S_ISLNK(info->st_mode)) {
        walk->links++;
        return OK;
    }
    if (!S_ISREG(info->st_mode) && !S_ISDIR(info->st_mode)) {
        walk->specials++;
        return OK;
    }
    const int size =
        snprintf(below, sizeof(below), "%s%s", walker->above, path + walker->root_size);
    TRY(document_ignore_test(&walker->ignore, (struct text){below, (size_t)size},
                             S_ISDIR(info->st_mode), is_out, err));
    walk->ignored += *is_out;
    return OK;
}

static enum status walk_entry(struct walker *walker, const char *folder, const char *name,
                              uint32_t depth, struct error *err)
{
    char path[PATH_BYTES];
    struct stat info;
    bool is_out = false;
    const int size = snprintf(path, sizeof(path), "%s%s", folder, name);
    if (size < 0 || (size_t)size + 1 >= sizeof(path))
        FAIL(err, ERR_LIMIT, "%.150s: a path in it is longer than %d bytes", folder,
             PATH_BYTES - 2);
    if (lstat(path, &info) != 0)
        return OK; /* gone since it was listed */
    TRY(test_entry(walker, path, name, &info, &is_out, err));
    if (is_out)
        return OK;
    if (!S_ISDIR(info.st_mode))
        return add_file(walker->walk, path, walker->root_size, true, err);
    path[size] = '/';
    path[size + 1] = '\0';
    return walk_folder(walker, path, depth + 1, err);
}

static enum status walk_names(struct walker *walker, const char *path, DIR *folder,
                              uint32_t depth, struct error *err)
{
    const char **names = NULL;
    char base[PATH_BYTES * 2];
    uint32_t count = 0;
    const int size =
        snprintf(base, sizeof(base), "%s%s", walker->above, path + walker->root_size);
    TRY(add_rules(walker, path, (struct text){base, (size_t)size}, err));
    TRY(list_names(walker, folder, path, &names, &count, err));
    for (uint32_t i = 0; i < count; i++)
        TRY(walk_entry(walker, path, names[i], depth, err));
    return OK;
}

/* Walks a folder whose path ends with a slash. */
static enum status walk_folder(struct walker *walker, const char *path, uint32_t depth,
                               struct error *err)
{
    if (depth > DOCUMENT_WALK_DEPTH_MAX)
        FAIL(err, ERR_LIMIT, "%.150s: folders in folders, at most %d deep are walked", path,
             DOCUMENT_WALK_DEPTH_MAX);
    DIR *folder = opendir(path);
    if (!folder)
        FAIL(err, ERR_IO, "%s: %s", path, strerror(errno));
    const struct document_ignore_mark mark = document_ignore_mark(&walker->ignore);
    const enum status status = walk_names(walker, path, folder, depth, err);
    document_ignore_rewind(&walker->ignore, mark);
    (void)closedir(folder);
    return status;
}

static enum status walk_root(struct document_walk *walk, const char *path, struct error *err)
{
    char root[PATH_BYTES];
    const size_t given = strlen(path);
    const int size = snprintf(root, sizeof(root), "%s%s", path,
                              given > 0 && path[given - 1] == '/' ? "" : "/");
    if (size < 0 || (size_t)size >= sizeof(root))
        FAIL(err, ERR_LIMIT, "%.150s: a path of more than %d bytes", path, PATH_BYTES - 1);
    struct walker *walker = calloc(1, sizeof(*walker));
    if (!walker)
        FAIL(err, ERR_MEMORY, "%.150s: no memory", path);
    walker->walk = walk;
    walker->root_size = (size_t)size;
    enum status status = arena_init(&walker->arena, IGNORE_ARENA_BYTES, err);
    if (status == OK)
        status = document_ignore_init(&walker->ignore, &walker->arena, err);
    if (status == OK)
        status = add_rules_above(walker, root, err);
    if (status == OK)
        status = walk_folder(walker, root, 0, err);
    arena_deinit(&walker->arena);
    free(walker);
    return status;
}

enum status document_walk_add(struct document_walk *walk, const char *path, struct error *err)
{
    struct stat info;
    if (path[0] == '\0')
        FAIL(err, ERR_IO, "documents: the name of one is empty");
    if (strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return walk_root(walk, path, err);
    const char *slash = strrchr(path, '/');
    const size_t name = slash && slash[1] != '\0' ? (size_t)(slash - path) + 1 : 0;
    return add_file(walk, path, name, false, err);
}
