/* Facts of a request to authd, and its verdict to a SIP answer. registrar and b2bua both stand
 * behind it. */
#ifndef CS_GATE_GATE_H
#define CS_GATE_GATE_H

#include "auth.pb-c.h"
#include "base/metric.h"
#include "siptx/siptx.h"

/* Zero does not accept, and a dead database is LATER, which the phone sees as 503 and never as a
 * wrong password. */
enum verdict { VERDICT_NONE, VERDICT_ACCEPT, VERDICT_CHALLENGE, VERDICT_REJECT, VERDICT_LATER };

struct gate;
struct gate_ask;

struct gate_conf {
    const char *socket; /* authd's */
    const char *node;
    Countersign__Auth__Role role;
    struct duration deadline; /* 0: 2 s; then the verdict is LATER */
    size_t max_open;          /* questions in flight; beyond it LATER at once; 0: 20000 */
};

CS_CHECK int gate_open(struct loop *l, const struct gate_conf *conf, struct gate **out);
/* Every open question gets LATER first. Sets *g to NULL. */
void gate_close(struct gate **g);
bool gate_is_ready(const struct gate *g);
/* Whether challenges in hand are used (the default). Not while something is away that the answer to
 * such a challenge would need: an outage is 503, not a challenge. */
void gate_use_leases(struct gate *g, bool use);

/* What is no longer so: what r->user did for one of r->aor, where user is NULL what anybody did;
 * with r->rests_on set what rests on that; with r->lost set whatever was accepted before
 * (auth.proto, Revoked). Borrowed for the call.
 *
 * Verdicts and these calls come in authd's order: an ACCEPT that was decided before a revocation
 * was handed to its gate_fn before, so whoever is still at work on it finds out here; one that
 * comes behind rests on what stood after. While authd is away nothing is heard; what was missed
 * comes when it is back, before or among the first verdicts. A call may come twice. */
typedef void gate_revoked_fn(void *arg, const Countersign__Auth__Revoked *r);
/* One at a time, NULL for none; to be set before the loop runs, or what came earlier is missed. */
void gate_on_revoked(struct gate *g, gate_revoked_fn *fn, void *arg);

/* What authd is told of this front every five seconds (auth.proto, Summary). Borrowed while the
 * gate lives. */
struct gate_summary {
    const struct gate_count { /* a counter of metrics.def; ends with a NULL name */
        const char *name;
        enum metric metric;
        unsigned i;
    } * counts;
    const char *times; /* of a histogram's counts; NULL: of none */
    enum metric histogram;
    char *(*state)(void *arg); /* a JSON object, to be freed; NULL: none this time */
    void *arg;
};
enum { GATE_STATE_MAX = 48 * 1024 };
/* Once. */
void gate_summarize(struct gate *g, const struct gate_summary *what);

/* Whether this source is heard at all: not when it is banned, nor when nobody was accepted there
 * yet and it says more than strangers may. To be asked of each message before it is read; where the
 * answer is no, nothing is said. */
bool gate_admits(struct gate *g, const struct addr *from);
/* Somebody was accepted there: no stranger any more. Verdicts tell that by themselves. */
void gate_knows(struct gate *g, const struct addr *from);
/* What it does besides asking, told to authd once a second. proven: it came over a connection. */
void gate_saw(struct gate *g, Countersign__Auth__Abuse abuse, const struct addr *from, bool proven);
/* What is connected from there has to go, unless the ban is lifted. Borrowed for the call; NULL:
 * all bans are forgotten, and those that stand come behind it. */
struct gate_ban {
    struct cidr net;
    uint16_t port;        /* 0: any */
    struct duration rest; /* 0: it is lifted */
    bool partly;          /* some of it is exempt */
};
typedef void gate_banned_fn(void *arg, const struct gate_ban *ban);
/* One at a time, NULL for none; to be set before the loop runs. */
void gate_on_banned(struct gate *g, gate_banned_fn *fn, void *arg);

/* Facts that the message and its flow do not tell. */
struct gate_facts {
    struct span domain;                       /* host of the Request-URI, lower case */
    struct span from_aor, to_aor, target_aor; /* canonical; absent where they are none */
    bool registered;                          /* the flow carries a binding of from_aor */
};

/* v is borrowed for the call; v->kind is never NONE. grant is not NULL when it is ACCEPT. */
typedef void gate_fn(void *arg, enum verdict kind, const Countersign__Auth__Verdict *v);

/* Asks. fn is called once, never from inside this call. While authd is away the question waits for
 * it until the deadline, with references to f and m; the facts' texts are m's arena's, or live as
 * long as the gate. NULL when memory is exhausted. */
struct gate_ask *gate_ask(struct gate *g, struct flow *f, struct sip_msg *m,
                          const struct gate_facts *facts, gate_fn *fn, void *arg);
/* Tells authd, when it can be told, what the front decided by itself: that this passed without a
 * verdict (UNJUDGED, status 0), or that it was refused with this SIP status although it was
 * accepted. References f and m till then; the facts' texts as in gate_ask(). */
void gate_report(struct gate *g, struct flow *f, struct sip_msg *m, const struct gate_facts *facts,
                 Countersign__Auth__Cause cause, unsigned status);
/* fn will not be called; authd is told. */
void gate_cancel(struct gate_ask *ask);

/* Challenges a request without credentials by what authd left in hand for such, without a
 * transaction. False: nothing is in hand for it, or it shows credentials; ask. */
