#include "registrar/route_token.h"

#include "base/ct.h"

enum {
    MAC_TEXT = 14, /* ROUTE_MAC_LEN in base64url */
    TAG_LEN = 6,   /* ROUTE_TAG_LEN in base64url */
};

struct mac {
    unsigned char bytes[HMAC_LEN];
};

/* The key of tags signs no route. */
int route_key_init(struct route_key *k, struct span key)
{
    const struct span purpose = SPAN("instance");
    struct mac derived;
    *k = (struct route_key){ 0 };
    int err = hmac_new(key, &k->routes);
    if (!err)
        err = hmac_of(k->routes, &purpose, 1, derived.bytes);
    if (!err)
        err = hmac_new(span_of(derived.bytes, sizeof(derived.bytes)), &k->tags);
    ct_wipe(&derived, sizeof(derived));
    if (err)
        route_key_fini(k);
    return err;
}

void route_key_fini(struct route_key *k)
{
    hmac_free(&k->routes);
    hmac_free(&k->tags);
}

/* Each part stands behind its length, so that no two lists of parts read alike. */
static bool sign(const struct route_key *key, struct span call_id, struct span caller_tag,
                 struct span flows, struct mac *out)
{
    const struct span parts[] = {
        span_of(&call_id.n, sizeof(call_id.n)),       call_id,
        span_of(&caller_tag.n, sizeof(caller_tag.n)), caller_tag,
        span_of(&flows.n, sizeof(flows.n)),           flows,
    };
    return hmac_of(key->routes, parts, CS_LEN(parts), out->bytes) == 0;
}

void route_token_write(struct buf *b, const struct route_key *key, struct span caller,
                       struct span callee, const struct sip_msg *m)
{
    size_t start = b->n;
    struct mac mac;
    buf_put(b, caller);
    buf_putc(b, '.');
    buf_put(b, callee);
    if (!buf_ok(b) || !sign(key, m->call_id, m->from.tag, span_skip(buf_span(b), start), &mac)) {
        b->full = true;
        return;
    }
    buf_putc(b, '.');
    buf_base64url(b, mac.bytes, ROUTE_MAC_LEN);
}

static bool is_signed(const struct route_key *key, const struct sip_msg *m, struct span caller_tag,
                      struct span flows, const unsigned char *given)
{
    struct mac mac;
    return caller_tag.n && sign(key, m->call_id, caller_tag, flows, &mac) &&
           ct_eq(span_of(mac.bytes, ROUTE_MAC_LEN), span_of(given, ROUTE_MAC_LEN));
}

int route_token_read(struct span token, const struct route_key *key, const struct sip_msg *m,
                     struct span *to, struct span *from)
{
    unsigned char mac[ROUTE_MAC_LEN];
    size_t n;
    *to = *from = SPAN_NULL;
    if (token.n <= MAC_TEXT + 1 || !m->to.tag.n) /* a dialog has two tags */
        return CS_EPROTO;
    struct span flows = span_head(token, token.n - MAC_TEXT - 1);
    if (flows.p[flows.n] != '.' ||
        base64url_decode(span_skip(token, flows.n + 1), mac, sizeof(mac), &n) || n != sizeof(mac))
        return CS_EPROTO;
    struct span callee = flows, caller = span_cut(&callee, '.');
    if (is_signed(key, m, m->from.tag, flows, mac)) {
        *to = callee;
        *from = caller;
    } else if (is_signed(key, m, m->to.tag, flows, mac)) {
        *to = caller;
        *from = callee;
    }
    return to->p ? 0 : CS_EPROTO;
}

static bool tag_of(const struct route_key *key, struct span instance, struct mac *out)
{
    return instance.n && hmac_of(key->tags, &instance, 1, out->bytes) == 0;
}

void route_tag_write(struct buf *b, const struct route_key *key, struct span instance)
{
    struct mac mac;
    if (!tag_of(key, instance, &mac))
        return;
    buf_base64url(b, mac.bytes, TAG_LEN);
}

void route_tag_put(struct buf *b, struct span tag)
{
    if (!tag.n)
        return;
    buf_putc(b, '~');
    buf_put(b, tag);
}

struct span route_tag_take(struct span *side)
{
    struct span tag = *side;
    *side = span_cut(&tag, '~');
    return tag;
}

bool route_tag_names(struct span tag, const struct route_key *key, struct span instance)
{
    struct mac mac;
    unsigned char given[TAG_LEN];
    size_t n;
    return base64url_decode(tag, given, sizeof(given), &n) == 0 && n == sizeof(given) &&
           tag_of(key, instance, &mac) && ct_eq(span_of(mac.bytes, TAG_LEN), span_of(given, n));
}
