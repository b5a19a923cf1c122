/* A token is base64url over
 *     1 byte   transport
 *     1 byte   index of the listener
 *     4 bytes  node
 *     UDP:     2 bytes port, 4 or 16 bytes address
 *     TCP that we connected: the same, for it can be connected again
 *     TLS to a domain, marked beside the transport:
 *              2 bytes port, 1 byte length of the address, address, domain
 *     streams: 4 bytes epoch of the process, 8 bytes number of the connection
 *     links:   4 bytes node at the other end
 *     10 bytes of HMAC-SHA256 over all that
 */
#include "base/ct.h"
#include "base/hmac.h"
#include "base/rand.h"
#include "net/tls_names.h"
#include "siptp/impl.h"

enum {
    MAC_LEN = 10,
    HEAD = 1 + 1 + 4,
    BY_DOMAIN = 0x80, /* beside the transport */
    DOMAIN_MAX = 253,
    ADDRESS_MAX = HEAD + 2 + 16,
    BODY_MAX = HEAD + 2 + 1 + 16 + DOMAIN_MAX,
    STREAM_BODY = HEAD + 4 + 8,
    MACS_KEPT = 16384,
};
_Static_assert(FLOW_TOKEN_MAX == (BODY_MAX + MAC_LEN + 2) / 3 * 4, "base64url of the longest");

int token_init(struct siptp *tp)
{
    unsigned char made[32];
    struct span key = tp->conf.token_key ? secret_span(tp->conf.token_key) : SPAN_NULL;
    if (!key.n) {
        rand_bytes(made, sizeof(made));
        key = span_of(made, sizeof(made));
    }
    rand_bytes(&tp->epoch, sizeof(tp->epoch));
    int err = hmac_new(key, &tp->hmac);
    ct_wipe(made, sizeof(made));
    return err ? err : memo_init(&tp->macs, MACS_KEPT);
}

void token_fini(struct siptp *tp)
{
    hmac_free(&tp->hmac);
    memo_fini(&tp->macs);
}

/* A phone's flow has the same token at each of its requests. */
static bool sign(struct siptp *tp, struct span body, unsigned char out[MAC_LEN])
{
    const struct memo_key key = memo_key_of(body, SPAN_NULL);
    if (memo_get(&tp->macs, &key, out, MAC_LEN))
        return true;
    unsigned char full[HMAC_LEN];
    if (hmac_of(tp->hmac, &body, 1, full))
        return false;
    memcpy(out, full, MAC_LEN);
    memo_put(&tp->macs, &key, out, MAC_LEN);
    return true;
}

static bool is_by_address(const struct flow *f)
{
    return f->transport == SIP_UDP || (f->transport == SIP_TCP && conn_of(f)->ours);
}

static void put_address(struct buf *b, const struct addr *a, bool with_length)
{
    const struct span host = addr_host_bytes(a);
    const uint16_t port = addr_port(a);
    buf_put(b, span_of(&port, sizeof(port)));
    if (with_length)
        buf_putc(b, (char)host.n);
    buf_put(b, host);
}

static void finish(struct siptp *tp, struct buf body, struct buf *b)
{
    unsigned char mac[MAC_LEN];
    if (!buf_ok(&body) || !sign(tp, buf_span(&body), mac)) {
        b->full = true;
        return;
    }
    memcpy(body.p + body.n, mac, MAC_LEN);
    buf_base64url(b, body.p, body.n + MAC_LEN);
}

static void put_head(struct buf *b, const struct flow *f, int mark)
{
    buf_putc(b, (char)((int)f->transport | mark));
    buf_putc(b, (char)f->listener->index);
    buf_put(b, span_of(&f->tp->node, sizeof(f->tp->node)));
}

static void write_domain(const struct flow *f, const struct addr *at, struct span domain,
                         struct buf *b)
{
    unsigned char token[BODY_MAX + MAC_LEN];
    struct buf body = buf_of(token, BODY_MAX);
    put_head(&body, f, BY_DOMAIN);
    put_address(&body, at, true);
    buf_put(&body, domain);
    finish(f->tp, body, b);
}

void flow_token(const struct flow *f, struct buf *b)
{
    unsigned char token[BODY_MAX + MAC_LEN];
    struct buf body = buf_of(token, BODY_MAX);
    /* A peer that is known by authorities of its own would be looked for by those of all. */
    bool again = f->transport == SIP_TLS && !conn_of(f)->peer;
    struct span domain = again ? span_str(conn_of(f)->domain) : SPAN_NULL;
    if (domain.n && domain.n <= DOMAIN_MAX) {
        write_domain(f, &f->remote, domain, b);
        return;
    }
    put_head(&body, f, 0);
    if (is_by_address(f)) {
        put_address(&body, &f->remote, false);
    } else if (f->transport == SIP_LINK) {
        buf_put(&body, span_of(&f->peer, sizeof(f->peer)));
    } else {
        buf_put(&body, span_of(&f->tp->epoch, sizeof(f->tp->epoch)));
        buf_put(&body, span_of(&f->id, sizeof(f->id)));
    }
    finish(f->tp, body, b);
}

void flow_token_to(const struct flow *f, struct span domain, struct buf *b)
{
    const struct alias *a = f->transport == SIP_TLS ? conn_of(f)->alias : NULL;
    if (a && domain.n && domain.n <= DOMAIN_MAX)
        write_domain(f, &a->addr, domain, b);
    else
        flow_token(f, b);
}

