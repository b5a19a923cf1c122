/* Asks a listener for browsers whether it takes a WebSocket. */
#include <string.h>

#include "doctor.h"
#include "net/stream.h"

#define PROTOCOL SPAN("sip")

/* One handshake (RFC 6455, 4.1), until the status of its answer. */
struct hello {
    struct span request;
    char key[WS_KEY_LEN];
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
    ptrdiff_t n = ws_hello_check(in, PROTOCOL, h->key, &h->ping.status);
    if (!n)
        return 0;
    h->ping.answered = n > 0;
    h->ping.err = n > 0 ? 0 : CS_EPROTO;
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
    ws_hello_ask(&b, l->ws->n_hosts ? l->ws->hosts[0] : host, l->ws->path, PROTOCOL, h.key);
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
