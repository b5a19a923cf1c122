#include "authd/check/ticket.h"

#include <jwt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "authd/vault/keyring.h"
#include "base/buf.h"
#include "base/ct.h"
#include "base/memo.h"
#include "base/rand.h"

enum { KEY_LEN = 32, KNOWN = 4096 };

#define ISSUER "countersign"

struct tickets {
    struct redis *redis;
    unsigned char key[KEYRING_MAX][KEY_LEN]; /* the first mints */
    size_t n;
    struct memo known; /* connections that were found to have theirs */
};

#define K struct tickets_conf
static const struct conf_key keys[] = {
    CONF_DURATION("use_within", K, use_within, "How soon a WebSocket has to begin with a ticket.",
                  .def = "30s", .min = CONF_SECOND, .max = 5 * CONF_MINUTE),
    CONF_DURATION("lifetime", K, lifetime,
                  "How long it speaks for that connection, and no longer than the token it was "
                  "given for.",
                  .def = "1h", .min = CONF_SECOND, .max = CONF_DAY),
    CONF_DURATION("files", K, files,
                  "How soon a desk phone has to fetch its file with a one-time token.",
                  .def = "15m", .min = CONF_SECOND, .max = CONF_DAY),
    { 0 },
};
const struct conf_section tickets_section = { sizeof(K), keys, NULL };

#define TEXT(name, member)                    \
    {                                         \
        name, offsetof(struct ticket, member) \
    }
static const struct {
    const char *name;
    size_t offset;
} texts[] = {
    TEXT("jti", id),    TEXT("aor", aor),       TEXT("user", user), TEXT("realm", realm),
    TEXT("by", issuer), TEXT("token_iss", iss), TEXT("sub", sub),   TEXT("token_jti", jti),
    TEXT("sid", sid),   TEXT("scope", scope),
};
static const struct {
    const char *name;
    size_t offset;
} times[] = {
    TEXT("token_iat", iat),
    TEXT("use_until", use_until),
    TEXT("exp", until),
};

static struct span *text_at(struct ticket *t, size_t i)
{
    return (struct span *)((char *)t + texts[i].offset);
}

static int64_t *time_at(struct ticket *t, size_t i)
{
    return (int64_t *)((char *)t + times[i].offset);
}

/* ---- life ---- */

/* The nonce keys themselves sign nothing but nonces. */
static int derive(const struct keyring_key *k, unsigned char out[KEY_LEN])
{
    static const unsigned char label[] = "countersign ticket";
    unsigned n = KEY_LEN;
    return HMAC(EVP_sha256(), k->key, sizeof(k->key), label, sizeof(label) - 1, out, &n)
               ? 0
               : CS_ENOMEM;
}

int tickets_new(struct span text, struct tickets **out)
{
    struct keyring ring;
    *out = NULL;
    int err = keyring_parse(text, &ring);
    if (err)
        return err;
    struct tickets *t = calloc(1, sizeof(*t));
    err = t ? memo_init(&t->known, KNOWN) : CS_ENOMEM;
    for (size_t i = 0; !err && i < ring.n; i++)
        err = derive(&ring.keys[i], t->key[t->n++]);
    keyring_fini(&ring);
    if (err) {
        tickets_free(&t);
        return err;
    }
    *out = t;
    return 0;
}

void tickets_use_redis(struct tickets *t, struct redis *r)
{
    t->redis = r;
}

void tickets_free(struct tickets **tp)
{
    struct tickets *t = *tp;
    *tp = NULL;
    if (!t)
        return;
    memo_fini(&t->known);
    ct_wipe(t->key, sizeof(t->key));
    free(t);
}

/* ---- texts ---- */

static int add_claims(jwt_t *j, struct ticket *t, struct arena *a)
{
    int err = jwt_add_grant(j, "iss", ISSUER);
    for (size_t i = 0; !err && i < CS_LEN(texts); i++) {
        struct span s = *text_at(t, i);
        const char *copy = s.p ? arena_str(a, s) : NULL;
        if (s.p)
            err = copy ? jwt_add_grant(j, texts[i].name, copy) : CS_ENOMEM;
    }
    for (size_t i = 0; !err && i < CS_LEN(times); i++) {
        if (*time_at(t, i))
            err = jwt_add_grant_int(j, times[i].name, (long)*time_at(t, i));
    }
    return err ? CS_ENOMEM : 0;
}

