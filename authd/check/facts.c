#include "authd/check/facts.h"

#include "base/util.h"

/* Numbers of a later version are unknown, too. */
static Countersign__Auth__Transport transport_of(const Countersign__Auth__Check *m)
{
    bool known = m->has_transport && (unsigned)m->transport <= COUNTERSIGN__AUTH__TRANSPORT__LINK;
    return known ? m->transport : COUNTERSIGN__AUTH__TRANSPORT__TRANSPORT_UNKNOWN;
}

void facts_of(const Countersign__Auth__Check *m, struct facts *out)
{
    *out = (struct facts){
        .transport = transport_of(m),
        .listener = span_str(m->listener),
        .method = span_str(m->method),
        .request_uri = span_str(m->request_uri),
        .domain = span_str(m->domain),
        .from_aor = span_str(m->from_aor),
        .to_aor = span_str(m->to_aor),
        .target_aor = span_str(m->target_aor),
        .call_id = span_str(m->call_id),
        .user_agent = span_str(m->user_agent),
        .body = m->has_body ? span_of(m->body.data, m->body.len) : SPAN_NULL,
        .certificate_sha256 = m->has_certificate_sha256
                                  ? span_of(m->certificate_sha256.data, m->certificate_sha256.len)
                                  : SPAN_NULL,
        .certificate_subject = m->certificate ? span_str(m->certificate->subject) : SPAN_NULL,
        .in_dialog = m->has_in_dialog && m->in_dialog,
        .on_registered_flow = m->has_on_registered_flow && m->on_registered_flow,
    };
    out->is_register = span_eq(out->method, SPAN("REGISTER"));
    if (!m->has_source_ip ||
        addr_from_bytes(span_of(m->source_ip.data, m->source_ip.len), &out->source))
        return;
    addr_set_port(&out->source, (uint16_t)m->source_port);
}

int facts_keep(struct facts *f, struct arena *a)
{
    struct span *const all[] = {
        &f->listener, &f->method,     &f->request_uri,        &f->domain,
        &f->from_aor, &f->to_aor,     &f->target_aor,         &f->call_id,
        &f->body,     &f->user_agent, &f->certificate_sha256, &f->certificate_subject
    };
    for (size_t i = 0; i < CS_LEN(all); i++) {
        struct span copy = arena_dup(a, *all[i]);
        if (all[i]->p && !copy.p)
            return CS_ENOMEM;
        *all[i] = copy;
    }
    return 0;
}

struct span facts_transport(Countersign__Auth__Transport t)
{
    static const struct span names[] = { SPAN_INIT(""),     SPAN_INIT("udp"),   SPAN_INIT("tcp"),
                                         SPAN_INIT("tls"),  SPAN_INIT("ws"),    SPAN_INIT("wss"),
                                         SPAN_INIT("sccp"), SPAN_INIT("sccps"), SPAN_INIT("link") };
    return (size_t)t < CS_LEN(names) ? names[t] : names[0];
}
