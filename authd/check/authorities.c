#include "authd/check/authorities.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "proto/certificate.h"

enum { LOOK_S = 2, COMPLAIN_S = 3600 };

/* A key that signs certificates, and what it took back. */
struct signer_key {
    unsigned char spki[CERTIFICATE_HASH_LEN];
    X509 *ca;      /* borrowed from the authority's */
    X509_CRL *crl; /* NULL: none; the newest */
};

struct authority { /* what was read of its files */
    STACK_OF(X509) * ca;
    struct signer_key *keys;
    size_t n_keys;
    struct timespec ca_time, crl_time; /* of the files */
    struct mono complained;            /* of a list that is too old */
};

struct authorities {
    struct loop *loop;
    const struct authority_conf *conf;
    size_t n;
    struct timer timer;
    struct authority all[];
};

static const struct log lg = { .module = "certificate" };

static const char *const stale_names[] = { "warn", "refuse", NULL };
#define A struct authority_conf
static const struct conf_key keys[] = {
    CONF_STR("name", A, name, "Name in peer groups and in logs.", .required = true, .min = 1,
             .max = 64),
    CONF_PATH("ca_file", A, ca_file,
              "Its certificate, in PEM, and those of others that sign for it.", .required = true),
    CONF_PATH("crl_file", A, crl_file,
              "What it revoked: CRLs, in PEM, signed by certificates of ca_file. Read again when "
              "it changes."),
    CONF_ENUM("stale", A, stale, stale_names,
              "Past the time at which a newer CRL should be there: warn in the log, or refuse all "
              "its certificates.",
              .def = "warn"),
    { 0 },
};
const struct conf_section authority_section = { .size = sizeof(A), .keys = keys };

#define C struct certificate_conf
static const struct conf_key certificate_keys[] = {
    CONF_STRS("authorities", C, authorities,
              "Names of certificate_authorities whose certificates are taken; all of them when "
              "nothing is written.",
              .unique = true),
    CONF_STR("realm", C, realm,
             "Realm of the users that certificates name; that of digest when nothing is written.",
             .min = 1),
    { 0 },
};
const struct conf_section certificate_section = { .size = sizeof(C), .keys = certificate_keys };

/* ---- files ---- */

static void authority_clear(struct authority *a)
{
    for (size_t i = 0; i < a->n_keys; i++)
        X509_CRL_free(a->keys[i].crl);
    free(a->keys);
    sk_X509_pop_free(a->ca, X509_free);
    *a = (struct authority){ 0 };
}

/* Nobody is asked for a password. */
static int no_password(char *to, int size, int writing, void *arg)
{
    (void)to, (void)size, (void)writing, (void)arg;
    return -1;
}

static int open_file(const char *path, BIO **out, struct timespec *time)
{
    struct stat st;
    *out = NULL;
    if (stat(path, &st))
        return -errno;
    if (st.st_size > AUTHORITY_MAX_FILE)
        return CS_ELIMIT;
    *time = st.st_mtim;
    *out = BIO_new_file(path, "r");
    return *out ? 0 : errno ? -errno : CS_ENOMEM;
}

