/* remote - see remote.h. */
#include "protocol/minions/remote.h"

#include "base/clock.h"
#include "base/json.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

enum { KEY_BYTES_MAX = 4096, REASON_BYTES_MAX = 120 };
#define RETRY_WAIT_MAX_S 8.0

struct remote {
    struct remote_options options;
    struct ledger *ledger;
    CURL *curl;
    struct curl_slist *headers;
    char *url, *model;
    const char *limit_name; /* how this server calls the token limit */
    bool is_local;          /* on this machine: plain http is allowed, proxies are not */
};

/* One attempt, as it came out. */
struct attempt {
    struct text_buf body;
    size_t body_max;
    bool too_large;
    CURLcode code;
    bool is_connected; /* the request had begun to be sent */
    long http_status;
    double retry_after_s; /* 0: the server did not say */
    char reason[CURL_ERROR_SIZE];
};

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct attempt *attempt = user;
    const size_t bytes = size * count; /* libcurl: size is 1 */
    if (bytes > attempt->body_max - attempt->body.size) {
        attempt->too_large = true;
        return 0;
    }
    text_buf_add(&attempt->body, (struct text){data, bytes});
    return attempt->body.failed ? 0 : bytes;
}

/* Whether value can stand in a header line: visible ASCII only, and not too long. */
static bool is_clean(const char *value)
{
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
            return false;
    return strlen(value) <= KEY_BYTES_MAX;
}

static enum status add_header(struct remote *remote, const char *line, struct error *err)
{
    struct curl_slist *longer = curl_slist_append(remote->headers, line);
    if (!longer)
        FAIL(err, ERR_MEMORY, "remote: no memory for the headers");
    remote->headers = longer;
    return OK;
}

static enum status add_key(struct remote *remote, struct error *err)
{
    const char *key = getenv("COHORT_API_KEY");
    if (!key || !*key)
        key = getenv("OPENAI_API_KEY");
    if (!key || !*key)
        return OK; /* servers of one's own often want none */
    if (!is_clean(key))
        FAIL(err, ERR_FORMAT,
             "remote: the key in the environment holds white space or control characters");
    char line[KEY_BYTES_MAX + 32];
    snprintf(line, sizeof(line), "Authorization: Bearer %s", key);
    const enum status status = add_header(remote, line, err);
    explicit_bzero(line, sizeof(line));
    return status;
}

static bool is_this_machine(const char *host)
{
    struct in_addr address;
    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

/* Checks one parsed URL: scheme, host, nobody's password in it. */
static enum status check_parts(struct remote *remote, CURLU *parts, struct error *err)
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
                           "remote: %s://%s is refused; https is needed, or http to this "
                           "machine",
                           scheme, host);
    remote->is_local = host && is_this_machine(host);
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    return status;
}

static enum status set_url(struct remote *remote, const char *url, struct error *err)
{
    CURLU *parts = curl_url();
    if (!parts)
        FAIL(err, ERR_MEMORY, "remote: no memory");
    enum status status = OK;
    if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK)
        status =
            error_set(err, ERR_FORMAT, __FILE__, __LINE__, "remote: `%.100s` is no URL", url);
    else
        status = check_parts(remote, parts, err);
    curl_url_cleanup(parts);
    TRY(status);
    struct text base = text_of(url);
    while (text_ends(base, TEXT("/")))
        base.size--;
    struct text_buf whole = {0};
    text_buf_format(&whole, "%.*s/chat/completions", TEXT_ARG(base));
    if (whole.failed)
        FAIL(err, ERR_MEMORY, "remote: no memory");
    remote->url = whole.data;
    return OK;
}

static void set_options(struct remote *remote)
{
    CURL *curl = remote->curl;
    const long connect_ms = lround(remote->options.connect_s * 1000);
    curl_easy_setopt(curl, CURLOPT_URL, remote->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, remote->headers);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, remote->is_local ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    if (remote->is_local)
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
}

