/* Credentials that a TURN server takes because they are signed with a secret it shares with us
 * (draft-uberti-behave-turn-rest, as coturn's use-auth-secret does it): nothing has to be stored,
 * and nothing can be taken back before they end. */
#ifndef CS_AUTHD_CHECK_TURN_H
#define CS_AUTHD_CHECK_TURN_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/ct.h"

enum { TURN_PASSWORD_LEN = 28 }; /* base64 of a SHA-1 */

/* "<when it ends>:<user>" goes to username, its HMAC-SHA1 to password. CS_ELIMIT when username is
 * too small. */
CS_CHECK int turn_credentials(const struct secret *shared, struct span user, struct wall until,
                              struct buf *username, char password[TURN_PASSWORD_LEN + 1]);

#endif
