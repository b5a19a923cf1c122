/* Names around TLS: the extension server_name of strangers, and certificates as they come. First
 * byte: 0 for the one, else the other. */
#include <assert.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "net/tls_names.h"

static void read_sni(struct span in)
{
    struct span host;
    int err = tls_sni_parse(in, &host);
    assert(!err || (err == CS_EPROTO && !host.p));
    for (size_t i = 0; i < host.n; i++)
        assert(ascii_alpha(host.p[i]) || ascii_digit(host.p[i]) || strchr("-._", host.p[i]));
}

static void read_certificate(struct span in)
{
    const unsigned char *p = (const unsigned char *)in.p;
    X509 *x = d2i_X509(NULL, &p, (long)in.n);
    if (x) {
        assert(!tls_names_sip_domain(x, SPAN("")));
        tls_names_sip_domain(x, SPAN("example.com"));
        tls_names_sip_domain(x, SPAN("192.0.2.1"));
    }
    X509_free(x);
    ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    if (data[0] == 0)
        read_sni(span_of(data + 1, n - 1));
    else
        read_certificate(span_of(data + 1, n - 1));
    return 0;
}
