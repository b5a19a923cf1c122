/* Transactions over UDP and TCP on loopback, and an owner that keeps what it is given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/metric.h"
#include "lib/run.h"
#include "lib/wire.h"
#include "siptx/siptx.h"

struct world {
    struct loop loop;
    struct siptx *x;
    struct siptp *tp;
    struct siptp_listener *udp, *tcp;
    size_t requests, cancelled, acks, strays, closed;
    struct tx *tx;      /* of the last request; a reference, unless dropped */
    unsigned status;    /* what requests are answered with at once; 0: nothing */
    bool drop;          /* keep no reference */
    unsigned at_cancel; /* what a cancelled INVITE is answered with */
    /* clients */
    size_t responses, failed, over;
    unsigned last_status;
    int last_err;
};

static void on_request(void *arg, struct tx *t, struct flow *f, struct sip_msg *m)
{
    struct world *w = arg;
    assert_ptr_equal(tx_request(t), m);
    assert_ptr_equal(tx_flow(t), f);
    w->requests++;
    if (!w->drop) {
        tx_unref(&w->tx);
        w->tx = tx_ref(t);
    }
    if (w->status)
        tx_reply(t, w->status, SPAN_NULL);
}

static void on_cancelled(void *arg, struct tx *t, struct sip_msg *cancel)
{
    struct world *w = arg;
    assert_int_equal(cancel->method, SIP_CANCEL);
    w->cancelled++;
    if (w->at_cancel)
        tx_reply(t, w->at_cancel, SPAN_NULL);
}

static void on_ack(void *arg, struct flow *f, struct sip_msg *m)
{
    struct world *w = arg;
    assert_non_null(f);
    assert_int_equal(m->method, SIP_ACK);
    w->acks++;
}

static void on_stray(void *arg, struct flow *f, struct sip_msg *m)
{
    struct world *w = arg;
    assert_non_null(f);
    assert_false(m->is_request);
    w->strays++;
}

static void on_flow_closed(void *arg, struct flow *f)
{
    struct world *w = arg;
    assert_false(f->open);
    w->closed++;
}

static const struct siptx_events world_events = {
    .request = on_request,
    .cancelled = on_cancelled,
    .ack = on_ack,
    .stray = on_stray,
    .flow_closed = on_flow_closed,
};

static void world_open(struct world *w, const struct siptx_conf *conf)
{
    struct addr local;
    *w = (struct world){ 0 };
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), 0, &local), 0);
    assert_int_equal(loop_init(&w->loop), 0);
    assert_int_equal(siptx_new(&w->loop, conf, &world_events, w, &w->x), 0);
    assert_int_equal(siptp_new(&w->loop, &(struct siptp_conf){ .idle = DURATION_S(3600) },
                               siptx_transport_events(), w->x, &w->tp),
                     0);
    assert_int_equal(siptp_listen(w->tp, SIP_UDP, &local, SPAN("lan"), SPAN_NULL, &w->udp), 0);
    assert_int_equal(siptp_listen(w->tp, SIP_TCP, &local, SPAN("lan"), SPAN_NULL, &w->tcp), 0);
}

static void world_close(struct world *w)
{
    tx_unref(&w->tx);
    siptx_free(&w->x);
    siptp_free(&w->tp);
    assert_true(run_down(&w->loop));
}

static inline void until_requests(struct world *w, size_t n)
{
    assert_true(run_until_count(&w->loop, &w->requests, n, 2000));
}

/* A message of method, with this Via value and To header parameters; good until the next call. */
static inline struct span message(const char *method, const char *via, const char *to_params)
{
    static char text[4096];
    int n = snprintf(text, sizeof(text),
                     "%s sip:b@example.com SIP/2.0\r\n"
                     "Via: SIP/2.0/%s\r\n"
                     "From: <sip:a@example.com>;tag=1\r\n"
                     "To: <sip:b@example.com>%s\r\n"
                     "Call-ID: c1\r\n"
                     "CSeq: 7 %s\r\n"
                     "Max-Forwards: 70\r\n"
                     "Content-Length: 0\r\n\r\n",
                     method, via, to_params, method);
    return span_of(text, (size_t)n);
}

/* A response to what we sent with this Via value (with "SIP/2.0/"). */
static inline struct span response(unsigned status, struct span via, const char *method)
{
    static char text[4096];
    int n = snprintf(text, sizeof(text),
                     "SIP/2.0 %u Whatever\r\n"
                     "Via: " SPAN_FMT "\r\n"
                     "From: <sip:a@example.com>;tag=1\r\n"
                     "To: <sip:b@example.com>;tag=2\r\n"
                     "Call-ID: c1\r\n"
                     "CSeq: 7 %s\r\n"
                     "Content-Length: 0\r\n\r\n",
                     status, SPAN_ARG(via), method);
    return span_of(text, (size_t)n);
}

/* The status of a response that must be next on this socket; 0 when nothing comes. The last
 * one stands in received. */
static char received[4096];
static inline unsigned next_status(struct world *w, int fd, unsigned ms)
{
    struct span in = wire_recv(&w->loop, fd, ms);
    if (!in.p || !in.n)
        return 0;
    span_copy(received, sizeof(received), in);
    assert_true(span_starts(in, SPAN("SIP/2.0 ")));
    return (unsigned)strtoul(received + 8, NULL, 10);
}

/* The value of a To tag in what was received; good until the next call. */
static inline const char *received_tag(void)
{
    static char params[64];
    const char *to = strstr(received, "To: ");
    assert_non_null(to);
    to = strstr(to, ";tag=");
    assert_non_null(to);
    span_copy(params, sizeof(params), span_of(to, strcspn(to, "\r\n")));
    return params;
}

#define T1  DURATION_MS(500)
#define T64 DURATION_MS(64 * 500 + TIMER_ABOUT_MS)
