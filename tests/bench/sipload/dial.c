#include "dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static struct addr source_of(const struct sources *from, unsigned i)
{
    struct addr a = from->net.net;
    uint32_t hosts = from->net.bits == 0 ? UINT32_MAX : UINT32_MAX >> from->net.bits;
    if (from->net.bits < 32)
        a.in4.sin_addr.s_addr = htonl(ntohl(a.in4.sin_addr.s_addr) + (i & hosts));
    return a;
}

/* The port is chosen by connect(), so that each server may be reached from all of them. */
static int bind_to(int fd, const struct sources *from, unsigned i)
{
    const int on = 1;
    struct addr a = source_of(from, i);
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) != 0 ||
        bind(fd, &a.sa, addr_len(&a)) != 0)
        return -errno;
    return 0;
}

int dial(const struct addr *server, int type, const struct sources *from, unsigned i)
{
    const int on = 1;
    int fd = socket(server->sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int err = from->net.net.sa.sa_family != AF_UNSPEC ? bind_to(fd, from, i) : 0;
    if (!err && type == SOCK_STREAM &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
        err = -errno;
    if (!err && connect(fd, &server->sa, addr_len(server)) != 0 && errno != EINPROGRESS)
        err = -errno;
    if (err)
        close(fd);
    return err ? err : fd;
}

uint16_t dial_port(int fd)
{
    struct sockaddr_storage own;
    struct addr local = { 0 };
    socklen_t n = sizeof(own);
    if (getsockname(fd, (struct sockaddr *)&own, &n) == 0)
        addr_from_sockaddr((struct sockaddr *)&own, &local);
    return addr_port(&local);
}
