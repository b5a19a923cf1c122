/* Our Record-Route, and finding the way of a dialog again by it: its user part is a route token.
 * All registrars of an installation share the key, so each can read it, and passes what another one
 * has the flow for on to that one. */
#ifndef CS_REGISTRAR_RECORD_ROUTE_H
#define CS_REGISTRAR_RECORD_ROUTE_H

#include "registrar/front.h"

/* domain is where the callee's flow leads if it is a next hop's, absent for a phone; tag is that of
 * the callee's instance, absent if it has none. One value, or two where the sides differ in
 * transport or listener (RFC 5658: each side then finds the address that serves it). None for a
 * side that is another registrar: it finds us by its own.
 */
void record_route_write(struct buf *b, const struct front *f, const struct flow *caller,
                        const struct flow *callee, struct span domain, struct span tag,
                        const struct sip_msg *m);

struct dialog_route {
    struct flow *to;           /* a reference of the caller's; NULL when the flow is gone */
    struct span from;          /* token of the flow that this side of the dialog has; absent: not of
                                * a dialog, but the Path of a binding */
    struct span tag;           /* of the phone it leads to: route_tag_names() */
    struct span uri;           /* new Request-URI after a strict router (16.4); absent: keep */
    const struct span *routes; /* Route values that remain, in the message's arena; all of them when
                                * another registrar is to read ours */
    size_t n_routes;
};

/* 0 when the request is on its way along a dialog of ours or, from another registrar, to a flow of
 * ours; CS_ENOENT when nothing in it says so; CS_EPROTO when something claims to be ours and is
 * not, CS_ECLOSED when the flow is gone (out is filled in all the same, but for the flow),
 * CS_ENOMEM. */
CS_CHECK int record_route_read(struct front *f, const struct flow *flow, struct sip_msg *m,
                               struct dialog_route *out);

#endif
