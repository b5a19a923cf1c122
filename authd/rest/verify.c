/* Other servers ask, too: what they show of a request is judged as if a front had shown it. */
#include "authd/check/aor.h"
#include "authd/check/authorities.h"
#include "authd/check/chain.h"
#include "authd/check/check.h"
#include "authd/rest/op.h"
#include "proto/credentials.h"

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
    set(j, "device", g->device);
    if (g->has_srtp && g->srtp)
        json_object_set_new(j, "srtp", json_true());
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
struct question {
    const char *aor, *pem, *authority, *certificate, *transport, *source, *authorization,
        *proxy_authorization, *body;
    Countersign__Auth__Check check;
};

enum { ALL, TOKEN, DIGEST, CERTIFICATE };
static const struct {
    const char *name;
    size_t offset;
    int of; /* the questions that have it */
} members[] = {
    { "aor", offsetof(struct question, aor), ALL },
    { "method", offsetof(struct question, check.method), ALL },
    { "transport", offsetof(struct question, transport), ALL },
    { "listener", offsetof(struct question, check.listener), ALL },
    { "source", offsetof(struct question, source), ALL },
    { "domain", offsetof(struct question, check.domain), ALL },
    { "call_id", offsetof(struct question, check.call_id), ALL },
    { "certificate", offsetof(struct question, pem), ALL },
    { "authority", offsetof(struct question, authority), ALL },
    { "token", offsetof(struct question, check.bearer_secret), TOKEN },
    { "certificate_sha256", offsetof(struct question, certificate), TOKEN },
    { "request_uri", offsetof(struct question, check.request_uri), DIGEST },
    { "user_agent", offsetof(struct question, check.user_agent), DIGEST },
    { "authorization", offsetof(struct question, authorization), DIGEST },
    { "proxy_authorization", offsetof(struct question, proxy_authorization), DIGEST },
    { "body", offsetof(struct question, body), DIGEST },
};

static int read_texts(const json_t *j, int kind, struct question *q, struct fault *f)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)j, name, value)
    {
        size_t i = 0;
        while (i < CS_LEN(members) && (strcmp(members[i].name, name) != 0 ||
                                       (members[i].of != ALL && members[i].of != kind)))
            i++;
        if (i == CS_LEN(members))
            return fault_member(f, "A member", "is none of those documented");
        if (!json_is_string(value))
            return fault_member(f, name, "must be a string");
        *(const char **)((char *)q + members[i].offset) = json_string_value(value);
    }
    if (kind == TOKEN && !q->check.bearer_secret)
        return fault_member(f, "token", "must be there");
    if (kind == CERTIFICATE && !q->pem)
        return fault_member(f, "certificate", "must be there");
    if (!q->pem != !q->authority)
        return fault_member(f, "certificate", "and authority belong together");
    if (q->pem && q->certificate)
        return fault_member(f, "certificate_sha256", "is said by certificate already");
    /* A trunk has none. */
    return q->aor || kind == CERTIFICATE ? 0 : fault_member(f, "aor", "must be there");
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

static int read_aor(struct question *q, struct arena *a, struct fault *f)
{
    struct span aor, name, domain;
    Countersign__Auth__Check *m = &q->check;
    if (!q->aor)
        return 0;
    if (aor_of(span_str(q->aor), a, &aor) || aor_split(aor, a, &name, &domain))
        return fault_member(f, "aor", "must be an address, sip:alice@example.com");
    m->from_aor = m->to_aor = (char *)aor.p;
    if (!m->domain)
        m->domain = arena_str(a, domain);
    return m->domain ? 0 : fault_no_memory(f);
}

static int read_certificate(struct question *q, struct arena *a, struct fault *f)
{
    Countersign__Auth__Check *m = &q->check;
    if (!q->certificate)
        return 0;
    m->certificate_sha256.data = arena_alloc(a, 32);
    m->certificate_sha256.len = 32;
    m->has_certificate_sha256 = true;
    if (!m->certificate_sha256.data)
        return fault_no_memory(f);
    if (hex_decode(span_str(q->certificate), m->certificate_sha256.data, 32))
        return fault_member(f, "certificate_sha256", "must be 64 hexadecimal digits");
    return 0;
}

