#include "gate/shown.h"

#include <stdlib.h>

#include "proto/certificate.h"

struct shown {
    struct arena arena;
    Countersign__Auth__Certificate facts;
    unsigned char sha256[CERTIFICATE_HASH_LEN];
    bool readable;
};

static void shown_free(void *p)
{
    struct shown *s = p;
    arena_fini(&s->arena);
    free(s);
}

static int shown_new(const struct flow *f, X509 *x, X509 *issuer, struct shown **out)
{
    struct shown *s = calloc(1, sizeof(*s));
    *out = s;
    if (!s)
        return CS_ENOMEM;
    arena_init(&s->arena, NULL, 0, 0);
    int err = certificate_facts(x, issuer, &s->arena, &s->facts);
    if (!err)
        err = certificate_hash(x, s->sha256);
    if (err == CS_ENOMEM) {
        shown_free(s);
        return err;
    }
    s->readable = err == 0;
    if (err)
        log_warn(flow_log(f), "a certificate says nothing that can be read, and proves nothing",
                 kv_err(err));
    return 0;
}

int shown_fill(Countersign__Auth__Check *check, struct flow *f)
{
    X509 *issuer, *x = flow_certificate(f, &issuer);
    struct shown *s = f->attached;
    if (!x)
        return 0;
    if (!s) {
        int err = shown_new(f, x, issuer, &s);
        if (err)
            return err;
        flow_attach(f, s, shown_free);
    }
    if (!s->readable)
        return 0;
    check->certificate = &s->facts;
    check->has_certificate_sha256 = true;
    check->certificate_sha256.data = s->sha256;
    check->certificate_sha256.len = sizeof(s->sha256);
    return 0;
}
