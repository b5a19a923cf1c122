#include "authd/store/trunk.h"

#include "authd/store/device.h"
#include "base/addr.h"
#include "proto/codec.h"
#include "store.pb-c.h"

enum { SCHEMA = 1, BITS_MIN_4 = 8, BITS_MIN_6 = 16 };

/* ---- encoding ---- */

static bool text_fits(struct span s)
{
    return s.n <= TRUNK_MAX_TEXT;
}

/* So that whoever makes a key or a copy of them needs no check. */
static bool fits(const struct trunk *t)
{
    bool ok = !trunk_name_fault(t->name) && t->n_targets <= TRUNK_MAX_TARGETS &&
              t->n_credentials <= TRUNK_MAX_CREDENTIALS &&
              t->n_certificates <= TRUNK_MAX_CERTIFICATES && t->n_domains <= TRUNK_MAX_CERTIFICATES;
    for (size_t i = 0; ok && i < t->n_targets; i++)
        ok = text_fits(t->targets[i]);
    for (size_t i = 0; ok && i < t->n_certificates; i++)
        ok = text_fits(t->certificates[i]);
    for (size_t i = 0; ok && i < t->n_domains; i++)
        ok = text_fits(t->domains[i]);
    for (size_t i = 0; ok && i < t->n_credentials; i++) {
        const struct trunk_credential *c = &t->credentials[i];
        ok = text_fits(c->realm) && text_fits(c->user) && text_fits(c->route) &&
             c->sealed.n <= TRUNK_MAX_PASSWORD + VAULT_OVERHEAD;
    }
    return ok;
}

static const struct span *spans_of(char *const *texts, size_t n, struct arena *a)
{
    struct span *list = arena_alloc(a, n * sizeof(*list));
    for (size_t i = 0; list && i < n; i++)
        list[i] = span_str(texts[i]);
    return list;
}

static int take_lists(const Countersign__Store__Trunk *m, struct arena *a, struct trunk *t)
{
    t->targets = spans_of(m->target, m->n_target, a);
    t->n_targets = m->n_target;
    t->certificates = spans_of(m->certificate, m->n_certificate, a);
    t->n_certificates = m->n_certificate;
    t->domains = spans_of(m->domain, m->n_domain, a);
    t->n_domains = m->n_domain;
    t->credentials = arena_alloc(a, m->n_credential * sizeof(*t->credentials));
    if (!t->targets || !t->certificates || !t->domains || !t->credentials)
        return CS_ENOMEM;
    for (size_t i = 0; i < m->n_credential; i++) {
        const Countersign__Store__TrunkCredential *c = m->credential[i];
        t->credentials[t->n_credentials++] = (struct trunk_credential){
            .realm = span_str(c->realm),
            .user = span_str(c->username),
            .route = span_str(c->route),
            .sealed = span_of(c->sealed.data, c->sealed.len),
        };
    }
    for (size_t i = 0; i < m->n_prefer; i++) {
        bool sess;
        enum digest_alg alg = digest_alg_of(span_str(m->prefer[i]), &sess);
        if (alg != DIGEST_UNKNOWN && !sess && t->n_prefer < CS_LEN(t->prefer))
            t->prefer[t->n_prefer++] = alg; /* others are of a later version */
    }
    return 0;
}

int trunk_decode(struct span record, struct arena *a, struct trunk *out)
{
    *out = (struct trunk){ 0 };
    struct span kept = arena_dup(a, record);
    const Countersign__Store__Trunk *m =
        kept.p ? proto_unpack(&countersign__store__trunk__descriptor, kept, a) : NULL;
    if (!m || m->schema != SCHEMA || (unsigned)m->algorithm > DIGEST_ECHO_NEVER ||
        (unsigned)m->uri > TRUNK_URI_WITHOUT_PARAMETERS)
        return CS_EPROTO;
    struct trunk t = {
        .name = span_str(m->name),
        .echo = (enum digest_echo)m->algorithm,
        .lower = m->has_lower && m->lower,
        .uri = (enum trunk_uri)m->uri,
        .created = { (int64_t)m->created_ms },
        .changed = { (int64_t)m->changed_ms },
        .record = kept,
    };
    int err = take_lists(m, a, &t);
    if (!err && !fits(&t))
        err = CS_EPROTO;
    if (!err)
        *out = t;
    return err;
}

