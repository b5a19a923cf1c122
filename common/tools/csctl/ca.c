/* `csctl ca`: certificates for devices and trunks. It asks authd nothing. */
#include "ca.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <openssl/pem.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NAMES_MAX = 16, DAYS_MAX = 20 * 366 };

struct ca_options {
    const char *name, *out, *csr;
    unsigned days, renew; /* renew: 0 if not given */
};

/* ---- options ---- */

static int take_days(struct ctl *c, const char *text, unsigned *out)
{
    uint64_t days;
    if (span_u64(span_str(text), DAYS_MAX, &days) || days == 0)
        return bad_usage(c, "\"%s\" is no number of days from 1 to %d", text, DAYS_MAX);
    *out = (unsigned)days;
    return EXIT_OK;
}

/* What the command takes of them is in allowed; operands are left from optind on. */
static int take_options(struct ctl *c, int argc, char **argv, const char *allowed,
                        struct ca_options *o)
{
    static const struct option options[] = {
        { "name", required_argument, NULL, 'n' },  { "days", required_argument, NULL, 'd' },
        { "out", required_argument, NULL, 'o' },   { "csr", required_argument, NULL, 'c' },
        { "renew", required_argument, NULL, 'r' }, { NULL, 0, NULL, 0 }
    };
    optind = 0;
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (got == '?' || !strchr(allowed, got))
            return bad_usage(c, "%s is not an option here, or wants a value", argv[optind - 1]);
        if (got == 'n')
            o->name = optarg;
        else if (got == 'o')
            o->out = optarg;
        else if (got == 'c')
            o->csr = optarg;
        else if (take_days(c, optarg, got == 'r' ? &o->renew : &o->days))
            return EXIT_USAGE;
    }
    return EXIT_OK;
}

/* ---- init ---- */

int ca_init(struct ctl *c, int argc, char **argv)
{
    struct ca_options o = { .name = "Countersign devices and trunks", .days = 10 * 365 };
    if (take_options(c, argc, argv, "nd", &o))
        return EXIT_USAGE;
    if (argc - optind != 1)
        return bad_usage(c, "say the directory it shall be in");
    if (ca_make(argv[optind], o.name, o.days))
        return EXIT_REFUSED;
    printf("%s/ca.crt is what daemons trust; %s/ca.key is what makes certificates: keep it.\n",
           argv[optind], argv[optind]);
    return EXIT_OK;
}

/* ---- issue ---- */

static EVP_PKEY *key_of_request(const char *path)
{
    FILE *f = fopen(path, "re");
    X509_REQ *request = f ? PEM_read_X509_REQ(f, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = request ? X509_REQ_get_pubkey(request) : NULL;
    if (!f) {
        complain("%s: %s", path, strerror(errno));
    } else if (!key || X509_REQ_verify(request, key) != 1) {
        complain("%s holds no certificate request whose signature is right", path);
        EVP_PKEY_free(key);
        key = NULL;
    }
    if (f)
        fclose(f);
    X509_REQ_free(request);
    return key;
}

static int remember(const struct ca *ca, const X509 *x, char *const *names, size_t n)
{
    char serial[64];
    struct tm until;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(names[i]));
    if (!ASN1_TIME_to_tm(X509_get0_notAfter(x), &until))
        return CS_EPROTO;
    json_t *entry = json_pack("{s:s, s:o, s:I}", "serial", ca_serial(x, serial), "names", list,
                              "until", (json_int_t)timegm(&until));
    return json_array_append_new(ca->index, entry) ? CS_ENOMEM : ca_keep(ca);
}

/* "sip:alice@example.com" makes alice@example.com: what a file may be called. */
static void default_prefix(const char *name, char out[NAME_MAX])
{
    const char *colon = strncmp(name, "sip", 3) == 0 ? strchr(name, ':') : NULL;
    snprintf(out, NAME_MAX, "%s", colon ? colon + 1 : name);
    for (char *p = out; *p; p++) {
        if (!(ascii_alpha(*p) || ascii_digit(*p) || strchr("@.-_", *p)) || (p == out && *p == '.'))
            *p = '_';
    }
}

