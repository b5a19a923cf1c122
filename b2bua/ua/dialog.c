#include "b2bua/ua/dialog.h"

#include <stdlib.h>

#include "base/rand.h"
#include "sip/write.h"

void dialog_fini(struct dialog *d)
{
    free(d->target);
    arena_fini(&d->arena);
    *d = (struct dialog){ 0 };
}

/* Without headers, which a Request-URI may not have (RFC 3261, 19.1.1). */
static struct span as_request_uri(const struct sip_uri *u)
{
    size_t n = u->headers.p ? (size_t)(u->headers.p - u->text.p) - 1 : u->text.n;
    return span_head(u->text, n);
}

static int set_target(struct dialog *d, struct span uri)
{
    char *copy = strndup(uri.p, uri.n);
    if (!copy)
        return CS_ENOMEM;
    free(d->target);
    d->target = copy;
    return 0;
}

static int contact_of(const struct sip_msg *m, struct sip_addr *out)
{
    struct sip_values it = sip_values(m, SIP_HDR_CONTACT);
    if (!sip_next(&it))
        return CS_ENOENT;
    int err = sip_addr_parse(it.value, out);
    if (!err && out->uri.scheme != SIP_SCHEME_SIP && out->uri.scheme != SIP_SCHEME_SIPS)
        err = CS_EPROTO;
    return err;
}

/* Record-Route as it stands, or the other way round for who sent the request. */
static int take_routes(struct dialog *d, const struct sip_msg *m, bool reverse)
{
    struct span found[DIALOG_ROUTES_MAX];
    size_t n = 0;
    for (struct sip_values it = sip_values(m, SIP_HDR_RECORD_ROUTE); sip_next(&it); n++) {
        struct sip_addr route;
        if (n == DIALOG_ROUTES_MAX || sip_addr_parse(it.value, &route) ||
            (route.uri.scheme != SIP_SCHEME_SIP && route.uri.scheme != SIP_SCHEME_SIPS))
            return CS_EPROTO;
        found[n] = it.value;
    }
    d->n_routes = 0;
    d->routes = arena_alloc(&d->arena, (n + 1) * sizeof(*d->routes));
    for (size_t i = 0; d->routes && i < n; i++) {
        d->routes[i] = arena_dup(&d->arena, found[reverse ? n - 1 - i : i]);
        if (!d->routes[i].p)
            return CS_ENOMEM;
    }
    if (!d->routes)
        return CS_ENOMEM;
    d->n_routes = n;
    return 0;
}

static struct span with_tag(struct arena *a, struct span value, struct span tag)
{
    char text[2048];
    struct buf b = BUF_INIT(text);
    buf_put(&b, value);
    buf_lit(&b, ";tag=");
    buf_put(&b, tag);
    return buf_ok(&b) ? arena_dup(a, buf_span(&b)) : SPAN_NULL;
}

static int fill_uas(struct dialog *d, const struct sip_msg *invite, struct span tag)
{
    struct sip_addr contact;
    if (contact_of(invite, &contact) || !invite->from.tag.p || invite->to.tag.p)
        return CS_EPROTO;
    d->call_id = arena_dup(&d->arena, invite->call_id);
    d->local_tag = arena_dup(&d->arena, tag);
    d->remote_tag = arena_dup(&d->arena, invite->from.tag);
    d->local = with_tag(&d->arena, invite->to.text, tag);
    d->remote = arena_dup(&d->arena, invite->from.text);
    d->remote_cseq = invite->cseq;
    d->established = true;
    if (!d->call_id.p || !d->local_tag.p || !d->remote_tag.p || !d->local.p || !d->remote.p)
        return CS_ENOMEM;
    int err = take_routes(d, invite, false);
    return err ? err : set_target(d, as_request_uri(&contact.uri));
}

int dialog_of_invite(struct dialog *d, const struct sip_msg *invite, struct span tag)
{
    *d = (struct dialog){ 0 };
    arena_init_small(&d->arena);
    int err = fill_uas(d, invite, tag);
    if (err)
        dialog_fini(d);
    return err;
}

int dialog_to(struct dialog *d, struct span from, struct span to, struct span uri, uint32_t node)
{
    char tag[DIALOG_TAG_LEN], call_id[DIALOG_CALL_ID_LEN];
    struct buf tb = BUF_INIT(tag), cb = BUF_INIT(call_id);
    unsigned char random[DIALOG_CALL_ID_LEN / 2];
    *d = (struct dialog){ 0 };
    arena_init_small(&d->arena);
    rand_bytes(random, sizeof(random));
    buf_hex(&cb, random, sizeof(random));
    siptx_tag(&tb, node);
    d->call_id = arena_dup(&d->arena, buf_span(&cb));
    d->local_tag = arena_dup(&d->arena, buf_span(&tb));
    d->local = with_tag(&d->arena, from, buf_span(&tb));
    d->remote = arena_dup(&d->arena, to);
    d->local_cseq = (uint32_t)rand_below(1U << 16);
    if (d->call_id.p && d->local_tag.p && d->local.p && d->remote.p && set_target(d, uri) == 0)
        return 0;
    dialog_fini(d);
    return CS_ENOMEM;
}

