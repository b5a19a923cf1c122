#include "load.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/rand.h"
#include "callee.h"

#define MS(n) ((int64_t)(n)*1000000)
#define S(n)  ((int64_t)((n)*1e9))

enum {
    SLOTS = 8192, /* exchanges under way in an open loop, at most */
    MESSAGE = 1400,
    STALE_MAX = 3, /* challenges in a row that are called stale */
};
static const int64_t T1 = MS(500), T2 = MS(4000), T_MAX = MS(8000), SCAN = MS(20);

enum state { FREE, CHALLENGE_DUE, OK_DUE };

struct slot {
    enum state state;
    unsigned stale;
    struct request request;
    int64_t start, sent, again; /* again: the interval of retransmission */
    size_t phone;               /* that is next, in a closed loop */
    size_t n;
    char text[MESSAGE];
    char delivered[MESSAGE]; /* what the phone that is called answers */
};

enum phase { PRIME, WARM, MEASURE, DRAIN };

struct load {
    const struct load_options *o;
    struct site *site;
    struct phones *phones;
    struct wire *wire;
    struct usage *usage;
    struct load_result *r;

    struct slot *slots;
    uint32_t *free_slots;
    unsigned n_slots, n_free;
    uint32_t serial;
    size_t callers; /* the phones that send when measured: the first so many */
    size_t next_phone, primed;
    enum phase phase;
    int64_t now, begun, phase_end, arrival, scanned;
};

const char *const load_error_names[LOAD_ERRORS] = {
    [LOAD_TIMEOUT] = "timeout",         [LOAD_MALFORMED] = "malformed",
    [LOAD_MISMATCH] = "mismatch",       [LOAD_UNCHALLENGED] = "unchallenged",
    [LOAD_CHALLENGE] = "challenge",     [LOAD_REFUSED] = "refused",
    [LOAD_UNAVAILABLE] = "unavailable", [LOAD_STATUS] = "status",
    [LOAD_CONTACT] = "contact",         [LOAD_DELIVERY] = "delivery",
};

static void fail(struct load *l, enum load_error kind, struct span text)
{
    l->r->errors[kind]++;
    if (l->r->error_sum++ == 0)
        span_copy(l->r->first_error, sizeof(l->r->first_error), text);
}

static struct phone *phone_of(struct load *l, const struct slot *s)
{
    return &l->phones->p[s->request.phone];
}

static unsigned socket_of(const struct load *l, size_t phone)
{
    unsigned socket = (unsigned)(phone % l->o->sockets);
    return phone < l->callers ? socket : l->o->sockets + socket;
}

static void transmit(struct load *l, struct slot *s)
{
    s->sent = l->now;
    wire_send(l->wire, socket_of(l, s->request.phone), span_of(s->text, s->n));
}

/* Writes and sends the phone's next request, with credentials if it has a nonce. */
static void send_next(struct load *l, struct slot *s)
{
    struct phone *ph = phone_of(l, s);
    struct buf b = BUF_INIT(s->text);
    s->state = ph->nonce_n > 0 ? OK_DUE : CHALLENGE_DUE;
    s->request.serial = ++l->serial;
    s->again = T1;
    message_write(&b, l->site, &s->request, ph);
    s->n = b.n;
    transmit(l, s);
}

/* The phone of the next exchange in a slot. A closed loop gives each slot phones of its own, so
 * that a slow server behind some sockets does not draw the load off a fast one behind others. */
static size_t next_phone(struct load *l, struct slot *s, uint32_t slot)
{
    size_t step = l->n_slots, n = l->phase == PRIME ? l->phones->n : l->callers;
    if (l->phase == PRIME || l->o->rate > 0 || l->o->mode == LOAD_FILL)
        return l->next_phone++ % n;
    size_t i = s->phone;
    s->phone = i + step < n ? i + step : slot;
    return i;
}

/* One exchange more; false when no slot or phone is free. */
static bool start(struct load *l, int64_t at)
{
    for (size_t tried = 0; l->n_free > 0 && tried < l->phones->n; tried++) {
        uint32_t slot = l->free_slots[l->n_free - 1];
        struct slot *s = &l->slots[slot];
        size_t i = next_phone(l, s, slot);
        struct phone *ph = &l->phones->p[i];
        if (ph->busy)
            continue;
        l->n_free--;
        s->request = (struct request){ .slot = slot,
                                       .phone = (uint32_t)i,
                                       .port = wire_port(l->wire, socket_of(l, i)) };
        if (l->o->mode == LOAD_MESSAGE && l->phase != PRIME)
            s->request.callee = ph + l->callers;
        s->start = at;
        s->stale = 0;
        ph->busy = true;
        if (l->phase == PRIME || l->o->mode != LOAD_CACHED)
            ph->nonce_n = 0;
        send_next(l, s);
        return true;
    }
    return false;
}

