#include "lib/wire.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct addr last_from;

static int open_to(int type, const struct addr *to)
{
    int fd = socket(to->sa.sa_family, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &to->sa, addr_len(to)), 0);
    return fd;
}

int wire_udp(const struct addr *to)
{
    return open_to(SOCK_DGRAM, to);
}

int wire_tcp(const struct addr *to)
{
    return open_to(SOCK_STREAM, to);
}

static int bound(int type, struct addr *at)
{
    struct sockaddr_in name = { .sin_family = AF_INET };
    socklen_t len = sizeof(name);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    addr_from_sockaddr((struct sockaddr *)&name, at);
    return fd;
}

int wire_udp_bound(struct addr *at)
{
    return bound(SOCK_DGRAM, at);
}

int wire_tcp_listening(struct addr *at)
{
    int fd = bound(SOCK_STREAM, at);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* Runs the loop until the socket is readable. */
static bool readable(struct loop *l, int fd, unsigned ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    struct mono until = mono_add(clock_mono(), DURATION_MS((int64_t)ms));
    do {
        loop_run_once(l);
        if (poll(&p, 1, 1) > 0)
            return true;
    } while (mono_before(clock_mono(), until));
    return false;
}

int wire_accept(struct loop *l, int fd)
{
    assert_true(readable(l, fd, 2000));
    int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(got >= 0);
    return got;
}

void wire_send(int fd, struct span data)
{
    assert_int_equal(send(fd, data.p, data.n, MSG_NOSIGNAL), data.n);
}

struct span wire_recv(struct loop *l, int fd, unsigned ms)
{
    static char in[70000];
    struct sockaddr_storage name;
    socklen_t len = sizeof(name);
    if (!readable(l, fd, ms))
        return SPAN_NULL;
    ssize_t n = recvfrom(fd, in, sizeof(in), MSG_DONTWAIT, (struct sockaddr *)&name, &len);
    if (n < 0)
        return errno == ECONNRESET ? span_of(in, 0) : SPAN_NULL;
    if (len >= sizeof(struct sockaddr_in))
        addr_from_sockaddr((struct sockaddr *)&name, &last_from);
    return span_of(in, (size_t)n);
}

const struct addr *wire_from(void)
{
    return &last_from;
}
