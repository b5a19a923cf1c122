#include "net/stream.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/bind.h"
#include "net/bytes.h"
#include "net/systemd.h"
#include "net/tls_session.h"

enum { SCRATCH = 65536, READ_MIN = 4096, BACKLOG = 1024 };

enum state { CONNECTING, SHAKING /* hands: TLS is being set up */, OPEN, CLOSING };

union handle {
    uv_handle_t any;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

struct sending { /* most streams are idle, and have none */
    uv_write_t write;
    struct stream *stream;
    struct bytes bytes;
};

struct stream {
    union handle h;
    struct loop *loop;
    struct stream_limits limits;
    const struct stream_events *events; /* NULL: refused by accept_fn, nobody to tell */
    void *arg;
    enum state state;
    bool paused;
    int reason;
    struct addr peer, local;
    struct turn flush;
    struct bytes in;         /* what data() left unread */
    struct bytes out;        /* written in this turn, or waiting for sending */
    struct sending *sending; /* NULL: nothing is in the hands of libuv */
    struct tls_session *tls; /* NULL: plain */
    struct bytes wire;       /* of TLS: encrypted, to be sent next */
    struct timer deadline;   /* of its handshake */
};

struct listener {
    union handle h;
    struct loop *loop;
    struct stream_limits limits;
    const struct stream_events *events;
    accept_fn *fn;
    void *arg;
    struct addr local;
    bool unix_socket;
    struct tls_context *tls; /* NULL: plain */
};

/* Most streams have nothing unread between two turns, so they share one page to read into, and one
 * to decrypt into. */
static _Thread_local char scratch[SCRATCH], plain[SCRATCH];

static void on_closed(uv_handle_t *h)
{
    struct stream *s = h->data;
    turn_cancel(&s->flush);
    timer_stop(s->loop, &s->deadline);
    if (s->events)
        s->events->closed(s, s->arg, s->reason);
    bytes_free(&s->in);
    bytes_free(&s->out);
    bytes_free(&s->wire);
    tls_session_free(&s->tls);
    free(s);
}

/* ---- writing ---- */

static void on_written(uv_write_t *w, int status)
{
    struct sending *sending = container_of(w, struct sending, write);
    struct stream *s = sending->stream;
    s->sending = NULL;
    bytes_free(&sending->bytes);
    free(sending);
    if (s->state == CLOSING)
        return;
    if (status < 0)
        stream_close(s, status);
    else if (s->out.n || s->wire.n)
        turn_queue(s->loop, &s->flush);
}

/* Encrypts what was written in this turn; before the handshake is done it has to wait. */
static int encrypt(struct stream *s)
{
    if (s->state == SHAKING || !s->out.n)
        return 0;
    int err = tls_session_write(s->tls, span_of(s->out.p, s->out.n));
    bytes_free(&s->out);
    return err;
}

/* Sends as much as the kernel takes, and leaves the rest to libuv. */
static int send_bytes(struct stream *s, struct bytes *out)
{
    uv_buf_t b = uv_buf_init(out->p, (unsigned)out->n);
    int sent = uv_try_write(&s->h.stream, &b, 1);
    if (sent < 0 && sent != UV_EAGAIN)
        return sent;
    if (sent > 0 && (size_t)sent == out->n) {
        bytes_free(out); /* idle streams are many, and keep nothing */
        return 0;
    }
    if (s->state == CLOSING)
        return 0;
    size_t done = sent > 0 ? (size_t)sent : 0;
    struct sending *rest = malloc(sizeof(*rest));
    if (!rest)
        return CS_ENOMEM;
    *rest = (struct sending){ .stream = s, .bytes = *out };
    *out = (struct bytes){ 0 };
    b = uv_buf_init(rest->bytes.p + done, (unsigned)(rest->bytes.n - done));
    int err = uv_write(&rest->write, &s->h.stream, &b, 1, on_written);
    if (err) {
        bytes_free(&rest->bytes);
        free(rest);
        return err;
    }
    s->sending = rest;
    return 0;
}

static size_t unsent(const struct stream *s)
{
    return s->out.n + s->wire.n + (s->sending ? s->sending->bytes.n : 0);
}

static void flush(struct stream *s)
{
    struct bytes *out = s->tls ? &s->wire : &s->out;
    if (s->sending || s->state == CONNECTING)
        return;
    int err = s->tls ? encrypt(s) : 0;
    if (!err && out->n)
        err = send_bytes(s, out);
    if (err)
        stream_close(s, err);
}

static void on_flush(struct turn *t)
{
    flush(container_of(t, struct stream, flush));
}

char *stream_reserve(struct stream *s, size_t n)
{
    if (s->state == CLOSING)
        return NULL;
    if (unsent(s) + n > s->limits.max_unsent) {
        stream_close(s, CS_ELIMIT);
        return NULL;
    }
    if (!bytes_reserve(&s->out, n)) {
        stream_close(s, CS_ENOMEM);
        return NULL;
    }
    return s->out.p + s->out.n;
}

void stream_wrote(struct stream *s, size_t n)
{
    s->out.n += n;
    if (s->state == OPEN && n)
        turn_queue(s->loop, &s->flush);
}

void stream_write(struct stream *s, struct span data)
{
    char *p = stream_reserve(s, data.n);
    if (!p || !data.n)
        return;
    memcpy(p, data.p, data.n);
    stream_wrote(s, data.n);
}

void stream_close(struct stream *s, int reason)
{
    enum state was = s->state;
    if (was == CLOSING)
        return;
    turn_cancel(&s->flush);
    timer_stop(s->loop, &s->deadline);
    if (was == OPEN && s->tls && !s->sending && encrypt(s) == 0)
        tls_session_shutdown(s->tls);
    s->state = CLOSING;
    s->reason = reason;
    if (was == SHAKING)
        s->out.n = 0; /* nothing leaves unencrypted, but the alert does */
    if (was != CONNECTING)
        flush(s);
    uv_close(&s->h.any, on_closed);
}

/* ---- reading ---- */

/* Where what comes next has to be put, so that what was left unread stays before it: n == 0 when
 * memory is exhausted. */
static uv_buf_t room(struct stream *s, char *page)
{
    if (s->in.n == 0)
        return uv_buf_init(page, SCRATCH);
    if (!bytes_reserve(&s->in, READ_MIN))
        return uv_buf_init(NULL, 0);
    return uv_buf_init(s->in.p + s->in.n, (unsigned)(s->in.cap - s->in.n));
}

/* Gives the n bytes that were put at room() to the owner. */
static void deliver(struct stream *s, const char *at, size_t n)
{
    bool fresh = s->in.n == 0;
    struct span unread = fresh ? span_of(at, n) : span_of(s->in.p, s->in.n + n);
    ptrdiff_t used = s->events->data(s, s->arg, unread);
    if (s->state != OPEN)
        return;
    if (used < 0) {
        stream_close(s, (int)used);
        return;
    }
    struct span rest = span_skip(unread, (size_t)used);
    if (rest.n > s->limits.max_unread && !s->paused) { /* while paused it cannot grow */
        stream_close(s, CS_ELIMIT);
    } else if (rest.n == 0) {
        s->in.n = 0;
        bytes_free(&s->in);
    } else if (fresh && !bytes_reserve(&s->in, rest.n)) {
        stream_close(s, CS_ENOMEM);
    } else {
        memmove(s->in.p, rest.p, rest.n);
        s->in.n = rest.n;
    }
}

static void decrypt(struct stream *s)
{
    ptrdiff_t got = 1;
    while (s->state == OPEN && got > 0) {
        uv_buf_t to = room(s, plain);
        size_t n = 0;
        if (to.len == 0) {
            stream_close(s, CS_ENOMEM);
            return;
        }
        while (n < to.len && (got = tls_session_read(s->tls, to.base + n, to.len - n)) > 0)
            n += (size_t)got;
        if (n)
            deliver(s, to.base, n);
        if (got < 0)
            stream_close(s, (int)got);
    }
}

static void shake(struct stream *s)
{
    int r = tls_session_handshake(s->tls);
    turn_queue(s->loop, &s->flush);
    if (r < 0)
        stream_close(s, r);
    if (r != 1)
        return;
    timer_stop(s->loop, &s->deadline);
    s->state = OPEN;
    if (s->events->opened)
        s->events->opened(s, s->arg);
}

static void on_cipher(struct stream *s, struct span wire)
{
    tls_session_feed(s->tls, wire);
    if (s->state == SHAKING)
        shake(s);
    decrypt(s);
    tls_session_feed(s->tls, SPAN_NULL);
    if (s->state != OPEN || !s->wire.n)
        return;
    /* A peer who makes us answer (to a change of keys) and does not read. */
    if (unsent(s) > 2 * s->limits.max_unsent + SCRATCH)
        stream_close(s, CS_ELIMIT);
    else
        turn_queue(s->loop, &s->flush);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    struct stream *s = h->data;
    (void)suggested;
    *b = s->tls ? uv_buf_init(scratch, SCRATCH) : room(s, scratch); /* 0 shows as UV_ENOBUFS */
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
    struct stream *s = h->data;
    if (n == 0 || (s->state != OPEN && s->state != SHAKING))
        return;
    loop_touch(s->loop);
    if (n < 0)
        stream_close(s, s->tls ? tls_session_broken(s->tls, (int)n) : (int)n);
    else if (s->tls)
        on_cipher(s, span_of(b->base, (size_t)n));
    else
        deliver(s, b->base, (size_t)n);
}

/* ---- opening ---- */

static void on_deadline(struct timer *t)
{
    struct stream *s = container_of(t, struct stream, deadline);
    stream_close(s, tls_session_broken(s->tls, CS_ETIMEOUT));
}

static struct stream *stream_new(struct loop *l, bool tcp, const struct stream_limits *limits,
                                 const struct stream_events *events, void *arg)
{
    struct stream *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->loop = l;
    s->limits = *limits;
    s->events = events;
    s->arg = arg;
    turn_init(&s->flush, on_flush);
    timer_init(&s->deadline, on_deadline);
    if (tcp)
        uv_tcp_init(&l->uv, &s->h.tcp);
    else
        uv_pipe_init(&l->uv, &s->h.pipe, 0);
    s->h.any.data = s;
    return s;
}

/* Ends a stream that its owner never saw. */
static void discard(struct stream *s)
{
    s->events = NULL;
    stream_close(s, 0);
}

static void name_of(int (*fn)(const uv_tcp_t *, struct sockaddr *, int *), const uv_tcp_t *h,
                    struct addr *out)
{
    struct sockaddr_storage name;
    int len = sizeof(name);
    if (!fn(h, (struct sockaddr *)&name, &len))
        addr_from_sockaddr((struct sockaddr *)&name, out);
}

static int connected(struct stream *s)
{
    s->state = s->tls ? SHAKING : OPEN;
    if (s->tls)
        timer_start(s->loop, &s->deadline, tls_session_deadline(s->tls));
    if (s->h.any.type == UV_TCP) {
        uv_tcp_nodelay(&s->h.tcp, 1);
        name_of(uv_tcp_getpeername, &s->h.tcp, &s->peer);
        name_of(uv_tcp_getsockname, &s->h.tcp, &s->local);
    }
    return uv_read_start(&s->h.stream, on_alloc, on_read);
}

static void on_connect(uv_connect_t *c, int status)
{
    struct stream *s = c->data;
    free(c);
    if (s->state == CLOSING)
        return;
    loop_touch(s->loop);
    if (status == 0)
        status = connected(s);
    if (status < 0) {
        stream_close(s, status);
        return;
    }
    if (s->tls) {
        shake(s);
        return;
    }
    if (s->events->opened)
        s->events->opened(s, s->arg);
    if (s->state == OPEN && s->out.n)
        turn_queue(s->loop, &s->flush);
}

/* For on_connect, which comes in any case, frees it. NULL: no memory. */
static uv_connect_t *connect_new(struct stream *s)
{
    uv_connect_t *c = malloc(sizeof(*c));
    if (c)
        c->data = s;
    return c;
}

int stream_connect_tcp(struct loop *l, const struct addr *to, const struct addr *from,
                       const struct stream_limits *limits, const struct stream_events *events,
                       void *arg, struct stream **out)
{
    struct stream *s = stream_new(l, true, limits, events, arg);
    if (!s)
        return CS_ENOMEM;
    s->peer = *to;
    int err = from ? uv_tcp_bind(&s->h.tcp, &from->sa, 0) : 0;
    uv_connect_t *c = err ? NULL : connect_new(s);
    if (!err)
        err = c ? uv_tcp_connect(c, &s->h.tcp, &to->sa, on_connect) : CS_ENOMEM;
    if (err) {
        free(c);
        discard(s);
        return err;
    }
    *out = s;
    return 0;
}

int stream_connect_unix(struct loop *l, const char *path, const struct stream_limits *limits,
                        const struct stream_events *events, void *arg, struct stream **out)
{
    if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return UV_ENAMETOOLONG; /* libuv 1.44 would cut it silently */
    struct stream *s = stream_new(l, false, limits, events, arg);
    if (!s)
        return CS_ENOMEM;
    uv_connect_t *c = connect_new(s);
    if (!c) {
        discard(s);
        return CS_ENOMEM;
    }
    uv_pipe_connect(c, &s->h.pipe, path, on_connect);
    *out = s;
    return 0;
}

int stream_start_tls(struct stream *s, struct tls_context *tls, const char *name)
{
    char host[ADDR_STRLEN];
    struct buf b = buf_of(host, sizeof(host) - 1);
    assert(s->state == CONNECTING && !s->tls);
    if (!name && s->peer.sa.sa_family == AF_UNSPEC)
        return CS_ECONF; /* a Unix socket's server needs a name */
    if (!name) {
        addr_write_host(&b, &s->peer);
        host[b.n] = '\0';
        name = host;
    }
    return tls_session_new(tls, name, &s->peer, &s->wire, &s->tls);
}

int stream_peer_certificate(const struct stream *s, struct arena *a, struct tls_peer *out)
{
    *out = (struct tls_peer){ 0 };
    return s->tls ? tls_session_peer(s->tls, a, out) : CS_ENOENT;
}

X509 *stream_certificate(const struct stream *s, X509 **issuer)
{
    *issuer = NULL;
    return s->tls ? tls_session_certificate(s->tls, issuer) : NULL;
}

bool stream_is_vouched(const struct stream *s, const struct tls_context *by)
{
    return s->tls && tls_session_is_vouched(s->tls, by);
}

void stream_pause(struct stream *s)
{
    if (s->state != OPEN || s->paused)
        return;
    s->paused = true;
    uv_read_stop(&s->h.stream);
}

void stream_resume(struct stream *s)
{
    if (s->state != OPEN || !s->paused)
        return;
    s->paused = false;
    int err = uv_read_start(&s->h.stream, on_alloc, on_read);
    if (err)
        stream_close(s, err);
    else if (s->in.n)
        deliver(s, s->in.p + s->in.n, 0);
}

bool stream_is_open(const struct stream *s)
{
    return s->state == OPEN;
}

void stream_set_arg(struct stream *s, void *arg)
{
    s->arg = arg;
}

const struct addr *stream_peer(const struct stream *s)
{
    return &s->peer;
}

const struct addr *stream_local(const struct stream *s)
{
    return &s->local;
}

int stream_peer_uid(const struct stream *s, uid_t *uid)
{
    uv_os_fd_t fd;
    struct ucred cred;
    socklen_t len = sizeof(cred);
    int err = uv_fileno(&s->h.any, &fd);
    if (err)
        return err;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
        return -errno;
    *uid = cred.uid;
    return 0;
}

int stream_watch_peer(const struct stream *s, struct duration silence)
{
    uv_os_fd_t fd;
    const int on = 1, ms = (int)silence.ms, probe_s = CS_MAX(1, ms / 4000);
    const struct {
        int level, name;
        const int *value;
    } options[] = {
        { SOL_SOCKET, SO_KEEPALIVE, &on },
        { IPPROTO_TCP, TCP_KEEPIDLE, &probe_s },
        { IPPROTO_TCP, TCP_KEEPINTVL, &probe_s },
        { IPPROTO_TCP, TCP_USER_TIMEOUT, &ms }, /* of data, and in place of a number of probes */
    };
    int err = uv_fileno(&s->h.any, &fd);
    for (size_t i = 0; !err && i < CS_LEN(options); i++) {
        if (setsockopt(fd, options[i].level, options[i].name, options[i].value, sizeof(int)))
            err = -errno;
    }
    return err;
}

/* ---- listening ---- */

static int start_tls(struct listener *ls, struct stream *s)
{
    return ls->tls ? tls_session_new(ls->tls, NULL, &s->peer, &s->wire, &s->tls) : 0;
}

static void on_connection(uv_stream_t *h, int status)
{
    struct listener *ls = h->data;
    if (status < 0)
        return;
    loop_touch(ls->loop);
    struct stream *s = stream_new(ls->loop, !ls->unix_socket, &ls->limits, NULL, NULL);
    if (!s)
        return;
    void *arg = NULL;
    if (uv_accept(h, &s->h.stream) || start_tls(ls, s) || connected(s) ||
        ls->fn(ls->arg, s, &arg)) {
        discard(s);
        return;
    }
    s->events = ls->events;
    s->arg = arg;
}

static struct listener *listener_new(struct loop *l, bool tcp, const struct stream_limits *limits,
                                     const struct stream_events *events, accept_fn *fn, void *arg)
{
    struct listener *ls = calloc(1, sizeof(*ls));
    if (!ls)
        return NULL;
    *ls = (struct listener){
        .loop = l, .limits = *limits, .events = events, .fn = fn, .arg = arg, .unix_socket = !tcp
    };
    if (tcp)
        uv_tcp_init(&l->uv, &ls->h.tcp);
    else
        uv_pipe_init(&l->uv, &ls->h.pipe, 0);
    ls->h.any.data = ls;
    return ls;
}

int listener_open_tcp(struct loop *l, const struct addr *local, const struct stream_limits *limits,
                      const struct stream_events *events, accept_fn *fn, void *arg,
                      struct listener **out)
{
    int fd, err = bind_socket(BIND_TCP, local, false, &fd, NULL);
    return err ? err : listener_open_fd(l, fd, limits, events, fn, arg, out);
}

int listener_open_fd(struct loop *l, int fd, const struct stream_limits *limits,
                     const struct stream_events *events, accept_fn *fn, void *arg,
                     struct listener **out)
{
    struct listener *ls = listener_new(l, true, limits, events, fn, arg);
    int err = ls ? uv_tcp_open(&ls->h.tcp, fd) : CS_ENOMEM;
    if (err)
        close(fd);
    else
        err = uv_listen(&ls->h.stream, BACKLOG, on_connection);
    if (err) {
        listener_close(&ls);
        return err;
    }
    name_of(uv_tcp_getsockname, &ls->h.tcp, &ls->local);
    *out = ls;
    return 0;
}

/* Whether somebody answers on this socket file; a dead one is removed. */
static bool is_served(const char *path)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    memcpy(name.sun_path, path, strlen(path) + 1);
    bool served = connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0;
    if (!served && errno == ECONNREFUSED)
        unlink(path);
    close(fd);
    return served;
}

