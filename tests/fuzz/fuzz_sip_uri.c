/* URIs: one that is taken equals itself, and its address of record is canonical. A line end splits
 * the input into two that are compared both ways. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sip/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_aor(const struct sip_uri *u)
{
    char first[SIP_AOR_MAX], second[SIP_AOR_MAX];
    struct buf a = BUF_INIT(first), b = BUF_INIT(second);
    struct sip_uri again;
    if (sip_aor_write(&a, u))
        return;
    int rc = sip_uri_parse(buf_span(&a), &again);
    assert(rc == 0 && again.scheme == SIP_SCHEME_SIP && again.user.n);
    rc = sip_aor_write(&b, &again);
    assert(rc == 0 && span_eq(buf_span(&a), buf_span(&b)));
}

static int take(struct span text, struct sip_uri *u)
{
    int rc = sip_uri_parse(text, u);
    assert((rc == 0) == (u->text.p != NULL));
    if (rc)
        return rc;
    assert(sip_uri_eq(u, u));
    assert(u->lr == (sip_uri_param(u, SPAN("lr")).p != NULL));
    (void)sip_uri_default_port(u);
    check_aor(u);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    if (size)
        memcpy(copy, data, size);
    struct span rest = span_of(copy, size), first = span_cut(&rest, '\n');
    struct sip_uri a, b;
    int rc = take(first, &a);
    if (rest.p && take(rest, &b) == 0 && rc == 0)
        assert(sip_uri_eq(&a, &b) == sip_uri_eq(&b, &a));
    free(copy);
    return 0;
}
