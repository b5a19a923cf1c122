#include "sip/msg.h"

#include "sip/chars.h"
#include "sip/head.h"
#include "sip/parse.h"
#include "sip/scan.h"

/* Headers that two readers could choose differently from when they are there twice. Content-Length
 * is looked at by its value. */
#define SINGLE                                                                            \
    (SIP_HDR_BIT(SIP_HDR_FROM) | SIP_HDR_BIT(SIP_HDR_TO) | SIP_HDR_BIT(SIP_HDR_CALL_ID) | \
     SIP_HDR_BIT(SIP_HDR_CSEQ) | SIP_HDR_BIT(SIP_HDR_MAX_FORWARDS) |                      \
     SIP_HDR_BIT(SIP_HDR_CONTENT_TYPE) | SIP_HDR_BIT(SIP_HDR_EXPIRES) |                   \
     SIP_HDR_BIT(SIP_HDR_MIN_EXPIRES) | SIP_HDR_BIT(SIP_HDR_EVENT) |                      \
     SIP_HDR_BIT(SIP_HDR_REFER_TO) | SIP_HDR_BIT(SIP_HDR_SESSION_EXPIRES) |               \
     SIP_HDR_BIT(SIP_HDR_MAX_BREADTH) | SIP_HDR_BIT(SIP_HDR_REPLACES))

/* The first reason stands. */
static void bad(struct sip_msg *m, unsigned status, const char *why)
{
    if (!m->bad) {
        m->bad = status;
        m->bad_why = why;
    }
}

/* ---- start line (RFC 3261, 7.1 and 7.2) ---- */

static int parse_status_line(struct sip_msg *m, struct span line)
{
    uint64_t status;
    if (!span_casestarts(line, SPAN("SIP/2.0 ")) || line.n < 11)
        return CS_EPROTO;
    if (span_u64(span_of(line.p + 8, 3), 699, &status) || status < 100)
        return CS_EPROTO;
    if (line.n > 11 && line.p[11] != ' ')
        return CS_EPROTO; /* 4294967301 is no status (RFC 4475, 3.1.2.19) */
    m->status = (unsigned)status;
    m->reason = span_skip(line, 12);
    return 0;
}

/* Method SP Request-URI SP SIP-Version, with exactly one space each */
static int parse_request_line(struct sip_msg *m, struct span line)
{
    struct span rest = line;
    m->method_name = span_cut(&rest, ' ');
    m->method = sip_method_of(m->method_name);
    if (m->method_name.n == 0 || !chars_all(m->method_name, CH_TOKEN) || !head_is_start_line(line))
        return CS_EPROTO; /* not SIP at all: no answer */
    struct span uri = span_cut(&rest, ' ');
    if (!rest.p || !span_casestarts(rest, SPAN("SIP/")) || span_find(rest, ' ') >= 0) {
        bad(m, 400, "Malformed request line");
        return 0;
    }
    if (!span_caseeq(rest, SPAN("SIP/2.0")))
        bad(m, 505, "Version Not Supported");
    if (sip_uri_parse(uri, &m->uri))
        bad(m, 400, "Malformed Request-URI");
    else if (m->uri.headers.p)
        bad(m, 400, "Headers in Request-URI"); /* 19.1.1; RFC 4475, 3.1.2.11 */
    return 0;
}

/* ---- headers ---- */

static void parse_cseq(struct sip_msg *m, struct span value)
{
    struct scan s = scan_of(value);
    uint32_t n = scan_u32(&s);
    const char *end = s.p;
    struct span method = scan_token(&s);
    if (!scan_done(&s) || n > INT32_MAX || method.p == end) {
        bad(m, 400, "Malformed CSeq"); /* 8.1.1.5: less than 2**31 */
        return;
    }
    m->cseq = n;
    if (!m->is_request) {
        m->method_name = method;
        m->method = sip_method_of(method);
    } else if (!span_eq(method, m->method_name)) {
        bad(m, 400, "CSeq names another method");
    }
}

static void parse_max_forwards(struct sip_msg *m, struct span value)
{
    uint64_t n;
    if (span_u64(value, 255, &n))
        bad(m, 400, "Malformed Max-Forwards");
    else
        m->max_forwards = (int)n;
}

static void keep(struct sip_msg *m, const struct sip_hdr *h)
{
    if (m->present & SINGLE & SIP_HDR_BIT(h->id)) {
        bad(m, 400, "Header given twice");
        return;
    }
    m->present |= SIP_HDR_BIT(h->id);
    switch (h->id) {
    case SIP_HDR_FROM:
        if (sip_addr_parse(h->value, &m->from))
            bad(m, 400, "Malformed From");
        break;
    case SIP_HDR_TO:
        if (sip_addr_parse(h->value, &m->to))
            bad(m, 400, "Malformed To");
        break;
    case SIP_HDR_CALL_ID:
        m->call_id = h->value;
        if (h->value.n == 0 || !chars_all(h->value, CH_CALL_ID))
            bad(m, 400, "Malformed Call-ID");
        break;
    case SIP_HDR_CSEQ:
        parse_cseq(m, h->value);
        break;
    case SIP_HDR_MAX_FORWARDS:
        parse_max_forwards(m, h->value);
        break;
    default:
        break;
    }
}