static bool read_address(struct span port, struct span host, struct addr *out)
{
    uint16_t n;
    *out = (struct addr){ 0 };
    if (host.n == 4) {
        out->in4.sin_family = AF_INET;
        memcpy(&out->in4.sin_addr, host.p, 4);
    } else if (host.n == 16) {
        out->in6.sin6_family = AF_INET6;
        memcpy(&out->in6.sin6_addr, host.p, 16);
    } else {
        return false;
    }
    memcpy(&n, port.p, sizeof(n));
    addr_set_port(out, n);
    return true;
}

static int address_by_token(struct siptp_listener *ls, struct span body, struct flow **out)
{
    struct addr to;
    struct span at = span_skip(body, HEAD);
    if (!read_address(at, span_skip(at, 2), &to))
        return CS_EPROTO;
    return siptp_flow_to(ls->tp, ls->transport, &to, ls, out);
}

/* Absent: there is none in it. */
static struct span read_domain(struct span body, struct addr *to)
{
    struct span at = span_skip(body, HEAD), rest = span_skip(at, 3);
    size_t n = at.n > 3 ? (unsigned char)at.p[2] : 0;
    if (rest.n <= n || !read_address(at, span_head(rest, n), to))
        return SPAN_NULL;
    return span_skip(rest, n);
}

static int domain_by_token(struct siptp_listener *ls, struct span body, struct flow **out)
{
    struct addr to;
    struct span domain = read_domain(body, &to);
    if (!domain.p)
        return CS_EPROTO;
    return siptp_flow_to_domain(ls->tp, ls->transport, &to, domain, ls, out);
}

static int stream_by_token(struct siptp *tp, struct span body, struct flow **out)
{
    uint32_t epoch;
    uint64_t id;
    memcpy(&epoch, body.p + HEAD, sizeof(epoch));
    memcpy(&id, body.p + HEAD + sizeof(epoch), sizeof(id));
    struct conn *c = epoch == tp->epoch ? conn_by_id(tp, id) : NULL;
    if (!c)
        return CS_ENOENT;
    *out = flow_ref(&c->flow);
    return 0;
}

/* The body of a token of our making, in space. */
static int open_token(struct siptp *tp, struct span text, unsigned char space[BODY_MAX + MAC_LEN],
                      struct span *body)
{
    unsigned char mac[MAC_LEN];
    size_t n;
    if (!text.n || text.n > FLOW_TOKEN_MAX ||
        base64url_decode(text, space, BODY_MAX + MAC_LEN, &n) || n < HEAD + 4 + MAC_LEN)
        return CS_EPROTO;
    n -= MAC_LEN;
    *body = span_of(space, n);
    return sign(tp, *body, mac) && ct_eq(span_of(mac, MAC_LEN), span_of(space + n, MAC_LEN))
               ? 0
               : CS_EPROTO;
}

int flow_token_read(struct siptp *tp, struct span text, struct flow_token *out)
{
    unsigned char space[BODY_MAX + MAC_LEN];
    struct span body;
    *out = (struct flow_token){ 0 };
    if (open_token(tp, text, space, &body))
        return CS_EPROTO;
    out->transport = space[0] & ~BY_DOMAIN;
    memcpy(&out->node, space + 2, sizeof(out->node));
    if (out->transport == SIP_LINK)
        memcpy(&out->peer, space + HEAD, sizeof(out->peer));
    return 0;
}

bool flow_has_token(const struct flow *f, struct span token)
{
    char text[FLOW_TOKEN_MAX];
    struct buf own = BUF_INIT(text);
    unsigned char space[BODY_MAX + MAC_LEN];
    struct span body;
    struct addr to;
    flow_token(f, &own);
    if (buf_ok(&own) && span_eq(buf_span(&own), token))
        return true;
    const struct conn *c = f->transport == SIP_TLS ? conn_of(f) : NULL;
    if (!c || !c->alias || open_token(f->tp, token, space, &body) || !(space[0] & BY_DOMAIN))
        return false;
    struct span domain = read_domain(body, &to);
    return domain.p && addr_eq(&to, &c->alias->addr) &&
           tls_names_sip_domain(c->certificate, domain);
}

int siptp_flow_by_token(struct siptp *tp, struct span text, struct flow **out)
{
    unsigned char space[BODY_MAX + MAC_LEN];
    uint32_t node;
    struct span body;
    *out = NULL;
    if (open_token(tp, text, space, &body))
        return CS_EPROTO;
    enum sip_transport transport = space[0] & ~BY_DOMAIN;
    memcpy(&node, space + 2, sizeof(node));
    if (node != tp->node)
        return CS_ENOENT;
    if (transport == SIP_LINK) {
        memcpy(&node, space + HEAD, sizeof(node));
        return siptp_link_find(tp, node, out);
    }
    list_for_each (it, &tp->listeners) {
        struct siptp_listener *ls = container_of(it, struct siptp_listener, link);
        if (ls->index != space[1] || ls->transport != transport)
            continue;
        if (space[0] & BY_DOMAIN)
            return transport == SIP_TLS ? domain_by_token(ls, body, out) : CS_EPROTO;
        bool address = body.n == HEAD + 2 + 4 || body.n == ADDRESS_MAX;
        if (transport == SIP_UDP || (transport == SIP_TCP && address))
            return address ? address_by_token(ls, body, out) : CS_EPROTO;
        return body.n == STREAM_BODY ? stream_by_token(tp, body, out) : CS_EPROTO;
    }
    return CS_ENOENT;
}
