/* A leg that is a call of a desk phone, and what it is on the phone: the same from the first digit,
 * when there is no call yet, till the handset is put down, when there is none any more. */
#ifndef CS_B2BUA_LEG_LEG_SCCP_H
#define CS_B2BUA_LEG_LEG_SCCP_H

#include "b2bua/desk/desk.h"
#include "b2bua/desk/desk_media.h"
#include "b2bua/desk/statistics.h"
#include "b2bua/dialplan/dial.h"
#include "b2bua/leg/leg.h"
#include "b2bua/session/session.h"

enum desk_call_state {
    DESK_DIALLING,  /* its user dials */
    DESK_OPENING,   /* it was dialled: the phone is asked where it hears */
    DESK_CALLING,   /* somebody is called */
    DESK_RINGING,   /* it is called */
    DESK_ANSWERING, /* and has been taken: the phone is asked where it hears */
    DESK_UP,
    DESK_FAILED, /* a tone says so, until its user hangs up */
};

enum desk_commit { DESK_NOTHING, DESK_TRANSFER, DESK_CONFERENCE };

struct sccp_leg {
    struct leg leg;   /* events NULL: not in a call */
    struct list link; /* desk.calls */
    const struct desk_line *line;
    struct sccp_session *session;
    uint32_t ref; /* by which the phone knows it */
    enum desk_call_state state;
    bool placed;     /* by the phone */
    bool automatic;  /* it takes its call as soon as it rings */
    bool forwards;   /* what is dialled is where its line's calls go */
    bool speaker;    /* was turned on */
    bool waits;      /* it rings while another one is active: by a tone in that */
    bool hidden;     /* its user has given it away, and hears of it again if nobody takes it */
    bool recalled;   /* nobody has */
    bool conference; /* it is one of several who speak */
    bool over;       /* the phone was told so */
    bool safe;       /* its media are protected as far as who is heard */
    struct dial dial;
    char number[NUMBER_MAX], name[121]; /* of the other side, as text */
    struct timer timer;                 /* to the end of dialling, or for the phone's answer */
    struct timer digit;                 /* to the end of one that is heard */
    struct turn turn;                   /* to tell the call what became of an op */
    unsigned doomed;                    /* status that it ends with then; 0: none */

    char *offer;                    /* that is to be answered, NULL: ours is wanted */
    bool held;                      /* by its user: it neither hears nor speaks; */
    bool told_held;                 /* what was said of that last */
    bool asks;                      /* an offer of ours is open in a call that stands */
    bool settles;                   /* the answer, or our offer, is to be told in a turn */
    bool opening;                   /* the phone has not said yet where it hears */
    const struct desk_codec *codec; /* that it hears by; NULL: it does not */
    struct addr local, offered;     /* where it hears; where we said that */
    bool untold;                    /* the other side knows neither that nor the keys for it */
    struct desk_media peer;         /* codec NULL: not known */
    bool sending;
    struct addr to;              /* where it sends */
    unsigned hears_ms, sends_ms; /* length of packets */
    struct session_keys keys;    /* of its channel and of what it sends, where leg.keys is set */
    bool used, renewed;          /* whether the one was; whether the other was not yet */
    unsigned version;
    struct span extension;         /* of ours that is called, whatever is dialled; absent: none */
    char parks[NUMBER_MAX + 1];    /* where its call is to wait; "": nowhere */
    struct statistics *statistics; /* NULL: the phone has had no channel yet */

    /* A transfer or a conference, in two calls of one phone: */
    struct sccp_leg *first;     /* the call that this one was begun for; NULL: none */
    struct sccp_leg *second;    /* that was begun for this one; NULL: none */
    enum desk_commit committed; /* of the second: as soon as it can be they are joined */
    bool confers;               /* of the second: to three it shall come, not to a transfer */
};

/* Calls a phone on that line. from, name: who calls; absent: not told. sdp:
 * absent: it is to offer. NULL: no memory. */
struct leg *leg_sccp_call(const struct desk_line *line, struct span from, struct span name,
                          struct span sdp, const struct leg_events *events, void *arg);

/* One that was called with that just now, and is not to ring for its user: on the speaker. */
void leg_sccp_take_at_once(struct leg *l);
/* Whether it is one of these. Of any leg. */
bool leg_is_sccp(const struct leg *l);
/* Whether its media are protected all the way to whom its user speaks: the phone shows a lock. Of
 * any leg. */
