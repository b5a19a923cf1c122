/* The authority that vouches for our certificates, where it is one of our own: who is to believe us
 * fetches it here, before there can be any TLS, and compares its fingerprint. */
#ifndef CS_REGISTRAR_AUTHORITY_H
#define CS_REGISTRAR_AUTHORITY_H

#include "registrar/config.h"

struct authority;

enum { AUTHORITY_SHA256 = 3 * 32 /* as people compare it, "8C:14:..."; with its NUL */ };

/* Serves GET /ca.crt at conf->ca.listen, which is set: of conf->ca.file its certificates, as they
 * were read, and nothing else that may be in it. Read again when the file changes; what cannot be
 * used changes nothing. What is wrong was logged. */
CS_CHECK int authority_open(struct loop *l, const struct registrar_conf *conf,
                            struct authority **out);
void authority_reload(struct authority *a);
const struct addr *authority_local(const struct authority *a);
/* Of the first certificate. */
const char *authority_sha256(const struct authority *a);
/* Sets *a to NULL. */
void authority_close(struct authority **a);

#endif
