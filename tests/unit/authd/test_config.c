#include "authd/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "authd/token/alg.h"
#include "base/util.h"

#define HEAD                                \
    "listen: { socket: s, users: ['0'] }\n" \
    "redis: { socket: r }\n"                \
    "nonce_key_file: n\n"                   \
    "seal_key_file: k\n"                    \
    "realms: [{ name: example.com }]\n"
#define GROUP HEAD "peer_groups:\n- name: g\n"

static char reported[4096];

static void on_report(void *arg, const char *line)
{
    (void)arg;
    strncat(reported, line, sizeof(reported) - strlen(reported) - 2);
    strcat(reported, "\n");
}

static int parse(const char *text, struct arena *a, struct authd_conf *out)
{
    reported[0] = '\0';
    arena_init(a, NULL, 0, 0);
    return conf_parse(span_str(text), "authd.yaml", &authd_conf_section, a, out, on_report, NULL);
}

static void test_defaults_are_the_documented_ones(void **state)
{
    (void)state;
    struct arena a;
    struct authd_conf c;
    assert_int_equal(parse(GROUP "  digest: { realm: example.com }\n", &a, &c), 0);
    const struct group_conf *g = &c.peer_groups[0];
    assert_int_equal(g->require.all_of, PROOF_DIGEST);
    assert_int_equal(g->digest.n_algorithms, 3);
    assert_int_equal(g->digest.algorithms[0], ALG_SHA512_256);
    assert_int_equal(g->digest.algorithms[2], ALG_MD5);
    assert_int_equal(g->digest.algorithm_mask, ALG_ALL);
    assert_int_equal(g->digest.nonce_lifetime.ms, 300000);
    assert_int_equal(g->digest.attempts, 3);
    assert_int_equal(g->digest.nc, NC_SHARED);
    assert_false(g->digest.sess);
    assert_int_equal(g->digest.qop, 1 << QOP_AUTH | 1 << QOP_AUTH_INT);
    assert_true(g->digest.n_single_challenge > 5);
    assert_int_equal(g->expires.min.ms, 60000);
    assert_int_equal(g->expires.max.ms, 3600000);
    assert_int_equal(g->expires.standard.ms, 3600000);
    assert_int_equal(c.listen.bits, 0660);
    assert_int_equal(c.listen.n_uids, 1);
    assert_int_equal(c.listen.uids[0], 0);
    assert_int_equal(c.realms[0].verifiers, ALG_ALL);
    arena_fini(&a);
}

static void test_sample_of_a_branch_is_read(void **state)
{
    (void)state;
    struct arena a;
    struct authd_conf c;
    assert_int_equal(parse(HEAD "peer_groups:\n"
                                "  - name: branch-phones\n"
                                "    match: { transport: [tls, wss], source: [10.20.0.0/16] }\n"
                                "    require: { all_of: [digest] }\n"
                                "    digest: { realm: example.com, algorithms: [SHA-256, "
                                "SHA-512-256, MD5], nonce_lifetime: 5m }\n"
                                "    methods: [register/setup-invite, message]\n"
                                "    expires: { min: 60s, max: 30m }\n",
                           &a, &c),
                     0);
    const struct group_conf *g = &c.peer_groups[0];
    assert_int_equal(g->match.transports, 1 << 2 | 1 << 4);
    assert_int_equal(g->match.n_sources, 1);
    assert_int_equal(g->digest.algorithms[0], ALG_SHA256);
    assert_int_equal(g->expires.standard.ms, 1800000);
    assert_int_equal(g->n_rules, 3);
    assert_true(span_eq(g->rules[0].name, SPAN("REGISTER")) && !g->rules[0].initial_only);
    assert_true(span_eq(g->rules[1].name, SPAN("INVITE")) && g->rules[1].initial_only);
    assert_true(span_eq(g->rules[2].name, SPAN("MESSAGE")));
    arena_fini(&a);
}

