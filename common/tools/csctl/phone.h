/* A SIP phone for trying out a server: registers, calls, answers, hangs up, unregisters. All it
 * sends goes to one server, as with an outbound proxy. It never waits: let the loop run and look at
 * what has happened. */
#ifndef CS_TOOLS_PHONE_H
#define CS_TOOLS_PHONE_H

#include "base/ct.h"
#include "phone_dialog.h"
#include "phone_digest.h"
#include "siptx/siptx.h"

struct phone_conf { /* spans and secret outlive the phone */
    struct span user, domain;
    const struct secret *password;
    enum sip_transport transport;
    struct addr server;
    struct tls_context *tls; /* a client's; over SIP_TLS the server must say domain, */
    struct span host, path;  /* of a WebSocket: over SIP_WSS host, which is in its URL */
};

enum { ASK_LINES = 1024, ASK_CREDENTIALS = 2048, ASK_TRAIL = 64 };

/* One request of ours, from its first sending to its last answer; challenges are answered on the
 * way, unless the owner says not to. Zeroed and filled by the phone_ functions; end with
 * ask_fini(). */
struct ask {
    struct phone *phone;
    enum sip_method method;
    struct dialog *dialog; /* own, or of the phone, or of the call */
    struct dialog own;
    char uri[DIALOG_URI]; /* Request-URI */
    char lines[ASK_LINES];
    char credentials[ASK_CREDENTIALS]; /* header line as it was sent last; "" if none */
    bool has_body;
    const char *sdp; /* instead of the usual one; outlives it */
    bool bare;       /* set by the owner before sending: a challenge is not answered */
    /* What has happened: */
    uint32_t cseq;
    unsigned answered;  /* challenges */
    unsigned challenge; /* status of the first, 401 or 407 */
    enum digest_alg alg;
    bool longer;            /* a 423 was followed */
    bool rang;              /* 180 */
    bool ended;             /* INVITE: the other side hung up */
    bool done;              /* answer is set, or err */
    struct sip_msg *answer; /* final */
    int err;                /* CS_ETIMEOUT, CS_ECLOSED, or why it could not be sent */
    char trail[ASK_TRAIL];  /* "407, 180, 200" */
    struct tx *tx;
};

/* The last INVITE that came in. It rings by itself. */
struct call {
    struct tx *tx;
    struct sip_msg *invite; /* NULL: none came yet */
    struct dialog dialog;
    bool came, acked, cancelled, ended;
    struct timer again; /* the 200 until its ACK (RFC 3261, 13.3.1.4) */
    struct duration after;
    char ok[8192];
    size_t ok_n;
};

struct phone { /* read-only for others */
    struct loop *loop;
    struct phone_conf conf;
    struct siptp *tp;
    struct siptx *tx;
    struct siptp_listener *listener;
    struct flow *flow;
    char aor[DIALOG_URI], contact[DIALOG_URI];
    struct dialog registration; /* one Call-ID for all REGISTERs (RFC 3261, 10.2.4) */
    struct call call;
    struct ask *made; /* the call we made, once it was answered */
};

CS_CHECK int phone_open(struct loop *l, const struct phone_conf *conf, struct phone **out);
/* Its asks must have been finished by ask_fini(). Sets *p to NULL. */
void phone_close(struct phone **p);

/* Each sends at once; a failure shows in the ask, as everything does. */
void phone_options(struct phone *p, struct ask *a);
/* Expires 0 unregisters. A 423 is followed. credentials: the header line of an earlier ask to show
 * again, or NULL. */
void phone_register(struct phone *p, struct ask *a, unsigned expires, const char *credentials);
void phone_query(struct phone *p, struct ask *a);
void phone_invite(struct phone *p, struct ask *a, struct span user, bool bare);
/* The same with this description; it outlives the ask. */
void phone_invite_with(struct phone *p, struct ask *a, struct span user, const char *sdp);
/* Ends a call: d is that of the call or of the ask that made it. */
void phone_bye(struct phone *p, struct ask *a, struct dialog *d);
/* Gives up an INVITE. */
void ask_cancel(struct ask *a);
void ask_fini(struct ask *a);

/* Answers the call with 200 and this description, or where that is absent the usual one. */
void phone_answer(struct phone *p, struct span sdp);
/* Forgets the call, refusing it with 480 if it still rings. */
void phone_forget_call(struct phone *p);

/* Content-Type, Content-Length and an SDP body; offer: what it answers, or NULL. */
void phone_write_body(struct buf *b, const struct phone *p, const struct sip_msg *offer);
/* "sip:" user "@" host, with what may not stand in a user part escaped. */
void phone_uri(struct buf *b, struct span user, struct span host);

#endif
