#include "b2bua/media/relay.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "b2bua/media/agent.h"
#include "b2bua/media/digits.h"
#include "b2bua/media/rtp.h"
#include "base/util.h"

struct media {
    struct ports *ports;
    struct dtls_identity *identity;
    unsigned n, next;
    struct worker *worker[];
};

/* What the main thread reads while the worker counts. */
struct counters {
    _Atomic uint64_t packets, bytes, lost, rtcp, last_ns, set;
    _Atomic uint64_t dropped[DROPPED_COUNT];
    _Atomic uint32_t jitter_us, dtls, suite;
    _Atomic bool learned;
};

struct stream_socket {
    struct worker_socket socket;
    struct relay *relay;
    unsigned side;
    bool rtcp;
    bool connected; /* the kernel lets packets of the peer in alone; */
    bool queued;    /* what came before that may still be there, of anybody */
    struct addr to; /* no family: nowhere */
};

struct mapped { /* a payload type, as in struct side_conf */
    uint16_t rate;
    unsigned char type, payload, kind;
};

struct plan { /* of a side; the worker's */
    struct crypt *in, *out;
    struct agent *agent; /* NULL: the peer is where it was said to be, its keys are known */
    bool waits;          /* for keys */
    bool dtls;
    struct ice_conf *ice; /* NULL: none */
    /* As in struct side_conf. */
    struct addr rtp, rtcp;
    bool learn, mux, sends, listens, digit_drop;
    unsigned char n;        /* all others are dropped */
    struct mapped mapped[]; /* in the order of their numbers: that of sound comes first */
};

struct side { /* what each packet needs comes first */
    struct stream_socket rtp;
    struct plan *plan;     /* NULL: nothing was set yet */
    struct digits *digits; /* that are to be said; NULL: none ever were */
    struct rtp_quality quality;
    struct mono digit_until; /* it sends an event */
    struct counters counters;
    struct stream_socket rtcp;
    struct port_pair pair;
    /* The main thread's: what plan has, or will. */
    const struct crypt *in, *out; /* borrowed, for their keys; NULL: none, or DTLS's */
    struct dtls_conf *dtls;       /* NULL: none */
    bool has_agent;
    uint64_t asked, asked_dtls; /* relay_set(); the one that made DTLS another one */
};

struct relay {
    struct media *media;
    struct worker *worker;
    struct worker_command end;
    struct side side[RELAY_SIDES];
};

struct change {
    struct worker_command command;
    struct relay *relay;
    struct side_change {
        struct plan *plan;        /* NULL: it stays as it is */
        bool keeps_in, keeps_out; /* the key is the same, and so its index of packets */
        bool keeps_agent;
    } side[RELAY_SIDES];
};

