/*
 * fetch - see fetch.h. Redirects are followed by hand, so that each address is checked before
 * anything is asked of it. What the server says (Range of RFC 9110, section 14) is decided upon
 * at the end of its headers, before the first byte of a body is taken.
 */
#include "tools/fetch.h"

#include "base/file_map.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    TAG_BYTES = 256,
    NOTE_BYTES_MAX = 4096,
    PATH_BYTES = 4200,
    STALL_S = 60,
    TOKEN_BYTES = 512,
    CONNECT_S = 20
};
enum { BLOCK_BYTES = 1 << 16, DISK_SPARE_BYTES = 16 << 20 };

/* One address asked, and what came of it. */
struct answer {
    long status; /* HTTP */
    char tag[TAG_BYTES], linked_tag[TAG_BYTES];
    uint64_t length; /* of this body */
    uint64_t first, total;
    uint64_t linked_size; /* of the file that a redirect leads to; 0: not told */
    struct fetch_refusal refusal;
    bool has_length, has_range;
};

struct transfer {
    const struct fetch_options *options;
    CURL *curl;
    char url[FETCH_REDIRECT_BYTES];
    uint64_t linked_size; /* that the hub told */
    char part[PATH_BYTES], note[PATH_BYTES];
    int fd;                 /* of the part; -1: into text */
    struct text_buf *text;  /* fetch_text's */
    uint64_t bytes;         /* in the part */
    uint64_t total;         /* of the file; 0: not known */
    char tag[TAG_BYTES];    /* the version that the part is of; "": none */
    char sha256[TAG_BYTES]; /* wanted; "": none */
    struct answer answer;
    bool is_begun; /* the body is being taken */
    enum status status;
    struct error why; /* with a status: what was wrong in a callback */
};

static bool is_this_machine(const char *host)
{
    struct in_addr address;
    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

/* Whether url may be asked, after `before` (NULL: nothing) led to it. */
static enum status check_url(const char *url, const char *before, struct error *err)
{
    CURLU *parts = curl_url();
    char *scheme = NULL, *host = NULL, *user = NULL;
    enum status status = OK;
    if (!parts)
        FAIL(err, ERR_MEMORY, "fetch: no memory");
    const size_t bytes_max = before ? FETCH_REDIRECT_BYTES : FETCH_URL_BYTES;
    if (strlen(url) >= bytes_max)
        status =
            error_set(err, ERR_LIMIT, __FILE__, __LINE__,
                      "an address of %zu bytes, the limit is %zu", strlen(url), bytes_max - 1);
    else if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
             curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
             curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__, "`%.100s` is no address", url);
    else if (curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK)
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__,
                           "the address holds a user name, which is not sent");
    else if (strcmp(scheme, "https") != 0 &&
             !(strcmp(scheme, "http") == 0 && is_this_machine(host)))
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__,
                           "%s://%s is refused; https is needed, or http to this machine",
                           scheme, host);
    else if (before && strncasecmp(before, "https", 5) == 0 && strcmp(scheme, "https") != 0)
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__,
                           "a redirect from https to %s://%s is refused", scheme, host);
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(parts);
    return status;
}

/* The value of a header line, when its name is key. */
static bool header_is(struct text line, const char *key, struct text *value)
{
    const size_t size = strlen(key);
    if (line.size <= size || strncasecmp(line.data, key, size) != 0 || line.data[size] != ':')
        return false;
    *value = text_trim(text_slice(line, size + 1, line.size));
    return true;
}

static void copy_tag(char tag[TAG_BYTES], struct text value)
{
    for (size_t i = 0; i < value.size; i++) /* it goes into a header of ours */
        if ((unsigned char)value.data[i] < ' ' || (unsigned char)value.data[i] >= 0x7f)
            return;
    if (value.size < TAG_BYTES)
        (void)snprintf(tag, TAG_BYTES, "%.*s", TEXT_ARG(value));
}

/* Digits to a number; false when there are none, or too many. Moves *at past them. */
static bool take_number(struct text value, size_t *at, uint64_t *number)
{
    const size_t begin = *at;
    *number = 0;
    for (; *at < value.size && value.data[*at] >= '0' && value.data[*at] <= '9'; (*at)++) {
        if (*number > (UINT64_MAX - 9) / 10)
            return false;
        *number = *number * 10 + (uint64_t)(value.data[*at] - '0');
    }
    return *at > begin;
}

