#include "dns/answer.h"

#include "base/util.h"

enum {
    HEAD = 12,
    IN = 1,
    FLAG_RESPONSE = 0x8000,
    FLAG_TRUNCATED = 0x0200,
    NXDOMAIN = 3,
    LABEL_MAX = 63,
    CHAIN_MAX = 8,      /* CNAMEs behind one another */
    EXAMINED_MAX = 256, /* records of one section that are looked at */
    NEGATIVE_MAX_S = 3 * 3600,
};

/* Reads behind one another; past the end it sticks. */
struct reader {
    struct span wire;
    size_t at;
    bool bad;
};

struct name {
    char text[DNS_NAME_MAX + 1];
    size_t n;
    bool odd; /* no host name: has other characters in it, or is too long */
};

/* A record; data is where its RDATA begins. */
struct rr {
    struct name owner;
    unsigned type, class;
    uint32_t ttl;
    size_t data, end;
};

static bool is_label_char(char c)
{
    return ascii_alpha(c) || ascii_digit(c) || c == '-' || c == '_';
}

bool dns_name_is_good(struct span name)
{
    if (span_ends(name, SPAN(".")))
        name.n--;
    if (name.n == 0 || name.n > DNS_NAME_MAX)
        return false;
    while (name.p) {
        struct span label = span_cut(&name, '.');
        if (label.n == 0 || label.n > LABEL_MAX)
            return false;
        for (size_t i = 0; i < label.n; i++) {
            if (!is_label_char(label.p[i]))
                return false;
        }
    }
    return true;
}

/* ---- reading ---- */

static unsigned read_u8(struct reader *r)
{
    if (r->at >= r->wire.n) {
        r->bad = true;
        return 0;
    }
    return (unsigned char)r->wire.p[r->at++];
}

static unsigned read_u16(struct reader *r)
{
    unsigned high = read_u8(r);
    return high << 8 | read_u8(r);
}

static uint32_t read_u32(struct reader *r)
{
    uint32_t high = read_u16(r);
    return high << 16 | read_u16(r);
}

static struct span read_bytes(struct reader *r, size_t n)
{
    if (r->bad || n > r->wire.n - r->at) {
        r->bad = true;
        return SPAN_NULL;
    }
    struct span s = span_of(r->wire.p + r->at, n);
    r->at += n;
    return s;
}

static void add_label(struct name *name, struct span label)
{
    if (name->odd || label.n + (name->n > 0) > DNS_NAME_MAX - name->n) {
        name->odd = true;
        return;
    }
    if (name->n)
        name->text[name->n++] = '.';
    for (size_t i = 0; i < label.n; i++) {
        name->odd |= !is_label_char(label.p[i]);
        name->text[name->n++] = ascii_lower(label.p[i]);
    }
}

/* A pointer leads backwards only, from each place further than the one before, so that it ends
 * (RFC 1035, 4.1.4: "a prior occurrence"). */
static void read_name(struct reader *r, struct name *out)
{
    struct reader far = *r;
    size_t barrier = r->at;
    bool jumped = false;
    out->n = 0;
    out->odd = false;
    for (;;) {
        unsigned n = read_u8(&far);
        if (far.bad || n == 0)
            break;
        if (n <= LABEL_MAX) {
            add_label(out, read_bytes(&far, n));
            continue;
        }
        size_t to = (n & 0x3f) << 8 | read_u8(&far);
        if (n < 0xc0 || to >= barrier)
            far.bad = true;
        if (far.bad)
            break;
        if (!jumped)
            r->at = far.at;
        jumped = true;
        far.at = barrier = to;
    }
    r->bad |= far.bad;
    if (!jumped)
        r->at = far.at;
}

static void set_name(struct name *out, struct span text)
{
    out->n = 0;
    out->odd = text.n == 0 || text.n > DNS_NAME_MAX;
    while (!out->odd && text.p)
        add_label(out, span_cut(&text, '.'));
}

static bool name_is(const struct name *a, struct span b)
{
    return !a->odd && span_caseeq(span_of(a->text, a->n), b);
}

static void read_rr(struct reader *r, struct rr *out)
{
    read_name(r, &out->owner);
    out->type = read_u16(r);
    out->class = read_u16(r);
    uint32_t ttl = read_u32(r);
    out->ttl = ttl > INT32_MAX ? 0 : ttl; /* RFC 2181, 8 */
    size_t n = read_u16(r);
    out->data = r->at;
    (void)read_bytes(r, n);
    out->end = r->at;
}

/* What stands in a record may not lead out of it. */
static struct reader reader_of(struct span wire, const struct rr *rr)
{
    return (struct reader){ .wire = span_head(wire, rr->end), .at = rr->data };
}

/* ---- records ---- */

static struct span keep_name(struct reader *r, struct arena *a, bool *odd)
{
    struct name name;
    read_name(r, &name);
    *odd |= name.odd;
    return arena_dup(a, span_of(name.text, name.n));
}

static struct span keep_string(struct reader *r, struct arena *a)
{
    struct span s = read_bytes(r, read_u8(r));
    return arena_dup(a, s.p ? s : SPAN(""));
}