static bool is_free(const char *path)
{
    if (access(path, F_OK))
        return true;
    complain("%s is there already; say another place by --out", path);
    return false;
}

/* Whether what is there is what would be made, and is so for long enough. */
static bool is_good(const struct ca *ca, const struct ca_options *o, const char *certificate,
                    const char *key_path, char *const *names, size_t n)
{
    time_t then = time(NULL) + (time_t)o->renew * 24 * 3600;
    FILE *cf = fopen(certificate, "re"), *kf = fopen(key_path, "re");
    X509 *x = cf ? PEM_read_X509(cf, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = kf ? PEM_read_PrivateKey(kf, NULL, NULL, NULL) : NULL;
    bool good = x && key && X509_check_private_key(x, key) == 1 &&
                X509_verify(x, X509_get0_pubkey(ca->certificate)) == 1 &&
                X509_cmp_time(X509_get0_notAfter(x), &then) > 0 &&
                ca_says(x, (const char *const *)names, n);
    X509_free(x);
    EVP_PKEY_free(key);
    if (cf)
        fclose(cf);
    if (kf)
        fclose(kf);
    return good;
}

static int issue_to(const struct ca *ca, const struct ca_options *o, const char *prefix,
                    char *const *names, size_t n)
{
    char certificate[PATH_MAX], key_path[PATH_MAX], serial[64];
    snprintf(certificate, sizeof(certificate), "%s.crt", prefix);
    snprintf(key_path, sizeof(key_path), "%s.key", prefix);
    if (o->renew && is_good(ca, o, certificate, key_path, names, n)) {
        printf("%s is good for more than %u days, and was kept\n", certificate, o->renew);
        return 0;
    }
    if (!o->renew && (!is_free(certificate) || (!o->csr && !is_free(key_path))))
        return CS_ECONFLICT;
    EVP_PKEY *key = o->csr ? key_of_request(o->csr) : ca_new_key();
    X509 *x = key ? ca_certify(ca, key, ca->key, (const char *const *)names, n, o->days) : NULL;
    if (key && !x)
        complain("OpenSSL makes no certificate of these names");
    /* First the index: what was made must be revocable. */
    int err = x ? remember(ca, x, names, n) : CS_EPROTO;
    if (!err && !o->csr)
        err = ca_write(key_path, true, ca_write_key, key);
    if (!err)
        err = ca_write(certificate, false, ca_write_certificate, x);
    if (!err)
        printf("%s, serial %s%s%s\n", certificate, ca_serial(x, serial), o->csr ? "" : ", key ",
               o->csr ? "" : key_path);
    X509_free(x);
    EVP_PKEY_free(key);
    return err;
}

int ca_issue(struct ctl *c, int argc, char **argv)
{
    char prefix[NAME_MAX];
    struct ca_options o = { .days = 90 };
    struct ca ca;
    if (take_options(c, argc, argv, "docr", &o))
        return EXIT_USAGE;
    if (o.renew && (o.csr || o.renew >= o.days))
        return bad_usage(c, o.csr ? "who sent the request renews it by another"
                                  : "--renew wants fewer days than the new one is good for");
    char *const *names = argv + optind + 1;
    if (argc - optind < 2 || argc - optind > 1 + NAMES_MAX)
        return bad_usage(c, "say the directory and one to %d names", NAMES_MAX);
    const size_t n = (size_t)(argc - optind - 1);
    for (size_t i = 0; i < n; i++) {
        enum ca_name_kind kind;
        if (ca_name_kind(span_str(names[i]), &kind))
            return bad_usage(c, "\"%s\" is no SIP URI, host name or address", names[i]);
    }
    if (ca_open(argv[optind], &ca))
        return EXIT_REFUSED;
    default_prefix(names[0], prefix);
    int err = issue_to(&ca, &o, o.out ? o.out : prefix, names, n);
    ca_close(&ca);
    return err ? EXIT_REFUSED : EXIT_OK;
}

/* ---- revoke, crl, list ---- */

static json_t *entry_of(const struct ca *ca, const char *which)
{
    char serial[64];
    json_t *entry;
    size_t i;
    FILE *f = fopen(which, "re");
    X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
    snprintf(serial, sizeof(serial), "%s", which);
    if (x)
        ca_serial(x, serial);
    X509_free(x);
    if (f)
        fclose(f);
    json_array_foreach(ca->index, i, entry)
    {
        if (span_caseeq(span_str(json_string_value(json_object_get(entry, "serial"))),
                        span_str(serial)))
            return entry;
    }
    complain("%s is no serial number or certificate of this authority", which);
    return NULL;
}

int ca_revoke(struct ctl *c, int argc, char **argv)
{
    struct ca_options o = { .days = CA_CRL_DAYS };
    struct ca ca;
    if (take_options(c, argc, argv, "d", &o))
        return EXIT_USAGE;
    if (argc - optind < 2)
        return bad_usage(c, "say the directory and serial numbers or certificate files");
    if (ca_open(argv[optind], &ca))
        return EXIT_REFUSED;
    int err = 0;
    for (int i = optind + 1; !err && i < argc; i++) {
        json_t *entry = entry_of(&ca, argv[i]);
        if (!entry)
            err = CS_ENOENT;
        else if (!json_object_get(entry, "revoked"))
            json_object_set_new(entry, "revoked", json_integer((json_int_t)time(NULL)));
    }
    if (!err)
        err = ca_keep(&ca);
    if (!err)
        err = ca_write_crl(&ca, o.days);
    if (!err)
        printf("%s/crl.pem says so, for %u days.\n", ca.dir, o.days);
    ca_close(&ca);
    return err ? EXIT_REFUSED : EXIT_OK;
}

int ca_crl_again(struct ctl *c, int argc, char **argv)
{
    struct ca_options o = { .days = CA_CRL_DAYS };
    struct ca ca;
    if (take_options(c, argc, argv, "d", &o))
        return EXIT_USAGE;
    if (argc - optind != 1)
        return bad_usage(c, "say the directory");
    if (ca_open(argv[optind], &ca))
        return EXIT_REFUSED;
    int err = ca_write_crl(&ca, o.days);
    if (!err)
        printf("%s/crl.pem is good for %u days.\n", ca.dir, o.days);
    ca_close(&ca);
    return err ? EXIT_REFUSED : EXIT_OK;
}

static json_t *day_of(json_int_t at)
{
    char text[32] = "";
    const time_t t = (time_t)at;
    struct tm tm;
    if (gmtime_r(&t, &tm))
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    return json_string(text);
}

int ca_list(struct ctl *c, int argc, char **argv)
{
    static const struct column columns[] = { { "serial", "serial" },
                                             { "names", "names" },
                                             { "until", "until" },
                                             { "revoked", "revoked" },
                                             { NULL, NULL } };
    struct ca_options o = { 0 };
    struct ca ca;
    json_t *entry;
    size_t i;
    if (take_options(c, argc, argv, "", &o))
        return EXIT_USAGE;
    if (argc - optind != 1)
        return bad_usage(c, "say the directory");
    if (ca_open(argv[optind], &ca))
        return EXIT_REFUSED;
    json_array_foreach(ca.index, i, entry)
    {
        static const char *const times[] = { "until", "revoked" };
        for (size_t k = 0; k < CS_LEN(times); k++) {
            const json_t *at = json_object_get(entry, times[k]);
            if (at)
                json_object_set_new(entry, times[k], day_of(json_integer_value(at)));
        }
    }
    if (c->json)
        print_json(ca.index);
    else
        print_table(ca.index, columns);
    ca_close(&ca);
    return EXIT_OK;
}
