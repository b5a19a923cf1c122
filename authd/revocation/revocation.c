#include "authd/revocation/revocation.h"

#include <openssl/sha.h>

#include "proto/codec.h"

enum { SCHEMA = 1 };

#define KIND Countersign__Store__RevocationKind

/* What makes up each kind. */
static const struct {
    struct span name;
    bool issuer, value;
} kinds[] = {
    [REVOKED(TOKEN)] = { SPAN_INIT("jti"), true, true },
    [REVOKED(SUBJECT)] = { SPAN_INIT("sub"), true, true },
    [REVOKED(SESSION)] = { SPAN_INIT("sid"), true, true },
    [REVOKED(ISSUER)] = { SPAN_INIT("issuer"), true, false },
    [REVOKED(CERTIFICATE)] = { SPAN_INIT("certificate"), false, true },
    [REVOKED(SERIAL)] = { SPAN_INIT("serial"), true, true },
    [REVOKED(DEVICE)] = { SPAN_INIT("device"), false, true },
};

static bool is_kind(KIND kind)
{
    return (size_t)kind < CS_LEN(kinds) && kinds[kind].name.p;
}

struct span revocation_kind(KIND kind)
{
    return is_kind(kind) ? kinds[kind].name : SPAN("unknown");
}

/* ---- tags ---- */

void revocation_tag(KIND kind, struct span issuer, struct span value,
                    unsigned char out[REST_TAG_LEN])
{
    char said[8 + 2 * (REVOCATION_TEXT_MAX + 1)];
    unsigned char hash[SHA256_DIGEST_LENGTH];
    struct buf b = BUF_INIT(said);
    issuer = span_head(issuer, REVOCATION_TEXT_MAX + 1); /* longer than any that can be revoked */
    value = span_head(value, REVOCATION_TEXT_MAX + 1);
    buf_putc(&b, (char)kind); /* with a length, so that no two read the same */
    buf_putc(&b, (char)(issuer.n >> 8));
    buf_putc(&b, (char)issuer.n);
    buf_put(&b, issuer);
    buf_put(&b, value);
    SHA256((const unsigned char *)said, b.n, hash);
    memcpy(out, hash, REST_TAG_LEN);
}

void revocation_id(const struct revocation *r, char out[REVOCATION_ID_LEN + 1])
{
    unsigned char tag[REST_TAG_LEN];
    struct buf b = buf_of(out, REVOCATION_ID_LEN + 1);
    revocation_tag(r->kind, r->issuer, r->value, tag);
    buf_hex(&b, tag, sizeof(tag));
    buf_putc(&b, '\0');
}

int revocation_of_id(struct span id, unsigned char out[REST_TAG_LEN])
{
    return hex_decode(id, out, REST_TAG_LEN);
}

struct fallen revocation_fallen(const struct revocation *r, const unsigned char *tag)
{
    return (struct fallen){ span_of(tag, REST_TAG_LEN), r->bounded, r->before_s };
}

bool revocation_has_ended(const struct revocation *r, struct wall now)
{
    return r->until.ms && r->until.ms <= now.ms;
}

/* ---- words ---- */

static void write_time(struct buf *b, struct wall t)
{
    char text[WALL_STRLEN];
    wall_format(t, text);
    buf_put(b, span_str(text));
}

void revocation_write(struct buf *b, const struct revocation *r)
{
    buf_put(b, revocation_kind(r->kind));
    if (r->value.p) {
        buf_putc(b, ' ');
        buf_put(b, span_head(r->value, 80));
        if (r->issuer.p)
            buf_lit(b, " of");
    }
    if (r->issuer.p) {
        buf_putc(b, ' ');
        buf_put(b, span_head(r->issuer, 80));
    }
    if (r->bounded) {
        buf_lit(b, ", issued before ");
        write_time(b, (struct wall){ (int64_t)r->before_s * 1000 });
        buf_putc(b, ',');
    }
    buf_lit(b, " was revoked ");
    write_time(b, r->since);
    if (r->by.p) {
        buf_lit(b, " by ");
        buf_put(b, r->by);
    }
    if (r->reason.p) {
        buf_lit(b, ": ");
        buf_put(b, span_head(r->reason, 80));
    }
}

/* ---- the record ---- */

static bool fits(const struct revocation *r)
{
    return is_kind(r->kind) && kinds[r->kind].issuer == (r->issuer.p != NULL) &&
           kinds[r->kind].value == (r->value.p != NULL) && r->issuer.n <= REVOCATION_TEXT_MAX &&
           r->value.n <= REVOCATION_TEXT_MAX && r->by.n <= REVOCATION_BY_MAX &&
           r->reason.n <= REVOCATION_REASON_MAX && r->before_s <= INT64_MAX / 1000 &&
           r->since.ms >= 0 && r->until.ms >= 0;
}

/* protobuf-c wants C strings; absent stays absent. */
static char *text(struct buf *room, struct span s)
{
    char *p = room->p + room->n;
    if (!s.p)
        return NULL;
    buf_put(room, s);
    buf_putc(room, '\0');
    return p;
}

int revocation_encode(const struct revocation *r, struct buf *out)
{
    char space[REVOCATION_RECORD_MAX];
    struct buf room = BUF_INIT(space);
    Countersign__Store__Revocation m = COUNTERSIGN__STORE__REVOCATION__INIT;
    if (!fits(r))
        return CS_ELIMIT;
    m.schema = SCHEMA;
    m.kind = r->kind;
    m.issuer = text(&room, r->issuer);
    m.value = text(&room, r->value);
    m.has_before_s = r->bounded;
    m.before_s = r->before_s;
    m.since_ms = (uint64_t)r->since.ms;
    m.has_until_ms = r->until.ms != 0;
    m.until_ms = (uint64_t)r->until.ms;
    m.by = text(&room, r->by);
    m.reason = text(&room, r->reason);
    if (buf_ok(&room))
        proto_pack(out, &m.base);
    return buf_ok(&room) && buf_ok(out) ? 0 : CS_ELIMIT;
}

int revocation_decode(struct span packed, struct arena *a, struct revocation *out)
{
    struct span kept = arena_dup(a, packed);
    *out = (struct revocation){ 0 };
    if (!kept.p)
        return packed.p ? CS_ENOMEM : CS_EPROTO;
    const Countersign__Store__Revocation *m =
        proto_unpack(&countersign__store__revocation__descriptor, kept, a);
    if (!m || m->schema != SCHEMA || m->since_ms > INT64_MAX || m->until_ms > INT64_MAX)
        return CS_EPROTO;
    const struct revocation r = {
        .kind = m->kind,
        .issuer = span_str(m->issuer),
        .value = span_str(m->value),
        .bounded = m->has_before_s,
        .before_s = m->has_before_s ? m->before_s : 0,
        .since = { (int64_t)m->since_ms },
        .until = { m->has_until_ms ? (int64_t)m->until_ms : 0 },
        .by = span_str(m->by),
        .reason = span_str(m->reason),
    };
    if (!fits(&r))
        return CS_EPROTO;
    *out = r;
    return 0;
}