/* G-37 */
static void test_an_address_alone_needs_a_waiver_where_it_is_public(void **state)
{
    static const char *const rows[] = {
        GROUP "  require: { all_of: [address] }\n  match: { source: [10.0.0.0/8, 'fd00::/8'] }\n",
        GROUP "  require: { all_of: [address] }\n  match: { source: [127.0.0.1] }\n",
        GROUP "  require: { all_of: [address] }\n  match: { source: [192.0.2.0/24] }\n"
              "  address_only_waiver: IPsec ends at the router\n",
        GROUP "  digest: { realm: example.com }\n  require: { all_of: [address, digest] }\n"
              "  address: { source: [192.0.2.0/24], address_set: [carrier, vpn] }\n",
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct arena a;
        struct authd_conf c;
        if (parse(rows[i], &a, &c))
            fail_msg("row %zu", i);
        assert_int_equal(c.sets.n, i == 3 ? 2 : 0);
        assert_int_equal(c.gateway_sets, i == 3 ? 3 : 0);
        arena_fini(&a);
    }
}

static void test_what_cannot_work_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        { GROUP "  digest: { realm: elsewhere.example }\n", "authd.yaml:8: peer_groups[0].digest" },
        { GROUP, "digest.realm" },
#define CALLS GROUP "  digest: { realm: example.com }\ncalls: "
        { CALLS "{ destinations: [{ name: a, countries: [UK] }] }\n", "\"UK\" has no numbers" },
        { CALLS "{ destinations: [{ name: a, callers: [alice] }] }\n", "\"alice\" is nobody" },
        { CALLS "{ destinations: [{ name: a, during: night }] }\n", "destinations[0].during" },
        { CALLS "{ destinations: [{ name: a, action: webhook }] }\n", "action: webhook" },
        { CALLS "{ destinations: [{ name: a, action: webhook, webhook: w }] }\n",
          "\"w\" is not one of backends" },
        { CALLS "{ lease: 1s }\n", "calls.lease" },
        { GROUP "  require: { all_of: [address] }\n", "match.source" },
        { GROUP "  require: { all_of: [address] }\n  match: { source: [192.0.2.0/24] }\n",
          "address_only_waiver" },
        { GROUP
          "  require: { all_of: [address] }\n  match: { source: [10.0.0.0/8, 2001:db8::/32] }\n",
          "takes a public address for proof" },
        { GROUP "  require: { all_of: [address] }\n  match: { address_set: [carrier] }\n",
          "address_only_waiver" },
        { GROUP "  digest: { realm: example.com }\n  require: { any_of: [address, digest] }\n"
                "  address: { address_set: [carrier] }\n",
          "address_only_waiver" },
        { GROUP "  digest: { realm: example.com }\n  require: { all_of: [address, digest] }\n"
                "  match: { address_set: [carrier] }\n  address_only_waiver: no longer true\n",
          "waives nothing" },
        { GROUP "  require: { all_of: [address] }\n  match: { source: [192.0.2.0/24] }\n"
                "  address_only_waiver: because\n",
          "address_only_waiver" },
        { GROUP "  digest: { realm: example.com }\n  address: { source: [192.0.2.0/24] }\n",
          "require asks for none" },
        { GROUP "  digest: { realm: example.com }\n  require: { all_of: [address, digest] }\n"
                "  address: {}\n",
          "names neither source nor address_set" },
        { GROUP "  digest: { realm: example.com }\n  countries: { allow: [DE] }\n",
          "geo.database" },
        { GROUP "  digest: { realm: example.com }\n  countries: { allow: [Germany] }\n",
          "two capital letters" },
        { GROUP "  digest: { realm: example.com }\n  countries: { unknown: allow }\n",
          "names neither allow nor deny" },
        { GROUP "  digest: { realm: example.com }\n  drift: sometimes\n", "drift" },
        { GROUP "  digest: { realm: example.com }\n  require: { all_of: [digest], any_of: "
                "[digest] }\n",
          "any_of" },
        { GROUP "  digest: { realm: example.com, nonce_lifetime: 5 min }\n", "nonce_lifetime" },
        { GROUP "  digest: { realm: example.com, nonce_lifetime: 20s }\n", "nonce_lifetime" },
        { GROUP "  digest: { realm: example.com, nonce_lifetime: 11m }\n", "nonce_lifetime" },
        { GROUP "  digest: { realm: example.com, algorithms: [MD5, MD5] }\n", "algorithms" },
        { GROUP "  digest: { realm: example.com, algorithms: [SHA-1] }\n", "algorithms" },
        { GROUP "  digest: { realm: example.com, qop: [] }\n", "qop" },
        { GROUP "  digest: { realm: example.com }\n  expires: { min: 5m, max: 1m }\n", "min" },
        { GROUP "  digest: { realm: example.com }\n  methods: ['a//b']\n", "methods" },
        { GROUP "  digest: { realm: example.com }\n  match: { source: [10.0.0.1/8] }\n", "source" },
        { GROUP "  digest: { realm: example.com }\n  basic: true\n", "basic" },
        { HEAD, "peer_groups" },
        { GROUP "  digest: { realm: example.com }\n- name: g\n  digest: { realm: example.com }\n",
          "already" },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct arena a;
        struct authd_conf c;
        if (parse(rows[i].text, &a, &c) != CS_ECONF)
            fail_msg("row %zu is taken", i);
        if (!strstr(reported, rows[i].says) || !strstr(reported, "authd.yaml:"))
            fail_msg("row %zu says: %s", i, reported);
        arena_fini(&a);
    }
}

