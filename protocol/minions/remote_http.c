/* remote_http - see remote_http.h. */
#include "protocol/minions/remote_http.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES_MAX = 4096 };

/* Where an arriving body goes. */
struct arrival {
    struct text_buf *body;
    size_t body_max;
    bool is_too_large;
};

struct remote_http {
    CURL *curl;
    struct curl_slist *headers;
    char *url;
    double connect_s;
    size_t response_max;
    bool allows_private;
    bool is_here; /* on this machine */
    bool is_near; /* there, or private: plain http is allowed, proxies are not */

    /* The attempt in flight. */
    CURLM *multi; /* NULL: none, or one that is waited for */
    struct arrival arrival;
    struct remote_http_attempt *attempt;
    char reason[CURL_ERROR_SIZE];
};

struct remote_http_multi {
    CURLM *curl;
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

/* RFC 1918 and RFC 3927; RFC 4193 and RFC 4291, section 2.5.6. */
static bool is_private(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    char bare[INET6_ADDRSTRLEN] = "";
    if (inet_pton(AF_INET, host, &v4) == 1) {
        const uint32_t a = ntohl(v4.s_addr);
        return a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 || a >> 16 == 0xa9fe;
    }
    const size_t size = strlen(host);
    if (size < 3 || size - 2 >= sizeof(bare) || host[0] != '[')
        return false;
    memcpy(bare, host + 1, size - 2);
    return inet_pton(AF_INET6, bare, &v6) == 1 &&
           ((v6.s6_addr[0] & 0xfe) == 0xfc ||
            (v6.s6_addr[0] == 0xfe && (v6.s6_addr[1] & 0xc0) == 0x80));
}

/* Whose URL it is, for sentences. */
static const char *whose(const struct remote_http *http)
{
    return http->allows_private ? "workers" : "remote";
}

/* Checks one parsed URL: scheme, host, nobody's password in it. */
static enum status check_parts(struct remote_http *http, CURLU *parts, struct error *err)
{
    char *scheme = NULL, *host = NULL, *user = NULL;
    enum status status = OK;
    const bool allows_private = http->allows_private;
    if (curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__, "%s: the URL has no host",
                           whose(http));
    else if (curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK)
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__,
                           "%s: the URL holds a user name; the key belongs in %s", whose(http),
                           allows_private ? "COHORT_WORKERS_KEY" : "COHORT_API_KEY");
    else if (strcmp(scheme, "https") != 0 &&
             !(strcmp(scheme, "http") == 0 &&
               (is_this_machine(host) || (allows_private && is_private(host)))))
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__,
                           "%s: %s://%.100s is refused; https is needed, or http to this "
                           "machine%s",
                           whose(http), scheme, host,
                           allows_private ? " or to a private address (not a name)" : "");
    http->is_here = host && is_this_machine(host);
    http->is_near = host && (http->is_here || (allows_private && is_private(host)));
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
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__,
                           "%s: `%.*s` is no URL; one is https://HOST/v1", whose(http),
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
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, http->is_near ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, ""); /* whatever libcurl can read */
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, lround(fmax(options->stall_s, 1)));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    if (http->is_near)
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
    http->allows_private = options->allows_private;
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
    if (http->multi)
        curl_multi_remove_handle(http->multi, http->curl);
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

bool remote_http_is_here(const struct remote_http *http)
{
    return http->is_here;
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

/* What libcurl knows of the attempt that has ended so. */
static void fill_attempt(struct remote_http *http, CURLcode code)
{
    CURL *curl = http->curl;
    struct remote_http_attempt *attempt = http->attempt;
    curl_off_t wait_s = 0;
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    const bool is_sent = transferred(curl, CURLINFO_PRETRANSFER_TIME_T) > 0;
    attempt->end = end_of(code, is_sent, http->arrival.is_too_large);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &attempt->status);
    if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait_s) == CURLE_OK && wait_s > 0)
        attempt->retry_after_s = (double)wait_s;
    attempt->sent_bytes = transferred(curl, CURLINFO_SIZE_UPLOAD_T);
    attempt->received_bytes = transferred(curl, CURLINFO_SIZE_DOWNLOAD_T);
    snprintf(attempt->reason, sizeof(attempt->reason), "%.200s",
             http->reason[0] ? http->reason : curl_easy_strerror(code));
}

/* Everything but the headers. */
static void prepare(struct remote_http *http, struct text body, double seconds,
                    struct remote_http_attempt *attempt)
{
    CURL *curl = http->curl;
    http->attempt = attempt;
    http->arrival = (struct arrival){.body = &attempt->body, .body_max = http->response_max};
    http->reason[0] = '\0';
    text_buf_clear(&attempt->body);
    attempt->status = 0;
    attempt->retry_after_s = 0;
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &http->arrival);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->reason);
    if (body.size > 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, lround(seconds * 1000) + 1);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     lround(fmin(seconds, http->connect_s) * 1000) + 1);
}

void remote_http_post(struct remote_http *http, struct text body, const char *header,
                      double seconds, struct remote_http_attempt *attempt)
{
    struct curl_slist *headers = http->headers, more = {.next = http->headers};
    char *line = header ? strdup(header) : NULL;
    if (line) { /* in front of the list, so that nothing of it is copied */
        more.data = line;
        headers = &more;
    }
    prepare(http, body, seconds, attempt);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
    fill_attempt(http, curl_easy_perform(http->curl));
    free(line);
}

/* ---- several in flight ---- */

enum status remote_http_multi_open(struct remote_http_multi **out, struct error *err)
{
    struct remote_http_multi *multi = calloc(1, sizeof(*multi));
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && multi)
        multi->curl = curl_multi_init();
    if (!multi || !multi->curl) {
        free(multi);
        FAIL(err, ERR_MEMORY, "remote: no memory");
    }
    *out = multi;
    return OK;
}

void remote_http_multi_close(struct remote_http_multi *multi)
{
    if (!multi)
        return;
    curl_multi_cleanup(multi->curl);
    free(multi);
}

enum status remote_http_start(struct remote_http *http, struct remote_http_multi *multi,
                              struct text body, double seconds,
                              struct remote_http_attempt *attempt, struct error *err)
{
    prepare(http, body, seconds, attempt);
    curl_easy_setopt(http->curl, CURLOPT_PRIVATE, http);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, http->headers);
    if (curl_multi_add_handle(multi->curl, http->curl) != CURLM_OK)
        FAIL(err, ERR_MEMORY, "remote: no memory for a request");
    http->multi = multi->curl;
    return OK;
}

static struct remote_http *take_ended(struct remote_http_multi *multi)
{
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(multi->curl, &left);
    if (!message || message->msg != CURLMSG_DONE)
        return NULL;
    const CURLcode code = message->data.result; /* gone once its handle is removed */
    char *user = NULL;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
    struct remote_http *http = (struct remote_http *)(void *)user;
    curl_multi_remove_handle(multi->curl, http->curl);
    http->multi = NULL;
    fill_attempt(http, code);
    return http;
}

struct remote_http *remote_http_multi_wait(struct remote_http_multi *multi, double seconds)
{
    const double until_s = clock_now_s() + seconds;
    for (;;) {
        int running = 0;
        if (curl_multi_perform(multi->curl, &running) != CURLM_OK)
            return NULL;
        struct remote_http *http = take_ended(multi);
        const double left_s = until_s - clock_now_s();
        if (http || left_s <= 0)
            return http;
        if (curl_multi_poll(multi->curl, NULL, 0, (int)(left_s * 1000) + 1, NULL) != CURLM_OK)
            return NULL;
    }
}
