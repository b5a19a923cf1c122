/* The four transaction machines (RFC 3261, 17, figures 5 to 8; RFC 6026, 7 and 8) as constant
 * tables. Pure: what the cells ask for is done by tx.c. */
#ifndef CS_SIPTX_MACHINE_H
#define CS_SIPTX_MACHINE_H

#include <stdint.h>

enum tx_kind { TX_INVITE_CLIENT, TX_CLIENT, TX_INVITE_SERVER, TX_SERVER, TX_KIND_COUNT };

enum tx_state {
    TX_IDLE, /* before TX_EV_START; as next state of a cell: the event has no meaning here */
    TX_TRYING,
    TX_CALLING,
    TX_ABANDONED, /* calling, and to be cancelled when a provisional allows it (9.1) */
    TX_PROCEEDING,
    TX_CANCELLING, /* proceeding, and cancelled */
    TX_COMPLETED,
    TX_CONFIRMED,
    TX_ACCEPTED, /* RFC 6026 */
    TX_TERMINATED,
    TX_STATE_COUNT
};

enum tx_event {
    TX_EV_START,
    TX_EV_REQUEST, /* server: the same request again */
    TX_EV_ACK,     /* server */
    TX_EV_1XX,     /* responses: a client received one, a server's owner gives one */
    TX_EV_2XX,
    TX_EV_FINAL,    /* 3xx to 6xx */
    TX_EV_RETRY,    /* timers A, E, G; and the 200 ms before a 100 */
    TX_EV_DEADLINE, /* timers B, C, D, F, H, I, J, K, L, M */
    TX_EV_CANCEL,   /* client: the owner wants no answer any more */
    TX_EV_ERROR,    /* the transport failed */
    TX_EVENT_COUNT
};

/* Run in this order. */
enum tx_action {
    TX_SEND = 1 << 0,    /* the message that came with the event */
    TX_RESEND = 1 << 1,  /* what was sent last */
    TX_ACK = 1 << 2,     /* make and send the ACK (17.1.1.3) */
    TX_CANCEL = 1 << 3,  /* make a CANCEL, a transaction of its own */
    TX_100 = 1 << 4,     /* 100 Trying, as the owner is slow (17.2.1) */
    TX_TELL = 1 << 5,    /* hand the message up */
    TX_TIMEOUT = 1 << 6, /* say that no answer came */
    TX_FAILED = 1 << 7,  /* say that the transport failed */
    TX_OVER = 1 << 8,    /* say that no 2xx comes any more */
};

enum tx_retry {
    RETRY_KEEP,
    RETRY_STOP,
    RETRY_T1,        /* begin; on unreliable transports only, as all but 200 ms */
    RETRY_DOUBLE,    /* timer A */
    RETRY_DOUBLE_T2, /* timers E and G: up to T2 */
    RETRY_T2,
    RETRY_200MS,
};

enum tx_deadline {
    DEADLINE_KEEP,
    DEADLINE_64T1,        /* B, F, H, L, M */
    DEADLINE_64T1_UNLESS, /* D, J: zero on reliable transports */
    DEADLINE_T4_UNLESS,   /* I, K: the same */
    DEADLINE_C,
};

struct tx_cell {
    uint8_t next;     /* enum tx_state */
    uint16_t actions; /* enum tx_action */
    uint8_t retry;    /* enum tx_retry */
    uint8_t deadline; /* enum tx_deadline */
};

const struct tx_cell *tx_cell(enum tx_kind kind, enum tx_state state, enum tx_event event);
const char *tx_state_name(enum tx_state s);
const char *tx_event_name(enum tx_event e);

#endif
