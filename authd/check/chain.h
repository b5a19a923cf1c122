/* A certificate and those that lead to its authority, as somebody else has them in PEM: verified
 * here, for who asks without a handshake of ours. */
#ifndef CS_AUTHD_CHECK_CHAIN_H
#define CS_AUTHD_CHECK_CHAIN_H

#include <openssl/x509.h>

#include "auth.pb-c.h"
#include "base/arena.h"

enum { CHAIN_MAX = 8 };

/* Puts on m what the first certificate says, as a front would; its issuer only where the chain
 * leads to one of trusted. Whether it has expired is not looked at. CS_EPROTO: it is no PEM, has
 * none or more than CHAIN_MAX certificates, or says what no certificate may; CS_ENOMEM. */
CS_CHECK int chain_facts(struct span pem, STACK_OF(X509) * trusted, struct arena *a,
                         Countersign__Auth__Check *m);

#endif
