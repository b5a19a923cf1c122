/* A trunk that we register with, as a phone does with its registrar (RFC 3261, 10.2; RFC 5626 where
 * it is wanted): from the first REGISTER through challenges, 423, refreshes and failures to the
 * last one, which takes the binding back. While it stands, the target and the address that took it
 * are the first for calls, and the only ones asked whether they are there. */
#ifndef CS_B2BUA_TRUNK_REGISTRATION_H
#define CS_B2BUA_TRUNK_REGISTRATION_H

#include <jansson.h>

#include "b2bua/ua/uac.h"

struct registration;

/* Begins. t has register; contact is our URI there, without its user. All is borrowed for longer
 * than it lives. NULL: no memory. */
struct registration *registration_open(const struct uac_means *m, const struct trunk_conf *t,
                                       struct span contact, struct span node);
/* What it went by is gone, or does not answer any more: registers anew, at another target if need
 * be. */
void registration_lost(struct registration *r);
/* Whether it stands by this connection. */
bool registration_is_by(const struct registration *r, const struct flow *f);
/* Takes the binding back; nothing is registered any more. */
void registration_leave(struct registration *r);
/* Whether nothing is under way. */
bool registration_has_left(const struct registration *r);
bool registration_stands(const struct registration *r);
/* The caller owns it. */
json_t *registration_describe(const struct registration *r);
/* Sets *r to NULL. */
void registration_close(struct registration **r);

#endif
