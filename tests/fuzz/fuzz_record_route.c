/* Requests that claim to be on their way along a dialog. Where the first byte is odd, Routes as we
 * write them stand on top; they name one of the two flows, whatever the rest says. Its second bit
 * says that another registrar sent it. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "registrar/record_route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    struct loop loop;
    struct span domain;
    struct registrar_conf conf;
    struct front front;
    struct flow *caller, *callee;
    char routes[1024];
    struct buf ours;
} w;

static const struct sip_limits limits = { 8192, 2048, 64 };

static const char invite[] = "INVITE sip:b@example.com SIP/2.0\r\n"
                             "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK0\r\n"
                             "From: <sip:a@example.com>;tag=caller\r\n"
                             "To: <sip:b@example.com>\r\n"
                             "Call-ID: c\r\n"
                             "CSeq: 1 INVITE\r\n"
                             "Max-Forwards: 70\r\n"
                             "Contact: <sip:a@192.0.2.1>\r\n"
                             "Content-Length: 0\r\n\r\n";

static void must(int err)
{
    if (err) {
        fprintf(stderr, "%s\n", cs_strerror(err));
        exit(1);
    }
}

static void on_message(void *arg, struct flow *f, struct sip_msg *m)
{
    (void)arg, (void)f, (void)m;
}

static void on_closed(void *arg, struct flow *f)
{
    (void)arg, (void)f;
}

static void start(void)
{
    static const struct siptp_events events = { on_message, on_closed };
    struct siptp_listener *inside, *outside;
    struct addr local, peer;
    struct sip_msg *m;
    w.domain = SPAN("example.com");
    w.conf = (struct registrar_conf){ .domains = &w.domain, .n_domains = 1 };
    w.front = (struct front){ .loop = &w.loop, .conf = &w.conf };
    must(loop_init(&w.loop));
    must(addr_parse(SPAN("127.0.0.1"), 0, &local));
    must(addr_parse(SPAN("127.0.0.1:9"), 0, &peer));
    must(siptp_new(&w.loop, &(struct siptp_conf){ 0 }, &events, NULL, &w.front.tp));
    must(siptp_listen(w.front.tp, SIP_UDP, &local, SPAN("in"), SPAN("in.example.com"), &inside));
    must(siptp_listen(w.front.tp, SIP_UDP, &local, SPAN("out"), SPAN("out.example.com"), &outside));
    must(siptp_flow_to(w.front.tp, SIP_UDP, &peer, inside, &w.caller));
    must(siptp_flow_to(w.front.tp, SIP_UDP, &peer, outside, &w.callee));
    must(sip_msg_parse(span_str(invite), true, &limits, &m));
    must(route_key_init(&w.front.route_key, SPAN("key of routes")));
    w.ours = (struct buf)BUF_INIT(w.routes);
    record_route_write(&w.ours, &w.front, w.caller, w.callee, SPAN_NULL, SPAN("aTagOf8_"), m);
    assert(buf_ok(&w.ours));
    sip_msg_unref(&m);
}

static void read_route(struct sip_msg *m, bool ours, bool linked)
{
    static const struct flow link = { .transport = SIP_LINK };
    struct dialog_route out;
    int err = record_route_read(&w.front, linked ? &link : w.caller, m, &out);
    assert((err == 0) == (out.to != NULL));
    if (ours)
        assert(err || out.to->listener == w.caller->listener ||
               out.to->listener == w.callee->listener);
    for (size_t i = 0; i < out.n_routes; i++)
        assert(out.routes[i].p >= m->raw.p && out.routes[i].p < m->raw.p + m->raw.n);
    if (out.to)
        flow_unref(&out.to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[16384];
    struct buf b = BUF_INIT(text);
    struct sip_msg *m;
    if (!size || size > 8192)
        return 0;
    if (!w.front.tp)
        start();
    struct span in = span_of(data + 1, size - 1);
    ptrdiff_t first = span_find(in, '\n');
    size_t head = data[0] & 1 && first >= 0 ? (size_t)first + 1 : 0;
    buf_put(&b, span_head(in, head));
    if (head) {
        buf_lit(&b, "Route: ");
        buf_put(&b, buf_span(&w.ours));
        buf_lit(&b, "\r\n");
    }
    buf_put(&b, span_skip(in, head));
    if (!buf_ok(&b) || sip_msg_parse(buf_span(&b), true, &limits, &m))
        return 0;
    if (m->is_request && !m->bad)
        read_route(m, head > 0, data[0] & 2);
    sip_msg_unref(&m);
    return 0;
}
