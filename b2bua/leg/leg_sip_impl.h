/* What the files of a SIP leg share. */
#ifndef CS_B2BUA_LEG_LEG_SIP_IMPL_H
#define CS_B2BUA_LEG_LEG_SIP_IMPL_H

#include "b2bua/leg/leg_sip.h"
#include "base/list.h"
#include "gate/resting.h"

struct reliable { /* our last provisional answer, until its PRACK comes */
    struct sip_leg *leg;
    char *text; /* as it was sent; NULL: none waits */
    size_t n;
    unsigned status;
    bool answers; /* the offer of the INVITE */
    uint32_t rseq;
    struct timer timer;
    struct duration after;
    struct mono due;
    char *next; /* description of what is to follow; NULL: nothing */
    unsigned next_status;
};

struct sent_ok { /* our 2xx to an INVITE, repeated until its ACK (RFC 3261, 13.3.1.4) */
    struct sip_leg *leg;
    struct tx *tx;
    uint32_t cseq;
    bool offers; /* it holds an offer: the ACK answers */
    struct timer timer;
    struct duration after;
    struct mono due; /* nobody acknowledges any more */
    size_t n;
    char text[];
};

enum leg_state {
    LEG_ASKED,  /* its INVITE is to be answered by us */
    LEG_ASKING, /* ours is to be answered */
    LEG_UP,
    LEG_OVER, /* for the call; its other end may not know yet */
};

struct sip_leg {
    struct leg leg;
    const struct leg_sip_means *means;
    struct list link;     /* means->all */
    struct map_node node; /* means->legs, by local tag */
    struct dialog dialog;
    enum leg_state state;
    struct span trunk, route;   /* absent: a line */
    char *contact;              /* URI */
    char *origin;               /* leg_sip_out.origin; NULL: they asked */
    struct resting *rests;      /* what the place of a line rests on; NULL: a trunk */
    uint32_t peer;              /* of lines: the registrar; 0: not known yet */
    struct journal_line *noted; /* NULL: not */
    struct addr source;         /* of trunks: where their requests come from */

    /* What the other side asked. */
    struct tx *asked;          /* INVITE, re-INVITE or UPDATE without its answer; NULL: none */
    struct sent_ok *ok;        /* NULL: none waits for its ACK */
    struct reliable *reliable; /* NULL: none was sent */
    struct {                   /* offers before the INVITE has its final answer */
        bool agreed;           /* its own has an answer that both know to be there */
        bool used;             /* another one was made */
        struct tx *asked;      /* theirs, without its answer; NULL: none */
        struct uac *asking;    /* ours */
    } early;

    /* What we asked. */
    uint32_t rseq;      /* of the last reliable provisional answer; 0: none came */
    struct uac *asking; /* INVITE or re-INVITE, kept for a 2xx that comes again; NULL: none */
    bool waiting;       /* for its final answer */
    bool offerless;     /* it had no description: the 2xx is to have an offer */
    char *reason;       /* why it ended, for a BYE that waits; NULL: nothing was said */
    bool ended_early;   /* it was cancelled: should it be taken all the same, it ends */
    uint32_t ack_cseq;
    char *ack_proofs; /* credentials of the INVITE */
    char *ack;        /* as it was sent, for each 2xx that comes again */
    size_t ack_n;
    struct flow *ack_flow;
    struct hop *ack_hop; /* while it walks */
    char *ack_uri, *ack_sdp;
    struct hop_walk *ack_walk;
    char *lines; /* of our first INVITE, besides those that each has; NULL: it was taken */
    struct session_timer session;
    struct timer refresh; /* of it, by us, or too late for them */
    bool refreshing;      /* what is asked is that */
    bool modifies;        /* an offer of ours waits for what is open before it; */
    char *offer;          /* NULL: it is to have none */
    struct turn no_room;  /* it cannot be sent */
    bool updates;         /* UPDATE is known to them */
    struct uac *bye;
    bool referred, quiet; /* it was; and wants no NOTIFY (RFC 4488) */
    struct list asides;   /* struct aside: requests whose answer changes nothing */
};

struct aside {
    struct list link;
    struct dialog *own; /* of a fork that is ended; NULL: the leg's */
    struct uac *request;
    struct sip_leg *leg;
};

#define LEG_OF(l) container_of((l), struct sip_leg, leg)

/* leg_sip.c */
/* What a registrar says that the line rests on. */
void sip_leg_rest(struct sip_leg *l, const struct sip_msg *m);
struct sip_leg *sip_leg_new(const struct leg_sip_means *m, struct span contact, struct span trunk,
                            const struct leg_events *events, void *arg);
