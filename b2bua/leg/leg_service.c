#include "b2bua/leg/leg_service.h"

#include <stdlib.h>

#include "b2bua/leg/service_sdp.h"
#include "b2bua/media/rtp.h"
#include "base/rand.h"
#include "net/udp.h"

enum {
    SDP_TEXT_MAX = 8192,
    FRAME = 160, /* 20 ms of G.711 */
    FRAME_MS = 20,
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
    struct mono next;        /* when the next one is due */
    struct rtp head;         /* of the tone's next packet */
    void (*gone)(void *arg); /* NULL: nobody wants to know */
    void *gone_arg;
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
    if (l->gone)
        l->gone(l->gone_arg);
    free(l->offer);
    free(l);
}

void leg_service_on_gone(struct leg *leg, void (*gone)(void *arg), void *arg)
{
    struct service_leg *l = container_of(leg, struct service_leg, leg);
    l->gone = gone;
    l->gone_arg = arg;
}

/* ---- media ---- */

/* Under a number of our own: a phone that hears its own SSRC believes in a loop (RFC 3550, 8.2). */
static void echo(struct service_leg *l, struct span data)
{
    char packet[RTP_MAX];
    struct rtp head;
    if (data.n > sizeof(packet) || rtp_parse(data, &head))
        return;
    uint32_t ssrc = head.ssrc ^ l->head.ssrc;
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
    char packet[RTP_HEADER + FRAME];
    const unsigned char *wave = l->head.payload == PCMA ? alaw : ulaw;
    rtp_write(packet, &l->head);
    for (size_t i = 0; i < FRAME; i++)
        packet[RTP_HEADER + i] = (char)wave[i % sizeof(ulaw)];
    l->head.seq++;
    l->head.timestamp += FRAME;
    if (udp_send(l->udp, &l->to, span_of(packet, sizeof(packet))))
        return;
    l->next = mono_add(l->next, DURATION_MS(FRAME_MS)); /* no drift by what timers are late */
    struct mono now = loop_now(l->loop);
    uint64_t wait = mono_before(now, l->next) ? (l->next.ns - now.ns) / 1000000 : 0;
    timer_start(l->loop, &l->frame, DURATION_MS((int64_t)wait));
}

/* ---- descriptions ---- */

static struct service_at at_of(const struct service_leg *l)
{
    return (struct service_at){ udp_local(l->udp), loop_wall(l->loop), l->what != SERVICE_TONE,
                                l->what == SERVICE_WAIT };
}

static int answer(struct service_leg *l, struct buf *out)
{
    const struct service_at at = at_of(l);
    struct service_peer peer;
    int err = service_answer(span_str(l->offer), &at, &peer, out);
    if (!err) {
        l->to = peer.to;
        l->head.payload = peer.payload;
    }
    return err;
}

static void offer(const struct service_leg *l, struct buf *out)
{
    const struct service_at at = at_of(l);
    service_offer(&at, out);
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
    int err = 0;
    l->offers = !l->offer;
    if (l->offers)
        offer(l, &b);
    else
        err = answer(l, &b);
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
    if (!l->offers)
        return;
    free(l->offer);
    l->offer = strndup(sdp.p, sdp.n);
    if (l->offer && answer(l, &b) == 0)
        start(l);
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
    l->head.ssrc = (uint32_t)rand_u64() | 1;
    timer_init(&l->frame, on_frame);
    turn_init(&l->turn, on_turn);
    if (udp_open(loop, &local, on_datagram, l, &l->udp)) {
        free(l);
        return NULL;
    }
    take(l, sdp);
    return &l->leg;
}
