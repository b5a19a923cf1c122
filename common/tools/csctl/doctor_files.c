/* The files of an installation: there, and for whom. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ct.h"
#include "base/process.h"
#include "doctor.h"
#include "http/bearer.h"

#define MAKE_KEYS \
    "Make them: authd --make-keys FOLDER; every authd of an installation has the same."

struct keeper { /* the daemon whose file it is */
    const char *name;
    struct span user; /* absent: whoever starts it */
    enum file file;   /* its configuration */
};

static unsigned bad(const struct doctor *d)
{
    return d->count[LEVEL_WARNING] + d->count[LEVEL_FAULT];
}

static bool is_keepers(uid_t owner, const struct keeper *k)
{
    uid_t uid;
    gid_t gid;
    if (!k->user.p) /* root cannot know who starts it */
        return owner == 0 || owner == geteuid() || geteuid() == 0;
    return owner == 0 || (process_user(k->user, &uid, &gid) == 0 && owner == uid);
}

static void check_folder(struct doctor *d, const char *path, const struct keeper *k,
                         const char *key)
{
    char copy[PATH_MAX];
    struct stat st;
    span_copy(copy, sizeof(copy), span_str(path));
    if (stat(dirname(copy), &st) == 0 && (st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX)) {
        finding_about(d, k->file, "%s", key);
        finding(d, LEVEL_FAULT, "files.folder", "chmod o-w its folder.",
                "every user of this machine may put another file in the place of %s", path);
    }
}

/* A file with a secret: what the daemon refuses to read, and what nobody should have. */
static void check_secret(struct doctor *d, const char *path, const struct keeper *k,
                         const char *key, const char *making)
{
    struct stat st;
    unsigned before = bad(d);
    if (!path)
        return;
    finding_about(d, k->file, "%s", key);
    if (stat(path, &st)) {
        finding(d, LEVEL_FAULT, "files.missing", making, "%s: %s", path, strerror(errno));
        return;
    }
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        finding(d, LEVEL_FAULT, "files.missing", making, "%s holds nothing", path);
    finding_about(d, k->file, "%s", key);
    if (st.st_mode & S_IRWXO)
        finding(d, LEVEL_FAULT, "files.mode", "chmod 600 it, and make another: this one was open.",
                "%s has mode %03o: every user of this machine may read it, and %s refuses it", path,
                (unsigned)(st.st_mode & 0777), k->name);
    finding_about(d, k->file, "%s", key);
    if (!is_keepers(st.st_uid, k))
        finding(d, LEVEL_WARNING, "files.owner", "chown it to the daemon's user, or to root.",
                "%s belongs to uid %u, which is neither root nor %s's user", path,
                (unsigned)st.st_uid, k->name);
    check_folder(d, path, k, key);
    if (bad(d) == before)
        finding(d, LEVEL_FINE, "files", NULL, "%s is for %s alone", path, k->name);
    finding_about(d, FILE_NONE, "%s", key);
}

/* The first certificate of a PEM file: good from when, until when. */
static void check_certificate(struct doctor *d, const char *path, const struct keeper *k,
                              const char *key)
{
    enum { SOON_DAYS = 14 };
    const char *const renew = "Renew it, and restart what reads it.";
    int days = 0, seconds = 0;
    FILE *f = path ? fopen(path, "re") : NULL;
    X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
    if (f)
        fclose(f);
    if (!path)
        return;
    finding_about(d, k->file, "%s", key);
    if (!x || !ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x)))
        finding(d, LEVEL_FAULT, "certificates.unreadable", "Write it as PEM.",
                "%s holds no certificate that can be read", path);
    else if (days < 0 || seconds < 0)
        finding(d, LEVEL_FAULT, "certificates.expired", renew, "%s has expired", path);
    else if (X509_cmp_current_time(X509_get0_notBefore(x)) > 0)
        finding(d, LEVEL_FAULT, "certificates.early", "Look at this machine's clock.",
                "%s is not valid yet", path);
    else if (days < SOON_DAYS)
        finding(d, LEVEL_WARNING, "certificates.soon", renew, "%s expires in %d days", path, days);
    else
        finding(d, LEVEL_FINE, "certificates", NULL, "%s is good for %d days", path, days);
    X509_free(x);
}

static void check_redis_files(struct doctor *d, const struct redis_settings *r,
                              const struct keeper *k)
{
    static const char making[] = "Write the password of this user of Redis into it.";
    check_secret(d, r->password_file, k, "redis.password_file", making);
    if (r->sentinel)
        check_secret(d, r->sentinel->password_file, k, "redis.sentinel.password_file", making);
    if (!r->tls)
        return;
    check_secret(d, r->tls->key_file, k, "redis.tls.key_file",
                 "Make it anew, with its certificate.");
    check_certificate(d, r->tls->certificate_file, k, "redis.tls.certificate_file");
    check_certificate(d, r->tls->ca_file, k, "redis.tls.ca_file");
}

