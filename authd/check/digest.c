#include "authd/check/digest.h"

#include "base/buf.h"
#include "base/ct.h"
#include "sip/uri.h"

static bool is_complete(const Countersign__Auth__DigestCredentials *d)
{
    return !(d->has_malformed && d->malformed) && d->username && d->realm && d->nonce_secret &&
           d->uri && d->response_secret;
}

Countersign__Auth__Cause digest_pick(const Countersign__Auth__Check *m, struct span realm,
                                     bool proxy, struct credential *out)
{
    const Countersign__Auth__DigestCredentials *best = NULL;
    bool malformed = false;

    for (size_t i = 0; i < m->n_digest; i++) {
        const Countersign__Auth__DigestCredentials *d = m->digest[i];
        if (!is_complete(d)) {
            malformed = true;
        } else if (span_eq(span_str(d->realm), realm)) {
            bool matching = (d->has_proxy && d->proxy) == proxy;
            if (!best || matching)
                best = d;
            if (matching)
                break;
        }
    }
    if (!best)
        return malformed         ? CAUSE(CREDENTIALS_MALFORMED)
               : m->n_digest > 0 ? CAUSE(WRONG_REALM)
                                 : CAUSE(NO_CREDENTIALS);
    *out = (struct credential){
        .auth_id = span_str(best->username),
        .username = span_str(best->username),
        .realm = span_str(best->realm),
        .nonce = span_str(best->nonce_secret),
        .uri = span_str(best->uri),
        .response = span_str(best->response_secret),
        .algorithm = span_str(best->algorithm),
        .qop = span_str(best->qop),
        .nc = span_str(best->nc),
        .cnonce = span_str(best->cnonce_secret),
        .userhash = best->has_userhash && best->userhash,
    };
    return CAUSE(OK);
}

int credential_keep(struct credential *c, struct arena *a)
{
    struct span *const all[] = { &c->auth_id,  &c->username,  &c->realm, &c->nonce, &c->uri,
                                 &c->response, &c->algorithm, &c->qop,   &c->nc,    &c->cnonce };
    for (size_t i = 0; i < CS_LEN(all); i++) {
        struct span copy = arena_dup(a, *all[i]);
        if (all[i]->p && !copy.p)
            return CS_ENOMEM;
        *all[i] = copy;
    }
    return 0;
}

static bool qop_of(struct span text, enum qop *out)
{
    *out = !text.p ? QOP_NONE : span_caseeq(text, SPAN("auth")) ? QOP_AUTH : QOP_AUTH_INT;
    return *out != QOP_AUTH_INT || span_caseeq(text, SPAN("auth-int"));
}

Countersign__Auth__Cause digest_examine(const struct credential *c, const struct digest_conf *d,
                                        struct claim *out)
{
    uint64_t nc = 0;
    *out = (struct claim){ 0 };
    if (c->userhash) /* whose name that is, only a table of all of them would tell */
        return CAUSE(USERHASH_NOT_OFFERED);
    out->alg = algorithm_of(c->algorithm, &out->sess);
    if (!(d->algorithm_mask & ALG_BIT(out->alg)) || (out->sess && !d->sess))
        return CAUSE(ALGORITHM_NOT_ALLOWED);
    if (!qop_of(c->qop, &out->qop) || !(d->qop & 1u << out->qop))
        return CAUSE(QOP_NOT_ALLOWED);
    if (!c->cnonce.p && (out->sess || out->qop != QOP_NONE))
        return CAUSE(CREDENTIALS_MALFORMED);
    if (out->qop == QOP_NONE)
        return CAUSE(OK);
    if (span_hex(c->nc, &nc) || nc == 0 || c->nc.n > 8) /* 8LHEX, and zeros left out */
        return CAUSE(NC_INVALID);
    out->nc = (unsigned)nc;
    return CAUSE(OK);
}

static bool is_address(struct span host)
{
    struct addr a;
    return addr_parse_host(host, 0, &a) == 0;
}

enum uri_match digest_uri(struct span shown, struct span request, enum uri_mode mode)
{
    struct sip_uri a, b;
    if (request.p && span_eq(shown, request))
        return URI_SAME;
    if (!request.p || sip_uri_parse(shown, &a) || sip_uri_parse(request, &b))
        return URI_WRONG;
    if (sip_uri_eq(&a, &b))
        return URI_SAME;
    /* What proxies do on the way: port and parameters change, a domain becomes an address, a number
     * stays and its host does not. Who is called never changes. */
    if (mode == URI_STRICT || !a.host.p || !b.host.p || !span_eq(a.user, b.user))
        return URI_WRONG;
    if (a.user.n > 0 || span_caseeq(a.host, b.host) || is_address(a.host) || is_address(b.host))
        return URI_DIFFERS;
    return URI_WRONG;
}

bool digest_is_right(struct hash *h, const struct credential *c, const struct claim *claim,
                     const struct facts *f, const unsigned char *ha1)
{
    const enum algorithm alg = claim->alg;
    const size_t n = algorithm_len(alg);
    char a1[2 * ALG_MAX_LEN], a2[2 * ALG_MAX_LEN], body[2 * ALG_MAX_LEN];
    unsigned char right[ALG_MAX_LEN], shown[ALG_MAX_LEN];
    const struct span ha1_hex = span_of(a1, 2 * n), ha2 = span_of(a2, 2 * n);
    int err = 0;

    hash_hex(ha1, n, a1);
    if (claim->sess) /* RFC 7616, 3.4.2 */
        err = hash_hex_of(h, alg, a1, ha1_hex, c->nonce, c->cnonce);
    if (!err && claim->qop == QOP_AUTH_INT) { /* 3.4.3; no body is an empty body */
        err = hash_hex_of(h, alg, body, f->body);
        if (!err)
            err = hash_hex_of(h, alg, a2, f->method, c->uri, span_of(body, 2 * n));
    } else if (!err) {
        err = hash_hex_of(h, alg, a2, f->method, c->uri);
    }
    if (!err && claim->qop == QOP_NONE) /* RFC 2069 */
        err = hash_of(h, alg, right, ha1_hex, c->nonce, ha2);
    else if (!err) /* 3.4.1 */
        err = hash_of(h, alg, right, ha1_hex, c->nonce, c->nc, c->cnonce, c->qop, ha2);
    ct_wipe(a1, sizeof(a1));
    bool readable = hex_decode(c->response, shown, n) == 0;
    return !err && readable && ct_eq(span_of(right, n), span_of(shown, n));
}