/* Whether reading ended at the end, and not at something that is damaged. */
static bool is_end(void)
{
    const unsigned long e = ERR_peek_last_error();
    ERR_clear_error();
    return ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

static int read_ca(const char *path, struct authority *a)
{
    BIO *b;
    X509 *x;
    int err = open_file(path, &b, &a->ca_time);
    a->ca = sk_X509_new_null();
    if (!err && !a->ca)
        err = CS_ENOMEM;
    while (!err && (x = PEM_read_bio_X509(b, NULL, no_password, NULL)) != NULL) {
        if (sk_X509_push(a->ca, x) == 0) {
            X509_free(x);
            err = CS_ENOMEM;
        }
    }
    if (!err && !is_end())
        err = CS_EPROTO;
    BIO_free(b);
    const size_t n = (size_t)sk_X509_num(a->ca);
    a->keys = err ? NULL : calloc(n + 1, sizeof(*a->keys));
    if (!err && !a->keys)
        err = CS_ENOMEM;
    for (; !err && a->n_keys < n; a->n_keys++) {
        struct signer_key *k = &a->keys[a->n_keys];
        k->ca = sk_X509_value(a->ca, (int)a->n_keys);
        err = certificate_spki_hash(k->ca, k->spki);
    }
    return !err && n == 0 ? CS_ENOENT : err;
}

static bool is_newer(const X509_CRL *crl, const X509_CRL *than)
{
    int days, seconds;
    return !than || (ASN1_TIME_diff(&days, &seconds, X509_CRL_get0_lastUpdate(than),
                                    X509_CRL_get0_lastUpdate(crl)) == 1 &&
                     (days > 0 || seconds > 0));
}

/* Whoever signed it; one with an extension that is critical says less or other than what it lists
 * (RFC 5280, 5.2), and none is known here. Takes the list. */
static int take_crl(struct authority *a, X509_CRL *crl)
{
    int err = X509_CRL_get_ext_by_critical(crl, 1, -1) >= 0 ? CS_ENOTSUP : CS_EDENIED;
    for (size_t i = 0; i < a->n_keys && err != CS_ENOTSUP; i++) {
        struct signer_key *k = &a->keys[i];
        if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(k->ca)) ||
            X509_CRL_verify(crl, X509_get0_pubkey(k->ca)) != 1)
            continue;
        err = 0;
        if (!is_newer(crl, k->crl))
            break;
        X509_CRL_free(k->crl);
        k->crl = crl;
        return 0;
    }
    ERR_clear_error();
    X509_CRL_free(crl);
    return err;
}

static int read_crls(const char *path, struct authority *a)
{
    BIO *b;
    X509_CRL *crl;
    size_t n = 0;
    int err = open_file(path, &b, &a->crl_time);
    for (; !err && (crl = PEM_read_bio_X509_CRL(b, NULL, no_password, NULL)) != NULL; n++)
        err = take_crl(a, crl);
    if (!err && !is_end())
        err = CS_EPROTO;
    BIO_free(b);
    return !err && n == 0 ? CS_ENOENT : err;
}

static int read_authority(const struct authority_conf *conf, struct authority *out)
{
    struct authority a = { 0 };
    const char *file = conf->ca_file;
    int err = read_ca(file, &a);
    if (!err && conf->crl_file) {
        file = conf->crl_file;
        err = read_crls(file, &a);
    }
    if (err) {
        log_error(&lg,
                  err == CS_EDENIED   ? "a revocation list is not signed by its authority"
                  : err == CS_ENOTSUP ? "a revocation list has a critical extension"
                  : err == CS_ENOENT  ? "a file has nothing in it that belongs there"
                                      : "a file of an authority cannot be used",
                  kv_s("authority", conf->name), kv_str("file", file), kv_err(err));
        authority_clear(&a);
        return err;
    }
    authority_clear(out);
    *out = a;
    return 0;
}

static bool differs(const char *path, const struct timespec *time)
{
    struct stat st;
    return path && (stat(path, &st) || st.st_mtim.tv_sec != time->tv_sec ||
                    st.st_mtim.tv_nsec != time->tv_nsec);
}

/* A file that could not be used is not tried again until it is another one. */
static void look(struct authorities *all, bool again)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct authority_conf *conf = &all->conf[i];
        struct authority *a = &all->all[i];
        struct stat st;
        if (!again && !differs(conf->ca_file, &a->ca_time) &&
            !differs(conf->crl_file, &a->crl_time))
            continue;
        if (read_authority(conf, a) == 0) {
            log_info(&lg, "the files of an authority were read again",
                     kv_s("authority", conf->name));
            continue;
        }
        if (stat(conf->ca_file, &st) == 0)
            a->ca_time = st.st_mtim;
        if (conf->crl_file && stat(conf->crl_file, &st) == 0)
            a->crl_time = st.st_mtim;
    }
}

static void on_timer(struct timer *t)
{
    struct authorities *a = container_of(t, struct authorities, timer);
    look(a, false);
    timer_start(a->loop, t, DURATION_S(LOOK_S));
}

/* ---- answers ---- */

