/* Tokens of strangers: whatever is shown, it is refused, or its parts are what was shown; and no
 * key of ours signed it. */
#include <assert.h>
#include <stdlib.h>

#include "authd/token/claims.h"
#include "authd/token/jwt.h"
#include "authd/token/keyset.h"

/* A key of two kinds: those of RFC 8037, A.2 and RFC 7515, A.3, with which no fuzzer signs. */
static const char set[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"ed\","
                          "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},"
                          "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ec\","
                          "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                          "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

static const struct keyset *keys_of(void)
{
    static struct keyset *s;
    if (!s && (keyset_new(&s) || keyset_add(s, SPAN(set)) || s->n != 2))
        abort();
    return s;
}

static void judge_claims(const struct jwt *t, struct arena *a)
{
    static struct span audiences[] = { SPAN_INIT("sip") };
    static const struct issuer_conf c = {
        .issuer = SPAN_INIT("i"),
        .audiences = audiences,
        .n_audiences = 1,
        .identity = { SPAN_INIT("sub"), SPAN_INIT("example.com") },
        .lifetime = { { 1000 }, { 3600000 } },
    };
    char block[CLAIMS_MAX];
    for (enum claims_source from = CLAIMS_SIGNED; from <= CLAIMS_INQUIRED; from++) {
        struct buf b = BUF_INIT(block);
        struct claims k, again;
        if (claims_of(t->claims, &c, from, a, &k) != CAUSE(OK))
            continue;
        assert(span_eq(k.iss, c.issuer) && span_starts(k.aor, SPAN("sip:")) &&
               span_ends(k.aor, SPAN("@example.com")) && k.exp > 0);
        if (claims_pack(&k, &b) == 0) {
            claims_unpack(buf_span(&b), &again);
            assert(span_eq(k.aor, again.aor) && span_eq(k.scope, again.scope));
            assert(span_eq(k.jti, again.jti) && !k.jti.p == !again.jti.p);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct keyset *keys = keys_of();
    struct jwt t;
    struct arena a;
    if (jwt_parse(span_of(data, n), &t)) {
        assert(!t.header && !t.claims);
        return 0;
    }
    arena_init(&a, NULL, 0, 1u << 20);
    assert(t.signed_text.n < n && t.kid.n <= JWK_KID_MAX && t.n_signature <= JWT_SIGNATURE_MAX);
    const struct jwk *k;
    if (keyset_find(keys, t.kid, t.alg, &k) == 0) {
        assert(t.alg != JWT_ALG_UNKNOWN && k->algs & JWT_ALG_BIT(t.alg));
        assert(jwt_verify(&t, k));
    }
    for (size_t i = 0; i < keys->n; i++)
        assert(jwt_verify(&t, &keys->keys[i]));
    judge_claims(&t, &a);
    jwt_fini(&t);
    arena_fini(&a);
    return 0;
}
