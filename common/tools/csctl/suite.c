/* Credentials that no server may take, each a variation of those that would be right for a
 * challenge of a moment ago. Each is shown by a phone of its own, with a port and a Call-ID of its
 * own: who failed several times is refused for that, whatever he shows. */
#include "scenario.h"

enum { CREDENTIALS = 2048, LONG_NAME = 900 };

struct variation {
    struct span user, realm, nonce, uri, method; /* instead of the right ones, if present */
    const char *find, *put; /* what is replaced in the finished text, when find is not NULL */
    const char *instead;    /* the whole header line, when not NULL */
};

/* A challenge to this phone; it borrows from t->refused. */
static bool challenged(struct selftest *t, struct phone *p, struct digest_challenge *c)
{
    ask_fini(&t->refused);
    phone_register(p, &t->refused, LIFETIME, "");
    if (!finished(t, &t->refused))
        return false;
    if (!phone_digest_choose(t->refused.answer, c))
        return true;
    saw(t, "no challenge that can be answered");
    return false;
}

static struct span either(struct span one, struct span other)
{
    return one.p ? one : other;
}

static bool write_variation(char *line, const struct phone *p, const struct phone_conf *as,
                            const struct digest_challenge *c, const struct variation *v)
{
    struct digest_challenge challenge = *c;
    struct buf b = buf_of(line, CREDENTIALS - 1);
    struct digest_answer who = {
        .user = either(v->user, as->user),
        .password = secret_span(as->password),
        .method = either(v->method, SPAN("REGISTER")),
        .uri = either(v->uri, span_str(p->registration.target)),
        .cnonce = SPAN("f00ba4f00ba4"),
        .nc = 1,
    };
    challenge.realm = either(v->realm, c->realm);
    challenge.nonce = either(v->nonce, c->nonce);
    buf_lit(&b, "Authorization: ");
    int err = phone_digest_write(&b, &challenge, &who);
    buf_lit(&b, "\r\n");
    line[b.n] = '\0';
    return !err && buf_ok(&b);
}

static bool replace(char *line, const char *find, const char *put)
{
    char rest[CREDENTIALS];
    char *at = strstr(line, find);
    if (!at)
        return false;
    span_copy(rest, sizeof(rest), span_str(at + strlen(find)));
    snprintf(at, (size_t)(line + CREDENTIALS - at), "%s%s", put, rest);
    return true;
}

/* A 4xx, whatever it is called; a server that fails, or accepts, has not refused. */
static bool is_refused(struct selftest *t, struct phone *p, const char *line)
{
    struct ask *a = next_ask(t);
    phone_register(p, a, LIFETIME, line);
    if (!finished(t, a))
        return false;
    bool refused = a->answer->status >= 400 && a->answer->status < 500;
    if (!refused)
        saw(t, "4xx was expected");
    return refused;
}

/* v is shown for the address of this phone, by the first one's name and password. */
static bool shown(struct selftest *t, struct phone *p, const struct variation *v)
{
    char line[CREDENTIALS];
    struct digest_challenge c;
    if (!challenged(t, p, &c))
        return false;
    if (v->instead)
        return is_refused(t, p, v->instead);
    if (!write_variation(line, p, &t->conf[0], &c, v) ||
        (v->find && !replace(line, v->find, v->put))) {
        saw(t, "they cannot be written");
        return false;
    }
    return is_refused(t, p, line);
}

static bool refuses_for(struct selftest *t, unsigned who, const struct variation *v)
{
    struct phone *p;
    int err = phone_open(t->loop, &t->conf[who], &p);
    if (err) {
        saw(t, "no phone: %s", cs_strerror(err));
        return false;
    }
    bool good = shown(t, p, v);
    ask_fini(&t->refused);
    ask_fini(&t->other);
    t->refused = t->other = (struct ask){ 0 };
    phone_close(&p);
    return good;
}

static bool refuses(struct selftest *t, const struct variation *v)
{
    return refuses_for(t, 0, v);
}

/* ---- challenges ---- */

static bool nonces_differ(struct selftest *t)
{
    char before[256];
    struct digest_challenge c;
    if (!challenged(t, t->phone[0], &c))
        return false;
    span_copy(before, sizeof(before), c.nonce);
    if (!challenged(t, t->phone[0], &c))
        return false;
    bool same = span_eq(c.nonce, span_str(before));
    saw(t, same ? "the same nonce twice" : "two nonces");
    return !same;
}

static bool no_basic(struct selftest *t)
{
    struct digest_challenge c;
    if (!challenged(t, t->phone[0], &c))
        return false;
    struct sip_values it = sip_values(t->refused.answer, SIP_HDR_WWW_AUTHENTICATE);
    bool basic = false;
    unsigned n = 0;
    for (; sip_next(&it); n++)
        basic |= span_casestarts(it.value, SPAN("Basic"));
    saw(t, "%u challenges%s", n, basic ? ", Basic among them" : "");
    return n && !basic;
}