static ASN1_INTEGER *serial_of(struct span hex)
{
    char text[64];
    BIGNUM *n = NULL;
    span_copy(text, sizeof(text), hex);
    ASN1_INTEGER *serial = hex.p && hex.n < sizeof(text) && (size_t)BN_hex2bn(&n, text) == hex.n
                               ? BN_to_ASN1_INTEGER(n, NULL)
                               : NULL;
    BN_free(n);
    return serial;
}

static bool is_past(const X509_CRL *crl, struct wall now)
{
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
    return next && ASN1_TIME_cmp_time_t(next, (time_t)(now.ms / 1000)) < 0;
}

static enum authority_answer ask(struct authorities *all, size_t i, const struct signer_key *k,
                                 const struct cert_facts *c)
{
    struct authority *a = &all->all[i];
    X509_REVOKED *entry;
    if (!k->crl)
        return AUTHORITY_GOOD;
    ASN1_INTEGER *serial = serial_of(c->serial);
    /* What has no number cannot be looked for. 2: it was taken off the list again. */
    const bool revoked = !serial || X509_CRL_get0_by_serial(k->crl, &entry, serial) == 1;
    ASN1_INTEGER_free(serial);
    ERR_clear_error();
    if (revoked)
        return AUTHORITY_REVOKED;
    if (!is_past(k->crl, loop_wall(all->loop)))
        return AUTHORITY_GOOD;
    const struct mono now = loop_now(all->loop);
    if (!a->complained.ns || mono_since(a->complained, now).ms >= COMPLAIN_S * 1000) {
        log_warn(&lg, "a revocation list is too old: a newer one should be there",
                 kv_s("authority", all->conf[i].name), kv_str("file", all->conf[i].crl_file),
                 kv_str("stale", stale_names[all->conf[i].stale]));
        a->complained = now;
    }
    return all->conf[i].stale == STALE_REFUSE ? AUTHORITY_STALE : AUTHORITY_GOOD;
}

static bool is_among(struct span name, const struct span *only, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq(name, only[i]))
            return true;
    }
    return n == 0;
}

enum authority_answer authorities_ask(struct authorities *all, const struct cert_facts *c,
                                      const struct span *only, size_t n)
{
    enum authority_answer answer = AUTHORITY_UNKNOWN;
    for (size_t i = 0; i < all->n && c->issuer_spki.p; i++) {
        const struct authority *a = &all->all[i];
        for (size_t k = 0; k < a->n_keys && is_among(all->conf[i].name, only, n); k++) {
            if (!span_eq(span_of(a->keys[k].spki, CERTIFICATE_HASH_LEN), c->issuer_spki))
                continue;
            answer = ask(all, i, &a->keys[k], c);
            if (answer != AUTHORITY_GOOD)
                return answer;
        }
    }
    return answer;
}

STACK_OF(X509) * authorities_trusted(const struct authorities *a, struct span name)
{
    for (size_t i = 0; i < a->n; i++) {
        if (span_eq(a->conf[i].name, name))
            return a->all[i].ca;
    }
    return NULL;
}

/* ---- life ---- */

int authorities_new(struct loop *l, const struct authority_conf *conf, size_t n,
                    struct authorities **out)
{
    struct authorities *a = calloc(1, sizeof(*a) + n * sizeof(a->all[0]));
    *out = a;
    if (!a)
        return CS_ENOMEM;
    a->loop = l;
    a->conf = conf;
    a->n = n;
    timer_init(&a->timer, on_timer);
    int err = 0;
    for (size_t i = 0; !err && i < n; i++)
        err = read_authority(&conf[i], &a->all[i]);
    if (err)
        authorities_free(out);
    else
        timer_start(l, &a->timer, DURATION_S(LOOK_S));
    return err;
}

void authorities_free(struct authorities **ap)
{
    struct authorities *a = *ap;
    *ap = NULL;
    if (!a)
        return;
    timer_stop(a->loop, &a->timer);
    for (size_t i = 0; i < a->n; i++)
        authority_clear(&a->all[i]);
    free(a);
}

void authorities_reload(struct authorities *a)
{
    look(a, true);
}
