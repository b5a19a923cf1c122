#include "sip/write.h"

#include "sip/params.h"
#include "sip/parse.h"

void sip_write_hdr(struct buf *b, struct span name, struct span value)
{
    buf_put(b, name);
    buf_lit(b, ": ");
    buf_put(b, value);
    buf_lit(b, "\r\n");
}

void sip_write_end(struct buf *b, struct span type, struct span body)
{
    if (type.p)
        sip_write_hdr(b, SPAN("Content-Type"), type);
    buf_lit(b, "Content-Length: ");
    buf_u64(b, body.n);
    buf_lit(b, "\r\n\r\n");
    buf_put(b, body);
}

static void write_first(struct buf *b, const struct sip_msg *m, enum sip_hdr_id id,
                        struct span name)
{
    struct span value = sip_hdr_value(m, id);
    if (value.p)
        sip_write_hdr(b, name, value);
}

/* ---- Via ---- */

/* The topmost Via of a request with what the receiver adds: received, when the sender named
 * another host or asked for rport, and rport's value (RFC 3261, 18.2.1; RFC 3581, 4). What the
 * sender wrote there itself is dropped. */
static void write_via(struct buf *b, const struct sip_msg *m)
{
    const struct sip_via *v = &m->via;
    const struct addr *source = &m->source;
    struct addr sent;
    if (source->sa.sa_family == AF_UNSPEC) {
        buf_put(b, v->text);
        return;
    }
    if (v->params.p) {
        struct params it;
        buf_put(b, span_of(v->text.p, (size_t)(v->params.p - v->text.p)));
        params_init(&it, v->params);
        while (params_next(&it)) {
            if (!span_caseeq(it.name, SPAN("received")) && !span_caseeq(it.name, SPAN("rport")))
                buf_put(b, it.text);
        }
    } else {
        buf_put(b, v->text); /* malformed parameters: as they came */
    }
    bool same = addr_parse_host(v->host, 0, &sent) == 0 && addr_same_host(&sent, source);
    if (!same || v->rport.p) {
        buf_lit(b, ";received=");
        addr_write_bare(b, source);
    }
    if (v->rport.p) {
        buf_lit(b, ";rport=");
        buf_u64(b, addr_port(source));
    }
}

/* What stands behind the topmost value on the line it stands on, from the comma on. */
static struct span behind_via(const struct sip_msg *m, const struct sip_hdr *h)
{
    const char *end = h->value.p + h->value.n, *p = m->via.text.p + m->via.text.n;
    return span_of(p, (size_t)(end - p));
}

static bool has_top_via(const struct sip_msg *m, const struct sip_hdr *h)
{
    return m->via.text.p >= h->value.p && m->via.text.p < h->value.p + h->value.n;
}

static void write_request_via(struct buf *b, const struct sip_msg *m, const struct sip_hdr *h)
{
    buf_put(b, h->name);
    buf_lit(b, ": ");
    if (has_top_via(m, h)) {
        write_via(b, m);
        buf_put(b, behind_via(m, h));
    } else {
        buf_put(b, h->value);
    }
    buf_lit(b, "\r\n");
}

/* ---- answers ---- */

static void write_status_line(struct buf *b, unsigned status, struct span reason)
{
    buf_lit(b, "SIP/2.0 ");
    buf_u64(b, status);
    buf_putc(b, ' ');
    buf_put(b, reason);
    buf_lit(b, "\r\n");
}

void sip_write_reply(struct buf *b, const struct sip_msg *req, unsigned status, struct span reason,
                     struct span to_tag)
{
    write_status_line(b, status, reason.p ? reason : sip_reason(status));
    for (size_t i = 0; i < req->n_hdr; i++) {
        if (req->hdr[i].id == SIP_HDR_VIA)
            write_request_via(b, req, &req->hdr[i]);
    }
    write_first(b, req, SIP_HDR_FROM, SPAN("From"));
    struct span to = sip_hdr_value(req, SIP_HDR_TO);
    if (to.p) {
        buf_lit(b, "To: ");
        buf_put(b, to);
        if (status > 100 && to_tag.p && req->to.text.p && !req->to.tag.p) {
            buf_lit(b, ";tag="); /* RFC 3261, 8.2.6.2 */
            buf_put(b, to_tag);
        }
        buf_lit(b, "\r\n");
    }
    write_first(b, req, SIP_HDR_CALL_ID, SPAN("Call-ID"));
    write_first(b, req, SIP_HDR_CSEQ, SPAN("CSeq"));
    if (status == 100)
        write_first(b, req, SIP_HDR_TIMESTAMP, SPAN("Timestamp")); /* 8.2.6.1 */
}

/* ---- on the way through a proxy ---- */

static void write_line(struct buf *b, const struct sip_hdr *h)
{
    /* Name, colon and value as they were written. */
    buf_put(b, span_of(h->name.p, (size_t)(h->value.p + h->value.n - h->name.p)));
    buf_lit(b, "\r\n");
}

