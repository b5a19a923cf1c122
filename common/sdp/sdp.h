/* Session descriptions (RFC 8866): grammar and attributes, no offers and answers. Spans borrow from
 * the text that was parsed; lists are the arena's. */
#ifndef CS_SDP_SDP_H
#define CS_SDP_SDP_H

#include "base/addr.h"
#include "base/arena.h"

enum {
    SDP_MAX = 64 * 1024, /* bytes */
    SDP_MAX_LINES = 1000,
    SDP_MAX_MEDIA = 32,
};

struct sdp_attr {
    struct span name, value; /* value absent: a property, "a=sendrecv" */
};

struct sdp_attrs {
    struct sdp_attr *a;
    size_t n;
};

struct sdp_connection { /* c= */
    struct span host;   /* as written; absent: no such line */
    struct addr addr;   /* no family where host is a name; port 0 */
};

struct sdp_bandwidth { /* b= */
    struct span type;  /* "AS", "TIAS" */
    uint64_t value;
};

/* Transports of RTP by name; anything else is SDP_OTHER. */
enum sdp_proto {
    SDP_OTHER,
    SDP_AVP,       /* RTP/AVP, RFC 3551 */
    SDP_AVPF,      /* RTP/AVPF, RFC 4585 */
    SDP_SAVP,      /* RTP/SAVP, RFC 3711 */
    SDP_SAVPF,     /* RTP/SAVPF, RFC 5124 */
    SDP_TLS_SAVP,  /* UDP/TLS/RTP/SAVP, RFC 5764 */
    SDP_TLS_SAVPF, /* UDP/TLS/RTP/SAVPF */
};

struct sdp_media {
    struct span kind; /* "audio", "video", "image", ... */
    uint16_t port;    /* 0: refused, or no longer wanted (RFC 3264, 5.1 and 6) */
    uint16_t ports;   /* usually 1 */
    struct span proto_text;
    enum sdp_proto proto;
    struct span *formats;
    size_t n_formats;
    struct sdp_connection connection; /* its own; see sdp_connection_of() */
    struct sdp_bandwidth *bandwidth;
    size_t n_bandwidth;
    struct sdp_attrs attrs;
};

struct sdp {
    struct {
        struct span user, id, host;
        uint64_t version;
    } origin;
    struct span name;
    struct sdp_connection connection;
    struct sdp_bandwidth *bandwidth;
    size_t n_bandwidth;
    struct sdp_attrs attrs;
    struct sdp_media *media; /* in the order of the m= lines */
    size_t n_media;
};

/* CS_EPROTO for what is malformed, or could be read in two ways: a line twice where one may stand,
 * a NUL or a lone CR. CS_ENOTSUP for another version than 0 and for multicast. CS_ELIMIT beyond the
 * bounds above, CS_ENOMEM. Lines may end by LF alone; i=, u=, e=, p=, r=, z= and k= are passed
 * over. On error *out is all zero. */
CS_CHECK int sdp_parse(struct span text, struct arena *a, struct sdp *out);
/* What sdp_parse() reads again as the same; overflow shows in the buffer. "s=-" where the name is
 * empty or absent, "t=0 0" always. */
void sdp_write(struct buf *b, const struct sdp *s);

/* ---- attributes ---- */
/* The first of this name; absent value and NULL are told apart by the result. Names are compared
 * with case, as RFC 8866, 5.13 says. */
const struct sdp_attr *sdp_attr(const struct sdp_attrs *attrs, struct span name);
/* The same of the media, else of the session: for those that hold for all media unless said. */
const struct sdp_attr *sdp_attr_of(const struct sdp *s, const struct sdp_media *m,
                                   struct span name);
/* The media's connection, else the session's. host absent: there is none, which only a media
 * without a port may have. */
struct sdp_connection sdp_connection_of(const struct sdp *s, const struct sdp_media *m);

enum sdp_direction { SDP_INACTIVE = 0, SDP_RECVONLY = 1, SDP_SENDONLY = 2, SDP_SENDRECV = 3 };
/* As who wrote it sees it (RFC 8866, 6.7). Held the old way, by 0.0.0.0 without ICE, takes
 * receiving away (RFC 3264, 8.4). */
enum sdp_direction sdp_direction_of(const struct sdp *s, const struct sdp_media *m);
/* The same as the other side sees it (RFC 3264, 6.1). */
enum sdp_direction sdp_direction_reversed(enum sdp_direction d);
struct span sdp_direction_name(enum sdp_direction d);

