#include "registrar/record_route.h"

enum { MAX_ROUTES = 32, SIDE_MAX = FLOW_TOKEN_MAX + 16, TOKEN_MAX = 2 * SIDE_MAX + 32 };

/* As secure as the request (RFC 3261, 16.6 step 4); transport=tls is for sip URIs alone, and only
 * because phones know no other way (RFC 5630, 3.1.4). */
static void write_uri(struct buf *b, const struct flow *side, struct span user, bool sips)
{
    buf_put(b, sips ? SPAN("<sips:") : SPAN("<sip:"));
    buf_put(b, user);
    buf_putc(b, '@');
    buf_put(b, siptp_listener_sent_by(side->listener));
    if (side->transport != SIP_UDP && !(sips && side->transport == SIP_TLS)) {
        buf_lit(b, ";transport=");
        buf_put(b, sip_transport_uri(side->transport));
    }
    buf_lit(b, ";lr>");
}

/* +sip.instance of the Contact; absent if there is none. */
static struct span instance_of(const struct sip_msg *m)
{
    struct sip_addr contact;
    struct span instance;
    if (sip_addr_parse(sip_hdr_value(m, SIP_HDR_CONTACT), &contact) ||
        sip_param(contact.params, SPAN("+sip.instance"), &instance))
        return SPAN_NULL;
    return instance;
}

void record_route_write(struct buf *b, const struct front *f, const struct flow *caller,
                        const struct flow *callee, struct span domain, struct span tag,
                        const struct sip_msg *m)
{
    char from[SIDE_MAX], to[SIDE_MAX], callers[ROUTE_TAG_LEN], text[TOKEN_MAX];
    struct buf fb = BUF_INIT(from), tb = BUF_INIT(to), cb = BUF_INIT(callers),
               user = BUF_INIT(text);
    flow_token(caller, &fb);
    route_tag_write(&cb, &f->route_key, instance_of(m));
    route_tag_put(&fb, buf_span(&cb));
    flow_token_to(callee, domain, &tb);
    route_tag_put(&tb, tag);
    route_token_write(&user, &f->route_key, buf_span(&fb), buf_span(&tb), m);
    if (!buf_ok(&fb) || !buf_ok(&tb) || !buf_ok(&user)) {
        b->full = true;
        return;
    }
    bool sips = m->uri.scheme == SIP_SCHEME_SIPS;
    bool two = callee->transport != caller->transport || callee->listener != caller->listener;
    if (callee->transport == SIP_LINK || caller->transport == SIP_LINK) {
        write_uri(b, callee->transport == SIP_LINK ? caller : callee, buf_span(&user), sips);
        return;
    }
    if (two) {
        write_uri(b, callee, buf_span(&user), sips);
        buf_lit(b, ", ");
    }
    write_uri(b, caller, buf_span(&user), sips);
}

/* The flow of a token: ours, or a link to who has it. What another registrar sent is not sent on to
 * a third, so that it cannot go round. */
static int find_flow(struct front *f, const struct flow *came, struct span token, struct flow **out,
                     bool *elsewhere)
{
    struct flow_token t;
    int err = flow_token_read(f->tp, token, &t);
    if (err)
        return err;
    *elsewhere = t.node != siptp_node(f->tp);
    if (*elsewhere && came->transport == SIP_LINK)
        return CS_EPROTO;
    if (!*elsewhere && t.transport != SIP_LINK)
        err = siptp_flow_by_token(f->tp, token, out);
    else
        err = f->nodes ? nodes_link(f->nodes, *elsewhere ? t.node : t.peer, out) : CS_ENOENT;
    return err == CS_ENOENT ? CS_ECLOSED : err;
}

/* Reads what stands in front of the @: a route token, or from another registrar a flow's. */
static int read_user(struct front *f, const struct flow *came, const struct sip_msg *m,
                     struct span user, struct span *to, struct span *from)
{
    struct flow_token t;
    if (came->transport != SIP_LINK || span_find(user, '.') >= 0)
        return route_token_read(user, &f->route_key, m, to, from);
    *to = user;
    *from = SPAN_NULL;
    route_tag_take(&user);
    return flow_token_read(f->tp, user, &t);
}

/* By its name, or by a token that only we make. */
static bool is_ours(struct front *f, const struct flow *came, const struct sip_msg *m,
                    const struct sip_uri *uri)
{
    struct span to, from;
    return siptp_is_us(f->tp, uri->host, uri->port) || conf_serves(f->conf, uri->host) ||
           (uri->user.p && read_user(f, came, m, uri->user, &to, &from) == 0);
}

int record_route_read(struct front *f, const struct flow *came, struct sip_msg *m,
                      struct dialog_route *out)
{
    struct span *routes = arena_alloc(&m->arena, MAX_ROUTES * sizeof(*routes));
    size_t n = 0, first = 0;
    struct span user = SPAN_NULL, to;
    bool elsewhere;
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
    if (n && m->uri.user.p && span_find(m->uri.user, '.') > 0 &&
        siptp_is_us(f->tp, m->uri.host, m->uri.port)) {
        struct sip_addr target;
        if (sip_addr_parse(routes[--n], &target))
            return CS_EPROTO;
        user = m->uri.user;
        out->uri = target.uri.text;
    }
    for (; first < n; first++) { /* one or two of ours stand on top, with the same token */
        struct sip_addr route;
        if (sip_addr_parse(routes[first], &route))
            return CS_EPROTO;
        if (user.p ? !span_eq(route.uri.user, user) : !is_ours(f, came, m, &route.uri))
            break;
        user = route.uri.user;
    }
    out->routes = routes + first;
    out->n_routes = n - first;
    if (!user.p) /* no Route, or one that only names us as outbound proxy */
        return out->n_routes ? CS_EPROTO : CS_ENOENT;
    int err = read_user(f, came, m, user, &to, &out->from);
    if (!err) {
        out->tag = route_tag_take(&to);
        route_tag_take(&out->from);
        err = find_flow(f, came, to, &out->to, &elsewhere);
    }
    if (!err && elsewhere) {
        out->routes = routes;
        out->n_routes = n;
        if (out->uri.p) { /* two kinds of routers too many */
            flow_unref(&out->to);
            err = CS_EPROTO;
        }
    }
    return err;
}
