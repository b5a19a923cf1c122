#include "registrar/record_route.h"

enum { MAX_ROUTES = 32, TOKEN_MAX = 2 * FLOW_TOKEN_MAX + 32 };

static void write_uri(struct buf *b, const struct flow *side, struct span user)
{
    buf_lit(b, "<sip:");
    buf_put(b, user);
    buf_putc(b, '@');
    buf_put(b, siptp_listener_sent_by(side->listener));
    if (side->transport != SIP_UDP) {
        buf_lit(b, ";transport=");
        buf_put(b, sip_transport_uri(side->transport));
    }
    buf_lit(b, ";lr>");
}

void record_route_write(struct buf *b, const struct front *f, const struct flow *caller,
                        const struct flow *callee, const struct sip_msg *m)
{
    char from[FLOW_TOKEN_MAX], to[FLOW_TOKEN_MAX], text[TOKEN_MAX];
    struct buf fb = BUF_INIT(from), tb = BUF_INIT(to), user = BUF_INIT(text);
    flow_token(caller, &fb);
    flow_token(callee, &tb);
    route_token_write(&user, &f->route_key, buf_span(&fb), buf_span(&tb), m);
    if (!buf_ok(&fb) || !buf_ok(&tb) || !buf_ok(&user)) {
        b->full = true;
        return;
    }
    if (callee->transport != caller->transport || callee->listener != caller->listener) {
        write_uri(b, callee, buf_span(&user));
        buf_lit(b, ", ");
    }
    write_uri(b, caller, buf_span(&user));
}

/* The flow that this user part names for the request. */
static int find_flow(struct front *f, struct span user, const struct sip_msg *m, struct flow **out)
{
    struct span token;
    int err = route_token_read(user, &f->route_key, m, &token);
    if (!err)
        err = siptp_flow_by_token(f->tp, token, out);
    return err == CS_ENOENT ? CS_ECLOSED : err;
}

static bool is_ours(struct front *f, const struct sip_uri *uri)
{
    return uri->user.p && siptp_is_us(f->tp, uri->host, uri->port);
}

int record_route_read(struct front *f, struct sip_msg *m, struct dialog_route *out)
{
    struct span *routes = arena_alloc(&m->arena, MAX_ROUTES * sizeof(*routes));
    size_t n = 0, first = 0;
    struct sip_uri ours = { 0 };
    *out = (struct dialog_route){ 0 };
    if (!routes)
        return CS_ENOMEM;
    for (struct sip_values it = sip_values(m, SIP_HDR_ROUTE); sip_next(&it);) {
        if (n == MAX_ROUTES)
            return CS_EPROTO;
        routes[n++] = it.value;
    }
    /* A strict router put our own URI into the Request-URI and the target behind the Routes (16.4).
     */
    if (n && is_ours(f, &m->uri) && span_find(m->uri.user, '.') > 0) {
        struct sip_addr target;
        if (sip_addr_parse(routes[--n], &target))
            return CS_EPROTO;
        ours = m->uri;
        out->uri = target.uri.text;
    }
    for (; first < n; first++) { /* one or two of ours stand on top */
        struct sip_addr route;
        if (sip_addr_parse(routes[first], &route))
            return CS_EPROTO;
        if (!siptp_is_us(f->tp, route.uri.host, route.uri.port) &&
            !(conf_serves(f->conf, route.uri.host)))
            break;
        if (route.uri.user.p)
            ours = route.uri;
    }
    out->routes = routes + first;
    out->n_routes = n - first;
    if (!ours.user.p) /* no Route, or one that only names us as outbound proxy */
        return out->n_routes ? CS_EPROTO : CS_ENOENT;
    return find_flow(f, ours.user, m, &out->to);
}
