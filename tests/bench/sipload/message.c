#include "message.h"

#include <inttypes.h>

#include "base/rand.h"

#define HOST    "127.0.0.1"
#define CONTACT "@198.51.100.7:5060" /* behind a NAT, as phones are (RFC 5737) */
#define BRANCH  "z9hG4bK"

void site_init(struct site *s, struct span domain, struct span realm, struct hash *h,
               uint32_t expires)
{
    *s = (struct site){
        .domain = domain, .realm = realm, .hash = h, .expires = expires, .run = rand_u64()
    };
    char text[300];
    struct buf uri = BUF_INIT(text);
    buf_lit(&uri, "sip:");
    buf_put(&uri, domain);
    HASH_JOIN(h, s->ha2, SPAN("REGISTER"), buf_span(&uri));
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
    buf_lit(b, "<sip:");
    buf_put(b, ph->name);
    buf_putc(b, '@');
    buf_put(b, s->domain);
    buf_putc(b, '>');
}

static void put_credentials(struct buf *b, const struct site *s, const struct request *r,
                            struct phone *ph)
{
    char nc_text[8], cnonce_text[16], response[HASH_HEX];
    struct buf nc = BUF_INIT(nc_text), cnonce = BUF_INIT(cnonce_text);
    struct span nonce = span_of(ph->nonce, ph->nonce_n);
    ph->nc += ph->nc == 0 || !s->repeat_nc;
    put_u32(&nc, ph->nc);
    put_u64(&cnonce, s->run ^ r->serial * UINT64_C(0x9e3779b97f4a7c15));
    HASH_JOIN(s->hash, response, span_str(ph->ha1), nonce, buf_span(&nc), buf_span(&cnonce),
              SPAN("auth"), span_str(s->ha2));

    buf_lit(b, "Authorization: Digest username=\"");
    buf_put(b, ph->name);
    buf_lit(b, "\", realm=\"");
    buf_put(b, s->realm);
    buf_lit(b, "\", nonce=\"");
    buf_put(b, nonce);
    buf_lit(b, "\", uri=\"sip:");
    buf_put(b, s->domain);
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
    buf_lit(b, "REGISTER sip:");
    buf_put(b, s->domain);
    buf_lit(b, " SIP/2.0\r\nVia: SIP/2.0/UDP " HOST ":");
    buf_u64(b, r->port);
    buf_lit(b, ";rport;branch=" BRANCH);
    put_u32(b, r->slot);
    put_u32(b, r->serial);
    buf_lit(b, "\r\nMax-Forwards: 70\r\nFrom: ");
    put_aor(b, s, ph);
    buf_lit(b, ";tag=");
    put_u32(b, r->phone);
    buf_lit(b, "\r\nTo: ");
    put_aor(b, s, ph);
    buf_lit(b, "\r\nCall-ID: ");
    put_call_id(b, s, r);
    buf_lit(b, "\r\nCSeq: ");
    buf_u64(b, ++ph->cseq);
    buf_lit(b, " REGISTER\r\nContact: <sip:");
    buf_put(b, ph->name);
    buf_lit(b, CONTACT ">\r\nExpires: ");
    buf_u64(b, s->expires);
    buf_lit(b, "\r\n");
    if (ph->nonce_n > 0)
        put_credentials(b, s, r, ph);
    buf_lit(b, "User-Agent: sipload\r\nContent-Length: 0\r\n\r\n");
}

/* ---- reading ---- */

/* The value of parameter name among text's parameters, each behind sep; quotes dropped. Absent when
 * it is not there. A value with an escaped character is not unescaped: no server here writes one.
 */
static struct span param(struct span text, char sep, struct span name)
{
    while (text.p) {
        bool quoted = false;
        size_t i = 0;
        while (i < text.n && (quoted || text.p[i] != sep))
            quoted ^= text.p[i++] == '"';
        struct span one = span_head(text, i);
        text = i < text.n ? span_skip(text, i + 1) : SPAN_NULL;

        struct span key = span_trim(span_cut(&one, '='));
        struct span value = span_trim(one);
        if (!span_caseeq(key, name))
            continue;
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            return span_of(value.p + 1, value.n - 2);
        return value.p ? value : span_of("", 0);
    }
    return SPAN_NULL;
}

