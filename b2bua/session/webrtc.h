/* DTLS-SRTP with ICE of one stream towards one side (RFC 5763, 8839, 8842): what the peer said of
 * it, and what he is told. The agreement itself is between media/ and the peer. */
#ifndef CS_B2BUA_SESSION_WEBRTC_H
#define CS_B2BUA_SESSION_WEBRTC_H

#include "b2bua/media/relay.h"
#include "sdp/sdp.h"

enum { WEBRTC_MID_MAX = 32 };

struct webrtc {
    struct ice_conf ice; /* our words from the first line on, his ufrag once he said so */
    bool checks;         /* he looks where we are; else he is where the SDP says */
    bool agreed;
    struct dtls_conf dtls;
    char mid[WEBRTC_MID_MAX + 1]; /* empty: none */
    char pwd[ICE_UFRAG_MAX + 1];  /* his: another one is ICE that begins anew */
    char tls_id[256];
};

struct webrtc_at {                    /* where we are */
    const unsigned char *fingerprint; /* DTLS_SHA256 bytes */
    struct span host;
    uint16_t port;
};

/* Wipes. */
void webrtc_fini(struct webrtc *w);
/* One from the heap; NULL is none. */
void webrtc_free(struct webrtc **w);
/* Our lines for an offer; i is the number of the stream. The same again for an association that
 * stands. */
CS_CHECK int webrtc_offer(struct webrtc *w, const struct webrtc_at *at, size_t i, struct arena *a,
                          struct sdp_attrs *out);
/* Takes an answer to it. CS_EDENIED: it has no fingerprint that counts, no rtcp-mux, or no role. */
CS_CHECK int webrtc_answered(struct webrtc *w, const struct sdp *s, const struct sdp_media *m);
/* Takes an offer and writes the answer's lines. CS_EDENIED as above. */
CS_CHECK int webrtc_accept(struct webrtc *w, const struct sdp *s, const struct sdp_media *m,
                           const struct webrtc_at *at, struct arena *a, struct sdp_attrs *out);
/* What media/ is told. Where the peer does not check, the address is as it was set. */
void webrtc_set(const struct webrtc *w, struct side_conf *c);
/* Lines of the session: that we are lite, and BUNDLE of the first stream, in an answer where the
 * offer had that (NULL: these are for an offer). Others have transports of their own. */
CS_CHECK int webrtc_session_lines(const struct webrtc *first, const struct sdp *offer,
                                  struct arena *a, struct sdp_attrs *out);

#endif