/* C-12, C-17: one realm for the lines of phones, another for trunks. */
static void test_realms_of_phones_and_trunks_are_the_installations(void **state)
{
    (void)state;
    struct arena a;
    struct authd_conf c;
    assert_int_equal(
        parse("listen: { socket: s, users: ['0'] }\nredis: { socket: r }\n"
              "nonce_key_file: n\nseal_key_file: k\n"
              "realms: [{ name: stations.example }, { name: cluster-7.example }]\n"
              "lines: { realm: stations.example }\ncluster: { id: cluster-7.example }\n"
              "peer_groups:\n- name: trunks\n  match: { source: [10.0.0.0/8] }\n  type: server\n"
              "- name: other\n  match: { source: [11.0.0.0/8] }\n  type: server\n"
              "  digest: { status: '407' }\n"
              "- name: phones\n  auth_id_forms: [user, +e164]\n",
              &a, &c),
        0);
    assert_true(span_eq(c.peer_groups[0].digest.realm, SPAN("cluster-7.example")));
    assert_int_equal(c.peer_groups[0].digest.status, STATUS_401); /* */
    assert_int_equal(c.peer_groups[1].digest.status, STATUS_407); /* */
    assert_true(span_eq(c.peer_groups[2].digest.realm, SPAN("stations.example")));
    assert_int_equal(c.peer_groups[2].digest.status, STATUS_BY_METHOD);
    assert_int_equal(c.realms[0].forms, FORM_USER | FORM_E164);
    assert_int_equal(c.realms[1].forms, FORM_USER);
    arena_fini(&a);
}

/* R-07, G-41 */
static void test_a_realm_of_nobody_is_refused_in_production_alone(void **state)
{
    (void)state;
    static const char *const names[] = { "default", "Asterisk", "192.0.2.1", "'2001:db8::1'" };
    for (size_t i = 0; i < CS_LEN(names); i++) {
        for (int production = 0; production < 2; production++) {
            char text[512];
            struct arena a;
            struct authd_conf c;
            snprintf(text, sizeof(text),
                     "listen: { socket: s, users: ['0'] }\nredis: { socket: r }\n"
                     "nonce_key_file: n\nseal_key_file: k\nprofile: %s\nrealms: [{ name: %s }]\n"
                     "peer_groups: [{ name: g, digest: { realm: %s } }]\n",
                     production ? "production" : "trial", names[i], names[i]);
            const bool colon = strchr(names[i], ':') != NULL; /* which no realm may hold */
            assert_int_equal(parse(text, &a, &c), production || colon ? CS_ECONF : 0);
            if (production && !colon &&
                (!strstr(reported, "authd.yaml:6: realms[0].name: ") ||
                 !strstr(reported, "profile: production")))
                fail_msg("%s", reported);
            arena_fini(&a);
        }
    }
}

