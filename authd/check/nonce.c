#include "authd/check/nonce.h"

#include <stdlib.h>

#include "authd/vault/keyring.h"
#include "base/buf.h"
#include "base/ct.h"
#include "base/hmac.h"
#include "base/memo.h"
#include "base/rand.h"

/* The parts are multiples of three bytes, so that base64 needs no padding and the tag (random bits
 * and key id) is a piece of the text. */
enum {
    TIME_LEN = 6,
    BATCH_LEN = 6,
    RANDOM_LEN = BATCH_LEN + 2,
    COOKIE_AT = TIME_LEN + RANDOM_LEN + 1,
    COOKIE_LEN = 3,
    HEAD_LEN = COOKIE_AT + COOKIE_LEN,
    MAC_LEN = 12
};
enum { RAW_LEN = HEAD_LEN + MAC_LEN, SKEW_MS = 10000, MACS_KEPT = 16384, BATCH_MS = 10000 };
_Static_assert(HEAD_LEN == sizeof(((struct nonce *)0)->head), "head");
_Static_assert(RAW_LEN / 3 * 4 == NONCE_LEN && RAW_LEN % 3 == 0, "no padding");
_Static_assert(BATCH_LEN / 3 * 4 == NONCE_BATCH_LEN && NONCE_SLOTS <= 256, "so is its head");
_Static_assert(TIME_LEN / 3 * 4 == NONCE_TAG_AT && (RANDOM_LEN + 1) / 3 * 4 == NONCE_TAG_LEN,
               "the tag is a piece of the text");

struct noncer {
    struct memo macs; /* of nonces made or seen lately, most of which are seen again */
    struct {
        unsigned char random[BATCH_LEN];
        unsigned used; /* places; 0: there is no batch */
        struct wall since;
    } batch;
    size_t n;
    struct {
        uint8_t id;
        struct hmac *hmac;
    } keys[KEYRING_MAX];
};

int noncer_new(struct span text, struct noncer **out)
{
    struct keyring ring;
    *out = NULL;
    int err = keyring_parse(text, &ring);
    if (err)
        return err;
    struct noncer *n = calloc(1, sizeof(*n));
    if (!n)
        err = CS_ENOMEM;
    if (n) {
        err = memo_init(&n->macs, MACS_KEPT);
        for (; !err && n->n < ring.n; n->n++) {
            const struct keyring_key *k = &ring.keys[n->n];
            n->keys[n->n].id = k->id;
            err = hmac_new(span_of(k->key, sizeof(k->key)), &n->keys[n->n].hmac);
        }
    }
    keyring_fini(&ring);
    if (err)
        noncer_free(&n);
    *out = n;
    return err;
}

void noncer_free(struct noncer **np)
{
    struct noncer *n = *np;
    *np = NULL;
    if (!n)
        return;
    for (size_t i = 0; i < n->n; i++)
        hmac_free(&n->keys[i].hmac);
    memo_fini(&n->macs);
    free(n);
}

static int compute(struct hmac *h, struct span a, struct span b, void *out, size_t size)
{
    const struct span parts[] = { a, b };
    unsigned char full[HMAC_LEN];
    int err = hmac_of(h, parts, CS_LEN(parts), full);
    if (!err)
        memcpy(out, full, size);
    return err;
}

/* What is signed here begins with a word, which no time of issue looks like before the year 3000. A
 * cookie of zeros stands for none. */
static int cookie(struct hmac *h, const unsigned char head[HEAD_LEN], const struct addr *source,
                  unsigned char out[COOKIE_LEN])
{
    unsigned char said[6 + COOKIE_AT] = "source";
    memcpy(said + 6, head, COOKIE_AT);
    int err = compute(h, span_of(said, sizeof(said)), addr_net_bytes(source), out, COOKIE_LEN);
    if (!err)
        out[0] |= !out[0] && !out[1] && !out[2];
    return err;
}

