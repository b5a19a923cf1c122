/* A line of a desk phone, registered as any phone registers: by REGISTER over the trusted link,
 * with the pass that authd gave for it, so that it is found, listed, forked to and revoked as they
 * are (RFC 3261, 10.2; RFC 8898). It stands by one registrar, and moves to another when that is
 * gone. */
#ifndef CS_B2BUA_DESK_LINE_REGISTRATION_H
#define CS_B2BUA_DESK_LINE_REGISTRATION_H

#include "b2bua/ua/uac.h"

struct line_registration;

struct line_registration_events { /* never from inside a call of the owner's */
    /* It stands from here on, or does no longer. */
    void (*stands)(void *arg, bool stands);
    /* The pass is not taken: nothing more is tried until there is another. */
    void (*refused)(void *arg, unsigned status);
};

struct line_registrations { /* of the process; outlives them */
    const struct uac_means *means;
    const uint32_t *registrars; /* nodes that take it, at least one */
    size_t n_registrars;
    struct list all; /* list_init() before the first one */
};

struct line_registration_conf { /* all is copied */
    struct span aor;            /* "sip:1001@example.com" */
    struct span contact;        /* URI that its calls come in by; nobody else's of this process */
    struct span agent;          /* what the phone is, for those who look at bindings */
    struct span pass;
};

/* Begins. NULL: no memory, or a text that is too long. */
struct line_registration *line_registration_open(struct line_registrations *all,
                                                 const struct line_registration_conf *conf,
                                                 const struct line_registration_events *events,
                                                 void *arg);
/* Another pass, for the next time; at once, where the last one was refused. CS_ENOMEM. */
CS_CHECK int line_registration_renew(struct line_registration *l, struct span pass);
/* It is another owner's. */
void line_registration_move(struct line_registration *l, void *arg);
bool line_registration_stands(const struct line_registration *l);
/* Takes the binding back, and goes by itself then; nothing is called any more. Sets *l to NULL. */
void line_registration_leave(struct line_registration **l);
/* This link is closed: those that stood by it register elsewhere, not all at once. */
void line_registrations_flow_closed(struct line_registrations *all, const struct flow *f);
/* Whether none of those that leave is under way. */
bool line_registrations_have_left(const struct line_registrations *all);
/* At the end of the process: without a word. */
void line_registrations_drop(struct line_registrations *all);

#endif