struct sdp_codec {     /* a payload type of RTP */
    unsigned payload;  /* 0 to 127 */
    struct span name;  /* "PCMU" */
    unsigned rate;     /* Hz */
    unsigned channels; /* 1 where none is said */
    struct span fmtp;  /* its parameters; absent: none */
};
/* The media's format i: from its rtpmap, or as RFC 3551 fixes it. CS_ENOENT for a dynamic type
 * without an rtpmap or a format that is no payload type, CS_EPROTO for a malformed rtpmap. */
CS_CHECK int sdp_codec(const struct sdp_media *m, size_t i, struct sdp_codec *out);
/* Whether both are the same encoding; parameters are not looked at. */
bool sdp_codec_is(const struct sdp_codec *a, const struct sdp_codec *b);
/* a=rtcp:PORT [IN IP4 HOST] (RFC 3605), else the port behind the media's, at the same address.
 * CS_EPROTO when malformed, CS_ENOENT without an address. */
CS_CHECK int sdp_rtcp_of(const struct sdp *s, const struct sdp_media *m, struct addr *out);

/* ---- keys ---- */
/* Whether the transport is SRTP. */
bool sdp_is_srtp(enum sdp_proto p);
/* Whether all media that are wanted have SRTP and a way to its keys: crypto of a suite that
 * encrypts, or a fingerprint. */
bool sdp_is_encrypted(const struct sdp *s);

enum sdp_suite { /* RFC 4568, 6188, 7714 */
                 SDP_SUITE_UNKNOWN,
                 SDP_AES_CM_128_HMAC_SHA1_80,
                 SDP_AES_CM_128_HMAC_SHA1_32,
                 SDP_AES_256_CM_HMAC_SHA1_80,
                 SDP_AES_256_CM_HMAC_SHA1_32,
                 SDP_AEAD_AES_128_GCM,
                 SDP_AEAD_AES_256_GCM,
                 SDP_SUITE_COUNT
};
struct span sdp_suite_name(enum sdp_suite s);
/* Key and salt together, in bytes; 0 for UNKNOWN. */
size_t sdp_suite_key_len(enum sdp_suite s);

enum { SDP_KEY_MAX = 46 };
struct sdp_crypto { /* a=crypto (RFC 4568, 9.1) */
    unsigned tag;
    enum sdp_suite suite;
    unsigned char key[SDP_KEY_MAX]; /* to be wiped by whoever holds it */
    size_t key_len;
    uint64_t lifetime; /* packets; 0: not said */
    unsigned mki_len;  /* bytes; 0: none */
    uint64_t mki;
};
/* The media's crypto lines, one after the other: *i counts attributes, from 0. 1: *out is one; 0:
 * no more; CS_ENOTSUP: of a suite, session parameter or number of keys that is not known here,
 * which an answerer passes over (RFC 4568, 5.1.2); CS_EPROTO: malformed. *out is wiped on all
 * but 1. */
CS_CHECK int sdp_crypto_next(const struct sdp_media *m, size_t *i, struct sdp_crypto *out);
void sdp_crypto_write(struct buf *b, const struct sdp_crypto *c); /* the value */

enum { SDP_FINGERPRINT_MAX = 64 };
struct sdp_fingerprint { /* RFC 8122 */
    struct span hash;    /* "sha-256", in any case */
    unsigned char bytes[SDP_FINGERPRINT_MAX];
    size_t n;
};
/* Of the media, else of the session. CS_ENOENT when there is none, CS_EPROTO when malformed,
 * CS_ENOTSUP for another hash than SHA-256, SHA-384 and SHA-512. */
CS_CHECK int sdp_fingerprint_of(const struct sdp *s, const struct sdp_media *m,
                                struct sdp_fingerprint *out);
void sdp_fingerprint_write(struct buf *b, const struct sdp_fingerprint *f); /* the value */

enum sdp_setup { SDP_SETUP_NONE, SDP_ACTPASS, SDP_ACTIVE, SDP_PASSIVE, SDP_HOLDCONN };
/* RFC 4145, 4. NONE also for a word that is none of these. */
enum sdp_setup sdp_setup_of(const struct sdp *s, const struct sdp_media *m);
struct span sdp_setup_name(enum sdp_setup s);

/* ---- ICE (RFC 8839) ---- */
struct sdp_candidate {
    struct span foundation, type; /* "host", "srflx", "prflx", "relay" */
    unsigned component;           /* 1: RTP, 2: RTCP */
    uint32_t priority;
    struct addr addr; /* no family where it is a name (mDNS) */
    bool udp;
};
/* One value of a=candidate. CS_EPROTO when malformed. */
CS_CHECK int sdp_candidate_parse(struct span value, struct sdp_candidate *out);

#endif
