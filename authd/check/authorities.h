/* The authorities that client certificates may be of, and their lists of revoked ones (CRL, RFC
 * 5280, 5). The front has verified the chain; here is what only time tells. */
#ifndef CS_AUTHD_CHECK_AUTHORITIES_H
#define CS_AUTHD_CHECK_AUTHORITIES_H

#include <openssl/x509.h>

#include "authd/check/certificate.h"
#include "conf/conf.h"
#include "net/loop.h"

enum { AUTHORITY_MAX_FILE = 4 * 1024 * 1024 }; /* a hundred thousand revoked certificates */

enum stale_mode { STALE_WARN, STALE_REFUSE };
struct authority_conf {
    struct span name;
    const char *ca_file;
    const char *crl_file; /* NULL: none */
    enum stale_mode stale;
};
extern const struct conf_section authority_section;

/* Of a peer group: whose certificates it takes. */
struct certificate_conf {
    struct span *authorities; /* their names; none: every one */
    size_t n_authorities;
    struct span realm; /* of the users that certificates name */
};
extern const struct conf_section certificate_section;

struct authorities;

/* Reads their files, and looks every two seconds whether these changed. conf is borrowed. Says what
 * is wrong, and fails, where a file cannot be used. */
CS_CHECK int authorities_new(struct loop *l, const struct authority_conf *conf, size_t n,
                             struct authorities **out);
void authorities_free(struct authorities **a);
/* Reads what changed; a file that cannot be used, or is half written, is said, and what was read
 * before stays. */
void authorities_reload(struct authorities *a);

enum authority_answer {
    AUTHORITY_GOOD,
    AUTHORITY_UNKNOWN, /* it is of none of them */
    AUTHORITY_REVOKED,
    AUTHORITY_STALE /* the list is too old, and that is to be refused */
};
/* By issuer and serial number. only: names of the authorities that it may be of; n 0: any. */
enum authority_answer authorities_ask(struct authorities *a, const struct cert_facts *c,
                                      const struct span *only, size_t n);
/* The certificates of the authority of this name, borrowed until the loop turns; NULL: there is
 * none. */
STACK_OF(X509) * authorities_trusted(const struct authorities *a, struct span name);

#endif