/* Under its local tag, once there is one. */
CS_CHECK int sip_leg_enter(struct sip_leg *l);
void sip_leg_free(struct sip_leg *l);
/* Frees it when it is over and nobody is waited for. True: it is gone. */
bool sip_leg_settle(struct sip_leg *l);
/* It stands now: should we be gone, somebody has to end it. */
void sip_leg_note(struct sip_leg *l);
/* Tells the call, once, that it is over. */
void sip_leg_over(struct sip_leg *l, const struct leg_end *why);
/* The body, where it is a description; absent: there is none. False: it is something else. */
bool sip_leg_sdp(const struct sip_msg *m, struct span *out);
static inline bool sip_leg_is_line(const struct sip_leg *l)
{
    return !l->trunk.p;
}
/* Headers that each of our dialog's messages has. */
void sip_leg_lines(struct buf *b, const struct sip_leg *l);
void sip_leg_write_end(struct buf *b, const struct leg_end *why, struct span agent);

/* leg_sip_refresh.c */
/* A dialog that stands, or was refreshed: from now on its time runs. */
void sip_leg_arm(struct sip_leg *l, const struct sip_msg *m);
void sip_leg_refresh_init(struct sip_leg *l);
/* What came of a refresh by re-INVITE. */
void sip_leg_refreshed(struct sip_leg *l, const struct sip_msg *resp);

/* leg_sip_reliable.c */
/* False: it need not be reliable. */
bool sip_leg_ring_reliably(struct sip_leg *l, unsigned status, struct span sdp);
/* True: the answer waits for a PRACK. */
bool sip_leg_answers_later(struct sip_leg *l, struct span sdp);
void sip_leg_in_prack(struct sip_leg *l, struct tx *tx, const struct sip_msg *prack);
void sip_leg_forget_reliable(struct sip_leg *l);
/* Acknowledges a provisional answer of theirs, if it is a reliable one. True: it is, and of the
 * dialog that stands. */
bool sip_leg_prack(struct sip_leg *l, const struct sip_msg *resp);

/* leg_sip_early.c */
/* An UPDATE or INVITE, answered here or told. */
void sip_leg_in_early(struct sip_leg *l, struct tx *tx, const struct sip_msg *req);
/* An offer in it is told. False: there may be none now. */
bool sip_leg_take_early(struct sip_leg *l, struct tx *tx, const struct sip_msg *req,
                        struct span sdp);
/* The one that is open. */
void sip_leg_answer_early(struct sip_leg *l, struct span sdp);
void sip_leg_refuse_early(struct sip_leg *l, const struct leg_end *why);
bool sip_leg_update(struct leg *l, struct span sdp);
void sip_leg_forget_early(struct sip_leg *l);
/* What they know, of a message that says so. */
void sip_leg_allows(struct sip_leg *l, const struct sip_msg *m);
/* Who asks while something else is open waits a little (RFC 3261, 14.2; RFC 3311, 5.2). */
void sip_leg_reply_wait(struct tx *tx);

/* leg_sip_refer.c */
void sip_leg_in_refer(struct sip_leg *l, struct tx *tx, const struct sip_msg *req);
void sip_leg_notify(struct leg *leg, unsigned status);

/* leg_sip_in.c */
void sip_leg_dialog_lines(struct buf *b, const struct sip_leg *l, const struct sip_msg *req);
void sip_leg_in(struct sip_leg *l, struct tx *tx, struct flow *flow, struct sip_msg *req);
void sip_leg_in_ack(struct sip_leg *l, struct sip_msg *ack);
void sip_leg_ring(struct leg *l, unsigned status, struct span sdp);
void sip_leg_answer(struct leg *l, struct span sdp);
void sip_leg_settle_offer(struct leg *l, unsigned status, struct span sdp);
void sip_leg_refuse_offer(struct leg *leg, const struct leg_end *why);
void sip_leg_refuse(struct sip_leg *l, const struct leg_end *why);
void sip_leg_forget_ok(struct sip_leg *l);

/* leg_sip_out.c */
void sip_leg_ack(struct leg *l, struct span sdp);
void sip_leg_modify(struct leg *l, struct span sdp);
/* True: what came of it will be told. */
bool sip_leg_withdraw(struct leg *l);
void sip_leg_info(struct leg *l, struct span type, struct span body);
/* A request whose answer changes nothing. own: its dialog, taken over; NULL: the leg's. */
void sip_leg_send_aside(struct sip_leg *l, struct uac_conf *conf, struct dialog *own);
struct uac_conf sip_leg_in_dialog(struct sip_leg *l, enum sip_method method);
/* What we asked, and what may come of it. */
void sip_leg_forget_asking(struct sip_leg *l);
/* Sends a re-INVITE. */
void sip_leg_reinvite(struct sip_leg *l, struct span sdp);
/* The offer that had to wait, if there is one. */
void sip_leg_modify_now(struct sip_leg *l);
void sip_leg_modify_init(struct sip_leg *l);
void sip_leg_bye(struct sip_leg *l, const struct leg_end *why);
/* The one that waited for an ACK or an answer. */
void sip_leg_bye_late(struct sip_leg *l);
void sip_leg_forget_out(struct sip_leg *l);

#endif
