#include "b2bua/provisioning/trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "b2bua/provisioning/encrypted_file.h"
#include "b2bua/provisioning/phone_file.h"
#include "b2bua/provisioning/trust_list.h"
#include "base/ct.h"
#include "base/list.h"
#include "base/log.h"

enum { KEPT_MAX = 1024, KEY_LEN = 32, SIGNED_MAX = PHONE_FILE_MAX + SIGNED_HEAD_MAX };

struct kept {
    struct list link; /* the one asked for longest ago first */
    unsigned char key[KEY_LEN];
    size_t n;
    char file[];
};

struct trust {
    struct phone_signer *signer;
    struct buf itl, ctl; /* owned */
    struct list kept;
    size_t n_kept;
};

static const struct log tlog = { .module = "provisioning" };

/* ---- configuration ---- */

#define T struct trust_conf
static const char *const hashes[] = { "sha1", "sha512", NULL };
static const struct conf_key keys[] = {
    CONF_PATH("certificate_file", T, certificate_file, "Of role TFTP in the lists; RSA.",
              .required = true),
    CONF_PATH("key_file", T, key_file, "Its key: b2bua signs files with it.", .required = true),
    CONF_PATH("itl_file", T, itl_file, "ITLFile.tlv as csctl trust list made it."),
    CONF_PATH("ctl_file", T, ctl_file, "CTLFile.tlv, the same; older phones know this one alone."),
    CONF_ENUM("hash", T, hash, hashes, "What is signed; phones of before 2012 know SHA-1 alone.",
              .def = "sha1"),
    { 0 },
};
const struct conf_section trust_section = { sizeof(T), keys, NULL };

/* ---- lists ---- */

static int read_list(const char *path, struct buf *out)
{
    FILE *f = path ? fopen(path, "re") : NULL;
    char *space = f ? malloc(TRUST_LIST_MAX + 1) : NULL;
    if (!path)
        return 0;
    const size_t n = space ? fread(space, 1, TRUST_LIST_MAX + 1, f) : 0;
    if (f)
        fclose(f);
    *out = buf_of(space, TRUST_LIST_MAX + 1);
    out->n = n;
    if (n <= TRUST_LIST_MAX && trust_list_is(span_of(space, n)))
        return 0;
    log_error(&tlog, "this is no trust list; csctl trust list makes them", kv_str("file", path));
    return CS_ECONF;
}

struct span trust_itl(const struct trust *t)
{
    return t->itl.n ? buf_span(&t->itl) : SPAN_NULL;
}

struct span trust_ctl(const struct trust *t)
{
    return t->ctl.n ? buf_span(&t->ctl) : SPAN_NULL;
}

/* ---- files ---- */

static int key_of(const struct span *parts, size_t n, unsigned char out[KEY_LEN])
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; ok && i < n; i++)
        ok = EVP_DigestUpdate(c, &parts[i].n, sizeof(parts[i].n)) == 1 &&
             EVP_DigestUpdate(c, parts[i].p, parts[i].n) == 1;
    ok = ok && EVP_DigestFinal_ex(c, out, NULL) == 1;
    EVP_MD_CTX_free(c);
    return ok ? 0 : CS_ENOMEM;
}

static struct kept *find(struct trust *t, const unsigned char key[KEY_LEN])
{
    list_for_each (it, &t->kept) {
        struct kept *k = container_of(it, struct kept, link);
        if (memcmp(k->key, key, KEY_LEN) == 0) {
            list_remove(&k->link);
            list_push_back(&t->kept, &k->link);
            return k;
        }
    }
    return NULL;
}

static struct kept *keep(struct trust *t, const unsigned char key[KEY_LEN], struct span file)
{
    struct kept *k = malloc(sizeof(*k) + file.n);
    if (!k)
        return NULL;
    memcpy(k->key, key, KEY_LEN);
    memcpy(k->file, file.p, file.n);
    k->n = file.n;
    list_push_back(&t->kept, &k->link);
    if (++t->n_kept > KEPT_MAX) {
        t->n_kept--;
        free(container_of(list_pop(&t->kept), struct kept, link));
    }
    return k;
}

