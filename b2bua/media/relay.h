/* Two streams of media joined: what comes to one side leaves by the other, opened, renumbered and
 * sealed on the way. Sides are set up by the process's main thread; packets are carried by worker
 * threads, each with relays and an epoll of its own. */
#ifndef CS_B2BUA_MEDIA_RELAY_H
#define CS_B2BUA_MEDIA_RELAY_H

#include "b2bua/media/crypt.h"
#include "b2bua/media/dtls.h"
#include "b2bua/media/ice.h"
#include "b2bua/media/ports.h"
#include "base/addr.h"
#include "base/clock.h"

struct media;
struct relay;
struct worker;

struct media_conf {
    unsigned threads;    /* 0: as many as there are processors */
    struct ports *ports; /* borrowed, outlives the media */
};

/* CS_ENOTSUP when libsrtp2 cannot do what crypt.h wants, or OpenSSL what dtls.h does, CS_ENOMEM, or
 * libuv's codes. */
CS_CHECK int media_open(const struct media_conf *conf, struct media **out);
/* SHA-256 of the certificate that DTLS shows: DTLS_SHA256 bytes. */
const unsigned char *media_fingerprint(const struct media *m);
/* For what else carries packets: the thread whose turn it is, and where ports are taken. */
struct worker *media_worker(struct media *m);
struct ports *media_ports(struct media *m);
/* Ends the threads; all relays and conferences were freed before. Sets *m to NULL. */
void media_close(struct media **m);

enum { RELAY_A, RELAY_B, RELAY_SIDES };

/* Sockets of two sides, each at the address of ports that was asked for. Nothing is carried yet.
 * CS_ELIMIT when no ports are free; libuv's codes. */
CS_CHECK int relay_new(struct media *m, const size_t address[RELAY_SIDES], struct relay **out);
/* Its ports are given back a little later, when the thread let go of them. Sets *r to NULL. */
void relay_free(struct relay **r);
/* Where packets for this side are to be sent: RTP's port; RTCP's is the next. */
const struct addr *relay_local(const struct relay *r, unsigned side);

enum { RELAY_DROP = 0xff, RELAY_CLOCK = 25 /* Hz, which divides all clocks in use */ };
enum relay_kind { RELAY_OTHER, RELAY_EVENT, RELAY_PCMU, RELAY_PCMA };
struct side_conf {
    struct addr rtp, rtcp; /* where to send; no family: nowhere. rtcp is not looked at with mux */
    /* The first good packet's source is where to send instead, once (symmetric RTP): for peers
     * behind NAT. Good is what the key proves, or in clear what has a payload type that is mapped.
     */
    bool learn;
    bool mux;            /* RTP and RTCP share RTP's port (RFC 5761) */
    bool sends, listens; /* the peer, as its side of the call stands: what comes from a peer that
                            does not send is dropped, to one that does not listen nothing is sent */
    struct crypt_key in, out; /* suite NONE: in clear. The same key as before keeps its index */
    /* With ICE rtp is not looked at: media go to where the peer proves to be. With DTLS in and out
     * are not: nothing passes until it has agreed on keys. Both want mux. The same DTLS as before
     * goes on, whatever ICE says (RFC 8842, 4). */
    struct ice_conf ice;
    struct dtls_conf dtls;
    struct dtls_identity *identity; /* shown by DTLS; borrowed for the call; NULL: the process's */
    unsigned char
        payload[128];   /* what leaves by the other side for each type; RELAY_DROP: nothing */
    uint16_t rate[128]; /* clock of each type in units of RELAY_CLOCK, for jitter; 0: 8000 Hz */
    unsigned char kind[128]; /* enum relay_kind of each */
    bool digit_drop; /* while the other side sends an event (RFC 4733) it hears no sound of it */
};
/* Replaces all of a side, or of both at once, between two packets; NULL: it stays as it is. conf is
 * copied, wiped where it was kept. CS_ENOMEM leaves what stood. */
CS_CHECK int relay_set(struct relay *r, const struct side_conf *const conf[RELAY_SIDES]);

/* A digit is said to the other side in the stream that comes from this one, for so many ms, by
 * telephone-events (RFC 4733) of the type that its peer would say them by. CS_ENOMEM. */
CS_CHECK int relay_press(struct relay *r, unsigned side, unsigned payload, unsigned event,
                         unsigned ms);

enum relay_dropped {
    DROPPED_MALFORMED,
    DROPPED_SOURCE,  /* not from where this side's packets come, or of one SSRC too many */
    DROPPED_FORGED,  /* the key does not prove it, or it was seen before */
    DROPPED_PAYLOAD, /* a type that was not agreed on */
    DROPPED_HELD,    /* a side does not send, the other not listen */
    DROPPED_UNSENT,  /* the kernel did not take it, or there is nowhere to send */
    DROPPED_COUNT
};
struct side_stats { /* of what came from this side's peer */
    uint64_t packets, bytes, lost, rtcp;
    uint64_t dropped[DROPPED_COUNT];
    uint32_t jitter_us;
    struct mono last;       /* when the last good packet came; ns 0: none did */
    bool learned;           /* the source was learned */
    uint64_t set;           /* how many relay_set() are in force */
    enum dtls_state dtls;   /* NONE where the side has none */
    enum crypt_suite suite; /* what DTLS agreed on */
};
/* May be behind by what is in flight. */
void relay_stats(const struct relay *r, unsigned side, struct side_stats *out);

#endif
