#include "net/tls_pipe.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/bytes.h"
#include "net/tls_session.h"

enum {
    PAGE = 16 * 1024,
    UNSENT = 4 * PAGE, /* encrypted bytes on their way, above which no plain ones are read */
    SHORT_MS = 100,    /* until accept() is tried again when there are no descriptors */
};

struct tls_pipes {
    struct loop *loop;
    struct tls_pipes_conf conf;
    struct tls_context *tls;
    int fd;
    uv_poll_t poll;
    struct timer again;
    struct list shaking, open; /* the oldest first */
    unsigned n_shaking;
};

/* One side of a pipe. */
struct side {
    int fd; /* -1: none yet */
    uv_poll_t poll;
    int events; /* asked for */
};

struct pipe {
    struct list link; /* in shaking or open */
    struct tls_pipes *owner;
    struct loop *loop;
    struct tls_session *tls;
    struct addr peer;
    struct side wire, plain;
    struct bytes out; /* encrypted, for the wire */
    struct bytes in;  /* decrypted, for the owner */
    struct timer deadline;
    bool shaken, ending /* when all is sent */, closed;
    unsigned handles; /* libuv's, still open */
};

/* ---- closing ---- */

static void on_handle_closed(uv_handle_t *h)
{
    struct pipe *p = h->data;
    if (--p->handles)
        return;
    if (p->wire.fd >= 0)
        close(p->wire.fd);
    if (p->plain.fd >= 0)
        close(p->plain.fd);
    tls_session_free(&p->tls);
    bytes_free(&p->out);
    bytes_free(&p->in);
    free(p);
}

static void pipe_close(struct pipe *p)
{
    if (p->closed)
        return;
    p->closed = true;
    timer_stop(p->loop, &p->deadline);
    list_remove(&p->link);
    if (!p->shaken)
        p->owner->n_shaking--;
    if (p->plain.fd >= 0) { /* at once: the handles close at the end of the turn */
        shutdown(p->plain.fd, SHUT_RDWR);
        uv_close((uv_handle_t *)&p->plain.poll, on_handle_closed);
    }
    uv_close((uv_handle_t *)&p->wire.poll, on_handle_closed);
}

static void on_deadline(struct timer *t)
{
    struct pipe *p = container_of(t, struct pipe, deadline);
    if (!p->shaken)
        (void)tls_session_broken(p->tls, CS_ETIMEOUT); /* it tells the log */
    pipe_close(p);
}

/* ---- moving bytes ---- */

/* What the descriptor takes of b leaves; false when it is broken. */
static bool send_some(int fd, struct bytes *b)
{
    while (b->n) {
        ssize_t n = send(fd, b->p, b->n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        b->n -= (size_t)n;
        memmove(b->p, b->p + n, b->n);
    }
    bytes_free(b); /* an idle connection keeps no memory */
    return true;
}

static int decrypt(struct pipe *p)
{
    ptrdiff_t got = 0;
    do {
        if (!bytes_reserve(&p->in, PAGE))
            return CS_ENOMEM;
        got = tls_session_read(p->tls, p->in.p + p->in.n, p->in.cap - p->in.n);
        p->in.n += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    return (int)got;
}

static void on_plain(uv_poll_t *h, int status, int events);

/* The handshake is done: the plain side comes to be. */
static int open_plain(struct pipe *p)
{
    const int room = 2 * PAGE;
    X509 *x, *issuer = NULL;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair))
        return -errno;
    for (size_t i = 0; i < CS_LEN(pair); i++)
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    int err = uv_poll_init(&p->loop->uv, &p->plain.poll, pair[0]);
    if (err) {
        close(pair[0]);
        close(pair[1]);
        return err;
    }
    p->plain.poll.data = p;
    p->plain.fd = pair[0];
    p->handles++;
    p->shaken = true;
    p->owner->n_shaking--;
    timer_stop(p->loop, &p->deadline);
    list_remove(&p->link);
    list_push_back(&p->owner->open, &p->link);
    x = tls_session_certificate(p->tls, &issuer);
    p->owner->conf.opened(p->owner->conf.arg, pair[1], &p->peer, x, issuer);
    return 0;
}

static int from_wire(struct pipe *p, struct span cipher)
{
    int err = 0;
    tls_session_feed(p->tls, cipher);
    if (!p->shaken) {
        err = tls_session_handshake(p->tls);
        if (err == 1)
            err = open_plain(p);
    }
    if (!err && p->shaken)
        err = decrypt(p);
    tls_session_feed(p->tls, SPAN_NULL);
    return err;
}

/* ---- waiting ---- */

static void on_wire(uv_poll_t *h, int status, int events);

static bool want(struct side *s, int events, uv_poll_cb fn)
{
    int err = 0;
    if (s->fd < 0 || s->events == events)
        return true;
    s->events = events;
    if (events)
        err = uv_poll_start(&s->poll, events, fn);
    else
        uv_poll_stop(&s->poll);
    return err == 0;
}

/* Sends what can be sent, and waits for what may come. */
static void settle(struct pipe *p)
{
    bool ok = send_some(p->wire.fd, &p->out);
    if (ok && p->plain.fd >= 0)
        ok = send_some(p->plain.fd, &p->in);
    if (!ok || (p->ending && !p->out.n)) {
        pipe_close(p);
        return;
    }
    const bool read_wire = !p->ending && !p->in.n;
    const bool read_plain = !p->ending && p->out.n < UNSENT;
    ok = want(&p->wire, (read_wire ? UV_READABLE : 0) | (p->out.n ? UV_WRITABLE : 0), on_wire) &&
         want(&p->plain, (read_plain ? UV_READABLE : 0) | (p->in.n ? UV_WRITABLE : 0), on_plain);
    if (!ok)
        pipe_close(p);
}

