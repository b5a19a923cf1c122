/* TLS of one stream, between its bytes on the wire and its plaintext. Does no I/O. For stream.c
 * alone. Errors are those that closed() tells: UV_EOF (the peer said close_notify), CS_EDENIED (a
 * certificate was refused, by us or by the peer), CS_EPROTO, CS_ENOMEM; the reason and what to do
 * were logged. After one, only tls_session_free() is of use. */
#ifndef CS_NET_TLS_SESSION_H
#define CS_NET_TLS_SESSION_H

#include <openssl/types.h>

#include "base/addr.h"
#include "net/bytes.h"
#include "net/tls.h"

struct tls_session;

/* peer and out are the stream's and outlive the session; what has to be sent is added to out. name:
 * what the server's certificate must say, a DNS name or an IP address; for clients only. */
CS_CHECK int tls_session_new(struct tls_context *c, const char *name, const struct addr *peer,
                             struct bytes *out, struct tls_session **result);
void tls_session_free(struct tls_session **s);
/* What OpenSSL's callbacks are about. */
struct tls_session *tls_session_of(const SSL *ssl);
struct duration tls_session_deadline(const struct tls_session *s);
struct tls_context *tls_session_context(const struct tls_session *s);
/* What is expected of a SIP domain's server; absent: nothing. */
struct span tls_session_name(const struct tls_session *s);
/* The peer's certificate, of which nothing will come: its names are told with the failure. */
void tls_session_refuses(struct tls_session *s, const X509 *x);

/* What came from the wire; borrowed until tls_session_read() returned 0 or an error. */
void tls_session_feed(struct tls_session *s, struct span wire);
/* 1: done; 0: more must come from the wire; negative: failed. */
CS_CHECK int tls_session_handshake(struct tls_session *s);
/* Bytes of plaintext put at `to`, 0: more must come from the wire; negative: see above. */
CS_CHECK ptrdiff_t tls_session_read(struct tls_session *s, char *to, size_t n);
CS_CHECK int tls_session_write(struct tls_session *s, struct span plain);
/* Says close_notify, if there was no error. */
void tls_session_shutdown(struct tls_session *s);
/* The connection ended (reason as libuv or we say it) without a close_notify: the reason to tell.
 */
int tls_session_broken(struct tls_session *s, int reason);

/* The peer's certificate and who signed it, borrowed; NULL unless its chain was verified. */
X509 *tls_session_certificate(const struct tls_session *s, X509 **issuer);
/* stream_is_vouched() */
bool tls_session_is_vouched(const struct tls_session *s, const struct tls_context *by);
CS_CHECK int tls_session_peer(const struct tls_session *s, struct arena *a, struct tls_peer *out);

#endif
