#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct queue {
    struct mmsghdr msg[WIRE_BATCH];
    struct iovec iov[WIRE_BATCH];
    unsigned n;
};

struct wire {
    unsigned n;
    uint64_t unsent;
    struct pollfd fd[WIRE_SOCKETS];
    uint16_t port[WIRE_SOCKETS];
    struct queue out[WIRE_SOCKETS];
    struct queue in;
    struct streams *streams; /* NULL: UDP */
    char space[WIRE_BATCH][WIRE_DATAGRAM];
};

static int open_socket(const struct addr *server, const struct sources *from, unsigned i)
{
    enum { BUFFER = 4 << 20 };
    int size = BUFFER, fd = dial(server, SOCK_DGRAM, from, i);
    /* Without privilege the kernel grants less, which the retransmissions make good. */
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    return fd;
}

int wire_open(struct wire **out)
{
    struct wire *w = *out = calloc(1, sizeof(*w));
    if (!w)
        return CS_ENOMEM;
    for (unsigned i = 0; i < WIRE_BATCH; i++) {
        w->in.iov[i] = (struct iovec){ w->space[i], WIRE_DATAGRAM };
        w->in.msg[i].msg_hdr = (struct msghdr){ .msg_iov = &w->in.iov[i], .msg_iovlen = 1 };
    }
    return 0;
}

int wire_connect(struct wire *w, const struct addr *server, unsigned n, const struct sources *from)
{
    for (; n > 0; n--, w->n++) {
        int fd = w->n < WIRE_SOCKETS ? open_socket(server, from, w->n) : CS_ELIMIT;
        if (fd < 0)
            return fd;
        w->port[w->n] = dial_port(fd);
        w->fd[w->n] = (struct pollfd){ .fd = fd, .events = POLLIN };
    }
    return 0;
}

int wire_connect_streams(struct wire *w, const struct addr *server, unsigned n,
                         const struct streams_conf *conf)
{
    return streams_open(server, n, conf, &w->streams);
}

bool wire_is_reliable(const struct wire *w)
{
    return w->streams != NULL;
}

void wire_close(struct wire **w)
{
    if (!*w)
        return;
    streams_close(&(*w)->streams);
    for (unsigned i = 0; i < (*w)->n; i++)
        close((*w)->fd[i].fd);
    free(*w);
    *w = NULL;
}

uint16_t wire_port(const struct wire *w, unsigned socket)
{
    return w->streams ? streams_port(w->streams, socket) : w->port[socket];
}

uint64_t wire_unsent(const struct wire *w)
{
    return w->unsent;
}

unsigned wire_lost(const struct wire *w)
{
    return w->streams ? streams_lost(w->streams) : 0;
}

static void flush(struct wire *w, unsigned socket)
{
    struct queue *q = &w->out[socket];
    for (unsigned done = 0, tries = 0; done < q->n;) {
        int sent = sendmmsg(w->fd[socket].fd, q->msg + done, q->n - done, 0);
        if (sent > 0) {
            done += (unsigned)sent;
            tries = 0;
        } else if (errno == EAGAIN && tries++ < 100) { /* the server's buffer counts as ours */
            struct pollfd p = { .fd = w->fd[socket].fd, .events = POLLOUT };
            (void)poll(&p, 1, 1);
        } else if (errno != EINTR && !(errno == ECONNREFUSED && tries++ == 0)) {
            done++; /* a refusal of an earlier datagram is reported once */
            w->unsent++;
        }
    }
    q->n = 0;
}

void wire_send(struct wire *w, unsigned socket, struct span message)
{
    if (w->streams) {
        w->unsent += !streams_send(w->streams, socket, message);
        return;
    }
    struct queue *q = &w->out[socket];
    if (q->n == WIRE_BATCH)
        flush(w, socket);
    q->iov[q->n] = (struct iovec){ (void *)message.p, message.n };
    q->msg[q->n].msg_hdr = (struct msghdr){ .msg_iov = &q->iov[q->n], .msg_iovlen = 1 };
    q->n++;
}

void wire_flush(struct wire *w)
{
    for (unsigned i = 0; i < w->n; i++)
        if (w->out[i].n > 0)
            flush(w, i);
}

void wire_wait(struct wire *w, int64_t ns)
{
    if (w->streams) {
        streams_wait(w->streams, ns);
        return;
    }
    struct timespec t = { ns / 1000000000, ns % 1000000000 };
    for (unsigned i = 0; i < w->n; i++)
        w->fd[i].revents = 0;
    (void)ppoll(w->fd, w->n, ns > 0 ? &t : &(struct timespec){ 0 }, NULL);
}

void wire_receive(struct wire *w, void (*fn)(void *arg, unsigned socket, struct span message),
                  void *arg)
{
    if (w->streams) {
        streams_receive(w->streams, fn, arg);
        return;
    }
    for (unsigned i = 0; i < w->n; i++) {
        if (!(w->fd[i].revents & (POLLIN | POLLERR)))
            continue;
        int n = recvmmsg(w->fd[i].fd, w->in.msg, WIRE_BATCH, MSG_DONTWAIT, NULL);
        for (int k = 0; k < n; k++)
            fn(arg, i, span_of(w->space[k], w->in.msg[k].msg_len));
    }
}