int trust_sign(struct trust *t, struct span name, struct span content, struct wall now,
               struct span *out)
{
    const struct span parts[] = { name, content };
    unsigned char key[KEY_LEN];
    char space[SIGNED_MAX];
    struct buf b = BUF_INIT(space);
    int err = key_of(parts, CS_LEN(parts), key);
    struct kept *k = err ? NULL : find(t, key);
    const struct signed_file f = {
        .kind = SIGNED_PLAIN, .name = name, .time = now, .payload = content
    };
    if (!err && !k) {
        err = signed_file_write(t->signer, &f, &b);
        k = err ? NULL : keep(t, key, buf_span(&b));
        ct_wipe(space, b.n);
    }
    *out = k ? span_of(k->file, k->n) : SPAN_NULL;
    return err ? err : k ? 0 : CS_ENOMEM;
}

void trust_forget(struct trust *t, struct span file)
{
    list_for_each (it, &t->kept) {
        struct kept *k = container_of(it, struct kept, link);
        if (k->file != file.p)
            continue;
        list_remove(&k->link);
        t->n_kept--;
        ct_wipe(k->file, k->n);
        free(k);
        return;
    }
}

static X509 *certificate_of(struct span pem)
{
    BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *x = b ? PEM_read_bio_X509(b, NULL, NULL, (void *)"") : NULL;
    BIO_free(b);
    ERR_clear_error();
    return x;
}

int trust_encrypt(struct trust *t, struct span name, struct span content, struct span certificate,
                  struct wall now, struct span *out)
{
    const struct span parts[] = { name, content, certificate };
    unsigned char key[KEY_LEN];
    char space[SIGNED_MAX];
    struct buf b = BUF_INIT(space);
    int err = key_of(parts, CS_LEN(parts), key);
    struct kept *k = err ? NULL : find(t, key);
    if (!err && !k) {
        X509 *x = certificate_of(certificate);
        err = x ? encrypted_file_write(t->signer, name, now, x, content, &b) : CS_ENOTSUP;
        k = err ? NULL : keep(t, key, buf_span(&b));
        X509_free(x);
    }
    *out = k ? span_of(k->file, k->n) : SPAN_NULL;
    return err ? err : k ? 0 : CS_ENOMEM;
}

int trust_certificate_hash(struct span certificate, struct buf *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    X509 *x = certificate_of(certificate);
    const bool ok = x && X509_digest(x, EVP_md5(), digest, &n) == 1;
    X509_free(x);
    if (ok)
        buf_hex(out, digest, n);
    return ok && buf_ok(out) ? 0 : CS_ENOTSUP;
}

/* ---- life ---- */

int trust_open(const struct trust_conf *conf, struct trust **out)
{
    const enum phone_hash hash = conf->hash == TRUST_HASH_SHA512 ? PHONE_SHA512 : PHONE_SHA1;
    struct trust *t = *out = calloc(1, sizeof(*t));
    struct span tried;
    if (!t)
        return CS_ENOMEM;
    list_init(&t->kept);
    int err = phone_signer_new(conf->certificate_file, conf->key_file, hash, &t->signer);
    if (!err)
        err = read_list(conf->itl_file, &t->itl);
    if (!err)
        err = read_list(conf->ctl_file, &t->ctl);
    if (!err) { /* a policy of the system may forbid SHA-1: it is better to know it now */
        err = trust_sign(t, SPAN("try"), SPAN("try"), (struct wall){ 0 }, &tried);
        if (err)
            log_error(&tlog, "OpenSSL signs no files for phones; where it is SHA-1 that the system "
                             "forbids, hash: sha512 is for newer phones");
    }
    if (err)
        trust_close(out);
    return err;
}

void trust_close(struct trust **tp)
{
    struct trust *t = *tp;
    *tp = NULL;
    if (!t)
        return;
    for (struct list *it; (it = list_pop(&t->kept));)
        free(container_of(it, struct kept, link));
    phone_signer_free(&t->signer);
    free(t->itl.p);
    free(t->ctl.p);
    free(t);
}
