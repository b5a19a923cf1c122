/* DTLS 1.2 that agrees on keys of SRTP (RFC 5763, 5764), of one stream. The certificates prove
 * nothing by themselves: each side's fingerprint was told in the SDP. An association belongs to one
 * thread at a time. */
#ifndef CS_B2BUA_MEDIA_DTLS_H
#define CS_B2BUA_MEDIA_DTLS_H

#include "b2bua/media/crypt.h"
#include "base/clock.h"

enum { DTLS_FINGERPRINT_MAX = 64, DTLS_SHA256 = 32 };

/* A key and a certificate made here, P-256; any thread may use it. An association keeps what it
 * needs of it. */
struct dtls_identity;
CS_CHECK int dtls_identity_new(struct dtls_identity **out);
void dtls_identity_free(struct dtls_identity **i);
/* SHA-256 of the certificate: DTLS_SHA256 bytes. */
const unsigned char *dtls_identity_fingerprint(const struct dtls_identity *i);

struct dtls_conf {
    bool active;          /* we begin */
    unsigned association; /* another number is another one, whatever else is the same */
    size_t n;             /* bytes of the peer's fingerprint: SHA-256, -384 or -512; 0: no DTLS */
    unsigned char fingerprint[DTLS_FINGERPRINT_MAX];
};
bool dtls_conf_eq(const struct dtls_conf *a, const struct dtls_conf *b);

enum dtls_state {
    DTLS_NONE,
    DTLS_WAITING, /* for the handshake, or its end */
    DTLS_DONE,
    DTLS_FAILED, /* another certificate, no suite in common, or what is no DTLS */
};

struct dtls;
typedef void dtls_send_fn(void *arg, const char *datagram, size_t n);

/* conf is copied. CS_ENOMEM. */
CS_CHECK int dtls_new(struct dtls_identity *i, const struct dtls_conf *conf, struct dtls **out);
void dtls_free(struct dtls **d);
/* Whom its datagrams are given to; before any of the following. */
void dtls_set_sender(struct dtls *d, dtls_send_fn *send, void *arg);
/* Where we begin: does so. */
enum dtls_state dtls_start(struct dtls *d);
enum dtls_state dtls_receive(struct dtls *d, const char *datagram, size_t n);
/* Whether dtls_timeout() is due in *in, should nothing come before (RFC 6347, 4.2.4). */
bool dtls_waits(struct dtls *d, struct duration *in);
enum dtls_state dtls_timeout(struct dtls *d);
/* Once it is DONE: what opens the peer's packets, and seals those to him. To be wiped. */
CS_CHECK int dtls_keys(struct dtls *d, struct crypt_key *in, struct crypt_key *out);

#endif
