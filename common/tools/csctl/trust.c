/* `csctl trust`: the keys that desk phones believe, and the lists that say so. Two may sign lists,
 * so that the loss of one is no walk to each phone; neither has a place at a daemon. It asks authd
 * nothing. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "b2bua/provisioning/trust_list.h"
#include "ca.h"

enum {
    BITS = 2048 /* phones take no more */,
    SERVERS_MAX = TRUST_RECORDS_MAX - 3,
    SERIAL_BITS = 63
};

struct trust_options {
    const char *organization, *unit, *signer, *servers[SERVERS_MAX];
    enum trust_role roles[SERVERS_MAX]; /* of servers */
    size_t n_servers;
    unsigned days;
    enum phone_hash hash;
};

static void add_server(struct trust_options *o, enum trust_role role, const char *path)
{
    o->roles[o->n_servers] = role;
    o->servers[o->n_servers++] = path;
}

static int take_options(struct ctl *c, int argc, char **argv, const char *allowed,
                        struct trust_options *o)
{
    static const struct option options[] = { { "organization", required_argument, NULL, 'o' },
                                             { "unit", required_argument, NULL, 'u' },
                                             { "days", required_argument, NULL, 'd' },
                                             { "server", required_argument, NULL, 's' },
                                             { "signer", required_argument, NULL, 'k' },
                                             { "hash", required_argument, NULL, 'h' },
                                             { "https", required_argument, NULL, 't' },
                                             { NULL, 0, NULL, 0 } };
    uint64_t days;
    optind = 0;
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (got == '?' || !strchr(allowed, got))
            return bad_usage(c, "%s is not an option here, or wants a value", argv[optind - 1]);
        if (got == 'o')
            o->organization = optarg;
        else if (got == 'u')
            o->unit = optarg;
        else if (got == 'k')
            o->signer = optarg;
        else if (got == 'h' && (!strcmp(optarg, "sha1") || !strcmp(optarg, "sha512")))
            o->hash = optarg[3] == '1' ? PHONE_SHA1 : PHONE_SHA512;
        else if (got == 'h')
            return bad_usage(c, "--hash is sha1 or sha512");
        else if ((got == 's' || got == 't') && o->n_servers == SERVERS_MAX)
            return bad_usage(c, "there may be up to %d servers", SERVERS_MAX);
        else if (got == 's' || got == 't')
            add_server(o, got == 's' ? TRUST_CCM : TRUST_TFTP, optarg);
        else if (span_u64(span_str(optarg), 20 * 366, &days) || days == 0)
            return bad_usage(c, "\"%s\" is no number of days from 1 to %d", optarg, 20 * 366);
        else
            o->days = (unsigned)days;
    }
    return argc - optind == 1 ? EXIT_OK : bad_usage(c, "say the directory they are in");
}

/* ---- keys ---- */

static bool add_name(X509_NAME *n, int nid, const char *text)
{
    return X509_NAME_add_entry_by_NID(n, nid, MBSTRING_UTF8, (const unsigned char *)text, -1, -1,
                                      0);
}

/* Phones want all three names. */
static X509 *certify(EVP_PKEY *key, const char *name, const struct trust_options *o)
{
    X509 *x = X509_new();
    X509_NAME *subject = x ? X509_get_subject_name(x) : NULL;
    BIGNUM *serial = BN_new();
    bool ok = subject && serial &&
              BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
              BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x)) &&
              X509_set_version(x, X509_VERSION_3) && add_name(subject, NID_commonName, name) &&
              add_name(subject, NID_organizationName, o->organization) &&
              add_name(subject, NID_organizationalUnitName, o->unit) &&
              X509_set_issuer_name(x, subject) && X509_gmtime_adj(X509_getm_notBefore(x), -300) &&
              X509_time_adj_ex(X509_getm_notAfter(x), (int)o->days, 0, NULL) &&
              X509_set_pubkey(x, key) && X509_sign(x, key, EVP_sha256());
    BN_free(serial);
    if (ok)
        return x;
    X509_free(x);
    return NULL;
}

static const char *const names[] = { "sast-1", "sast-2", "tftp" };

static int make(const char *dir, const char *name, const struct trust_options *o)
{
    char crt[PATH_MAX], key_path[PATH_MAX];
    snprintf(crt, sizeof(crt), "%s/%s.crt", dir, name);
    snprintf(key_path, sizeof(key_path), "%s/%s.key", dir, name);
    if (access(crt, F_OK) == 0 || access(key_path, F_OK) == 0) {
        complain("%s is there already; phones would not believe another", crt);
        return CS_ECONFLICT;
    }
    EVP_PKEY *key = EVP_RSA_gen(BITS);
    X509 *x = key ? certify(key, name, o) : NULL;
    int err = x ? ca_write(key_path, true, ca_write_key, key) : CS_EPROTO;
    if (!x)
        complain("OpenSSL makes no certificate of these names");
    if (!err)
        err = ca_write(crt, false, ca_write_certificate, x);
    X509_free(x);
    EVP_PKEY_free(key);
    return err;
}