/* A Route line without its first *drop values. */
static void write_route(struct buf *b, const struct sip_hdr *h, unsigned *drop)
{
    struct span rest = h->value, value;
    if (*drop == 0) {
        write_line(b, h);
        return;
    }
    while (*drop && parse_list_next(&rest, &value))
        --*drop;
    if (parse_list_next(&rest, &value)) {
        const char *end = h->value.p + h->value.n;
        sip_write_hdr(b, h->name, span_of(value.p, (size_t)(end - value.p)));
    }
}

static void write_request_line(struct buf *b, struct span method, struct span uri)
{
    buf_put(b, method);
    buf_putc(b, ' ');
    buf_put(b, uri);
    buf_lit(b, " SIP/2.0\r\n");
}

static void write_tail(struct buf *b, const struct sip_msg *m, struct span append)
{
    buf_put(b, append);
    if (sip_has(m, SIP_HDR_CONTENT_LENGTH)) {
        buf_lit(b, "\r\n");
        buf_put(b, m->body);
    } else {
        sip_write_end(b, SPAN_NULL, m->body); /* 18.3: the next hop may be a stream */
    }
}

void sip_write_request(struct buf *b, const struct sip_msg *req, const struct sip_edit *edit)
{
    unsigned drop = edit->drop_routes;
    write_request_line(b, req->method_name, edit->uri.p ? edit->uri : req->uri.text);
    if (edit->via.p)
        sip_write_hdr(b, SPAN("Via"), edit->via);
    if (edit->record_route.p)
        sip_write_hdr(b, SPAN("Record-Route"), edit->record_route);
    for (size_t i = 0; i < edit->n_routes; i++)
        sip_write_hdr(b, SPAN("Route"), edit->routes[i]);
    for (size_t i = 0; i < req->n_hdr; i++) {
        const struct sip_hdr *h = &req->hdr[i];
        if (h->id != SIP_HDR_OTHER && edit->strip & SIP_HDR_BIT(h->id))
            continue;
        if (h->id == SIP_HDR_VIA && has_top_via(req, h))
            write_request_via(b, req, h);
        else if (h->id == SIP_HDR_ROUTE)
            write_route(b, h, &drop);
        else if (h->id != SIP_HDR_MAX_FORWARDS || edit->max_forwards < 0)
            write_line(b, h);
    }
    if (edit->max_forwards >= 0) {
        buf_lit(b, "Max-Forwards: ");
        buf_u64(b, (uint64_t)edit->max_forwards);
        buf_lit(b, "\r\n");
    }
    write_tail(b, req, edit->append);
}

void sip_write_response(struct buf *b, const struct sip_msg *resp, uint64_t strip,
                        struct span append)
{
    write_status_line(b, resp->status, resp->reason);
    for (size_t i = 0; i < resp->n_hdr; i++) {
        const struct sip_hdr *h = &resp->hdr[i];
        if (h->id != SIP_HDR_OTHER && strip & SIP_HDR_BIT(h->id))
            continue;
        if (h->id != SIP_HDR_VIA || !has_top_via(resp, h)) {
            write_line(b, h);
            continue;
        }
        struct span rest = behind_via(resp, h), value;
        if (parse_list_next(&rest, &value)) {
            const char *end = h->value.p + h->value.n;
            sip_write_hdr(b, h->name, span_of(value.p, (size_t)(end - value.p)));
        }
    }
    write_tail(b, resp, append);
}

/* ---- ACK and CANCEL ---- */

/* What both share with the INVITE: Request-URI, the topmost Via alone, Route, From, Call-ID and the
 * number of CSeq. */
static void write_hop(struct buf *b, const struct sip_msg *invite, struct span method,
                      struct span to)
{
    write_request_line(b, method, invite->uri.text);
    sip_write_hdr(b, SPAN("Via"), invite->via.text);
    for (size_t i = 0; i < invite->n_hdr; i++) {
        if (invite->hdr[i].id == SIP_HDR_ROUTE)
            write_line(b, &invite->hdr[i]);
    }
    buf_lit(b, "Max-Forwards: 70\r\n");
    write_first(b, invite, SIP_HDR_FROM, SPAN("From"));
    sip_write_hdr(b, SPAN("To"), to);
    write_first(b, invite, SIP_HDR_CALL_ID, SPAN("Call-ID"));
    buf_lit(b, "CSeq: ");
    buf_u64(b, invite->cseq);
    buf_putc(b, ' ');
    buf_put(b, method);
    buf_lit(b, "\r\n");
}

void sip_write_ack(struct buf *b, const struct sip_msg *invite, const struct sip_msg *resp)
{
    write_hop(b, invite, SPAN("ACK"), resp->to.text);
    sip_write_end(b, SPAN_NULL, SPAN(""));
}

void sip_write_cancel(struct buf *b, const struct sip_msg *invite, struct span reason)
{
    write_hop(b, invite, SPAN("CANCEL"), invite->to.text);
    if (reason.n)
        sip_write_hdr(b, SPAN("Reason"), reason);
    sip_write_end(b, SPAN_NULL, SPAN(""));
}