/* Tokens of operators, and the certificate they know authd by. */
static void check_tokens(struct doctor *d, const struct keeper *k)
{
    const __typeof__(d->authd->http) *h = &d->authd->http;
    char reason[128];
    struct buf why = BUF_INIT(reason);
    struct secret text = { 0 };
    struct bearers table = { 0 };
    unsigned line = 0;
    check_secret(d, h->admin_token_file, k, "http.admin_token_file", MAKE_KEYS);
    check_secret(d, h->tokens_file, k, "http.tokens_file",
                 "Write into it what csctl token make prints.");
    if (h->admin_token_file && secret_read_file(&text, h->admin_token_file) == 0 &&
        bearers_add(&table, SPAN("admin"), HTTP_ADMINISTER, secret_span(&text), &why)) {
        finding_about(d, k->file, "http.admin_token_file");
        finding(d, LEVEL_FAULT, "files.tokens", "Make another with authd --make-keys.",
                "%s: " SPAN_FMT, h->admin_token_file, SPAN_ARG(buf_span(&why)));
    }
    if (h->tokens_file && secret_read_file(&text, h->tokens_file) == 0 &&
        bearers_parse(&table, secret_span(&text), &why, &line)) {
        finding_about(d, k->file, "http.tokens_file");
        finding(d, LEVEL_FAULT, "files.tokens", "Repair that line; csctl token make makes one.",
                "%s:%u: " SPAN_FMT, h->tokens_file, line, SPAN_ARG(buf_span(&why)));
    }
    bearers_fini(&table);
    secret_fini(&text);
    if (!h->tls)
        return;
    check_secret(d, h->tls->key_file, k, "http.tls.key_file", "Make it, with its certificate.");
    check_certificate(d, h->tls->certificate_file, k, "http.tls.certificate_file");
    check_certificate(d, h->tls->client_ca_file, k, "http.tls.client_ca_file");
}

/* What authd shows to token issuers, and knows them by. */
static void check_issuers(struct doctor *d, const struct keeper *k)
{
    char key[64];
    for (size_t i = 0; i < d->authd->n_token_issuers; i++) {
        const struct issuer_conf *issuer = &d->authd->token_issuers[i];
        snprintf(key, sizeof(key), "token_issuers[%zu].introspection", i);
        check_secret(d, issuer->introspection.client_secret_file, k, key,
                     "Write the client secret that the issuer gave into it.");
        snprintf(key, sizeof(key), "token_issuers[%zu].ca_file", i);
        check_certificate(d, issuer->ca_file, k, key);
    }
}

/* The same of backends. */
static void check_backends(struct doctor *d, const struct keeper *k)
{
    char key[64];
    for (size_t i = 0; i < d->authd->n_backends; i++) {
        const struct backend_conf *b = &d->authd->backends[i];
        snprintf(key, sizeof(key), "backends[%zu].secret_file", i);
        check_secret(d, b->secret_file, k, key, "Write the secret that the service wants into it.");
        snprintf(key, sizeof(key), "backends[%zu].key_file", i);
        check_secret(d, b->key_file, k, key, "Put the key of certificate_file there.");
        snprintf(key, sizeof(key), "backends[%zu].certificate_file", i);
        check_certificate(d, b->certificate_file, k, key);
        snprintf(key, sizeof(key), "backends[%zu].ca_file", i);
        check_certificate(d, b->ca_file, k, key);
    }
}

/* Made by the registrar itself, so that a missing one is none to worry about. */
static void check_flow_key(struct doctor *d, const struct keeper *k)
{
    const char *path = d->registrar->flow_key_file;
    if (!path)
        finding(d, LEVEL_WARNING, "files.flow_key",
                "Set flow_key_file to a file in a folder that the registrar may write.",
                "without flow_key_file phones on UDP cannot be called after a restart of the "
                "registrar, until they register again");
    else if (access(path, F_OK) && errno == ENOENT)
        finding(d, LEVEL_NOTE, "files.flow_key", "Start the registrar once.",
                "%s is not there yet; the registrar makes it", path);
    else
        check_secret(d, path, k, "flow_key_file", "Remove it: the registrar makes another.");
}

/* By which registrars and b2buas meet: a folder of their own, which their group shares where they
 * are not of one user, and certificates of their own. */
