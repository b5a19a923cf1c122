#include "authd/check/chain.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "proto/certificate.h"

/* Nobody is asked for a password. */
static int no_password(char *to, int size, int writing, void *arg)
{
    (void)to, (void)size, (void)writing, (void)arg;
    return -1;
}

static int read_pem(struct span pem, STACK_OF(X509) * out)
{
    X509 *x;
    int err = 0;
    BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    while (b && !err && (x = PEM_read_bio_X509(b, NULL, no_password, NULL)) != NULL) {
        err = sk_X509_num(out) == CHAIN_MAX ? CS_EPROTO : sk_X509_push(out, x) ? 0 : CS_ENOMEM;
        if (err)
            X509_free(x);
    }
    const unsigned long why = ERR_peek_last_error();
    if (!err && (sk_X509_num(out) == 0 || ERR_GET_LIB(why) != ERR_LIB_PEM ||
                 ERR_GET_REASON(why) != PEM_R_NO_START_LINE))
        err = CS_EPROTO; /* it does not end where a certificate ends */
    BIO_free(b);
    return b ? err : CS_ENOMEM;
}

/* The one that signed it, if the chain leads to an authority. For a client, as in a handshake. */
static X509 *issuer_of(STACK_OF(X509) * chain, STACK_OF(X509) * trusted, X509_STORE_CTX *ctx)
{
    X509 *x = sk_X509_value(chain, 0);
    if (!ctx || X509_STORE_CTX_init(ctx, NULL, x, chain) != 1)
        return NULL;
    X509_STORE_CTX_set0_trusted_stack(ctx, trusted);
    X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
    if (X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT) != 1 || X509_verify_cert(ctx) != 1)
        return NULL;
    STACK_OF(X509) *verified = X509_STORE_CTX_get0_chain(ctx);
    return sk_X509_num(verified) > 1 ? sk_X509_value(verified, 1) : x;
}

static int say(X509 *x, X509 *issuer, struct arena *a, Countersign__Auth__Check *m)
{
    unsigned char *hash = arena_alloc(a, CERTIFICATE_HASH_LEN);
    Countersign__Auth__Certificate *c = arena_alloc(a, sizeof(*c));
    int err = hash && c ? certificate_facts(x, issuer, a, c) : CS_ENOMEM;
    if (!err)
        err = certificate_hash(x, hash);
    if (err)
        return err;
    m->certificate = c;
    m->has_certificate_sha256 = true;
    m->certificate_sha256.data = hash;
    m->certificate_sha256.len = CERTIFICATE_HASH_LEN;
    return 0;
}

int chain_facts(struct span pem, STACK_OF(X509) * trusted, struct arena *a,
                Countersign__Auth__Check *m)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int err = chain ? read_pem(pem, chain) : CS_ENOMEM;
    if (!err)
        err = say(sk_X509_value(chain, 0), issuer_of(chain, trusted, ctx), a, m);
    X509_STORE_CTX_free(ctx);
    sk_X509_pop_free(chain, X509_free);
    ERR_clear_error();
    return err;
}