/* G-38: three classes, one line each. G-15: sites add to a class what is theirs. */
static void test_a_class_sets_what_is_not_written(void **state)
{
    (void)state;
    struct arena a;
    struct authd_conf c;
    assert_int_equal(parse(HEAD "lines: { realm: example.com }\n"
                                "token_issuers: [{ name: idp, issuer: 'https://idp.example', "
                                "audiences: [sip] }]\n"
                                "peer_groups:\n- { name: b, class: browser }\n"
                                "- { name: d, class: desk-phone }\n"
                                "- { name: t, class: trunk, match: { source: [192.0.2.0/24] } }\n"
                                "- name: more\n  class: desk-phone\n  srtp: true\n"
                                "  match: { transport: [tls] }\n"
                                "  require: { all_of: [digest, certificate] }\n",
                           &a, &c),
                     0);
    const struct group_conf *b = &c.peer_groups[0], *d = b + 1, *t = b + 2, *more = b + 3;
    assert_int_equal(b->match.transports, 1 << 4);
    assert_int_equal(b->require.all_of, PROOF_TOKEN);
    assert_true(b->srtp && span_eq(b->token.realm, SPAN("example.com")));
    assert_int_equal(d->match.transports, 1 << 2);
    assert_int_equal(d->require.all_of, PROOF_DIGEST);
    assert_true(d->srtp);
    assert_int_equal(t->match.transports, 1 << 2);
    assert_int_equal(t->require.all_of, PROOF_CERTIFICATE | PROOF_ADDRESS);
    assert_int_equal(t->type, TYPE_SERVER);
    assert_int_equal(more->require.all_of, PROOF_DIGEST | PROOF_CERTIFICATE);
    arena_fini(&a);
}

/* G-09, G-15 */
static void test_what_weakens_a_class_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *key, *remedy;
    } rows[] = {
        { "class: browser\n  match: { transport: [wss, ws] }\n", "match.transport", "wss alone" },
        { "class: desk-phone\n  match: { transport: [udp, tls] }\n", "match.transport", "tls" },
        { "class: desk-phone\n  match: { transport: [] }\n", "match.transport", "tls alone" },
        { "class: desk-phone\n  require: { any_of: [digest, token] }\n", "require",
          "all_of: [digest]" },
        { "class: browser\n  require: { all_of: [digest] }\n", "require", "all_of: [token]" },
        { "class: trunk\n  match: { source: [192.0.2.0/24] }\n  require: { all_of: [address] }\n",
          "require", "all_of: [certificate, address]" },
        { "class: trunk\n", "match.source", "" },
        { "class: desk-phone\n  srtp: false\n", "srtp", "encrypted" },
        { "class: desk-phone\n  unlisted: pass\n", "unlisted", "without class" },
        { "class: desk-phone\n  match: { source: [192.0.2.0/24] }\n  mode: pass-through\n", "mode",
          "without class" },
        { "class: phone\n", "class", "desk-phone" },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        char text[1024];
        struct arena a;
        struct authd_conf c;
        snprintf(text, sizeof(text), GROUP "  digest: { realm: example.com }\n  %s", rows[i].text);
        if (parse(text, &a, &c) != CS_ECONF)
            fail_msg("row %zu is taken", i);
        if (!strstr(reported, rows[i].key) || !strstr(reported, rows[i].remedy))
            fail_msg("row %zu says: %s", i, reported);
        arena_fini(&a);
    }
}

