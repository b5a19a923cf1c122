/* A transport with a UDP and a TCP listener on loopback, and what it handed up. */
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
#include "siptp/siptp.h"

struct world {
    struct loop loop;
    struct siptp *tp;
    struct siptp_listener *udp, *tcp;
    size_t messages, closed;
    struct flow *flow;   /* of the last message; a reference */
    struct sip_msg *msg; /* the last one; a reference */
    bool close_on_message;
};

static void on_message(void *arg, struct flow *f, struct sip_msg *m)
{
    struct world *w = arg;
    w->messages++;
    flow_unref(&w->flow);
    sip_msg_unref(&w->msg);
    w->flow = flow_ref(f);
    w->msg = sip_msg_ref(m);
    if (w->close_on_message)
        flow_close(f);
}

static void on_closed(void *arg, struct flow *f)
{
    struct world *w = arg;
    assert_false(f->open);
    w->closed++;
}

static const struct siptp_events world_events = { on_message, on_closed };

static struct addr loopback(uint16_t port)
{
    struct addr a;
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), port, &a), 0);
    return a;
}

static void world_open(struct world *w, const struct siptp_conf *conf)
{
    struct addr any_port = loopback(0);
    *w = (struct world){ 0 };
    assert_int_equal(loop_init(&w->loop), 0);
    assert_int_equal(siptp_new(&w->loop, conf, &world_events, w, &w->tp), 0);
    assert_int_equal(siptp_listen(w->tp, SIP_UDP, &any_port, SPAN("lan"), SPAN_NULL, &w->udp), 0);
    assert_int_equal(
        siptp_listen(w->tp, SIP_TCP, &any_port, SPAN("lan"), SPAN("sip.example.com:5070"), &w->tcp),
        0);
}

static void world_close(struct world *w)
{
    siptp_free(&w->tp);
    flow_unref(&w->flow);
    sip_msg_unref(&w->msg);
    assert_true(run_down(&w->loop));
}

static inline void until_messages(struct world *w, size_t n)
{
    assert_true(run_until_count(&w->loop, &w->messages, n, 2000));
}

/* A request with this Via (without "SIP/2.0/") and body; the memory is good until the next call. */
static inline struct span request(const char *via, const char *body)
{
    static char text[70000];
    int n = snprintf(text, sizeof(text),
                     "OPTIONS sip:example.com SIP/2.0\r\n"
                     "Via: SIP/2.0/%s\r\n"
                     "From: <sip:a@example.com>;tag=1\r\n"
                     "To: <sip:b@example.com>\r\n"
                     "Call-ID: c1\r\n"
                     "CSeq: 7 OPTIONS\r\n"
                     "Max-Forwards: 70\r\n"
                     "Content-Length: %zu\r\n\r\n%s",
                     via, strlen(body), body);
    return span_of(text, (size_t)n);
}
