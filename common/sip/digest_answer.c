#include "sip/digest_answer.h"

#include "base/ct.h"
#include "sip/scan.h"

enum { TEXT_MAX = 1024, ALGS = DIGEST_UNKNOWN };

/* ---- which ---- */

unsigned digest_rank(const struct digest_challenge *c, const enum digest_alg *prefer, size_t n)
{
    if (c->alg == DIGEST_UNKNOWN || (c->qop.p && !c->qop_auth && !c->qop_auth_int))
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (prefer[i] == c->alg)
            return ALGS + 1 + (unsigned)(n - i);
    }
    return 1 + (unsigned)c->alg; /* the enum rises with the strength */
}

bool digest_says(struct span inside, struct span text)
{
    size_t at = 0;
    for (size_t i = 0; i < inside.n; i++, at++) {
        i += inside.p[i] == '\\' && i + 1 < inside.n;
        if (at == text.n || text.p[at] != inside.p[i])
            return false;
    }
    return at == text.n;
}

/* ---- what is hashed ---- */

struct work {
    digest_hash_fn *hash;
    void *arg;
    enum digest_alg alg;
    int err; /* sticks */
};

/* Empty after an error. */
static struct span hash_of(struct work *w, char space[DIGEST_HEX_MAX], const struct span *parts,
                           size_t n)
{
    struct buf hex = buf_of(space, DIGEST_HEX_MAX);
    if (!w->err)
        w->err = w->hash(w->arg, w->alg, parts, n, &hex);
    if (!w->err && !buf_ok(&hex))
        w->err = CS_ELIMIT;
    return buf_span(&hex);
}
#define HASH(w, space, ...)                               \
    hash_of((w), (space), (struct span[]){ __VA_ARGS__ }, \
            sizeof((struct span[]){ __VA_ARGS__ }) / sizeof(struct span))

/* RFC 7616, 3.4.1 to 3.4.3. qop absent: the form of RFC 2069. */
static struct span respond(struct work *w, const struct digest_challenge *c,
                           const struct digest_answer *a, struct span nc, struct span qop,
                           char out[DIGEST_HEX_MAX])
{
    char realm_text[TEXT_MAX], nonce_text[TEXT_MAX];
    char a1[DIGEST_HEX_MAX], s1[DIGEST_HEX_MAX], a2[DIGEST_HEX_MAX], entity[DIGEST_HEX_MAX];
    struct buf realm_buf = BUF_INIT(realm_text), nonce_buf = BUF_INIT(nonce_text);
    sip_unquote(&realm_buf, c->realm); /* what stands in quotes is hashed without its escapes */
    sip_unquote(&nonce_buf, c->nonce);
    if (!buf_ok(&realm_buf) || !buf_ok(&nonce_buf))
        w->err = CS_ELIMIT;
    const struct span nonce = buf_span(&nonce_buf);

    struct span ha1 = HASH(w, a1, a->user, buf_span(&realm_buf), a->password);
    if (c->sess)
        ha1 = HASH(w, s1, ha1, nonce, a->cnonce);
    struct span ha2;
    if (span_eq(qop, SPAN("auth-int")))
        ha2 = HASH(w, a2, a->method, a->uri, HASH(w, entity, a->body));
    else
        ha2 = HASH(w, a2, a->method, a->uri);
    struct span response;
    if (qop.p)
        response = HASH(w, out, ha1, nonce, nc, a->cnonce, qop, ha2);
    else
        response = HASH(w, out, ha1, nonce, ha2);
    ct_wipe(a1, sizeof(a1));
    ct_wipe(s1, sizeof(s1));
    return response;
}

/* ---- what is written ---- */

static void put_param(struct buf *b, const char *name, struct span inside)
{
    buf_put(b, span_str(name));
    buf_lit(b, "=\"");
    buf_put(b, inside);
    buf_putc(b, '"');
}

/* A quotation mark and a backslash of ours get their escape; what was quoted when it came has it.
 */
static void put_user(struct buf *b, struct span user)
{
    buf_lit(b, "Digest username=\"");
    for (size_t i = 0; i < user.n; i++) {
        if (user.p[i] == '"' || user.p[i] == '\\')
            buf_putc(b, '\\');
        buf_putc(b, user.p[i]);
    }
    buf_putc(b, '"');
}

/* A token, without quotes (RFC 7616, 3.4). */
static void put_algorithm(struct buf *b, const struct digest_challenge *c,
                          const struct digest_answer *a)
{
    const bool implied = c->alg == DIGEST_MD5 && !c->sess;
    const bool wanted = a->echo == DIGEST_ECHO_ALWAYS ||
                        (a->echo == DIGEST_ECHO_AS_CHALLENGED && c->algorithm.p != NULL);
    if (implied && !wanted)
        return;
    struct span name = digest_alg_name(c->alg, c->sess);
    buf_lit(b, ", algorithm=");
    for (size_t i = 0; i < name.n; i++)
        buf_putc(b, a->lower ? ascii_lower(name.p[i]) : name.p[i]);
}

int digest_answer_write(struct buf *b, const struct digest_challenge *c,
                        const struct digest_answer *a, digest_hash_fn *hash, void *arg)
{
    char nc_text[9], response_text[DIGEST_HEX_MAX];
    struct buf nc = BUF_INIT(nc_text);
    struct work w = { .hash = hash, .arg = arg, .alg = c->alg };
    if (!digest_rank(c, NULL, 0))
        return CS_ENOTSUP;
    struct span qop = c->qop_auth ? SPAN("auth") : c->qop_auth_int ? SPAN("auth-int") : SPAN_NULL;
    buf_printf(&nc, "%08x", a->nc);
    struct span response = respond(&w, c, a, buf_span(&nc), qop, response_text);
    if (w.err)
        return w.err;

    put_user(b, a->user);
    put_param(b, ", realm", c->realm); /* as it came, escapes and all */
    put_param(b, ", nonce", c->nonce);
    put_param(b, ", uri", a->uri);
    put_param(b, ", response", response);
    put_algorithm(b, c, a);
    if (qop.p || c->sess)
        put_param(b, ", cnonce", a->cnonce);
    if (qop.p) {
        buf_lit(b, ", qop=");
        buf_put(b, qop);
        buf_lit(b, ", nc=");
        buf_put(b, buf_span(&nc));
    }
    if (c->opaque.p)
        put_param(b, ", opaque", c->opaque);
    return buf_ok(b) ? 0 : CS_ELIMIT;
}
