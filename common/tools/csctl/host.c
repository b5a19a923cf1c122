#include "host.h"

#include <netdb.h>

int host_resolve(struct span host, uint16_t port, struct addr *out, size_t max, size_t *n)
{
    char name[256];
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found;
    *n = 1;
    if (addr_parse_host(host, port, out) == 0)
        return 0;
    *n = 0;
    span_copy(name, sizeof(name), host);
    if (host.n == 0 || host.n >= sizeof(name) || getaddrinfo(name, NULL, &hints, &found))
        return CS_ENOENT;
    for (const struct addrinfo *ai = found; ai && *n < max; ai = ai->ai_next) {
        addr_from_sockaddr(ai->ai_addr, &out[*n]);
        addr_set_port(&out[(*n)++], port);
    }
    freeaddrinfo(found);
    return 0;
}

int host_parse(struct span text, uint16_t port, struct addr *out)
{
    struct span digits = text, host;
    uint64_t number = port;
    size_t n;
    if (addr_parse(text, port, out) == 0)
        return 0;
    host = span_cut(&digits, ':');
    if (digits.p && span_u64(digits, UINT16_MAX, &number))
        return CS_EPROTO;
    return host_resolve(host, (uint16_t)number, out, 1, &n);
}
