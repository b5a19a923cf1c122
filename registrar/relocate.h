/* A dialog outlives the flow of a phone: where that is gone, a request of the dialog goes to where
 * the phone is registered now. It is known by its instance, or by the Contact it called itself
 * then. */
#ifndef CS_REGISTRAR_RELOCATE_H
#define CS_REGISTRAR_RELOCATE_H

#include "registrar/record_route.h"
#include "registrar/targets.h"

struct relocation;
/* err is 0, with one target and its spares borrowed for the call; CS_ENOENT: the phone has not come
 * back; CS_EDENIED: it has, but not by what a sips URI may go over; CS_ECLOSED: nobody knows;
 * CS_ENOMEM. */
typedef void relocate_fn(void *arg, int err, const struct targets *phone);

/* Whether m is of a dialog with a phone of ours, so that there is somewhere to look. route is what
 * record_route_read() left when it said CS_ECLOSED. */
bool relocate_can(const struct front *f, const struct sip_msg *m, const struct dialog_route *route);
/* Looks. fn is called once, never from inside; m and route outlive that. from is the flow m came
 * by. NULL: no memory. */
struct relocation *relocate(struct front *f, const struct flow *from, struct sip_msg *m,
                            const struct dialog_route *route, relocate_fn *fn, void *arg);
/* fn will not be called. */
void relocate_cancel(struct relocation *r);

#endif
