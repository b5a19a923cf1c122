#include "handshakes.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { BATCH = 256, LATE_S = 8 };

struct client {
    enum { IDLE, SHAKING, WAITING /* for the ticket */, LEAVING } state;
    bool ticket; /* it came */
    int fd;
    int64_t start;
    SSL *ssl;
    SSL_SESSION *session; /* to resume; NULL: none */
};

struct handshakes {
    const struct addr *server;
    const struct handshakes_conf *conf;
    struct handshakes_result *r;
    SSL_CTX *ctx;
    int epoll;
    unsigned dialled, idle;
    bool measuring;
    int64_t now;
    struct client *clients;
};

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct client *c = SSL_get_app_data(ssl);
    SSL_SESSION_free(c->session);
    c->session = session;
    c->ticket = true;
    return 1;
}

static void begin(struct handshakes *h, struct client *c)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.ptr = c };
    c->fd = dial(h->server, SOCK_STREAM, &h->conf->from, h->dialled++);
    c->ssl = c->fd >= 0 ? tls_open(h->ctx, c->fd) : NULL;
    c->ticket = false;
    c->start = h->now;
    if (!c->ssl || SSL_set_app_data(c->ssl, c) != 1 ||
        (h->conf->resume && c->session && SSL_set_session(c->ssl, c->session) != 1) ||
        epoll_ctl(h->epoll, EPOLL_CTL_ADD, c->fd, &e) != 0) {
        h->r->failed++;
        SSL_free(c->ssl);
        if (c->fd >= 0)
            close(c->fd);
        return;
    }
    c->state = SHAKING;
    h->idle--;
}

static void end(struct handshakes *h, struct client *c)
{
    SSL_free(c->ssl);
    close(c->fd);
    c->state = IDLE;
    h->idle++;
}

static void fail(struct handshakes *h, struct client *c, uint64_t *counter)
{
    (*counter)++;
    SSL_SESSION_free(c->session);
    c->session = NULL;
    end(h, c);
}

static void done(struct handshakes *h, struct client *c)
{
    if (h->measuring) {
        h->r->ops++;
        h->r->resumed += (unsigned)SSL_session_reused(c->ssl);
        latency_add(&h->r->latency, h->now - c->start);
    }
    SSL_shutdown(c->ssl);
    shutdown(c->fd, SHUT_WR);
    c->state = LEAVING;
}

static void go_on(struct handshakes *h, struct client *c)
{
    char byte;
    size_t got;
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
    if (c->state == SHAKING) {
        int r = tls_shake(c->ssl);
        if (r < 0) {
            fail(h, c, &h->r->failed);
            return;
        }
        epoll_ctl(h->epoll, EPOLL_CTL_MOD, c->fd, &e);
        if (r == 0)
            return;
        c->state = WAITING;
    }
    ERR_clear_error();
    int why = SSL_read_ex(c->ssl, &byte, 1, &got) == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, 0);
    if (c->state == LEAVING) {
        if (why != SSL_ERROR_WANT_READ)
            end(h, c);
    } else if (why != SSL_ERROR_WANT_READ) {
        fail(h, c, &h->r->failed);
    } else if (c->ticket || SSL_version(c->ssl) == TLS1_2_VERSION) {
        done(h, c);
    }
}

static void give_up(struct handshakes *h)
{
    for (unsigned i = 0; i < h->conf->inflight; i++) {
        struct client *c = &h->clients[i];
        if (c->state != IDLE && h->now - c->start > LATE_S * INT64_C(1000000000))
            fail(h, c, &h->r->timed_out);
    }
}

static void turn(struct handshakes *h, bool more)
{
    struct epoll_event ready[BATCH];
    for (unsigned i = 0; more && i < h->conf->inflight; i++)
        if (h->clients[i].state == IDLE)
            begin(h, &h->clients[i]);
    int n = epoll_wait(h->epoll, ready, BATCH, 20);
    h->now = clock_mono().ns;
    for (int k = 0; k < n; k++)
        go_on(h, ready[k].data.ptr);
    give_up(h);
}

static void run(struct handshakes *h, struct usage *usage)
{
    const struct handshakes_conf *conf = h->conf;
    int64_t until = clock_mono().ns + (int64_t)(conf->warmup_s * 1e9), begun;
    h->now = clock_mono().ns;
    while (h->now < until)
        turn(h, true);
    usage_begin(usage);
    begun = h->now = clock_mono().ns;
    h->measuring = true;
    until = begun + (int64_t)(conf->duration_s * 1e9);
    while (h->now < until)
        turn(h, true);
    h->r->seconds = (double)(clock_mono().ns - begun) / 1e9;
    usage_end(usage);
    h->measuring = false;
    while (h->idle < conf->inflight)
        turn(h, false);
}

int handshakes_run(const struct addr *server, const struct handshakes_conf *conf,
                   struct usage *usage, struct handshakes_result *out)
{
    struct handshakes h = { .server = server, .conf = conf, .r = out, .idle = conf->inflight };
    *out = (struct handshakes_result){ 0 };
    h.clients = calloc(conf->inflight, sizeof(*h.clients));
    h.epoll = epoll_create1(EPOLL_CLOEXEC);
    h.ctx = tls_client(conf->version);
    int err = h.clients && h.epoll >= 0 && h.ctx ? 0 : CS_ENOMEM;
    if (!err) {
        SSL_CTX_set_session_cache_mode(h.ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(h.ctx, on_ticket);
        run(&h, usage);
    }
    for (unsigned i = 0; h.clients && i < conf->inflight; i++)
        SSL_SESSION_free(h.clients[i].session);
    free(h.clients);
    SSL_CTX_free(h.ctx);
    if (h.epoll >= 0)
        close(h.epoll);
    return err;
}