/* "bytes FIRST-LAST/TOTAL" */
static bool take_range(struct text value, struct answer *answer)
{
    uint64_t last;
    size_t at = 6;
    if (!text_starts(value, TEXT("bytes ")) || !take_number(value, &at, &answer->first) ||
        at >= value.size || value.data[at++] != '-' || !take_number(value, &at, &last) ||
        at >= value.size || value.data[at++] != '/')
        return false;
    return take_number(value, &at, &answer->total) && at == value.size &&
           answer->first <= last && last + 1 == answer->total;
}

/* RateLimit: "api";r=0;t=55 - more requests are taken in 55 seconds. */
static unsigned long take_wait(struct text value)
{
    const size_t found = text_find(value, TEXT(";t="), 0);
    size_t at = found == SIZE_MAX ? 0 : found + 3;
    uint64_t number;
    return take_number(value, &at, &number) && number < 1000000 ? (unsigned long)number : 0;
}

/* What headers say of a refusal. */
static void note_refusal(struct fetch_refusal *refusal, struct text line)
{
    char word[TAG_BYTES] = "";
    struct text value;
    if (header_is(line, "X-Error-Code", &value)) {
        copy_tag(word, value);
        (void)snprintf(refusal->code, sizeof refusal->code, "%.*s", FETCH_WORD_BYTES - 1, word);
    } else if (header_is(line, "Retry-After", &value) || header_is(line, "RateLimit", &value)) {
        refusal->wait_s = take_wait(value);
    }
}

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    struct answer *answer = &((struct transfer *)user)->answer;
    const struct text line = {data, size * count};
    struct text value;
    size_t at = 0;
    note_refusal(&answer->refusal, line);
    if (header_is(line, "ETag", &value))
        copy_tag(answer->tag, value);
    else if (header_is(line, "X-Linked-ETag", &value))
        copy_tag(answer->linked_tag, value);
    else if (header_is(line, "X-Linked-Size", &value))
        (void)take_number(value, &at, &answer->linked_size);
    else if (header_is(line, "Content-Length", &value))
        answer->has_length = take_number(value, &at, &answer->length) && at == value.size;
    else if (header_is(line, "Content-Range", &value))
        answer->has_range = take_range(value, answer);
    return line.size;
}

static enum status check_room(const struct transfer *t, struct error *err)
{
    struct statvfs disk;
    const uint64_t max = t->options->bytes_max;
    if (t->total > max)
        FAIL(err, ERR_LIMIT, "the file has %" PRIu64 " bytes, the limit is %" PRIu64, t->total,
             max);
    if (t->fd < 0 || fstatvfs(t->fd, &disk) != 0)
        return OK;
    const uint64_t there = (uint64_t)disk.f_bavail * disk.f_frsize;
    const uint64_t wanted = t->total > t->bytes ? t->total - t->bytes : 0;
    if (wanted > 0 && (there < DISK_SPARE_BYTES || wanted > there - DISK_SPARE_BYTES))
        FAIL(err, ERR_LIMIT, "%" PRIu64 " bytes are to come, the disk has room for %" PRIu64,
             wanted, there < DISK_SPARE_BYTES ? 0 : there - DISK_SPARE_BYTES);
    return OK;
}

/* Of which address and version the part is. */
static enum status write_note(const struct transfer *t, struct error *err)
{
    FILE *file = fopen(t->note, "w");
    const bool is_written = file && fprintf(file, "%s\n%s\n", t->options->url, t->tag) > 0;
    if ((file && fclose(file) != 0) || !is_written)
        FAIL(err, ERR_IO, "%s: %s", t->note, strerror(errno));
    return OK;
}

static enum status cut_part(struct transfer *t, struct error *err)
{
    t->bytes = 0;
    if (t->fd >= 0 && (ftruncate(t->fd, 0) != 0 || lseek(t->fd, 0, SEEK_SET) != 0))
        FAIL(err, ERR_IO, "%s: %s", t->part, strerror(errno));
    return OK;
}