static void set_defaults(struct remote_options *options)
{
    if (options->connect_s <= 0)
        options->connect_s = 5;
    if (options->deadline_s <= 0)
        options->deadline_s = 120;
    if (options->retry_wait_s <= 0)
        options->retry_wait_s = 0.5;
    if (options->attempts_max == 0)
        options->attempts_max = 4;
    if (options->response_max == 0)
        options->response_max = (size_t)4 << 20;
    if (options->output_tokens_max == 0)
        options->output_tokens_max = 4096;
}

static enum status fill(struct remote *remote, struct error *err)
{
    if (!remote->options.model || !*remote->options.model)
        FAIL(err, ERR_FORMAT, "remote: no model is named");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        FAIL(err, ERR_IO, "remote: libcurl does not start");
    remote->curl = curl_easy_init();
    remote->model = strdup(remote->options.model);
    if (!remote->curl || !remote->model)
        FAIL(err, ERR_MEMORY, "remote: no memory");
    TRY(set_url(remote, remote->options.url, err));
    TRY(add_header(remote, "Content-Type: application/json", err));
    TRY(add_header(remote, "Expect:", err)); /* no 100-continue round trip */
    TRY(add_key(remote, err));
    set_options(remote);
    return OK;
}

enum status remote_open(struct remote **out, const struct remote_options *options,
                        struct ledger *ledger, struct error *err)
{
    struct remote *remote = calloc(1, sizeof(*remote));
    if (!remote)
        FAIL(err, ERR_MEMORY, "remote: no memory");
    remote->options = *options;
    remote->ledger = ledger;
    remote->limit_name = "max_tokens";
    set_defaults(&remote->options);
    const enum status status = fill(remote, err);
    if (status != OK) {
        remote_close(remote);
        return status;
    }
    *out = remote;
    return OK;
}

void remote_close(struct remote *remote)
{
    if (!remote)
        return;
    for (struct curl_slist *line = remote->headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data)); /* one of them is the key */
    curl_slist_free_all(remote->headers);
    curl_easy_cleanup(remote->curl);
    free(remote->url);
    free(remote->model);
    free(remote);
}

static void write_request(const struct remote *remote, const struct remote_message *messages,
                          uint32_t count, struct text_buf *body)
{
    struct json_writer writer = {.out = body};
    json_write_object(&writer);
    json_write_key_text(&writer, "model", text_of(remote->model));
    json_write_key(&writer, "messages");
    json_write_array(&writer);
    for (uint32_t i = 0; i < count; i++) {
        json_write_object(&writer);
        json_write_key_text(&writer, "role", text_of(messages[i].role));
        json_write_key_text(&writer, "content", messages[i].content);
        json_write_object_end(&writer);
    }
    json_write_array_end(&writer);
    json_write_key_i64(&writer, remote->limit_name, remote->options.output_tokens_max);
    json_write_object_end(&writer);
}

/* One request on the wire; fills *attempt and counts the bytes. */
static void perform(struct remote *remote, struct text body, double seconds,
                    struct attempt *attempt)
{
    CURL *curl = remote->curl;
    const double connect_s =
        seconds < remote->options.connect_s ? seconds : remote->options.connect_s;
    text_buf_clear(&attempt->body);
    attempt->too_large = false;
    attempt->http_status = 0;
    attempt->retry_after_s = 0;
    attempt->reason[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, lround(seconds * 1000) + 1);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, lround(connect_s * 1000) + 1);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, attempt);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, attempt->reason);
    attempt->code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    curl_off_t sent = 0, wait_s = 0, begun_us = 0;
    curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &begun_us);
    attempt->is_connected = begun_us > 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &attempt->http_status);
    curl_easy_getinfo(curl, CURLINFO_SIZE_UPLOAD_T, &sent);
    if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait_s) == CURLE_OK && wait_s > 0)
        attempt->retry_after_s = (double)wait_s;
    remote->ledger->calls++;
    remote->ledger->sent_bytes += sent > 0 ? (uint64_t)sent : 0;
    remote->ledger->received_bytes += attempt->body.size;
}

/* No connection came about, so nobody can have served the call. */
static bool is_unconnected(const struct attempt *attempt)
{
    return attempt->code != CURLE_OK && !attempt->is_connected;
}