static void check_link(struct doctor *d, const struct keeper *k)
{
    const struct link_settings *l = &d->registrar->link;
    struct stat st;
    if (l->directory && stat(l->directory, &st))
        finding(d, LEVEL_FAULT, "files.link", "Make it, owned by the registrar's user, mode 700.",
                "link.directory: %s: %s", l->directory, cs_strerror(-errno));
    else if (l->directory && (!S_ISDIR(st.st_mode) || st.st_mode & (l->n_users ? 002 : 022)))
        finding(d, LEVEL_FAULT, "files.link", "chmod 700, or name a folder.",
                "others may put a socket of their own into %s, where a registrar is looked for",
                l->directory);
    else if (l->directory)
        finding(d, LEVEL_FINE, "files.link", NULL, "%s is there for the registrars", l->directory);
    if (l->listen.sa.sa_family == AF_UNSPEC)
        return;
    check_secret(d, l->tls.key_file, k, "link.key_file", "Make it anew, with its certificate.");
    check_certificate(d, l->tls.certificate_file, k, "link.certificate_file");
    check_certificate(d, l->tls.ca_file, k, "link.ca_file");
}

/* What listeners show to phones, and whom they believe. */
static void check_listeners(struct doctor *d, const struct keeper *k)
{
    static const char making[] = "Make it anew, with its certificate.";
    const struct tls_client_conf *client = &d->registrar->tls.client;
    char key[80];
    for (size_t i = 0; i < d->registrar->n_listeners; i++) {
        const struct listener_tls_conf *t = d->registrar->listeners[i].tls;
        for (size_t c = 0; t && c < t->n_certificates; c++) {
            int n = snprintf(key, sizeof(key), "listeners[%zu].tls.certificates[%zu].", i, c);
            snprintf(key + n, sizeof(key) - (size_t)n, "key_file");
            check_secret(d, t->certificates[c].key_file, k, key, making);
            snprintf(key + n, sizeof(key) - (size_t)n, "certificate_file");
            check_certificate(d, t->certificates[c].certificate_file, k, key);
        }
        snprintf(key, sizeof(key), "listeners[%zu].tls.ca_file", i);
        check_certificate(d, t ? t->ca_file : NULL, k, key);
    }
    check_secret(d, client->key_file, k, "tls.key_file", making);
    check_certificate(d, client->certificate_file, k, "tls.certificate_file");
    check_certificate(d, client->ca_file, k, "tls.ca_file");
    check_certificate(d, d->registrar->ca.file, k, "ca.file");
}

/* Each daemon becomes a user of its own, so that what one reads is not the other's. */
static void check_users(struct doctor *d)
{
    uid_t a, r;
    gid_t gid;
    if (!d->registrar || !d->authd || !d->registrar->user.p || !d->authd->user.p)
        return; /* whoever starts them has decided; doctor_processes() looks at whom */
    if (process_user(d->registrar->user, &r, &gid) || process_user(d->authd->user, &a, &gid))
        return; /* said with the configuration */
    if (a == 0 || r == 0)
        finding(d, LEVEL_FAULT, "users", "Set user to one that exists for this daemon alone.",
                "%s stays root", a == 0 ? "authd" : "the registrar");
    else if (a == r)
        finding(d, LEVEL_FAULT, "users", "Give each a user of its own.",
                "registrar and authd both become uid %u: who takes over the registrar reads "
                "authd's keys",
                (unsigned)a);
    else
        finding(d, LEVEL_FINE, "users", NULL, "registrar and authd have users of their own");
}

/* Public, but without it authd does not start. */
static void check_countries(struct doctor *d, const struct keeper *k)
{
    struct stat st;
    const char *path = d->authd->geo.database;
    if (!path || (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0))
        return;
    finding_about(d, k->file, "geo.database");
    finding(d, LEVEL_FAULT, "files.missing", "Fetch a database of countries, and put it there.",
            "%s is no file with something in it", path);
}

void doctor_files(struct doctor *d)
{
    if (d->authd) {
        const struct keeper k = { "authd", d->authd->user, FILE_AUTHD };
        check_secret(d, d->authd->nonce_key_file, &k, "nonce_key_file", MAKE_KEYS);
        check_secret(d, d->authd->seal_key_file, &k, "seal_key_file", MAKE_KEYS);
        check_secret(d, d->authd->trunk_key_file, &k, "trunk_key_file", MAKE_KEYS);
        check_tokens(d, &k);
        check_issuers(d, &k);
        check_backends(d, &k);
        check_countries(d, &k);
        check_redis_files(d, &d->authd->redis, &k);
    }
    if (d->registrar) {
        const struct keeper k = { "registrar", d->registrar->user, FILE_REGISTRAR };
        check_flow_key(d, &k);
        check_link(d, &k);
        check_listeners(d, &k);
        check_redis_files(d, &d->registrar->redis, &k);
    }
    check_users(d);
}
