#include "authd/defence/ban.h"

#include <openssl/evp.h>

#include "base/map.h"
#include "proto/codec.h"

enum { SCHEMA = 1, DIGEST_LEN = 32 };

void ban_id(const struct ban *b, char out[BAN_ID_LEN + 1])
{
    unsigned char said[32 + BAN_USER_MAX], digest[DIGEST_LEN] = { 0 };
    struct buf s = buf_of(said, sizeof(said)), text = buf_of(out, BAN_ID_LEN + 1);
    struct span host = addr_host_bytes(&b->net.net);
    buf_putc(&s, (char)host.n);
    buf_put(&s, host);
    buf_putc(&s, (char)b->net.bits);
    buf_putc(&s, (char)(b->port >> 8));
    buf_putc(&s, (char)b->port);
    buf_put(&s, span_head(b->user, BAN_USER_MAX));
    EVP_Q_digest(NULL, "SHA256", NULL, s.p, s.n, digest, NULL);
    buf_base64url(&text, digest, BAN_ID_LEN / 4 * 3);
    buf_putc(&text, '\0');
}

bool ban_is_id(struct span text)
{
    unsigned char raw[BAN_ID_LEN];
    size_t n;
    return text.n == BAN_ID_LEN && base64url_decode(text, raw, sizeof(raw), &n) == 0;
}

void ban_write_source(struct buf *b, const struct ban *ban)
{
    struct addr a = ban->net.net;
    if (!ban->port) {
        cidr_write(b, &ban->net);
        return;
    }
    addr_set_port(&a, ban->port);
    addr_write(b, &a);
}

uint64_t ban_tag(struct span user)
{
    uint64_t hash = user.p ? map_hash(span_head(user, BAN_USER_MAX)) : 0;
    return user.p && !hash ? 1 : hash;
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

int ban_encode(const struct ban *b, struct buf *out)
{
    char space[BAN_RECORD_MAX];
    struct buf room = BUF_INIT(space);
    Countersign__Store__Ban m = COUNTERSIGN__STORE__BAN__INIT;
    struct span host = addr_host_bytes(&b->net.net);
    m.schema = SCHEMA;
    m.source_ip.data = (uint8_t *)host.p;
    m.source_ip.len = host.n;
    m.bits = b->net.bits;
    m.has_port = b->port != 0;
    m.port = b->port;
    m.user = text(&room, span_head(b->user, BAN_USER_MAX));
    m.class_ = text(&room, b->class_);
    m.reason = text(&room, span_head(b->reason, BAN_REASON_MAX));
    m.since_ms = (uint64_t)b->since.ms;
    m.until_ms = (uint64_t)b->until.ms;
    if (buf_ok(&room))
        proto_pack(out, &m.base);
    return buf_ok(&room) && buf_ok(out) ? 0 : CS_ELIMIT;
}

static int net_of(const Countersign__Store__Ban *m, struct cidr *out)
{
    struct addr a;
    if (addr_from_bytes(span_of(m->source_ip.data, m->source_ip.len), &a))
        return CS_EPROTO;
    *out = cidr_of(&a, m->bits);
    return m->bits == out->bits && addr_same_host(&a, &out->net) ? 0 : CS_EPROTO;
}

int ban_decode(struct span packed, struct arena *a, struct ban *out)
{
    struct span kept = arena_dup(a, packed);
    *out = (struct ban){ 0 };
    if (!kept.p)
        return packed.p ? CS_ENOMEM : CS_EPROTO;
    const Countersign__Store__Ban *m = proto_unpack(&countersign__store__ban__descriptor, kept, a);
    if (!m || m->schema != SCHEMA || m->port > 65535 || m->since_ms > INT64_MAX ||
        m->until_ms > INT64_MAX || span_str(m->user).n > BAN_USER_MAX || (m->user && !*m->user) ||
        span_str(m->reason).n > BAN_REASON_MAX || span_str(m->class_).n > 32)
        return CS_EPROTO;
    struct ban b = { .port = m->has_port ? (uint16_t)m->port : 0,
                     .user = span_str(m->user),
                     .class_ = span_str(m->class_),
                     .reason = span_str(m->reason),
                     .since = { (int64_t)m->since_ms },
                     .until = { (int64_t)m->until_ms } };
    int err = net_of(m, &b.net);
    if (!err)
        *out = b;
    return err;
}
