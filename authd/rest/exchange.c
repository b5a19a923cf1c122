/* A token for a name and a password, for phones that know only digest. They are good for what the
 * token is good for, until it ends or is revoked. */
#include <openssl/sha.h>

#include "authd/rest/session.h"

struct exchange {
    struct session session;
    struct user user;
    char name[1 + 20 + 1], password[USER_PASSWORD_LEN + 1];
};

/* The same token has the same name, so that nobody fills Redis by exchanging it again. */
static void name_of(struct exchange *x)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    struct buf b = BUF_INIT(x->name);
    SHA256((const unsigned char *)x->session.token.p, x->session.token.n, hash);
    buf_putc(&b, '~');
    buf_base64url(&b, hash, 15);
    buf_putc(&b, '\0');
}

static char *text(struct arena *a, struct span s)
{
    return s.p ? arena_str(a, s) : NULL;
}

/* What the name stands for, in the arena; NULL when memory is exhausted. */
static Countersign__Store__Session *session_of(const struct session *s)
{
    struct arena *a = http_arena(s->op.req);
    const struct claims *k = s->claims;
    Countersign__Store__Session *m = arena_alloc(a, sizeof(*m));
    Countersign__Store__Token *t = arena_alloc(a, sizeof(*t));
    if (!m || !t)
        return NULL;
    countersign__store__session__init(m);
    countersign__store__token__init(t);
    m->token = t;
    m->aor = text(a, k->aor);
    m->scope = text(a, k->scope);
    t->iss = text(a, k->iss);
    t->sub = text(a, k->sub);
    t->jti = text(a, k->jti);
    t->sid = text(a, k->sid);
    t->has_iat_s = k->iat > 0;
    t->has_exp_s = true;
    t->iat_s = (uint64_t)k->iat;
    t->exp_s = (uint64_t)k->exp;
    return m->aor && t->iss ? m : NULL;
}

static void on_put(void *arg, int err)
{
    struct exchange *x = arg;
    struct session *s = &x->session;
    char until[WALL_STRLEN];
    s->op.call = NULL;
    if (err) {
        ct_wipe(x->password, sizeof(x->password));
        op_store_error(&s->op, err);
    } else {
        wall_format((struct wall){ s->claims->exp * 1000 }, until);
        log_action(&s->op, SPAN("token exchanged"), s->claims->aor, SPAN_NULL);
        json_t *body =
            json_pack("{s:s, s:o, s:o, s:s, s:s}", "username", x->name, "realm", json_of(s->realm),
                      "aor", json_of(s->claims->aor), "password", x->password, "until", until);
        ct_wipe(x->password, sizeof(x->password));
        op_reply(&s->op, 200, body);
    }
}

static void give(struct session *s)
{
    struct exchange *x = container_of(s, struct exchange, session);
    const struct rest_conf *conf = &s->op.rest->conf;
    struct arena *a = http_arena(s->op.req);
    struct fault f;
    name_of(x);
    user_password_generate(x->password);
    x->user = (struct user){ .name = span_str(x->name),
                             .realm = s->realm,
                             .enabled = true,
                             .created = loop_wall(s->op.rest->loop),
                             .session = session_of(s) };
    x->user.changed = x->user.created;
    const struct realm_conf *realm = realm_of(s->op.rest, s->realm, &f);
    if (realm && x->user.session &&
        user_set_password(&x->user, conf->vault, realm->verifiers, span_str(x->password), a) == 0)
        s->op.call = store_put_temporary(conf->store, &x->user,
                                         (struct wall){ s->claims->exp * 1000 }, on_put, x);
    if (s->op.call)
        return;
    ct_wipe(x->password, sizeof(x->password));
    op_no_memory(&s->op);
}

void rest_exchange(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    const struct exchange_conf *conf = rest->conf.checker->conf->exchange;
    if (!conf)
        http_problem(req, 404, "not-configured", "Not configured",
                     "authd's configuration has no section exchange.");
    else
        session_start(rest, req, sizeof(struct exchange), &conf->token, DURATION_MS(0),
                      SPAN("REGISTER"), give);
}
