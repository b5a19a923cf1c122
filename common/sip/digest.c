#include "sip/digest.h"

#include <stddef.h>

#include "base/util.h"
#include "sip/chars.h"
#include "sip/scan.h"

static const struct {
    struct span name;
    enum digest_alg alg;
    bool sess;
} algs[] = {
    { SPAN_INIT("MD5"), DIGEST_MD5, false },
    { SPAN_INIT("SHA-256"), DIGEST_SHA256, false },
    { SPAN_INIT("SHA-512-256"), DIGEST_SHA512_256, false },
    { SPAN_INIT("MD5-sess"), DIGEST_MD5, true },
    { SPAN_INIT("SHA-256-sess"), DIGEST_SHA256, true },
    { SPAN_INIT("SHA-512-256-sess"), DIGEST_SHA512_256, true },
};

struct param {
    struct span name;
    size_t offset;
};
#define PARAM(type, field) SPAN_INIT(#field), offsetof(struct type, field)

static const struct param params[] = {
    { PARAM(digest, username) }, { PARAM(digest, realm) },    { PARAM(digest, nonce) },
    { PARAM(digest, uri) },      { PARAM(digest, response) }, { PARAM(digest, algorithm) },
    { PARAM(digest, qop) },      { PARAM(digest, nc) },       { PARAM(digest, cnonce) },
    { PARAM(digest, opaque) },   { PARAM(digest, userhash) },
};

static const struct param challenge_params[] = {
    { PARAM(digest_challenge, realm) },  { PARAM(digest_challenge, nonce) },
    { PARAM(digest_challenge, opaque) }, { PARAM(digest_challenge, algorithm) },
    { PARAM(digest_challenge, qop) },    { PARAM(digest_challenge, domain) },
    { PARAM(digest_challenge, stale) },  { PARAM(digest_challenge, username) },
};

struct span digest_alg_name(enum digest_alg alg, bool sess)
{
    for (size_t i = 0; i < CS_LEN(algs); i++) {
        if (algs[i].alg == alg && algs[i].sess == sess)
            return algs[i].name;
    }
    return SPAN_NULL;
}

enum digest_alg digest_alg_of(struct span name, bool *sess)
{
    *sess = false;
    if (!name.p)
        return DIGEST_MD5; /* RFC 7616, 3.4: absent means MD5 */
    for (size_t i = 0; i < CS_LEN(algs); i++) {
        if (span_caseeq(name, algs[i].name)) {
            *sess = algs[i].sess;
            return algs[i].alg;
        }
    }
    return DIGEST_UNKNOWN;
}

static int keep(void *into, const struct param *table, size_t n, struct span name,
                struct span value)
{
    for (size_t i = 0; i < n; i++) {
        if (!span_caseeq(name, table[i].name))
            continue;
        struct span *slot = (struct span *)((char *)into + table[i].offset);
        /* Said twice, two readers could choose differently; folds and quoted control characters
         * they could hash differently; and a NUL would end a name early. */
        if (slot->p || chars_has_control(value))
            return CS_EPROTO;
        *slot = value;
    }
    return 0; /* unknown parameters are ignored (RFC 7616, 3.4) */
}

/* "Digest" 1*( name "=" value ), comma-separated */
static int parse(struct span value, void *into, const struct param *table, size_t n)
{
    struct scan s = scan_of(value);
    if (!span_caseeq(scan_token(&s), SPAN("Digest")))
        return CS_ENOTSUP;
    do {
        struct span name = scan_token(&s);
        scan_expect(&s, '=');
        struct span val = scan_value(&s);
        if (s.err || keep(into, table, n, name, val))
            return CS_EPROTO;
    } while (scan_accept(&s, ','));
    return scan_done(&s) ? 0 : CS_EPROTO;
}

int digest_parse(struct span value, struct digest *out)
{
    struct digest d = { 0 };
    *out = d;
    int rc = parse(value, &d, params, CS_LEN(params));
    if (rc)
        return rc;
    if (!d.username.p || !d.realm.p || !d.nonce.p || !d.uri.p || !d.response.p)
        return CS_EPROTO;
    d.alg = digest_alg_of(d.algorithm, &d.sess);
    *out = d;
    return 0;
}

int digest_challenge_parse(struct span value, struct digest_challenge *out)
{
    struct digest_challenge c = { 0 };
    *out = c;
    int rc = parse(value, &c, challenge_params, CS_LEN(challenge_params));
    if (rc)
        return rc;
    if (!c.realm.p || !c.nonce.p)
        return CS_EPROTO;
    c.alg = digest_alg_of(c.algorithm, &c.sess);
    c.is_stale = span_caseeq(c.stale, SPAN("true"));
    struct span list = c.qop;
    while (list.p) {
        struct span option = span_trim(span_cut(&list, ','));
        c.qop_auth |= span_caseeq(option, SPAN("auth"));
        c.qop_auth_int |= span_caseeq(option, SPAN("auth-int"));
    }
    *out = c;
    return 0;
}