/* 1: there is one more; 0: passed over; or an error. */
static int read_record(struct span wire, const struct rr *rr, struct arena *a,
                       struct dns_record *out)
{
    struct reader r = reader_of(wire, rr);
    bool odd = false, kept = true;
    *out = (struct dns_record){ 0 };
    if (rr->type == DNS_A || rr->type == DNS_AAAA) {
        size_t n = rr->end - rr->data;
        if (n != (rr->type == DNS_A ? 4 : 16))
            return CS_EPROTO;
        return addr_from_bytes(read_bytes(&r, n), &out->addr) ? CS_EPROTO : 1;
    }
    if (rr->type == DNS_SRV) {
        out->srv.priority = (uint16_t)read_u16(&r);
        out->srv.weight = (uint16_t)read_u16(&r);
        out->srv.port = (uint16_t)read_u16(&r);
        out->srv.target = keep_name(&r, a, &odd);
        kept = out->srv.target.p;
    } else {
        out->naptr.order = (uint16_t)read_u16(&r);
        out->naptr.preference = (uint16_t)read_u16(&r);
        out->naptr.flags = keep_string(&r, a);
        out->naptr.services = keep_string(&r, a);
        out->naptr.regexp = keep_string(&r, a);
        out->naptr.replacement = keep_name(&r, a, &odd);
        kept = out->naptr.flags.p && out->naptr.services.p && out->naptr.regexp.p &&
               out->naptr.replacement.p;
    }
    if (r.bad || r.at != rr->end)
        return CS_EPROTO;
    return !kept ? CS_ENOMEM : !odd;
}

/* Where the CNAME of owner leads; false if it has none. */
static bool follow(struct span wire, size_t answers, size_t n, struct name *owner, uint32_t *ttl)
{
    struct reader r = { .wire = wire, .at = answers };
    struct rr rr;
    for (size_t i = 0; i < n && !r.bad; i++) {
        read_rr(&r, &rr);
        if (r.bad || rr.type != DNS_CNAME || rr.class != IN ||
            !name_is(&rr.owner, span_of(owner->text, owner->n)))
            continue;
        struct reader in = reader_of(wire, &rr);
        read_name(&in, owner);
        *ttl = CS_MIN(*ttl, rr.ttl);
        return !in.bad && !owner->odd;
    }
    return false;
}

/* How long it is true that there is nothing (RFC 2308, 5). */
static uint32_t negative_ttl(struct reader *r, size_t n)
{
    struct rr rr;
    struct name name;
    for (size_t i = 0; i < n && !r->bad; i++) {
        read_rr(r, &rr);
        if (r->bad || rr.type != DNS_SOA || rr.class != IN)
            continue;
        struct reader in = reader_of(r->wire, &rr);
        read_name(&in, &name);
        read_name(&in, &name);
        (void)read_bytes(&in, 16); /* serial, refresh, retry, expire */
        uint32_t minimum = read_u32(&in);
        if (in.bad || minimum > INT32_MAX)
            return 0;
        return CS_MIN(CS_MIN(minimum, rr.ttl), (uint32_t)NEGATIVE_MAX_S);
    }
    return 0;
}

/* The question has to be ours, once. */
static bool read_head(struct reader *r, struct span name, enum dns_type type, size_t *answers,
                      size_t *authorities)
{
    struct name asked;
    (void)read_u16(r); /* the id is matched by who sent the question */
    unsigned flags = read_u16(r), questions = read_u16(r), rcode = flags & 0xf;
    *answers = read_u16(r);
    *authorities = read_u16(r);
    (void)read_u16(r);
    if (r->bad || !(flags & FLAG_RESPONSE) || (flags & FLAG_TRUNCATED) || questions != 1 ||
        (rcode && rcode != NXDOMAIN))
        return false;
    read_name(r, &asked);
    unsigned t = read_u16(r), c = read_u16(r);
    return !r->bad && name_is(&asked, name) && t == type && c == IN;
}

int dns_answer_read(struct span wire, struct span name, enum dns_type type, struct arena *a,
                    struct dns_answer *out)
{
    struct reader r = { .wire = wire };
    size_t n_answers, n_authorities;
    struct name owner;
    struct rr rr;
    *out = (struct dns_answer){ 0 };
    if (span_ends(name, SPAN(".")))
        name.n--;
    if (!read_head(&r, name, type, &n_answers, &n_authorities))
        return CS_EPROTO;
    size_t first = r.at, n = CS_MIN(n_answers, (size_t)EXAMINED_MAX);
    struct dns_answer found = { .ttl = UINT32_MAX };
    found.records = arena_alloc(a, CS_MIN(n, (size_t)DNS_RECORDS_MAX) * sizeof(*found.records));
    if (!found.records)
        return CS_ENOMEM;
    set_name(&owner, name);
    for (int i = 0; i < CHAIN_MAX && follow(wire, first, n, &owner, &found.ttl); i++)
        ;
    if (owner.odd)
        return CS_EPROTO;
    for (size_t i = 0; i < n_answers; i++) {
        read_rr(&r, &rr);
        if (r.bad)
            return CS_EPROTO;
        if (i >= n || found.n == DNS_RECORDS_MAX || rr.type != (unsigned)type || rr.class != IN ||
            !name_is(&rr.owner, span_of(owner.text, owner.n)))
            continue;
        int kept = read_record(wire, &rr, a, &found.records[found.n]);
        if (kept < 0)
            return kept;
        found.n += (size_t)kept;
        found.ttl = CS_MIN(found.ttl, rr.ttl);
    }
    if (!found.n) {
        size_t n_looked = CS_MIN(n_authorities, (size_t)EXAMINED_MAX);
        uint32_t ttl = negative_ttl(&r, n_looked);
        found.ttl = CS_MIN(found.ttl, ttl);
    }
    *out = found;
    return 0;
}