static void finish(struct load *l, struct slot *s)
{
    s->state = FREE;
    phone_of(l, s)->busy = false;
    l->free_slots[l->n_free++] = s->request.slot;
    if (l->phase == PRIME)
        l->primed++;
}

/* Is a 200 to the phone's request what it must be? */
static bool is_due(struct load *l, const struct slot *s, const struct answer *a, struct span text)
{
    uint32_t slot, serial;
    if (s->state == CHALLENGE_DUE) {
        fail(l, LOAD_UNCHALLENGED, text);
        return false;
    }
    if (s->request.callee) {
        if (message_read_mark(a->to_tag, &slot, &serial) == 0 && slot == s->request.slot &&
            serial == s->request.serial)
            return true;
        fail(l, LOAD_DELIVERY, text);
        return false;
    }
    int64_t expires = message_expires(a, phone_of(l, s));
    if (expires > 0 && expires <= l->site->expires)
        return true;
    fail(l, LOAD_CONTACT, text);
    return false;
}

static void on_ok(struct load *l, struct slot *s, const struct answer *a, struct span text)
{
    if (is_due(l, s, a, text) && l->phase == MEASURE) {
        l->r->ops++;
        if (s->start >= l->begun)
            latency_add(&l->r->latency, l->now - s->start);
    }
    finish(l, s);
}

static void on_challenge(struct load *l, struct slot *s, const struct answer *a, struct span text)
{
    struct phone *ph = phone_of(l, s);
    const struct challenge *c = &a->challenge;
    bool repeated = s->state == OK_DUE;
    /* A server without transactions takes our retransmission for a replay: not its mistake. */
    bool excused = c->stale || s->again > T1;
    if (repeated && !(excused && s->stale++ < STALE_MAX)) {
        fail(l, LOAD_REFUSED, text);
        ph->nonce_n = 0;
        finish(l, s);
        return;
    }
    if (!c->realm.p || span_eq(c->nonce, span_of(ph->nonce, ph->nonce_n))) {
        fail(l, LOAD_CHALLENGE, text);
        finish(l, s);
        return;
    }
    l->r->stale += repeated;
    ph->nonce_n = (unsigned short)c->nonce.n;
    memcpy(ph->nonce, c->nonce.p, c->nonce.n);
    ph->opaque_n = (unsigned short)c->opaque.n;
    if (c->opaque.n > 0)
        memcpy(ph->opaque, c->opaque.p, c->opaque.n);
    ph->nc = 0;
    send_next(l, s);
}

/* A MESSAGE for one of our phones. */
static void on_delivery(struct load *l, unsigned socket, struct span text)
{
    char answer[MESSAGE];
    struct buf b = BUF_INIT(answer);
    struct delivery d;
    int err = callee_answer(&b, text, &d);
    if (!err && d.run != l->site->run) {
        l->r->late++; /* our port was another's before */
        return;
    }
    if (err || d.caller >= l->callers || socket != socket_of(l, d.caller + l->callers) ||
        !callee_is(&d, &l->phones->p[d.caller + l->callers]) || d.slot >= l->n_slots) {
        fail(l, LOAD_DELIVERY, text);
        return;
    }
    struct slot *s = &l->slots[d.slot];
    if (s->state == FREE || s->request.serial != d.serial) {
        l->r->late++;
        return;
    }
    memcpy(s->delivered, answer, b.n);
    wire_send(l->wire, socket, span_of(s->delivered, b.n));
}

static void on_text(void *arg, unsigned socket, struct span text)
{
    struct load *l = (struct load *)arg;
    struct answer a;
    if (!span_starts(text, SPAN("SIP/2.0")) && l->o->mode == LOAD_MESSAGE) {
        on_delivery(l, socket, text);
        return;
    }
    if (message_read(text, l->site, &a) != 0) {
        fail(l, LOAD_MALFORMED, text);
        return;
    }
    struct slot *s = a.run == l->site->run && a.slot < l->n_slots ? &l->slots[a.slot] : NULL;
    if (!s || s->state == FREE || s->request.serial != a.serial) {
        l->r->late++;
        return;
    }
    if (!message_matches(&a, l->site, &s->request, phone_of(l, s))) {
        fail(l, LOAD_MISMATCH, text);
        return;
    }
    if (a.status < 200)
        return;
    if (a.status == 200) {
        on_ok(l, s, &a, text);
    } else if (a.status == (s->request.callee ? 407 : 401)) {
        on_challenge(l, s, &a, text);
    } else {
        fail(l,
             a.status == 403   ? LOAD_REFUSED
             : a.status == 503 ? LOAD_UNAVAILABLE
                               : LOAD_STATUS,
             text);
        finish(l, s);
    }
}

