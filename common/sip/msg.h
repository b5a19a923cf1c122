/* One SIP message, parsed: an arena, a copy of its bytes in it, and spans into that copy. Counted,
 * because answers from other processes come back to it. */
#ifndef CS_SIP_MSG_H
#define CS_SIP_MSG_H

#include "base/addr.h"
#include "base/arena.h"
#include "sip/method.h"
#include "sip/uri.h"

/* Headers that somebody here reads, drops or adds. At most 64, so a set fits one word. */
enum sip_hdr_id {
    SIP_HDR_OTHER,
    SIP_HDR_VIA,
    SIP_HDR_FROM,
    SIP_HDR_TO,
    SIP_HDR_CALL_ID,
    SIP_HDR_CSEQ,
    SIP_HDR_CONTACT,
    SIP_HDR_ROUTE,
    SIP_HDR_RECORD_ROUTE,
    SIP_HDR_MAX_FORWARDS,
    SIP_HDR_CONTENT_LENGTH,
    SIP_HDR_CONTENT_TYPE,
    SIP_HDR_CONTENT_ENCODING,
    SIP_HDR_AUTHORIZATION,
    SIP_HDR_PROXY_AUTHORIZATION,
    SIP_HDR_WWW_AUTHENTICATE,
    SIP_HDR_PROXY_AUTHENTICATE,
    SIP_HDR_EXPIRES,
    SIP_HDR_MIN_EXPIRES,
    SIP_HDR_REQUIRE,
    SIP_HDR_PROXY_REQUIRE,
    SIP_HDR_SUPPORTED,
    SIP_HDR_UNSUPPORTED,
    SIP_HDR_ALLOW,
    SIP_HDR_PATH,
    SIP_HDR_SERVICE_ROUTE,
    SIP_HDR_USER_AGENT,
    SIP_HDR_SERVER,
    SIP_HDR_DATE,
    SIP_HDR_RETRY_AFTER,
    SIP_HDR_REASON,
    SIP_HDR_P_ASSERTED_IDENTITY,
    SIP_HDR_P_PREFERRED_IDENTITY,
    SIP_HDR_REMOTE_PARTY_ID,
    SIP_HDR_PRIVACY,
    SIP_HDR_MAX_BREADTH,
    SIP_HDR_SUBJECT,
    SIP_HDR_EVENT,
    SIP_HDR_REFER_TO,
    SIP_HDR_REFERRED_BY,
    SIP_HDR_SESSION_EXPIRES,
    SIP_HDR_ALLOW_EVENTS,
    SIP_HDR_TIMESTAMP,
    SIP_HDR_WARNING,
    SIP_HDR_ACCEPT,
    SIP_HDR_REPLACES,
    SIP_HDR_RESTS_ON, /* ours, on the trusted link alone: gate/resting.h */
    SIP_HDR_ORIGIN,   /* likewise: Call-ID that a call began with (capture/capture.h) */
    SIP_HDR_COUNT
};
#define SIP_HDR_BIT(id) (UINT64_C(1) << (id))

struct sip_hdr {
    enum sip_hdr_id id;
    struct span name;  /* as written */
    struct span value; /* without white space at its ends; folds inside are as written */
};

struct sip_via {                                     /* RFC 3261, 20.42 */
    struct span text;                                /* the whole value */
    struct span transport;                           /* "UDP" */
    struct span host;                                /* sent-by */
    uint16_t port;                                   /* 0: none */
    struct span branch, received, maddr, ttl, rport; /* rport: empty if given without a value */
    struct span params;                              /* from the first ';' */
    bool rfc3261;                                    /* branch begins with the magic cookie */
};

struct sip_addr { /* name-addr or addr-spec with header parameters: From, To, Contact, Route, ... */
    struct span text;    /* the whole value */
    struct span display; /* as written, with quotes if any; absent if none */
    struct sip_uri uri;
    struct span params; /* header parameters, from the first ';', "" if none */
    struct span tag;    /* absent if none */
};

struct sip_limits { /* 0 means the default */
    size_t message; /* bytes, 65535 */
    size_t line;    /* bytes of one header with its folds, 8192 */
    size_t headers; /* 128 */
};

struct sip_msg {
    unsigned refs;
    struct arena arena; /* whoever keeps something with the message may put it here */
    struct span raw;    /* all of it, cut behind the body */
    bool is_request;

    enum sip_method method; /* of the request, or of the response's CSeq */
    struct span method_name;
    struct sip_uri uri; /* request */
    unsigned status;    /* response, 100..699 */
    struct span reason;

