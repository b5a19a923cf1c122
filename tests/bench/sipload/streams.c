#include "streams.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "frame.h"

enum { IN_MAX = 8192, BATCH = 256, SHAKING_MAX = 64, OPEN_S = 120 };

struct stream {
    enum { SHAKING, UPGRADING, OPEN, LOST } state;
    int fd;
    SSL *ssl;
    uint16_t port;
    size_t n;
    char *in; /* of IN_MAX bytes, when something came in parts */
};

struct streams {
    struct streams_conf conf;
    SSL_CTX *ctx;
    int epoll;
    unsigned n, begun, open, lost;
    struct epoll_event ready[BATCH];
    int n_ready;
    struct stream s[];
};

static void lose(struct streams *ss, struct stream *s)
{
    if (s->state == LOST)
        return;
    ss->open -= s->state == OPEN;
    ss->lost++;
    s->state = LOST;
    SSL_free(s->ssl);
    s->ssl = NULL;
    close(s->fd);
}

static bool put(struct streams *ss, struct stream *s, struct span bytes)
{
    size_t done = 0;
    ERR_clear_error();
    if (s->state != LOST && SSL_write_ex(s->ssl, bytes.p, bytes.n, &done) == 1)
        return true;
    lose(ss, s); /* a server that does not read so little is none */
    return false;
}

static bool put_frame(struct streams *ss, struct stream *s, unsigned opcode, struct span payload)
{
    char text[2048];
    struct buf b = BUF_INIT(text);
    frame_write(&b, opcode, payload);
    return buf_ok(&b) && put(ss, s, buf_span(&b));
}

/* ---- reading ---- */

typedef void message_fn(void *arg, unsigned i, struct span message);

/* The handshake's answer, a message, or what only WebSockets say; as frame_ws(). */
static int take(struct streams *ss, struct stream *s, struct span *in, message_fn *fn, void *arg)
{
    struct span message;
    unsigned opcode = 0, i = (unsigned)(s - ss->s);
    int r;
    if (s->state == UPGRADING) {
        r = frame_welcome(in);
        if (r == 1) {
            s->state = OPEN;
            ss->open++;
        }
        return r;
    }
    r = ss->conf.ws ? frame_ws(in, &opcode, &message) : frame_sip(in, &message);
    if (r != 1)
        return r;
    if (opcode == FRAME_PING)
        put_frame(ss, s, FRAME_PONG, message);
    else if (opcode == FRAME_CLOSE)
        return CS_ECLOSED;
    else if (opcode != FRAME_PONG && fn)
        fn(arg, i, message);
    return s->state == LOST ? CS_ECLOSED : 1;
}

static void read_from(struct streams *ss, struct stream *s, message_fn *fn, void *arg)
{
    static char page[IN_MAX];
    size_t got;
    while (s->state != LOST) {
        int r;
        memcpy(page, s->in ? s->in : page, s->n);
        ERR_clear_error();
        if (SSL_read_ex(s->ssl, page + s->n, IN_MAX - s->n, &got) != 1) {
            if (SSL_get_error(s->ssl, 0) != SSL_ERROR_WANT_READ)
                lose(ss, s);
            return;
        }
        struct span rest = span_of(page, s->n + got);
        while ((r = take(ss, s, &rest, fn, arg)) == 1)
            ;
        if (r < 0 || rest.n == IN_MAX || (rest.n > 0 && !s->in && !(s->in = malloc(IN_MAX)))) {
            lose(ss, s);
            return;
        }
        s->n = rest.n;
        memcpy(s->in ? s->in : page, rest.p ? rest.p : page, rest.n);
    }
}

/* ---- opening ---- */

static int begin(struct streams *ss, const struct addr *server)
{
    unsigned i = ss->begun;
    struct stream *s = &ss->s[i];
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.u32 = i };
    s->fd = dial(server, SOCK_STREAM, &ss->conf.from, i);
    if (s->fd < 0)
        return s->fd;
    ss->begun++;
    s->port = dial_port(s->fd);
    s->ssl = tls_open(ss->ctx, s->fd);
    return s->ssl && epoll_ctl(ss->epoll, EPOLL_CTL_ADD, s->fd, &e) == 0 ? 0 : CS_ENOMEM;
}

static void shake(struct streams *ss, struct stream *s)
{
    struct epoll_event e = { .events = EPOLLIN, .data.u32 = (uint32_t)(s - ss->s) };
    char text[512];
    struct buf hello = BUF_INIT(text);
    int r = tls_shake(s->ssl);
    if (r < 0)
        lose(ss, s);
    if (s->state == LOST)
        return;
    epoll_ctl(ss->epoll, EPOLL_CTL_MOD, s->fd, &e); /* what had to be written is */
    if (r != 1)
        return;
    s->state = ss->conf.ws ? UPGRADING : OPEN;
    ss->open += s->state == OPEN;
    frame_hello(&hello);
    if (ss->conf.ws)
        put(ss, s, buf_span(&hello));
}

int streams_open(const struct addr *server, unsigned n, const struct streams_conf *conf,
                 struct streams **out)
{
    struct mono begun = clock_mono();
    struct streams *ss = *out = calloc(1, sizeof(*ss) + n * sizeof(*ss->s));
    if (!ss)
        return CS_ENOMEM;
    ss->conf = *conf;
    ss->n = n;
    ss->epoll = epoll_create1(EPOLL_CLOEXEC);
    ss->ctx = tls_client(conf->version);
    int err = ss->epoll >= 0 && ss->ctx ? 0 : CS_ENOMEM;
    while (!err && ss->open < n) {
        while (!err && ss->begun < n && ss->begun - ss->open < SHAKING_MAX)
            err = begin(ss, server);
        streams_wait(ss, 1000000000);
        streams_receive(ss, NULL, NULL);
        if (ss->lost > 0)
            err = CS_ECLOSED;
        else if (mono_since(begun, clock_mono()).ms > OPEN_S * 1000)
            err = CS_ETIMEOUT;
    }
    return err;
}

/* ---- entry points ---- */

void streams_close(struct streams **pss)
{
    struct streams *ss = *pss;
    *pss = NULL;
    if (!ss)
        return;
    for (unsigned i = 0; i < ss->begun; i++) {
        struct stream *s = &ss->s[i];
        if (s->state == OPEN) {
            ERR_clear_error();
            SSL_shutdown(s->ssl);
        }
        SSL_free(s->ssl);
        if (s->state != LOST)
            close(s->fd);
        free(s->in);
    }
    SSL_CTX_free(ss->ctx);
    close(ss->epoll);
    free(ss);
}

uint16_t streams_port(const struct streams *ss, unsigned i)
{
    return ss->s[i].port;
}

bool streams_send(struct streams *ss, unsigned i, struct span message)
{
    struct stream *s = &ss->s[i];
    return ss->conf.ws ? put_frame(ss, s, FRAME_TEXT, message) : put(ss, s, message);
}

void streams_wait(struct streams *ss, int64_t ns)
{
    struct timespec t = { ns / 1000000000, ns % 1000000000 };
    ss->n_ready = epoll_pwait2(ss->epoll, ss->ready, BATCH, &t, NULL);
}

void streams_receive(struct streams *ss, message_fn *fn, void *arg)
{
    for (int k = 0; k < ss->n_ready; k++) {
        struct stream *s = &ss->s[ss->ready[k].data.u32];
        if (s->state == SHAKING)
            shake(ss, s);
        if (s->state == UPGRADING || s->state == OPEN)
            read_from(ss, s, fn, arg);
    }
    ss->n_ready = 0;
}

unsigned streams_lost(const struct streams *ss)
{
    return ss->lost;
}
