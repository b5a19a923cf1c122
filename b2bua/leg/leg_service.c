#include "b2bua/leg/leg_service.h"

#include <stdlib.h>

#include "b2bua/media/rtp.h"
#include "base/rand.h"
#include "net/udp.h"
#include "sdp/sdp.h"

enum {
    SDP_TEXT_MAX = 8192,
    FRAME = 160, /* 20 ms of G.711 */
    FRAME_MS = 20,
    PCMU = 0,
    PCMA = 8,
};

struct service_leg {
    struct leg leg;
    struct loop *loop;
    enum service what;
    struct udp *udp;
    struct addr to; /* our side of the relay, in the last offer */
    char *offer;    /* that is to be answered; NULL: ours is wanted, or none is open */
    bool taken;     /* the call stands; what is answered now changes it */
    bool offers;
    struct turn turn;
    struct timer frame;
    struct mono next; /* when the next one is due */
    uint32_t ssrc, timestamp;
    uint16_t seq;
    uint8_t payload; /* of the tone */
};

int service_of(struct span name, enum service *out)
{
    *out = span_eq(name, SPAN("*44")) ? SERVICE_TONE : SERVICE_ECHO;
    return span_eq(name, SPAN("*43")) || span_eq(name, SPAN("*44")) ? 0 : CS_ENOENT;
}

static void release(struct service_leg *l)
{
    timer_stop(l->loop, &l->frame);
    turn_cancel(&l->turn);
    udp_close(&l->udp);
    free(l->offer);
    free(l);
}

/* ---- media ---- */

/* Under a number of our own: a phone that hears its own SSRC believes in a loop (RFC 3550, 8.2). */
static void echo(struct service_leg *l, struct span data)
{
    char packet[RTP_MAX];
    struct rtp head;
    if (data.n > sizeof(packet) || rtp_parse(data, &head))
        return;
    uint32_t ssrc = head.ssrc ^ l->ssrc;
    memcpy(packet, data.p, data.n);
    for (size_t i = 0; i < 4; i++)
        packet[8 + i] = (char)(ssrc >> (24 - 8 * i));
    if (udp_send(l->udp, &l->to, span_of(packet, data.n)))
        return; /* one packet is lost */
}

static void on_datagram(void *arg, const struct addr *from, struct span data)
{
    struct service_leg *l = arg;
    if (l->what == SERVICE_ECHO && addr_eq(from, &l->to))
        echo(l, data);
}

/* The digital milliwatt of G.711: 1000 Hz, eight samples a period. */
static void on_frame(struct timer *t)
{
    static const unsigned char ulaw[] = { 0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e };
    static const unsigned char alaw[] = { 0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4 };
    struct service_leg *l = container_of(t, struct service_leg, frame);
    unsigned char packet[RTP_HEADER + FRAME] = { 0x80, l->payload };
    const unsigned char *wave = l->payload == PCMA ? alaw : ulaw;
    packet[2] = (unsigned char)(l->seq >> 8);
    packet[3] = (unsigned char)l->seq;
    for (size_t i = 0; i < 4; i++) {
        packet[4 + i] = (unsigned char)(l->timestamp >> (24 - 8 * i));
        packet[8 + i] = (unsigned char)(l->ssrc >> (24 - 8 * i));
    }
    for (size_t i = 0; i < FRAME; i++)
        packet[RTP_HEADER + i] = wave[i % sizeof(ulaw)];
    l->seq++;
    l->timestamp += FRAME;
    if (udp_send(l->udp, &l->to, span_of(packet, sizeof(packet))))
        return;
    l->next = mono_add(l->next, DURATION_MS(FRAME_MS)); /* no drift by what timers are late */
    struct mono now = loop_now(l->loop);
    uint64_t wait = mono_before(now, l->next) ? (l->next.ns - now.ns) / 1000000 : 0;
    timer_start(l->loop, &l->frame, DURATION_MS((int64_t)wait));
}

