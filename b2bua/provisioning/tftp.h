/* A server of TFTP that gives files and takes none (RFC 1350, 2347 to 2349). */
#ifndef CS_B2BUA_PROVISIONING_TFTP_H
#define CS_B2BUA_PROVISIONING_TFTP_H

#include "b2bua/provisioning/provisioning.h"

struct tftp;

CS_CHECK int tftp_open(struct loop *l, const struct addr *listen, struct provisioning *p,
                       struct tftp **out);
/* Transfers end without a word. */
void tftp_close(struct tftp **t);

#endif
