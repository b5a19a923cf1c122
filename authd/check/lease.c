#include "authd/check/lease.h"

bool lease_is_safe(const struct group_conf *groups, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!place_is_empty(&groups[i].match.place) || groups[i].countries ||
            groups[i].mode == MODE_PASS_THROUGH ||
            ((groups[i].require.all_of | groups[i].require.any_of) &
             (PROOF_ADDRESS | PROOF_CERTIFICATE)))
            return false;
    }
    return true;
}

int lease_make(struct noncer *nonces, const struct digest_conf *d, const struct offer *offer,
               uint32_t want, struct wall now, struct arena *a, Countersign__Auth__Lease *out)
{
    size_t n = CS_MIN(want, (uint32_t)LEASE_MAX);
    char(*text)[NONCE_LEN + 1] = arena_alloc(a, n * sizeof(*text));
    countersign__auth__lease__init(out);
    out->challenge = arena_alloc(a, CHALLENGE_MAX * sizeof(char *));
    out->nonce_secret = arena_alloc(a, n * sizeof(char *));
    if (!text || !out->challenge || !out->nonce_secret)
        return CS_ENOMEM;
    int err = challenge_write(SPAN("\x01"), d, offer, false, a, out->challenge, &out->n_challenge);
    for (; !err && out->n_nonce_secret < n; out->n_nonce_secret++) {
        char *p = text[out->n_nonce_secret];
        err = nonce_mint(nonces, d->realm, now, NULL, p);
        p[NONCE_LEN] = '\0';
        out->nonce_secret[out->n_nonce_secret] = p;
    }
    out->has_valid_ms = true;
    out->valid_ms = LEASE_VALID_MS;
    return err;
}
