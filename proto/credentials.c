#include "proto/credentials.h"

#include "sip/digest.h"
#include "sip/scan.h"

static char *text(struct arena *a, struct span s)
{
    return s.p ? arena_str(a, s) : NULL;
}

/* The inside of a quoted-string as it was meant: RFC 7616 hashes it without its backslashes. */
static char *unquoted(struct arena *a, struct span s)
{
    if (!s.p || span_find(s, '\\') < 0)
        return text(a, s);
    char *p = arena_alloc(a, s.n + 1);
    if (!p)
        return NULL;
    struct buf b = buf_of(p, s.n);
    sip_unquote(&b, s);
    p[b.n] = '\0';
    return p;
}

Countersign__Auth__DigestCredentials *credentials_of(struct span value, bool proxy, struct arena *a)
{
    struct digest d;
    Countersign__Auth__DigestCredentials *c = arena_alloc(a, sizeof(*c));
    if (!c)
        return NULL;
    countersign__auth__digest_credentials__init(c);
    c->has_proxy = true;
    c->proxy = proxy;
    if (digest_parse(value, &d)) {
        c->has_malformed = c->malformed = true;
        return c;
    }
    c->username = unquoted(a, d.username);
    c->realm = unquoted(a, d.realm);
    c->nonce_secret = unquoted(a, d.nonce);
    c->uri = unquoted(a, d.uri);
    c->response_secret = text(a, d.response);
    c->algorithm = text(a, d.algorithm);
    c->qop = text(a, d.qop);
    c->nc = text(a, d.nc);
    c->cnonce_secret = unquoted(a, d.cnonce);
    c->opaque = unquoted(a, d.opaque);
    c->has_userhash = d.userhash.p != NULL;
    c->userhash = span_caseeq(d.userhash, SPAN("true"));
    return c->username && c->realm && c->nonce_secret && c->uri && c->response_secret ? c : NULL;
}