static int read_chain(const struct rest *rest, struct question *q, struct arena *a, struct fault *f)
{
    const struct authorities *all = rest->conf.checker->authorities;
    STACK_OF(X509) *trusted = all ? authorities_trusted(all, span_str(q->authority)) : NULL;
    if (!q->pem)
        return 0;
    if (!trusted)
        return fault_member(f, "authority", "is none of certificate_authorities");
    int err = chain_facts(span_str(q->pem), trusted, a, &q->check);
    if (err == CS_ENOMEM)
        return fault_no_memory(f);
    return err ? fault_member(
                     f, "certificate",
                     "must be a certificate in PEM, and up to 7 that lead to its authority")
               : 0;
}

/* Nothing shown is a question, too: its answer holds the challenges. */
static int read_credentials(struct question *q, struct arena *a, struct fault *f)
{
    const char *const values[] = { q->authorization, q->proxy_authorization };
    Countersign__Auth__Check *m = &q->check;
    m->digest = arena_alloc(a, CS_LEN(values) * sizeof(*m->digest));
    for (size_t i = 0; m->digest && i < CS_LEN(values); i++) {
        const struct span value = span_str(values[i]);
        if (!value.n) /* servers have no better word for a header that is not there */
            continue;
        if (!span_casestarts(value, SPAN("Digest ")))
            return fault_member(f, i ? "proxy_authorization" : "authorization",
                                "must begin with Digest; tokens are for /v1/verify/token");
        m->digest[m->n_digest] = credentials_of(value, i == 1, a);
        if (m->digest[m->n_digest])
            m->n_digest++;
    }
    m->has_body = q->body != NULL;
    m->body.data = (uint8_t *)q->body;
    m->body.len = span_str(q->body).n;
    if (!m->request_uri) {
        char *uri = arena_alloc(a, strlen(m->domain) + sizeof("sip:"));
        if (uri)
            memcpy(stpcpy(uri, "sip:"), m->domain, strlen(m->domain) + 1);
        m->request_uri = uri;
    }
    return 0;
}

static int read_question(const struct rest *rest, const json_t *j, int kind, struct arena *a,
                         struct question *q, struct fault *f)
{
    *q = (struct question){ .transport = kind == DIGEST ? "udp" : "tls",
                            .check = COUNTERSIGN__AUTH__CHECK__INIT };
    int err = read_texts(j, kind, q, f);
    if (!q->check.method)
        q->check.method = (char *)(q->aor ? "REGISTER" : "INVITE");
    if (!err)
        err = read_aor(q, a, f);
    if (!err)
        err = read_certificate(q, a, f);
    if (!err)
        err = read_chain(rest, q, a, f);
    if (!err && kind == DIGEST)
        err = read_credentials(q, a, f);
    if (!err)
        err = read_transport(q->transport, &q->check, f);
    return err ? err : read_source(q->source, a, &q->check, f);
}

static void verify(struct http_req *req, void *arg, int kind)
{
    struct rest *rest = arg;
    struct fault f;
    struct question q;
    struct verify_op *v = op_new(rest, req, sizeof(*v));
    if (!v)
        return;
    v->op.drop = drop;
    json_t *body = http_json(req);
    if (!body) { /* it replied */
        list_remove(&v->op.link);
        return;
    }
    int err = read_question(rest, body, kind, http_arena(req), &q, &f);
    if (err)
        op_fault(&v->op, &f);
    else if (!check_start(rest->conf.checker, &q.check, &asker, v))
        op_no_memory(&v->op);
    json_decref(body);
}

void rest_verify_token(struct http_req *req, void *arg)
{
    verify(req, arg, TOKEN);
}

void rest_verify_certificate(struct http_req *req, void *arg)
{
    verify(req, arg, CERTIFICATE);
}

void rest_verify_digest(struct http_req *req, void *arg)
{
    verify(req, arg, DIGEST);
}
