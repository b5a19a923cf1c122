#include "siptx/machine.h"

#define ROW(name) [TX_##name]
#define ON(name)  [TX_EV_##name]

/* clang-format off */
static const struct tx_cell table[TX_KIND_COUNT][TX_STATE_COUNT][TX_EVENT_COUNT] = {
    /* Figure 5, with RFC 6026 7.2 and 8.4. Timer D stands at 64*T1, which is its 32 s. */
    [TX_INVITE_CLIENT] = {
        ROW(IDLE) = {
            ON(START)    = { TX_CALLING, TX_SEND, RETRY_T1, DEADLINE_64T1 },
        },
        ROW(CALLING) = {
            ON(1XX)      = { TX_PROCEEDING, TX_TELL, RETRY_STOP, DEADLINE_C },
            ON(2XX)      = { TX_ACCEPTED, TX_TELL, RETRY_STOP, DEADLINE_64T1 },
            ON(FINAL)    = { TX_COMPLETED, TX_ACK | TX_TELL, RETRY_STOP, DEADLINE_64T1_UNLESS },
            ON(RETRY)    = { TX_CALLING, TX_RESEND, RETRY_DOUBLE, DEADLINE_KEEP },
            ON(DEADLINE) = { TX_TERMINATED, TX_TIMEOUT, RETRY_STOP, DEADLINE_KEEP },
            ON(CANCEL)   = { TX_ABANDONED, 0, RETRY_KEEP, DEADLINE_KEEP },
            ON(ERROR)    = { TX_TERMINATED, TX_FAILED, RETRY_STOP, DEADLINE_KEEP },
        },
        ROW(ABANDONED) = {
            ON(1XX)      = { TX_CANCELLING, TX_CANCEL | TX_TELL, RETRY_STOP, DEADLINE_64T1 },
            ON(2XX)      = { TX_ACCEPTED, TX_TELL, RETRY_STOP, DEADLINE_64T1 },
            ON(FINAL)    = { TX_COMPLETED, TX_ACK | TX_TELL, RETRY_STOP, DEADLINE_64T1_UNLESS },
            ON(RETRY)    = { TX_ABANDONED, TX_RESEND, RETRY_DOUBLE, DEADLINE_KEEP },
            ON(DEADLINE) = { TX_TERMINATED, TX_TIMEOUT, RETRY_STOP, DEADLINE_KEEP },
            ON(ERROR)    = { TX_TERMINATED, TX_FAILED, RETRY_STOP, DEADLINE_KEEP },
        },
        ROW(PROCEEDING) = {
            ON(1XX)      = { TX_PROCEEDING, TX_TELL, RETRY_KEEP, DEADLINE_C },
            ON(2XX)      = { TX_ACCEPTED, TX_TELL, RETRY_KEEP, DEADLINE_64T1 },
            ON(FINAL)    = { TX_COMPLETED, TX_ACK | TX_TELL, RETRY_KEEP, DEADLINE_64T1_UNLESS },
            ON(DEADLINE) = { TX_CANCELLING, TX_CANCEL, RETRY_KEEP, DEADLINE_64T1 }, /* 16.8 */
            ON(CANCEL)   = { TX_CANCELLING, TX_CANCEL, RETRY_KEEP, DEADLINE_64T1 }, /* 9.1 */
            ON(ERROR)    = { TX_TERMINATED, TX_FAILED, RETRY_KEEP, DEADLINE_KEEP },
        },
        ROW(CANCELLING) = {
            ON(1XX)      = { TX_CANCELLING, TX_TELL, RETRY_KEEP, DEADLINE_KEEP },
            ON(2XX)      = { TX_ACCEPTED, TX_TELL, RETRY_KEEP, DEADLINE_64T1 },
            ON(FINAL)    = { TX_COMPLETED, TX_ACK | TX_TELL, RETRY_KEEP, DEADLINE_64T1_UNLESS },
            ON(DEADLINE) = { TX_TERMINATED, TX_TIMEOUT, RETRY_KEEP, DEADLINE_KEEP },
            ON(ERROR)    = { TX_TERMINATED, TX_FAILED, RETRY_KEEP, DEADLINE_KEEP },
        },
        ROW(COMPLETED) = {
            ON(FINAL)    = { TX_COMPLETED, TX_RESEND, RETRY_KEEP, DEADLINE_KEEP }, /* the ACK */
            ON(DEADLINE) = { TX_TERMINATED, 0, RETRY_KEEP, DEADLINE_KEEP },
            ON(ERROR)    = { TX_TERMINATED, 0, RETRY_KEEP, DEADLINE_KEEP },
        },
        ROW(ACCEPTED) = {
            ON(2XX)      = { TX_ACCEPTED, TX_TELL, RETRY_KEEP, DEADLINE_KEEP },
            ON(DEADLINE) = { TX_TERMINATED, TX_OVER, RETRY_KEEP, DEADLINE_KEEP },
        },
    },
    /* Figure 6. */
    [TX_CLIENT] = {
        ROW(IDLE) = {
            ON(START)    = { TX_TRYING, TX_SEND, RETRY_T1, DEADLINE_64T1 },
        },
        ROW(TRYING) = {
            ON(1XX)      = { TX_PROCEEDING, TX_TELL, RETRY_T2, DEADLINE_KEEP },
            ON(2XX)      = { TX_COMPLETED, TX_TELL, RETRY_STOP, DEADLINE_T4_UNLESS },
            ON(FINAL)    = { TX_COMPLETED, TX_TELL, RETRY_STOP, DEADLINE_T4_UNLESS },
            ON(RETRY)    = { TX_TRYING, TX_RESEND, RETRY_DOUBLE_T2, DEADLINE_KEEP },
            ON(DEADLINE) = { TX_TERMINATED, TX_TIMEOUT, RETRY_STOP, DEADLINE_KEEP },
            ON(ERROR)    = { TX_TERMINATED, TX_FAILED, RETRY_STOP, DEADLINE_KEEP },
        },
        ROW(PROCEEDING) = {
            ON(1XX)      = { TX_PROCEEDING, TX_TELL, RETRY_KEEP, DEADLINE_KEEP },
            ON(2XX)      = { TX_COMPLETED, TX_TELL, RETRY_STOP, DEADLINE_T4_UNLESS },
            ON(FINAL)    = { TX_COMPLETED, TX_TELL, RETRY_STOP, DEADLINE_T4_UNLESS },
            ON(RETRY)    = { TX_PROCEEDING, TX_RESEND, RETRY_T2, DEADLINE_KEEP },
            ON(DEADLINE) = { TX_TERMINATED, TX_TIMEOUT, RETRY_STOP, DEADLINE_KEEP },
            ON(ERROR)    = { TX_TERMINATED, TX_FAILED, RETRY_STOP, DEADLINE_KEEP },
        },
        ROW(COMPLETED) = {
            ON(DEADLINE) = { TX_TERMINATED, 0, RETRY_KEEP, DEADLINE_KEEP },
        },
    },
    /* Figure 7, with RFC 6026 7.1 and 8.7: a transport error is left to timers H and L. */
    [TX_INVITE_SERVER] = {
        ROW(IDLE) = {
            ON(START)    = { TX_PROCEEDING, 0, RETRY_200MS, DEADLINE_KEEP },
        },
        ROW(PROCEEDING) = {
            ON(REQUEST)  = { TX_PROCEEDING, TX_RESEND, RETRY_KEEP, DEADLINE_KEEP },
            ON(1XX)      = { TX_PROCEEDING, TX_SEND, RETRY_STOP, DEADLINE_KEEP },
            ON(2XX)      = { TX_ACCEPTED, TX_SEND, RETRY_STOP, DEADLINE_64T1 },
            ON(FINAL)    = { TX_COMPLETED, TX_SEND, RETRY_T1, DEADLINE_64T1 },
            ON(RETRY)    = { TX_PROCEEDING, TX_100, RETRY_STOP, DEADLINE_KEEP },
        },
        ROW(COMPLETED) = {
            ON(REQUEST)  = { TX_COMPLETED, TX_RESEND, RETRY_KEEP, DEADLINE_KEEP },
            ON(ACK)      = { TX_CONFIRMED, 0, RETRY_STOP, DEADLINE_T4_UNLESS },
            ON(RETRY)    = { TX_COMPLETED, TX_RESEND, RETRY_DOUBLE_T2, DEADLINE_KEEP },
            ON(DEADLINE) = { TX_TERMINATED, 0, RETRY_STOP, DEADLINE_KEEP },
        },
        ROW(CONFIRMED) = {
            ON(ACK)      = { TX_CONFIRMED, 0, RETRY_KEEP, DEADLINE_KEEP },
            ON(REQUEST)  = { TX_CONFIRMED, 0, RETRY_KEEP, DEADLINE_KEEP },
            ON(DEADLINE) = { TX_TERMINATED, 0, RETRY_KEEP, DEADLINE_KEEP },
        },
        ROW(ACCEPTED) = {
            ON(REQUEST)  = { TX_ACCEPTED, 0, RETRY_KEEP, DEADLINE_KEEP },
            ON(ACK)      = { TX_ACCEPTED, TX_TELL, RETRY_KEEP, DEADLINE_KEEP },
            ON(2XX)      = { TX_ACCEPTED, TX_SEND, RETRY_KEEP, DEADLINE_KEEP },
            ON(DEADLINE) = { TX_TERMINATED, 0, RETRY_KEEP, DEADLINE_KEEP },
        },
    },
    /* Figure 8. Over UDP, COMPLETED is kept as the answer's bytes alone (answers.h). */
    [TX_SERVER] = {
        ROW(IDLE) = {
            ON(START)    = { TX_TRYING, 0, RETRY_KEEP, DEADLINE_KEEP },
        },
        ROW(TRYING) = {
            ON(REQUEST)  = { TX_TRYING, 0, RETRY_KEEP, DEADLINE_KEEP },
            ON(1XX)      = { TX_PROCEEDING, TX_SEND, RETRY_KEEP, DEADLINE_KEEP },
            ON(2XX)      = { TX_COMPLETED, TX_SEND, RETRY_KEEP, DEADLINE_64T1_UNLESS },
            ON(FINAL)    = { TX_COMPLETED, TX_SEND, RETRY_KEEP, DEADLINE_64T1_UNLESS },
        },
        ROW(PROCEEDING) = {
            ON(REQUEST)  = { TX_PROCEEDING, TX_RESEND, RETRY_KEEP, DEADLINE_KEEP },
            ON(1XX)      = { TX_PROCEEDING, TX_SEND, RETRY_KEEP, DEADLINE_KEEP },
            ON(2XX)      = { TX_COMPLETED, TX_SEND, RETRY_KEEP, DEADLINE_64T1_UNLESS },
            ON(FINAL)    = { TX_COMPLETED, TX_SEND, RETRY_KEEP, DEADLINE_64T1_UNLESS },
            ON(ERROR)    = { TX_TERMINATED, 0, RETRY_KEEP, DEADLINE_KEEP },
        },
        ROW(COMPLETED) = {
            ON(REQUEST)  = { TX_COMPLETED, TX_RESEND, RETRY_KEEP, DEADLINE_KEEP },
            ON(DEADLINE) = { TX_TERMINATED, 0, RETRY_KEEP, DEADLINE_KEEP },
            ON(ERROR)    = { TX_TERMINATED, 0, RETRY_KEEP, DEADLINE_KEEP },
        },
    },
};
/* clang-format on */

const struct tx_cell *tx_cell(enum tx_kind kind, enum tx_state state, enum tx_event event)
{
    return &table[kind][state][event];
}

const char *tx_state_name(enum tx_state s)
{
    static const char *const names[TX_STATE_COUNT] = {
        "idle",       "trying",    "calling",   "abandoned", "proceeding",
        "cancelling", "completed", "confirmed", "accepted",  "terminated",
    };
    return names[s];
}

const char *tx_event_name(enum tx_event e)
{
    static const char *const names[TX_EVENT_COUNT] = {
        "start", "request", "ack", "1xx", "2xx", "3xx+", "retry", "deadline", "cancel", "error",
    };
    return names[e];
}
