/* The authority's directory: each file is written whole, beside the old one, and takes its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca.h"

static const char *in_dir(const char *dir, const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", dir, name);
    return path;
}

/* ---- writing ---- */

int ca_write(const char *path, bool secret, ca_write_fn *fn, const void *what)
{
    char beside[PATH_MAX];
    if (snprintf(beside, sizeof(beside), "%s.new", path) >= (int)sizeof(beside))
        return CS_ELIMIT;
    int fd =
        open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, secret ? 0600 : 0644);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    int err = f ? fn(f, what) : -errno;
    if (f && !err && (fflush(f) || fsync(fd)))
        err = -errno;
    if (f && fclose(f) && !err)
        err = -errno;
    if (!err && rename(beside, path))
        err = -errno;
    if (err) {
        complain("%s cannot be written: %s", path, cs_strerror(err));
        unlink(beside);
    }
    return err;
}

int ca_write_certificate(FILE *f, const void *x509)
{
    return PEM_write_X509(f, (X509 *)x509) ? 0 : CS_EPROTO;
}

int ca_write_key(FILE *f, const void *pkey)
{
    return PEM_write_PrivateKey(f, (EVP_PKEY *)pkey, NULL, NULL, 0, NULL, NULL) ? 0 : CS_EPROTO;
}

static int write_crl(FILE *f, const void *crl)
{
    return PEM_write_X509_CRL(f, (X509_CRL *)crl) ? 0 : CS_EPROTO;
}

static int write_index(FILE *f, const void *index)
{
    const json_t *entry;
    size_t i;
    json_array_foreach((const json_t *)index, i, entry)
    {
        if (json_dumpf(entry, f, JSON_COMPACT) || fputc('\n', f) == EOF)
            return -EIO;
    }
    return 0;
}

int ca_keep(const struct ca *ca)
{
    char path[PATH_MAX];
    return ca_write(in_dir(ca->dir, "index", path), true, write_index, ca->index);
}

int ca_write_crl(const struct ca *ca, unsigned days)
{
    char path[PATH_MAX];
    X509_CRL *crl = ca_crl(ca, days);
    if (!crl)
        complain("OpenSSL makes no revocation list");
    int err = crl ? ca_write(in_dir(ca->dir, "crl.pem", path), false, write_crl, crl) : CS_ENOMEM;
    X509_CRL_free(crl);
    return err;
}

/* ---- reading ---- */

static FILE *open_file(const struct ca *ca, const char *name)
{
    char path[PATH_MAX];
    FILE *f = fopen(in_dir(ca->dir, name, path), "re");
    if (!f)
        complain("%s: %s; csctl ca init makes an authority", path, strerror(errno));
    return f;
}

static bool is_entry(const json_t *e)
{
    const char *serial = json_string_value(json_object_get(e, "serial"));
    const json_t *revoked = json_object_get(e, "revoked");
    return serial && *serial && strspn(serial, "0123456789ABCDEF") == strlen(serial) &&
           json_is_array(json_object_get(e, "names")) &&
           json_is_integer(json_object_get(e, "until")) && (!revoked || json_is_integer(revoked));
}

static int read_index(struct ca *ca)
{
    FILE *f = open_file(ca, "index");
    char *line = NULL;
    size_t cap = 0;
    unsigned n = 0;
    int err = f ? 0 : CS_ENOENT;
    ca->index = json_array();
    while (!err && getline(&line, &cap, f) > 0) {
        json_t *entry = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        n++;
        if (!is_entry(entry)) {
            complain("%s/index, line %u is not of an authority's index; nothing was changed",
                     ca->dir, n);
            json_decref(entry);
            err = CS_EPROTO;
        } else if (json_array_append_new(ca->index, entry)) {
            err = CS_ENOMEM;
        }
    }
    free(line);
    if (f)
        fclose(f);
    return err;
}

static int read_pair(struct ca *ca)
{
    FILE *key = open_file(ca, "ca.key");
    FILE *certificate = key ? open_file(ca, "ca.crt") : NULL;
    if (certificate) {
        ca->key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
        ca->certificate = PEM_read_X509(certificate, NULL, NULL, NULL);
        fclose(certificate);
    }
    if (key)
        fclose(key);
    if (ca->key && ca->certificate && X509_check_private_key(ca->certificate, ca->key) == 1)
        return 0;
    if (certificate)
        complain("%s/ca.key and ca.crt are no pair of key and certificate", ca->dir);
    return CS_EPROTO;
}

/* One command at a time: the directory itself is locked. */
static int lock(struct ca *ca)
{
    ca->lock = open(ca->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ca->lock >= 0 && flock(ca->lock, LOCK_EX) == 0)
        return 0;
    complain("%s: %s", ca->dir, strerror(errno));
    return CS_ENOENT;
}

int ca_open(const char *dir, struct ca *out)
{
    *out = (struct ca){ .dir = dir, .lock = -1 };
    int err = lock(out);
    if (!err)
        err = read_pair(out);
    if (!err)
        err = read_index(out);
    if (err)
        ca_close(out);
    return err;
}

void ca_close(struct ca *ca)
{
    EVP_PKEY_free(ca->key);
    X509_free(ca->certificate);
    json_decref(ca->index);
    if (ca->lock >= 0)
        close(ca->lock);
    *ca = (struct ca){ .lock = -1 };
}

/* ---- making ---- */

int ca_make(const char *dir, const char *name, unsigned days)
{
    char path[PATH_MAX];
    struct ca ca = { .dir = dir, .lock = -1, .index = json_array() };
    if (mkdir(dir, 0755) && errno != EEXIST) {
        complain("%s: %s", dir, strerror(errno));
        ca_close(&ca);
        return CS_ENOENT;
    }
    int err = lock(&ca);
    if (!err && access(in_dir(dir, "ca.key", path), F_OK) == 0) {
        complain("%s is there already; an authority is never overwritten", path);
        err = CS_ECONFLICT;
    }
    if (!err) {
        ca.key = ca_new_key();
        ca.certificate = ca.key ? ca_certify(NULL, ca.key, ca.key, &name, 1, days) : NULL;
        if (!ca.certificate) {
            complain("OpenSSL makes no certificate of that name");
            err = CS_EPROTO;
        }
    }
    if (!err)
        err = ca_keep(&ca);
    if (!err)
        err = ca_write(in_dir(dir, "ca.crt", path), false, ca_write_certificate, ca.certificate);
    if (!err) /* last: it says that all is there */
        err = ca_write(in_dir(dir, "ca.key", path), true, ca_write_key, ca.key);
    if (!err)
        err = ca_write_crl(&ca, CA_CRL_DAYS);
    ca_close(&ca);
    return err;
}
