/* Asks a listener for browsers whether it takes a WebSocket. */
#include <string.h>

#include "doctor.h"
#include "net/stream.h"

/* One handshake (RFC 6455, 4.1), until the status of its answer. */
struct hello {
    struct span request;
    struct ping ping;
    bool done, closed;
};

static void say(struct stream *s, void *arg)
{
    const struct hello *h = arg;
    stream_write(s, h->request);
}

static ptrdiff_t on_data(struct stream *s, void *arg, struct span in)
{
    struct hello *h = arg;
    uint64_t status;
    if (in.n < 12)
        return 0;
    h->ping.answered = span_starts(in, SPAN("HTTP/1.1 ")) &&
                       span_u64(span_head(span_skip(in, 9), 3), 599, &status) == 0;
    h->ping.status = h->ping.answered ? (unsigned)status : 0;
    h->ping.err = h->ping.answered ? 0 : CS_EPROTO;
    h->done = true;
    stream_close(s, 0);
    return (ptrdiff_t)in.n;
}

static void on_closed(struct stream *s, void *arg, int reason)
{
    struct hello *h = arg;
    (void)s;
    if (!h->done)
        h->ping.err = reason;
    h->done = h->closed = true;
}

/* Where browsers connect: what is advertised, else the address. */
static struct span host_of(const struct listener_conf *l, const struct addr *to, char *text)
{
    struct span shown = l->advertise.p ? l->advertise : span_str(addr_format(to, text));
    size_t end = shown.n;
    while (end && ascii_digit(shown.p[end - 1]))
        end--;
    return end > 1 && shown.p[end - 1] == ':' ? span_head(shown, end - 1) : shown;
}

/* Believes the certificate that the listener is to show, if it says where browsers connect. */
static int start_tls(struct stream *s, const struct listener_conf *l, struct span host,
                     struct tls_context **tls)
{
    char name[256];
    *tls = NULL;
    if (!sip_transport_is_tls(l->transport))
        return 0;
    if (host.n > 1 && host.p[0] == '[')
        host = span_of(host.p + 1, host.n - 2);
    span_copy(name, sizeof(name), host);
    int err =
        tls_context_new(&(struct tls_conf){ .role = TLS_CLIENT,
                                            .ca_file = l->tls->certificates[0].certificate_file },
                        tls);
    return err ? err : stream_start_tls(s, *tls, name);
}

struct ping doctor_ask_ws(struct doctor *d, const struct listener_conf *l, const struct addr *to)
{
    static const struct stream_events events = { say, on_data, on_closed };
    static const struct stream_limits limits = { 8192, 8192 };
    char text[1024], at[ADDR_STRLEN];
    struct buf b = BUF_INIT(text);
    struct tls_context *tls = NULL;
    struct stream *s;
    struct hello h = { .ping.err = CS_ETIMEOUT };
    struct span host = host_of(l, to, at);
    buf_printf(&b,
               "GET " SPAN_FMT " HTTP/1.1\r\nHost: " SPAN_FMT "\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\nSec-WebSocket-Key: Y291bnRlcnNpZ24gZG9jdA==\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n",
               SPAN_ARG(l->ws->path), SPAN_ARG(l->ws->n_hosts ? l->ws->hosts[0] : host));
    h.request = buf_span(&b);
    int err =
        buf_ok(&b) ? stream_connect_tcp(&d->loop, to, NULL, &limits, &events, &h, &s) : CS_ELIMIT;
    if (err)
        return (struct ping){ .err = err };
    err = start_tls(s, l, host, &tls);
    if (err)
        stream_close(s, err);
    if (!doctor_wait(d, &h.done))
        stream_close(s, CS_ETIMEOUT);
    while (!h.closed)
        loop_run_once(&d->loop);
    tls_context_unref(&tls);
    return h.ping;
}