static int bind_unix(struct listener *ls, const char *path, unsigned mode)
{
    mode_t old = umask(0777 & ~mode); /* never open wider than it will be */
    int err = uv_pipe_bind(&ls->h.pipe, path);
    umask(old);
    return err;
}

int listener_open_unix(struct loop *l, const char *path, unsigned mode,
                       const struct stream_limits *limits, const struct stream_events *events,
                       accept_fn *fn, void *arg, struct listener **out)
{
    int fd, passed = systemd_socket(path, &fd);
    if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return UV_ENAMETOOLONG;
    if (passed && passed != CS_ENOENT)
        return passed;
    if (passed && is_served(path))
        return UV_EADDRINUSE;
    struct listener *ls = listener_new(l, false, limits, events, fn, arg);
    if (!ls)
        return CS_ENOMEM;
    int err = passed ? bind_unix(ls, path, mode) : uv_pipe_open(&ls->h.pipe, fd);
    if (!err)
        err = uv_listen(&ls->h.stream, BACKLOG, on_connection);
    if (err) {
        listener_close(&ls);
        return err;
    }
    *out = ls;
    return 0;
}

static void on_listener_closed(uv_handle_t *h)
{
    free(h->data);
}

void listener_close(struct listener **lp)
{
    struct listener *ls = *lp;
    if (!ls)
        return;
    *lp = NULL;
    tls_context_unref(&ls->tls);
    uv_close(&ls->h.any, on_listener_closed);
}

void listener_start_tls(struct listener *ls, struct tls_context *tls)
{
    struct tls_context *old = ls->tls;
    ls->tls = tls_context_ref(tls);
    tls_context_unref(&old);
}

const struct addr *listener_local(const struct listener *ls)
{
    return &ls->local;
}
