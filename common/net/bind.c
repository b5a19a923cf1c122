#include "net/bind.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, UDP_BUFFER = 4 * 1024 * 1024 };

int bind_name(int fd, struct addr *bound)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof(name);
    if (getsockname(fd, (struct sockaddr *)&name, &len))
        return -errno;
    addr_from_sockaddr((struct sockaddr *)&name, bound);
    return 0;
}

static int prepare(int fd, enum bind_kind kind, const struct addr *local, bool shared)
{
    int one = 1, size = UDP_BUFFER;
    bool tcp = kind == BIND_TCP;
    if (!tcp) { /* as much as the system allows */
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    }
    if ((tcp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one))) ||
        (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one))) ||
        (local->sa.sa_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one))) ||
        bind(fd, &local->sa, addr_len(local)) || (tcp && listen(fd, BACKLOG)))
        return -errno;
    return 0;
}

int bind_socket(enum bind_kind kind, const struct addr *local, bool shared, int *fd,
                struct addr *bound)
{
    int type = kind == BIND_TCP ? SOCK_STREAM : SOCK_DGRAM;
    *fd = socket(local->sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return -errno;
    int err = prepare(*fd, kind, local, shared);
    if (!err && bound)
        err = bind_name(*fd, bound);
    if (err) {
        close(*fd);
        *fd = -1;
    }
    return err;
}