static void test_what_groups_and_realms_cannot_be_is_refused(void **state)
{
    (void)state;
#define REALMS(text)                                                                 \
    "listen: { socket: s, users: ['0'] }\nredis: { socket: r }\nnonce_key_file: n\n" \
    "seal_key_file: k\nrealms: [" text "]\n"                                         \
    "peer_groups: [{ name: g, digest: { realm: a.example } }]\n"
    static const struct {
        const char *text, *says;
    } rows[] = {
        { REALMS("{ name: '' }"), "realms[0].name" },
        { REALMS("{ name: a.example, formerly: { name: b.example, until: soon } }"), "2026-12-24" },
        { REALMS("{ name: a.example, formerly: { name: b.example } }"), "formerly.until" },
        { REALMS("{ name: a.example, formerly: { name: a.example, until: 2026-12-24 } }"),
          "formerly.name" },
        { REALMS("{ name: a.example, formerly: { name: c.example, until: 2026-12-24 } }, "
                 "{ name: b.example, formerly: { name: c.example, until: 2026-12-24 } }"),
          "realms[1].formerly.name" },
        { REALMS("{ name: a.example }") "lines: { realm: b.example }\n", "lines.realm" },
        { REALMS("{ name: a.example }") "cluster: { id: b.example }\n", "cluster.id" },
        { REALMS("{ name: a.example }") "lines: { realm: a.example }\n"
                                        "cluster: { id: a.example }\n",
          "different realms" },
        { GROUP "  type: server\n", "cluster.id" },
        { GROUP "  digest: { realm: example.com }\n  mode: pass-through\n", "match.source" },
        { GROUP "  digest: { realm: example.com }\n  auth_id_forms: []\n", "auth_id_forms" },
        { GROUP "  digest: { realm: example.com }\n  backend: nowhere\n", "nowhere" },
        { GROUP "  digest: { realm: example.com }\n"
                "backends: [{ name: b, url: 'http://there.example/' }]\n",
          "plain http" },
        { GROUP "  digest: { realm: example.com }\n"
                "backends: [{ name: b, url: 'https://there.example/' }]\n",
          "secret_file" },
        { GROUP "  digest: { realm: example.com }\n"
                "backends: [{ name: b, url: 'https://there.example/', key_file: k }]\n",
          "certificate_file" },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct arena a;
        struct authd_conf c;
        if (parse(rows[i].text, &a, &c) != CS_ECONF)
            fail_msg("row %zu is taken", i);
        if (!strstr(reported, rows[i].says))
            fail_msg("row %zu says: %s", i, reported);
        arena_fini(&a);
    }
}

#define ISSUER                 "{ name: idp, issuer: 'https://idp.example', audiences: [sip] }"
#define TOKENS(issuers, group) HEAD "token_issuers: [" issuers "]\npeer_groups:\n- name: g\n" group

static void test_token_issuers_are_those_the_group_names(void **state)
{
    (void)state;
    struct arena a;
    struct authd_conf c;
    assert_int_equal(
        parse(TOKENS(ISSUER ", { name: b, issuer: 'https://b.example', audiences: [x] }",
                     "  require: { any_of: [token, digest] }\n"
                     "  digest: { realm: example.com }\n"
                     "- name: h\n"
                     "  require: { all_of: [token] }\n"
                     "  token: { realm: example.com, issuers: [b] }\n"),
              &a, &c),
        0);
    const struct token_conf *t = &c.peer_groups[0].token;
    assert_int_equal(t->n_issuers, 2);
    assert_true(span_eq(t->realm, SPAN("example.com")));
    assert_true(span_eq(t->authz_server, SPAN("https://idp.example")));
    assert_int_equal(c.peer_groups[1].token.n_issuers, 1);
    assert_ptr_equal(c.peer_groups[1].token.issuers[0], &c.token_issuers[1]);
    assert_true(span_eq(c.peer_groups[1].token.authz_server, SPAN("https://b.example")));
    const struct issuer_conf *i = &c.token_issuers[0];
    assert_int_equal(i->algorithms, JWT_ALG_ALL);
    assert_int_equal(i->lifetime.min.ms, 300000);
    assert_int_equal(i->lifetime.max.ms, 3600000);
    assert_int_equal(i->leeway.ms, 30000);
    assert_int_equal(i->keys.refetch.ms, 30000);
    assert_true(span_eq(i->scopes[SCOPE_REGISTER], SPAN("register")));
    assert_true(span_eq(i->scopes[SCOPE_CALL], SPAN("call")));
    assert_true(span_eq(i->scopes[SCOPE_PRESENCE], SPAN("presence")));
    assert_int_equal(i->users, USERS_REQUIRED);
    assert_true(issuer_discovers(i) && issuer_has_keys(i));
    arena_fini(&a);
}