static bool is_worth_retrying(const struct attempt *attempt)
{
    if (attempt->code != CURLE_OK)
        return is_unconnected(attempt) && (attempt->code == CURLE_COULDNT_CONNECT ||
                                           attempt->code == CURLE_COULDNT_RESOLVE_HOST ||
                                           attempt->code == CURLE_OPERATION_TIMEDOUT);
    const long status = attempt->http_status;
    return status == 408 || status == 409 || status == 429 || (status >= 500 && status <= 599);
}

/* Uniform in [0, 1), from the system: the order of retries among clients must not agree. */
static double random_share(void)
{
    uint32_t bits = 0;
    if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
        bits = (uint32_t)(clock_now_s() * 1e9);
    return bits / 4294967296.0;
}

/* The server's own words, cut and without control characters; never for a refused key. */
static void server_words(const struct attempt *attempt, char words[REASON_BYTES_MAX])
{
    struct json *root = NULL;
    struct text said = {0};
    words[0] = '\0';
    if (attempt->http_status == 401 || attempt->http_status == 403 ||
        json_parse(text_buf_text(&attempt->body), 0, &root, NULL) != OK)
        return;
    const struct json *error = json_get(root, "error");
    if (!json_text(json_get(error, "message"), &said))
        (void)json_text(error, &said);
    said = text_slice(said, 0, REASON_BYTES_MAX - 4);
    said.size = text_utf8_valid(said);
    if (said.size > 0)
        snprintf(words, REASON_BYTES_MAX, ": %.*s", TEXT_ARG(said));
    for (char *c = words; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    json_free(root);
}

static enum status explain(const struct remote *remote, const struct attempt *attempt,
                           struct error *err)
{
    if (attempt->too_large)
        FAIL(err, ERR_LIMIT, "remote: the reply is larger than %zu bytes; it was cut off",
             remote->options.response_max);
    if (attempt->code == CURLE_OPERATION_TIMEDOUT && attempt->is_connected)
        FAIL(err, ERR_REMOTE, "remote: no whole reply within %.1f s",
             remote->options.deadline_s);
    if (is_unconnected(attempt))
        FAIL(err, ERR_IO, "remote: no connection to %.80s: %.100s", remote->url,
             attempt->reason[0] ? attempt->reason : curl_easy_strerror(attempt->code));
    if (attempt->code != CURLE_OK)
        FAIL(err, ERR_REMOTE, "remote: the reply broke off after %zu bytes: %.100s",
             attempt->body.size,
             attempt->reason[0] ? attempt->reason : curl_easy_strerror(attempt->code));
    if (attempt->http_status == 401 || attempt->http_status == 403)
        FAIL(err, ERR_REMOTE,
             "remote: the server refused the key (HTTP %ld); set COHORT_API_KEY",
             attempt->http_status);
    char words[REASON_BYTES_MAX];
    server_words(attempt, words);
    FAIL(err, ERR_REMOTE, "remote: the server answered HTTP %ld%s", attempt->http_status,
         words);
}

/* Reads choices[0] and usage out of a 200's body. */
static enum status read_reply(struct remote *remote, const struct attempt *attempt,
                              size_t sent_bytes, struct remote_reply *reply, struct error *err)
{
    struct json *root = NULL;
    struct error why = {0};
    struct text content = {0}, finish = {0};
    if (json_parse(text_buf_text(&attempt->body), 0, &root, &why) != OK)
        FAIL(err, ERR_REMOTE, "remote: the reply is not JSON (%.120s)", why.text);
    const struct json *choice = json_first(json_get(root, "choices"));
    if (!json_text(json_get(json_get(choice, "message"), "content"), &content)) {
        json_free(root);
        FAIL(err, ERR_REMOTE, "remote: the reply has no choices[0].message.content");
    }
    text_buf_clear(&reply->content);
    text_buf_add(&reply->content, content);
    reply->is_cut = json_text(json_get(choice, "finish_reason"), &finish) &&
                    text_equal(finish, TEXT("length"));
    const struct json *usage = json_get(root, "usage");
    int64_t in = 0, out = 0;
    if (!json_i64(json_get(usage, "prompt_tokens"), &in) ||
        !json_i64(json_get(usage, "completion_tokens"), &out) || in < 0 || out < 0 ||
        in > INT32_MAX || out > INT32_MAX) {
        in = (int64_t)(sent_bytes / 4 + 1);
        out = (int64_t)(content.size / 4 + 1);
        remote->ledger->is_estimated = true;
    }
    reply->prompt_tokens = (uint64_t)in;
    reply->output_tokens = (uint64_t)out;
    json_free(root);
    if (reply->content.failed)
        FAIL(err, ERR_MEMORY, "remote: no memory for the reply");
    return OK;
}

/* Newer OpenAI models know the limit by another name and say so in a 400. */
static bool wants_other_limit(struct remote *remote, const struct attempt *attempt)
{
    if (attempt->code != CURLE_OK || attempt->http_status != 400 ||
        strcmp(remote->limit_name, "max_tokens") != 0 ||
        text_find(text_buf_text(&attempt->body), TEXT("max_completion_tokens"), 0) == SIZE_MAX)
        return false;
    remote->limit_name = "max_completion_tokens";
    return true;
}

/* Waits before the next attempt; false when the deadline does not leave time for it. */
static bool wait_for_retry(const struct remote *remote, const struct attempt *attempt,
                           uint32_t tries, double end_s)
{
    double most = remote->options.retry_wait_s * (double)(1u << (tries < 16 ? tries : 16));
    if (most > RETRY_WAIT_MAX_S)
        most = RETRY_WAIT_MAX_S;
    double wait_s = most * random_share();
    if (attempt->retry_after_s > wait_s)
        wait_s = attempt->retry_after_s;
    if (clock_now_s() + wait_s >= end_s)
        return false;
    clock_sleep_ms((int)(wait_s * 1000));
    return true;
}

/* Sends body until there is a 200, a final refusal, or no attempt left. */
static enum status send_body(struct remote *remote, struct text body, struct attempt *attempt,
                             double end_s, double *charged, struct error *err)
{
    for (uint32_t tries = 0;; tries++) {
        TRY(ledger_charge(remote->ledger, body.size, remote->options.output_tokens_max, charged,
                          err));
        if (tries > 0)
            remote->ledger->retries++;
        perform(remote, body, fmax(end_s - clock_now_s(), 0.001), attempt);
        if (attempt->code == CURLE_OK && attempt->http_status == 200)
            return OK;
        const bool is_refusal = attempt->code == CURLE_OK && attempt->http_status < 500;
        if (is_unconnected(attempt) || is_refusal)
            ledger_release(remote->ledger, *charged);
        if (!is_worth_retrying(attempt) || tries + 1 >= remote->options.attempts_max ||
            !wait_for_retry(remote, attempt, tries, end_s))
            return explain(remote, attempt, err);
    }
}

enum status remote_chat(struct remote *remote, const struct remote_message *messages,
                        uint32_t count, struct remote_reply *reply, struct error *err)
{
    const double end_s = clock_now_s() + remote->options.deadline_s;
    struct attempt attempt = {.body_max = remote->options.response_max};
    struct text_buf body = {0};
    double charged = 0;
    write_request(remote, messages, count, &body);
    enum status status = OK;
    if (body.failed)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "remote: no memory");
    else
        status = send_body(remote, text_buf_text(&body), &attempt, end_s, &charged, err);
    if (status != OK && !body.failed && wants_other_limit(remote, &attempt)) {
        text_buf_clear(&body);
        write_request(remote, messages, count, &body);
        status = send_body(remote, text_buf_text(&body), &attempt, end_s, &charged, err);
    }
    if (status == OK)
        status = read_reply(remote, &attempt, body.size, reply, err);
    if (status == OK)
        ledger_settle(remote->ledger, charged, reply->prompt_tokens, reply->output_tokens);
    text_buf_deinit(&attempt.body);
    text_buf_deinit(&body);
    return status;
}
