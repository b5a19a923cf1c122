#include "message.h"

#include <inttypes.h>

#include "base/rand.h"
#include "header.h"

#define HOST    "127.0.0.1"
#define CONTACT "@198.51.100.7:5060" /* behind a NAT, as phones are (RFC 5737) */
#define BRANCH  "z9hG4bK"

static struct span method_of(const struct phone *callee)
{
    return callee ? SPAN("MESSAGE") : SPAN("REGISTER");
}

/* The request's URI. */
static void put_uri(struct buf *b, const struct site *s, const struct phone *callee)
{
    buf_lit(b, "sip:");
    if (callee) {
        buf_put(b, callee->name);
        buf_putc(b, '@');
    }
    buf_put(b, s->domain);
}

static void hash_ha2(const struct site *s, const struct phone *callee, char out[HASH_HEX])
{
    char text[300];
    struct buf uri = BUF_INIT(text);
    put_uri(&uri, s, callee);
    HASH_JOIN(s->hash, out, method_of(callee), buf_span(&uri));
}

void site_init(struct site *s, struct span domain, struct span realm, struct hash *h,
               uint32_t expires)
{
    *s = (struct site){ .domain = domain,
                        .realm = realm,
                        .hash = h,
                        .expires = expires,
                        .transport = SPAN("UDP"),
                        .run = rand_u64() };
    hash_ha2(s, NULL, s->ha2);
}

/* Eight hexadecimal digits. */
static void put_u32(struct buf *b, uint32_t v)
{
    unsigned char raw[4] = { (unsigned char)(v >> 24), (unsigned char)(v >> 16),
                             (unsigned char)(v >> 8), (unsigned char)v };
    buf_hex(b, raw, sizeof(raw));
}

static void put_u64(struct buf *b, uint64_t v)
{
    put_u32(b, (uint32_t)(v >> 32));
    put_u32(b, (uint32_t)v);
}

static void put_call_id(struct buf *b, const struct site *s, const struct request *r)
{
    put_u64(b, s->run);
    buf_putc(b, '-');
    put_u32(b, r->phone);
}

static void put_aor(struct buf *b, const struct site *s, const struct phone *ph)
{
    buf_putc(b, '<');
    put_uri(b, s, ph);
    buf_putc(b, '>');
}

void message_contact(struct buf *b, const struct phone *ph)
{
    buf_lit(b, "sip:");
    buf_put(b, ph->name);
    buf_lit(b, CONTACT);
}

/* What tells this request from all others of the run. */
static void put_mark(struct buf *b, const struct request *r)
{
    put_u32(b, r->slot);
    put_u32(b, r->serial);
}

static void put_credentials(struct buf *b, const struct site *s, const struct request *r,
                            struct phone *ph)
{
    char nc_text[8], cnonce_text[16], ha2[HASH_HEX], response[HASH_HEX];
    struct buf nc = BUF_INIT(nc_text), cnonce = BUF_INIT(cnonce_text);
    struct span nonce = span_of(ph->nonce, ph->nonce_n);
    ph->nc += ph->nc == 0 || !s->repeat_nc;
    put_u32(&nc, ph->nc);
    put_u64(&cnonce, s->run ^ r->serial * UINT64_C(0x9e3779b97f4a7c15));
    if (r->callee)
        hash_ha2(s, r->callee, ha2);
    HASH_JOIN(s->hash, response, span_str(ph->ha1), nonce, buf_span(&nc), buf_span(&cnonce),
              SPAN("auth"), span_str(r->callee ? ha2 : s->ha2));

    if (r->callee)
        buf_lit(b, "Proxy-");
    buf_lit(b, "Authorization: Digest username=\"");
    buf_put(b, ph->name);
    buf_lit(b, "\", realm=\"");
    buf_put(b, s->realm);
    buf_lit(b, "\", nonce=\"");
    buf_put(b, nonce);
    buf_lit(b, "\", uri=\"");
    put_uri(b, s, r->callee);
    buf_lit(b, "\", response=\"");
    buf_put(b, span_str(response));
    buf_lit(b, "\", algorithm=");
    buf_put(b, hash_name(s->hash));
    buf_lit(b, ", cnonce=\"");
    buf_put(b, buf_span(&cnonce));
    buf_lit(b, "\", qop=auth, nc=");
    buf_put(b, buf_span(&nc));
    if (ph->opaque_n > 0) {
        buf_lit(b, ", opaque=\"");
        buf_put(b, span_of(ph->opaque, ph->opaque_n));
        buf_putc(b, '"');
    }
    buf_lit(b, "\r\n");
}

