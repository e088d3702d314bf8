/*
 * hub - see hub.h. A refusal has a status and, in X-Error-Code, a word: GatedRepo (401
 * without a token, 403 with one that has no access), EntryNotFound, RevisionNotFound,
 * RepoNotFound. Whether a private repository exists is not told: without a token that answer
 * is 401 without a word.
 */
#include "tools/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 256 };
static const char API[] = "api/models/";

const char *hub_endpoint(void)
{
    const char *given = getenv("HF_ENDPOINT");
    return given && given[0] ? given : "https://huggingface.co";
}

/* What follows the hub's address, NULL where url is not the hub's. */
static const char *path_of(const char *url)
{
    const char *endpoint = hub_endpoint();
    const size_t size = strlen(endpoint);
    return strncmp(url, endpoint, size) == 0 && url[size] == '/' ? url + size + 1 : NULL;
}

enum status hub_token(const char *url, const char **token, struct error *err)
{
    const char *given = getenv("HF_TOKEN");
    *token = NULL;
    if (!path_of(url) || !given || !given[0])
        return OK;
    for (const char *at = given; *at; at++)
        if (*at <= ' ' || *at > '~')
            FAIL(err, ERR_FORMAT,
                 "HF_TOKEN: byte %zu is 0x%02x, a token is printable and without spaces",
                 (size_t)(at - given), (unsigned)(unsigned char)*at);
    *token = given;
    return OK;
}

/* OWNER/REPO of an address of the hub. */
static void repo_of(const char *path, char name[NAME_BYTES])
{
    if (strncmp(path, API, strlen(API)) == 0)
        path += strlen(API);
    const char *slash = strchr(path, '/');
    const size_t size =
        slash ? (size_t)(slash - path) + 1 + strcspn(slash + 1, "/?") : strcspn(path, "?");
    (void)snprintf(name, NAME_BYTES, "%.*s", size < NAME_BYTES ? (int)size : NAME_BYTES - 1,
                   path);
}

static void explain_gated(const char *repo, bool has_token, struct error *err)
{
    if (has_token)
        (void)error_set(err, ERR_REMOTE, __FILE__, __LINE__,
                        "%s is gated, and HF_TOKEN's owner has no access: ask for it at %s/%s",
                        repo, hub_endpoint(), repo);
    else
        (void)error_set(
            err, ERR_REMOTE, __FILE__, __LINE__,
            "%s is gated: accept its terms at %s/%s, then set HF_TOKEN to an access "
            "token of yours (%s/settings/tokens)",
            repo, hub_endpoint(), repo, hub_endpoint());
}

void hub_explain(const char *url, const struct fetch_refusal *refusal, struct error *err)
{
    const char *path = path_of(url), *code = refusal->code;
    char repo[NAME_BYTES];
    const bool has_token = refusal->had_token;
    if (!path || (strncmp(path, API, strlen(API)) != 0 && !strstr(path, "/resolve/")))
        return;
    repo_of(path, repo);
    if (strcmp(code, "GatedRepo") == 0)
        explain_gated(repo, has_token, err);
    else if (refusal->status == 401 && has_token)
        (void)error_set(err, ERR_REMOTE, __FILE__, __LINE__,
                        "the hub does not take HF_TOKEN: it is wrong or expired (%s/settings/"
                        "tokens has those that are valid)",
                        hub_endpoint());
    else if (strcmp(code, "EntryNotFound") == 0)
        (void)error_set(err, ERR_REMOTE, __FILE__, __LINE__,
                        "%s has no such file; %s/%s/tree/main lists those it has", repo,
                        hub_endpoint(), repo);
    else if (strcmp(code, "RevisionNotFound") == 0)
        (void)error_set(err, ERR_REMOTE, __FILE__, __LINE__, "%s has no branch main", repo);
    else if (strcmp(code, "RepoNotFound") == 0 || (refusal->status == 401 && !code[0]))
        (void)error_set(err, ERR_REMOTE, __FILE__, __LINE__,
                        "%s: the hub has no such repository%s", repo,
                        has_token ? " that HF_TOKEN's owner may see"
                                  : ", or it is private: then set HF_TOKEN");
    else if (refusal->status == 429)
        (void)error_set(err, ERR_REMOTE, __FILE__, __LINE__,
                        "the hub answers 429, too many requests: try again in %lu seconds%s",
                        refusal->wait_s > 0 ? refusal->wait_s : 300,
                        has_token ? "" : "; with HF_TOKEN set more are allowed");
}
