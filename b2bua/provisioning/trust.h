/* What phones are given to believe us by: the trust lists that csctl made, and files signed as they
 * are asked for, each once as long as its content stays.
 *
 * Whose keys: that of the lists (SAST), whose loss costs a walk to each phone, no daemon has; csctl
 * signs with it, and it stays with the operator. The one of files is b2bua's, like the TLS keys of
 * its listeners: it opens no user's secret, signs nothing but what b2bua would write anyway, and a
 * new list replaces it. So authd, which knows secrets of users, needs no part in it. */
#ifndef CS_B2BUA_PROVISIONING_TRUST_H
#define CS_B2BUA_PROVISIONING_TRUST_H

#include "b2bua/provisioning/signed_file.h"
#include "conf/conf.h"

struct trust_conf {
    const char *itl_file, *ctl_file; /* NULL: phones get none */
    const char *certificate_file, *key_file;
    enum { TRUST_HASH_SHA1, TRUST_HASH_SHA512 } hash;
};
extern const struct conf_section trust_section;

struct trust;
/* CS_ECONF: what is wrong was logged. */
CS_CHECK int trust_open(const struct trust_conf *conf, struct trust **out);
void trust_close(struct trust **t);

/* Absent: there is none. */
struct span trust_itl(const struct trust *t);
struct span trust_ctl(const struct trust *t);
/* The file by this name, signed; borrowed until the next call. */
CS_CHECK int trust_sign(struct trust *t, struct span name, struct span content, struct wall now,
                        struct span *out);
/* What that gave is not kept: it holds a secret. */
void trust_forget(struct trust *t, struct span file);
/* The same, encrypted for the holder of the device's certificate, PEM; CS_ENOTSUP when that is none
 * with an RSA key. */
CS_CHECK int trust_encrypt(struct trust *t, struct span name, struct span content,
                           struct span certificate, struct wall now, struct span *out);
/* MD5 of such a certificate's DER in hexadecimal, by which a phone finds out whether a file is
 * meant for the certificate it has. */
CS_CHECK int trust_certificate_hash(struct span certificate, struct buf *out);

#endif
