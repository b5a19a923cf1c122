#include "gate/lease.h"

#include <stdlib.h>

#include "base/map.h"

#define AUTH(name) Countersign__Auth__##name

enum {
    CLASSES = 64,
    NONCES_MAX = 256,
    CHALLENGES_MAX = 8,
    WORTH = 8,         /* requests of a class in a second before it is leased for */
    SHARE = 4,         /* of a second's need that is asked for at once */
    LEAST = 32,        /* that is worth asking for */
    LOW = 4,           /* of what was asked for: more is asked for before it runs out */
    PATIENCE_MS = 200, /* then it is asked for again */
    MARK = '\x01',     /* where the nonce belongs */
};

struct lease_text {
    unsigned refs;
    uint32_t status;
    size_t n;
    char *challenge[CHALLENGES_MAX];
};

struct class_ {
    uint64_t id; /* 0: free */
    struct mono used, until;
    struct mono second; /* when the count began */
    uint32_t count, last_count;
    struct mono asked; /* when more were asked for; ns 0: not, or they came */
    struct lease_text *text;
    size_t n_nonces;
    char (*nonces)[LEASE_NONCE_MAX];
};

struct lease_table {
    struct class_ classes[CLASSES];
};

void lease_text_unref(struct lease_text **tp)
{
    struct lease_text *t = *tp;
    *tp = NULL;
    if (!t || --t->refs)
        return;
    for (size_t i = 0; i < t->n; i++)
        free(t->challenge[i]);
    free(t);
}

/* A challenge of another scheme has none. */
static bool lacks_nonce(const char *challenge)
{
    return span_casestarts(span_str(challenge), SPAN("Digest")) && !strchr(challenge, MARK);
}

static struct lease_text *text_new(const AUTH(Lease) * lease, uint32_t status)
{
    struct lease_text *t = calloc(1, sizeof(*t));
    if (!t || lease->n_challenge > CHALLENGES_MAX) {
        free(t);
        return NULL;
    }
    t->refs = 1;
    t->status = status;
    for (; t->n < lease->n_challenge; t->n++) {
        t->challenge[t->n] = strdup(lease->challenge[t->n]);
        if (!t->challenge[t->n] || lacks_nonce(t->challenge[t->n])) {
            t->n++;
            lease_text_unref(&t);
            return NULL;
        }
    }
    return t;
}

static void class_clear(struct class_ *c)
{
    lease_text_unref(&c->text);
    free(c->nonces);
    *c = (struct class_){ 0 };
}

struct lease_table *lease_table_new(void)
{
    return calloc(1, sizeof(struct lease_table));
}

void lease_table_free(struct lease_table **tp)
{
    struct lease_table *t = *tp;
    if (!t)
        return;
    for (size_t i = 0; i < CLASSES; i++)
        class_clear(&t->classes[i]);
    free(t);
    *tp = NULL;
}

static struct class_ *find(struct lease_table *t, uint64_t id)
{
    for (size_t i = 0; i < CLASSES; i++) {
        if (t->classes[i].id == id)
            return &t->classes[i];
    }
    return NULL;
}

static struct class_ *find_or_make(struct lease_table *t, uint64_t id)
{
    struct class_ *c = find(t, id);
    if (c)
        return c;
    c = &t->classes[0];
    for (size_t i = 1; i < CLASSES; i++) { /* unused ones were used longest ago */
        if (mono_before(t->classes[i].used, c->used))
            c = &t->classes[i];
    }
    class_clear(c);
    c->id = id;
    return c;
}

/* 64 bits under the process's secret key stand for the text itself: two classes that nobody can
 * make collide may be told apart by them. */
uint64_t lease_class(const struct flow *f, const struct sip_msg *m, const struct gate_facts *facts)
{
    bool is_ticket;
    if (sip_has(m, SIP_HDR_AUTHORIZATION) || sip_has(m, SIP_HDR_PROXY_AUTHORIZATION) ||
        flow_credential(f, &is_ticket).n)
        return 0;
    uint64_t part[5] = {
        map_hash(siptp_listener_name(f->listener)),
        map_hash(facts->domain),
        map_hash(m->method_name),
        map_hash(sip_hdr_value(m, SIP_HDR_USER_AGENT)),
        (uint64_t)f->transport << 2 | (uint64_t)sip_has(m, SIP_HDR_USER_AGENT) << 1 |
            (m->to.tag.p != NULL),
    };
    uint64_t id = map_hash(span_of(part, sizeof(part)));
    return id ? id : 1;
}