int trust_init(struct ctl *c, int argc, char **argv)
{
    struct trust_options o = { .organization = "Countersign", .unit = "Phones", .days = 10 * 365 };
    int err = take_options(c, argc, argv, "oud", &o);
    if (err)
        return err;
    const char *dir = argv[optind];
    if (mkdir(dir, 0700) && errno != EEXIST) {
        complain("%s: %s", dir, strerror(errno));
        return EXIT_REFUSED;
    }
    for (size_t i = 0; !err && i < CS_LEN(names); i++)
        err = make(dir, names[i], &o);
    if (err)
        return EXIT_REFUSED;
    printf(
        "%s/tftp.crt and tftp.key are for b2bua. sast-1.key and sast-2.key sign lists: keep them "
        "from it,\nand the second one elsewhere; without either each phone's list has to be "
        "erased by hand.\n",
        dir);
    return EXIT_OK;
}

/* ---- lists ---- */

static X509 *read_certificate(const char *path)
{
    FILE *f = fopen(path, "re");
    X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
    if (!x)
        complain("%s: %s", path, f ? "this is no certificate in PEM" : strerror(errno));
    if (f)
        fclose(f);
    return x;
}

/* Phones take no other for HTTPS. */
static bool is_fit(const X509 *x, enum trust_role role, const char *path)
{
    if (role != TRUST_TFTP || EVP_PKEY_get_base_id(X509_get0_pubkey(x)) == EVP_PKEY_EC)
        return true;
    complain("%s: the key of --https must be of an elliptic curve", path);
    return false;
}

static int write_bytes(FILE *f, const void *bytes)
{
    const struct span *s = bytes;
    return fwrite(s->p, 1, s->n, f) == s->n ? 0 : -EIO;
}

static int write_list(const char *dir, const char *name, const struct phone_signer *s,
                      const struct trust_record *records, size_t n)
{
    char path[PATH_MAX], *space = malloc(TRUST_LIST_MAX);
    struct buf b = buf_of(space, space ? TRUST_LIST_MAX : 0);
    const struct wall now = { (int64_t)time(NULL) * 1000 };
    int err = trust_list_write(s, span_str(name), now, records, n, &b);
    const struct span bytes = buf_span(&b);
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (err)
        complain("%s cannot be made: %s", path,
                 err == CS_ECONF ? "its signer is none of sast-1 and sast-2" : cs_strerror(err));
    else
        err = ca_write(path, false, write_bytes, &bytes);
    if (!err)
        printf("%s, %zu records\n", path, n);
    free(space);
    return err;
}

static int read_records(const char *dir, const struct trust_options *o,
                        struct trust_record records[TRUST_RECORDS_MAX], size_t *n)
{
    static const enum trust_role roles[] = { TRUST_SAST, TRUST_SAST, TRUST_CCM_TFTP };
    for (*n = 0; *n < CS_LEN(names) + o->n_servers; ++*n) {
        char path[PATH_MAX];
        const bool ours = *n < CS_LEN(names);
        if (ours)
            snprintf(path, sizeof(path), "%s/%s.crt", dir, names[*n]);
        const char *from = ours ? path : o->servers[*n - CS_LEN(names)];
        const enum trust_role role = ours ? roles[*n] : o->roles[*n - CS_LEN(names)];
        X509 *x = read_certificate(from);
        if (!x || !is_fit(x, role, from)) {
            X509_free(x);
            return CS_ENOENT;
        }
        records[*n] = (struct trust_record){ role, x };
    }
    return 0;
}

int trust_list(struct ctl *c, int argc, char **argv)
{
    struct trust_options o = { .signer = names[0], .hash = PHONE_SHA1 };
    struct trust_record records[TRUST_RECORDS_MAX];
    struct phone_signer *signer = NULL;
    char crt[PATH_MAX], key[PATH_MAX];
    size_t n = 0;
    int err = take_options(c, argc, argv, "stkh", &o);
    if (err)
        return err;
    const char *dir = argv[optind];
    snprintf(crt, sizeof(crt), "%s/%s.crt", dir, o.signer);
    snprintf(key, sizeof(key), "%s/%s.key", dir, o.signer);
    err = phone_signer_new(crt, key, o.hash, &signer);
    if (!err)
        err = read_records(dir, &o, records, &n);
    if (!err)
        err = write_list(dir, "ITLFile.tlv", signer, records, n);
    if (!err)
        err = write_list(dir, "CTLFile.tlv", signer, records, n);
    while (n)
        X509_free((X509 *)records[--n].certificate);
    phone_signer_free(&signer);
    return err ? EXIT_REFUSED : EXIT_OK;
}
