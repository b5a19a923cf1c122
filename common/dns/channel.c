#include "dns/channel.h"

#define CARES_NO_DEPRECATED /* one source for 1.18 and 1.34 */
#include <ares.h>
#include <stdlib.h>

#include "base/log.h"

enum { CLASS_IN = 1, EDNS_SIZE = 1232, SERVERS_TEXT = 1024 };

static const struct log channel_log = { .module = "dns" };

struct channel {
    struct loop *loop;
    ares_channel ares;
    struct timer timer;
    struct list watches;
    bool closing;
};

/* A socket of c-ares. */
struct watch {
    struct list link;
    uv_poll_t poll;
    struct channel *channel;
    ares_socket_t fd;
};

struct question {
    channel_fn *fn;
    void *arg;
};

/* ---- sockets and time ---- */

static void on_timer(struct timer *t);

static void arm(struct channel *c)
{
    struct timeval tv, *next = ares_timeout(c->ares, NULL, &tv);
    timer_stop(c->loop, &c->timer);
    if (next)
        timer_start(c->loop, &c->timer,
                    DURATION_MS((int64_t)next->tv_sec * 1000 + next->tv_usec / 1000 + 1));
}

static void on_timer(struct timer *t)
{
    struct channel *c = container_of(t, struct channel, timer);
    ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm(c);
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct watch *w = h->data;
    struct channel *c = w->channel;
    ares_socket_t fd = w->fd;
    loop_touch(c->loop);
    if (status < 0) /* let c-ares find out what it is */
        events = UV_READABLE | UV_WRITABLE;
    ares_process_fd(c->ares, events & UV_READABLE ? fd : ARES_SOCKET_BAD,
                    events & UV_WRITABLE ? fd : ARES_SOCKET_BAD);
    arm(c);
}

static void on_watch_closed(uv_handle_t *h)
{
    free(h->data);
}

static struct watch *watch_of(struct channel *c, ares_socket_t fd)
{
    list_for_each (it, &c->watches) {
        struct watch *w = container_of(it, struct watch, link);
        if (w->fd == fd)
            return w;
    }
    return NULL;
}

static void unwatch(struct watch *w)
{
    if (!w)
        return;
    list_remove(&w->link);
    uv_poll_stop(&w->poll);
    uv_close((uv_handle_t *)&w->poll, on_watch_closed);
}

/* What c-ares wants to know of a socket; it closes one when it wants nothing more. */
static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct channel *c = arg;
    struct watch *w = watch_of(c, fd);
    if (!readable && !writable) {
        unwatch(w);
        return;
    }
    if (!w) {
        w = calloc(1, sizeof(*w));
        if (!w)
            return; /* the question will time out */
        if (uv_poll_init(&c->loop->uv, &w->poll, fd)) {
            free(w);
            return;
        }
        w->channel = c;
        w->fd = fd;
        w->poll.data = w;
        list_push_back(&c->watches, &w->link);
    }
    uv_poll_start(&w->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), on_poll);
}

/* ---- questions ---- */

static int error_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
        return 0;
    case ARES_ENOMEM:
        return CS_ENOMEM;
    case ARES_ETIMEOUT:
    case ARES_ECONNREFUSED:
        return CS_ETIMEOUT;
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
        return CS_ECLOSED;
    default: /* SERVFAIL, REFUSED, and what is malformed */
        return CS_EPROTO;
    }
}

static void on_response(void *arg, int status, int timeouts, unsigned char *wire, int n)
{
    struct question *q = arg;
    int err = error_of(status);
    (void)timeouts;
    if (!err && (!wire || n <= 0))
        err = CS_EPROTO;
    q->fn(q->arg, err, err ? SPAN_NULL : span_of(wire, (size_t)n));
    free(q);
}

void channel_ask(struct channel *c, const char *name, enum dns_type type, channel_fn *fn, void *arg)
{
    struct question *q = c->closing ? NULL : malloc(sizeof(*q));
    if (!q) {
        fn(arg, c->closing ? CS_ECLOSED : CS_ENOMEM, SPAN_NULL);
        return;
    }
    *q = (struct question){ fn, arg };
    ares_query(c->ares, name, CLASS_IN, (int)type, on_response, q);
    arm(c);
}

static int set_servers(struct channel *c, const struct dns_conf *conf)
{
    char text[SERVERS_TEXT];
    struct buf b = BUF_INIT(text);
    for (size_t i = 0; i < conf->n_servers; i++) {
        if (i)
            buf_putc(&b, ',');
        addr_write(&b, &conf->servers[i]);
    }
    buf_putc(&b, 0);
    if (!conf->n_servers)
        return 0;
    return buf_ok(&b) && ares_set_servers_ports_csv(c->ares, text) == ARES_SUCCESS ? 0 : CS_ELIMIT;
}

int channel_open(struct loop *l, const struct dns_conf *conf, struct channel **out)
{
    struct channel *c = calloc(1, sizeof(*c));
    struct ares_options options = { .flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH,
                                    .ednspsz = EDNS_SIZE,
                                    .timeout = (int)conf->timeout.ms,
                                    .tries = (int)conf->tries,
                                    .sock_state_cb = on_socket,
                                    .sock_state_cb_data = c };
    int mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
               ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_QUERY_CACHE
    mask |= ARES_OPT_QUERY_CACHE; /* of 0 s: ours is the only one */
#endif
#ifdef ARES_OPT_UDP_MAX_QUERIES
    options.udp_max_queries = 1; /* a source port for each question, which a forger has to guess */
    mask |= ARES_OPT_UDP_MAX_QUERIES;
#endif
    *out = NULL;
    if (!c)
        return CS_ENOMEM;
    c->loop = l;
    list_init(&c->watches);
    timer_init(&c->timer, on_timer);
    int status = ares_library_init(ARES_LIB_INIT_ALL);
    if (status == ARES_SUCCESS) {
        status = ares_init_options(&c->ares, &options, mask);
        if (status != ARES_SUCCESS)
            ares_library_cleanup();
    }
    if (status != ARES_SUCCESS) {
        log_error(&channel_log, "cannot ask DNS", kv_str("reason", ares_strerror(status)));
        free(c);
        return CS_ENOMEM;
    }
    *out = c;
    int err = set_servers(c, conf);
    if (err)
        channel_close(out);
    return err;
}

void channel_close(struct channel **cp)
{
    struct channel *c = *cp;
    *cp = NULL;
    if (!c)
        return;
    c->closing = true;
    ares_destroy(c->ares);
    ares_library_cleanup();
    timer_stop(c->loop, &c->timer);
    list_for_each (it, &c->watches)
        unwatch(container_of(it, struct watch, link));
    free(c);
}