static void add(_Atomic uint64_t *n, uint64_t more)
{
    atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

static void drop(struct side *s, enum relay_dropped why)
{
    add(&s->counters.dropped[why], 1);
}

/* ---- in the thread: where packets come from and go ---- */

static void direct(struct stream_socket *s, const struct addr *to, bool locked)
{
    static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
    const bool same = addr_eq(&s->to, to) && s->connected == locked;
    s->to = *to;
    if (same)
        return;
    if (s->connected)
        (void)connect(s->socket.fd, &nobody, sizeof(nobody));
    s->connected = locked && to->sa.sa_family != AF_UNSPEC &&
                   connect(s->socket.fd, &to->sa, addr_len(to)) == 0;
    s->queued = s->connected;
}

/* Symmetric RTP, once. RTCP is learned for itself: a NAT maps each port as it likes. */
static bool learn(struct side *s, struct stream_socket *from, const struct addr *source)
{
    if (from->connected || addr_eq(&from->to, source)) {
        if (!from->connected && !s->plan->agent)
            direct(from, source, true);
        return true;
    }
    if (!s->plan->learn)
        return false;
    direct(from, source, true);
    atomic_store_explicit(&s->counters.learned, true, memory_order_relaxed);
    return true;
}

static void send_to(struct side *from, struct stream_socket *out, const char *packet, size_t n)
{
    ssize_t sent = -1;
    if (out->connected)
        sent = send(out->socket.fd, packet, n, MSG_DONTWAIT);
    else if (out->to.sa.sa_family != AF_UNSPEC)
        sent = sendto(out->socket.fd, packet, n, MSG_DONTWAIT, &out->to.sa, addr_len(&out->to));
    if (sent < 0)
        drop(from, DROPPED_UNSENT);
}

/* ---- in the thread: packets ---- */

/* NULL: nothing leaves for it. */
static const struct mapped *mapped_of(const struct plan *p, unsigned type)
{
    for (unsigned i = 0; i < p->n; i++) {
        if (p->mapped[i].type == type)
            return &p->mapped[i];
    }
    return NULL;
}

static void seen(struct side *s, const struct worker *w, size_t n)
{
    add(&s->counters.bytes, n);
    atomic_store_explicit(&s->counters.last_ns, (uint64_t)worker_now(w).ns, memory_order_relaxed);
}

static void carry_rtcp(struct side *from, struct side *to, struct stream_socket *s,
                       const struct addr *source, char *packet, size_t n, struct worker *w)
{
    const struct plan *in = from->plan, *out = to->plan;
    int err = 0;
    if (!rtcp_is_valid(span_of(packet, n), in->in != NULL)) {
        drop(from, DROPPED_MALFORMED);
        return;
    }
    if (in->in)
        err = crypt_unprotect_rtcp(in->in, packet, &n);
    if (!err && in->in && !rtcp_is_valid(span_of(packet, n), false))
        err = CS_EPROTO;
    if (err || !learn(from, s, source)) {
        drop(from, !err || err == CS_ELIMIT ? DROPPED_SOURCE
                   : err == CS_EPROTO       ? DROPPED_MALFORMED
                                            : DROPPED_FORGED);
        return;
    }
    add(&from->counters.rtcp, 1);
    seen(from, w, n);
    if (!out || out->waits || (out->out && crypt_protect_rtcp(out->out, packet, &n))) {
        drop(from, DROPPED_UNSENT);
        return;
    }
    send_to(from, out->mux ? &to->rtp : &to->rtcp, packet, n);
}

/* A tone beside its event is heard as a second digit: silence takes its place, where it is known
 * how that is written. False: the packet is left out. */
static bool drop_tones(struct side *from, enum relay_kind kind, const struct rtp *p, char *packet,
                       size_t n, struct mono now)
{
    enum { AFTER_MS = 40, LOST_MS = 200, PADDED = 0x20, LAST = 0x80 };
    if (kind == RELAY_EVENT) {
        const bool last = n > p->head + 1 && (packet[p->head + 1] & LAST);
        from->digit_until = mono_add(now, DURATION_MS(last ? AFTER_MS : LOST_MS));
        return true;
    }
    if (!mono_before(now, from->digit_until))
        return true;
    if (kind == RELAY_OTHER || (packet[0] & PADDED))
        return false;
    memset(packet + p->head, kind == RELAY_PCMU ? 0xff : 0xd5, n - p->head);
    return true;
}

static void carry_rtp(struct side *from, struct side *to, struct stream_socket *s,
                      const struct addr *source, char *packet, size_t n, struct worker *w)
{
    const struct plan *in = from->plan, *out = to->plan;
    struct rtp p;
    if (rtp_parse(span_of(packet, n), &p)) {
        drop(from, DROPPED_MALFORMED);
        return;
    }
    const struct mapped *mapped = mapped_of(in, p.payload);
    if (!mapped) {
        drop(from, DROPPED_PAYLOAD);
        return;
    }
    if (in->in && out && out->out)
        crypt_soon(out->out); /* while it is opened */
    int err = in->in ? crypt_unprotect(in->in, packet, &n) : 0;
    if (err && err != CS_ELIMIT) {
        drop(from, DROPPED_FORGED);
        return;
    }
    if (err || !learn(from, s, source)) {
        drop(from, DROPPED_SOURCE);
        return;
    }
    rtp_quality_add(&from->quality, &p, (uint32_t)mapped->rate * RELAY_CLOCK, worker_now(w));
    add(&from->counters.packets, 1);
    seen(from, w, n);
    atomic_store_explicit(&from->counters.lost, rtp_quality_lost(&from->quality),
                          memory_order_relaxed);
    atomic_store_explicit(&from->counters.jitter_us, rtp_quality_jitter_us(&from->quality),
                          memory_order_relaxed);
    if (!in->sends || !out || !out->listens || out->waits) {
        drop(from, DROPPED_HELD);
        return;
    }
    if (out->digit_drop && !drop_tones(from, mapped->kind, &p, packet, n, worker_now(w))) {
        drop(from, DROPPED_PAYLOAD);
        return;
    }
    if (!from->digits || !digits_take(from->digits, &p, worker_now(w), packet, &n))
        packet[1] = (char)((packet[1] & 0x80) | mapped->payload);
    if (out->out && crypt_protect(out->out, packet, &n)) {
        drop(from, DROPPED_UNSENT);
        return;
    }
    send_to(from, &to->rtp, packet, n);
}

/* ---- in the thread: a side with an agent ---- */

static void agent_send(void *arg, const struct addr *to, const char *datagram, size_t n)
{
    struct side *s = arg;
    if (sendto(s->rtp.socket.fd, datagram, n, MSG_DONTWAIT, &to->sa, addr_len(to)) < 0)
        drop(s, DROPPED_UNSENT);
}

static void agent_moved(void *arg, const struct addr *to)
{
    struct side *s = arg;
    direct(&s->rtp, to, false);
    atomic_store_explicit(&s->counters.learned, true, memory_order_relaxed);
}

static void tell_dtls(struct side *s, enum dtls_state state, enum crypt_suite suite)
{
    atomic_store_explicit(&s->counters.suite, suite, memory_order_relaxed);
    atomic_store_explicit(&s->counters.dtls, state, memory_order_relaxed);
}

static void agent_failed(void *arg)
{
    tell_dtls(arg, DTLS_FAILED, CRYPT_NONE);
}

static void agent_keyed(void *arg, const struct crypt_key *in, const struct crypt_key *out)
{
    struct side *s = arg;
    struct plan *p = s->plan;
    if (crypt_new(in, &p->in) || crypt_new(out, &p->out)) {
        agent_failed(s);
        return;
    }
    p->waits = false;
    tell_dtls(s, DTLS_DONE, in->suite);
}

static const struct agent_events agent_events = { agent_send, agent_moved, agent_keyed,
                                                  agent_failed };

/* Whether a datagram is media that may be looked at. RTCP has no port of its own there. */
static bool admit(struct side *s, const struct stream_socket *at, const struct addr *source,
                  const char *packet, size_t n)
{
    switch (at->rtcp ? AGENT_STRANGE : agent_receive(s->plan->agent, packet, n, source)) {
    case AGENT_MEDIA:
        return true;
    case AGENT_STRANGE:
        drop(s, DROPPED_SOURCE);
        break;
    case AGENT_JUNK:
        drop(s, DROPPED_MALFORMED);
        break;
    case AGENT_TAKEN:
        break;
    }
    return false;
}

/* ---- in the thread: sockets ---- */

static void ask(const void *memory, size_t n)
{
    enum { LINE = 64 };
    for (size_t i = 0; i < n; i += LINE)
        __builtin_prefetch((const char *)memory + i);
}

enum { CRYPT_ABOUT = 64 }; /* of a struct crypt */

static void soon(struct worker_socket *ws, bool again)
{
    const struct stream_socket *s = container_of(ws, struct stream_socket, socket);
    const struct side *from = &s->relay->side[s->side], *to = &s->relay->side[!s->side];
    if (!again) {
        ask(to, offsetof(struct side, quality));
        if (from->plan)
            ask(from->plan, sizeof(*from->plan) + sizeof(struct mapped));
        return;
    }
    if (to->plan)
        ask(to->plan, offsetof(struct plan, mapped));
    if (from->plan && from->plan->in)
        ask(from->plan->in, CRYPT_ABOUT);
}

/* While the kernel looks for the packet. */
static void ask_for_keys(const struct plan *from, const struct plan *to)
{
    if (from && from->in)
        crypt_soon(from->in);
    if (to && to->out)
        ask(to->out, CRYPT_ABOUT);
}

/* False: nothing was there. */
static bool take_one(struct stream_socket *s, struct worker *w)
{
    struct side *from = &s->relay->side[s->side], *to = &s->relay->side[!s->side];
    char *packet = worker_room(w);
    struct addr source = s->to;
    ssize_t n;
    if (s->connected && !s->queued) {
        n = recv(s->socket.fd, packet, RTP_MAX, MSG_DONTWAIT | MSG_TRUNC);
    } else {
        socklen_t length = sizeof(source);
        n = recvfrom(s->socket.fd, packet, RTP_MAX, MSG_DONTWAIT | MSG_TRUNC, &source.sa, &length);
    }
    if (n < 0) {
        s->queued &= errno != EAGAIN;
        return errno != EAGAIN; /* an ICMP error of what was sent */
    }
    if (s->queued && !addr_eq(&source, &s->to)) {
        drop(from, DROPPED_SOURCE);
        return true;
    }
    if (!from->plan || (size_t)n > RTP_MAX) {
        drop(from, from->plan ? DROPPED_MALFORMED : DROPPED_SOURCE);
        return true;
    }
    if (from->plan->agent && !admit(from, s, &source, packet, (size_t)n))
        return true;
    if (s->rtcp || (from->plan->mux && rtp_is_rtcp(span_of(packet, (size_t)n))))
        carry_rtcp(from, to, s, &source, packet, (size_t)n, w);
    else
        carry_rtp(from, to, s, &source, packet, (size_t)n, w);
    return true;
}

static void on_readable(struct worker_socket *ws, struct worker *w)
{
    enum { IN_A_ROW = 16 }; /* then it is the others' turn */
    struct stream_socket *s = container_of(ws, struct stream_socket, socket);
    ask_for_keys(s->relay->side[s->side].plan, s->relay->side[!s->side].plan);
    for (unsigned i = 0; i < IN_A_ROW; i++) {
        if (!take_one(s, w))
            return;
    }
    worker_again(w, ws);
}

/* ---- in the thread: commands ---- */

static void plan_free(struct plan *p)
{
    if (!p)
        return;
    crypt_free(&p->in);
    crypt_free(&p->out);
    agent_free(&p->agent);
    if (p->ice)
        OPENSSL_cleanse(p->ice, sizeof(*p->ice));
    free(p->ice);
    free(p);
}

static void relay_destroy(struct relay *r)
{
    for (unsigned i = 0; i < RELAY_SIDES; i++) {
        plan_free(r->side[i].plan);
        free(r->side[i].digits);
        free(r->side[i].dtls);
        ports_give_back(r->media->ports, &r->side[i].pair);
    }
    OPENSSL_cleanse(r, sizeof(*r));
    free(r);
}

static void on_end(struct worker_command *c)
{
    struct relay *r = container_of(c, struct relay, end);
    for (unsigned i = 0; i < RELAY_SIDES; i++) {
        worker_unwatch(r->worker, &r->side[i].rtp.socket);
        worker_unwatch(r->worker, &r->side[i].rtcp.socket);
    }
    relay_destroy(r);
}

struct press {
    struct worker_command command;
    struct relay *relay;
    unsigned side;
    struct digit digit;
};

/* The type is that of the side itself until here, as the packets' are that come from it. */
static void on_press(struct worker_command *c)
{
    struct press *press = container_of(c, struct press, command);
    struct side *s = &press->relay->side[press->side];
    const struct mapped *mapped = s->plan ? mapped_of(s->plan, press->digit.payload) : NULL;
    if (!s->digits)
        s->digits = calloc(1, sizeof(*s->digits));
    if (s->digits && mapped) {
        press->digit.payload = mapped->payload;
        digits_add(s->digits, &press->digit);
    }
    free(press);
}

static void keep(struct crypt **to, struct crypt **from, bool keeps)
{
    if (!keeps)
        return;
    *to = *from;
    *from = NULL;
}

/* What was learned stands while the signalled address does; with ICE, until the peer proves to be
 * elsewhere, even where ICE begins anew (RFC 8445, 9). */
static void redirect(struct stream_socket *s, const struct addr *before, const struct addr *to,
                     bool learns)
{
    if (!before || !addr_eq(before, to))
        direct(s, to, !learns);
}

static void keep_agent(struct plan *now, struct plan *old, bool keeps)
{
    if (!keeps)
        return;
    now->agent = old->agent;
    now->waits = old->waits;
    old->agent = NULL;
}

static void set_out(struct relay *r, struct side *s, bool keeps)
{
    static const struct addr nowhere;
    static const struct ice_conf no_ice;
    struct plan *p = s->plan;
    if (keeps) {
        agent_retell(p->agent, p->ice ? p->ice : &no_ice, &s->rtp.to);
        return;
    }
    tell_dtls(s, p->dtls ? DTLS_WAITING : DTLS_NONE, CRYPT_NONE);
    if (!p->agent)
        return;
    if (agent_has_ice(p->agent)) /* another one must prove where it is */
        direct(&s->rtp, &nowhere, false);
    agent_begin(p->agent, r->worker, &s->rtp.to, &agent_events, s);
}

static void change_side(struct relay *r, struct side *s, const struct side_change *c)
{
    struct plan *old = s->plan, *now = c->plan;
    if (old) {
        keep(&now->in, &old->in, c->keeps_in);
        keep(&now->out, &old->out, c->keeps_out);
        keep_agent(now, old, c->keeps_agent);
    }
    redirect(&s->rtp, old ? &old->rtp : NULL, &now->rtp, now->learn);
    redirect(&s->rtcp, old ? &old->rtcp : NULL, &now->rtcp, now->learn);
    s->plan = now;
    set_out(r, s, c->keeps_agent);
    atomic_fetch_add_explicit(&s->counters.set, 1, memory_order_release);
    plan_free(old);
}

static void on_change(struct worker_command *c)
{
    struct change *change = container_of(c, struct change, command);
    for (unsigned i = 0; i < RELAY_SIDES; i++) {
        if (change->side[i].plan)
            change_side(change->relay, &change->relay->side[i], &change->side[i]);
    }
    free(change);
}

/* ---- the main thread ---- */

int media_open(const struct media_conf *conf, struct media **out)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const unsigned n = conf->threads ? conf->threads : processors > 0 ? (unsigned)processors : 1;
    struct media *m = calloc(1, sizeof(*m) + n * sizeof(struct worker *));
    *out = m;
    if (!m)
        return CS_ENOMEM;
    m->ports = conf->ports;
    int err = crypt_setup();
    if (!err)
        err = dtls_identity_new(&m->identity);
    for (; !err && m->n < n; m->n += !err)
        err = worker_start(&m->worker[m->n]);
    if (err)
        media_close(out);
    return err;
}

