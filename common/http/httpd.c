/* libmicrohttpd without threads: its epoll descriptor is polled by our loop. A request whose
 * handler has not replied when it returns is suspended, and resumed by the reply. */
#include <errno.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "http/impl.h"

enum {
    MAX_BODY = 1024 * 1024,
    MAX_CONNECTIONS = 64,
    MAX_HEADER = 16 * 1024, /* memory of a connection: its request line and headers */
    DEADLINE_MS = 30 * 1000,
    HEAD_MS = 5 * 1000,
    RUNS_PER_TURN = 16,
};

static const struct log lg = { .module = "http" };

/* So that who sends half a request and waits cannot lock others out. The connection that came last
 * is not pushed out before it could say anything. */
static void make_room(struct httpd *h, const struct conn *newcomer)
{
    if (h->n_conns < h->conf.max_connections || list_empty(&h->conns))
        return;
    struct conn *oldest = container_of(h->conns.next, struct conn, link);
    if (oldest == newcomer)
        return;
    list_remove(&oldest->link);
    shutdown(oldest->fd, SHUT_RDWR); /* libmicrohttpd finds it so and closes it */
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **ctx,
                         enum MHD_RequestTerminationCode why)
{
    struct http_req *r = *ctx;
    (void)arg;
    (void)mhd;
    if (!r)
        return;
    *ctx = NULL;
    struct httpd *h = r->h;
    struct conn *c = r->conn;
    request_free(r);
    if (h->closing)
        return;
    timer_start(h->loop, &c->deadline, h->conf.deadline);
    if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        list_remove(&c->link);
        list_push_back(&h->conns, &c->link);
        make_room(h, NULL);
    }
}

/* ---- connections ---- */

static void on_deadline(struct timer *t)
{
    struct conn *c = container_of(t, struct conn, deadline);
    list_remove(&c->link);
    shutdown(c->fd, SHUT_RDWR);
}

struct joining {
    struct list link;
    int fd;
    X509 *certificate, *issuer;
};

/* Whatever is there of this descriptor goes to c, or is of a connection gone by. */
static void take_certificate(struct httpd *h, int fd, struct conn *c)
{
    list_for_each (it, &h->joining) {
        struct joining *j = container_of(it, struct joining, link);
        if (j->fd != fd && fd >= 0)
            continue;
        list_remove(&j->link);
        if (c) {
            c->certificate = j->certificate;
            c->issuer = j->issuer;
        } else {
            X509_free(j->certificate);
            X509_free(j->issuer);
        }
        free(j);
    }
}

/* Without memory nothing is proved. */
static void put_certificate(struct httpd *h, int fd, X509 *x, X509 *issuer)
{
    take_certificate(h, fd, NULL);
    struct joining *j = x ? calloc(1, sizeof(*j)) : NULL;
    if (!j)
        return;
    j->fd = fd;
    j->certificate = X509_up_ref(x) ? x : NULL;
    j->issuer = issuer && X509_up_ref(issuer) ? issuer : NULL;
    list_push_back(&h->joining, &j->link);
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **ctx,
                          enum MHD_ConnectionNotificationCode code)
{
    struct httpd *h = arg;
    struct conn *c = *ctx;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (c) {
            timer_stop(h->loop, &c->deadline);
            list_remove(&c->link);
            h->n_conns--;
        }
        if (c) {
            X509_free(c->certificate);
            X509_free(c->issuer);
        }
        free(c);
        *ctx = NULL;
        if (!h->closing)
            turn_queue(h->loop, &h->turn);
        return;
    }
    int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    c = *ctx = malloc(sizeof(*c));
    if (!c) {
        shutdown(fd, SHUT_RDWR);
        return;
    }
    c->h = h;
    c->fd = fd;
    c->certificate = c->issuer = NULL;
    take_certificate(h, fd, c);
    timer_init(&c->deadline, on_deadline);
    timer_start(h->loop, &c->deadline, DURATION_MS(CS_MIN(h->conf.deadline.ms, HEAD_MS)));
    list_push_back(&h->conns, &c->link);
    h->n_conns++;
    make_room(h, c);
}

/* Targets are decoded by route.c, after they were taken apart. */
static size_t leave_escaped(void *arg, struct MHD_Connection *mhd, char *s)
{
    (void)arg;
    (void)mhd;
    return strlen(s);
}

/* ---- the loop ---- */

static void run(struct httpd *h)
{
    unsigned long long wait;
    unsigned n = 0;
    do {
        MHD_run(h->daemon);
        if (MHD_get_timeout(h->daemon, &wait) != MHD_YES || wait != 0)
            return; /* the rest comes by descriptors; deadlines are ours */
    } while (++n < RUNS_PER_TURN);
    timer_start(h->loop, &h->again, DURATION_MS(0));
}

static void on_turn(struct turn *t)
{
    run(container_of(t, struct httpd, turn));
}

static void on_again(struct timer *t)
{
    run(container_of(t, struct httpd, again));
}

