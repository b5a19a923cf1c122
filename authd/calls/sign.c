#include "authd/calls/sign.h"

#include "base/ct.h"

_Static_assert((int)DIGEST_MD5 == ALG_MD5 && (int)DIGEST_SHA256 == ALG_SHA256 &&
                   (int)DIGEST_SHA512_256 == ALG_SHA512_256,
               "the algorithms have one numbering");

/* ---- choosing ---- */

/* A colon would let the method say what the URI alone may: both are hashed as method ":" uri. */
static bool may_sign(const struct trunk *t, const struct sign_ask *a)
{
    struct sip_uri uri;
    return a->method.n > 0 && span_find(a->method, ':') < 0 && sip_uri_parse(a->uri, &uri) == 0 &&
           trunk_is_target(t, &uri);
}

static const struct trunk_credential *credential_of(const struct trunk *t, const struct sign_ask *a,
                                                    const struct digest_challenge *c)
{
    const struct trunk_credential *best = NULL;
    int best_fit = -1;
    for (size_t i = 0; i < t->n_credentials; i++) {
        const struct trunk_credential *k = &t->credentials[i];
        if (!digest_says(c->realm, k->realm) || (a->user.p && !span_eq(k->user, a->user)) ||
            (k->route.p && !(a->route.p && span_eq(k->route, a->route))))
            continue;
        int fit = 2 * (c->username.p && digest_says(c->username, k->user)) + (k->route.p != NULL);
        if (fit > best_fit) {
            best_fit = fit;
            best = k;
        }
    }
    return best;
}

Countersign__Auth__Cause sign_choose(const struct trunk *t, const struct sign_ask *a,
                                     struct sign_choice *out)
{
    Countersign__Auth__Cause cause = CAUSE(CHALLENGE_UNANSWERABLE);
    unsigned best = 0;
    *out = (struct sign_choice){ 0 };
    if (!may_sign(t, a))
        return CAUSE(TRUNK_URI_REFUSED);
    for (size_t i = 0; i < a->n_challenges; i++) {
        struct digest_challenge c;
        if (digest_challenge_parse(a->challenges[i], &c) ||
            (a->realm.p && !digest_says(c.realm, a->realm)))
            continue;
        const struct trunk_credential *k = credential_of(t, a, &c);
        unsigned rank = digest_rank(&c, t->prefer, t->n_prefer);
        if (!out->challenge.realm.p || (!k && !out->credential))
            out->challenge = c; /* what a refusal tells of */
        if (rank > 0 && !k && !out->credential)
            cause = CAUSE(TRUNK_REALM_UNKNOWN);
        if (!k || rank <= best)
            continue;
        *out = (struct sign_choice){ .challenge = c, .credential = k };
        best = rank;
        cause = CAUSE(OK);
    }
    return cause;
}

/* ---- writing ---- */

/* The Request-URI without its transport parameter, or without parameters and headers: what some
 * servers compare with their To. */
static void put_uri(struct buf *b, const struct trunk *t, struct span text)
{
    struct sip_uri u;
    if (t->uri == TRUNK_URI_AS_SENT || sip_uri_parse(text, &u)) {
        buf_put(b, text);
        return;
    }
    const size_t headers = u.headers.p ? (size_t)(u.headers.p - text.p) - 1 : text.n;
    const size_t params = u.params.n ? (size_t)(u.params.p - text.p) : headers;
    buf_put(b, span_head(text, params));
    if (t->uri == TRUNK_URI_WITHOUT_PARAMETERS)
        return;
    struct span rest = span_of(text.p + params, headers - params);
    span_cut(&rest, ';'); /* nothing stands before the first */
    while (rest.p) {
        struct span param = span_cut(&rest, ';'), value = param;
        if (span_caseeq(span_cut(&value, '='), SPAN("transport")))
            continue;
        buf_putc(b, ';');
        buf_put(b, param);
    }
    buf_put(b, span_skip(text, headers));
}

static int hash_hex_into(void *arg, enum digest_alg alg, const struct span *parts, size_t n,
                         struct buf *hex)
{
    char text[2 * ALG_MAX_LEN];
    int err = hash_joined_hex(arg, (enum algorithm)alg, parts, n, text);
    if (!err)
        buf_put(hex, span_of(text, 2 * algorithm_len((enum algorithm)alg)));
    ct_wipe(text, sizeof(text));
    return err;
}

enum { URI_MAX = 4096 };

int sign_write(const struct trunk *t, const struct sign_ask *a, const struct sign_choice *choice,
               struct vault *v, struct hash *h, struct span cnonce, uint32_t nc, struct buf *out)
{
    char password[TRUNK_MAX_PASSWORD], uri_text[URI_MAX];
    struct buf uri = BUF_INIT(uri_text);
    size_t n;
    put_uri(&uri, t, a->uri);
    if (!buf_ok(&uri))
        return CS_ELIMIT;
    int err = trunk_open(t, choice->credential, v, password, &n);
    if (err)
        return err;
    const struct digest_answer answer = {
        .user = choice->credential->user,
        .password = span_of(password, n),
        .method = a->method,
        .uri = buf_span(&uri),
        .body = a->body,
        .cnonce = cnonce,
        .nc = nc,
        .echo = t->echo,
        .lower = t->lower,
    };
    err = digest_answer_write(out, &choice->challenge, &answer, hash_hex_into, h);
    ct_wipe(password, sizeof(password));
    return err;
}
