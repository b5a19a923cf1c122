#include "ends.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ = 64, EVENTS = 64, BUFFER = 16 << 20, ROOM = 2048 };

struct ends {
    unsigned n;
    int epoll, fd[ENDS][ENDS_SOCKETS];
    uint64_t unsent;

    unsigned side, socket, queued; /* what is to be sent, and by which */
    struct mmsghdr out[ENDS_BATCH];
    struct iovec out_iov[ENDS_BATCH];
    struct addr to[ENDS_BATCH];
    _Alignas(16) char out_room[ENDS_BATCH][STREAM_ROOM];

    struct mmsghdr in[READ];
    struct iovec in_iov[READ];
    struct addr from[READ];
    _Alignas(struct cmsghdr) char control[READ][CMSG_SPACE(sizeof(struct timespec))];
    _Alignas(16) char in_room[READ][ROOM];
};

static int open_socket(struct ends *e, const struct addr *at, unsigned side, unsigned i)
{
    const int on = 1, size = BUFFER;
    struct addr local = *at;
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = side * ENDS_SOCKETS + i };
    const int fd = socket(at->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    e->fd[side][i] = fd;
    addr_set_port(&local, (uint16_t)(addr_port(at) + 2 * i));
    if (fd < 0 || bind(fd, &local.sa, addr_len(&local)) ||
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)))
        return -errno;
    /* Without privilege the kernel grants less; what it drops then is told. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    return epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int ends_open(const struct addr at[ENDS], unsigned n, struct ends **out)
{
    struct ends *e = *out = aligned_alloc(16, (sizeof(*e) + 15) / 16 * 16);
    if (!e)
        return CS_ENOMEM;
    memset(e, 0, sizeof(*e));
    for (unsigned i = 0; i < READ; i++)
        e->in_iov[i] = (struct iovec){ e->in_room[i], ROOM };
    e->n = n;
    e->epoll = epoll_create1(EPOLL_CLOEXEC);
    int err = e->epoll < 0 ? -errno : 0;
    for (unsigned side = 0; side < ENDS; side++)
        for (unsigned i = 0; i < n && !err; i++)
            err = open_socket(e, &at[side], side, i);
    return err;
}

void ends_close(struct ends **ep)
{
    struct ends *e = *ep;
    *ep = NULL;
    if (!e)
        return;
    for (unsigned side = 0; side < ENDS; side++)
        for (unsigned i = 0; i < e->n; i++)
            if (e->fd[side][i] > 0)
                close(e->fd[side][i]);
    if (e->epoll >= 0)
        close(e->epoll);
    free(e);
}

unsigned ends_socket(const struct ends *e, size_t stream)
{
    return (unsigned)(stream / ENDS_BATCH % e->n);
}

/* ---- sending ---- */

char *ends_room(struct ends *e, unsigned side, unsigned socket)
{
    e->side = side;
    e->socket = socket;
    return e->out_room[e->queued];
}

void ends_push(struct ends *e, const struct addr *to, size_t n)
{
    const unsigned i = e->queued++;
    e->to[i] = *to;
    e->out_iov[i] = (struct iovec){ e->out_room[i], n };
    e->out[i].msg_hdr = (struct msghdr){ .msg_name = &e->to[i].sa,
                                         .msg_namelen = addr_len(to),
                                         .msg_iov = &e->out_iov[i],
                                         .msg_iovlen = 1 };
}

void ends_flush(struct ends *e)
{
    for (unsigned done = 0; done < e->queued;) {
        const int sent =
            sendmmsg(e->fd[e->side][e->socket], e->out + done, e->queued - done, MSG_DONTWAIT);
        done += sent > 0 ? (unsigned)sent : 1;
        e->unsent += sent <= 0;
    }
    e->queued = 0;
}

/* ---- receiving ---- */

static int64_t time_of(struct msghdr *m)
{
    struct timespec t = { 0 };
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
            memcpy(&t, CMSG_DATA(c), sizeof(t));
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int read_socket(struct ends *e, int fd)
{
    for (unsigned i = 0; i < READ; i++) {
        e->in[i].msg_hdr = (struct msghdr){ .msg_name = &e->from[i].sa,
                                            .msg_namelen = sizeof(e->from[i]),
                                            .msg_iov = &e->in_iov[i],
                                            .msg_iovlen = 1,
                                            .msg_control = e->control[i],
                                            .msg_controllen = sizeof(e->control[i]) };
    }
    return recvmmsg(fd, e->in, READ, MSG_DONTWAIT, NULL);
}

size_t ends_receive(struct ends *e, int64_t wait_ns,
                    void (*fn)(void *arg, unsigned side, const struct addr *source, char *packet,
                               size_t n, int64_t at),
                    void *arg)
{
    const struct timespec wait = { wait_ns / 1000000000, wait_ns % 1000000000 };
    struct epoll_event events[EVENTS];
    size_t all = 0;
    const int ready = epoll_pwait2(e->epoll, events, EVENTS, &wait, NULL);
    for (int k = 0; k < ready; k++) {
        const unsigned side = events[k].data.u32 / ENDS_SOCKETS,
                       i = events[k].data.u32 % ENDS_SOCKETS;
        const int n = read_socket(e, e->fd[side][i]);
        for (int p = 0; p < n; p++)
            fn(arg, side, &e->from[p], e->in_room[p], e->in[p].msg_len, time_of(&e->in[p].msg_hdr));
        all += n > 0 ? (size_t)n : 0;
    }
    return all;
}

uint64_t ends_unsent(const struct ends *e)
{
    return e->unsent;
}

uint64_t ends_dropped(const struct ends *e)
{
    uint64_t all = 0;
    for (unsigned side = 0; side < ENDS; side++) {
        for (unsigned i = 0; i < e->n; i++) {
            uint32_t info[SK_MEMINFO_VARS] = { 0 };
            socklen_t n = sizeof(info);
            if (getsockopt(e->fd[side][i], SOL_SOCKET, SO_MEMINFO, info, &n) == 0)
                all += info[SK_MEMINFO_DROPS];
        }
    }
    return all;
}