void media_close(struct media **mp)
{
    struct media *m = *mp;
    *mp = NULL;
    for (unsigned i = 0; m && i < m->n; i++)
        worker_stop(&m->worker[i]);
    if (m)
        dtls_identity_free(&m->identity);
    free(m);
}

struct worker *media_worker(struct media *m)
{
    return m->worker[m->next++ % m->n];
}

struct ports *media_ports(struct media *m)
{
    return m->ports;
}

const unsigned char *media_fingerprint(const struct media *m)
{
    return dtls_identity_fingerprint(m->identity);
}

static void init_socket(struct stream_socket *s, struct relay *r, unsigned side, bool rtcp, int fd)
{
    *s = (struct stream_socket){
        .socket = { fd, on_readable, soon }, .relay = r, .side = side, .rtcp = rtcp
    };
}

int relay_new(struct media *m, const size_t address[RELAY_SIDES], struct relay **out)
{
    struct relay *r = calloc(1, sizeof(*r));
    *out = NULL;
    if (!r)
        return CS_ENOMEM;
    r->media = m;
    r->worker = media_worker(m);
    for (unsigned i = 0; i < RELAY_SIDES; i++) {
        struct side *s = &r->side[i];
        int err = ports_take(m->ports, address[i], &s->pair);
        if (err) {
            if (i > 0)
                ports_give_back(m->ports, &r->side[0].pair);
            free(r);
            return err;
        }
        init_socket(&s->rtp, r, i, false, s->pair.rtp);
        init_socket(&s->rtcp, r, i, true, s->pair.rtcp);
    }
    for (unsigned i = 0; i < RELAY_SIDES; i++) {
        (void)!worker_watch(r->worker, &r->side[i].rtp.socket);
        (void)!worker_watch(r->worker, &r->side[i].rtcp.socket);
    }
    *out = r;
    return 0;
}

