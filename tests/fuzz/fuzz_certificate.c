/* Certificates of strangers, in DER or, if it begins with a hyphen, in PEM: what is taken out of
 * them keeps to its type and its bounds, and so do the names that somebody is looked for by. */
#include <assert.h>
#include <stdlib.h>

#include "authd/check/certificate.h"
#include "authd/check/chain.h"
#include "base/span.h"
#include "proto/certificate.h"

static void check_text(const char *text)
{
    assert(text && strlen(text) <= CERTIFICATE_MAX_NAME);
    for (; *text; text++)
        assert((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_host(const char *host)
{
    check_text(host);
    assert(*host);
    for (; *host; host++)
        assert(*host == ascii_lower(*host) && *host != '*' && *host != '@' && *host != ' ');
}

static bool check_name(void *arg, enum cert_name_kind kind, struct span name)
{
    const Countersign__Auth__Certificate *c = arg;
    assert(name.n > 0 && memchr(name.p, '\0', name.n) == NULL);
    if (kind == CERT_COMMON)
        assert(!c->names && !c->n_uri && !c->n_dns);
    else if (kind == CERT_USER)
        assert(span_starts(name, SPAN("sip:")) && span_find(name, '@') > 0);
    else
        assert(span_find(name, '*') < 0 && span_find(name, '@') < 0);
    return false;
}

static void check_pem(struct span pem)
{
    struct arena a;
    Countersign__Auth__Check m = COUNTERSIGN__AUTH__CHECK__INIT;
    arena_init(&a, NULL, 0, 1u << 20);
    if (chain_facts(pem, NULL, &a, &m) == 0)
        assert(m.certificate && !m.certificate->has_issuer_spki_sha256);
    arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    Countersign__Auth__Certificate c;
    if (size && data[0] == '-') {
        check_pem(span_of(data, size));
        return 0;
    }
    X509 *x = d2i_X509(NULL, &data, (long)size);
    if (!x)
        return 0;
    arena_init(&a, NULL, 0, 1u << 20);
    if (certificate_facts(x, x, &a, &c) == 0) {
        assert(c.n_uri <= CERTIFICATE_MAX_NAMES && c.n_dns <= CERTIFICATE_MAX_NAMES);
        for (size_t i = 0; i < c.n_uri; i++)
            check_text(c.uri[i]);
        for (size_t i = 0; i < c.n_dns; i++)
            check_host(c.dns[i]);
        if (c.common_name)
            check_text(c.common_name);
        check_text(c.serial);
        assert(c.names || (!c.n_uri && !c.n_dns));
        Countersign__Auth__Check m = COUNTERSIGN__AUTH__CHECK__INIT;
        struct cert_facts f;
        m.certificate = &c;
        assert(cert_facts_of(&m, &f) && !cert_each_name(&f, check_name, &c));
        assert(c.has_spki_sha256 && c.spki_sha256.len == CERTIFICATE_HASH_LEN);
    } else {
        assert(!c.serial && !c.n_uri && !c.n_dns);
    }
    arena_fini(&a);
    X509_free(x);
    return 0;
}