/* The headers are in: whether, and from where on, the body is what we want. */
static enum status begin_body(struct transfer *t, struct error *err)
{
    const struct answer *answer = &t->answer;
    const bool is_rest = answer->status == 206;
    if (is_rest && (!answer->has_range || answer->first != t->bytes ||
                    (answer->has_length && answer->length != answer->total - t->bytes)))
        FAIL(err, ERR_REMOTE, "the server sends another range than the one from byte %" PRIu64,
             t->bytes);
    if (is_rest && answer->tag[0] && strcmp(answer->tag, t->tag) != 0) {
        TRY(cut_part(t, err));
        FAIL(err, ERR_REMOTE, "the file has changed on the server: run it again to begin anew");
    }
    if (!is_rest)
        TRY(cut_part(t, err));
    t->total = is_rest ? answer->total : answer->has_length ? answer->length : t->linked_size;
    TRY(check_room(t, err));
    if (is_rest || t->fd < 0)
        return OK;
    memcpy(t->tag, answer->tag, sizeof t->tag);
    return write_note(t, err);
}

static enum status take_body(struct transfer *t, const char *data, size_t size,
                             struct error *err)
{
    const uint64_t max = t->total > 0 ? t->total : t->options->bytes_max;
    if (size > max - t->bytes)
        FAIL(err, ERR_LIMIT, "more than %" PRIu64 " bytes come", max);
    if (t->text) {
        text_buf_add(t->text, (struct text){data, size});
        if (t->text->failed)
            FAIL(err, ERR_MEMORY, "no memory for %zu bytes", t->text->size + size);
    }
    for (size_t done = 0; t->fd >= 0 && done < size;) {
        const ssize_t written = write(t->fd, data + done, size - done);
        if (written < 0)
            FAIL(err, ERR_IO, "%s: %s", t->part, strerror(errno));
        done += (size_t)written;
    }
    t->bytes += size;
    if (t->options->progress)
        t->options->progress(t->options->user, t->bytes, t->total);
    return OK;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct transfer *t = user;
    const size_t bytes = size * count;
    (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->answer.status);
    if (t->answer.status != 200 && t->answer.status != 206)
        return bytes; /* a page that says why not */
    if (!t->is_begun)
        t->status = begin_body(t, &t->why);
    t->is_begun = true;
    if (t->status == OK)
        t->status = take_body(t, data, bytes, &t->why);
    return t->status == OK ? bytes : 0;
}

/* Whether two addresses are of one server: equal up to the path. */
static bool is_same_server(const char *a, const char *b)
{
    const char *host = strstr(a, "://");
    const size_t size = host ? (size_t)(host + 3 - a) + strcspn(host + 3, "/?#") : 0;
    return size > 0 && strncasecmp(a, b, size) == 0 && strchr("/?#", b[size]);
}

/* The headers of a request: the token where it may go, the version of a part. */
static enum status make_headers(const struct transfer *t, bool is_rest,
                                struct curl_slist **headers, struct error *err)
{
    char line[TOKEN_BYTES + 32];
    *headers = NULL;
    for (int i = 0; i < 2; i++) {
        const char *token = t->options->token;
        if (i == 0 ? !is_rest : !token || !is_same_server(t->options->url, t->url))
            continue;
        const int size = i == 0
                             ? snprintf(line, sizeof line, "If-Range: %s", t->tag)
                             : snprintf(line, sizeof line, "Authorization: Bearer %s", token);
        if (size < 0 || (size_t)size >= sizeof line)
            FAIL(err, ERR_LIMIT, "the token has %zu bytes, the limit is %d", strlen(token),
                 TOKEN_BYTES);
        struct curl_slist *longer = curl_slist_append(*headers, line);
        if (!longer)
            FAIL(err, ERR_MEMORY, "fetch: no memory for a header");
        *headers = longer;
    }
    return OK;
}

/* Asks one address. The rest alone is asked for where a version of a part is known. */
static enum status ask(struct transfer *t, CURLcode *code, struct error *err)
{
    CURL *curl = t->curl;
    struct curl_slist *headers = NULL;
    char range[32];
    const bool is_rest = t->bytes > 0 && t->fd >= 0;
    curl_easy_reset(curl);
    t->answer = (struct answer){.status = 0};
    t->is_begun = false;
    t->status = OK;
    const enum status made = make_headers(t, is_rest, &headers, err);
    if (made != OK) {
        curl_slist_free_all(headers);
        return made;
    }
    (void)snprintf(range, sizeof range, "%" PRIu64 "-", t->bytes);
    if (is_rest)
        curl_easy_setopt(curl, CURLOPT_RANGE, range);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_URL, t->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "cohort");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                     t->options->stall_s > 0 ? t->options->stall_s : (long)STALL_S);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    if (strncasecmp(t->url, "http:", 5) == 0) /* this machine itself: no proxy */
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    *code = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &t->answer.status);
    curl_slist_free_all(headers);
    if (t->status != OK && err)
        *err = t->why;
    return t->status;
}

