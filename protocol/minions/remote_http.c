/* remote_http - see remote_http.h. */
#include "protocol/minions/remote_http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES_MAX = 4096 };

struct remote_http {
    CURL *curl;
    struct curl_slist *headers;
    char *url;
    double connect_s;
    size_t response_max;
    bool is_local; /* on this machine: plain http is allowed, proxies are not */
};

/* Where an arriving body goes. */
struct arrival {
    struct text_buf *body;
    size_t body_max;
    bool is_too_large;
};

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct arrival *arrival = user;
    const size_t bytes = size * count; /* libcurl: size is 1 */
    if (bytes > arrival->body_max - arrival->body->size) {
        arrival->is_too_large = true;
        return 0;
    }
    text_buf_add(arrival->body, (struct text){data, bytes});
    return arrival->body->failed ? 0 : bytes;
}

/* ---- addresses ---- */

static bool is_this_machine(const char *host)
{
    struct in_addr address;
    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

/* Checks one parsed URL: scheme, host, nobody's password in it. */
static enum status check_parts(struct remote_http *http, CURLU *parts, struct error *err)
{
    char *scheme = NULL, *host = NULL, *user = NULL;
    enum status status = OK;
    if (curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__, "remote: the URL has no host");
    else if (curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK)
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__,
                           "remote: the URL holds a user name; the key belongs in "
                           "COHORT_API_KEY");
    else if (strcmp(scheme, "https") != 0 &&
             !(strcmp(scheme, "http") == 0 && is_this_machine(host)))
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__,
                           "remote: %s://%.100s is refused; https is needed, or http to this "
                           "machine",
                           scheme, host);
    http->is_local = host && is_this_machine(host);
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    return status;
}

static enum status set_url(struct remote_http *http, const struct remote_http_options *options,
                           struct error *err)
{
    struct text_buf whole = {0};
    struct text base = options->url;
    while (text_ends(base, TEXT("/")))
        base.size--;
    text_buf_format(&whole, "%.*s%s", TEXT_ARG(base), options->path);
    CURLU *parts = curl_url();
    if (!parts || whole.failed) {
        curl_url_cleanup(parts);
        text_buf_deinit(&whole);
        FAIL(err, ERR_MEMORY, "remote: no memory");
    }
    http->url = whole.data;
    enum status status = OK;
    if (curl_url_set(parts, CURLUPART_URL, http->url, 0) != CURLUE_OK)
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__, "remote: `%.*s` is no URL",
                           base.size > 100 ? 100 : (int)base.size, base.data);
    else
        status = check_parts(http, parts, err);
    curl_url_cleanup(parts);
    return status;
}

/* ---- open, close ---- */

static void set_options(struct remote_http *http, const struct remote_http_options *options)
{
    CURL *curl = http->curl;
    curl_easy_setopt(curl, CURLOPT_URL, http->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, http->is_local ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, ""); /* whatever libcurl can read */
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, lround(fmax(options->stall_s, 1)));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    if (http->is_local)
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
}

static enum status add_line(struct curl_slist **list, const char *line, struct error *err)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (!longer)
        FAIL(err, ERR_MEMORY, "remote: no memory for the headers");
    *list = longer;
    return OK;
}

static enum status fill(struct remote_http *http, const struct remote_http_options *options,
                        struct error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        FAIL(err, ERR_IO, "remote: libcurl does not start");
    http->curl = curl_easy_init();
    if (!http->curl)
        FAIL(err, ERR_MEMORY, "remote: no memory");
    TRY(set_url(http, options, err));
    TRY(add_line(&http->headers, "Content-Type: application/json", err));
    TRY(add_line(&http->headers, "Expect:", err)); /* no 100-continue round trip */
    set_options(http, options);
    return OK;
}

enum status remote_http_open(struct remote_http **out,
                             const struct remote_http_options *options, struct error *err)
{
    struct remote_http *http = calloc(1, sizeof(*http));
    if (!http)
        FAIL(err, ERR_MEMORY, "remote: no memory");
    http->connect_s = options->connect_s;
    http->response_max = options->response_max;
    const enum status status = fill(http, options, err);
    if (status != OK) {
        remote_http_close(http);
        return status;
    }
    *out = http;
    return OK;
}