/* Sends again what had no answer (RFC 3261, 17.1.2.2), and gives up in the end. */
static void scan(struct load *l)
{
    if (l->now - l->scanned < SCAN)
        return;
    l->scanned = l->now;
    for (unsigned i = 0; i < l->n_slots; i++) {
        struct slot *s = &l->slots[i];
        if (s->state == FREE || l->now - s->sent < s->again)
            continue;
        if (l->now - s->start > T_MAX) {
            fail(l, LOAD_TIMEOUT, span_of(s->text, s->n));
            phone_of(l, s)->nonce_n = 0;
            finish(l, s);
            continue;
        }
        if (wire_is_reliable(l->wire))
            continue;
        s->again = CS_MIN(2 * s->again, T2);
        l->r->retransmits++;
        transmit(l, s);
    }
}

/* Time to the next arrival of independent phones. */
static int64_t gap(const struct load *l)
{
    double u = (double)(rand_u64() >> 11) * 0x1p-53;
    return (int64_t)(-log1p(-u) * 1e9 / l->o->rate);
}

static void start_due(struct load *l)
{
    if (l->phase == DRAIN)
        return;
    if (l->phase == PRIME || l->o->rate <= 0) {
        bool once = l->phase == PRIME || l->o->mode == LOAD_FILL;
        while (l->n_slots - l->n_free < l->o->inflight &&
               !(once && l->next_phone == l->phones->n) && start(l, l->now))
            ;
        return;
    }
    for (; l->arrival <= l->now; l->arrival += gap(l))
        if (!start(l, l->arrival))
            l->r->overrun++;
}

/* Filling measures each phone from the first on. */
static int64_t warmup_ns(const struct load_options *o)
{
    return o->mode == LOAD_FILL ? 0 : S(o->warmup_s);
}

static void begin_measuring(struct load *l)
{
    l->phase = MEASURE;
    usage_begin(l->usage);
    l->begun = clock_mono().ns;
    l->arrival = CS_MAX(l->arrival, l->begun);
    l->phase_end = l->o->mode == LOAD_FILL ? INT64_MAX : l->begun + S(l->o->duration_s);
}

static void end_measuring(struct load *l)
{
    l->r->seconds = (double)(clock_mono().ns - l->begun) / 1e9;
    usage_end(l->usage);
    l->phase = DRAIN;
}

static void move_on(struct load *l)
{
    bool idle = l->n_free == l->n_slots;
    if (l->phase == PRIME && l->primed == l->phones->n) {
        l->phase = WARM;
        l->arrival = l->now;
        l->phase_end = l->now + warmup_ns(l->o);
    } else if (l->phase == WARM && l->now >= l->phase_end) {
        begin_measuring(l);
    } else if (l->phase == MEASURE) {
        if (l->o->mode == LOAD_FILL ? l->next_phone == l->phones->n && idle
                                    : l->now >= l->phase_end)
            end_measuring(l);
    }
}

/* How long nothing is due. */
static int64_t until_due(const struct load *l)
{
    int64_t due = CS_MIN(l->scanned + SCAN, l->phase == DRAIN ? INT64_MAX : l->phase_end);
    if (l->o->rate > 0 && (l->phase == WARM || l->phase == MEASURE))
        due = CS_MIN(due, l->arrival);
    return CS_MAX(due - clock_mono().ns, 0);
}

int load_run(const struct load_options *o, struct site *site, struct phones *phones,
             struct wire *wire, struct usage *usage, struct load_result *out)
{
    bool primed = o->mode == LOAD_CACHED || o->mode == LOAD_MESSAGE;
    struct load l = {
        .o = o,
        .site = site,
        .phones = phones,
        .wire = wire,
        .usage = usage,
        .r = out,
        .callers = o->mode == LOAD_MESSAGE ? phones->n / 2 : phones->n,
        .phase = primed ? PRIME : WARM,
    };
    *out = (struct load_result){ 0 };
    l.n_free = l.n_slots = o->rate > 0 ? SLOTS : (unsigned)CS_MIN(o->inflight, l.callers);
    l.slots = calloc(l.n_slots, sizeof(*l.slots));
    l.free_slots = calloc(l.n_slots, sizeof(*l.free_slots));
    int err = l.slots && l.free_slots ? 0 : CS_ENOMEM;
    for (unsigned i = 0; !err && i < l.n_slots; i++) {
        l.free_slots[i] = l.n_slots - 1 - i;
        l.slots[i].phone = i;
    }

    l.now = l.arrival = clock_mono().ns;
    l.phase_end = l.phase == PRIME ? INT64_MAX : l.now + warmup_ns(o);
    while (!err && !(l.phase == DRAIN && l.n_free == l.n_slots)) {
        move_on(&l);
        start_due(&l);
        scan(&l);
        wire_flush(wire);
        wire_wait(wire, until_due(&l));
        l.now = clock_mono().ns;
        wire_receive(wire, on_text, &l);
    }
    free(l.slots);
    free(l.free_slots);
    return err;
}