/* The sum that the hub tells, "HEX" with or without quotes, when it is one. */
static void note_sum(struct transfer *t)
{
    const struct text tag = text_of(t->answer.linked_tag);
    const size_t from = text_starts(tag, TEXT("\"")) ? 1 : 0;
    if (t->options->sha256 || tag.size != 64 + 2 * from)
        return;
    for (size_t i = from; i < from + 64; i++)
        if (!strchr("0123456789abcdefABCDEF", tag.data[i]))
            return;
    (void)snprintf(t->sha256, sizeof t->sha256, "%.64s", tag.data + from);
}

/* Asks, following redirects. */
static enum status ask_through(struct transfer *t, CURLcode *code, struct error *err)
{
    (void)snprintf(t->url, sizeof t->url, "%s", t->options->url);
    TRY(check_url(t->options->url, NULL, err));
    for (int hops = 0; hops <= FETCH_REDIRECTS_MAX; hops++) {
        char *next = NULL;
        TRY(ask(t, code, err));
        note_sum(t);
        if (t->answer.linked_size > 0)
            t->linked_size = t->answer.linked_size;
        if (*code != CURLE_OK || t->answer.status < 300 || t->answer.status > 399)
            return OK;
        (void)curl_easy_getinfo(t->curl, CURLINFO_REDIRECT_URL, &next);
        if (!next)
            FAIL(err, ERR_REMOTE, "%s: status %ld leads nowhere", t->url, t->answer.status);
        char *copy = strdup(next); /* the transfer's own, gone with the next one */
        if (!copy)
            FAIL(err, ERR_MEMORY, "fetch: no memory");
        const enum status status = check_url(copy, t->url, err);
        if (status == OK)
            (void)snprintf(t->url, sizeof t->url, "%s", copy);
        free(copy);
        TRY(status);
    }
    FAIL(err, ERR_REMOTE, "%s: more than %d redirects", t->options->url, FETCH_REDIRECTS_MAX);
}

/* Again and again, as long as each try brings more. */
static enum status get_body(struct transfer *t, struct error *err)
{
    for (int try = 0; try < FETCH_TRIES_MAX; try++) {
        CURLcode code = CURLE_OK;
        const uint64_t before = t->bytes;
        if (t->bytes > 0 && !t->tag[0])
            TRY(cut_part(t, err)); /* of no version that could be asked for */
        TRY(ask_through(t, &code, err));
        const long status = t->answer.status;
        if (status == 416 && t->bytes > 0) {
            TRY(cut_part(t, err)); /* what is there by now is shorter than the part */
            continue;
        }
        if (code == CURLE_OK && !t->is_begun && status == 200)
            TRY(begin_body(t, err)); /* an empty body */
        if (status >= 400 && t->options->refusal) {
            *t->options->refusal = t->answer.refusal;
            t->options->refusal->status = status;
            t->options->refusal->had_token = t->options->token != NULL;
        }
        if (status >= 400 || (code == CURLE_OK && status != 200 && status != 206))
            FAIL(err, ERR_REMOTE, "%s: the server answers with status %ld", t->options->url,
                 status);
        if (code == CURLE_OK && (t->total == 0 || t->bytes == t->total))
            return OK;
        if (t->text && t->is_begun)
            break;
        if (t->bytes > before)
            try = 0;
        if (try + 1 == FETCH_TRIES_MAX && code != CURLE_OK && t->bytes == 0)
            FAIL(err, ERR_REMOTE, "%s: %s", t->options->url, curl_easy_strerror(code));
        if (try + 1 == FETCH_TRIES_MAX)
            FAIL(err, ERR_REMOTE,
                 "%s: %s after %" PRIu64 " of %" PRIu64 " bytes; run it again to go on",
                 t->options->url, curl_easy_strerror(code), t->bytes, t->total);
    }
    FAIL(err, ERR_REMOTE, "%s: broken off after %" PRIu64 " bytes", t->options->url, t->bytes);
}

