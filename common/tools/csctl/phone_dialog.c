#include "phone_dialog.h"

#include "base/rand.h"

/* Random text of 24 characters. */
static void random_text(char *out, size_t cap)
{
    unsigned char bytes[18];
    struct buf b = buf_of(out, cap - 1);
    rand_bytes(bytes, sizeof(bytes));
    buf_base64url(&b, bytes, sizeof(bytes));
    out[b.n] = '\0';
}

void dialog_init(struct dialog *d, struct span local, struct span remote, struct span target)
{
    *d = (struct dialog){ 0 };
    random_text(d->call_id, sizeof(d->call_id));
    random_text(d->local_tag, sizeof(d->local_tag));
    span_copy(d->local, sizeof(d->local), local);
    span_copy(d->remote, sizeof(d->remote), remote);
    span_copy(d->target, sizeof(d->target), target);
}

static int keep(char *dst, size_t cap, struct span s)
{
    span_copy(dst, cap, s);
    return s.n < cap ? 0 : CS_ELIMIT;
}

static int keep_target(struct dialog *d, const struct sip_msg *m)
{
    struct sip_addr contact;
    if (sip_addr_parse(sip_hdr_value(m, SIP_HDR_CONTACT), &contact))
        return CS_EPROTO;
    return keep(d->target, sizeof(d->target), contact.uri.text);
}

static void put_route(struct buf *b, struct span value)
{
    buf_lit(b, "Route: ");
    buf_put(b, value);
    buf_lit(b, "\r\n");
}

/* The Record-Route values, in their order for the callee, turned round for the caller. */
static int keep_routes(struct dialog *d, const struct sip_msg *m, bool reversed)
{
    struct span value[32];
    size_t n = 0;
    struct buf b = buf_of(d->routes, sizeof(d->routes) - 1);
    for (struct sip_values it = sip_values(m, SIP_HDR_RECORD_ROUTE); sip_next(&it);) {
        if (n == CS_LEN(value))
            return CS_ELIMIT;
        value[n++] = it.value;
    }
    for (size_t i = 0; i < n; i++)
        put_route(&b, value[reversed ? n - 1 - i : i]);
    d->routes[b.n] = '\0';
    return buf_ok(&b) ? 0 : CS_ELIMIT;
}

int dialog_confirm(struct dialog *d, const struct sip_msg *response)
{
    if (!response->to.tag.n)
        return CS_EPROTO;
    int err = keep(d->remote_tag, sizeof(d->remote_tag), response->to.tag);
    if (!err)
        err = keep_target(d, response);
    return err ? err : keep_routes(d, response, true);
}

int dialog_accept(struct dialog *d, const struct sip_msg *invite, struct span local_tag)
{
    *d = (struct dialog){ 0 };
    int err = keep(d->call_id, sizeof(d->call_id), invite->call_id);
    if (!err)
        err = keep(d->local, sizeof(d->local), invite->to.uri.text);
    if (!err)
        err = keep(d->remote, sizeof(d->remote), invite->from.uri.text);
    if (!err)
        err = keep(d->remote_tag, sizeof(d->remote_tag), invite->from.tag);
    if (!err)
        err = keep(d->local_tag, sizeof(d->local_tag), local_tag);
    if (!err)
        err = keep_target(d, invite);
    return err ? err : keep_routes(d, invite, false);
}

bool dialog_owns(const struct dialog *d, const struct sip_msg *request)
{
    return span_eq(span_str(d->call_id), request->call_id) &&
           span_eq(span_str(d->local_tag), request->to.tag) &&
           span_eq(span_str(d->remote_tag), request->from.tag);
}