    struct sip_hdr *hdr;
    size_t n_hdr;
    uint64_t present; /* SIP_HDR_BIT of each header there */

    struct sip_via via; /* topmost */
    struct sip_addr from, to;
    struct span call_id;
    uint32_t cseq;
    int max_forwards; /* -1: none */
    struct span body;

    /* A request that is malformed, yet whole enough to be answered: the status to answer with (400,
     * 505, 416 ...) and why. 0 for a good message. Bad responses are never given out. */
    unsigned bad;
    const char *bad_why;

    /* Set by whoever received it. */
    struct addr source;
};

/* Length of the first message in a stream's bytes: start line, headers, and a body of
 * Content-Length. 0 when more is needed. CS_EPROTO when it cannot become a message (a start line
 * that is none, two different Content-Length, none at all), CS_ELIMIT when over a limit. CRLFs
 * before the start line are not the message: strip them first (RFC 3261, 7.5). */
ptrdiff_t sip_frame(struct span in, const struct sip_limits *limits);

/* Parses one whole message, from one datagram or framed. Copies raw into the message: one
 * allocation for all of it, counted by arena_fail_after(). CRLFs before the start line are skipped.
 * datagram says that Content-Length may be absent and that bytes behind the body are ignored
 * (18.3). Lines end with CRLF and nothing else; control characters, but for tabs and quoted-pairs,
 * lines of white space alone, and single-valued headers that are there twice are malformed. A
 * malformed request is given out when its topmost Via says where it came from; what could not be
 * parsed of it is absent, and nobody answers a malformed ACK. 0: *out is the caller's, with one
 * reference, and out->bad is to be looked at. CS_EPROTO: not even answerable, or a malformed
 * response: drop it. CS_ELIMIT, CS_ENOMEM. */
CS_CHECK int sip_msg_parse(struct span raw, bool datagram, const struct sip_limits *limits,
                           struct sip_msg **out);
struct sip_msg *sip_msg_ref(struct sip_msg *m);
void sip_msg_unref(struct sip_msg **m);

static inline bool sip_has(const struct sip_msg *m, enum sip_hdr_id id)
{
    return m->present & SIP_HDR_BIT(id);
}
/* Value of the first header with this id; absent if none. */
struct span sip_hdr_value(const struct sip_msg *m, enum sip_hdr_id id);
/* The same of a header that has no id, by its name. */
struct span sip_hdr_named(const struct sip_msg *m, struct span name);
/* The single value of a header that must not be repeated, as a number: 0, CS_ENOENT, or CS_EPROTO.
 */
CS_CHECK int sip_hdr_u32(const struct sip_msg *m, enum sip_hdr_id id, uint32_t *out);

/* Walks the values of a header that is a comma-separated list, over all its lines in order:
 *     for (struct sip_values it = sip_values(m, SIP_HDR_CONTACT); sip_next(&it); ) use(it.value);
 * Commas in quotes and angle brackets do not separate. An empty element is skipped. Values whose
 * scheme makes commas part of the value (Authorization and its like) are given whole. */
struct sip_values {
    const struct sip_msg *msg;
    enum sip_hdr_id id;
    size_t next_hdr;
    struct span rest, value;
};
struct sip_values sip_values(const struct sip_msg *m, enum sip_hdr_id id);
bool sip_next(struct sip_values *it);
/* Whether a list of option tags (Require, Supported, ...) has this one; case does not matter. */
bool sip_lists(const struct sip_msg *m, enum sip_hdr_id id, struct span tag);

/* Whether it lists an option tag that is none of these (RFC 3261, 8.2.2.3, 16.3); out gets the
 * Unsupported line for a 420. */
bool sip_lacks(const struct sip_msg *m, enum sip_hdr_id id, const struct span *tags, size_t n,
               struct buf *out);

/* CS_EPROTO if malformed; *out is all zero then. */
CS_CHECK int sip_via_parse(struct span value, struct sip_via *out);
/* An addr-spec without brackets takes no parameters of its own: what follows ';' are the header's
 * (RFC 3261, 20). The URI may be of another scheme. "*" is CS_EPROTO: look for it first. */
CS_CHECK int sip_addr_parse(struct span value, struct sip_addr *out);
/* Parameter out of ";a=b;c": 0 with the value (quotes removed, empty if it has none), CS_ENOENT, or
 * CS_EPROTO when it is there twice. */
CS_CHECK int sip_param(struct span params, struct span name, struct span *out);

#endif
