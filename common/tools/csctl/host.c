#include "host.h"

#include <errno.h>
#include <netdb.h>
#include <unistd.h>

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

int host_towards(const struct addr *server, struct addr *out)
{
    struct sockaddr_storage name;
    socklen_t n = sizeof(name);
    int fd = socket(server->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int err =
        connect(fd, &server->sa, addr_len(server)) || getsockname(fd, (struct sockaddr *)&name, &n)
            ? -errno
            : 0;
    close(fd);
    if (err)
        return err;
    addr_from_sockaddr((struct sockaddr *)&name, out);
    addr_set_port(out, 0);
    return 0;
}
