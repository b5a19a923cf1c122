/* REFER in a call that stands, and the NOTIFYs that tell what became of it (RFC 3515, 4488). */
#include "b2bua/leg/leg_sip_impl.h"
#include "b2bua/trunk/trunk_policy.h"
#include "sip/write.h"

enum { TEXT_MAX = 512 };

/* Headers of a URI, "?Replaces=...&x=y", unescaped into the arena. */
static struct span replaces_of(const struct sip_uri *u, struct arena *a)
{
    struct span rest = u->headers;
    while (rest.n) {
        struct span value = span_cut(&rest, '&'), name = span_cut(&value, '=');
        if (!span_caseeq(name, SPAN("Replaces")))
            continue;
        char *out = arena_alloc(a, value.n + 1);
        return out ? sip_user_plain(value, out) : SPAN_NULL;
    }
    return SPAN_NULL;
}

void sip_leg_in_refer(struct sip_leg *l, struct tx *tx, const struct sip_msg *req)
{
    struct sip_values it = sip_values(req, SIP_HDR_REFER_TO);
    struct sip_addr to;
    char lines[TEXT_MAX];
    struct buf b = BUF_INIT(lines);
    if (!sip_next(&it) || sip_addr_parse(it.value, &to) || sip_next(&it)) {
        tx_reply(tx, 400, SPAN_NULL);
        return;
    }
    struct leg_refer r = { .user = to.uri.user, .host = to.uri.host };
    r.replaces = replaces_of(&to.uri, &tx_request(tx)->arena);
    bool sip = to.uri.scheme == SIP_SCHEME_SIP || to.uri.scheme == SIP_SCHEME_SIPS;
    if (l->state != LEG_UP || !sip || l->referred) {
        tx_reply(tx, sip ? 491 : 416, SPAN_NULL);
        return;
    }
    if (!l->leg.events->may_refer(l->leg.arg, &l->leg)) {
        tx_reply(tx, 403, SPAN_NULL);
        return;
    }
    l->referred = true;
    l->quiet = span_caseeq(span_trim(sip_hdr_named(req, SPAN("Refer-Sub"))), SPAN("false"));
    sip_leg_lines(&b, l);
    if (l->quiet)
        buf_lit(&b, "Refer-Sub: false\r\n");
    tx_reply(tx, 202, buf_span(&b));
    sip_leg_notify(&l->leg, 100);
    unsigned status = l->leg.events->referred(l->leg.arg, &l->leg, &r);
    if (status == 403 && r.replaces.p) {
        struct gate_facts facts = trunk_policy_facts(tx_request(tx));
        gate_report(l->means->uac.gate, tx_flow(tx), tx_request(tx), &facts,
                    COUNTERSIGN__AUTH__CAUSE__REPLACES_REFUSED, 403);
    }
    if (status)
        sip_leg_notify(&l->leg, status);
}

void sip_leg_notify(struct leg *leg, unsigned status)
{
    struct sip_leg *l = LEG_OF(leg);
    struct uac_conf c = sip_leg_in_dialog(l, SIP_NOTIFY);
    char lines[TEXT_MAX], body[TEXT_MAX];
    struct buf b = BUF_INIT(lines), bb = BUF_INIT(body);
    if (!l->referred)
        return;
    l->referred = status < 200;
    if (l->quiet)
        return;
    sip_leg_lines(&b, l);
    buf_lit(&b, "Event: refer\r\nSubscription-State: ");
    buf_put(&b, status < 200 ? SPAN("active;expires=180\r\n")
                             : SPAN("terminated;reason=noresource\r\n"));
    buf_printf(&bb, "SIP/2.0 %u ", status);
    buf_put(&bb, sip_reason(status));
    buf_lit(&bb, "\r\n");
    c.lines = buf_span(&b);
    c.type = SPAN("message/sipfrag;version=2.0");
    c.body = buf_span(&bb);
    if (l->state == LEG_UP)
        sip_leg_send_aside(l, &c, NULL);
}
