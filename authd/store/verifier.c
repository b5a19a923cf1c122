#include "authd/store/verifier.h"

#include "authd/check/hash.h"
#include "base/buf.h"
#include "base/ct.h"

enum { BOUND_MAX = 2 * VERIFIER_MAX_NAME + 3 };

/* What it is sealed to: name NUL realm NUL algorithm. */
static int bound_to(const struct verifier *v, struct buf *out)
{
    buf_put(out, v->name);
    buf_putc(out, '\0');
    buf_put(out, v->realm);
    buf_putc(out, '\0');
    buf_putc(out, (char)('0' + v->alg));
    return buf_ok(out) ? 0 : CS_ELIMIT;
}

int verifier_ha1(enum algorithm alg, struct span name, struct span realm, struct span password,
                 unsigned char out[ALG_MAX_LEN])
{
    struct hash *h;
    int err = hash_new(&h);
    if (!err)
        err = hash_of(h, alg, out, name, realm, password);
    hash_free(&h);
    return err;
}

int verifier_seal(struct verifier *v, struct vault *vault, const unsigned char *ha1,
                  struct arena *a)
{
    char space[BOUND_MAX];
    struct buf bound = BUF_INIT(space);
    const size_t n = algorithm_len(v->alg) + VAULT_OVERHEAD;
    char *p = arena_alloc(a, n);
    int err = p ? bound_to(v, &bound) : CS_ENOMEM;
    struct buf sealed = buf_of(p, p ? n : 0);
    if (!err)
        err = vault_seal(vault, buf_span(&bound), span_of(ha1, algorithm_len(v->alg)), &sealed);
    if (!err)
        v->sealed = buf_span(&sealed);
    return err;
}

int verifier_make(struct verifier *v, struct vault *vault, struct span password, struct arena *a)
{
    unsigned char ha1[ALG_MAX_LEN];
    int err = verifier_ha1(v->alg, v->name, v->realm, password, ha1);
    if (!err)
        err = verifier_seal(v, vault, ha1, a);
    ct_wipe(ha1, sizeof(ha1));
    return err;
}

int verifier_open(const struct verifier *v, struct vault *vault, unsigned char ha1[ALG_MAX_LEN])
{
    char space[BOUND_MAX];
    struct buf bound = BUF_INIT(space);
    if (v->alg >= ALG_COUNT || !v->sealed.p)
        return CS_ENOENT;
    if (bound_to(v, &bound))
        return CS_EDENIED;
    return vault_open(vault, buf_span(&bound), v->sealed, ha1, algorithm_len(v->alg));
}