/* ---- descriptions ---- */

static bool is_wanted(const struct service_leg *l, const struct sdp_codec *c)
{
    return l->what == SERVICE_ECHO || (c->payload == PCMU || c->payload == PCMA);
}

static int answer_stream(struct service_leg *l, const struct sdp *offer, const struct sdp_media *m,
                         struct arena *a, struct sdp_media *out)
{
    size_t n = 0;
    *out = *m;
    out->attrs = (struct sdp_attrs){ 0 };
    out->connection = (struct sdp_connection){ 0 };
    out->port = 0;
    if (!span_eq(m->kind, SPAN("audio")) || m->proto != SDP_AVP || !m->port)
        return 0;
    out->formats = arena_alloc(a, (m->n_formats + 1) * sizeof(*out->formats));
    out->n_formats = 0;
    out->attrs.a = arena_alloc(a, (m->attrs.n + 1) * sizeof(*out->attrs.a));
    if (!out->formats || !out->attrs.a)
        return CS_ENOMEM;
    for (size_t i = 0; i < m->n_formats; i++) {
        struct sdp_codec c;
        if (sdp_codec(m, i, &c) || !is_wanted(l, &c))
            continue;
        if (!out->n_formats)
            l->payload = (uint8_t)c.payload;
        out->formats[out->n_formats++] = m->formats[i];
    }
    for (size_t i = 0; i < m->attrs.n; i++) {
        bool codec = span_eq(m->attrs.a[i].name, SPAN("rtpmap")) ||
                     span_eq(m->attrs.a[i].name, SPAN("fmtp"));
        if (codec)
            out->attrs.a[n++] = m->attrs.a[i];
    }
    out->attrs.n = n;
    if (!out->n_formats)
        return CS_ENOTSUP;
    out->port = addr_port(udp_local(l->udp));
    l->to = sdp_connection_of(offer, m).addr;
    addr_set_port(&l->to, m->port);
    return l->to.sa.sa_family == AF_UNSPEC ? CS_ENOTSUP : 0;
}

static int answer(struct service_leg *l, struct arena *a, struct buf *out)
{
    struct sdp offer, d = { 0 };
    char host[ADDR_STRLEN];
    struct buf hb = BUF_INIT(host);
    int err = sdp_parse(span_str(l->offer), a, &offer);
    if (err)
        return err;
    d.media = arena_zalloc(a, offer.n_media * sizeof(*d.media));
    d.n_media = offer.n_media;
    for (size_t i = 0; d.media && i < d.n_media && !err; i++)
        err = answer_stream(l, &offer, &offer.media[i], a, &d.media[i]);
    if (!d.media || err)
        return err ? err : CS_ENOMEM;
    addr_write_host(&hb, udp_local(l->udp));
    struct span text = buf_span(&hb);
    if (text.n > 2 && text.p[0] == '[')
        text = span_of(text.p + 1, text.n - 2);
    d.origin.user = d.origin.id = SPAN("0");
    d.origin.version = loop_wall(l->loop).ms;
    d.origin.host = d.connection.host = text;
    d.connection.addr = *udp_local(l->udp);
    sdp_write(out, &d);
    return buf_ok(out) ? 0 : CS_ELIMIT;
}

static void offer(const struct service_leg *l, struct buf *out)
{
    const struct addr *at = udp_local(l->udp);
    char host[ADDR_STRLEN];
    struct buf hb = BUF_INIT(host);
    addr_write_host(&hb, at);
    bool v6 = at->sa.sa_family == AF_INET6;
    struct span text = v6 ? span_of(host + 1, hb.n - 2) : buf_span(&hb);
    buf_printf(out,
               "v=0\r\no=0 0 1 IN %s " SPAN_FMT "\r\ns=-\r\nc=IN %s " SPAN_FMT
               "\r\nt=0 0\r\nm=audio %u RTP/AVP 0 8\r\n",
               v6 ? "IP6" : "IP4", SPAN_ARG(text), v6 ? "IP6" : "IP4", SPAN_ARG(text),
               addr_port(at));
}

