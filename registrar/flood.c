#include "registrar/flood.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/metric.h"

enum { SHED_METHOD, SHED_URI, SHED_SOURCE, SHED_GROUP, SHED_ALL, SHED_DELAY }; /* of REG_SHED */

enum {
    WAYS = 8,          /* slots that a source can be in */
    KNOWN_S = 60 * 60, /* how long somebody who was accepted is no stranger */
    LATE = 4,          /* who is known is shed when the delay is so many times too long */
    MILLI = 1000,      /* of one request, in a bucket */
};

struct bucket {
    int64_t milli;
    struct mono filled;
};

struct source {
    uint64_t hash;                        /* 0: free */
    struct mono heard, known_until, told; /* told: of a method that is not allowed */
    struct bucket bucket;
    uint32_t group; /* index, from 1; 0: none */
};

struct flood {
    struct loop *loop;
    const struct registrar_conf *conf;
    struct source *sources;
    size_t n_sets;
    struct bucket all, groups[FLOOD_GROUPS_MAX];
    char allow[256];
    size_t allow_n;
};

static struct mono now_of(struct flood *f)
{
    return loop_now(f->loop);
}

/* ---- buckets ---- */

/* A request a second is one thousandth in each millisecond. */
static void fill(struct bucket *b, const struct rate_conf *c, struct mono now)
{
    int64_t most = (int64_t)c->burst * MILLI;
    int64_t ms = b->filled.ns ? mono_since(b->filled, now).ms : INT64_MAX;
    if (ms <= 0)
        return;
    if (ms >= most / (int64_t)c->rate) {
        b->filled = now;
        b->milli = most;
    } else { /* what is less than a millisecond counts next time */
        b->filled = mono_add(b->filled, DURATION_MS(ms));
        b->milli = CS_MIN(b->milli + ms * (int64_t)c->rate, most);
    }
}

/* Takes a request out if more than this part of the burst, in percent, is left behind. */
static bool spend(struct bucket *b, const struct rate_conf *c, unsigned keep, struct mono now)
{
    if (!c->rate)
        return true;
    fill(b, c, now);
    if (b->milli < MILLI || b->milli - MILLI < (int64_t)c->burst * MILLI * keep / 100)
        return false;
    b->milli -= MILLI;
    return true;
}

/* ---- sources ---- */

/* That of this address; where there is none, the one of its set that was heard of longest ago. */
static struct source *source_of(struct flood *f, const struct addr *from)
{
    uint64_t hash = map_hash(addr_net_bytes(from));
    hash += !hash;
    struct source *set = &f->sources[hash % f->n_sets * WAYS], *s = set;
    struct mono now = now_of(f);
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].hash == hash) {
            set[i].heard = now;
            return &set[i];
        }
        if (mono_before(set[i].heard, s->heard))
            s = &set[i];
    }
    *s = (struct source){ .hash = hash, .heard = now };
    return s;
}

struct duration flood_wait(struct flood *f, const struct addr *from)
{
    const struct rate_conf *c = &f->conf->floods.source;
    if (!c->rate)
        return DURATION_MS(0);
    struct source *s = source_of(f, from);
    if (spend(&s->bucket, c, 0, now_of(f)))
        return DURATION_MS(0);
    metric_inc(M_REG_SHED, SHED_SOURCE);
    int64_t missing = (MILLI - s->bucket.milli) / (int64_t)c->rate + 1;
    return DURATION_MS(CS_MAX(missing, f->conf->floods.tarpit.ms));
}

static uint32_t group_of(const struct flood *f, struct span name)
{
    for (size_t i = 0; i < f->conf->floods.n_groups; i++) {
        if (span_eq(f->conf->floods.groups[i].name, name))
            return (uint32_t)i + 1;
    }
    return 0;
}

void flood_know(struct flood *f, const struct addr *from, struct span group)
{
    struct source *s = source_of(f, from);
    s->known_until = mono_add(now_of(f), DURATION_S(KNOWN_S));
    s->group = group_of(f, group);
}

/* ---- requests ---- */

static enum flood_answer shed(struct flood *f, unsigned why)
{
    metric_inc(M_REG_SHED, why);
    return f->conf->floods.answer == FLOODS_BUSY ? FLOOD_BUSY : FLOOD_SILENCE;
}

/* Once in a while; what comes again is a scanner's. */
static enum flood_answer refuse_method(struct flood *f, struct source *s)
{
    struct mono now = now_of(f);
    metric_inc(M_REG_SHED, SHED_METHOD);
    if (s->told.ns && mono_before(now, mono_add(s->told, f->conf->floods.method_window)))
        return FLOOD_SILENCE;
    s->told = now;
    return FLOOD_METHOD_REFUSED;
}

enum flood_answer flood_judge(struct flood *f, const struct addr *from, const struct sip_msg *m,
                              struct duration waited)
{
    const __typeof__(f->conf->floods) *c = &f->conf->floods;
    struct source *s = source_of(f, from);
    struct mono now = now_of(f);
    bool known = mono_before(now, s->known_until);
    bool established = known && m->to.tag.p; /* anybody can write a tag */
    if (!(c->methods & 1U << m->method))
        return refuse_method(f, s);
    if (m->uri.text.n > f->conf->limits.uri) {
        metric_inc(M_REG_SHED, SHED_URI);
        return FLOOD_URI_TOO_LONG;
    }
    if (s->group && !spend(&f->groups[s->group - 1], &c->groups[s->group - 1].rate, 0, now))
        return shed(f, SHED_GROUP);
    /* What belongs to a call goes on while anything does; half of what there is strangers leave to
     * those who were here before. */
    if (!spend(&f->all, &c->all, established || known ? 0 : 50, now) && !established)
        return shed(f, SHED_ALL);
    if (c->delay.ms && waited.ms > c->delay.ms * (known ? LATE : 1) && !established)
        return shed(f, SHED_DELAY);
    return FLOOD_PASS;
}

struct span flood_allow(const struct flood *f)
{
    return span_of(f->allow, f->allow_n);
}

static void write_allow(struct flood *f)
{
    struct buf b = BUF_INIT(f->allow);
    for (unsigned m = SIP_OTHER + 1; m < SIP_METHOD_COUNT; m++) {
        if (!(f->conf->floods.methods & 1U << m))
            continue;
        buf_put(&b, b.n ? SPAN(", ") : SPAN("Allow: "));
        buf_put(&b, sip_method_name((enum sip_method)m));
    }
    buf_lit(&b, "\r\n");
    f->allow_n = b.n;
}

int flood_new(struct loop *l, const struct registrar_conf *conf, struct flood **out)
{
    struct flood *f = *out = calloc(1, sizeof(*f));
    if (!f)
        return CS_ENOMEM;
    f->loop = l;
    f->conf = conf;
    f->n_sets = (conf->floods.sources + WAYS - 1) / WAYS;
    f->sources = calloc(f->n_sets, WAYS * sizeof(*f->sources));
    if (!f->sources) {
        flood_free(out);
        return CS_ENOMEM;
    }
    write_allow(f);
    return 0;
}

void flood_free(struct flood **pf)
{
    if (*pf)
        free((*pf)->sources);
    free(*pf);
    *pf = NULL;
}
