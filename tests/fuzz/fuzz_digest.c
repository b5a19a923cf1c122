/* Digest credentials and challenges. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sip/digest.h"
#include "sip/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct span s)
{
    char *out = malloc(s.n + 1);
    struct buf b = buf_of(out, s.n);
    for (size_t i = 0; i < s.n; i++)
        assert((unsigned char)s.p[i] >= 0x20 && s.p[i] != 0x7f);
    sip_unquote(&b, s);
    assert(buf_ok(&b));
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    if (size)
        memcpy(copy, data, size);
    struct digest d;
    struct digest_challenge c;
    int rc = digest_parse(span_of(copy, size), &d);
    assert((rc == 0) == (d.username.p != NULL));
    if (rc == 0) {
        assert(d.realm.p && d.nonce.p && d.uri.p && d.response.p);
        check_text(d.username);
        check_text(d.realm);
        check_text(d.cnonce);
        check_text(d.opaque);
    }
    rc = digest_challenge_parse(span_of(copy, size), &c);
    assert((rc == 0) == (c.realm.p != NULL));
    if (rc == 0)
        check_text(c.nonce);
    free(copy);
    return 0;
}
