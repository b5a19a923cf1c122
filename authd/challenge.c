#include "authd/challenge.h"

#include "base/buf.h"

unsigned challenge_offer(const struct digest_conf *d, unsigned lacking, bool single)
{
    unsigned offer = d->algorithm_mask & ~lacking;
    if (!offer)
        offer = d->algorithm_mask;
    return single ? offer & -offer : offer; /* bits stand in the order of strength */
}

/* realm was checked for quotes when the configuration was read. */
static char *write_one(const struct digest_conf *d, enum algorithm alg, bool sess, bool single,
                       bool stale, struct span nonce, struct arena *a)
{
    const bool integrity = (d->qop & 1u << QOP_AUTH_INT) && !(single && (d->qop & 1u << QOP_AUTH));
    size_t cap = d->realm.n + 160;
    char *p = arena_alloc(a, cap);
    if (!p)
        return NULL;
    struct buf b = buf_of(p, cap);
    buf_lit(&b, "Digest realm=\"");
    buf_put(&b, d->realm);
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

int challenge_write(struct span nonce, const struct digest_conf *d, unsigned offer, bool single,
                    bool stale, struct arena *a, char *list[CHALLENGE_MAX], size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < d->n_algorithms; i++) {
        if (!(offer & ALG_BIT(d->algorithms[i])))
            continue;
        for (int sess = 0; sess <= (d->sess && !single); sess++) {
            list[*n] = write_one(d, d->algorithms[i], sess, single, stale, nonce, a);
            if (!list[(*n)++])
                return CS_ENOMEM;
        }
    }
    return 0;
}
