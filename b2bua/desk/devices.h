/* Desk phones that attached, as far as authd has a say: each was asked about, and is asked about
 * again before its passes end, when its record, a user of its lines or what it rests on is another,
 * and when authd was away. Whoever carries the phone's connection hears what became of it. */
#ifndef CS_B2BUA_DESK_DEVICES_H
#define CS_B2BUA_DESK_DEVICES_H

#include "gate/gate.h"

struct devices;
struct device_grant; /* one connection's */

/* ACCEPT: it may attach, or stays; m->record is what it is now, and its passes are good from here
 * on: the first time, and whenever it may be another than it was. REJECT: it may not, or no longer:
 * m->cause for logs, m->decision for the phone; nothing follows but device_grant_close(). LATER:
 * nobody can say, and only the first time; what stands stands while authd is away. Borrowed for the
 * call, in which device_grant_close() may be called. */
typedef void device_grant_fn(void *arg, enum verdict kind, const Countersign__Auth__Attached *m);

/* The gate is borrowed, outlives it, and tells it alone what changed (gate_on_changed()). */
CS_CHECK int devices_open(struct loop *l, struct gate *g, struct devices **out);
/* None may be open. */
void devices_close(struct devices **d);
/* From whoever hears of the gate's revocations: what is concerned is asked about again. */
void devices_revoked(struct devices *d, const Countersign__Auth__Revoked *r);

/* Asks; fn is called later, never from inside this call. What d points to is copied. CS_ENOMEM. */
CS_CHECK int device_grant_open(struct devices *all, const struct gate_device *d,
                               device_grant_fn *fn, void *arg, struct device_grant **out);
/* fn will not be called. */
void device_grant_close(struct device_grant **d);
/* A pass of its is not taken: asks for others, in a moment. */
void device_grant_refused(struct device_grant *d);
/* A token was given for it: from now on it registers, which is the same device. */
void device_registers(struct device_grant *d);

#endif
