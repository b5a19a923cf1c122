/* Other servers ask, too: a bearer token is judged as if a front had shown it. */
#include "authd/aor.h"
#include "authd/check.h"
#include "authd/rest/op.h"

struct verify_op {
    struct op op;
    struct check *check; /* while it waits */
};

/* ---- the verdict ---- */

static void set(json_t *j, const char *name, const char *text)
{
    if (text)
        json_object_set_new(j, name, json_of(span_str(text)));
}

static json_t *list_of(char **texts, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_of(span_str(texts[i])));
    return list;
}

static json_t *token_to_json(const Countersign__Auth__Token *t)
{
    json_t *j = json_object();
    set(j, "iss", t->iss);
    set(j, "sub", t->sub);
    set(j, "jti", t->jti);
    set(j, "sid", t->sid);
    if (t->has_iat_s)
        json_object_set_new(j, "iat", json_integer((json_int_t)t->iat_s));
    if (t->has_exp_s)
        json_object_set_new(j, "exp", json_integer((json_int_t)t->exp_s));
    return j;
}

static void add_grant(json_t *j, const Countersign__Auth__Grant *g)
{
    set(j, "user", g->user);
    json_object_set_new(j, "aors", list_of(g->aor, g->n_aor));
    json_object_set_new(j, "expires_max", json_integer(g->expires_max_s));
    if (g->token)
        json_object_set_new(j, "token", token_to_json(g->token));
}

static json_t *verdict_to_json(const Countersign__Auth__Verdict *v)
{
    json_t *j = json_object();
    json_object_set_new(j, "verdict", json_of(decision_kind(v->kind)));
    json_object_set_new(j, "cause", json_of(cause_name(v->cause)));
    json_object_set_new(j, "text", json_of(cause_text(v->cause)));
    json_object_set_new(j, "remedy", json_of(cause_remedy(v->cause)));
    set(j, "decision", v->decision);
    set(j, "group", v->group);
    if (v->has_status)
        json_object_set_new(j, "status", json_integer(v->status));
    if (v->has_retry_after_s)
        json_object_set_new(j, "retry_after", json_integer(v->retry_after_s));
    if (v->n_challenge)
        json_object_set_new(j, "challenges", list_of(v->challenge, v->n_challenge));
    if (v->grant)
        add_grant(j, v->grant);
    return j;
}

static void on_waits(struct check *c)
{
    struct verify_op *v = c->owner;
    v->check = c;
}

static void on_answer(struct check *c, const Countersign__Auth__Verdict *verdict)
{
    struct verify_op *v = c->owner;
    v->check = NULL;
    op_reply(&v->op, 200, verdict_to_json(verdict));
}

static const struct check_asker asker = { on_waits, on_answer };

/* The client went away, or the server goes. */
static void drop(struct op *op)
{
    struct verify_op *v = container_of(op, struct verify_op, op);
    if (v->check)
        check_cancel(v->check);
    v->check = NULL;
}

/* ---- the question ---- */

/* Texts are the JSON's, C strings. */
static int read_texts(const json_t *body, Countersign__Auth__Check *m, const char **certificate,
                      const char **transport, const char **source, struct fault *f)
{
    const char *aor = NULL;
    const struct {
        const char *name, **value;
    } members[] = {
        { "token", (const char **)&m->bearer_secret }, { "aor", &aor },
        { "method", (const char **)&m->method },       { "transport", transport },
        { "listener", (const char **)&m->listener },   { "source", source },
        { "domain", (const char **)&m->domain },       { "certificate_sha256", certificate },
    };
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)body, name, value)
    {
        size_t i = 0;
        while (i < CS_LEN(members) && strcmp(members[i].name, name) != 0)
            i++;
        if (i == CS_LEN(members))
            return fault_member(f, "A member", "is none of those documented");
        if (!json_is_string(value))
            return fault_member(f, name, "must be a string");
        *members[i].value = json_string_value(value);
    }
    m->from_aor = (char *)aor;
    return m->bearer_secret && aor ? 0 : fault_member(f, "token and aor", "must be there");
}

static int read_transport(const char *text, Countersign__Auth__Check *m, struct fault *f)
{
    for (int t = COUNTERSIGN__AUTH__TRANSPORT__UDP; t <= COUNTERSIGN__AUTH__TRANSPORT__WSS; t++) {
        if (span_eq(facts_transport((Countersign__Auth__Transport)t), span_str(text))) {
            m->has_transport = true;
            m->transport = (Countersign__Auth__Transport)t;
            return 0;
        }
    }
    return fault_member(f, "transport", "must be udp, tcp, tls, ws or wss");
}

static int read_source(const char *text, struct arena *a, Countersign__Auth__Check *m,
                       struct fault *f)
{
    struct addr source;
    if (!text)
        return 0;
    if (addr_parse_host(span_str(text), 0, &source))
        return fault_member(f, "source", "must be an address");
    struct span bytes = arena_dup(a, addr_host_bytes(&source));
    m->has_source_ip = bytes.p != NULL;
    m->source_ip.data = (uint8_t *)bytes.p;
    m->source_ip.len = bytes.n;
    return 0;
}

static int read_question(const json_t *body, struct arena *a, Countersign__Auth__Check *m,
                         struct fault *f)
{
    const char *certificate = NULL, *transport = "tls", *source = NULL;
    struct span aor, name, domain;
    m->method = (char *)"REGISTER";
    int err = read_texts(body, m, &certificate, &transport, &source, f);
    if (!err && (aor_of(span_str(m->from_aor), a, &aor) || aor_split(aor, a, &name, &domain)))
        err = fault_member(f, "aor", "must be an address, sip:alice@example.com");
    if (err)
        return err;
    m->from_aor = m->to_aor = (char *)aor.p;
    if (!m->domain)
        m->domain = arena_str(a, domain);
    m->certificate_sha256.data = arena_alloc(a, 32);
    m->certificate_sha256.len = 32;
    m->has_certificate_sha256 = certificate && m->certificate_sha256.data;
    if (certificate && hex_decode(span_str(certificate), m->certificate_sha256.data, 32))
        return fault_member(f, "certificate_sha256", "must be 64 hexadecimal digits");
    err = read_transport(transport, m, f);
    return err ? err : read_source(source, a, m, f);
}

void rest_verify_token(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct fault f;
    Countersign__Auth__Check m = COUNTERSIGN__AUTH__CHECK__INIT;
    struct verify_op *v = op_new(rest, req, sizeof(*v));
    if (!v)
        return;
    v->op.drop = drop;
    json_t *body = http_json(req);
    if (!body) { /* it replied */
        list_remove(&v->op.link);
        return;
    }
    int err = read_question(body, http_arena(req), &m, &f);
    if (err)
        op_fault(&v->op, &f);
    else if (!check_start(rest->conf.checker, &m, &asker, v))
        op_no_memory(&v->op);
    json_decref(body);
}