/* Who is disabled under the former name stays so, whatever shows who he is. */
static void test_the_former_name_counts_for_whatever_is_of_users(void **state)
{
    (void)state;
    struct arena a;
    struct authd_conf c;
    assert_int_equal(parse("listen: { socket: s, users: ['0'] }\n"
                           "redis: { socket: r }\n"
                           "nonce_key_file: n\n"
                           "seal_key_file: k\n"
                           "realms: [{ name: a.example, formerly: { name: b.example, until: "
                           "2099-01-01 } }]\n"
                           "token_issuers: [" ISSUER "]\n"
                           "turn: { token: { realm: a.example }, secret_file: s, uris: [turn:t] }\n"
                           "exchange: { token: { realm: a.example } }\n"
                           "peer_groups:\n"
                           "- { name: digest, digest: { realm: a.example } }\n"
                           "- { name: tickets, tickets: true, require: { all_of: [certificate] }, "
                           "token: { realm: a.example } }\n"
                           "- { name: token, require: { all_of: [token] }, "
                           "token: { realm: a.example } }\n",
                           &a, &c),
                     0);
    const struct former_conf *former = c.realms[0].formerly;
    for (size_t i = 0; i < c.n_peer_groups; i++)
        assert_ptr_equal(c.peer_groups[i].token.former, former);
    assert_ptr_equal(c.turn->token.former, former);
    assert_ptr_equal(c.exchange->token.former, former);
    assert_true(span_eq(config_other_name(&c, SPAN("a.example")), SPAN("b.example")));
    assert_true(span_eq(config_other_name(&c, SPAN("b.example")), SPAN("a.example")));
    assert_null(config_other_name(&c, SPAN("c.example")).p);
    arena_fini(&a);
}

static void test_token_issuers_that_cannot_work_are_refused(void **state)
{
    (void)state;
#define NEEDS "  require: { all_of: [token] }\n"
#define WITH(more)                                                                     \
    TOKENS("{ name: idp, issuer: 'https://idp.example', audiences: [sip], " more " }", \
           NEEDS "  token: { realm: example.com }\n")
    static const struct {
        const char *text, *says;
    } rows[] = {
        { TOKENS("", NEEDS "  token: { realm: example.com }\n"), "there are no token_issuers" },
        { TOKENS(ISSUER, NEEDS), "token.realm" },
        { TOKENS(ISSUER, NEEDS "  token: { realm: else.example }\n"), "is not one of realms" },
        { TOKENS(ISSUER, NEEDS "  token: { realm: example.com, issuers: [x] }\n"),
          "is not one of token_issuers" },
        { TOKENS(ISSUER, NEEDS "  token: { realm: example.com, authz_server: idp }\n"),
          "authz_server" },
        { TOKENS(ISSUER, "  require: { all_of: [token, digest] }\n"
                         "  digest: { realm: example.com }\n"),
          "write any_of" },
        { TOKENS(ISSUER "," ISSUER, NEEDS "  token: { realm: example.com }\n"), "already" },
        { TOKENS(ISSUER ", { name: b, issuer: 'https://idp.example', audiences: [x] }",
                 NEEDS "  token: { realm: example.com }\n"),
          "says the same iss as idp" },
        { TOKENS("{ name: idp, issuer: 'https://i.example' }",
                 NEEDS "  token: { realm: example.com }\n"),
          "audiences" },
        { TOKENS("{ name: idp, issuer: 'http://i.example', audiences: [sip] }",
                 NEEDS "  token: { realm: example.com }\n"),
          "plain http" },
        { TOKENS("{ name: idp, issuer: joe, audiences: [sip], keys: { files: [k] } }",
                 NEEDS "  token: { realm: example.com }\n"),
          "authz_server" },
        { WITH("keys: { url: 'https://x.example', files: [k] }"), "write one of them" },
        { WITH("keys: { url: 'ftp://x.example' }"), "keys.url" },
        { WITH("algorithms: [HS256]"), "algorithms" },
        { WITH("algorithms: [none]"), "algorithms" },
        { WITH("algorithms: []"), "algorithms" },
        { WITH("scopes: { call: 'a b' }"), "scopes.call" },
        { WITH("scopes: { register: 'a\"b' }"), "scopes.register" },
        { WITH("lifetime: { min: 2h }"), "is longer than max" },
        { WITH("introspection: { mode: instead }"), "client_id" },
        { WITH("introspection: { mode: also, client_id: a }"), "client_secret_file" },
        { WITH("leeway: 6m"), "leeway" },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct arena a;
        struct authd_conf c;
        if (parse(rows[i].text, &a, &c) != CS_ECONF)
            fail_msg("row %zu is taken", i);
        if (!strstr(reported, rows[i].says) || !strstr(reported, "authd.yaml:"))
            fail_msg("row %zu says: %s", i, reported);
        arena_fini(&a);
    }
}

