#include "capture/trace.h"

#include "base/map.h"

enum { RATE = 100 /* messages a second, where none is said */ };

int trace_set(struct trace *t, const Countersign__Auth__Trace *m, struct mono now)
{
    const bool again = t->id == m->id;
    if (!again)
        *t = (struct trace){ .id = m->id };
    t->until = mono_add(now, DURATION_S(m->seconds));
    if (again)
        return 0;
    for (size_t i = 0; i < m->n_aor && t->n_aors < TRACE_AORS; i++) {
        if (strlen(m->aor[i]) <= SIP_AOR_MAX)
            span_copy(t->aor[t->n_aors++], sizeof(t->aor[0]), span_str(m->aor[i]));
    }
    if (m->call_id && strlen(m->call_id) < sizeof(t->call_id))
        span_copy(t->call_id, sizeof(t->call_id), span_str(m->call_id));
    int err = m->has_source_ip
                  ? addr_from_bytes(span_of(m->source_ip.data, m->source_ip.len), &t->source)
                  : 0;
    t->all = !m->n_aor && !m->call_id && !m->has_source_ip;
    t->rate = m->has_rate && m->rate ? CS_MIN(m->rate, (unsigned)TRACE_RATE_MAX) : RATE;
    t->left = t->rate * INT64_C(1000);
    t->filled = now;
    return err || (!t->all && !t->n_aors && !t->call_id[0] && t->source.sa.sa_family == AF_UNSPEC)
               ? CS_EPROTO
               : 0;
}

/* ---- Call-IDs ---- */

static bool is_known(const struct trace *t, struct span call_id)
{
    const uint64_t hash = map_hash(call_id);
    for (size_t i = 0; i < CS_MIN(t->n_known, (size_t)TRACE_KNOWN); i++) {
        if (t->known[i] == hash)
            return true;
    }
    return false;
}

static void know(struct trace *t, struct span call_id)
{
    if (call_id.n && !is_known(t, call_id))
        t->known[t->n_known++ % TRACE_KNOWN] = map_hash(call_id);
}

/* ---- who ---- */

static bool is_name(const struct trace *t, const struct sip_uri *uri)
{
    char text[SIP_AOR_MAX], plain[SIP_AOR_MAX];
    struct buf b = BUF_INIT(text);
    if (!uri->user.n || uri->user.n > sizeof(plain))
        return false;
    const struct span user = sip_user_plain(uri->user, plain);
    const bool aor = sip_aor_write(&b, uri) == 0;
    for (size_t i = 0; i < t->n_aors; i++) {
        const struct span wanted = span_str(t->aor[i]);
        if (span_eq(wanted, user) || (aor && span_eq(wanted, buf_span(&b))))
            return true;
    }
    return false;
}

static bool names(const struct trace *t, const struct sip_msg *m)
{
    if (is_name(t, &m->from.uri) || is_name(t, &m->to.uri) ||
        (m->is_request && is_name(t, &m->uri)))
        return true;
    for (struct sip_values it = sip_values(m, SIP_HDR_P_ASSERTED_IDENTITY); sip_next(&it);) {
        struct sip_addr a;
        if (sip_addr_parse(it.value, &a) == 0 && is_name(t, &a.uri))
            return true;
    }
    return false;
}

static bool is_at(const struct trace *t, struct span host)
{
    struct addr a;
    return addr_parse_host(host, 0, &a) == 0 && addr_same_host(&a, &t->source);
}

static bool is_from(const struct trace *t, const struct shown *s)
{
    if (s->remote->sa.sa_family != AF_UNSPEC && addr_same_host(s->remote, &t->source))
        return true;
    for (struct sip_values it = sip_values(s->msg, SIP_HDR_VIA); sip_next(&it);) {
        struct sip_via via;
        if (sip_via_parse(it.value, &via) == 0 && (is_at(t, via.received) || is_at(t, via.host)))
            return true;
    }
    return false;
}

bool trace_fits(struct trace *t, const struct shown *s)
{
    const struct span call_id = s->msg->call_id, origin = s->origin.p ? s->origin : call_id;
    const bool fits =
        t->all || is_known(t, call_id) || is_known(t, origin) || (t->n_aors && names(t, s->msg)) ||
        (t->call_id[0] &&
         (span_eq(span_str(t->call_id), call_id) || span_eq(span_str(t->call_id), origin))) ||
        (t->source.sa.sa_family != AF_UNSPEC && is_from(t, s));
    if (!fits)
        return false;
    t->number++;
    know(t, call_id);
    know(t, origin);
    return true;
}

bool trace_may(struct trace *t, struct mono now)
{
    const int64_t full = t->rate * INT64_C(1000);
    const int64_t ms = mono_since(t->filled, now).ms;
    if (ms > 0) {
        t->left = CS_MIN(full, t->left + CS_MIN(ms, INT64_C(1000)) * t->rate);
        t->filled = now;
    }
    if (t->left < 1000)
        return false;
    t->left -= 1000;
    return true;
}
