/* What desk phones fetch when they boot, over HTTP (port 6970 by custom) and TFTP (RFC 1350). Both
 * are in clear and prove nobody, so they are there where the operator says so; files of phones that
 * speak SCCP hold no secret, and a device whose security asks for more gets none. Over HTTPS (port
 * 6971) a phone may show a certificate, or a one-time token of authd's. Each fetch is judged by
 * authd, as a phone that attaches so from there would be; where the file holds a password, which
 * authd makes for it, it judges that, too.
 *
 * It stands in b2bua and not in authd, which talks to no strangers; b2bua knows no device but what
 * authd says of it then. */
#ifndef CS_B2BUA_PROVISIONING_PROVISIONING_H
#define CS_B2BUA_PROVISIONING_PROVISIONING_H

#include "b2bua/dialplan/dialplan.h"
#include "b2bua/provisioning/phone_file.h"
#include "b2bua/provisioning/trust.h"
#include "certs/certs.h"
#include "conf/conf.h"
#include "gate/gate.h"

struct provisioning_conf {
    struct span listener;          /* what authd calls it */
    struct addr http, tftp, https; /* family none: not by that */
    struct listener_tls_conf *tls; /* of https; NULL: there is none */
    struct trust_conf *trust;      /* NULL: nothing is signed */
    bool default_file, dial_rules; /* for whoever asks */
    struct addr *call_managers;
    size_t n_call_managers;
    struct addr *registrars, *registrars_tls; /* of phones of SIP */
    size_t n_registrars, n_registrars_tls;
};
extern const struct conf_section provisioning_section;

struct provisioning;

/* Where the lines of phones of SIP stand. */
struct provisioning_plan {
    const struct dialplan *plan;
    const struct dialplan_context *lines;
};
/* Opens its sockets; conf and certs, whose listener number `listener` is ours, outlive it. */
CS_CHECK int provisioning_open(struct loop *l, const struct provisioning_conf *conf,
                               const struct provisioning_plan *plan, struct certs *certs,
                               size_t listener, struct provisioning **out);
/* Whom to ask; nothing comes before the loop runs. */
void provisioning_use(struct provisioning *p, struct gate *g);
/* Reads keys and lists of phones' trust again; what cannot be used changes nothing. */
void provisioning_reload(struct provisioning *p);
void provisioning_close(struct provisioning **p);

/* ---- for its transports ---- */
enum provisioned { PROVISIONED, PROVISION_NOT_FOUND, PROVISION_REFUSED, PROVISION_LATER };
/* file is borrowed for the call. */
typedef void provision_fn(void *arg, enum provisioned what, struct span file);
struct provision;
struct provision_facts { /* borrowed for the call */
    const struct addr *from;
    bool tls, unproven;         /* unproven: anybody may have written that address */
    X509 *certificate, *issuer; /* that it showed; NULL: none */
    struct span token;          /* the same; absent */
};
/* fn is called once, never from inside this call. NULL: no memory. */
struct provision *provision_ask(struct provisioning *p, struct span file,
                                const struct provision_facts *facts, provision_fn *fn, void *arg);
/* fn will not be called. */
void provision_cancel(struct provision *a);

#endif