/* ---- the call ---- */

static void start(struct service_leg *l)
{
    if (l->what != SERVICE_TONE || timer_is_running(&l->frame))
        return;
    l->next = loop_now(l->loop);
    timer_start(l->loop, &l->frame, DURATION_MS(0));
}

static void on_turn(struct turn *t)
{
    struct service_leg *l = container_of(t, struct service_leg, turn);
    char text[SDP_TEXT_MAX];
    struct buf b = BUF_INIT(text);
    struct arena a;
    int err = 0;
    arena_init(&a, NULL, 0, 0);
    l->offers = !l->offer;
    if (l->offers)
        offer(l, &b);
    else
        err = answer(l, &a, &b);
    arena_fini(&a);
    if (err && !l->taken) {
        l->leg.events->ended(l->leg.arg, &l->leg, &(struct leg_end){ .status = 488 });
        release(l);
        return;
    }
    if (!err && !l->offers)
        start(l);
    if (l->taken) {
        l->leg.events->settled(l->leg.arg, &l->leg, err ? 488 : 200,
                               err ? SPAN_NULL : buf_span(&b));
        return;
    }
    l->taken = true;
    l->leg.events->answered(l->leg.arg, &l->leg, buf_span(&b));
}

static void take(struct service_leg *l, struct span sdp)
{
    free(l->offer);
    l->offer = sdp.p ? strndup(sdp.p, sdp.n) : NULL;
    turn_queue(l->loop, &l->turn);
}

static void modify(struct leg *leg, struct span sdp)
{
    take(container_of(leg, struct service_leg, leg), sdp);
}

/* The answer to our offer: where it sends. */
static void ack(struct leg *leg, struct span sdp)
{
    struct service_leg *l = container_of(leg, struct service_leg, leg);
    char text[SDP_TEXT_MAX];
    struct buf b = BUF_INIT(text);
    struct arena a;
    if (!l->offers)
        return;
    arena_init(&a, NULL, 0, 0);
    free(l->offer);
    l->offer = strndup(sdp.p, sdp.n);
    if (l->offer && answer(l, &a, &b) == 0)
        start(l);
    arena_fini(&a);
}

static void nothing(struct leg *leg, unsigned status, struct span sdp)
{
    (void)leg;
    (void)status;
    (void)sdp;
}

static void no_answer(struct leg *leg, struct span sdp)
{
    nothing(leg, 0, sdp);
}

static void no_info(struct leg *leg, struct span type, struct span body)
{
    (void)type;
    nothing(leg, 0, body);
}

static void no_notify(struct leg *leg, unsigned status)
{
    nothing(leg, status, SPAN_NULL);
}

static void end(struct leg *leg, const struct leg_end *why)
{
    (void)why;
    release(container_of(leg, struct service_leg, leg));
}

struct leg *leg_service(struct loop *loop, enum service what, const struct addr *host,
                        struct span sdp, const struct leg_events *events, void *arg)
{
    static const struct leg_ops ops = { .ring = nothing,
                                        .answer = no_answer,
                                        .ack = ack,
                                        .modify = modify,
                                        .settle = nothing,
                                        .info = no_info,
                                        .notify = no_notify,
                                        .end = end };
    struct service_leg *l = calloc(1, sizeof(*l));
    struct addr local = *host;
    if (!l)
        return NULL;
    addr_set_port(&local, 0);
    l->leg = (struct leg){ &ops, events, arg };
    l->loop = loop;
    l->what = what;
    l->ssrc = (uint32_t)rand_u64() | 1;
    timer_init(&l->frame, on_frame);
    turn_init(&l->turn, on_turn);
    if (udp_open(loop, &local, on_datagram, l, &l->udp)) {
        free(l);
        return NULL;
    }
    take(l, sdp);
    return &l->leg;
}
