/* Whether a call may be made: authd is asked before anybody is called (auth.proto, Admit). What it
 * counts is kept up while the call lasts, in one message for many calls, and given back at its end.
 */
#ifndef CS_B2BUA_CALL_ADMISSION_H
#define CS_B2BUA_CALL_ADMISSION_H

#include "b2bua/leg/leg.h"
#include "b2bua/ua/ua.h"

struct call;
struct party;

/* why: how the call is refused; NULL: it may be made. next: another candidate may be tried. */
typedef void admission_fn(struct call *c, const struct leg_end *why, bool next);

struct admission {          /* of a call; embedded in it */
    struct gate_admit *ask; /* under way; NULL: none */
    admission_fn *fn;
    struct timer refused;   /* it could not even be asked */
    struct list held;       /* what authd counts */
    struct held *last;      /* of it what was asked for last; NULL: nothing, or it is settled */
    struct span last_trunk; /* that it is to go out by; absent: none, or it came by that, too */
    char *asker;            /* who is counted; NULL: nobody, or it is not known any more */
    char lease[24];         /* and as what; "": nobody */
    const char *cause;      /* why it was refused; NULL: it was not */
    bool stays;             /* a desk phone calls somebody of the house */
    bool uncounted;         /* so it goes on though nobody could be asked */
    char decision[24];
    char *limit; /* NULL: none was told */
};

void admission_init(struct admission *a);
/* Asks for this candidate, in the name of who wants it. False: fn is called later. True: a
 * call for help is made at once, and counted while it is. Where authd is away a desk phone's call
 * within the house is made uncounted: it was let in before, and whom it calls costs nothing. */
bool admission_ask(struct call *c, const struct party *by, const struct dialplan_candidate *to,
                   const struct trunk_conf *trunk, admission_fn *fn);
/* Whoever was asked for last does not come: the trunk to him is given back. */
void admission_left(struct call *c);
/* c goes on with a leg of another call, that was admitted there. */
void admission_move(struct call *c, struct call *from);
/* The call is over: gives all back. */
void admission_end(struct call *c);

void admissions_open(struct ua *u);
void admissions_close(struct ua *u);

#endif