void relay_free(struct relay **rp)
{
    struct relay *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    r->end.run = on_end;
    worker_post_late(r->worker, &r->end);
}

const struct addr *relay_local(const struct relay *r, unsigned side)
{
    return &r->side[side].pair.local;
}

static bool same_key(const struct crypt *had, const struct crypt_key *key)
{
    return had ? crypt_key_eq(crypt_key_of(had), key) : key->suite == CRYPT_NONE;
}

static int make_crypt(const struct crypt_key *key, bool keeps, struct crypt **out)
{
    *out = NULL;
    return keeps || key->suite == CRYPT_NONE ? 0 : crypt_new(key, out);
}

static int plan_for(const struct side_conf *conf, struct plan **out)
{
    const bool ice = conf->ice.ufrag[0];
    unsigned n = 0;
    for (unsigned i = 0; i < CS_LEN(conf->payload); i++)
        n += conf->payload[i] != RELAY_DROP;
    struct plan *p = *out = calloc(1, sizeof(*p) + n * sizeof(p->mapped[0]));
    if (!p)
        return CS_ENOMEM;
    for (unsigned i = 0; i < CS_LEN(conf->payload); i++) {
        if (conf->payload[i] != RELAY_DROP)
            p->mapped[p->n++] =
                (struct mapped){ conf->rate[i], (unsigned char)i, conf->payload[i], conf->kind[i] };
    }
    p->dtls = conf->dtls.n;
    p->rtcp = conf->rtcp;
    p->learn = conf->learn;
    p->mux = conf->mux;
    p->sends = conf->sends;
    p->listens = conf->listens;
    p->digit_drop = conf->digit_drop;
    if (!ice) {
        p->rtp = conf->rtp;
        return 0;
    }
    p->ice = malloc(sizeof(*p->ice));
    if (!p->ice)
        return CS_ENOMEM;
    *p->ice = conf->ice;
    return 0;
}

