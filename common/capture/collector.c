#include "capture/collector.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/udp.h"

enum {
    PACKET_MAX = 65507,       /* what fits a datagram */
    UNSENT_MAX = 1024 * 1024, /* bytes waiting for a slow collector */
    AGAIN_S = 2,
    FATE_SENT = 0, /* of HEP_PACKETS */
    FATE_LOST,
};

static const struct log lg = { .module = "hep" };

struct collector {
    struct loop *loop;
    const struct hep_settings *settings;
    struct span node;
    struct secret password;
    struct udp *udp;
    struct tls_context *tls;
    struct stream *stream; /* NULL: none */
    struct timer again;
    bool there, complained, closing;
    char packet[PACKET_MAX];
};

/* ---- over a stream ---- */

static void collector_free(struct collector *c)
{
    secret_fini(&c->password);
    if (c->tls)
        tls_context_unref(&c->tls);
    free(c);
}

static void on_opened(struct stream *s, void *arg)
{
    struct collector *c = arg;
    (void)s;
    c->there = true;
    c->complained = false;
    log_info(&lg, "the capture server is connected", kv_addr("address", &c->settings->collector));
}

static ptrdiff_t on_data(struct stream *s, void *arg, struct span in)
{
    (void)s;
    (void)arg;
    return (ptrdiff_t)in.n; /* it has nothing to say */
}

static void on_closed(struct stream *s, void *arg, int reason)
{
    struct collector *c = arg;
    (void)s;
    c->stream = NULL;
    c->there = false;
    if (c->closing) {
        collector_free(c);
        return;
    }
    if (!c->complained)
        log_warn(&lg, "the capture server cannot be reached",
                 kv_addr("address", &c->settings->collector), kv_err(reason));
    c->complained = true;
    timer_start(c->loop, &c->again, DURATION_S(AGAIN_S));
}

static void attempt(struct collector *c)
{
    static const struct stream_limits limits = { .max_unread = 4096, .max_unsent = UNSENT_MAX };
    static const struct stream_events events = { on_opened, on_data, on_closed };
    int err =
        stream_connect_tcp(c->loop, &c->settings->collector, NULL, &limits, &events, c, &c->stream);
    if (err) {
        c->stream = NULL;
        timer_start(c->loop, &c->again, DURATION_S(AGAIN_S));
        return;
    }
    err = c->tls ? stream_start_tls(c->stream, c->tls, c->settings->server_name.p) : 0;
    if (err)
        stream_close(c->stream, err); /* closed() says so later */
}

static void on_again(struct timer *t)
{
    attempt(container_of(t, struct collector, again));
}

/* ---- entry points ---- */

static void on_datagram(void *arg, const struct addr *from, struct span data)
{
    (void)arg;
    (void)from;
    (void)data; /* it has nothing to say */
}

static int open_udp(struct collector *c)
{
    const bool v6 = c->settings->collector.sa.sa_family == AF_INET6;
    struct addr any;
    int err = addr_parse_host(v6 ? SPAN("::") : SPAN("0.0.0.0"), 0, &any);
    return err ? err : udp_open(c->loop, &any, on_datagram, c, &c->udp);
}

static int open_tls(struct collector *c)
{
    const struct tls_conf conf = { .role = TLS_CLIENT, .ca_file = c->settings->ca_file };
    return tls_context_new(&conf, &c->tls);
}

int collector_open(struct loop *l, const struct hep_settings *settings, const char *node,
                   struct collector **out)
{
    struct collector *c = *out = calloc(1, sizeof(*c));
    if (!c)
        return CS_ENOMEM;
    c->loop = l;
    c->settings = settings;
    c->node = span_str(node);
    timer_init(&c->again, on_again);
    int err = settings->password_file ? secret_read_file(&c->password, settings->password_file) : 0;
    if (err)
        log_error(&lg, "cannot use the password for the capture server",
                  kv_str("file", settings->password_file), kv_err(err));
    if (!err && settings->transport == HEP_TLS)
        err = open_tls(c);
    if (!err && settings->transport == HEP_UDP)
        err = open_udp(c);
    if (err) {
        collector_free(c);
        *out = NULL;
        return err;
    }
    if (settings->transport != HEP_UDP)
        attempt(c);
    return 0;
}

void collector_close(struct collector **cp)
{
    struct collector *c = *cp;
    *cp = NULL;
    if (!c)
        return;
    c->closing = true;
    timer_stop(c->loop, &c->again);
    udp_close(&c->udp);
    if (c->stream)
        stream_close(c->stream, 0); /* closed() frees it */
    else
        collector_free(c);
}

static bool send_packet(struct collector *c, struct span packet)
{
    if (c->udp)
        return udp_send(c->udp, &c->settings->collector, packet) == 0;
    char *p = c->there ? stream_reserve(c->stream, packet.n) : NULL;
    if (!p)
        return false;
    memcpy(p, packet.p, packet.n);
    stream_wrote(c->stream, packet.n);
    return true;
}

void collector_send(struct collector *c, struct hep *h)
{
    struct buf b = BUF_INIT(c->packet);
    h->agent = c->settings->agent;
    h->password = secret_span(&c->password);
    h->node = c->node;
    hep_write(&b, h);
    metric_inc(M_HEP_PACKETS, buf_ok(&b) && send_packet(c, buf_span(&b)) ? FATE_SENT : FATE_LOST);
}