static void count(struct class_ *c, struct mono now)
{
    int64_t ms = mono_since(c->second, now).ms;
    if (ms >= 1000) {
        c->last_count = ms < 2000 ? c->count : 0;
        c->count = 0;
        c->second = now;
    }
    c->count++;
    c->used = now;
}

/* What a quarter of a second has needed lately; 0 when it is not worth it. */
static uint32_t need(const struct class_ *c)
{
    uint32_t rate = CS_MAX(c->count, c->last_count);
    return rate < WORTH ? 0 : CS_MIN(CS_MAX(rate / SHARE, (uint32_t)LEAST), (uint32_t)NONCES_MAX);
}

bool lease_take(struct lease_table *t, uint64_t class_, struct mono now,
                char nonce[LEASE_NONCE_MAX], struct lease_text **text, uint32_t *want)
{
    struct class_ *c = want ? find_or_make(t, class_) : find(t, class_);
    if (!c)
        return false;
    if (mono_before(c->until, now))
        c->n_nonces = 0;
    bool asked = c->asked.ns && mono_since(c->asked, now).ms < PATIENCE_MS;
    bool low = !asked && c->n_nonces <= need(c) / LOW; /* this request fetches more */
    if (!want && (low || c->n_nonces == 0))
        return false;
    count(c, now);
    if (want)
        *want = low ? need(c) : 0;
    if (want && *want) {
        c->asked = now;
        return false;
    }
    if (c->n_nonces == 0)
        return false;
    memcpy(nonce, c->nonces[--c->n_nonces], LEASE_NONCE_MAX);
    c->text->refs++;
    *text = c->text;
    return true;
}

void lease_fill(struct lease_table *t, uint64_t class_, const AUTH(Lease) * lease, uint32_t status,
                struct mono now)
{
    struct class_ *c = find(t, class_);
    if (!c || !lease->n_challenge || lease->n_nonce_secret > NONCES_MAX)
        return;
    struct lease_text *text = text_new(lease, status);
    if (!c->nonces)
        c->nonces = malloc(NONCES_MAX * sizeof(*c->nonces));
    if (!text || !c->nonces) {
        lease_text_unref(&text);
        return;
    }
    lease_text_unref(&c->text);
    c->text = text;
    c->n_nonces = 0;
    c->asked.ns = 0;
    c->until = mono_add(now, DURATION_MS(lease->valid_ms));
    for (size_t i = 0; i < lease->n_nonce_secret; i++) {
        if (strlen(lease->nonce_secret[i]) < LEASE_NONCE_MAX)
            strcpy(c->nonces[c->n_nonces++], lease->nonce_secret[i]);
    }
}

int lease_verdict(const struct lease_text *text, const char *nonce, struct arena *a,
                  AUTH(Verdict) * out)
{
    countersign__auth__verdict__init(out);
    out->kind = COUNTERSIGN__AUTH__VERDICT_KIND__CHALLENGE;
    out->has_status = true;
    out->status = text->status;
    out->has_cause = true;
    out->cause = COUNTERSIGN__AUTH__CAUSE__NO_CREDENTIALS;
    out->challenge = arena_alloc(a, text->n * sizeof(char *));
    if (!out->challenge)
        return CS_ENOMEM;
    for (size_t i = 0; i < text->n; i++) {
        struct span behind = span_str(text->challenge[i]);
        struct span before = span_cut(&behind, MARK);
        size_t n = before.n + strlen(nonce) + behind.n;
        char *p = arena_alloc(a, n + 1);
        if (!p)
            return CS_ENOMEM;
        struct buf b = buf_of(p, n);
        buf_put(&b, before);
        if (behind.p)
            buf_put(&b, span_str(nonce));
        buf_put(&b, behind);
        p[b.n] = '\0';
        out->challenge[out->n_challenge++] = p;
    }
    return 0;
}
