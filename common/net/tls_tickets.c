#include "net/tls_tickets.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "base/ct.h"
#include "base/rand.h"

struct tls_tickets {
    unsigned refs;
    struct duration period;
    struct tls_ticket_seed now;
    struct tls_ticket_key key, before;
    bool has_before;
};

/* HMAC does not fail but for want of memory, and then nothing was to be had from here on anyway. */
static void derive(const unsigned char *key, const char *label, unsigned char *out, size_t n)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned char *done = HMAC(EVP_sha256(), key, TLS_TICKET_KEY, (const unsigned char *)label,
                               strlen(label), mac, NULL);
    assert(done && n <= TLS_TICKET_KEY);
    memcpy(out, mac, n);
    ct_wipe(mac, sizeof(mac));
}

static void make_key(struct tls_tickets *t)
{
    derive(t->now.key, "name", t->key.name, sizeof(t->key.name));
    derive(t->now.key, "cipher", t->key.cipher, sizeof(t->key.cipher));
    derive(t->now.key, "mac", t->key.mac, sizeof(t->key.mac));
}

static void turn(struct tls_tickets *t)
{
    struct mono now = clock_mono();
    for (struct mono due; due = mono_add(t->now.begun, t->period), !mono_before(now, due);) {
        derive(t->now.key, "next", t->now.key, sizeof(t->now.key));
        t->now.begun = due;
        t->before = t->key;
        t->has_before = true;
        make_key(t);
    }
}

int tls_tickets_new(const struct tls_ticket_seed *seed, struct duration period,
                    struct tls_tickets **out)
{
    struct tls_tickets *t = calloc(1, sizeof(*t));
    *out = t;
    if (!t)
        return CS_ENOMEM;
    t->refs = 1;
    t->period = period;
    if (seed) {
        t->now = *seed;
    } else {
        rand_bytes(t->now.key, sizeof(t->now.key));
        t->now.begun = clock_mono();
    }
    make_key(t);
    turn(t);
    return 0;
}

struct tls_tickets *tls_tickets_ref(struct tls_tickets *t)
{
    t->refs++;
    return t;
}

void tls_tickets_unref(struct tls_tickets **tp)
{
    struct tls_tickets *t = *tp;
    *tp = NULL;
    if (!t || --t->refs)
        return;
    ct_wipe(t, sizeof(*t));
    free(t);
}

void tls_tickets_seed(struct tls_tickets *t, struct tls_ticket_seed *out)
{
    turn(t);
    *out = t->now;
}

struct duration tls_tickets_period(const struct tls_tickets *t)
{
    return t->period;
}

const struct tls_ticket_key *tls_tickets_current(struct tls_tickets *t)
{
    turn(t);
    return &t->key;
}

const struct tls_ticket_key *tls_tickets_find(struct tls_tickets *t, const unsigned char *name,
                                              bool *old)
{
    turn(t);
    *old = false;
    if (memcmp(name, t->key.name, TLS_TICKET_NAME) == 0)
        return &t->key;
    *old = t->has_before && memcmp(name, t->before.name, TLS_TICKET_NAME) == 0;
    return *old ? &t->before : NULL;
}