void message_write(struct buf *b, const struct site *s, const struct request *r, struct phone *ph)
{
    buf_put(b, method_of(r->callee));
    buf_putc(b, ' ');
    put_uri(b, s, r->callee);
    buf_lit(b, " SIP/2.0\r\nVia: SIP/2.0/");
    buf_put(b, s->transport);
    buf_lit(b, " " HOST ":");
    buf_u64(b, r->port);
    buf_lit(b, ";rport;branch=" BRANCH);
    put_mark(b, r);
    put_u64(b, s->run); /* unique over time, too (RFC 3261, 8.1.1.7): ports come again */
    buf_lit(b, "\r\nMax-Forwards: 70\r\nFrom: ");
    put_aor(b, s, ph);
    buf_lit(b, ";tag=");
    put_u32(b, r->phone);
    buf_lit(b, "\r\nTo: ");
    put_aor(b, s, r->callee ? r->callee : ph);
    buf_lit(b, "\r\nCall-ID: ");
    put_call_id(b, s, r);
    buf_lit(b, "\r\nCSeq: ");
    buf_u64(b, ++ph->cseq);
    buf_putc(b, ' ');
    buf_put(b, method_of(r->callee));
    if (!r->callee) {
        buf_lit(b, "\r\nContact: <");
        message_contact(b, ph);
        buf_lit(b, ">\r\nExpires: ");
        buf_u64(b, s->expires);
    }
    buf_lit(b, "\r\n");
    if (ph->nonce_n > 0)
        put_credentials(b, s, r, ph);
    buf_lit(b, "User-Agent: sipload\r\nContent-Length: ");
    if (r->callee) {
        buf_lit(b, "16\r\nContent-Type: text/plain\r\n\r\n");
        put_mark(b, r);
    } else {
        buf_lit(b, "0\r\n\r\n");
    }
}

/* ---- reading ---- */

/* Is token one of the comma-separated words of list? */
static bool lists(struct span list, struct span token)
{
    while (list.p)
        if (span_caseeq(span_trim(span_cut(&list, ',')), token))
            return true;
    return false;
}

int message_read_mark(struct span text, uint32_t *slot, uint32_t *serial)
{
    uint64_t mark;
    if (text.n != 16 || span_hex(text, &mark) != 0)
        return CS_EPROTO;
    *slot = (uint32_t)(mark >> 32);
    *serial = (uint32_t)mark;
    return 0;
}

static int read_via(struct span value, struct answer *a)
{
    struct span branch = header_param(value, ';', SPAN("branch"));
    if (!span_starts(branch, SPAN(BRANCH)))
        return CS_EPROTO;
    branch = span_skip(branch, sizeof(BRANCH) - 1);
    if (branch.n != 32 || span_hex(span_skip(branch, 16), &a->run) != 0)
        return CS_EPROTO;
    return message_read_mark(span_head(branch, 16), &a->slot, &a->serial);
}

static int read_cseq(struct span value, struct answer *a)
{
    struct span number = span_cut(&value, ' ');
    uint64_t n;
    a->method = span_trim(value);
    if (span_u64(number, UINT32_MAX, &n) != 0 ||
        !(span_eq(a->method, SPAN("REGISTER")) || span_eq(a->method, SPAN("MESSAGE"))))
        return CS_EPROTO;
    a->cseq = (uint32_t)n;
    return 0;
}

