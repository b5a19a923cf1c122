/* Bytes of a stranger, in three ways at once: as a TCP stream cut into pieces of the size that the
 * first byte says, as one datagram, and as a flow token. Transactions stand on top and answer. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "siptp/impl.h"
#include "siptx/siptx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    struct loop loop;
    struct siptx *x;
    struct siptp *tp;
    struct siptp_listener *udp, *tcp;
    int fd; /* the stranger's end of the connection */
} w = { .fd = -1 };

static void on_request(void *arg, struct tx *t, struct flow *f, struct sip_msg *m)
{
    (void)arg;
    char text[FLOW_TOKEN_MAX];
    struct buf b = BUF_INIT(text);
    struct flow *same;
    flow_token(f, &b);
    if (!buf_ok(&b) || siptp_flow_by_token(f->tp, buf_span(&b), &same))
        abort(); /* our own tokens are always good */
    flow_unref(&same);
    assert(m->bad == 0);
    if (m->cseq % 3)
        tx_reply(t, m->cseq % 3 == 1 ? 200 : 404, SPAN_NULL);
}

static void on_cancelled(void *arg, struct tx *t, struct sip_msg *cancel)
{
    (void)arg;
    (void)cancel;
    tx_reply(t, 487, SPAN_NULL);
}

static void on_message(void *arg, struct flow *f, struct sip_msg *m)
{
    (void)arg;
    (void)m;
    if (!f->open)
        abort();
}

static void must(int err)
{
    if (err) {
        fprintf(stderr, "%s\n", cs_strerror(err));
        exit(1);
    }
}

static void start(void)
{
    static const struct siptx_events events = {
        .request = on_request, .cancelled = on_cancelled, .ack = on_message, .stray = on_message
    };
    struct addr local;
    must(loop_init(&w.loop));
    must(addr_parse(SPAN("127.0.0.1"), 0, &local));
    must(siptx_new(&w.loop, &(struct siptx_conf){ .answer_memory = 1 << 20 }, &events, NULL, &w.x));
    must(siptp_new(&w.loop, &(struct siptp_conf){ .limits = { 8192, 1024, 40 } },
                   siptx_transport_events(), w.x, &w.tp));
    must(siptp_listen(w.tp, SIP_UDP, &local, SPAN("fuzz"), SPAN_NULL, &w.udp));
    must(siptp_listen(w.tp, SIP_TCP, &local, SPAN("fuzz"), SPAN_NULL, &w.tcp));
}

/* The connection that the last input left open, or a new one. */
static struct conn *connection(void)
{
    char drop[65536];
    if (w.fd >= 0 && !list_empty(&w.tp->conns)) {
        while (recv(w.fd, drop, sizeof(drop), MSG_DONTWAIT) > 0)
            ;
        return container_of(w.tp->conns.next, struct conn, link);
    }
    if (w.fd >= 0)
        close(w.fd);
    w.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* Each from another address of loopback, or the ports in TIME_WAIT would use them all up. */
    static uint32_t host = INADDR_LOOPBACK;
    struct sockaddr_in from = { .sin_family = AF_INET };
    from.sin_addr.s_addr = htonl(++host);
    const struct addr *to = siptp_listener_local(w.tcp);
    if (w.fd < 0 || bind(w.fd, (struct sockaddr *)&from, sizeof(from)) ||
        (connect(w.fd, &to->sa, addr_len(to)) && errno != EINTR)) /* libFuzzer's alarm */
        must(-errno);
    while (list_empty(&w.tp->conns))
        loop_run_once(&w.loop);
    return container_of(w.tp->conns.next, struct conn, link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    if (!w.tp)
        start();
    struct span in = span_of(data + 1, size - 1);
    size_t piece = data[0] ? data[0] : in.n;
    struct addr from;
    must(addr_parse(SPAN("127.0.0.1"), 9, &from));
    siptp_datagram(w.udp, &from, in);

    struct flow *f;
    if (siptp_flow_by_token(w.tp, in, &f) == 0)
        flow_unref(&f);

    /* As net/stream does it: what is not used comes again, with more behind it. */
    struct conn *c = connection();
    struct flow *held = flow_ref(&c->flow);
    size_t used = 0;
    for (size_t end = 0; c->flow.open && end < in.n;) {
        end = CS_MIN(in.n, end + piece);
        char *exact = malloc(end - used + 1); /* so that reading too far is seen */
        memcpy(exact, in.p + used, end - used);
        ptrdiff_t n = conn_events.data(c->stream, c, span_of(exact, end - used));
        free(exact);
        if (n > (ptrdiff_t)(end - used))
            abort();
        if (n < 0 && c->flow.open)
            abort();
        used += n > 0 ? (size_t)n : 0;
    }
    if (c->flow.open && (used < in.n || c->half_ping))
        flow_close(held); /* the next input begins between two messages */
    flow_unref(&held);
    loop_run_once(&w.loop);
    return 0;
}
