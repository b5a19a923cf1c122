#include "torture.h"

#include <assert.h>

#include "base/asset.h"
#include "net/stream.h"
#include "scenario.h"

enum { SILENCE_MS = 500, ANSWER = 16 * 1024 };

extern const struct asset torture_assets[];

#define RFC4475(name, section, what, kind)               \
    {                                                    \
        name, "RFC 4475, " section ", " name, what, kind \
    }
#define RFC5118(name, section, what, kind)               \
    {                                                    \
        name, "RFC 5118, " section ", " name, what, kind \
    }
#define VALID    TORTURE_VALID
#define METHOD   TORTURE_METHOD
#define INVALID  TORTURE_INVALID
#define EITHER   TORTURE_EITHER
#define RESPONSE TORTURE_RESPONSE

const struct torture torture_messages[] = {
    RFC4475("wsinv", "3.1.1.1", "a short tortuous INVITE", VALID),
    RFC4475("intmeth", "3.1.1.2", "wide range of valid characters", METHOD),
    RFC4475("esc01", "3.1.1.3", "valid use of % escaping", VALID),
    RFC4475("escnull", "3.1.1.4", "escaped nulls in URIs", VALID),
    RFC4475("esc02", "3.1.1.5", "% where it is not an escape", METHOD),
    RFC4475("lwsdisp", "3.1.1.6", "no space between display name and <", VALID),
    RFC4475("longreq", "3.1.1.7", "long values in header fields", VALID),
    RFC4475("dblreq", "3.1.1.8", "extra octets behind a message", VALID),
    RFC4475("semiuri", "3.1.1.9", "semicolons in the user part of a URI", VALID),
    RFC4475("transports", "3.1.1.10", "varied and unknown transport types", VALID),
    RFC4475("mpart01", "3.1.1.11", "multipart MIME message", VALID),
    RFC4475("unreason", "3.1.1.12", "unusual reason phrase", RESPONSE),
    RFC4475("noreason", "3.1.1.13", "empty reason phrase", RESPONSE),
    RFC4475("badinv01", "3.1.2.1", "extraneous header field separators", INVALID),
    RFC4475("clerr", "3.1.2.2", "Content-Length larger than the message", INVALID),
    RFC4475("ncl", "3.1.2.3", "negative Content-Length", INVALID),
    RFC4475("scalar02", "3.1.2.4", "request with overlarge numbers", INVALID),
    RFC4475("scalarlg", "3.1.2.5", "response with overlarge numbers", RESPONSE),
    RFC4475("quotbal", "3.1.2.6", "unterminated quoted string", INVALID),
    RFC4475("ltgtruri", "3.1.2.7", "<> around the Request-URI", INVALID),
    RFC4475("lwsruri", "3.1.2.8", "space in the Request-URI", INVALID),
    RFC4475("lwsstart", "3.1.2.9", "several spaces in the request line", INVALID),
    RFC4475("trws", "3.1.2.10", "spaces at the end of the request line", INVALID),
    RFC4475("escruri", "3.1.2.11", "escaped headers in the Request-URI", INVALID),
    RFC4475("baddate", "3.1.2.12", "invalid time zone in Date", EITHER),
    RFC4475("regbadct", "3.1.2.13", "Contact with a query, not in <>", EITHER),
    RFC4475("badaspec", "3.1.2.14", "spaces within an address", INVALID),
    RFC4475("baddn", "3.1.2.15", "display name that is no token", INVALID),
    RFC4475("badvers", "3.1.2.16", "unknown protocol version", INVALID),
    RFC4475("mismatch01", "3.1.2.17", "CSeq names another method", INVALID),
    RFC4475("mismatch02", "3.1.2.18", "CSeq names another method, unknown", INVALID),
    RFC4475("bigcode", "3.1.2.19", "overlarge response code", RESPONSE),
    RFC4475("badbranch", "3.2.1", "missing transaction identifier", EITHER),
    RFC4475("insuf", "3.3.1", "required header fields are missing", INVALID),
    RFC4475("unkscm", "3.3.2", "Request-URI of an unknown scheme", VALID),
    RFC4475("novelsc", "3.3.3", "Request-URI of an unusual scheme", VALID),
    RFC4475("unksm2", "3.3.4", "unknown schemes in header fields", EITHER),
    RFC4475("bext01", "3.3.5", "unknown Require and Proxy-Require", VALID),
    RFC4475("invut", "3.3.6", "unknown Content-Type", VALID),
    RFC4475("regaut01", "3.3.7", "unknown authorization scheme", EITHER),
    RFC4475("multi01", "3.3.8", "several values where one is due", INVALID),
    RFC4475("mcl01", "3.3.9", "several Content-Length", INVALID),
    RFC4475("bcast", "3.3.10", "200 with a broadcast address in Via", RESPONSE),
    RFC4475("zeromf", "3.3.11", "Max-Forwards of zero", VALID),
    RFC4475("cparam01", "3.3.12", "REGISTER with a parameter of Contact", VALID),
    RFC4475("cparam02", "3.3.13", "REGISTER with a parameter of a URI", VALID),
    RFC4475("regescrt", "3.3.14", "REGISTER with headers in a URI", VALID),
    RFC4475("sdp01", "3.3.15", "Accept that nobody can serve", VALID),
    RFC4475("inv2543", "3.4.1", "INVITE of RFC 2543, without Content-Length", EITHER),
    RFC5118("ipv6-good", "4.1", "IPv6 reference", VALID),
    RFC5118("ipv6-bad", "4.2", "IPv6 address without brackets", INVALID),
    RFC5118("port-ambiguous", "4.3", "port within the brackets", VALID),
    RFC5118("port-unambiguous", "4.4", "port behind the brackets", VALID),
    RFC5118("via-received-param-with-delim", "4.5", "received with brackets", VALID),
    RFC5118("via-received-param-no-delim", "4.5", "received without brackets", VALID),
    RFC5118("ipv6-in-sdp", "4.6", "IPv6 addresses in SDP", VALID),
    RFC5118("mult-ip-in-header", "4.7", "IPv4 and IPv6 in header fields", VALID),
    RFC5118("mult-ip-in-sdp", "4.8", "IPv4 and IPv6 in SDP", VALID),
    RFC5118("ipv4-mapped-ipv6", "4.9", "IPv4-mapped IPv6 addresses", VALID),
    RFC5118("ipv6-bug-abnf-3-colons", "4.10", "three colons, by the ABNF of RFC 3261", EITHER),
    RFC5118("ipv6-correct-abnf-2-colons", "4.10", "two colons", VALID),
    { 0 },
};

