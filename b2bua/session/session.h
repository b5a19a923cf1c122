/* The media of one call: what its two sides offered and answered each other through us, and the
 * relays that carry it (RFC 3264, 4568, 8866). A side is a leg; what leaves towards it is ours:
 * addresses, ports, keys, origin. Codecs are the sides' own affair: they are passed on, and payload
 * types mapped where the two number them differently. */
#ifndef CS_B2BUA_SESSION_SESSION_H
#define CS_B2BUA_SESSION_SESSION_H

#include "b2bua/media/relay.h"
#include "base/buf.h"

struct session;

enum srtp_policy { SRTP_FORBID, SRTP_PREFER, SRTP_REQUIRE };
/* Of DTLS-SRTP, where SRTP is not forbidden: whether it is taken, and when it is offered. */
enum webrtc_policy { WEBRTC_NEVER, WEBRTC_ACCEPT, WEBRTC_RETRY, WEBRTC_FIRST };

struct session_side {       /* borrowed while the session lives */
    size_t address;         /* of ports */
    struct span advertised; /* host that the side is told; absent: the address itself */
    enum srtp_policy srtp;
    bool takes_dtls;           /* UDP/TLS/RTP/SAVPF in its offers */
    bool dtls;                 /* it is offered that, and nothing else */
    bool learn;                /* symmetric RTP: where it really comes from counts */
    bool digit_drop;           /* digits are events alone for it, no tones */
    const struct span *codecs; /* that the side is offered, by name; none: any */
    size_t n_codecs;
};

enum { SESSION_SDP_MAX = 16384, SESSION_STREAMS_MAX = 8 };

struct session_keys { /* of both directions, as a peer was told them; wiped by who holds it */
    struct crypt_key in, out;
};

CS_CHECK int session_new(struct media *m, struct session **out);
void session_free(struct session **s);
/* What a side wants, before anything is offered to it or by it; again when another leg takes its
 * place, whom nothing was answered yet. */
void session_set_side(struct session *s, unsigned side, const struct session_side *conf);

/* The same while what stands goes on, until an answer says otherwise: it can be put back, or let
 * go. So several legs are asked at once, too, each with an offer of its own, at the same ports.
 * NULL: no memory, nothing has changed. */
struct session_kept;
struct session_kept *session_swap_side(struct session *s, unsigned side,
                                       const struct session_side *conf);
void session_put_back(struct session *s, struct session_kept **kept);
void session_let_go(struct session_kept **kept);

/* session_set_side() for a leg that comes from another session, where it has DTLS. It is shown
 * another certificate than there, without which it would go on with the association that it has
 * (RFC 8842, 4), and streams keep their names (RFC 8829, 5.2.2). On an error nothing is changed. */
CS_CHECK int session_adopt(struct session *s, unsigned side, const struct session_side *conf,
                           const struct session *from, unsigned there);

/* What a side says next, offer or answer, says nothing of keys: its leg brings them, since its peer
 * is told them beside descriptions, as phones that speak SCCP are. Copied; NULL: descriptions say.
 * CS_ENOMEM. */
CS_CHECK int session_bring_keys(struct session *s, unsigned side, const struct session_keys *k);

/* An offer of one side becomes the offer to the other, in out. CS_EDENIED: weaker than policy
 * demands; CS_ENOTSUP: nothing in it can be carried; CS_EPROTO: malformed; CS_ELIMIT: no ports, or
 * too much of it. *why says it in words for a Warning, where no
 * codec is shared with both lists; it lives until the next of these calls. */
CS_CHECK int session_offer(struct session *s, unsigned from, struct span sdp, struct buf *out,
                           const char **why);
/* The other side's answer, likewise; media flow by it from now on. May be called again for the same
 * offer: the latest answer counts. */
CS_CHECK int session_answer(struct session *s, unsigned from, struct span sdp, struct buf *out,
                            const char **why);
/* An offer of one side that the other is not told of: it is answered by what that has agreed on,
 * which goes on as it is. *why as above. */
CS_CHECK int session_answer_here(struct session *s, unsigned from, struct span sdp, struct buf *out,
                                 const char **why);
/* What a side was told last, and what it said last that was agreed on; absent: nothing. Borrowed
 * until the next of these calls. */
struct span session_told(const struct session *s, unsigned side);
struct span session_said(const struct session *s, unsigned side);
/* No other answer to that offer will come: what is kept to read one by is released. */
void session_settled(struct session *s);
/* Whether an offer of this side says again what stands already: then what we told it last is the
 * answer. */
bool session_stands(const struct session *s, unsigned from, struct span sdp, struct span *answer);
/* In words for a Warning: what was offered, and what the side that refused said that it takes. */
const char *session_refusal(struct session *s, struct span said);
/* The offer was refused: what stood before stands. */
void session_withdraw(struct session *s);

/* A digit of 0-9, *, # or A-D of that side, which the other one hears by telephone-events (RFC
 * 4733). CS_ENOTSUP: they did not agree on these, or it is none. */
CS_CHECK int session_press(struct session *s, unsigned side, char digit);

/* Whether silence is agreed on: no stream goes both ways, and who holds need not send anything. */
bool session_is_held(const struct session *s);

/* Sums over all streams, of what came from this side. */
void session_stats(const struct session *s, unsigned side, struct side_stats *out);
struct session_safety {     /* of a side's first stream */
    enum crypt_suite suite; /* that protects it; CRYPT_NONE: RTP in the clear, or no keys yet */
    bool dtls;              /* its keys are DTLS's */
};
struct session_safety session_safety(const struct session *s, unsigned side);
/* How DTLS is doing: FAILED where one stream's did, WAITING where one does, DONE where all that
 * have it are. */
enum dtls_state session_dtls(const struct session *s);

#endif