static int fill_credentials(Countersign__Store__Trunk *m, const struct trunk *t, struct arena *a)
{
    Countersign__Store__TrunkCredential *all = arena_alloc(a, t->n_credentials * sizeof(*all));
    m->credential = arena_alloc(a, t->n_credentials * sizeof(*m->credential));
    if (!all || !m->credential)
        return CS_ENOMEM;
    for (size_t i = 0; i < t->n_credentials; i++) {
        const struct trunk_credential *from = &t->credentials[i];
        countersign__store__trunk_credential__init(&all[i]);
        all[i].realm = arena_str(a, from->realm);
        all[i].username = arena_str(a, from->user);
        all[i].route = from->route.p ? arena_str(a, from->route) : NULL;
        all[i].sealed.data = (uint8_t *)from->sealed.p;
        all[i].sealed.len = from->sealed.n;
        if (!all[i].realm || !all[i].username || (from->route.p && !all[i].route))
            return CS_ENOMEM;
        m->credential[m->n_credential++] = &all[i];
    }
    return 0;
}

static int put_texts(const struct span *list, size_t n, struct arena *a, char ***out, size_t *n_out)
{
    *out = arena_alloc(a, n * sizeof(**out));
    for (*n_out = 0; *out && *n_out < n; ++*n_out) {
        (*out)[*n_out] = arena_str(a, list[*n_out]);
        if (!(*out)[*n_out])
            return CS_ENOMEM;
    }
    return *out ? 0 : CS_ENOMEM;
}

static int fill(Countersign__Store__Trunk *m, const struct trunk *t, struct arena *a)
{
    m->schema = SCHEMA;
    m->name = arena_str(a, t->name);
    m->prefer = arena_alloc(a, t->n_prefer * sizeof(*m->prefer));
    if (!m->name || !m->prefer ||
        put_texts(t->targets, t->n_targets, a, &m->target, &m->n_target) ||
        put_texts(t->certificates, t->n_certificates, a, &m->certificate, &m->n_certificate) ||
        put_texts(t->domains, t->n_domains, a, &m->domain, &m->n_domain))
        return CS_ENOMEM;
    for (; m->n_prefer < t->n_prefer; m->n_prefer++)
        m->prefer[m->n_prefer] = (char *)digest_alg_name(t->prefer[m->n_prefer], false).p;
    m->has_algorithm = m->has_uri = m->has_lower = true;
    m->algorithm = (Countersign__Store__TrunkAlgorithm)t->echo;
    m->uri = (Countersign__Store__TrunkUri)t->uri;
    m->lower = t->lower;
    m->has_created_ms = m->has_changed_ms = true;
    m->created_ms = (uint64_t)t->created.ms;
    m->changed_ms = (uint64_t)t->changed.ms;
    return fill_credentials(m, t, a);
}

int trunk_encode(const struct trunk *t, struct buf *out)
{
    char first[4096];
    struct arena a;
    arena_init(&a, first, sizeof(first), 0);
    Countersign__Store__Trunk m = COUNTERSIGN__STORE__TRUNK__INIT;
    int err = fits(t) ? fill(&m, t, &a) : CS_ELIMIT;
    if (!err) {
        const size_t before = out->n;
        proto_pack(out, &m.base);
        if (out->n - before > TRUNK_MAX_RECORD)
            out->full = true;
        err = buf_ok(out) ? 0 : CS_ELIMIT;
    }
    arena_fini(&a);
    return err;
}