static void test_sections_beside_groups_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *listen, *redis, *realms, *says;
    } rows[] = {
        { "{ socket: s, users: [no-such-user-here] }", "{ socket: r }", "[{ name: example.com }]",
          "no-such-user-here" },
        { "{ socket: s, users: ['0'], mode: '0888' }", "{ socket: r }", "[{ name: example.com }]",
          "octal" },
        { "{ socket: s, users: ['0', '7'], signers: ['8'] }", "{ socket: r }",
          "[{ name: example.com }]", "8 is none of users" },
        { "{ socket: s, users: [] }", "{ socket: r }", "[{ name: example.com }]", "users" },
        { "{ socket: s, users: ['0'] }", "{ }", "[{ name: example.com }]",
          "socket, address, sentinel or cluster" },
        { "{ socket: s, users: ['0'] }", "{ socket: r, address: '127.0.0.1:1' }",
          "[{ name: example.com }]", "socket, address, sentinel or cluster" },
        { "{ socket: s, users: ['0'] }", "{ socket: r, user: u }", "[{ name: example.com }]",
          "password_file" },
        { "{ socket: s, users: ['0'] }", "{ socket: r }",
          "[{ name: example.com }, { name: 'a\"b' }]", "quotes" },
        { "{ socket: s, users: ['0'] }", "{ socket: r }",
          "[{ name: example.com }, { name: example.com }]", "already" },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        char text[1024];
        struct arena a;
        struct authd_conf c;
        snprintf(text, sizeof(text),
                 "listen: %s\nredis: %s\nrealms: %s\nnonce_key_file: n\nseal_key_file: k\n"
                 "peer_groups: [{ name: g, digest: { realm: example.com } }]\n",
                 rows[i].listen, rows[i].redis, rows[i].realms);
        assert_int_equal(parse(text, &a, &c), CS_ECONF);
        if (!strstr(reported, rows[i].says))
            fail_msg("row %zu says: %s", i, reported);
        arena_fini(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_the_documented_ones),
        cmocka_unit_test(test_sample_of_a_branch_is_read),
        cmocka_unit_test(test_an_address_alone_needs_a_waiver_where_it_is_public),
        cmocka_unit_test(test_what_cannot_work_is_refused_with_its_line),
        cmocka_unit_test(test_realms_of_phones_and_trunks_are_the_installations),
        cmocka_unit_test(test_a_realm_of_nobody_is_refused_in_production_alone),
        cmocka_unit_test(test_a_class_sets_what_is_not_written),
        cmocka_unit_test(test_what_weakens_a_class_is_refused),
        cmocka_unit_test(test_what_groups_and_realms_cannot_be_is_refused),
        cmocka_unit_test(test_token_issuers_are_those_the_group_names),
        cmocka_unit_test(test_the_former_name_counts_for_whatever_is_of_users),
        cmocka_unit_test(test_token_issuers_that_cannot_work_are_refused),
        cmocka_unit_test(test_sections_beside_groups_are_checked),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
