#include "net/tls_names.h"

#include <openssl/x509v3.h>

#include "base/addr.h"

enum { SNI_HOST_NAME = 0, HOST_MAX = 253 };

/* ---- server_name ---- */

static bool is_host(struct span name)
{
    if (!name.n || name.n > HOST_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!ascii_alpha(c) && !ascii_digit(c) && c != '-' && c != '.' && c != '_')
            return false;
    }
    return true;
}

/* A vector with a length of two bytes in front; absent: it is cut short. */
static struct span take_vector(struct span *in)
{
    if (in->n < 2)
        return SPAN_NULL;
    size_t n = (size_t)(unsigned char)in->p[0] << 8 | (unsigned char)in->p[1];
    struct span rest = span_skip(*in, 2);
    if (rest.n < n)
        return SPAN_NULL;
    *in = span_skip(rest, n);
    return span_head(rest, n);
}

int tls_sni_parse(struct span extension, struct span *out)
{
    struct span list = take_vector(&extension), host = SPAN_NULL;
    *out = SPAN_NULL;
    if (!list.n || extension.n)
        return CS_EPROTO;
    while (list.n) {
        char type = list.p[0];
        list = span_skip(list, 1);
        struct span name = take_vector(&list);
        if (!name.p || (type == SNI_HOST_NAME && (host.p || !is_host(name))))
            return CS_EPROTO;
        if (type == SNI_HOST_NAME)
            host = name;
    }
    *out = host;
    return 0;
}

/* ---- SIP domains in certificates ---- */

static struct span text_of(const ASN1_STRING *s)
{
    return span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

/* The host of a SIP URI that names a domain; one with a user names a user, and sips is not a name
 * (RFC 5922, 7.1). */
static struct span uri_domain(struct span uri)
{
    if (!span_casestarts(uri, SPAN("sip:")))
        return SPAN_NULL;
    struct span host = span_skip(uri, 4);
    if (span_find(host, '@') >= 0)
        return SPAN_NULL;
    host = span_cut(&host, '?');
    host = span_cut(&host, ';');
    ptrdiff_t bracket = span_find(host, ']');
    if (bracket >= 0)
        return span_head(host, (size_t)bracket + 1);
    return span_cut(&host, ':');
}

enum found { NOTHING, OTHERS, THIS };

/* What the names of one type say. */
static enum found look(const GENERAL_NAMES *all, int type, struct span domain)
{
    enum found found = NOTHING;
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
        if (name->type != type)
            continue;
        struct span host = type == GEN_URI ? uri_domain(text_of(name->d.uniformResourceIdentifier))
                                           : text_of(name->d.dNSName);
        if (host.n && span_caseeq(host, domain))
            return THIS;
        if (host.n)
            found = OTHERS;
    }
    return found;
}

static bool has_address(const GENERAL_NAMES *all, const struct addr *a)
{
    struct span bytes = addr_host_bytes(a);
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
        if (name->type == GEN_IPADD && span_eq(text_of(name->d.iPAddress), bytes))
            return true;
    }
    return false;
}

static bool is_common_name(const X509 *x, struct span domain)
{
    const X509_NAME *subject = X509_get_subject_name(x);
    int last = -1;
    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
        last = at;
    return last >= 0 &&
           span_caseeq(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last))),
                       domain);
}

bool tls_names_sip_domain(const X509 *x, struct span domain)
{
    struct addr a;
    int critical;
    GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, &critical, NULL);
    if (!all) /* -1: there is none; else it cannot be read, or is there twice */
        return critical == -1 && domain.n && is_common_name(x, domain);
    enum found found = look(all, GEN_URI, domain);
    if (found == NOTHING)
        found = look(all, GEN_DNS, domain);
    bool is = domain.n &&
              (found == THIS || (addr_parse_host(domain, 0, &a) == 0 && has_address(all, &a)));
    GENERAL_NAMES_free(all);
    return is;
}

bool tls_names_sip_purpose(X509 *x)
{
    EXTENDED_KEY_USAGE *uses = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
    bool sip = false;
    for (int i = 0; i < sk_ASN1_OBJECT_num(uses); i++) {
        char oid[32];
        OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(uses, i), 1);
        sip |= span_eq(span_str(oid), SPAN("1.3.6.1.5.5.7.3.20")) ||
               span_eq(span_str(oid), SPAN("2.5.29.37.0"));
    }
    EXTENDED_KEY_USAGE_free(uses);
    return sip && X509_get_key_usage(x) & KU_DIGITAL_SIGNATURE;
}

/* Without what would not be seen, or end the text. */
static void put_seen(struct buf *b, struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        buf_putc(b, text.p[i] > ' ' && text.p[i] < 127 ? text.p[i] : '?');
}

static void write_name(struct buf *b, const GENERAL_NAME *name)
{
    struct addr a = { 0 };
    struct span raw = name->type == GEN_IPADD ? text_of(name->d.iPAddress) : SPAN_NULL;
    buf_put(b, b->n ? SPAN(", ") : SPAN(""));
    if (name->type == GEN_URI) {
        put_seen(b, text_of(name->d.uniformResourceIdentifier));
    } else if (name->type == GEN_DNS) {
        put_seen(b, text_of(name->d.dNSName));
    } else if (raw.n == 4) {
        a.in4.sin_family = AF_INET;
        memcpy(&a.in4.sin_addr, raw.p, raw.n);
        addr_write_host(b, &a);
    } else if (raw.n == 16) {
        a.in6.sin6_family = AF_INET6;
        memcpy(&a.in6.sin6_addr, raw.p, raw.n);
        addr_write_host(b, &a);
    }
}

void tls_names_write(struct buf *b, const X509 *x)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    char name[256] = "";
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(all, i);
        if (n->type == GEN_URI || n->type == GEN_DNS || n->type == GEN_IPADD)
            write_name(b, n);
    }
    if (!all &&
        X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof(name)) > 0)
        put_seen(b, span_str(name));
    GENERAL_NAMES_free(all);
    if (!b->n)
        buf_lit(b, "no name");
}
