/* What issuers publish: key sets, discovery documents. A key that is taken is one that OpenSSL can
 * use, of a kind and size that we allow. */
#include <assert.h>
#include <stdlib.h>

#include "authd/token/issuer.h"
#include "authd/token/keyset.h"
#include "authd/token/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct span text = span_of(data, n);
    struct keyset *s;
    struct metadata m;
    struct arena a;
    if (keyset_new(&s))
        abort();
    int err = keyset_add(s, text);
    assert(s->n <= KEYSET_MAX && (err == 0 || err == CS_EPROTO || err == CS_ELIMIT));
    for (size_t i = 0; i < s->n; i++) {
        const struct jwk *k = &s->keys[i], *found;
        assert(k->pkey && k->algs && (k->algs & ~(unsigned)JWT_ALG_ALL) == 0);
        assert(EVP_PKEY_get_base_id(k->pkey) != EVP_PKEY_RSA ||
               (EVP_PKEY_get_bits(k->pkey) >= JWK_RSA_BITS_MIN &&
                EVP_PKEY_get_bits(k->pkey) <= JWK_RSA_BITS_MAX));
        assert(keyset_has(s, k->id));
        if (k->kid.p)
            assert(keyset_find(s, k->kid, (enum jwt_alg)__builtin_ctz(k->algs), &found) == 0);
    }
    keyset_free(&s);
    arena_init(&a, NULL, 0, 1u << 20);
    if (metadata_parse(text, SPAN("https://i"), &a, &m) == 0)
        assert(!m.jwks_uri.p || !issuer_url_fault(m.jwks_uri));
    else
        assert(!m.jwks_uri.p && !m.introspection_endpoint.p);
    if (!issuer_url_fault(text))
        assert(span_casestarts(text, SPAN("http")) && span_find(text, ' ') < 0);
    arena_fini(&a);
    return 0;
}
