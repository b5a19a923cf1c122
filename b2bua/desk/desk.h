/* A desk phone that is here: its lines, each registered as any phone's is, and what its calls go
 * by. */
#ifndef CS_B2BUA_DESK_DESK_H
#define CS_B2BUA_DESK_DESK_H

#include "b2bua/desk/line_registration.h"
#include "b2bua/dialplan/number.h"
#include "b2bua/sccp/session.h"

struct ua;
struct desk;

struct desk_line { /* texts are the desk's */
    struct desk *desk;
    struct span aor; /* absent: it cannot be used */
    struct span number, name;
    struct span contact;                    /* user part of the URI that its calls come in by */
    uint32_t instance;                      /* of its key on the phone */
    struct line_registration *registration; /* NULL: none */
};

struct desk {
    struct list link; /* of all */
    struct ua *ua;
    struct sccp_session *session;
    struct arena arena;
    struct list calls;             /* struct sccp_leg */
    struct turn over;              /* one of them is */
    bool switching;                /* another one is about to be heard: nothing rings meanwhile */
    bool lifted;                   /* its handset is, or its speaker was turned on by its key */
    struct list keeping;           /* struct keep */
    struct list statistics;        /* struct statistics */
    struct busy_lamps *busy_lamps; /* NULL: none */
    char last[NUMBER_MAX + 1];     /* that was dialled */
    struct desk_line *lines;       /* as its device has them */
    size_t n_lines;
    bool may_call;              /* its media are as safe as they have to be */
    void (*refused)(void *arg); /* a pass was: there is to be another */
    void *arg;
};

struct desk_conf {
    struct ua *ua;
    struct line_registrations *registrations;
    /* What shows that a line may register, in the order of the device's; absent: it may not. */
    const struct span *passes;
    size_t n_passes;
    void (*refused)(void *arg);
    void *arg;
};

/* Of a session that is attached, in the place of was (NULL: nobody's), which goes: what it has
 * registered stands. NULL: no memory, and was stands. */
struct desk *desk_new(struct sccp_session *s, const struct desk_conf *conf, struct desk *was);
/* The phone is gone: takes its bindings back. */
void desk_free(struct desk **d);
/* Takes them back, and leaves the rest as it is: no new call comes. */
void desk_leave(struct desk *d);
/* Another pass for the line with this address. */
void desk_renew(struct desk *d, struct span aor, struct span pass);

/* What its user does, or its media (desk_user.c). */
void desk_heard(struct desk *d, const struct sccp_message *m);
/* Whether the dial plan leads its calls to that number anywhere. */
bool desk_can_dial(const struct desk_line *l, struct span number);

/* ---- desk_calls.c ---- */

/* Whether another call finds the line busy. */
bool desk_line_is_busy(const struct desk_line *l);
/* Nobody is rung at, spoken to or held by it. */
bool desk_is_idle(const struct desk *d);
/* All of its calls are over. */
void desk_hang_up(struct desk *d);

#endif
