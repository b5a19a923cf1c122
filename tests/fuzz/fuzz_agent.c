/* What comes to the media port of a browser's stream, a datagram at a time (each behind its length
 * in two bytes): STUN of whoever it is, DTLS, RTP and RTCP. Nobody without the password moves
 * anything or begins a handshake, nothing is media before there are keys. The first byte says who
 * we are: 1: we begin; 2: without ICE; 4: STUN is made right, as the browser's own would be. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "b2bua/media/agent.h"
#include "b2bua/media/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No thread, and nothing is ever due. */
void worker_timer_start(struct worker *w, struct worker_timer *t, struct mono due)
{
    (void)w;
    t->due = due;
}

void worker_timer_stop(struct worker_timer *t)
{
    (void)t;
}

struct world {
    struct addr peer, thief;
    bool proved, keyed, failed;
    size_t sent_to_thief, handshakes; /* datagrams */
};

static void on_send(void *arg, const struct addr *to, const char *datagram, size_t n)
{
    struct world *w = arg;
    assert(n > 0 && n <= 1200);
    w->sent_to_thief += addr_eq(to, &w->thief);
    w->handshakes += (unsigned char)datagram[0] >= 20;
}

static void on_moved(void *arg, const struct addr *to)
{
    struct world *w = arg;
    assert(addr_eq(to, &w->peer));
    w->proved = true;
}

static void on_keyed(void *arg, const struct crypt_key *in, const struct crypt_key *out)
{
    struct world *w = arg;
    assert(!w->failed && in->suite == out->suite);
    w->keyed = true;
}

static void on_failed(void *arg)
{
    struct world *w = arg;
    w->failed = true;
}

static const struct agent_events events = { on_send, on_moved, on_keyed, on_failed };
static const struct ice_conf words = { "ours1234", "a password of 24 letters", "theirs" };

/* The browser's: behind its own attributes come USERNAME and a proof. */
static size_t prove(char *out, size_t cap, struct span in)
{
    struct buf b = buf_of(out, cap);
    struct stun s;
    struct stun_attr a;
    if (stun_parse(in, &s))
        return 0;
    stun_begin(&b, STUN_BINDING_REQUEST, span_of(in.p + STUN_ID_AT, STUN_ID));
    stun_put(&b, STUN_USERNAME, SPAN("ours1234:theirs"));
    for (size_t at = 0; stun_next(&s, &at, &a);) {
        if (a.name != STUN_USERNAME && a.name != STUN_MESSAGE_INTEGRITY &&
            a.name != STUN_FINGERPRINT)
            stun_put(&b, a.name, a.value);
    }
    stun_put_integrity(&b, span_str(words.pwd));
    return buf_ok(&b) ? b.n : 0;
}

static void receive(struct agent *a, struct world *w, struct span in, bool proves)
{
    static char text[4096];
    char *copy = malloc(in.n ? in.n : 1); /* its end is watched */
    struct rtp p;
    memcpy(copy, in.p, in.n);
    const size_t answered = w->sent_to_thief;
    enum agent_took took = agent_receive(a, copy, in.n, &w->thief);
    assert(took != AGENT_MEDIA && took != AGENT_TAKEN && w->sent_to_thief == answered);
    took = agent_receive(a, copy, in.n, &w->peer);
    assert(took != AGENT_MEDIA || w->keyed);
    if (took == AGENT_MEDIA && !rtp_is_rtcp(in))
        (void)!rtp_parse(in, &p);
    const size_t n = proves ? prove(text, sizeof(text), in) : 0;
    if (n)
        assert(agent_receive(a, text, n, &w->peer) == AGENT_TAKEN);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dtls_identity *identity;
    static const struct addr nowhere;
    struct world w = { 0 };
    struct agent *a;
    struct span rest = span_of(data, size);
    const unsigned how = size ? data[0] : 0;
    struct dtls_conf dtls = { .active = how & 1, .n = DTLS_SHA256 };
    int err = identity ? 0 : dtls_identity_new(&identity);
    assert(!err && !addr_parse(SPAN("192.0.2.1:4000"), 0, &w.peer) &&
           !addr_parse(SPAN("192.0.2.66:4000"), 0, &w.thief));
    memcpy(dtls.fingerprint, dtls_identity_fingerprint(identity), DTLS_SHA256);
    const bool ice = !(how & 2);
    if (agent_new(identity, ice ? &words : &(struct ice_conf){ "" }, &dtls, &a))
        return 0;
    agent_begin(a, NULL, ice ? &nowhere : &w.peer, &events, &w);
    for (rest = span_skip(rest, 1); rest.n >= 2;) {
        const size_t n = (size_t)(unsigned char)rest.p[0] << 8 | (unsigned char)rest.p[1];
        receive(a, &w, span_head(span_skip(rest, 2), n), ice && (how & 4));
        rest = span_skip(rest, 2 + n);
    }
    assert(!w.handshakes || w.proved || !ice);
    agent_free(&a);
    return 0;
}
