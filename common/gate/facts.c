#include "gate/facts.h"

#include "gate/shown.h"
#include "proto/credentials.h"
#include "sip/scan.h"

#define AUTH(name) Countersign__Auth__##name

enum { MAX_CREDENTIALS = 16 }; /* more in one request is nobody's honest phone */

/* A protobuf string, or NULL where the span is absent. */
static char *text(struct arena *a, struct span s)
{
    return s.p ? arena_str(a, s) : NULL;
}

AUTH(Transport) gate_transport(enum sip_transport t)
{
    static const AUTH(Transport) map[SIP_TRANSPORT_COUNT] = {
        [SIP_UDP] = COUNTERSIGN__AUTH__TRANSPORT__UDP,
        [SIP_TCP] = COUNTERSIGN__AUTH__TRANSPORT__TCP,
        [SIP_TLS] = COUNTERSIGN__AUTH__TRANSPORT__TLS,
        [SIP_WS] = COUNTERSIGN__AUTH__TRANSPORT__WS,
        [SIP_WSS] = COUNTERSIGN__AUTH__TRANSPORT__WSS,
        [SIP_LINK] = COUNTERSIGN__AUTH__TRANSPORT__LINK,
    };
    return map[t];
}

/* Whether these are credentials of that scheme; *rest is what they say. */
static bool is_scheme(struct span value, struct span scheme, struct span *rest)
{
    if (!span_casestarts(value, scheme))
        return false;
    *rest = span_skip(value, scheme.n);
    return !rest->p || !rest->n || rest->p[0] == ' ' || rest->p[0] == '\t' || rest->p[0] == '\r';
}

static int add_digest(AUTH(Check) * check, struct span value, bool proxy, const struct sip_msg *m,
                      struct arena *a)
{
    AUTH(DigestCredentials) *c = credentials_of(value, proxy, a);
    if (!c)
        return CS_ENOMEM;
    if (c->qop && span_caseeq(span_str(c->qop), SPAN("auth-int"))) {
        check->has_body = true;
        check->body.data = (uint8_t *)m->body.p;
        check->body.len = m->body.n;
    }
    check->digest[check->n_digest++] = c;
    return 0;
}

/* Other schemes than these are nobody's here, and no fault. */
static int add_credentials(AUTH(Check) * check, enum sip_hdr_id id, const struct sip_msg *m,
                           struct arena *a)
{
    if (!sip_has(m, id))
        return 0;
    for (size_t i = 0; i < m->n_hdr; i++) {
        if (m->hdr[i].id != id)
            continue;
        struct span value = m->hdr[i].value, rest;
        if (is_scheme(value, SPAN("Bearer"), &rest)) {
            check->has_bearer_repeated = check->bearer_repeated = check->bearer_secret != NULL;
            check->bearer_secret = text(a, span_trim(rest));
            if (!check->bearer_secret)
                return CS_ENOMEM;
        } else if (is_scheme(value, SPAN("Basic"), &rest)) {
            check->has_basic = true;
            check->basic = true;
        } else if (is_scheme(value, SPAN("Digest"), &rest) && check->n_digest < MAX_CREDENTIALS) {
            int err = add_digest(check, value, id == SIP_HDR_PROXY_AUTHORIZATION, m, a);
            if (err)
                return err;
        }
    }
    return 0;
}

/* What the connection showed when it was made. */
static int add_flow_credential(AUTH(Check) * check, const struct flow *f, struct arena *a)
{
    char name[FLOW_TOKEN_MAX];
    struct buf b = BUF_INIT(name);
    bool is_ticket;
    struct span shown = flow_credential(f, &is_ticket);
    if (!shown.n)
        return 0;
    char *copy = text(a, shown);
    if (is_ticket) {
        flow_token(f, &b);
        check->ticket_secret = copy;
        check->flow = buf_ok(&b) ? text(a, buf_span(&b)) : NULL;
        return copy && check->flow ? 0 : CS_ENOMEM;
    }
    check->flow_bearer_secret = copy;
    return copy ? 0 : CS_ENOMEM;
}

int facts_renew(struct flow *f, const struct sip_msg *m)
{
    struct span token = SPAN_NULL, rest;
    for (size_t i = 0; i < m->n_hdr; i++) {
        if (m->hdr[i].id == SIP_HDR_AUTHORIZATION &&
            is_scheme(m->hdr[i].value, SPAN("Bearer"), &rest))
            token = span_trim(rest);
    }
    return token.n ? flow_renew_credential(f, token) : 0;
}

static void add_contacts(AUTH(Check) * check, const struct sip_msg *m)
{
    check->has_contacts = true;
    for (struct sip_values it = sip_values(m, SIP_HDR_CONTACT); sip_next(&it);) {
        check->contacts++;
        if (span_eq(it.value, SPAN("*"))) {
            check->has_removes_all = true;
            check->removes_all = true;
        }
    }
}

int facts_fill(AUTH(Check) * check, struct flow *f, const struct sip_msg *m,
               const struct gate_facts *facts, struct arena *a)
{
    struct span ip = addr_host_bytes(&f->remote);
    check->listener = text(a, siptp_listener_name(f->listener));
    check->has_transport = true;
    check->transport = gate_transport(f->transport);
    check->has_source_ip = true;
    check->source_ip.data = (uint8_t *)ip.p;
    check->source_ip.len = ip.n;
    check->has_source_port = true;
    check->source_port = addr_port(&f->remote);

    check->method = text(a, m->method_name);
    check->request_uri = text(a, m->uri.text);
    check->domain = text(a, facts->domain);
    check->from_aor = text(a, facts->from_aor);
    check->to_aor = text(a, facts->to_aor);
    check->target_aor = text(a, facts->target_aor);
    check->call_id = text(a, m->call_id);
    check->has_cseq = true;
    check->cseq = m->cseq;
    check->user_agent = text(a, sip_hdr_value(m, SIP_HDR_USER_AGENT));
    check->has_in_dialog = true;
    check->in_dialog = m->to.tag.p != NULL;
    check->has_on_registered_flow = check->on_registered_flow = facts->registered;
    if (m->method == SIP_REGISTER)
        add_contacts(check, m);

    check->digest = arena_alloc(a, MAX_CREDENTIALS * sizeof(void *));
    if (!check->digest || !check->listener || !check->method || !check->request_uri ||
        !check->call_id)
        return CS_ENOMEM;
    int err = shown_fill(check, f);
    if (!err)
        err = add_flow_credential(check, f, a);
    if (!err)
        err = add_credentials(check, SIP_HDR_AUTHORIZATION, m, a);
    return err ? err : add_credentials(check, SIP_HDR_PROXY_AUTHORIZATION, m, a);
}