/* ---- texts ---- */

const char *trunk_name_fault(struct span name)
{
    if (name.n == 0)
        return "must not be empty";
    if (name.n > TRUNK_MAX_NAME)
        return "must not be longer than 64 bytes";
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!ascii_alpha(c) && !ascii_digit(c) && span_find(SPAN("-_."), c) < 0)
            return "must be of letters, digits, dots, hyphens and underscores";
    }
    return NULL;
}

const char *trunk_text_fault(struct span text)
{
    if (text.n == 0)
        return "must not be empty";
    if (text.n > TRUNK_MAX_TEXT)
        return "must not be longer than 256 bytes";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c == 0x7f)
            return "must not contain control characters";
    }
    return NULL;
}

/* ---- targets ---- */

/* A host name or an address as a URI writes it, nothing else. */
static bool is_host(struct span text)
{
    char space[TRUNK_MAX_TEXT + 8];
    struct buf b = BUF_INIT(space);
    struct sip_uri uri;
    buf_lit(&b, "sip:");
    buf_put(&b, text);
    return buf_ok(&b) && sip_uri_parse(buf_span(&b), &uri) == 0 && span_eq(uri.host, text);
}

static int lower_of(struct span text, struct arena *a, struct span *out)
{
    char *lower = arena_str(a, text);
    for (size_t i = 0; lower && i < text.n; i++)
        lower[i] = ascii_lower(lower[i]);
    *out = span_of(lower, lower ? text.n : 0);
    return lower ? 0 : CS_ENOMEM;
}

int trunk_domain(struct span text, struct arena *a, struct span *out)
{
    *out = SPAN_NULL;
    return text.n <= TRUNK_MAX_TEXT && is_host(text) ? lower_of(text, a, out) : CS_EPROTO;
}

/* No address: a certificate of a trunk names a domain (RFC 5922, 7.1). */
int trunk_certificate(struct span text, struct arena *a, struct span *out)
{
    struct addr addr;
    int err = pin_of(text, a, out);
    if (err != CS_EPROTO)
        return err;
    if (span_casestarts(text, SPAN("sip:")))
        text = span_skip(text, 4);
    return addr_parse_host(text, 0, &addr) == 0 ? CS_EPROTO : trunk_domain(text, a, out);
}

bool trunk_serves(const struct trunk *t, const struct span *aors, size_t n)
{
    struct sip_uri uri;
    for (size_t i = 0; i < n && t->n_domains; i++) {
        if (sip_uri_parse(aors[i], &uri))
            continue;
        for (size_t k = 0; k < t->n_domains; k++) {
            if (span_eq(uri.host, t->domains[k]))
                return true;
        }
    }
    return t->n_domains == 0;
}

static struct span domain_of(struct span target)
{
    return span_starts(target, SPAN("*.")) ? span_skip(target, 1) : SPAN_NULL;
}

