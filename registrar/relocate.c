#include "registrar/relocate.h"

#include "base/metric.h"
#include "registrar/gruu.h"
#include "registrar/route_token.h"

struct relocation { /* in the message's arena */
    struct front *front;
    bool secure;
    struct sip_msg *msg;
    const struct dialog_route *route;
    struct span aor;
    struct location_call *call;
    relocate_fn *fn;
    void *arg;
};

bool relocate_can(const struct front *f, const struct sip_msg *m, const struct dialog_route *route)
{
    return route->from.p && m->to.tag.p && conf_serves(f->conf, m->to.uri.host);
}

static bool is_the_phone(const struct front *f, const struct sip_msg *m, const void *arg,
                         const Countersign__Store__Binding *b)
{
    const struct dialog_route *route = arg;
    struct span instance = span_str(b->instance);
    struct sip_uri contact;
    if (gruu_is(&m->uri))
        return gruu_names(&m->uri, instance);
    if (route->tag.n && route_tag_names(route->tag, &f->route_key, instance))
        return true;
    return sip_uri_parse(span_str(b->contact), &contact) == 0 && sip_uri_eq(&contact, &m->uri);
}

/* Behind our own Routes there may be those of proxies between us and the phone: they are the
 * binding's Path now. */
static void on_record(void *arg, int err, const struct location *read)
{
    struct relocation *r = arg;
    struct sip_msg *m = sip_msg_ref(r->msg); /* r and the targets live in its arena */
    struct targets t = { 0 };
    if (!err)
        err = targets_of(r->front, r->secure, r->msg, r->aor, read->record, 1, is_the_phone,
                         r->route, &t);
    if (!err && t.n == 0)
        err = t.too_open ? CS_EDENIED : CS_ENOENT;
    if (!err)
        metric_inc(M_REG_RELOCATED, 0);
    r->fn(r->arg, err, err ? NULL : &t);
    targets_release(&t);
    sip_msg_unref(&m);
}

struct relocation *relocate(struct front *f, const struct flow *from, struct sip_msg *m,
                            const struct dialog_route *route, relocate_fn *fn, void *arg)
{
    struct relocation *r = arena_alloc(&m->arena, sizeof(*r));
    if (!r)
        return NULL;
    *r = (struct relocation){
        .front = f, .secure = flow_is_secure(from), .msg = m, .route = route, .fn = fn, .arg = arg
    };
    r->aor = front_aor(m, &m->to.uri);
    r->call = r->aor.p ? location_get(f->locations, r->aor, &m->arena, on_record, r) : NULL;
    return r->call ? r : NULL;
}

void relocate_cancel(struct relocation *r)
{
    location_cancel(r->call);
}
