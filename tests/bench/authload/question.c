#include "question.h"

#include <stdio.h>

#include "header.h"

static void text_of(char out[TEXT_MAX], bool *ok, const struct span *parts, size_t n)
{
    struct buf t = buf_of(out, TEXT_MAX - 1);
    for (size_t i = 0; i < n; i++)
        buf_put(&t, parts[i]);
    out[t.n] = '\0';
    *ok &= buf_ok(&t);
}

#define TEXT_OF(out, ok, ...)                                  \
    text_of((out), (ok), (const struct span[]){ __VA_ARGS__ }, \
            sizeof((const struct span[]){ __VA_ARGS__ }) / sizeof(struct span))

static void hex_of(char *out, size_t digits, uint64_t v)
{
    for (size_t i = digits; i-- > 0; v >>= 4)
        out[i] = "0123456789abcdef"[v & 15];
    out[digits] = '\0';
}

/* Response of RFC 7616, 3.4.1, with qop auth. */
static void answer(struct asker *a, struct phone *p, struct question *q)
{
    char ha2[HASH_HEX];
    hex_of(q->nc, 8, ++p->nc);
    hex_of(q->cnonce, 16, (uint64_t)(uintptr_t)p * 0x9e3779b97f4a7c15 + p->nc);
    HASH_JOIN(a->hash, ha2, SPAN("REGISTER"), span_str(q->uri));
    HASH_JOIN(a->hash, q->response, span_str(p->ha1), span_of(p->nonce, p->nonce_n),
              span_str(q->nc), span_str(q->cnonce), SPAN("auth"), span_str(ha2));
}

bool question_make(struct asker *a, enum kind kind, struct question *q)
{
    bool ok = true;
    struct phone *phone = q->phone;
    size_t turn = kind == KIND_TOKEN ? a->n_told++ % a->n_tokens : 0;
    if (kind == KIND_TOKEN) /* they speak of one after the other, as the file of users has them */
        phone = &a->phones->p[turn % a->phones->n];
    size_t number = (size_t)(phone - a->phones->p);
    q->kind = kind == KIND_DIGEST && (phone->nonce_n == 0 || phone->nc >= NC_MOST) ? KIND_CHALLENGE
                                                                                   : kind;
    TEXT_OF(q->listener, &ok, kind == KIND_TOKEN ? SPAN("tls") : span_str(a->listener));
    TEXT_OF(q->domain, &ok, a->domain);
    TEXT_OF(q->uri, &ok, SPAN("sip:"), a->domain);
    TEXT_OF(q->username, &ok, phone->name);
    TEXT_OF(q->aor, &ok, SPAN("sip:"), phone->name, SPAN("@"), a->domain);
    hex_of(q->call_id, 16, (uint64_t)number << 32 | ++phone->cseq);
    /* A network for benchmarks (RFC 2544), an address for each phone: none is exempt from defence.
     */
    q->source[0] = 198;
    q->source[1] = 18;
    q->source[2] = (uint8_t)(number >> 8);
    q->source[3] = (uint8_t)number;
    if (q->kind == KIND_DIGEST)
        answer(a, phone, q);
    else if (q->kind == KIND_TOKEN)
        q->token = a->tokens[turn];
    return ok;
}

bool question_challenged(struct phone *p, struct span challenge)
{
    struct span scheme = challenge, nonce;
    (void)span_cut(&scheme, ' ');
    nonce = header_param(scheme, ',', SPAN("nonce"));
    if (!nonce.p || nonce.n >= sizeof(p->nonce))
        return false;
    memcpy(p->nonce, nonce.p, nonce.n);
    p->nonce[nonce.n] = '\0';
    p->nonce_n = (unsigned short)nonce.n;
    p->nc = 0;
    return true;
}

void question_to_check(const struct question *q, const struct asker *a, struct question_check *out)
{
    Countersign__Auth__Check *c = &out->check;
    Countersign__Auth__DigestCredentials *d = &out->digest;
    *c = (Countersign__Auth__Check)COUNTERSIGN__AUTH__CHECK__INIT;
    c->listener = (char *)q->listener;
    c->has_transport = true;
    c->transport = q->kind == KIND_TOKEN ? COUNTERSIGN__AUTH__TRANSPORT__TLS
                                         : COUNTERSIGN__AUTH__TRANSPORT__UDP;
    c->has_source_ip = true;
    c->source_ip = (ProtobufCBinaryData){ sizeof(q->source), (uint8_t *)q->source };
    c->has_source_port = true;
    c->source_port = 5060;
    c->method = (char *)"REGISTER";
    c->request_uri = (char *)q->uri;
    c->domain = (char *)q->domain;
    c->from_aor = c->to_aor = (char *)q->aor;
    c->call_id = (char *)q->call_id;
    c->has_contacts = true;
    c->contacts = 1;
    c->bearer_secret = q->kind == KIND_TOKEN ? (char *)q->token : NULL;
    if (q->kind != KIND_DIGEST)
        return;
    *d = (Countersign__Auth__DigestCredentials)COUNTERSIGN__AUTH__DIGEST_CREDENTIALS__INIT;
    d->username = (char *)q->username;
    d->realm = (char *)q->domain;
    d->nonce_secret = q->phone->nonce;
    d->uri = (char *)q->uri;
    d->response_secret = (char *)q->response;
    d->algorithm = (char *)hash_name(a->hash).p;
    d->qop = (char *)"auth";
    d->nc = (char *)q->nc;
    d->cnonce_secret = (char *)q->cnonce;
    out->list[0] = d;
    c->digest = out->list;
    c->n_digest = 1;
}

static void put_member(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, "%s\"%s\":\"%s\"", b->n > 1 ? "," : "", name, value);
}

void question_to_json(const struct question *q, const struct asker *a, struct buf *b)
{
    char source[16];
    snprintf(source, sizeof(source), "%u.%u.%u.%u", q->source[0], q->source[1], q->source[2],
             q->source[3]);
    buf_putc(b, '{');
    put_member(b, "aor", q->aor);
    put_member(b, "listener", q->listener);
    put_member(b, "source", source);
    put_member(b, "call_id", q->call_id);
    if (q->kind == KIND_TOKEN)
        put_member(b, "token", q->token);
    if (q->kind == KIND_DIGEST) {
        buf_printf(b,
                   ",\"authorization\":\"Digest username=\\\"%s\\\", realm=\\\"%s\\\", "
                   "nonce=\\\"%s\\\", uri=\\\"%s\\\", response=\\\"%s\\\", algorithm=%s, qop=auth, "
                   "nc=%s, cnonce=\\\"%s\\\"\"",
                   q->username, q->domain, q->phone->nonce, q->uri, q->response,
                   hash_name(a->hash).p, q->nc, q->cnonce);
    }
    buf_putc(b, '}');
}
