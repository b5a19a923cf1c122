#include "registrar/authority.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "http/httpd.h"
#include "net/watch.h"

enum { SETTLE_MS = 200, DEADLINE_MS = 10 * 1000, PEM_MAX = 256 * 1024 };

struct authority {
    const char *file;
    char *pem;
    size_t n;
    char sha256[AUTHORITY_SHA256];
    struct httpd *httpd;
    struct watch *watch;
};

static const struct log lg = { .module = "authority" };

/* ---- reading ---- */

static int fingerprint(const X509 *x, char out[AUTHORITY_SHA256])
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n;
    if (!X509_digest(x, EVP_sha256(), md, &n))
        return CS_ENOMEM;
    for (unsigned i = 0; i < n; i++)
        snprintf(out + (size_t)3 * i, 4, i + 1 < n ? "%02X:" : "%02X", md[i]);
    return 0;
}

/* What is served is written anew from what was understood: a key in the file stays there. */
static const char *copy_certificates(BIO *in, BIO *out, char sha256[AUTHORITY_SHA256])
{
    size_t n = 0;
    const char *wrong = NULL;
    for (X509 *x; !wrong && (x = PEM_read_bio_X509(in, NULL, NULL, NULL)); n++) {
        if (!X509_check_ca(x))
            wrong = "one of its certificates is no authority's";
        else if (PEM_write_bio_X509(out, x) != 1 || (!n && fingerprint(x, sha256)))
            wrong = "there is no memory for it";
        X509_free(x);
    }
    bool whole = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE; /* to its end */
    ERR_clear_error();
    return wrong ? wrong : n && whole ? NULL : "it holds no certificates in PEM";
}

static int read_file(struct authority *a)
{
    char sha256[AUTHORITY_SHA256];
    BIO *in = BIO_new_file(a->file, "r"), *out = BIO_new(BIO_s_mem());
    char *pem;
    const char *wrong = !in    ? "it cannot be read"
                        : !out ? "there is no memory for it"
                               : copy_certificates(in, out, sha256);
    long n = wrong ? 0 : BIO_get_mem_data(out, &pem);
    char *copy = n > 0 && n <= PEM_MAX ? malloc((size_t)n) : NULL;
    if (!wrong && !copy)
        wrong = "it is too large";
    if (wrong) {
        log_error(&lg, "the authority cannot be served", kv_str("file", a->file),
                  kv_str("why", wrong));
    } else {
        memcpy(copy, pem, (size_t)n);
        free(a->pem);
        a->pem = copy;
        a->n = (size_t)n;
        memcpy(a->sha256, sha256, sizeof(a->sha256));
    }
    ERR_clear_error();
    BIO_free(in);
    BIO_free(out);
    return wrong ? CS_ECONF : 0;
}

void authority_reload(struct authority *a)
{
    if (read_file(a) == 0)
        log_info(&lg, "the authority was read again", kv_str("sha256", a->sha256));
}

static void on_change(void *arg)
{
    authority_reload(arg);
}

/* ---- serving ---- */

static void get_ca(struct http_req *r, void *arg)
{
    const struct authority *a = arg;
    http_reply_text(r, 200, "application/x-x509-ca-cert", span_of(a->pem, a->n));
}

int authority_open(struct loop *l, const struct registrar_conf *conf, struct authority **out)
{
    static const struct http_route routes[] = {
        { "GET", "/ca.crt", get_ca, HTTP_PUBLIC },
        { NULL },
    };
    const struct httpd_conf hc = { .listen = conf->ca.listen,
                                   .in_the_clear = true,
                                   .max_body = 1,
                                   .deadline = DURATION_MS(DEADLINE_MS) };
    struct authority *a = calloc(1, sizeof(*a));
    *out = a;
    if (!a)
        return CS_ENOMEM;
    a->file = conf->ca.file;
    int err = read_file(a);
    if (!err)
        err = watch_open(l, &a->file, 1, DURATION_MS(SETTLE_MS), on_change, a, &a->watch);
    if (!err)
        err = httpd_open(l, &hc, routes, a, &a->httpd);
    if (err) {
        log_error(&lg, "the authority is not served", kv_addr("address", &conf->ca.listen),
                  kv_err(err));
        authority_close(out);
    }
    return err;
}

const struct addr *authority_local(const struct authority *a)
{
    return httpd_local(a->httpd);
}

const char *authority_sha256(const struct authority *a)
{
    return a->sha256;
}

void authority_close(struct authority **pa)
{
    struct authority *a = *pa;
    *pa = NULL;
    if (!a)
        return;
    httpd_close(&a->httpd);
    watch_close(&a->watch);
    free(a->pem);
    free(a);
}
