#include "flood.h"

#include "base/clock.h"

enum { TEXT = 700 };

/* To a phone that there is, of one that there is: no server can refuse it by its head alone. */
static void write_invite(struct buf *b, const struct site *s, uint16_t port, uint64_t n)
{
    buf_printf(b,
               "INVITE sip:user00001@" SPAN_FMT " SIP/2.0\r\n"
               "Via: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=z9hG4bK%llx%llx\r\n"
               "Max-Forwards: 70\r\nFrom: <sip:user00000@" SPAN_FMT ">;tag=%llx\r\n"
               "To: <sip:user00001@" SPAN_FMT ">\r\nCall-ID: %llx-%llx\r\nCSeq: 1 INVITE\r\n"
               "Contact: <sip:user00000@198.51.100.7:5060>\r\nUser-Agent: sipload\r\n"
               "Content-Length: 0\r\n\r\n",
               SPAN_ARG(s->domain), port, (unsigned long long)s->run, (unsigned long long)n,
               SPAN_ARG(s->domain), (unsigned long long)n, SPAN_ARG(s->domain),
               (unsigned long long)s->run, (unsigned long long)n);
}

static void on_answer(void *arg, unsigned socket, struct span text)
{
    (void)socket, (void)text;
    ++*(uint64_t *)arg;
}

void flood_run(struct wire *wire, const struct site *site, double rate, double duration_s,
               struct flood_result *out)
{
    static char text[WIRE_BATCH][TEXT];
    int64_t begun = clock_mono().ns, until = begun + (int64_t)(duration_s * 1e9), now = begun;
    *out = (struct flood_result){ 0 };
    while (now < until) {
        uint64_t due = (uint64_t)((double)(now - begun) * rate / 1e9);
        for (unsigned k = 0; k < WIRE_BATCH && out->sent < due; k++) {
            struct buf b = BUF_INIT(text[k]);
            write_invite(&b, site, wire_port(wire, 0), out->sent++);
            wire_send(wire, 0, buf_span(&b));
        }
        wire_flush(wire);
        wire_wait(wire, out->sent < due ? 0 : 1000000);
        wire_receive(wire, on_answer, &out->answers);
        now = clock_mono().ns;
    }
    out->seconds = (double)(now - begun) / 1e9;
    out->sent -= wire_unsent(wire);
}
