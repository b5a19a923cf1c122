/* Certificates of strangers, in DER: what is taken out of them keeps to its type and its bounds. */
#include <assert.h>
#include <stdlib.h>

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    Countersign__Auth__Certificate c;
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
        assert(c.has_spki_sha256 && c.spki_sha256.len == CERTIFICATE_HASH_LEN);
    } else {
        assert(!c.serial && !c.n_uri && !c.n_dns);
    }
    arena_fini(&a);
    X509_free(x);
    return 0;
}
