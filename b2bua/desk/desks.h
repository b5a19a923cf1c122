/* Desk phones that speak SCCP: where they connect, who is asked for them, and how they stand. */
#ifndef CS_B2BUA_DESK_DESKS_H
#define CS_B2BUA_DESK_DESKS_H

#include <jansson.h>

#include "b2bua/config.h"
#include "b2bua/desk/desk.h"
#include "b2bua/desk/devices.h"
#include "b2bua/sccp/server.h"
#include "certs/certs.h"

struct ua;

struct desks {
    struct ua *ua;
    struct sccp sccp;
    struct sccp_directory directory;
    struct devices *devices; /* NULL: nobody can be asked yet */
    struct sccp_listener *listeners[DESK_LISTENERS_MAX];
    size_t n_listeners;
    struct list zones;  /* of devices, read once */
    struct list phones; /* struct desk: those that are here */
    struct line_registrations registrations;
    uint32_t registrars[REGISTRARS_MAX];
    struct media_policy policy; /* of calls: as of lines, in the clear */
    uint32_t last_call;         /* reference */
    struct map mailboxes;       /* struct mailbox: those with messages */
};

/* The listeners among those of u->certs begin with first. u lives as long, the struct itself till
 * the loop has ended. On failure what is wrong was logged, and desks_close() is
 * still due. */
CS_CHECK int desks_open(struct desks *d, struct ua *u, size_t first);
/* From here on authd can be asked. */
CS_CHECK int desks_open_gate(struct desks *d, struct gate *g);
/* From whoever hears of the gate's revocations. */
void desks_revoked(struct desks *d, const Countersign__Auth__Revoked *r);
/* What comes from there is not heard any more. */
void desks_banned(struct desks *d, const struct gate_ban *ban);
/* The line whose Contact has this user part; NULL: it is not here. */
const struct desk_line *desks_line(const struct desks *d, struct span contact);
/* A link to a registrar is closed. */
void desks_flow_closed(struct desks *d, const struct flow *f);
/* No new call is to come to them, since we are about to go. */
void desks_leave(struct desks *d);
bool desks_have_left(const struct desks *d);
/* Before the gate is closed. */
void desks_close(struct desks *d);
/* Each phone that is connected, and how far its registration has come. */
json_t *desks_describe(const struct desks *d);
/* Has a device register again; false: it is not here. */
bool desks_restart(struct desks *d, struct span name, bool reset);

#endif
