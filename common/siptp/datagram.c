#include "base/metric.h"
#include "siptp/impl.h"
#include "siptp/stun.h"

enum { KEEPALIVE_CRLF, KEEPALIVE_STUN }; /* of SIP_KEEPALIVES */

static void keepalive(struct siptp_listener *ls, const struct addr *to, unsigned kind,
                      struct span answer)
{
    if (answer.n && udp_send(ls->udp, to, answer) == 0)
        metric_inc(M_SIP_KEEPALIVES, kind);
}

void siptp_datagram(void *arg, const struct addr *from, struct span data)
{
    struct siptp_listener *ls = arg;
    struct siptp *tp = ls->tp;
    if (!siptp_admits(tp, from) || siptp_wait(tp, from).ms)
        return;
    struct span rest = data;
    /* RFC 3261, 7.5: CRLF before the start line is not the message. */
    while (rest.n >= 2 && rest.p[0] == '\r' && rest.p[1] == '\n')
        rest = span_skip(rest, 2);
    if (!rest.n) {
        if (data.n >= 4) /* as RFC 5626, 4.4.1; one CRLF gets nothing, so nobody can loop */
            keepalive(ls, from, KEEPALIVE_CRLF, SPAN("\r\n"));
        return;
    }
    if (stun_is(data)) {
        char text[STUN_ANSWER_MAX];
        struct buf answer = BUF_INIT(text);
        stun_answer(&answer, data, from);
        keepalive(ls, from, KEEPALIVE_STUN, buf_span(&answer));
        return;
    }
    if ((unsigned char)rest.p[0] < ' ')
        return; /* a NUL that holds a pinhole open */

    struct sip_msg *m;
    int err = sip_msg_parse(rest, true, &tp->conf.limits, &m);
    if (err) {
        siptp_refuse(tp, from, SIP_UDP, rest, err);
        return;
    }
    m->source = *from;
    struct flow *f = udp_flow_to(ls, from);
    if (f) {
        metric_inc(M_SIP_RECEIVED, SIP_UDP);
        tp->delay = udp_delay(ls->udp);
        siptp_show(f, false, m->raw);
        tp->events->message(tp->arg, f, m);
        tp->delay.ms = 0;
    } else {
        metric_inc(M_SIP_REFUSED, REFUSED_MEMORY);
    }
    sip_msg_unref(&m);
    flow_unref(&f);
}
