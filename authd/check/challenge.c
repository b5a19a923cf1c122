#include "authd/check/challenge.h"

#include "base/buf.h"

unsigned challenge_offer(const struct digest_conf *d, unsigned lacking, bool single)
{
    unsigned offer = d->algorithm_mask & ~lacking;
    if (!offer)
        offer = d->algorithm_mask;
    return single ? offer & -offer : offer; /* bits stand in the order of strength */
}

/* realm was checked for quotes when the configuration was read. */
static char *write_one(const struct digest_conf *d, struct span realm, enum algorithm alg,
                       bool sess, bool single, bool stale, struct span nonce, struct arena *a)
{
    const bool integrity = (d->qop & 1u << QOP_AUTH_INT) && !(single && (d->qop & 1u << QOP_AUTH));
    size_t cap = realm.n + 160;
    char *p = arena_alloc(a, cap);
    if (!p)
        return NULL;
    struct buf b = buf_of(p, cap);
    buf_lit(&b, "Digest realm=\"");
    buf_put(&b, realm);
    buf_lit(&b, "\", nonce=\"");
    buf_put(&b, nonce);
    buf_lit(&b, "\", algorithm="); /* a token, not quoted */
    buf_put(&b, algorithm_name(alg));
    if (sess)
        buf_lit(&b, "-sess");
    if ((d->qop & 1u << QOP_AUTH) && integrity)
        buf_lit(&b, ", qop=\"auth,auth-int\"");
    else if (d->qop & 1u << QOP_AUTH)
        buf_lit(&b, ", qop=\"auth\"");
    else if (integrity)
        buf_lit(&b, ", qop=\"auth-int\"");
    if (stale)
        buf_lit(&b, ", stale=true");
    buf_putc(&b, '\0');
    return buf_ok(&b) ? p : NULL;
}

static int write_realm(struct span nonce, const struct digest_conf *d, struct span realm,
                       unsigned algorithms, const struct offer *offer, bool stale, struct arena *a,
                       char *list[CHALLENGE_MAX], size_t *n)
{
    for (size_t i = 0; i < d->n_algorithms; i++) {
        if (!(algorithms & ALG_BIT(d->algorithms[i])))
            continue;
        for (int sess = 0; sess <= (d->sess && !offer->single); sess++) {
            list[*n] = write_one(d, realm, d->algorithms[i], sess, offer->single, stale, nonce, a);
            if (!list[(*n)++])
                return CS_ENOMEM;
        }
    }
    return 0;
}

int challenge_write(struct span nonce, const struct digest_conf *d, const struct offer *offer,
                    bool stale, struct arena *a, char *list[CHALLENGE_MAX], size_t *n)
{
    int err = 0;
    *n = 0;
    if (offer->former.p)
        err = write_realm(nonce, d, offer->former, offer->former_algorithms, offer, stale, a, list,
                          n);
    if (!err && !(offer->single && offer->former.p))
        err = write_realm(nonce, d, d->realm, offer->algorithms, offer, stale, a, list, n);
    return err;
}
