/* A desk phone as its operator wrote it down, and who is asked for it. */
#ifndef CS_B2BUA_SCCP_DEVICE_H
#define CS_B2BUA_SCCP_DEVICE_H

#include <openssl/types.h>

#include "b2bua/sccp/message.h"
#include "b2bua/sccp/soft_keys.h"
#include "schedule/zone.h"

enum { SCCP_NAME_MAX = 15, SCCP_KEYS_MAX = 84, SCCP_LINES_MAX = 42 };

enum sccp_security { SCCP_CLEAR, SCCP_AUTHENTICATED, SCCP_ENCRYPTED };
enum sccp_dnd { SCCP_DND_OFF, SCCP_DND_SILENT, SCCP_DND_REJECT };

struct sccp_line { /* absent: there is none */
    struct span user, aor;
    struct span number; /* what the phone shows it as */
    struct span name;   /* of who has it */
    struct span label;  /* beside its key; absent: the number */
    struct span forward_all, forward_busy, forward_no_answer;
};

struct sccp_key {
    uint8_t type;      /* SCCP_BUTTON_LINE, _SPEED_DIAL, _BLF or _UNDEFINED */
    unsigned line;     /* of a line key: which, from 0 */
    struct span label; /* of a dialling key, and */
    struct span number;
};

struct sccp_device {
    struct span name;
    enum sccp_security security;
    struct sccp_line *lines;
    size_t n_lines;
    struct sccp_key *keys; /* from the first */
    size_t n_keys;
    enum sccp_dnd dnd;
    const struct sccp_soft_keys *soft_keys; /* NULL: as usual; lives as long as the process */
    struct span date;                       /* D.M.YA; absent: the server's */
    const struct zone *zone;                /* NULL: the server's; lives as long as the process */
};

/* A copy whose texts are in the arena; NULL when memory is exhausted. */
const struct sccp_device *sccp_device_copy(struct arena *a, const struct sccp_device *from);
/* Whether a phone that registered as the one need not register anew as the other: it may differ in
 * what its user sets. */
bool sccp_device_eq(const struct sccp_device *a, const struct sccp_device *b);
/* The same of what its user sets: forwards of lines, and do not disturb. */
bool sccp_device_is_set_alike(const struct sccp_device *a, const struct sccp_device *b);

/* ---- who knows devices ---- */

struct sccp_question { /* borrowed for the call */
    struct span listener;
    bool secure; /* over TLS */
    const struct addr *source;
    struct span name;
    uint32_t type;
    unsigned version;
    struct span load;
    bool token;                 /* it asks whether it may come back to us */
    X509 *certificate, *issuer; /* that it showed and was believed; NULL: none */
};

struct sccp_answer { /* borrowed for the call */
    enum { SCCP_LATER, SCCP_REJECTED, SCCP_ACCEPTED } verdict;
    struct span reason;               /* REJECTED: for the log of the phone */
    unsigned wait_s;                  /* LATER: ask again then */
    const struct sccp_device *device; /* ACCEPTED */
};

typedef void sccp_answer_fn(void *arg, const struct sccp_answer *a);

struct sccp_directory {
    /* fn is called, never from inside this call, and after it ACCEPTED again whenever it may be
     * another answer, until cancel. NULL when memory is exhausted. */
    void *(*ask)(void *arg, const struct sccp_question *q, sccp_answer_fn *fn, void *fn_arg);
    /* Due once for each ask, also from inside fn, which is not called any more. */
    void (*cancel)(void *arg, void *asked);
    void *arg;
};

#endif
