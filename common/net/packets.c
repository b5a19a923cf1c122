#include "net/packets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct packet {
    struct list link;
    size_t n;
    char data[PACKET_MAX];
};

struct packets {
    struct loop *loop;
    uv_poll_t poll;
    int fd;
    packets_fn *fn;
    void *arg;
    struct list unsent;
    size_t n_unsent;
    bool ended;
};

static void on_poll(uv_poll_t *h, int status, int events);

static void watch(struct packets *p)
{
    uv_poll_start(&p->poll, UV_READABLE | (p->n_unsent ? UV_WRITABLE : 0), on_poll);
}

static int send_now(const struct packets *p, struct span m)
{
    return send(p->fd, m.p, m.n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void drop(struct packets *p, struct packet *k)
{
    list_remove(&k->link);
    free(k);
    p->n_unsent--;
}

static void end(struct packets *p)
{
    p->ended = true;
    list_for_each (it, &p->unsent)
        drop(p, container_of(it, struct packet, link));
    uv_poll_stop(&p->poll);
    p->fn(p->arg, SPAN_NULL);
}

static void send_unsent(struct packets *p)
{
    while (p->n_unsent) {
        struct packet *k = container_of(p->unsent.next, struct packet, link);
        if (send_now(p, span_of(k->data, k->n)) == -EAGAIN)
            return;
        drop(p, k); /* that the other side is gone shows when it is read from */
    }
    watch(p);
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct packets *p = h->data;
    char in[PACKET_MAX];
    (void)status;
    if (events & UV_WRITABLE)
        send_unsent(p);
    while (!p->ended) {
        ssize_t n = recv(p->fd, in, sizeof(in), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            end(p);
            return;
        }
        p->fn(p->arg, span_of(in, (size_t)n));
    }
}

int packets_open(struct loop *l, int fd, packets_fn *fn, void *arg, struct packets **out)
{
    struct packets *p = calloc(1, sizeof(*p));
    *out = p;
    if (!p) {
        close(fd);
        return CS_ENOMEM;
    }
    *p = (struct packets){ .loop = l, .fd = fd, .fn = fn, .arg = arg };
    list_init(&p->unsent);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    uv_poll_init(&l->uv, &p->poll, fd);
    p->poll.data = p;
    watch(p);
    return 0;
}

int packets_send(struct packets *p, struct span m)
{
    int err = p->ended || m.n > PACKET_MAX ? CS_ECLOSED : p->n_unsent ? -EAGAIN : send_now(p, m);
    if (err != -EAGAIN)
        return err;
    struct packet *k = p->n_unsent < PACKETS_UNSENT_MAX ? malloc(sizeof(*k)) : NULL;
    if (!k)
        return p->n_unsent < PACKETS_UNSENT_MAX ? CS_ENOMEM : CS_ELIMIT;
    k->n = m.n;
    memcpy(k->data, m.p, m.n);
    list_init(&k->link);
    list_push_back(&p->unsent, &k->link);
    p->n_unsent++;
    watch(p);
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    struct packets *p = h->data;
    close(p->fd);
    free(p);
}

void packets_close(struct packets **pp)
{
    struct packets *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    p->ended = true;
    list_for_each (it, &p->unsent)
        drop(p, container_of(it, struct packet, link));
    uv_close((uv_handle_t *)&p->poll, on_closed);
}