static bool wants_agent(const struct side_conf *c)
{
    return c->ice.ufrag[0] || c->dtls.n;
}

/* What proves the peer is what it was. */
static bool same_agent(const struct side *s, const struct side_conf *c)
{
    const bool same_dtls = s->dtls ? dtls_conf_eq(s->dtls, &c->dtls) : !c->dtls.n;
    return same_dtls && wants_agent(c) == s->has_agent;
}

/* What is to be, on the heap; plan NULL: nothing. */
static int prepare(const struct relay *r, const struct side *s, const struct side_conf *conf,
                   struct side_change *out)
{
    const bool dtls = conf->dtls.n, same = same_agent(s, conf);
    struct plan *p;
    int err = plan_for(conf, &p);
    *out = (struct side_change){ .plan = p,
                                 .keeps_in = same && (dtls || same_key(s->in, &conf->in)),
                                 .keeps_out = same && (dtls || same_key(s->out, &conf->out)),
                                 .keeps_agent = same && wants_agent(conf) };
    if (!err)
        err = make_crypt(&conf->in, out->keeps_in || dtls, &p->in);
    if (!err)
        err = make_crypt(&conf->out, out->keeps_out || dtls, &p->out);
    if (!err && wants_agent(conf) && !out->keeps_agent) {
        p->waits = dtls;
        err = agent_new(conf->identity ? conf->identity : r->media->identity, &conf->ice,
                        &conf->dtls, &p->agent);
    }
    return err;
}