static int parse_headers(struct sip_msg *m, struct span *rest, const struct sip_limits *l)
{
    struct head_line line;
    for (;;) {
        if (!head_next(rest, &line)) {
            bad(m, 400, "Headers without end");
            *rest = span_skip(*rest, rest->n);
            return 0;
        }
        if (line.bad_end)
            bad(m, 400, "Line without CRLF");
        if (line.text.n == 0)
            return 0;
        if (line.text.n > l->line || m->n_hdr == l->headers)
            return CS_ELIMIT;
        struct sip_hdr *h = &m->hdr[m->n_hdr];
        if (!head_is_clean(&line) || !head_split(line.text, h)) {
            bad(m, 400, "Malformed header line");
            continue;
        }
        m->n_hdr++;
        keep(m, h);
    }
}

static void check_required(struct sip_msg *m)
{
    if (!m->call_id.p)
        bad(m, 400, "Missing Call-ID");
    if (!sip_has(m, SIP_HDR_CSEQ))
        bad(m, 400, "Missing CSeq");
    if (!sip_has(m, SIP_HDR_FROM))
        bad(m, 400, "Missing From");
    if (!sip_has(m, SIP_HDR_TO))
        bad(m, 400, "Missing To");
}

static int parse_top_via(struct sip_msg *m)
{
    bool sent;
    struct sip_values it = sip_values(m, SIP_HDR_VIA);
    if (!sip_next(&it))
        return CS_EPROTO;
    if (parse_via(it.value, &m->via, &sent)) {
        if (!sent)
            return CS_EPROTO;
        bad(m, 400, "Malformed Via");
    }
    return 0;
}

/* Cuts the body by Content-Length (RFC 3261, 18.3). */
static void cut_body(struct sip_msg *m, struct span rest, bool datagram)
{
    uint64_t length = rest.n, v;
    bool found = false;
    for (size_t i = 0; sip_has(m, SIP_HDR_CONTENT_LENGTH) && i < m->n_hdr; i++) {
        if (m->hdr[i].id != SIP_HDR_CONTENT_LENGTH)
            continue;
        if (span_u64(m->hdr[i].value, UINT32_MAX, &v) || (found && v != length)) {
            bad(m, 400, "Malformed Content-Length");
            return;
        }
        length = v;
        found = true;
    }
    if (!found && !datagram)
        bad(m, 400, "Missing Content-Length");
    if (length > rest.n) {
        bad(m, 400, "Body shorter than Content-Length");
        return;
    }
    m->body = span_head(rest, (size_t)length);
    m->raw.n = (size_t)(m->body.p + m->body.n - m->raw.p);
}

static int parse(struct sip_msg *m, bool datagram, const struct sip_limits *l)
{
    struct span rest = m->raw;
    struct head_line line;
    if (!head_next(&rest, &line) || line.text.n == 0)
        return CS_EPROTO;
    if (line.text.n > l->line)
        return CS_ELIMIT;
    m->is_request = !span_casestarts(line.text, SPAN("SIP/"));
    int rc = m->is_request ? parse_request_line(m, line.text) : parse_status_line(m, line.text);
    if (rc)
        return rc;
    if (line.bad_end || line.folded || !head_is_clean(&line))
        bad(m, 400, "Malformed start line");
    rc = parse_headers(m, &rest, l);
    if (rc)
        return rc;
    rc = parse_top_via(m);
    if (rc)
        return rc;
    check_required(m);
    cut_body(m, rest, datagram);
    return m->bad && !m->is_request ? CS_EPROTO : 0;
}

/* ---- memory ---- */

/* Headers there can be at most: line ends in the head, and never more than the limit allows. */
static size_t count_lines(struct span raw, size_t max)
{
    size_t n = 0;
    const char *p = raw.p, *end = raw.p + raw.n;
    while (n < max && p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
        if (p - raw.p >= 3 && memcmp(p - 3, "\r\n\r", 3) == 0)
            break;
        n++;
        p++;
    }
    return n;
}

int sip_msg_parse(struct span raw, bool datagram, const struct sip_limits *limits,
                  struct sip_msg **out)
{
    struct sip_limits l = head_limits(limits);
    struct arena arena;
    *out = NULL;
    while (span_starts(raw, SPAN("\r\n")))
        raw = span_skip(raw, 2); /* RFC 3261, 7.5 */
    if (raw.n > l.message)
        return CS_ELIMIT;
    /* The message lives in its own arena, whose first chunk holds it, the header array and the
     * bytes: one allocation, and what is left of the chunk serves those who keep things with it. */
    size_t n_hdr = count_lines(raw, l.headers + 1);
    size_t array = n_hdr * sizeof(struct sip_hdr);
    arena_init(&arena, NULL, 0, 0);
    struct sip_msg *m = arena_alloc(&arena, sizeof(*m) + array + raw.n);
    if (!m)
        return CS_ENOMEM;
    *m = (struct sip_msg){ .refs = 1, .max_forwards = -1, .hdr = (struct sip_hdr *)(m + 1) };
    char *bytes = (char *)m->hdr + array;
    if (raw.n)
        memcpy(bytes, raw.p, raw.n);
    m->raw = span_of(bytes, raw.n);
    m->arena = arena;
    int rc = parse(m, datagram, &l);
    if (rc) {
        sip_msg_unref(&m);
        return rc;
    }
    *out = m;
    return 0;
}

struct sip_msg *sip_msg_ref(struct sip_msg *m)
{
    m->refs++;
    return m;
}

void sip_msg_unref(struct sip_msg **m)
{
    struct sip_msg *msg = *m;
    *m = NULL;
    if (!msg || --msg->refs)
        return;
    struct arena arena = msg->arena; /* which the message itself lives in */
    arena_fini(&arena);
}
