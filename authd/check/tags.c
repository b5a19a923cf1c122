#include "authd/check/tags.h"

#include <assert.h>

#include "authd/revocation/revocation.h"

static void add(struct tags *t, Countersign__Store__RevocationKind kind, struct span issuer,
                struct span value)
{
    assert(t->n < TAGS_MAX);
    revocation_tag(kind, issuer, value, t->bytes + t->n++ * REST_TAG_LEN);
}

void tags_of_certificate(const Countersign__Auth__Check *m, struct tags *out)
{
    const Countersign__Auth__Certificate *c = m->certificate;
    out->n = 0;
    if (m->has_certificate_sha256) {
        char hex[64];
        struct buf b = BUF_INIT(hex);
        buf_hex(&b, m->certificate_sha256.data, CS_MIN(m->certificate_sha256.len, (size_t)32));
        add(out, REVOKED(CERTIFICATE), SPAN_NULL, buf_span(&b));
    }
    if (c && c->issuer && c->serial)
        add(out, REVOKED(SERIAL), span_str(c->issuer), span_str(c->serial));
}

static void of_token(struct tags *t, const Countersign__Auth__Token *token)
{
    const struct span iss = span_str(token->iss);
    const struct {
        Countersign__Store__RevocationKind kind;
        const char *value;
    } named[] = { { REVOKED(TOKEN), token->jti },
                  { REVOKED(SUBJECT), token->sub },
                  { REVOKED(SESSION), token->sid } };
    for (size_t i = 0; i < CS_LEN(named); i++) {
        if (named[i].value)
            add(t, named[i].kind, iss, span_str(named[i].value));
    }
    add(t, REVOKED(ISSUER), iss, SPAN_NULL);
}

void tags_of_grant(struct tags *t, Countersign__Auth__Grant *g)
{
    if (g->token && g->token->iss)
        of_token(t, g->token);
    if (g->device)
        add(t, REVOKED(DEVICE), SPAN_NULL, span_str(g->device));
    g->has_rests_on = t->n > 0;
    g->rests_on.data = t->bytes;
    g->rests_on.len = t->n * REST_TAG_LEN;
}

struct rests tags_rests(const struct tags *t, const Countersign__Auth__Grant *g)
{
    return (struct rests){ .tags = span_of(t->bytes, t->n * REST_TAG_LEN),
                           .issued = g->token && g->token->has_iat_s,
                           .issued_s = g->token ? g->token->iat_s : 0 };
}
