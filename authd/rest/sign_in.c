/* Operators who signed in at an identity provider: where the console sends them, and what the token
 * that they come back with lets them do. */
#include "authd/rest/session.h"

/* A revocation ends what is followed within so long; who follows comes back by himself. */
enum { FOLLOW_MS = 60 * 1000 };

static void admit(struct session *s)
{
    static const enum http_role roles[] = { [RIGHT_NONE] = HTTP_PUBLIC,
                                            [RIGHT_READ] = HTTP_READ,
                                            [RIGHT_OPERATE] = HTTP_OPERATE,
                                            [RIGHT_ADMINISTER] = HTTP_ADMINISTER };
    struct http_req *req = s->op.req;
    const struct wall soon = wall_add(loop_wall(s->op.rest->loop), DURATION_MS(FOLLOW_MS));
    const struct wall until = { CS_MIN(s->claims->exp * 1000, soon.ms) };
    const enum operator_right right = s->claims->right;
    struct span name = s->claims->aor; /* its domain tells it from the names of tokens here */
    span_cut(&name, ':');
    session_leave(s);
    http_admit(req, name, roles[right], until);
}

void rest_admit(struct http_req *req, void *arg)
{
    session_start_operator(arg, req, admit);
}

void rest_sign_in(struct http_req *req, void *arg)
{
    const struct rest *rest = arg;
    const struct sign_in_conf *s = rest->conf.checker->conf->http.sign_in;
    json_t *providers = json_array();
    if (s) {
        json_t *one = json_pack("{s:o, s:o, s:o}", "issuer", json_of(s->issuer->issuer),
                                "client_id", json_of(s->client_id), "scope", json_of(s->scope));
        if (s->resource.p)
            json_object_set_new(one, "resource", json_of(s->resource));
        json_array_append_new(providers, one);
    }
    http_reply_json(req, 200, json_pack("{s:o}", "providers", providers));
}
