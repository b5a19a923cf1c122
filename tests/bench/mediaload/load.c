#include "load.h"

#include <time.h>

#include "base/clock.h"

enum { AT_ONCE = 8 * ENDS_BATCH };            /* sent before it is looked at what came */
static const int64_t PERIOD = 20 * 1000000;   /* of a stream's packets */
static const int64_t DRAIN = 300 * 1000000LL; /* of silence: what was sent has come, or is lost */

struct load {
    struct streams *s;
    struct ends *e;
    struct load_result *r;
    int64_t begun, from, to; /* measured is what is sent in between; by CLOCK_REALTIME */
    uint64_t pushed;
};

static int64_t now_real(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* All packets of a period in their order: a batch of one side, the same streams' of the other, then
 * those of the next streams. */
static void push(struct load *l, uint64_t k, size_t *stream, unsigned *side)
{
    const size_t flows = ENDS * l->s->n, i = k % flows, whole = l->s->n / ENDS_BATCH * ENDS_BATCH;
    const size_t block = i / (ENDS * ENDS_BATCH) * ENDS_BATCH;
    const size_t size = block < whole ? ENDS_BATCH : l->s->n - whole;
    const size_t in_block = i - ENDS * block;
    *side = in_block >= size;
    *stream = block + in_block % size;
}

static void send_until(struct load *l, uint64_t due)
{
    size_t stream, last = 0;
    unsigned side, last_side = 0;
    for (unsigned queued = 0, n = 0; l->pushed < due && n < AT_ONCE; n++, l->pushed++) {
        push(l, l->pushed, &stream, &side);
        if (queued == ENDS_BATCH ||
            (queued > 0 && (side != last_side || stream / ENDS_BATCH != last / ENDS_BATCH))) {
            ends_flush(l->e);
            queued = 0;
        }
        const int64_t now = now_real();
        char *room = ends_room(l->e, side, ends_socket(l->e, stream));
        ends_push(l->e, &l->s->s[stream].end[side].server,
                  stream_write(l->s, stream, side, now, room));
        l->r->sent += now >= l->from && now < l->to;
        last = stream;
        last_side = side;
        queued++;
    }
    ends_flush(l->e);
}

static void on_packet(void *arg, unsigned side, const struct addr *source, char *packet, size_t n,
                      int64_t at)
{
    struct load *l = arg;
    int64_t sent = 0;
    const enum verdict v = stream_check(l->s, side, source, packet, n, &sent);
    if (v != STREAM_GOOD) {
        l->r->wrong[v] += v != STREAM_LATE;
        return;
    }
    if (sent < l->from || sent >= l->to)
        return;
    l->r->good++;
    latency_add(&l->r->latency, at - sent);
}

/* Sends and receives for so long. */
static void play(struct load *l, const struct load_options *o, int64_t until)
{
    const double rate = (double)(ENDS * l->s->n) / (double)PERIOD;
    for (;;) {
        const int64_t now = clock_mono().ns, tick = (now - l->begun) / o->tick_ns;
        const uint64_t due = (uint64_t)((double)(tick * o->tick_ns) * rate);
        if (now >= until)
            return;
        if (l->pushed < due) {
            const int64_t late = now - l->begun - (int64_t)((double)l->pushed / rate) - o->tick_ns;
            l->r->late_ns = CS_MAX(l->r->late_ns, late);
            send_until(l, due);
        }
        const bool behind = l->pushed < due;
        (void)ends_receive(
            l->e, behind ? 0 : CS_MAX(l->begun + (tick + 1) * o->tick_ns - clock_mono().ns, 0),
            on_packet, l);
    }
}

static void drain(struct load *l)
{
    int64_t until = clock_mono().ns + DRAIN;
    for (int64_t left; (left = until - clock_mono().ns) > 0;) {
        if (ends_receive(l->e, left, on_packet, l))
            until = clock_mono().ns + DRAIN;
    }
}

void load_run(const struct load_options *o, struct streams *s, struct ends *e, struct usage *u,
              struct load_result *r)
{
    const int64_t warm = (int64_t)(o->warmup_s * 1e9), long_ = (int64_t)(o->duration_s * 1e9);
    *r = (struct load_result){ 0 };
    struct load l = { .s = s, .e = e, .r = r, .begun = clock_mono().ns, .from = INT64_MAX };
    play(&l, o, l.begun + warm);
    r->late_ns = 0;
    usage_begin(u);
    l.from = now_real();
    l.to = l.from + long_;
    const int64_t from = clock_mono().ns;
    play(&l, o, from + long_);
    r->seconds = (double)(clock_mono().ns - from) / 1e9;
    drain(&l);
    usage_end(u);
    r->next = s->s[0].end[0].next;
}