int dialog_establish(struct dialog *d, const struct sip_msg *resp)
{
    struct sip_addr contact;
    int err = contact_of(resp, &contact);
    if (!resp->to.tag.p || err == CS_EPROTO || (err && resp->status >= 200))
        return CS_EPROTO;
    struct span tag = arena_dup(&d->arena, resp->to.tag);
    struct span remote = arena_dup(&d->arena, resp->to.text);
    if (!tag.p || !remote.p)
        return CS_ENOMEM;
    int failed = take_routes(d, resp, true);
    if (!failed && !err)
        failed = set_target(d, as_request_uri(&contact.uri));
    if (failed)
        return failed;
    d->remote_tag = tag;
    d->remote = remote;
    d->established = true;
    return 0;
}

int dialog_begin_again(struct dialog *d, struct span to, struct span uri)
{
    struct span remote = arena_dup(&d->arena, to);
    int err = remote.p ? set_target(d, uri) : CS_ENOMEM;
    if (err)
        return err;
    d->remote = remote;
    d->remote_tag = SPAN_NULL;
    d->n_routes = 0;
    d->established = false;
    return 0;
}

int dialog_copy(const struct dialog *d, struct dialog *out)
{
    *out = (struct dialog){ .local_cseq = d->local_cseq };
    arena_init_small(&out->arena);
    out->call_id = arena_dup(&out->arena, d->call_id);
    out->local = arena_dup(&out->arena, d->local);
    out->local_tag = arena_dup(&out->arena, d->local_tag);
    out->remote = arena_dup(&out->arena, d->remote);
    int err = out->call_id.p && out->local.p && out->local_tag.p && out->remote.p ? 0 : CS_ENOMEM;
    if (!err)
        err = set_target(out, span_str(d->target));
    if (err)
        dialog_fini(out);
    return err;
}

int dialog_sibling(const struct dialog *d, const struct sip_msg *resp, struct dialog *out)
{
    int err = dialog_copy(d, out); /* its target is for an early one that names none */
    if (!err)
        err = dialog_establish(out, resp);
    if (err)
        dialog_fini(out);
    return err;
}

void dialog_refresh(struct dialog *d, const struct sip_msg *m)
{
    struct sip_addr contact;
    if (contact_of(m, &contact) == 0 && set_target(d, as_request_uri(&contact.uri)))
        return; /* the old one may still do */
}

bool dialog_takes(struct dialog *d, const struct sip_msg *req)
{
    if (d->remote_cseq && req->cseq <= d->remote_cseq)
        return false;
    d->remote_cseq = req->cseq;
    return true;
}

/* The first route, if it is of RFC 2543: it wants to be the Request-URI itself. */
static bool is_strict(const struct dialog *d, struct sip_addr *first)
{
    return d->n_routes && sip_addr_parse(d->routes[0], first) == 0 && !first->uri.lr;
}

int dialog_next_hop(const struct dialog *d, struct sip_uri *out)
{
    struct sip_addr first;
    if (!d->n_routes)
        return sip_uri_parse(span_str(d->target), out);
    int err = sip_addr_parse(d->routes[0], &first);
    *out = first.uri;
    return err;
}

struct span dialog_request_uri(const struct dialog *d)
{
    struct sip_addr first;
    return is_strict(d, &first) ? as_request_uri(&first.uri) : span_str(d->target);
}

void dialog_write(struct buf *b, const struct dialog *d, struct span method, uint32_t cseq,
                  struct span via, unsigned max_forwards)
{
    struct sip_addr first;
    bool strict = is_strict(d, &first);
    buf_put(b, method);
    buf_putc(b, ' ');
    buf_put(b, dialog_request_uri(d));
    buf_lit(b, " SIP/2.0\r\n");
    sip_write_hdr(b, SPAN("Via"), via);
    buf_lit(b, "Max-Forwards: ");
    buf_u64(b, max_forwards);
    buf_lit(b, "\r\n");
    for (size_t i = strict; i < d->n_routes; i++)
        sip_write_hdr(b, SPAN("Route"), d->routes[i]);
    if (strict) {
        buf_lit(b, "Route: <");
        buf_put(b, span_str(d->target));
        buf_lit(b, ">\r\n");
    }
    sip_write_hdr(b, SPAN("From"), d->local);
    sip_write_hdr(b, SPAN("To"), d->remote);
    sip_write_hdr(b, SPAN("Call-ID"), d->call_id);
    buf_lit(b, "CSeq: ");
    buf_u64(b, cseq);
    buf_putc(b, ' ');
    buf_put(b, method);
    buf_lit(b, "\r\n");
}