/* The head names the key. */
static int mac(struct noncer *n, size_t i, const unsigned char head[HEAD_LEN], struct span realm,
               unsigned char out[MAC_LEN])
{
    const struct memo_key key = memo_key_of(span_of((const char *)head, HEAD_LEN), realm);
    if (memo_get(&n->macs, &key, out, MAC_LEN))
        return 0;
    int err = compute(n->keys[i].hmac, span_of(head, HEAD_LEN), realm, out, MAC_LEN);
    if (!err)
        memo_put(&n->macs, &key, out, MAC_LEN);
    return err;
}

/* A place in the batch, or in a new one where that is full or old. */
static void take_place(struct noncer *n, struct wall now, unsigned char out[RANDOM_LEN])
{
    const int64_t age = now.ms - n->batch.since.ms;
    if (n->batch.used == 0 || n->batch.used == NONCE_SLOTS || age < 0 || age > BATCH_MS) {
        rand_bytes(n->batch.random, BATCH_LEN);
        n->batch.since = now;
        n->batch.used = 0;
    }
    memcpy(out, n->batch.random, BATCH_LEN);
    out[BATCH_LEN] = (unsigned char)n->batch.used++;
    rand_bytes(out + BATCH_LEN + 1, RANDOM_LEN - BATCH_LEN - 1);
}

int nonce_mint(struct noncer *n, struct span realm, struct wall now, const struct addr *source,
               char out[NONCE_LEN])
{
    unsigned char raw[RAW_LEN] = { 0 };
    int err = 0;
    for (int i = 0; i < TIME_LEN; i++)
        raw[i] = (unsigned char)((uint64_t)now.ms >> (8 * (TIME_LEN - 1 - i)));
    take_place(n, now, raw + TIME_LEN);
    raw[TIME_LEN + RANDOM_LEN] = n->keys[0].id;
    if (source && source->sa.sa_family != AF_UNSPEC)
        err = cookie(n->keys[0].hmac, raw, source, raw + COOKIE_AT);
    if (!err)
        err = mac(n, 0, raw, realm, raw + HEAD_LEN);
    struct buf b = buf_of(out, NONCE_LEN);
    if (!err)
        buf_base64url(&b, raw, sizeof(raw));
    return err;
}

int nonce_verify(struct noncer *n, struct span realm, struct span text, struct nonce *out)
{
    unsigned char raw[RAW_LEN], right[MAC_LEN];
    size_t len = 0, i = 0;
    *out = (struct nonce){ 0 };
    if (text.n != NONCE_LEN || base64url_decode(text, raw, sizeof(raw), &len) || len != RAW_LEN)
        return CS_EPROTO;
    while (i < n->n && n->keys[i].id != raw[COOKIE_AT - 1])
        i++;
    if (i == n->n || mac(n, i, raw, realm, right) ||
        !ct_eq(span_of(right, MAC_LEN), span_of(raw + HEAD_LEN, MAC_LEN)))
        return CS_EPROTO;
    memcpy(out->head, raw, HEAD_LEN);
    out->key = i;
    uint64_t ms = 0;
    for (i = 0; i < TIME_LEN; i++)
        ms = ms << 8 | raw[i];
    out->issued.ms = (int64_t)ms;
    out->tag = span_of(text.p + NONCE_TAG_AT, NONCE_TAG_LEN);
    out->slot = raw[TIME_LEN + BATCH_LEN] % NONCE_SLOTS;
    return 0;
}

bool nonce_is_for(struct noncer *n, const struct nonce *nonce, const struct addr *source)
{
    unsigned char right[COOKIE_LEN];
    return source->sa.sa_family != AF_UNSPEC &&
           cookie(n->keys[nonce->key].hmac, nonce->head, source, right) == 0 &&
           ct_eq(span_of(right, COOKIE_LEN), span_of(nonce->head + COOKIE_AT, COOKIE_LEN));
}

bool nonce_is_stale(const struct nonce *n, struct wall now, struct duration lifetime)
{
    int64_t age = now.ms - n->issued.ms;
    return age > lifetime.ms || age < -SKEW_MS;
}