int trunk_target(struct span text, struct arena *a, struct span *out)
{
    struct cidr net;
    if (text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = span_of(text.p + 1, text.n - 2); /* an address is one with and without brackets */
    const bool any = span_starts(text, SPAN("*."));
    struct span name = any ? span_skip(text, 2) : text;
    if (text.n > TRUNK_MAX_TEXT)
        return CS_EPROTO;
    /* *.com would be half of the world, and 0.0.0.0/0 all of it */
    if (cidr_parse(text, &net) == 0) {
        if (net.bits < (net.net.sa.sa_family == AF_INET ? BITS_MIN_4 : BITS_MIN_6))
            return CS_EPROTO;
    } else if (!is_host(name) || (any && span_find(name, '.') < 0)) {
        return CS_EPROTO;
    }
    char *copy = arena_str(a, text);
    if (!copy)
        return CS_ENOMEM;
    for (size_t i = 0; i < text.n; i++)
        copy[i] = ascii_lower(copy[i]);
    *out = span_of(copy, text.n);
    return 0;
}

static bool matches(struct span target, struct span host)
{
    struct cidr net;
    struct addr addr;
    if (cidr_parse(target, &net) == 0)
        return addr_parse_host(host, 0, &addr) == 0 && cidr_contains(&net, &addr);
    struct span domain = domain_of(target);
    if (!domain.p)
        return span_caseeq(host, target);
    return host.n > domain.n && span_caseeq(span_skip(host, host.n - domain.n), domain);
}

static bool is_target(const struct trunk *t, struct span host)
{
    for (size_t i = 0; i < t->n_targets; i++) {
        if (matches(t->targets[i], host))
            return true;
    }
    return false;
}

bool trunk_is_target(const struct trunk *t, const struct sip_uri *uri)
{
    return (uri->scheme == SIP_SCHEME_SIP || uri->scheme == SIP_SCHEME_SIPS) &&
           is_target(t, uri->host) && (!uri->maddr.p || is_target(t, uri->maddr));
}

/* ---- secrets ---- */

enum { BOUND_MAX = TRUNK_MAX_NAME + 3 * TRUNK_MAX_TEXT + 16 };

/* What a password is sealed to: "trunk" NUL name NUL realm NUL username, and NUL route where there
 * is one: more parts than a verifier's have. */
static struct span bound_to(const struct trunk *t, const struct trunk_credential *c, struct buf *b)
{
    const struct span parts[] = { SPAN("trunk"), t->name, c->realm, c->user, c->route };
    for (size_t i = 0; i < CS_LEN(parts) && parts[i].p; i++) {
        if (i > 0)
            buf_putc(b, '\0');
        buf_put(b, parts[i]);
    }
    return buf_span(b);
}

int trunk_seal(const struct trunk *t, struct trunk_credential *c, struct vault *v,
               struct span password, struct arena *a)
{
    char space[BOUND_MAX];
    struct buf b = BUF_INIT(space);
    struct span bound = bound_to(t, c, &b);
    if (!buf_ok(&b) || password.n > TRUNK_MAX_PASSWORD)
        return CS_ELIMIT;
    char *p = arena_alloc(a, password.n + VAULT_OVERHEAD);
    if (!p)
        return CS_ENOMEM;
    struct buf sealed = buf_of(p, password.n + VAULT_OVERHEAD);
    int err = vault_seal(v, bound, password, &sealed);
    if (!err)
        c->sealed = buf_span(&sealed);
    return err;
}

int trunk_open(const struct trunk *t, const struct trunk_credential *c, struct vault *v,
               char out[TRUNK_MAX_PASSWORD], size_t *n)
{
    char space[BOUND_MAX];
    struct buf b = BUF_INIT(space);
    struct span bound = bound_to(t, c, &b);
    *n = 0;
    if (!buf_ok(&b) || c->sealed.n < VAULT_OVERHEAD ||
        c->sealed.n > TRUNK_MAX_PASSWORD + VAULT_OVERHEAD)
        return CS_EDENIED;
    int err = vault_open(v, bound, c->sealed, out, c->sealed.n - VAULT_OVERHEAD);
    if (!err)
        *n = c->sealed.n - VAULT_OVERHEAD;
    return err;
}

int trunk_reseal(struct trunk *t, struct vault *v, struct arena *a, bool *changed)
{
    char password[TRUNK_MAX_PASSWORD];
    int err = 0;
    *changed = false;
    for (size_t i = 0; !err && i < t->n_credentials; i++) {
        struct trunk_credential *c = &t->credentials[i];
        size_t n;
        if (vault_is_current(v, c->sealed))
            continue;
        err = trunk_open(t, c, v, password, &n);
        if (!err)
            err = trunk_seal(t, c, v, span_of(password, n), a);
        *changed = true;
    }
    ct_wipe(password, sizeof(password));
    return err;
}