/* Takes the first challenge of our realm and algorithm (RFC 7616: none said means MD5). */
static void read_challenge(struct span value, const struct site *s, struct answer *a)
{
    if (a->challenge.realm.p || !span_casestarts(value, SPAN("Digest ")))
        return;
    struct span list = span_skip(value, sizeof("Digest ") - 1);
    struct span algorithm = header_param(list, ',', SPAN("algorithm"));
    struct challenge c = {
        .realm = header_param(list, ',', SPAN("realm")),
        .nonce = header_param(list, ',', SPAN("nonce")),
        .opaque = header_param(list, ',', SPAN("opaque")),
        .stale = span_caseeq(header_param(list, ',', SPAN("stale")), SPAN("true")),
    };
    if (span_caseeq(algorithm.p ? algorithm : SPAN("MD5"), hash_name(s->hash)) &&
        lists(header_param(list, ',', SPAN("qop")), SPAN("auth")) && span_eq(c.realm, s->realm) &&
        c.nonce.n > 0 && c.nonce.n <= PHONE_NONCE && c.opaque.n <= PHONE_OPAQUE)
        a->challenge = c;
}

static int read_header(const struct header *h, const struct site *s, struct answer *a)
{
    bool challenge = a->status == 407 ? header_is(h, SPAN("Proxy-Authenticate"), 0)
                                      : header_is(h, SPAN("WWW-Authenticate"), 0);
    if (header_is(h, SPAN("Via"), 'v'))
        return read_via(h->value, a);
    if (header_is(h, SPAN("CSeq"), 0))
        return read_cseq(h->value, a);
    if (challenge)
        read_challenge(h->value, s, a);
    else if (header_is(h, SPAN("Call-ID"), 'i'))
        a->call_id = h->value;
    else if (header_is(h, SPAN("From"), 'f'))
        a->from_tag = header_param(h->value, ';', SPAN("tag"));
    else if (header_is(h, SPAN("To"), 't'))
        a->to_tag = header_param(h->value, ';', SPAN("tag"));
    else if (header_is(h, SPAN("Contact"), 'm') && a->contacts < ANSWER_CONTACTS)
        a->contact[a->contacts++] = h->value;
    return 0;
}

int message_read(struct span text, const struct site *s, struct answer *out)
{
    struct answer a = { 0 };
    uint64_t status;
    struct span line = span_cut(&text, '\n');
    *out = a;
    if (!span_starts(line, SPAN("SIP/2.0 ")) || line.n < 11 ||
        span_u64(span_of(line.p + 8, 3), 699, &status) != 0)
        return CS_EPROTO;
    a.status = (unsigned)status;

    struct header h;
    int more;
    while ((more = header_next(&text, &h)) == 1)
        if (read_header(&h, s, &a) != 0)
            return CS_EPROTO;
    if (more != 0)
        return CS_EPROTO;
    if (!a.call_id.p || !a.from_tag.p || a.cseq == 0 || (a.status > 100 && a.to_tag.n == 0))
        return CS_EPROTO;
    *out = a;
    return 0;
}

bool message_matches(const struct answer *a, const struct site *s, const struct request *r,
                     const struct phone *ph)
{
    char text[32];
    struct buf call_id = BUF_INIT(text);
    uint64_t tag;
    put_call_id(&call_id, s, r);
    return a->cseq == ph->cseq && span_eq(a->method, method_of(r->callee)) &&
           span_eq(a->call_id, buf_span(&call_id)) && span_hex(a->from_tag, &tag) == 0 &&
           tag == r->phone;
}

/* Cuts the first value off a list of Contact values; commas inside <> do not count. */
static struct span cut_contact(struct span *list)
{
    size_t i = 0;
    bool inside = false;
    for (; i < list->n && (inside || list->p[i] != ','); i++)
        inside = list->p[i] == '<' || (inside && list->p[i] != '>');
    struct span one = span_head(*list, i);
    *list = i < list->n ? span_skip(*list, i + 1) : SPAN_NULL;
    return one;
}

int64_t message_expires(const struct answer *a, const struct phone *ph)
{
    char text[300];
    struct buf ours = BUF_INIT(text);
    buf_putc(&ours, '<');
    message_contact(&ours, ph);
    buf_putc(&ours, '>');
    for (unsigned i = 0; i < a->contacts; i++) {
        for (struct span list = a->contact[i]; list.p;) {
            struct span one = span_trim(cut_contact(&list));
            uint64_t expires;
            if (span_starts(one, buf_span(&ours)) &&
                span_u64(header_param(span_skip(one, ours.n), ';', SPAN("expires")), UINT32_MAX,
                         &expires) == 0)
                return (int64_t)expires;
        }
    }
    return -1;
}