bool gate_challenge(struct gate *g, struct flow *f, const struct sip_msg *m,
                    const struct gate_facts *facts);

/* ---- challenges that trunks put to us ---- */

struct gate_challenge { /* borrowed for the call; absent where it is not said: see Sign in
                           auth.proto */
    struct span trunk, method, uri, realm, user, route, call_id;
    struct span body;              /* sent on where a challenge is of auth-int */
    const struct span *challenges; /* values of WWW- or (proxy) Proxy-Authenticate, in order */
    size_t n_challenges;
    bool proxy;
};

/* ACCEPT: value is that of the Authorization or Proxy-Authorization of the request that follows,
 * borrowed for the call. REJECT: cause says why, for logs alone. LATER: authd or its store could
 * not be asked. */
typedef void gate_signed_fn(void *arg, enum verdict kind, Countersign__Auth__Cause cause,
                            struct span value);
struct gate_sign;

/* Has a challenge answered; the gate's role must be b2bua. fn is called once, never from inside
 * this call. While authd is away the question waits for it until the deadline. NULL when memory is
 * exhausted or the gate is being closed. */
struct gate_sign *gate_sign(struct gate *g, const struct gate_challenge *c, gate_signed_fn *fn,
                            void *arg);
/* fn will not be called. */
void gate_sign_cancel(struct gate_sign *s);

/* ---- calls that are to be made ---- */

struct gate_call { /* borrowed for the call; absent where it is not said: see Admit in auth.proto */
    struct span lease, call_id, caller, from_trunk, to_trunk, destination;
    bool emergency;
};

/* m is borrowed for the call; ACCEPT, REJECT, or LATER: authd or its store could not be asked. */
typedef void gate_admitted_fn(void *arg, enum verdict kind, const Countersign__Auth__Admitted *m);
struct gate_admit;

/* As gate_sign(). */
struct gate_admit *gate_admit(struct gate *g, const struct gate_call *c, gate_admitted_fn *fn,
                              void *arg);
/* fn will not be called. */
void gate_admit_cancel(struct gate_admit *a);
/* Which calls go on, and which are over; not heard while authd is away. */
void gate_tell_leases(struct gate *g, const Countersign__Auth__CallLeases *m);

/* ---- desk phones that attach ---- */

struct gate_device {            /* borrowed for the call: see Attach in auth.proto */
    struct span name, listener; /* the name that it says; the listener's in the configuration */
    struct span software;       /* its load; absent: not said */
    const struct addr *source;
    bool tls;
    bool token;                 /* it asks whether it may come back, and does not register yet */
    bool unproven;              /* it came over UDP: anybody can write any source */
    struct span file;           /* it fetches this, and attaches not yet; absent: it attaches */
    struct span ticket;         /* that it showed for the file; absent: none */
    uint32_t type, version;     /* as it says */
    X509 *certificate, *issuer; /* that its handshake proved; NULL: none */
};

/* m is borrowed for the call. ACCEPT: m->record is there. REJECT: m->cause says why, for logs
 * alone; LATER: authd or its store could not be asked. */
typedef void gate_attached_fn(void *arg, enum verdict kind, const Countersign__Auth__Attached *m);
struct gate_attach;
/* May it attach? The gate's role must be b2bua. fn is called once, never from inside this call.
 * While authd is away the question waits for it until the deadline. NULL when memory is exhausted
 * or the gate is being closed. */
struct gate_attach *gate_attach(struct gate *g, const struct gate_device *d, gate_attached_fn *fn,
                                void *arg);
/* fn will not be called. */
void gate_attach_cancel(struct gate_attach *a);

/* What was said of this device may be another by now (auth.proto, Changed): it is to be asked for
 * again. device absent: any; so it is, too, each time authd is there. */
typedef void gate_changed_fn(void *arg, struct span device);
/* One at a time, NULL for none; to be set before the loop runs. */
void gate_on_changed(struct gate *g, gate_changed_fn *fn, void *arg);

/* ACCEPT: it is kept. REJECT: it never will be. LATER: it may be worth another try. */
typedef void gate_kept_fn(void *arg, enum verdict kind, Countersign__Auth__Cause cause);
struct gate_keep;
/* What somebody set at the phone itself; k->id is ignored. Else as gate_attach(). */
struct gate_keep *gate_keep(struct gate *g, const Countersign__Auth__Keep *k, gate_kept_fn *fn,
                            void *arg);
void gate_keep_cancel(struct gate_keep *k);

/* ---- who looks at messages ---- */

/* m: what somebody wants to see (auth.proto, Trace), borrowed; NULL: nobody wants anything any
 * more, for authd is away. */
typedef void gate_trace_fn(void *arg, const Countersign__Auth__Trace *m);
/* One at a time, NULL for none; to be set before the loop runs. */
void gate_on_trace(struct gate *g, gate_trace_fn *fn, void *arg);
/* False: it cannot be told. */
bool gate_tell_traced(struct gate *g, const Countersign__Auth__Traced *m);
Countersign__Auth__Transport gate_transport(enum sip_transport t);

/* Answers the transaction with anything but ACCEPT: challenge, refusal, or 503. The decision id
 * goes into the Reason header of refusals. */
void gate_refuse(struct tx *t, enum verdict kind, const Countersign__Auth__Verdict *v);

#endif