/* A connection with one message. */
struct torture_shot {
    struct selftest *t;
    struct timer quiet;
    struct span message;
    unsigned status; /* of the final answer; 0: none */
    int reason;      /* why the connection was closed */
    bool over, closed, garbage;
};

static void on_quiet(struct timer *timer)
{
    container_of(timer, struct torture_shot, quiet)->over = true;
}

static void on_open(struct stream *s, void *arg)
{
    struct torture_shot *shot = arg;
    stream_write(s, shot->message);
}

static ptrdiff_t on_data(struct stream *s, void *arg, struct span in)
{
    struct torture_shot *shot = arg;
    struct span rest = in;
    (void)s;
    while (span_starts(rest, SPAN("\r\n")))
        rest = span_skip(rest, 2);
    ptrdiff_t n = rest.n ? sip_frame(rest, NULL) : 0;
    uint64_t status = 0;
    if (n < 0 || (n > 0 && (!span_starts(rest, SPAN("SIP/2.0 ")) ||
                            span_u64(span_of(rest.p + 8, 3), 699, &status)))) {
        shot->garbage = shot->over = true;
        return (ptrdiff_t)in.n;
    }
    if (status >= 200 && !shot->status)
        shot->status = (unsigned)status;
    shot->over |= shot->status != 0;
    return (ptrdiff_t)(in.n - rest.n) + n;
}

static void on_closed(struct stream *s, void *arg, int reason)
{
    struct torture_shot *shot = arg;
    (void)s;
    shot->reason = reason;
    shot->closed = shot->over = true;
}

const struct phone_conf *torture_server(const struct selftest *t)
{
    for (size_t i = 0; i < CS_LEN(t->conf); i++) {
        if (t->conf[i].transport == SIP_TCP || t->conf[i].transport == SIP_TLS)
            return &t->conf[i];
    }
    return NULL;
}

static int fire(struct torture_shot *shot, const struct phone_conf *server, bool briefly)
{
    static const struct stream_events events = { on_open, on_data, on_closed };
    static const struct stream_limits limits = { ANSWER, ANSWER };
    char name[256];
    struct stream *s;
    struct loop *l = shot->t->loop;
    int err = stream_connect_tcp(l, &server->server, NULL, &limits, &events, shot, &s);
    if (err)
        return err;
    span_copy(name, sizeof(name), server->domain);
    err = server->tls ? stream_start_tls(s, server->tls, name) : 0;
    if (err)
        stream_close(s, err);
    if (briefly)
        timer_start(l, &shot->quiet, DURATION_MS(SILENCE_MS));
    until(shot->t, &shot->over);
    timer_stop(l, &shot->quiet);
    bool ours = !shot->closed;
    if (ours)
        stream_close(s, 0);
    while (!shot->closed)
        loop_run_once(l);
    shot->closed = !ours;
    return shot->closed && shot->reason != UV_EOF && shot->reason != UV_ECONNRESET ? shot->reason
                                                                                   : 0;
}

static bool is_right(const struct torture *m, const struct torture_shot *shot)
{
    const unsigned status = shot->status;
    const bool failed = status >= 500 && status < 600 && status != 501;
    switch (m->kind) {
    case VALID:
        return status && status != 400 && !failed;
    case METHOD:
        return !status || status == 405 || status == 501;
    case INVALID:
        return !status || (status >= 400 && status != 401 && status != 407);
    case EITHER:
        return !status || (status >= 300 && !failed);
    default:
        return !status;
    }
}

enum outcome torture(struct selftest *t, const struct torture *m)
{
    char name[64];
    snprintf(name, sizeof(name), "%s.dat", m->name);
    const struct asset *file = asset_find(torture_assets, span_str(name));
    assert(file);
    struct torture_shot shot = { .t = t, .message = span_of((const char *)file->data, file->n) };
    t->seen[0] = '\0';
    t->late = false;
    timer_init(&shot.quiet, on_quiet);
    timer_start(t->loop, &t->deadline, t->timeout);
    int err = fire(&shot, torture_server(t), m->kind != TORTURE_VALID);
    timer_stop(t->loop, &t->deadline);
    if (shot.garbage)
        saw(t, "what came back is no SIP");
    else if (shot.status)
        saw(t, "%u", shot.status);
    else if (err)
        saw(t, "%s", cs_strerror(err));
    else
        saw(t, shot.closed ? "the connection was closed" : "no answer");
    return !err && !shot.garbage && is_right(m, &shot) ? STEP_PASSED : STEP_FAILED;
}
