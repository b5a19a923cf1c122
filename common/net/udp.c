#include "net/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/metric.h"
#include "net/bind.h"

enum {
    BATCH = 64,
    ROUNDS = 4, /* batches read in one turn, so that others get theirs */
    DATAGRAM_MAX = 65507,
    SLOT = 65536,
    QUEUE_BYTES = 8 << 20,
    QUEUE_MESSAGES = 8192,
};

struct datagram {
    struct addr to;
    size_t offset, n; /* in out */
};

struct udp {
    uv_poll_t poll;
    struct loop *loop;
    int fd;
    struct addr local;
    udp_fn *fn;
    void *arg;
    struct turn flush;
    bool blocked; /* the kernel's buffer is full: wait for POLLOUT */
    bool closing;
    bool watched; /* udp_watch_delay() */
    struct duration delay;
    /* Of the first of a batch, which waited longest. */
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];

    char *in; /* BATCH slots; only pages that were written to are real memory */
    struct mmsghdr in_hdr[BATCH];
    struct iovec in_iov[BATCH];
    struct addr in_addr[BATCH];

    char *out;
    size_t out_n, out_cap;
    struct datagram *queue;
    size_t queue_n, queue_sent, queue_cap;
};

static void note_delay(struct udp *u, struct msghdr *first)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(first);
    struct timespec at, now;
    u->delay.ms = 0;
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
        return;
    memcpy(&at, CMSG_DATA(c), sizeof(at));
    clock_gettime(CLOCK_REALTIME, &now); /* the kernel's stamps are of this clock */
    u->delay.ms = (now.tv_sec - at.tv_sec) * 1000 + (now.tv_nsec - at.tv_nsec) / 1000000;
}

static void receive(struct udp *u)
{
    for (int round = 0; round < ROUNDS && !u->closing; round++) {
        for (int i = 0; i < BATCH; i++)
            u->in_hdr[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_in6);
        if (u->watched) {
            u->in_hdr[0].msg_hdr.msg_control = u->control;
            u->in_hdr[0].msg_hdr.msg_controllen = sizeof(u->control);
        }
        int n = recvmmsg(u->fd, u->in_hdr, BATCH, MSG_DONTWAIT, NULL);
        if (n <= 0)
            return; /* empty, or an ICMP error of an earlier send: the next read is good again */
        u->loop->events += n;
        if (u->watched)
            note_delay(u, &u->in_hdr[0].msg_hdr);
        for (int i = 0; i < n && !u->closing; i++) {
            struct addr from;
            addr_from_sockaddr(&u->in_addr[i].sa, &from);
            if (!(u->in_hdr[i].msg_hdr.msg_flags & MSG_TRUNC))
                u->fn(u->arg, &from, span_of(u->in_iov[i].iov_base, u->in_hdr[i].msg_len));
        }
        if (n < BATCH)
            return;
    }
}

static void on_poll(uv_poll_t *h, int status, int events);

static void watch(struct udp *u)
{
    uv_poll_start(&u->poll, UV_READABLE | (u->blocked ? UV_WRITABLE : 0), on_poll);
}

static void send_queued(struct udp *u)
{
    struct mmsghdr hdr[BATCH];
    struct iovec iov[BATCH];
    while (u->queue_sent < u->queue_n) {
        unsigned n = 0;
        for (; n < BATCH && u->queue_sent + n < u->queue_n; n++) {
            struct datagram *d = &u->queue[u->queue_sent + n];
            iov[n] = (struct iovec){ u->out + d->offset, d->n };
            hdr[n].msg_hdr = (struct msghdr){ .msg_name = &d->to,
                                              .msg_namelen = addr_len(&d->to),
                                              .msg_iov = &iov[n],
                                              .msg_iovlen = 1 };
        }
        int sent = sendmmsg(u->fd, hdr, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            u->queue_sent += (size_t)sent;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
            if (!u->blocked) {
                u->blocked = true;
                watch(u);
            }
            return;
        } else if (errno != EINTR) { /* this peer cannot be reached; the others can */
            u->queue_sent++;
            metric_inc(M_SIP_SEND_DROPPED, 0);
        }
    }
    u->queue_n = u->queue_sent = u->out_n = 0;
    if (u->blocked) {
        u->blocked = false;
        watch(u);
    }
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct udp *u = h->data;
    loop_touch(u->loop);
    if (events & UV_WRITABLE)
        send_queued(u);
    if (status < 0 || events & UV_READABLE)
        receive(u);
}