/* What a part that lies there is of; nothing that can be gone on with: it begins anew. */
static void read_note(struct transfer *t)
{
    struct text_buf note = {0};
    struct text lines[2];
    struct stat part;
    size_t at = 0;
    bool is_ours = file_map_read(&note, t->note, NOTE_BYTES_MAX, NULL) == OK &&
                   fstat(t->fd, &part) == 0 && part.st_size > 0;
    for (int i = 0; i < 2 && is_ours; i++) {
        const size_t end = text_find(text_buf_text(&note), TEXT("\n"), at);
        is_ours = end != SIZE_MAX;
        lines[i] = text_slice(text_buf_text(&note), at, end);
        at = end + 1;
    }
    /* A weak tag says "much the same", which is not enough. */
    is_ours = is_ours && text_equal(lines[0], text_of(t->options->url)) &&
              text_starts(lines[1], TEXT("\""));
    if (is_ours) {
        copy_tag(t->tag, lines[1]);
        t->bytes = (uint64_t)part.st_size;
    }
    text_buf_deinit(&note);
}

static enum status open_part(struct transfer *t, struct error *err)
{
    t->fd = open(t->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (t->fd < 0)
        FAIL(err, ERR_IO, "%s: %s", t->part, strerror(errno));
    if (flock(t->fd, LOCK_EX | LOCK_NB) != 0)
        FAIL(err, ERR_IO, "%s: another process is getting it", t->part);
    read_note(t);
    if (t->bytes == 0)
        return cut_part(t, err);
    if (lseek(t->fd, 0, SEEK_END) < 0)
        FAIL(err, ERR_IO, "%s: %s", t->part, strerror(errno));
    return OK;
}

static enum status hash_part(const struct transfer *t, char hex[SHA256_HEX_BYTES],
                             struct error *err)
{
    static char block[BLOCK_BYTES];
    struct sha256 hash;
    ssize_t got;
    off_t at = 0;
    sha256_init(&hash);
    while ((got = pread(t->fd, block, sizeof block, at)) > 0) {
        sha256_add(&hash, block, (size_t)got);
        at += got;
    }
    if (got < 0)
        FAIL(err, ERR_IO, "%s: %s", t->part, strerror(errno));
    sha256_hex(&hash, hex);
    return OK;
}

/* The part is whole: is it the file that was meant? Then it gets its name. */
static enum status finish_part(const struct transfer *t, struct fetch_result *result,
                               struct error *err)
{
    const char *wanted = t->options->sha256 ? t->options->sha256 : t->sha256;
    TRY(hash_part(t, result->sha256, err));
    result->bytes = t->bytes;
    result->is_verified = wanted[0] != '\0';
    if (result->is_verified && strcasecmp(wanted, result->sha256) != 0) {
        (void)unlink(t->part);
        (void)unlink(t->note);
        FAIL(err, ERR_FORMAT, "SHA-256 is %s, it should be %s: thrown away", result->sha256,
             wanted);
    }
    if (fsync(t->fd) != 0 || rename(t->part, t->options->path) != 0)
        FAIL(err, ERR_IO, "%s: %s", t->options->path, strerror(errno));
    (void)unlink(t->note);
    return OK;
}

enum status fetch_file(const struct fetch_options *options, struct fetch_result *result,
                       struct error *err)
{
    struct transfer t = {.options = options, .fd = -1, .curl = curl_easy_init()};
    *result = (struct fetch_result){0};
    const int size = snprintf(t.part, sizeof t.part, "%s.part", options->path);
    (void)snprintf(t.note, sizeof t.note, "%s.part.from", options->path);
    if (!t.curl)
        FAIL(err, ERR_MEMORY, "fetch: no memory");
    enum status status = OK;
    if (size < 0 || (size_t)size + 5 >= sizeof t.part)
        status = error_set(err, ERR_LIMIT, __FILE__, __LINE__,
                           "the path of the part has %d bytes, the limit is %zu", size,
                           sizeof t.part - 6);
    if (status == OK)
        status = check_url(options->url, NULL, err);
    if (status == OK)
        status = open_part(&t, err);
    result->resumed_bytes = t.bytes;
    if (status == OK)
        status = get_body(&t, err);
    if (status == OK)
        status = finish_part(&t, result, err);
    if (t.fd >= 0)
        (void)close(t.fd);
    curl_easy_cleanup(t.curl);
    return status;
}

enum status fetch_text(const struct fetch_options *options, struct text_buf *out,
                       struct error *err)
{
    struct transfer t = {.options = options, .fd = -1, .text = out, .curl = curl_easy_init()};
    if (!t.curl)
        FAIL(err, ERR_MEMORY, "fetch: no memory");
    const enum status status = get_body(&t, err);
    curl_easy_cleanup(t.curl);
    return status;
}