/* dtls: a copy of the conf's, taken over; NULL: it has none. */
static void commit(struct side *s, const struct side_conf *conf, const struct side_change *c,
                   struct dtls_conf *dtls)
{
    if (!same_agent(s, conf))
        s->asked_dtls = s->asked + 1;
    s->asked++;
    if (!c->keeps_in)
        s->in = c->plan->in;
    if (!c->keeps_out)
        s->out = c->plan->out;
    if (dtls)
        *dtls = conf->dtls;
    free(s->dtls);
    s->dtls = dtls;
    s->has_agent = wants_agent(conf);
}

int relay_set(struct relay *r, const struct side_conf *const conf[RELAY_SIDES])
{
    struct change *c = calloc(1, sizeof(*c));
    struct dtls_conf *dtls[RELAY_SIDES] = { NULL };
    int err = c ? 0 : CS_ENOMEM;
    for (unsigned i = 0; i < RELAY_SIDES && !err; i++) {
        if (conf[i] && conf[i]->dtls.n && !(dtls[i] = malloc(sizeof(*dtls[i]))))
            err = CS_ENOMEM;
        if (conf[i] && !err)
            err = prepare(r, &r->side[i], conf[i], &c->side[i]);
    }
    if (err) {
        for (unsigned i = 0; i < RELAY_SIDES; i++) {
            if (c)
                plan_free(c->side[i].plan);
            free(dtls[i]);
        }
        free(c);
        return err;
    }
    for (unsigned i = 0; i < RELAY_SIDES; i++) {
        if (conf[i])
            commit(&r->side[i], conf[i], &c->side[i], dtls[i]);
    }
    c->command.run = on_change;
    c->relay = r;
    worker_post(r->worker, &c->command);
    return 0;
}