void leg_sccp_tell_safe(struct leg *l, bool safe);
/* What its phone counts; NULL: it is no phone's, or has had no media. Of any leg. */
struct statistics *leg_sccp_statistics(const struct leg *l);

/* ---- for who hears of the phone's user (desk_user.c) ---- */

/* Another one of that line, in no call yet. NULL: no memory. */
struct sccp_leg *leg_sccp_new(const struct desk_line *line);
/* What was dialled is called. */
void leg_sccp_place(struct sccp_leg *l);
/* The one that rings is taken. */
void leg_sccp_take(struct sccp_leg *l);
/* It is gone, and the call hears this status. */
void leg_sccp_hang_up(struct sccp_leg *l, unsigned status);
/* It is not taken: who calls is told to call there. */
void leg_sccp_divert(struct sccp_leg *l, struct span to);
/* A call that stands goes to where it can be taken from (call/park.h), or the phone says why not.
 */
void leg_sccp_park(struct sccp_leg *l);
/* The call is not to be made: a tone says so. */
void leg_sccp_fail(struct sccp_leg *l, unsigned status);
/* A call that stands is held, or goes on: at the phone at once, and the other side is told as soon
 * as no other offer is open. */
void leg_sccp_hold(struct sccp_leg *l);
void leg_sccp_resume(struct sccp_leg *l);
/* Its user has given it away: the phone shows it no more. */
void leg_sccp_hide(struct sccp_leg *l);
/* It goes on as one of a conference. */
void leg_sccp_confer(struct sccp_leg *l);
/* A key in a call that stands. */
void leg_sccp_key(struct sccp_leg *l, char key);
/* Where the phone hears. */
void leg_sccp_opened(struct sccp_leg *l, const struct sccp_open_receive_channel_ack *m);

/* ---- desk_channel.c: what it hears and speaks ---- */
void desk_channel_init(struct sccp_leg *l);
/* True: it hears by this codec already. Else it will say where (leg_sccp_opened()). */
bool desk_channel_open(struct sccp_leg *l, const struct desk_codec *codec);
/* Neither hears nor speaks any more. */
void desk_channel_close(struct sccp_leg *l);
/* It is described anew: so are its keys, but for one by which it goes on sending. */
void desk_channel_renew(struct sccp_leg *l);
/* Sends as the peer wants to hear, by the codec that is open. */
void desk_channel_send(struct sccp_leg *l);

/* ---- desk_transfer.c ---- */
/* The key for one or the other, in a call: another one is begun or, in that, both are joined. */
void desk_transfer(struct sccp_leg *l, enum desk_commit what);
/* Something that it may have waited for is settled. */
void desk_transfer_go_on(struct sccp_leg *l);
/* It is over: the other one goes on by itself, or comes back. */
void desk_transfer_left(struct sccp_leg *l, unsigned status);

/* ---- desk_show.c: what is seen and heard of it at the phone ---- */
void desk_show_dialling(struct sccp_leg *l);
void desk_show_forwarding(struct sccp_leg *l);
void desk_show_parked(struct sccp_leg *l, bool done);
void desk_show_digit(struct sccp_leg *l);
void desk_show_proceeding(struct sccp_leg *l);
void desk_show_ringing_out(struct sccp_leg *l, bool tone);
void desk_show_ringing(struct sccp_leg *l);
void desk_show_taken(struct sccp_leg *l);
void desk_show_keys(struct sccp_leg *l);
void desk_show_up(struct sccp_leg *l);
/* Who it is with, and how safe. */
void desk_show_info(const struct sccp_leg *l);
void desk_show_held(struct sccp_leg *l);
void desk_show_recalled(struct sccp_leg *l, unsigned status);
void desk_show_resumed(struct sccp_leg *l);
void desk_show_bell(struct sccp_leg *l);
void desk_show_not_done(struct sccp_leg *l);
void desk_show_failed(struct sccp_leg *l, unsigned status);
void desk_show_over(struct sccp_leg *l);
/* By its tone, if there is one; 0: none any more. */
void desk_show_digit_heard(struct sccp_leg *l, char digit);
void desk_show_speaker(struct sccp_leg *l);

#endif