/* Is token one of the comma-separated words of list? */
static bool lists(struct span list, struct span token)
{
    while (list.p)
        if (span_caseeq(span_trim(span_cut(&list, ',')), token))
            return true;
    return false;
}

static int read_via(struct span value, struct answer *a)
{
    struct span branch = param(value, ';', SPAN("branch"));
    uint64_t slot, serial;
    if (!span_starts(branch, SPAN(BRANCH)) || branch.n != sizeof(BRANCH) - 1 + 16 ||
        span_hex(span_of(branch.p + sizeof(BRANCH) - 1, 8), &slot) != 0 ||
        span_hex(span_of(branch.p + sizeof(BRANCH) - 1 + 8, 8), &serial) != 0)
        return CS_EPROTO;
    a->slot = (uint32_t)slot;
    a->serial = (uint32_t)serial;
    return 0;
}

static int read_cseq(struct span value, struct answer *a)
{
    struct span number = span_cut(&value, ' ');
    uint64_t n;
    if (span_u64(number, UINT32_MAX, &n) != 0 || !span_eq(span_trim(value), SPAN("REGISTER")))
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
    struct span algorithm = param(list, ',', SPAN("algorithm"));
    struct challenge c = {
        .realm = param(list, ',', SPAN("realm")),
        .nonce = param(list, ',', SPAN("nonce")),
        .opaque = param(list, ',', SPAN("opaque")),
        .stale = span_caseeq(param(list, ',', SPAN("stale")), SPAN("true")),
    };
    if (span_caseeq(algorithm.p ? algorithm : SPAN("MD5"), hash_name(s->hash)) &&
        lists(param(list, ',', SPAN("qop")), SPAN("auth")) && span_eq(c.realm, s->realm) &&
        c.nonce.n > 0 && c.nonce.n <= PHONE_NONCE && c.opaque.n <= PHONE_OPAQUE)
        a->challenge = c;
}

static bool is(struct span name, struct span full, char compact)
{
    return span_caseeq(name, full) || (name.n == 1 && ascii_lower(name.p[0]) == compact);
}

static int read_header(struct span name, struct span value, const struct site *s, struct answer *a)
{
    if (is(name, SPAN("Via"), 'v'))
        return read_via(value, a);
    if (is(name, SPAN("CSeq"), 0))
        return read_cseq(value, a);
    if (is(name, SPAN("Call-ID"), 'i'))
        a->call_id = value;
    else if (is(name, SPAN("From"), 'f'))
        a->from_tag = param(value, ';', SPAN("tag"));
    else if (is(name, SPAN("To"), 't'))
        a->to_tag = param(value, ';', SPAN("tag"));
    else if (is(name, SPAN("WWW-Authenticate"), 0))
        read_challenge(value, s, a);
    else if (is(name, SPAN("Contact"), 'm') && a->contacts < ANSWER_CONTACTS)
        a->contact[a->contacts++] = value;
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

    while ((line = span_trim(span_cut(&text, '\n'))).p) {
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n == 0)
            break;
        struct span name = span_trim(span_cut(&line, ':'));
        /* No server here folds its lines. */
        if (!line.p || read_header(name, span_trim(line), s, &a) != 0)
            return CS_EPROTO;
    }
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
    return a->cseq == ph->cseq && span_eq(a->call_id, buf_span(&call_id)) &&
           span_hex(a->from_tag, &tag) == 0 && tag == r->phone;
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
    buf_lit(&ours, "<sip:");
    buf_put(&ours, ph->name);
    buf_lit(&ours, CONTACT ">");
    for (unsigned i = 0; i < a->contacts; i++) {
        for (struct span list = a->contact[i]; list.p;) {
            struct span one = span_trim(cut_contact(&list));
            uint64_t expires;
            if (span_starts(one, buf_span(&ours)) &&
                span_u64(param(span_skip(one, ours.n), ';', SPAN("expires")), UINT32_MAX,
                         &expires) == 0)
                return (int64_t)expires;
        }
    }
    return -1;
}
