#include "b2bua/media/conference.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "b2bua/media/relay.h"
#include "b2bua/media/rtp.h"
#include "b2bua/media/worker.h"
#include "base/metric.h"
#include "base/rand.h"

enum { FRAME_NS = 20000000, LATE_NS = 5 * FRAME_NS };

struct conference {
    struct worker *worker;
    struct ports *ports;
    size_t taken; /* seats, as the main thread counts them */
    struct worker_command end;
    /* The thread's. */
    struct mixer mixer;
    struct worker_timer frame;
    struct seat *seats[MIXER_INPUTS];
};

struct seat {
    struct worker_socket socket;
    struct conference *conference;
    struct port_pair pair;
    struct worker_command enter, leave;
    /* The thread's. */
    int input;
    struct seat_peer peer;
    struct rtp head; /* of what is sent next */
};

struct change {
    struct worker_command command;
    struct seat *seat;
    struct seat_peer peer;
};

/* ---- in the thread ---- */

static void say(struct seat *s)
{
    char packet[RTP_HEADER + MIXER_FRAME];
    const struct mixer *m = &s->conference->mixer;
    const struct addr *to = &s->peer.at;
    s->head.payload = s->peer.law;
    rtp_write(packet, &s->head);
    mixer_frame(m, s->input, s->peer.law, (uint8_t *)packet + RTP_HEADER);
    s->head.timestamp += MIXER_FRAME;
    if (!s->peer.listens || to->sa.sa_family == AF_UNSPEC)
        return;
    s->head.seq++;
    s->head.marker = false;
    (void)!sendto(s->pair.rtp, packet, sizeof(packet), MSG_DONTWAIT, &to->sa, addr_len(to));
}

static void on_frame(struct worker_timer *t)
{
    struct conference *c = container_of(t, struct conference, frame);
    const struct mono now = worker_now(c->worker), due = { t->due.ns + FRAME_NS };
    mixer_step(&c->mixer);
    for (size_t i = 0; i < MIXER_INPUTS; i++) {
        if (c->seats[i])
            say(c->seats[i]);
    }
    /* No drift by what timers are late; after a long pause nothing is made up for. */
    worker_timer_start(c->worker, t, now.ns - due.ns > LATE_NS ? now : due);
}

static void hear(struct seat *s, struct span packet)
{
    struct rtp p;
    if (rtp_parse(packet, &p) || !s->peer.says ||
        (p.payload != G711_PCMU && p.payload != G711_PCMA))
        return;
    mixer_hear(&s->conference->mixer, s->input, p.ssrc, p.timestamp, (enum g711_law)p.payload,
               span_skip(packet, p.head));
}

static void on_readable(struct worker_socket *ws, struct worker *w)
{
    enum { IN_A_ROW = 16 };
    struct seat *s = container_of(ws, struct seat, socket);
    char *packet = worker_room(w);
    for (unsigned i = 0; i < IN_A_ROW; i++) {
        struct addr from = { 0 };
        socklen_t length = sizeof(from);
        const ssize_t n = recvfrom(s->pair.rtp, packet, RTP_MAX, MSG_DONTWAIT, &from.sa, &length);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n >= 0 && addr_eq(&from, &s->peer.at))
            hear(s, span_of(packet, (size_t)n));
    }
    worker_again(w, ws);
}

static void soon(struct worker_socket *ws, bool again)
{
    (void)ws;
    (void)again;
}

static void on_enter(struct worker_command *command)
{
    struct seat *s = container_of(command, struct seat, enter);
    struct conference *c = s->conference;
    s->input = mixer_take(&c->mixer); /* there are as many as the main thread counts */
    c->seats[s->input] = s;
    if (list_empty(&c->frame.link))
        worker_timer_start(c->worker, &c->frame, worker_now(c->worker));
}

static void on_change(struct worker_command *command)
{
    struct change *change = container_of(command, struct change, command);
    change->seat->peer = change->peer;
    free(change);
}

static void on_leave(struct worker_command *command)
{
    struct seat *s = container_of(command, struct seat, leave);
    struct conference *c = s->conference;
    worker_unwatch(c->worker, &s->socket);
    c->seats[s->input] = NULL;
    mixer_give_back(&c->mixer, s->input);
    ports_give_back(c->ports, &s->pair);
    free(s);
}

static void on_end(struct worker_command *command)
{
    struct conference *c = container_of(command, struct conference, end);
    worker_timer_stop(&c->frame);
    free(c);
}

/* ---- the main thread ---- */

int conference_new(struct media *m, struct conference **out)
{
    struct conference *c = *out = calloc(1, sizeof(*c));
    if (!c)
        return CS_ENOMEM;
    c->worker = media_worker(m);
    c->ports = media_ports(m);
    c->end.run = on_end;
    c->frame.run = on_frame;
    list_init(&c->frame.link);
    metric_add(M_B2BUA_CONFERENCES, 0, 1);
    return 0;
}

void conference_free(struct conference **cp)
{
    struct conference *c = *cp;
    *cp = NULL;
    if (!c)
        return;
    metric_add(M_B2BUA_CONFERENCES, 0, -1);
    worker_post(c->worker, &c->end);
}

int seat_take(struct conference *c, size_t address, struct seat **out)
{
    struct seat *s = c->taken < MIXER_INPUTS ? calloc(1, sizeof(*s)) : NULL;
    *out = NULL;
    if (!s)
        return c->taken < MIXER_INPUTS ? CS_ENOMEM : CS_ELIMIT;
    int err = ports_take(c->ports, address, &s->pair);
    if (err) {
        free(s);
        return err;
    }
    s->conference = c;
    s->socket = (struct worker_socket){ s->pair.rtp, on_readable, soon };
    s->enter.run = on_enter;
    s->leave.run = on_leave;
    s->head = (struct rtp){ .marker = true, .ssrc = (uint32_t)rand_u64() };
    c->taken++;
    worker_post(c->worker, &s->enter);
    (void)!worker_watch(c->worker, &s->socket);
    *out = s;
    return 0;
}

const struct addr *seat_local(const struct seat *s)
{
    return &s->pair.local;
}

int seat_set(struct seat *s, const struct seat_peer *peer)
{
    struct change *c = calloc(1, sizeof(*c));
    if (!c)
        return CS_ENOMEM;
    *c = (struct change){ { .run = on_change }, s, *peer };
    worker_post(s->conference->worker, &c->command);
    return 0;
}

void seat_leave(struct seat **sp)
{
    struct seat *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    s->conference->taken--;
    worker_post(s->conference->worker, &s->leave);
}
