#include "authd/vault/vault.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "authd/vault/keyring.h"
#include "base/rand.h"
#include "base/util.h"

enum { IV_LEN = 12, TAG_LEN = 16, HEAD_LEN = 1 + IV_LEN };

/* One context for each key and direction: the key schedule is made once. */
struct vault {
    EVP_CIPHER *gcm;
    size_t n;
    struct vault_key {
        uint8_t id;
        EVP_CIPHER_CTX *seal, *open;
    } keys[2 * KEYRING_MAX];
};

static int key_init(struct vault *v, struct vault_key *k, const struct keyring_key *from)
{
    k->id = from->id;
    k->seal = EVP_CIPHER_CTX_new();
    k->open = EVP_CIPHER_CTX_new();
    if (!k->seal || !k->open)
        return CS_ENOMEM;
    if (!EVP_EncryptInit_ex2(k->seal, v->gcm, from->key, NULL, NULL) ||
        !EVP_DecryptInit_ex2(k->open, v->gcm, from->key, NULL, NULL))
        return CS_ENOTSUP;
    return 0;
}

static struct vault_key *key_of(struct vault *v, uint8_t id)
{
    for (size_t i = 0; i < v->n; i++) {
        if (v->keys[i].id == id)
            return &v->keys[i];
    }
    return NULL;
}

int vault_add(struct vault *v, struct span text)
{
    struct keyring ring;
    int err = keyring_parse(text, &ring);
    if (err)
        return err;
    for (size_t i = 0; !err && i < ring.n; i++) {
        if (key_of(v, ring.keys[i].id))
            err = CS_EPROTO;
        else if (v->n == CS_LEN(v->keys))
            err = CS_ELIMIT;
        else
            err = key_init(v, &v->keys[v->n++], &ring.keys[i]);
    }
    keyring_fini(&ring);
    return err;
}

int vault_new(struct span text, struct vault **out)
{
    struct vault *v = calloc(1, sizeof(*v));
    *out = v;
    if (!v)
        return CS_ENOMEM;
    v->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    int err = v->gcm ? vault_add(v, text) : CS_ENOTSUP;
    if (err)
        vault_free(out);
    return err;
}

void vault_free(struct vault **vp)
{
    struct vault *v = *vp;
    *vp = NULL;
    if (!v)
        return;
    for (size_t i = 0; i < v->n; i++) {
        EVP_CIPHER_CTX_free(v->keys[i].seal); /* OpenSSL wipes the key schedule */
        EVP_CIPHER_CTX_free(v->keys[i].open);
    }
    EVP_CIPHER_free(v->gcm);
    free(v);
}

int vault_seal(struct vault *v, struct span bound, struct span plain, struct buf *out)
{
    EVP_CIPHER_CTX *ctx = v->keys[0].seal;
    unsigned char iv[IV_LEN], tag[TAG_LEN];
    int n = 0;

    if (bound.n > INT_MAX || plain.n > INT_MAX)
        return CS_ELIMIT;
    if (out->cap - out->n < plain.n + VAULT_OVERHEAD) {
        out->full = true;
        return CS_ELIMIT;
    }
    rand_bytes(iv, sizeof(iv));
    unsigned char *body = (unsigned char *)out->p + out->n + HEAD_LEN;
    if (!EVP_EncryptInit_ex2(ctx, NULL, NULL, iv, NULL) ||
        !EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)bound.p, (int)bound.n) ||
        !EVP_EncryptUpdate(ctx, body, &n, (const unsigned char *)plain.p, (int)plain.n) ||
        !EVP_EncryptFinal_ex(ctx, body + n, &n) ||
        !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, tag))
        return CS_ENOTSUP;
    buf_putc(out, (char)v->keys[0].id);
    buf_put(out, span_of(iv, sizeof(iv)));
    out->n += plain.n;
    buf_put(out, span_of(tag, sizeof(tag)));
    return 0;
}

uint8_t vault_key_id(const struct vault *v)
{
    return v->keys[0].id;
}

bool vault_is_current(const struct vault *v, struct span sealed)
{
    return sealed.n > 0 && (uint8_t)sealed.p[0] == v->keys[0].id;
}

int vault_open(struct vault *v, struct span bound, struct span sealed, void *out, size_t n)
{
    unsigned char tag[TAG_LEN];
    int len = 0;

    if (sealed.n != n + VAULT_OVERHEAD || bound.n > INT_MAX || n > INT_MAX)
        return CS_EDENIED;
    const unsigned char *p = (const unsigned char *)sealed.p;
    struct vault_key *k = key_of(v, p[0]);
    if (!k)
        return CS_EDENIED;
    memcpy(tag, p + HEAD_LEN + n, sizeof(tag));
    if (EVP_DecryptInit_ex2(k->open, NULL, NULL, p + 1, NULL) &&
        EVP_DecryptUpdate(k->open, NULL, &len, (const unsigned char *)bound.p, (int)bound.n) &&
        EVP_DecryptUpdate(k->open, out, &len, p + HEAD_LEN, (int)n) &&
        EVP_CIPHER_CTX_ctrl(k->open, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) &&
        EVP_DecryptFinal_ex(k->open, (unsigned char *)out + len, &len))
        return 0;
    ct_wipe(out, n);
    return CS_EDENIED;
}
