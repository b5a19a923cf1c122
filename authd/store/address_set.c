#include "authd/store/address_set.h"

#include <time.h>

#include "proto/codec.h"
#include "store.pb-c.h"

enum { SCHEMA = 1, BITS_MIN_4 = 8, BITS_MIN_6 = 16, DAY_MS = 24 * 3600 * 1000 };

/* ---- texts ---- */

const char *address_set_name_fault(struct span name)
{
    if (name.n == 0)
        return "must not be empty";
    if (name.n > ADDRESS_SET_MAX_NAME)
        return "must not be longer than 64 bytes";
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!ascii_alpha(c) && !ascii_digit(c) && span_find(SPAN("-_."), c) < 0)
            return "must be of letters, digits, dots, hyphens and underscores";
    }
    return NULL;
}

const char *address_set_text_fault(struct span text)
{
    if (span_trim(text).n == 0)
        return "must not be empty";
    if (text.n > ADDRESS_SET_MAX_TEXT)
        return "must not be longer than 200 bytes";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c == 0x7f)
            return "must not contain control characters";
    }
    return NULL;
}

const char *address_set_network_fault(struct span text, struct cidr *out)
{
    if (cidr_parse(text, out))
        return "is no network; write 192.0.2.0/24, 2001:db8::/32 or 192.0.2.1";
    /* 0.0.0.0/0 would be the Internet, and nobody answers for that */
    if (out->bits < (out->net.sa.sa_family == AF_INET ? BITS_MIN_4 : BITS_MIN_6))
        return "is too large; at least a /8, of IPv6 a /16";
    return NULL;
}

const char *address_set_networks_fault(const struct cidr *nets, size_t n)
{
    bool seen[2][129] = { 0 };
    unsigned lengths = 0;
    if (n == 0 || n > ADDRESS_SET_MAX_NETWORKS)
        return "must be 1 to 1024";
    for (size_t i = 0; i < n; i++) {
        bool *at = &seen[nets[i].net.sa.sa_family == AF_INET6][nets[i].bits];
        lengths += !*at;
        *at = true;
    }
    return lengths > ADDRESS_SET_MAX_LENGTHS ? "have more than 32 different lengths of prefix"
                                             : NULL;
}

int date_parse(struct span text, struct wall *out)
{
    uint64_t year, month, day;
    struct span rest = text;
    struct span y = span_cut(&rest, '-'), m = span_cut(&rest, '-');
    *out = (struct wall){ 0 };
    if (y.n != 4 || m.n != 2 || rest.n != 2 || span_u64(y, 9999, &year) ||
        span_u64(m, 12, &month) || span_u64(rest, 31, &day) || year < 1970 || !month || !day)
        return CS_EPROTO;
    struct tm t = { .tm_year = (int)year - 1900, .tm_mon = (int)month - 1, .tm_mday = (int)day };
    const time_t s = timegm(&t);
    if (t.tm_mday != (int)day) /* the 30th of February */
        return CS_EPROTO;
    out->ms = (int64_t)s * 1000;
    return 0;
}

void date_format(struct wall t, char out[DATE_STRLEN])
{
    char full[WALL_STRLEN];
    wall_format(t, full);
    span_copy(out, DATE_STRLEN, span_of(full, DATE_STRLEN - 1));
}

/* ---- its state ---- */

enum set_state address_set_state(const struct address_set *s, struct wall now)
{
    if (now.ms >= s->renewal.ms + DAY_MS)
        return SET_OVERDUE;
    return now.ms >= s->renewal.ms - (int64_t)ADDRESS_SET_DUE_DAYS * DAY_MS ? SET_DUE : SET_CURRENT;
}

struct span set_state_name(enum set_state s)
{
    static const struct span names[] = { SPAN_INIT("current"), SPAN_INIT("due"),
                                         SPAN_INIT("overdue") };
    return names[s];
}

/* ---- encoding ---- */

static bool fits(const struct address_set *s)
{
    return !address_set_name_fault(s->name) && !address_set_text_fault(s->owner) &&
           !address_set_text_fault(s->note) &&
           !address_set_networks_fault(s->networks, s->n_networks);
}

int address_set_decode(struct span record, struct arena *a, struct address_set *out)
{
    *out = (struct address_set){ 0 };
    struct span kept = arena_dup(a, record);
    const Countersign__Store__AddressSet *m =
        kept.p ? proto_unpack(&countersign__store__address_set__descriptor, kept, a) : NULL;
    if (!m || m->schema != SCHEMA || m->renewal_ms > (uint64_t)INT64_MAX / 2)
        return CS_EPROTO;
    struct address_set s = {
        .name = span_str(m->name),
        .owner = span_str(m->owner),
        .note = span_str(m->note),
        .networks = arena_alloc(a, m->n_network * sizeof(struct cidr)),
        .renewal = { (int64_t)m->renewal_ms },
        .created = { (int64_t)m->created_ms },
        .changed = { (int64_t)m->changed_ms },
        .record = kept,
    };
    if (!s.networks)
        return CS_ENOMEM;
    for (; s.n_networks < m->n_network; s.n_networks++) {
        if (address_set_network_fault(span_str(m->network[s.n_networks]),
                                      &s.networks[s.n_networks]))
            return CS_EPROTO;
    }
    if (!fits(&s))
        return CS_EPROTO;
    *out = s;
    return 0;
}

static int fill(Countersign__Store__AddressSet *m, const struct address_set *s, struct arena *a)
{
    m->schema = SCHEMA;
    m->name = arena_str(a, s->name);
    m->owner = arena_str(a, s->owner);
    m->note = arena_str(a, s->note);
    m->network = arena_alloc(a, s->n_networks * sizeof(*m->network));
    if (!m->name || !m->owner || !m->note || !m->network)
        return CS_ENOMEM;
    for (; m->n_network < s->n_networks; m->n_network++) {
        char space[ADDR_STRLEN + 4];
        struct buf b = BUF_INIT(space);
        cidr_write(&b, &s->networks[m->n_network]);
        m->network[m->n_network] = arena_str(a, buf_span(&b));
        if (!m->network[m->n_network])
            return CS_ENOMEM;
    }
    m->renewal_ms = (uint64_t)s->renewal.ms;
    m->has_created_ms = m->has_changed_ms = true;
    m->created_ms = (uint64_t)s->created.ms;
    m->changed_ms = (uint64_t)s->changed.ms;
    return 0;
}

int address_set_encode(const struct address_set *s, struct buf *out)
{
    char first[4096];
    struct arena a;
    arena_init(&a, first, sizeof(first), 0);
    Countersign__Store__AddressSet m = COUNTERSIGN__STORE__ADDRESS_SET__INIT;
    int err = fits(s) ? fill(&m, s, &a) : CS_ELIMIT;
    if (!err) {
        const size_t before = out->n;
        proto_pack(out, &m.base);
        if (out->n - before > ADDRESS_SET_MAX_RECORD)
            out->full = true;
        err = buf_ok(out) ? 0 : CS_ELIMIT;
    }
    arena_fini(&a);
    return err;
}