int relay_press(struct relay *r, unsigned side, unsigned payload, unsigned event, unsigned ms)
{
    struct press *p = calloc(1, sizeof(*p));
    if (!p)
        return CS_ENOMEM;
    *p = (struct press){ .command = { .run = on_press },
                         .relay = r,
                         .side = side,
                         .digit = { .event = (unsigned char)event,
                                    .payload = (unsigned char)(payload & 127),
                                    .duration = (uint16_t)CS_MIN(8 * ms, (unsigned)UINT16_MAX),
                                    .since = clock_mono() } };
    worker_post(r->worker, &p->command);
    return 0;
}

void relay_stats(const struct relay *r, unsigned side, struct side_stats *out)
{
    const struct side *s = &r->side[side];
    const struct counters *c = &s->counters;
    const uint64_t set = atomic_load_explicit(&c->set, memory_order_acquire);
#define READ(field) atomic_load_explicit(&c->field, memory_order_relaxed)
    *out = (struct side_stats){
        .packets = READ(packets),
        .bytes = READ(bytes),
        .lost = READ(lost),
        .rtcp = READ(rtcp),
        .jitter_us = READ(jitter_us),
        .last = { (int64_t)READ(last_ns) },
        .learned = READ(learned),
        .set = set,
        .dtls = READ(dtls),
        .suite = READ(suite),
    };
    if (set < s->asked_dtls) /* of that nothing is known yet */
        out->dtls = s->dtls ? DTLS_WAITING : DTLS_NONE;
    for (size_t i = 0; i < DROPPED_COUNT; i++)
        out->dropped[i] = READ(dropped[i]);
#undef READ
}
