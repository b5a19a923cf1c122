/* Who may use REST, and how: the files of tokens and certificates that the configuration names. */
#ifndef CS_AUTHD_REST_ACCESS_H
#define CS_AUTHD_REST_ACCESS_H

#include "authd/config.h"
#include "http/bearer.h"
#include "net/tls.h"

struct access {
    struct bearers bearers;
    struct tls_context *tls; /* NULL: plain */
};

/* On error the reason was logged, and *out is to be closed all the same. */
CS_CHECK int access_open(const struct authd_conf *conf, struct access *out);
/* Reads the files again: *a becomes what they say now, or stays as it was when one of them cannot
 * be used, and the reason was logged. */
CS_CHECK int access_reload(const struct authd_conf *conf, struct access *a);
void access_close(struct access *a);

#endif