static bool qop_is_offered(struct selftest *t)
{
    struct digest_challenge c;
    if (!challenged(t, t->phone[0], &c))
        return false;
    saw(t, "qop \"" SPAN_FMT "\"", SPAN_ARG(c.qop));
    return c.qop_auth;
}

/* ---- credentials ---- */

static bool made_up_nonce(struct selftest *t)
{
    return refuses(t, &(struct variation){ .nonce = SPAN("bm9ib2R5IG1hZGUgdGhpcw") });
}

static bool other_uri(struct selftest *t)
{
    return refuses(t, &(struct variation){ .uri = SPAN("sip:nobody@elsewhere.invalid") });
}

static bool other_method(struct selftest *t)
{
    return refuses(t, &(struct variation){ .method = SPAN("INVITE") });
}

static bool other_realm(struct selftest *t)
{
    return refuses(t, &(struct variation){ .realm = SPAN("elsewhere.invalid") });
}

static bool other_algorithm(struct selftest *t)
{
    return refuses(t, &(struct variation){ .find = "algorithm=", .put = "algorithm=X-" });
}

static bool short_response(struct selftest *t)
{
    return refuses(t, &(struct variation){ .find = "response=\"", .put = "response=\"0\", x=\"" });
}

static bool no_response(struct selftest *t)
{
    return refuses(t, &(struct variation){ .find = "response=", .put = "x=" });
}

static bool zero_count(struct selftest *t)
{
    return refuses(t, &(struct variation){ .find = "nc=00000001", .put = "nc=00000000" });
}

/* The second phone's address, by the first one's name and password. */
static bool other_address(struct selftest *t)
{
    return refuses_for(t, 1, &(struct variation){ 0 });
}

static bool basic(struct selftest *t)
{
    return refuses(
        t, &(struct variation){ .instead = "Authorization: Basic bm9ib2R5Om5vdGhpbmc=\r\n" });
}

static bool nothing_in_it(struct selftest *t)
{
    return refuses(t, &(struct variation){ .instead = "Authorization: Digest\r\n" });
}

static bool long_name(struct selftest *t)
{
    char name[LONG_NAME];
    memset(name, 'a', sizeof(name));
    return refuses(t, &(struct variation){ .user = span_of(name, sizeof(name)) });
}

static bool strange_name(struct selftest *t)
{
    return refuses(t, &(struct variation){ .user = SPAN("' OR '1'='1' --%00") });
}

/* ---- and then ---- */

static bool still_registers(struct selftest *t)
{
    for (unsigned expires = LIFETIME;; expires = 0) {
        struct ask *a = next_ask(t);
        phone_register(t->phone[0], a, expires, NULL);
        if (!answered(t, a, 200))
            return false;
        if (!expires)
            return true;
    }
}

const struct step suite_steps[] = {
    { "each challenge has a nonce of its own", "RFC 7616, 3.3", nonces_differ, 0 },
    { "challenges offer qop=auth", "RFC 3261, 22.4", qop_is_offered, 0 },
    { "Basic is not offered", "RFC 3261, 22", no_basic, 0 },
    { "a nonce that the server did not make is refused", "RFC 7616, 5.4", made_up_nonce, 0 },
    { "credentials for another URI are refused", "RFC 7616, 3.4.6", other_uri, 0 },
    { "credentials for another method are refused", "RFC 7616, 3.4.3", other_method, 0 },
    { "credentials for another realm are refused", "RFC 3261, 22.1", other_realm, 0 },
    { "an unknown algorithm is refused", "RFC 8760, 2.4", other_algorithm, 0 },
    { "a response that was cut is refused", "RFC 7616, 3.4.1", short_response, 0 },
    { "credentials without a response are refused", "RFC 7616, 3.4", no_response, 0 },
    { "a nonce count of zero is refused", "RFC 7616, 3.4", zero_count, 0 },
    { "nobody registers another's address", "RFC 3261, 10.3", other_address, 0 },
    { "Basic is refused", "RFC 3261, 22", basic, 0 },
    { "credentials with nothing in them are refused", "RFC 7616, 3.4", nothing_in_it, 0 },
    { "a name of 900 characters is refused", "RFC 3261, 22.4", long_name, 0 },
    { "a name that is a query is refused", "RFC 3261, 22.4", strange_name, 0 },
    { "the server answers still", "RFC 3261, 11", answers, 0 },
    { "the right credentials are taken still", "RFC 3261, 22.4", still_registers, 0 },
    { 0 },
};