static void on_flush(struct turn *t)
{
    struct udp *u = container_of(t, struct udp, flush);
    if (!u->blocked)
        send_queued(u);
}

int udp_open(struct loop *l, const struct addr *local, udp_fn *fn, void *arg, struct udp **out)
{
    int fd, err = bind_socket(BIND_UDP, local, false, &fd, NULL);
    return err ? err : udp_open_fd(l, fd, fn, arg, out);
}

int udp_open_fd(struct loop *l, int fd, udp_fn *fn, void *arg, struct udp **out)
{
    struct udp *u = calloc(1, sizeof(*u));
    char *in = u ? malloc((size_t)BATCH * SLOT) : NULL;
    int err = in ? bind_name(fd, &u->local) : CS_ENOMEM;
    if (err) {
        close(fd);
        free(in);
        free(u);
        return err;
    }
    u->fd = fd;
    u->loop = l;
    u->fn = fn;
    u->arg = arg;
    u->in = in;
    for (int i = 0; i < BATCH; i++) {
        u->in_iov[i] = (struct iovec){ u->in + (size_t)i * SLOT, SLOT };
        u->in_hdr[i].msg_hdr = (struct msghdr){ .msg_name = &u->in_addr[i],
                                                .msg_iov = &u->in_iov[i],
                                                .msg_iovlen = 1 };
    }
    turn_init(&u->flush, on_flush);
    uv_poll_init(&l->uv, &u->poll, u->fd);
    u->poll.data = u;
    watch(u);
    *out = u;
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    struct udp *u = h->data;
    close(u->fd);
    free(u->in);
    free(u->out);
    free(u->queue);
    free(u);
}

void udp_close(struct udp **up)
{
    struct udp *u = *up;
    if (!u)
        return;
    *up = NULL;
    u->closing = true;
    turn_cancel(&u->flush);
    u->blocked = false;
    send_queued(u);
    uv_close((uv_handle_t *)&u->poll, on_closed);
}

void udp_watch_delay(struct udp *u)
{
    const int on = 1;
    u->watched = setsockopt(u->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) == 0;
}

struct duration udp_delay(const struct udp *u)
{
    return u->delay;
}

const struct addr *udp_local(const struct udp *u)
{
    return &u->local;
}

/* Doubles *p until it holds want elements of size; false at the limit or without memory. */
static bool room(void **p, size_t *cap, size_t want, size_t limit, size_t size)
{
    size_t next = *cap ? *cap : 64;
    if (want <= *cap)
        return true;
    if (want > limit)
        return false;
    while (next < want)
        next *= 2;
    void *grown = realloc(*p, next * size);
    if (!grown)
        return false;
    *p = grown;
    *cap = next;
    return true;
}

int udp_send(struct udp *u, const struct addr *to, struct span data)
{
    if (data.n > DATAGRAM_MAX ||
        !room((void **)&u->out, &u->out_cap, u->out_n + data.n, QUEUE_BYTES, 1) ||
        !room((void **)&u->queue, &u->queue_cap, u->queue_n + 1, QUEUE_MESSAGES,
              sizeof(*u->queue))) {
        metric_inc(M_SIP_SEND_DROPPED, 0);
        return CS_ELIMIT;
    }
    u->queue[u->queue_n++] = (struct datagram){ *to, u->out_n, data.n };
    if (data.n)
        memcpy(u->out + u->out_n, data.p, data.n);
    u->out_n += data.n;
    turn_queue(u->loop, &u->flush);
    return 0;
}
