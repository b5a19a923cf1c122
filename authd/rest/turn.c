/* Credentials for a TURN server, for who shows the token he registers with. */
#include "authd/check/turn.h"

#include "authd/rest/session.h"

static void give(struct session *s)
{
    const struct rest_conf *conf = &s->op.rest->conf;
    const struct turn_conf *turn = conf->checker->conf->turn;
    const struct wall now = loop_wall(s->op.rest->loop);
    const int64_t left = s->claims->exp * 1000 - now.ms;
    const struct wall until = wall_add(now, DURATION_MS(CS_MIN(left, turn->ttl.max.ms)));
    char name[2 * USER_MAX_NAME + 2], text[sizeof(name) + 24], password[TURN_PASSWORD_LEN + 1];
    struct buf user = BUF_INIT(name), username = BUF_INIT(text);
    buf_put(&user, s->name);
    buf_putc(&user, '@');
    buf_put(&user, s->realm);
    if (!buf_ok(&user) ||
        turn_credentials(conf->turn_secret, buf_span(&user), until, &username, password)) {
        op_no_memory(&s->op);
        return;
    }
    json_t *uris = json_array();
    for (size_t i = 0; i < turn->n_uris; i++)
        json_array_append_new(uris, json_of(turn->uris[i]));
    json_t *body =
        json_pack("{s:o, s:s, s:I, s:o}", "username", json_of(buf_span(&username)), "password",
                  password, "ttl", (json_int_t)(until.ms / 1000 - now.ms / 1000), "uris", uris);
    ct_wipe(password, sizeof(password));
    op_reply(&s->op, 200, body);
}

/* So that a page of another origin may read the answer (Fetch, 3.2). Whether it is one. */
static bool allow(struct http_req *req, const struct turn_conf *conf)
{
    const struct span origin = http_header(req, "Origin");
    for (size_t i = 0; conf && origin.p && i < conf->n_origins; i++) {
        if (!span_caseeq(origin, conf->origins[i]))
            continue;
        http_reply_header(req, "Access-Control-Allow-Origin", conf->origins[i].p);
        http_reply_header(req, "Vary", "Origin");
        return true;
    }
    return false;
}

void rest_turn_preflight(struct http_req *req, void *arg)
{
    const struct rest *rest = arg;
    if (!allow(req, rest->conf.checker->conf->turn)) {
        http_problem(req, 403, "origin", "Not for pages of this origin",
                     "Look at turn.origins of authd's configuration.");
        return;
    }
    http_reply_header(req, "Access-Control-Allow-Methods", "POST");
    http_reply_header(req, "Access-Control-Allow-Headers", "Authorization");
    http_reply_header(req, "Access-Control-Max-Age", "600");
    http_reply_text(req, 204, NULL, SPAN(""));
}

void rest_turn(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    const struct turn_conf *conf = rest->conf.checker->conf->turn;
    allow(req, conf);
    if (!conf)
        http_problem(req, 404, "not-configured", "Not configured",
                     "authd's configuration has no section turn.");
    else
        session_start(rest, req, sizeof(struct session), &conf->token, conf->ttl.min,
                      SPAN("INVITE"), give);
}