void remote_http_close(struct remote_http *http)
{
    if (!http)
        return;
    for (struct curl_slist *line = http->headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data)); /* one of them is the key */
    curl_slist_free_all(http->headers);
    curl_easy_cleanup(http->curl);
    free(http->url);
    free(http);
}

const char *remote_http_url(const struct remote_http *http)
{
    return http->url;
}

/* Whether value can stand in a header line: visible ASCII only, and not too long. */
static bool is_clean(const char *value)
{
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
            return false;
    return strlen(value) < HEADER_BYTES_MAX;
}

enum status remote_http_header(struct remote_http *http, const char *name, const char *value,
                               struct error *err)
{
    if (!is_clean(value))
        FAIL(err, ERR_FORMAT, "remote: the value of %s holds control characters", name);
    char line[HEADER_BYTES_MAX + 64];
    snprintf(line, sizeof(line), "%.60s: %s", name, value);
    const enum status status = add_line(&http->headers, line, err);
    explicit_bzero(line, sizeof(line));
    return status;
}

/* ---- an attempt ---- */

/* How it ended, by libcurl's code and by whether the request had begun to be sent. */
static enum remote_http_end end_of(CURLcode code, bool is_sent, bool is_too_large)
{
    if (code == CURLE_OK)
        return REMOTE_HTTP_ANSWERED;
    if (is_too_large)
        return REMOTE_HTTP_TOO_LARGE;
    if (is_sent)
        return code == CURLE_OPERATION_TIMEDOUT ? REMOTE_HTTP_TIMED_OUT : REMOTE_HTTP_BROKEN;
    const bool may_come = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
                          code == CURLE_OPERATION_TIMEDOUT;
    return may_come ? REMOTE_HTTP_UNCONNECTED : REMOTE_HTTP_REFUSED;
}

static uint64_t transferred(CURL *curl, CURLINFO info)
{
    curl_off_t bytes = 0;
    return curl_easy_getinfo(curl, info, &bytes) == CURLE_OK && bytes > 0 ? (uint64_t)bytes : 0;
}

/* Sends with everything set but the headers. */
static void perform(struct remote_http *http, struct arrival *arrival,
                    struct remote_http_attempt *attempt)
{
    CURL *curl = http->curl;
    char reason[CURL_ERROR_SIZE] = "";
    curl_off_t wait_s = 0;
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, arrival);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    const CURLcode code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    const bool is_sent = transferred(curl, CURLINFO_PRETRANSFER_TIME_T) > 0;
    attempt->end = end_of(code, is_sent, arrival->is_too_large);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &attempt->status);
    if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait_s) == CURLE_OK && wait_s > 0)
        attempt->retry_after_s = (double)wait_s;
    attempt->sent_bytes = transferred(curl, CURLINFO_SIZE_UPLOAD_T);
    attempt->received_bytes = transferred(curl, CURLINFO_SIZE_DOWNLOAD_T);
    snprintf(attempt->reason, sizeof(attempt->reason), "%.200s",
             reason[0] ? reason : curl_easy_strerror(code));
}

void remote_http_post(struct remote_http *http, struct text body, const char *header,
                      double seconds, struct remote_http_attempt *attempt)
{
    CURL *curl = http->curl;
    struct curl_slist *headers = http->headers, more = {.next = http->headers};
    char *line = header ? strdup(header) : NULL;
    struct arrival arrival = {.body = &attempt->body, .body_max = http->response_max};
    if (line) { /* in front of the list, so that nothing of it is copied */
        more.data = line;
        headers = &more;
    }
    text_buf_clear(&attempt->body);
    attempt->status = 0;
    attempt->retry_after_s = 0;
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, lround(seconds * 1000) + 1);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     lround(fmin(seconds, http->connect_s) * 1000) + 1);
    perform(http, &arrival, attempt);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    free(line);
}
