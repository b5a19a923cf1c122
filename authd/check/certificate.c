#include "authd/check/certificate.h"

#include "sip/uri.h"

enum { HASH_LEN = 32 };

#define SECONDS_MAX UINT64_C(253402300800) /* the year 10000, which none lives to see */

static struct span hash_of(protobuf_c_boolean has, ProtobufCBinaryData d)
{
    return has && d.len == HASH_LEN ? span_of(d.data, d.len) : SPAN_NULL;
}

static struct wall time_of(protobuf_c_boolean has, uint64_t s)
{
    return (struct wall){ has ? (int64_t)CS_MIN(s, SECONDS_MAX) * 1000 : 0 };
}

bool cert_facts_of(const Countersign__Auth__Check *m, struct cert_facts *out)
{
    const Countersign__Auth__Certificate *c = m->certificate;
    *out = (struct cert_facts){ 0 };
    if (!c)
        return false;
    *out = (struct cert_facts){
        .sha256 = hash_of(m->has_certificate_sha256, m->certificate_sha256),
        .spki = hash_of(c->has_spki_sha256, c->spki_sha256),
        .issuer_spki = hash_of(c->has_issuer_spki_sha256, c->issuer_spki_sha256),
        .subject = span_str(c->subject),
        .issuer = span_str(c->issuer),
        .serial = span_str(c->serial),
        .not_before = time_of(c->has_not_before_s, c->not_before_s),
        .not_after = time_of(c->has_not_after_s, c->not_after_s),
        .names = c,
    };
    return true;
}

/* ---- names ---- */

static bool is_sip(struct span uri)
{
    return span_casestarts(uri, SPAN("sip:"));
}

struct give {
    cert_name_fn *fn;
    void *arg;
};

static bool give_host(const struct give *g, enum cert_name_kind kind, struct span host)
{
    char space[SIP_AOR_MAX];
    struct buf b = BUF_INIT(space);
    for (size_t i = 0; i < host.n; i++)
        buf_putc(&b, kind == CERT_COMMON ? host.p[i] : ascii_lower(host.p[i]));
    return buf_ok(&b) && b.n && g->fn(g->arg, kind, buf_span(&b));
}

/* With a user part it says who, without one which domain, by its host part alone (7.1). */
static bool give_uri(const struct give *g, struct span text)
{
    char space[SIP_AOR_MAX];
    struct buf aor = BUF_INIT(space);
    struct sip_uri uri;
    if (!is_sip(text) || sip_uri_parse(text, &uri))
        return false;
    if (!uri.user.p)
        return give_host(g, CERT_DOMAIN, uri.host);
    return sip_aor_write(&aor, &uri) == 0 && g->fn(g->arg, CERT_USER, buf_span(&aor));
}

/* What is behind the model, where that is a phone's name: SEP and its MAC. Absent: it is not. */
static struct span phone_of(struct span common)
{
    enum { NAME_LEN = 3 + 12 };
    const struct span name = span_skip(common, common.n - CS_MIN(common.n, (size_t)NAME_LEN));
    const struct span model = span_head(common, common.n - name.n);
    if (!span_starts(model, SPAN("CP-")) || !span_ends(model, SPAN("-")) ||
        !span_starts(name, SPAN("SEP")))
        return SPAN_NULL;
    for (size_t i = 3; i < name.n; i++) {
        if (ascii_hex(name.p[i]) < 0)
            return SPAN_NULL;
    }
    return name;
}

bool cert_each_name(const struct cert_facts *c, cert_name_fn *fn, void *arg)
{
    const Countersign__Auth__Certificate *m = c->names;
    const struct give g = { fn, arg };
    bool found = false, sip = false;
    for (size_t i = 0; i < m->n_uri && !found; i++) {
        sip |= is_sip(span_str(m->uri[i]));
        found = give_uri(&g, span_str(m->uri[i]));
    }
    for (size_t i = 0; i < m->n_dns && !found && !sip; i++)
        found = give_host(&g, CERT_DOMAIN, span_str(m->dns[i]));
    /* Said or listed: then the common name counts for nothing. */
    const bool names = (m->has_names && m->names) || m->n_uri || m->n_dns;
    if (!found && !names && m->common_name)
        found = give_host(&g, CERT_COMMON, span_str(m->common_name)) ||
                give_host(&g, CERT_COMMON, phone_of(span_str(m->common_name)));
    return found;
}

/* ---- pins ---- */

struct span cert_pin(const char *scheme, struct span hash, char out[PIN_MAX])
{
    struct buf b = buf_of(out, PIN_MAX);
    buf_put(&b, span_str(scheme));
    buf_putc(&b, ':');
    buf_hex(&b, hash.p, hash.n);
    return buf_span(&b);
}