static void on_poll(uv_poll_t *p, int status, int events)
{
    (void)status;
    (void)events;
    run(container_of(p, struct httpd, poll));
}

static void on_poll_closed(uv_handle_t *handle)
{
    free(container_of(handle, struct httpd, poll));
}

/* A connection whose TLS we take care of. */
static void on_opened(void *arg, int fd, const struct addr *peer, X509 *x, X509 *issuer)
{
    struct httpd *h = arg;
    put_certificate(h, fd, x, issuer);
    (void)MHD_add_connection(h->daemon, fd, &peer->sa,
                             addr_len(peer)); /* it closes what it refuses */
    turn_queue(h->loop, &h->turn);
}

static int listen_on(struct addr *local, int *out)
{
    struct sockaddr_storage bound;
    socklen_t n = sizeof(bound);
    int on = 1;
    int fd = socket(local->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); /* only of connections gone by */
    if (bind(fd, &local->sa, addr_len(local)) || listen(fd, 128) ||
        getsockname(fd, (struct sockaddr *)&bound, &n)) {
        int err = -errno;
        close(fd);
        return err;
    }
    addr_from_sockaddr((struct sockaddr *)&bound, local);
    *out = fd;
    return 0;
}

/* Takes over fd. */
static int start(struct httpd *h, int fd)
{
    const struct tls_pipes_conf pipes = { .tls = h->conf.tls,
                                          .max_handshakes = h->conf.max_connections,
                                          .linger = h->conf.deadline,
                                          .opened = on_opened,
                                          .arg = h };
    const bool tls = h->conf.tls != NULL;
    const struct MHD_OptionItem source[] = {
        { tls ? MHD_OPTION_END : MHD_OPTION_LISTEN_SOCKET, fd, NULL }, { MHD_OPTION_END, 0, NULL }
    };
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (tls ? MHD_USE_NO_LISTEN_SOCKET : 0), 0, NULL,
        NULL, request_step, h, MHD_OPTION_ARRAY, source, MHD_OPTION_CONNECTION_LIMIT,
        h->conf.max_connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MAX_HEADER,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_URI_LOG_CALLBACK, request_new,
        h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, h, MHD_OPTION_END);
    if (!h->daemon && tls)
        close(fd);
    if (!h->daemon) /* it took the socket */
        return CS_ENOMEM;
    int err = tls ? tls_pipes_open(h->loop, fd, &pipes, &h->pipes) : 0;
    if (err)
        return err;
    int epoll_fd = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return uv_poll_init(&h->loop->uv, &h->poll, epoll_fd);
}

int httpd_open(struct loop *l, const struct httpd_conf *conf, const struct http_route *routes,
               void *arg, struct httpd **out)
{
    if (!conf->tls && !conf->in_the_clear && !addr_is_loopback(&conf->listen)) {
        log_error(&lg, "plain HTTP is served on loopback only", kv_addr("listen", &conf->listen));
        return CS_EDENIED;
    }
    struct httpd *h = calloc(1, sizeof(*h));
    if (!h)
        return CS_ENOMEM;
    json_set_alloc_funcs(malloc, http_wipe_free);
    h->loop = l;
    h->routes = routes;
    h->arg = arg;
    h->conf = *conf;
    h->local = conf->listen;
    h->conf.max_body = conf->max_body ? conf->max_body : MAX_BODY;
    h->conf.max_connections = conf->max_connections ? conf->max_connections : MAX_CONNECTIONS;
    h->conf.deadline = conf->deadline.ms ? conf->deadline : DURATION_MS(DEADLINE_MS);
    list_init(&h->joining);
    list_init(&h->open);
    list_init(&h->conns);
    turn_init(&h->turn, on_turn);
    timer_init(&h->again, on_again);
    int fd = -1, err = listen_on(&h->local, &fd);
    if (!err)
        err = start(h, fd);
    if (err) {
        tls_pipes_close(&h->pipes);
        if (h->daemon)
            MHD_stop_daemon(h->daemon);
        free(h);
        return err;
    }
    uv_poll_start(&h->poll, UV_READABLE, on_poll);
    *out = h;
    return 0;
}

void httpd_close(struct httpd **hp)
{
    struct httpd *h = *hp;
    struct list *it;
    if (!h)
        return;
    *hp = NULL;
    h->closing = true;
    timer_stop(h->loop, &h->again);
    while ((it = list_pop(&h->open))) {
        struct http_req *r = container_of(it, struct http_req, link);
        r->gone = true;
        request_resume(r); /* libmicrohttpd stops only when none is suspended */
    }
    tls_pipes_close(&h->pipes);
    turn_cancel(&h->turn);
    uv_close((uv_handle_t *)&h->poll, on_poll_closed);
    MHD_stop_daemon(h->daemon); /* calls on_completed() and on_connection() for each */
    take_certificate(h, -1, NULL);
}

void httpd_use_tls(struct httpd *h, struct tls_context *tls)
{
    h->conf.tls = tls;
    tls_pipes_use(h->pipes, tls);
}

const struct addr *httpd_local(const struct httpd *h)
{
    return &h->local;
}