static void on_wire(uv_poll_t *h, int status, int events)
{
    struct pipe *p = h->data;
    char page[PAGE];
    loop_touch(p->loop);
    if (status < 0) {
        pipe_close(p);
        return;
    }
    if ((events & UV_READABLE) && !p->ending && !p->in.n) {
        ssize_t n = recv(p->wire.fd, page, sizeof(page), MSG_DONTWAIT);
        int err = 0;
        if (n > 0)
            err = from_wire(p, span_of(page, (size_t)n));
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
            err = tls_session_broken(p->tls, n == 0 ? UV_EOF : -errno);
        if (err) { /* an alert may have to leave, and what came before the end be heard */
            (void)send_some(p->wire.fd, &p->out);
            if (p->plain.fd >= 0)
                (void)send_some(p->plain.fd, &p->in);
            pipe_close(p);
            return;
        }
    }
    settle(p);
}

static void on_plain(uv_poll_t *h, int status, int events)
{
    struct pipe *p = h->data;
    char page[PAGE];
    loop_touch(p->loop);
    if (status < 0) {
        pipe_close(p);
        return;
    }
    if ((events & UV_READABLE) && !p->ending && p->out.n < UNSENT) {
        ssize_t n = recv(p->plain.fd, page, sizeof(page), MSG_DONTWAIT);
        if (n > 0) {
            if (tls_session_write(p->tls, span_of(page, (size_t)n))) {
                pipe_close(p);
                return;
            }
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            tls_session_shutdown(p->tls);
            p->ending = true;
            timer_start(p->loop, &p->deadline, p->owner->conf.linger);
        }
    }
    settle(p);
}

/* ---- accepting ---- */

static void pipe_open(struct tls_pipes *t, int fd, const struct addr *peer)
{
    const int on = 1;
    struct pipe *p = calloc(1, sizeof(*p));
    if (!p || tls_session_new(t->tls, NULL, &p->peer, &p->out, &p->tls) ||
        uv_poll_init(&t->loop->uv, &p->wire.poll, fd)) {
        if (p)
            tls_session_free(&p->tls);
        free(p);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    p->owner = t;
    p->loop = t->loop;
    p->peer = *peer;
    p->wire.fd = fd;
    p->wire.poll.data = p;
    p->plain.fd = -1;
    p->handles = 1;
    timer_init(&p->deadline, on_deadline);
    timer_start(t->loop, &p->deadline, tls_session_deadline(p->tls));
    list_push_back(&t->shaking, &p->link);
    if (++t->n_shaking > t->conf.max_handshakes)
        pipe_close(container_of(t->shaking.next, struct pipe, link));
    settle(p);
}

static void on_connection(uv_poll_t *h, int status, int events)
{
    struct tls_pipes *t = container_of(h, struct tls_pipes, poll);
    (void)events;
    loop_touch(t->loop);
    while (status == 0) {
        struct sockaddr_storage from;
        socklen_t n = sizeof(from);
        struct addr peer;
        int fd = accept4(t->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0 && errno == EAGAIN)
            return;
        if (fd < 0) {
            uv_poll_stop(&t->poll);
            timer_start(t->loop, &t->again, DURATION_MS(SHORT_MS));
            return;
        }
        addr_from_sockaddr((struct sockaddr *)&from, &peer);
        pipe_open(t, fd, &peer);
    }
}

static void on_again(struct timer *timer)
{
    struct tls_pipes *t = container_of(timer, struct tls_pipes, again);
    uv_poll_start(&t->poll, UV_READABLE, on_connection);
}

static void on_poll_closed(uv_handle_t *h)
{
    struct tls_pipes *t = container_of(h, struct tls_pipes, poll);
    close(t->fd);
    tls_context_unref(&t->tls);
    free(t);
}

int tls_pipes_open(struct loop *l, int fd, const struct tls_pipes_conf *conf,
                   struct tls_pipes **out)
{
    struct tls_pipes *t = calloc(1, sizeof(*t));
    int err = t ? uv_poll_init(&l->uv, &t->poll, fd) : CS_ENOMEM;
    if (err) {
        free(t);
        close(fd);
        return err;
    }
    t->loop = l;
    t->conf = *conf;
    t->tls = tls_context_ref(conf->tls);
    t->fd = fd;
    timer_init(&t->again, on_again);
    list_init(&t->shaking);
    list_init(&t->open);
    uv_poll_start(&t->poll, UV_READABLE, on_connection);
    *out = t;
    return 0;
}

void tls_pipes_use(struct tls_pipes *t, struct tls_context *tls)
{
    struct tls_context *old = t->tls;
    t->tls = tls_context_ref(tls);
    tls_context_unref(&old);
}

void tls_pipes_close(struct tls_pipes **tp)
{
    struct tls_pipes *t = *tp;
    if (!t)
        return;
    *tp = NULL;
    timer_stop(t->loop, &t->again);
    struct list *const lists[] = { &t->shaking, &t->open };
    for (size_t i = 0; i < CS_LEN(lists); i++) {
        while (!list_empty(lists[i]))
            pipe_close(container_of(lists[i]->next, struct pipe, link));
    }
    uv_close((uv_handle_t *)&t->poll, on_poll_closed);
}
