#include "b2bua/provisioning/trust_list.h"

#include <openssl/x509.h>
#include <stdlib.h>

#include "b2bua/provisioning/tlv.h"

enum {
    TAG_LENGTH = 1,
    TAG_SUBJECT = 3,
    TAG_ROLE = 4,
    TAG_ISSUER = 5,
    TAG_SERIAL = 6,
    TAG_KEY = 7,
    TAG_SIGNATURE = 8,
    TAG_CERTIFICATE = 9,
    LENGTH_SIZE = 5, /* of a record's first element, and of a header's, version before it */
};

/* OpenSSL's own encodings: PKCS #1 of an RSA key, the uncompressed point of another. */
static void put_der(struct buf *b, unsigned tag, int n, unsigned char *der)
{
    if (n > 0)
        tlv_put(b, tag, span_of((const char *)der, (size_t)n));
    else
        b->full = true;
    OPENSSL_free(der);
}

static void write_record(struct buf *b, const struct trust_record *r, struct phone_identity *id)
{
    const X509 *x = r->certificate;
    const ASN1_BIT_STRING *signature;
    unsigned char *key = NULL, *der = NULL;
    const size_t at = b->n;
    tlv_u16(b, TAG_LENGTH, 0);
    tlv_text(b, TAG_SUBJECT, span_str(id->subject));
    tlv_text(b, TAG_ISSUER, span_str(id->issuer));
    tlv_put(b, TAG_SERIAL, span_of((const char *)id->serial, id->n_serial));
    tlv_u16(b, TAG_ROLE, r->role);
    const int n_key = i2d_PublicKey(X509_get0_pubkey(x), &key);
    put_der(b, TAG_KEY, n_key, key);
    X509_get0_signature(&signature, NULL, x);
    tlv_put(b, TAG_SIGNATURE,
            span_of((const char *)ASN1_STRING_get0_data(signature),
                    (size_t)ASN1_STRING_length(signature)));
    const int n_der = i2d_X509(x, &der);
    put_der(b, TAG_CERTIFICATE, n_der, der);
    tlv_patch(b, at + 3, b->n - at);
}

int trust_list_write(const struct phone_signer *s, struct span name, struct wall time,
                     const struct trust_record *records, size_t n, struct buf *out)
{
    char *space = malloc(TRUST_LIST_MAX);
    struct buf b = buf_of(space, space ? TRUST_LIST_MAX : 0);
    bool signer_is_in = false, https = false;
    int err = space ? 0 : CS_ENOMEM;
    for (size_t i = 0; !err && i < n; i++) {
        struct phone_identity id;
        err = phone_identity_of(records[i].certificate, &id);
        if (!err)
            write_record(&b, &records[i], &id);
        https |= records[i].role == TRUST_TFTP;
        signer_is_in |= records[i].role == TRUST_SAST && phone_signer_is(s, records[i].certificate);
    }
    const struct signed_file f = {
        .kind = SIGNED_LIST, .name = name, .time = time, .https = https, .payload = buf_span(&b)
    };
    if (!err && !signer_is_in)
        err = CS_ECONF;
    if (!err)
        err = buf_ok(&b) ? signed_file_write(s, &f, out) : CS_ELIMIT;
    free(space);
    return err;
}

static size_t u16_at(struct span s, size_t at)
{
    return (size_t)(unsigned char)s.p[at] << 8 | (unsigned char)s.p[at + 1];
}

bool trust_list_is(struct span s)
{
    static const char start[] = { 1, 0, 2, 1, 2, 2, 0, 2 }, record[] = { TAG_LENGTH, 0, 2 };
    if (s.n < sizeof(start) + 2 || !span_starts(s, span_of(start, sizeof(start))))
        return false;
    size_t at = u16_at(s, sizeof(start));
    if (at < sizeof(start) + 2 || at >= s.n)
        return false;
    while (at < s.n) {
        const struct span rest = span_skip(s, at);
        if (rest.n < LENGTH_SIZE || !span_starts(rest, span_of(record, sizeof(record))))
            return false;
        const size_t n = u16_at(rest, sizeof(record));
        if (n < LENGTH_SIZE || n > rest.n)
            return false;
        at += n;
    }
    return true;
}