int ticket_mint(struct tickets *t, struct ticket *ticket, struct arena *a, struct span *text)
{
    unsigned char random[16];
    char id[TICKET_ID_LEN];
    struct buf b = BUF_INIT(id);
    jwt_t *j = NULL;
    char *encoded = NULL;
    rand_bytes(random, sizeof(random));
    buf_base64url(&b, random, sizeof(random));
    ticket->id = arena_dup(a, buf_span(&b));
    *text = SPAN_NULL;
    int err = ticket->id.p && jwt_new(&j) == 0 ? add_claims(j, ticket, a) : CS_ENOMEM;
    if (!err && jwt_set_alg(j, JWT_ALG_HS256, t->key[0], KEY_LEN) == 0)
        encoded = jwt_encode_str(j);
    if (!err && encoded && strlen(encoded) > TICKET_MAX)
        err = CS_ELIMIT;
    else if (!err && encoded)
        *text = arena_dup(a, span_str(encoded));
    if (encoded)
        ct_wipe(encoded, strlen(encoded));
    free(encoded);
    jwt_free(j);
    return err ? err : text->p ? 0 : CS_ENOMEM;
}

/* libjwt takes HS384 and HS512 under the same key: we never mint those. */
static jwt_t *verify(const struct tickets *t, const char *text)
{
    for (size_t i = 0; i < t->n; i++) {
        jwt_t *j = NULL;
        if (jwt_decode(&j, text, t->key[i], KEY_LEN) == 0 && jwt_get_alg(j) == JWT_ALG_HS256)
            return j;
        jwt_free(j);
    }
    return NULL;
}

static Countersign__Auth__Cause read_claims(jwt_t *j, struct arena *a, struct ticket *out)
{
    for (size_t i = 0; i < CS_LEN(texts); i++) {
        struct span said = span_str(jwt_get_grant(j, texts[i].name));
        *text_at(out, i) = arena_dup(a, said);
        if (said.p && !text_at(out, i)->p)
            return CAUSE(OVERLOADED);
    }
    for (size_t i = 0; i < CS_LEN(times); i++)
        *time_at(out, i) = jwt_get_grant_int(j, times[i].name);
    return CAUSE(OK);
}

Countersign__Auth__Cause ticket_open(const struct tickets *t, struct span text, struct wall now,
                                     struct arena *a, struct ticket *out)
{
    *out = (struct ticket){ 0 };
    if (!text.n || text.n > TICKET_MAX || memchr(text.p, '\0', text.n))
        return CAUSE(TICKET_INVALID);
    char *copy = arena_str(a, text);
    if (!copy)
        return CAUSE(OVERLOADED);
    jwt_t *j = verify(t, copy);
    ct_wipe(copy, text.n);
    if (!j)
        return CAUSE(TICKET_INVALID);
    Countersign__Auth__Cause cause = read_claims(j, a, out);
    jwt_free(j);
    if (cause != CAUSE(OK))
        return cause;
    if (!out->id.n || !out->aor.n)
        return CAUSE(TICKET_INVALID);
    return now.ms >= out->until * 1000 ? CAUSE(TOKEN_EXPIRED) : CAUSE(OK);
}

/* ---- whose it is ---- */

bool ticket_is_known(const struct tickets *t, const struct ticket *ticket, struct span flow)
{
    const struct memo_key key = memo_key_of(ticket->id, flow);
    char yes;
    return memo_get(&t->known, &key, &yes, sizeof(yes));
}

struct redis_call *ticket_claim(struct tickets *t, const struct ticket *ticket, struct span flow,
                                struct wall now, redis_fn *fn, void *arg)
{
    char name[64], lifetime[24];
    struct buf key = BUF_INIT(name), ms = BUF_INIT(lifetime);
    buf_lit(&key, "cs:ticket:{");
    buf_put(&key, ticket->id);
    buf_putc(&key, '}');
    buf_i64(&ms, ticket->until * 1000 - now.ms);
    if (!buf_ok(&key))
        return NULL;
    if (now.ms < ticket->use_until * 1000 && /* the first wins; read behind it in the same write */
        !redis_do(t->redis, redis_ignore, NULL, SPAN("SET"), buf_span(&key), flow, SPAN("NX"),
                  SPAN("PX"), buf_span(&ms)))
        return NULL;
    return redis_do(t->redis, fn, arg, SPAN("GET"), buf_span(&key));
}

Countersign__Auth__Cause ticket_judge(struct tickets *t, const struct ticket *ticket,
                                      struct span flow, const struct redis_reply *reply,
                                      struct wall now)
{
    const struct memo_key key = memo_key_of(ticket->id, flow);
    if (!reply || (reply->type != REDIS_STRING && reply->type != REDIS_NIL))
        return CAUSE(STORE_UNAVAILABLE);
    if (reply->type == REDIS_NIL)
        return now.ms < ticket->use_until * 1000 ? CAUSE(STORE_UNAVAILABLE) : CAUSE(TICKET_EXPIRED);
    if (!span_eq(reply->str, flow))
        return CAUSE(TICKET_USED);
    memo_put(&t->known, &key, "", 1);
    return CAUSE(OK);
}
