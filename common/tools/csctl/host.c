#include "host.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <unistd.h>

#include "base/util.h"

enum { REACH_MS = 1000, ADDRESSES_MAX = 8 };

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

static int parse(struct span text, uint16_t port, struct addr *out, size_t max, size_t *n)
{
    struct span digits = text, host;
    uint64_t number = port;
    *n = 1;
    if (addr_parse(text, port, out) == 0)
        return 0;
    host = span_cut(&digits, ':');
    if (digits.p && span_u64(digits, UINT16_MAX, &number))
        return CS_EPROTO;
    return host_resolve(host, (uint16_t)number, out, max, n);
}

int host_parse(struct span text, uint16_t port, struct addr *out)
{
    size_t n;
    return parse(text, port, out, 1, &n);
}

static bool takes_connections(const struct addr *a)
{
    const int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int err = connect(fd, &a->sa, addr_len(a)) && errno != EINPROGRESS ? errno : 0;
    socklen_t n = sizeof(err);
    if (!err && (poll(&p, 1, REACH_MS) != 1 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n)))
        err = ETIMEDOUT;
    close(fd);
    return !err;
}

int host_parse_server(struct span text, uint16_t port, struct addr *out)
{
    struct addr all[ADDRESSES_MAX];
    size_t n, i = 0;
    int err = parse(text, port, all, CS_LEN(all), &n);
    if (err)
        return err;
    while (n > 1 && i < n && !takes_connections(&all[i]))
        i++;
    *out = all[i < n ? i : 0];
    return 0;
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
