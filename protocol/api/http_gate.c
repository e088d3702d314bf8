/* http_gate - see http_gate.h. */
#include "protocol/api/http_gate.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_BYTES = 253 }; /* RFC 1035 */

/* Without ":port", and an IPv6 address without its brackets. */
static struct text name_of(struct text host, bool *is_v6)
{
    *is_v6 = text_starts(host, TEXT("["));
    if (!*is_v6)
        return text_slice(host, 0, text_find(host, TEXT(":"), 0));
    const size_t end = text_find(host, TEXT("]"), 0);
    return text_slice(host, 1, end == SIZE_MAX ? 1 : end);
}

static bool is_name(struct text name, const char *other)
{
    return strlen(other) == name.size && strncasecmp(name.data, other, name.size) == 0;
}

bool http_gate_host_is_ours(struct text host, const char *const *names, uint32_t count)
{
    bool is_v6;
    unsigned char address[sizeof(struct in6_addr)];
    char spelled[NAME_MAX_BYTES + 1];
    const struct text name = name_of(host, &is_v6);
    if (name.size == 0 || name.size > NAME_MAX_BYTES || memchr(name.data, 0, name.size))
        return false;
    memcpy(spelled, name.data, name.size);
    spelled[name.size] = 0;
    if (inet_pton(is_v6 ? AF_INET6 : AF_INET, spelled, address) == 1)
        return true;
    bool is_ours = !is_v6 && is_name(name, "localhost");
    for (uint32_t i = 0; i < count; i++)
        is_ours |= !is_v6 && is_name(name, names[i]);
    return is_ours;
}

bool http_gate_origin_is_ours(struct text origin, struct text host)
{
    const struct text schemes[] = {TEXT("http://"), TEXT("https://")};
    if (origin.size == 0)
        return true;
    for (size_t i = 0; i < 2; i++) {
        const struct text site = text_slice(origin, schemes[i].size, origin.size);
        if (text_starts(origin, schemes[i]) && site.size == host.size &&
            strncasecmp(site.data, host.data, host.size) == 0)
            return true;
    }
    return false;
}
