/* How a phone registers: a table of states and of what may happen in them. Pure: what is to be done
 * is told, and done by the session. */
#ifndef CS_B2BUA_SCCP_MACHINE_H
#define CS_B2BUA_SCCP_MACHINE_H

#include "b2bua/sccp/message.h"

enum sccp_state {
    SCCP_STATE_NEW,          /* connected, and has not said who it is */
    SCCP_STATE_ASKING_TOKEN, /* may it come back? somebody is asked */
    SCCP_STATE_TOKEN,        /* it may */
    SCCP_STATE_ASKING,       /* may it register? */
    SCCP_STATE_CONFIGURING,  /* it may, and asks for its keys, lines and the time */
    SCCP_STATE_REGISTERED,
    SCCP_STATE_LEAVING, /* nothing more is read */
    SCCP_STATES
};

enum sccp_event {
    /* what it says */
    SCCP_EV_KEEPALIVE,
    SCCP_EV_REGISTER,
    SCCP_EV_TOKEN,
    SCCP_EV_UNREGISTER,
    SCCP_EV_REQUEST, /* of something in its configuration */
    SCCP_EV_FINISH,  /* the last of these */
    SCCP_EV_CAPABLE, /* which codecs it has */
    SCCP_EV_NOTE,    /* of interest to people alone */
    SCCP_EV_CALL,    /* what its user does, and its media */
    /* what is decided elsewhere */
    SCCP_EV_ACCEPTED,
    SCCP_EV_REJECTED,
    SCCP_EV_LATER,
    SCCP_EV_DEADLINE, /* nothing was heard, or nothing came of it, for too long */
    SCCP_EV_REPLACED, /* the same device is here by another connection */
    SCCP_EV_RESTART,  /* it is to register again */
    SCCP_EVENTS
};

enum sccp_action {
    SCCP_DO_NOTHING, /* the event has no meaning in this state */
    SCCP_DO_ACK_KEEPALIVE,
    SCCP_DO_ASK,
    SCCP_DO_ASK_TOKEN,
    SCCP_DO_GRANT_TOKEN,
    SCCP_DO_REFUSE_TOKEN,
    SCCP_DO_WELCOME, /* RegisterAck, and what else it can do is asked */
    SCCP_DO_REFUSE,
    SCCP_DO_CONFIGURE,
    SCCP_DO_LEARN,
    SCCP_DO_NOTE,
    SCCP_DO_CALL,
    SCCP_DO_FAREWELL,
    SCCP_DO_RENEW, /* its record may be another */
    SCCP_DO_EXPEL, /* it may be here no longer */
    SCCP_DO_RESTART,
    SCCP_DO_CLOSE,
};

struct sccp_move {
    enum sccp_state next;
    enum sccp_action action;
};

struct sccp_move sccp_machine(enum sccp_state state, enum sccp_event event);
/* False: the message means nothing to it. */
bool sccp_event_of(enum sccp_kind kind, enum sccp_event *out);
/* Whether the device may act for its lines: it was accepted. */
bool sccp_state_is_attached(enum sccp_state state);
/* For people: "registered". */
const char *sccp_state_name(enum sccp_state state);
const char *sccp_event_name(enum sccp_event event);

#endif
