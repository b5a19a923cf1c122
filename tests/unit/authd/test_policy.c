#include "authd/check/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "authd/check/client.h"
#include "authd/check/group.h"
#include "authd/defence/penalty.h"
#include "base/util.h"

#define T(name) COUNTERSIGN__AUTH__TRANSPORT__##name

static struct cidr net_of(const char *text)
{
    struct cidr c;
    assert_int_equal(cidr_parse(span_str(text), &c), 0);
    return c;
}

static void test_first_group_that_matches_every_fact_decides(void **state)
{
    (void)state;
    struct span edge[] = { SPAN("edge"), SPAN("edge2") }, tenant[] = { SPAN("Tenant.example") };
    struct cidr branch[] = { net_of("10.20.0.0/16"), net_of("2001:db8::/32") };
    const struct group_conf groups[] = {
        { .name = SPAN("edge"), .match = { .listeners = edge, .n_listeners = 2 } },
        { .name = SPAN("branch"),
          .match = { .sources = branch, .n_sources = 2, .transports = 1 << 2 | 1 << 4 } },
        { .name = SPAN("tenant"), .match = { .domains = tenant, .n_domains = 1 } },
        { .name = SPAN("udp"), .match = { .transports = 1 << 0 } },
    };
    static const struct {
        const char *listener, *source, *domain;
        Countersign__Auth__Transport transport;
        const char *group;
    } rows[] = {
        { "edge", "10.20.1.1", "tenant.example", T(TLS), "edge" },
        { "edge2", NULL, NULL, T(UDP), "edge" },
        { "Edge", "10.20.1.1", NULL, T(TLS), "branch" },
        { "main", "10.20.1.1", NULL, T(WSS), "branch" },
        { "main", "2001:db8::7", NULL, T(TLS), "branch" },
        { "main", "::ffff:10.20.1.1", NULL, T(TLS), "branch" }, /* is the IPv4 address */
        { "main", "10.21.1.1", NULL, T(TLS), NULL },
        { "main", "10.20.1.1", "tenant.example", T(TCP), "tenant" },
        { "main", "10.20.1.1", "TENANT.EXAMPLE", T(TCP), "tenant" },
        { "main", "10.20.1.1", "tenant.example.org", T(TCP), NULL },
        { NULL, NULL, NULL, T(UDP), "udp" },
        { NULL, NULL, NULL, T(TRANSPORT_UNKNOWN), NULL },
        { NULL, NULL, NULL, T(TLS), NULL }, /* what was not said matches no list */
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct facts f = { .transport = rows[i].transport,
                           .listener = span_str(rows[i].listener),
                           .domain = span_str(rows[i].domain) };
        if (rows[i].source)
            assert_int_equal(addr_parse_host(span_str(rows[i].source), 5060, &f.source), 0);
        if (f.source.sa.sa_family == AF_INET6)
            addr_from_sockaddr(&f.source.sa, &f.source);
        const struct group_conf *g = group_of(groups, CS_LEN(groups), &f);
        if (!span_eq(g ? g->name : SPAN_NULL, span_str(rows[i].group)))
            fail_msg("row %zu", i);
    }
}

static void test_what_must_be_proven_follows_from_group_and_method(void **state)
{
    (void)state;
    enum { DIGEST, ADDRESS, BOTH, EITHER, LISTED_PASS, LISTED_CHALLENGE };
    static struct method_rule rules[] = { { SPAN_INIT("REGISTER"), false },
                                          { SPAN_INIT("INVITE"), true } };
    static const struct group_conf groups[] = {
        [DIGEST] = { .require = { .all_of = PROOF_DIGEST } },
        [ADDRESS] = { .require = { .all_of = PROOF_ADDRESS } },
        [BOTH] = { .require = { .all_of = PROOF_ADDRESS | PROOF_DIGEST } },
        [EITHER] = { .require = { .any_of = PROOF_ADDRESS | PROOF_DIGEST } },
        [LISTED_PASS] = { .require = { .any_of = PROOF_DIGEST },
                          .rules = rules,
                          .n_rules = 2,
                          .unlisted = UNLISTED_PASS },
        [LISTED_CHALLENGE] = { .require = { .all_of = PROOF_DIGEST },
                               .rules = rules,
                               .n_rules = 2 },
    };
    static const struct {
        int group;
        const char *method;
        bool in_dialog;
        struct shown shown;
        enum demand demand;
        Countersign__Auth__Cause cause;
    } rows[] = {
        { DIGEST, "REGISTER", false, { 0 }, DEMAND_DIGEST, 0 },
        { DIGEST, "INVITE", true, { 0 }, DEMAND_DIGEST, 0 },
        { DIGEST, "BYE", true, { 0 }, DEMAND_DIGEST, 0 },
        { DIGEST, "OPTIONS", false, { 0 }, DEMAND_DIGEST, 0 },
        { DIGEST, "X-NEW", false, { 0 }, DEMAND_DIGEST, 0 },
        { DIGEST, "ACK", true, { 0 }, DEMAND_NOTHING, CAUSE(OK) },
        { DIGEST, "CANCEL", false, { 0 }, DEMAND_NOTHING, CAUSE(OK) },
        { DIGEST, "ack", false, { 0 }, DEMAND_DIGEST, 0 }, /* methods have a case */
        { DIGEST, NULL, false, { 0 }, DEMAND_DIGEST, 0 },
        { DIGEST, "INVITE", false, { true, true }, DEMAND_REFUSE, CAUSE(TOKEN_ON_CLEAR_TRANSPORT) },
        { ADDRESS, "INVITE", false, { 0 }, DEMAND_NOTHING, CAUSE(ADDRESS_ACCEPTED) },
        { ADDRESS, "INVITE", false, { true, false }, DEMAND_NOTHING, CAUSE(ADDRESS_ACCEPTED) },
        { ADDRESS, "REGISTER", false, { 0 }, DEMAND_REFUSE, CAUSE(METHOD_NOT_ALLOWED) },
        { ADDRESS,
          "INVITE",
          false,
          { false, true },
          DEMAND_REFUSE,
          CAUSE(TOKEN_ON_CLEAR_TRANSPORT) },
        { BOTH, "INVITE", false, { 0 }, DEMAND_DIGEST, 0 },
        { BOTH, "REGISTER", false, { 0 }, DEMAND_DIGEST, 0 },
        { EITHER, "INVITE", false, { 0 }, DEMAND_NOTHING, CAUSE(ADDRESS_ACCEPTED) },
        { EITHER, "INVITE", false, { true, false }, DEMAND_DIGEST, 0 },
        { EITHER, "REGISTER", false, { 0 }, DEMAND_DIGEST, 0 },
        { LISTED_PASS, "REGISTER", false, { 0 }, DEMAND_DIGEST, 0 },
        { LISTED_PASS, "INVITE", false, { 0 }, DEMAND_DIGEST, 0 },
        { LISTED_PASS, "INVITE", true, { 0 }, DEMAND_NOTHING, CAUSE(UNLISTED_METHOD) },
        { LISTED_PASS, "MESSAGE", false, { 0 }, DEMAND_NOTHING, CAUSE(UNLISTED_METHOD) },
        { LISTED_CHALLENGE, "INVITE", true, { 0 }, DEMAND_DIGEST, 0 },
        { LISTED_CHALLENGE, "MESSAGE", false, { 0 }, DEMAND_DIGEST, 0 },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct facts f = { .transport = T(WS),
                           .method = span_str(rows[i].method),
                           .in_dialog = rows[i].in_dialog };
        f.is_register = span_eq(f.method, SPAN("REGISTER"));
        struct policy p = policy_of(&groups[rows[i].group], &f, rows[i].shown);
        if (p.demand != rows[i].demand || p.cause != rows[i].cause)
            fail_msg("row %zu", i);
    }
    struct group_conf only_register = { .require = { .any_of = PROOF_DIGEST },
                                        .rules = &rules[1],
                                        .n_rules = 1,
                                        .unlisted = UNLISTED_PASS };
    struct facts f = { .method = SPAN("REGISTER"), .is_register = true, .transport = T(TLS) };
    assert_int_equal(policy_of(&only_register, &f, (struct shown){ 0 }).demand, DEMAND_DIGEST);
    assert_int_equal(policy_of(&only_register, &f, (struct shown){ true, true }).cause,
                     CAUSE(TOKEN_INVALID));
}

/* G-35: where a token is shown it decides, or nothing does. */
static void test_a_token_is_asked_for_and_taken_only_where_nobody_can_read_it(void **state)
{
    (void)state;
    enum { NONE = 0, DIGEST = PROOF_DIGEST, TOKEN = PROOF_TOKEN, ADDRESS = PROOF_ADDRESS };
    static const struct {
        unsigned all, any;
        const char *method;
        struct shown shown;
        enum demand secure, clear; /* over TLS, over TCP */
    } rows[] = {
        { TOKEN, NONE, "REGISTER", { 0 }, DEMAND_TOKEN, DEMAND_REFUSE },
        { TOKEN, NONE, "REGISTER", { .digest = true }, DEMAND_TOKEN, DEMAND_REFUSE },
        { TOKEN, NONE, "REGISTER", { .bearer = true }, DEMAND_TOKEN, DEMAND_REFUSE },
        { TOKEN, NONE, "ACK", { .bearer = true }, DEMAND_NOTHING, DEMAND_NOTHING },
        { NONE, TOKEN, "INVITE", { 0 }, DEMAND_TOKEN, DEMAND_REFUSE },
        { NONE, TOKEN | DIGEST, "REGISTER", { 0 }, DEMAND_DIGEST, DEMAND_DIGEST },
        { NONE, TOKEN | DIGEST, "REGISTER", { true, true }, DEMAND_TOKEN, DEMAND_REFUSE },
        { NONE, TOKEN | ADDRESS, "REGISTER", { 0 }, DEMAND_TOKEN, DEMAND_REFUSE },
        { NONE, TOKEN | ADDRESS, "INVITE", { 0 }, DEMAND_NOTHING, DEMAND_NOTHING },
        { NONE, TOKEN | ADDRESS, "INVITE", { .bearer = true }, DEMAND_TOKEN, DEMAND_REFUSE },
        { NONE, TOKEN | ADDRESS | DIGEST, "REGISTER", { 0 }, DEMAND_DIGEST, DEMAND_DIGEST },
        { TOKEN | ADDRESS, NONE, "INVITE", { 0 }, DEMAND_TOKEN, DEMAND_REFUSE },
        { DIGEST, NONE, "REGISTER", { .bearer = true }, DEMAND_REFUSE, DEMAND_REFUSE },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        const struct group_conf g = { .require = { rows[i].all, rows[i].any } };
        struct facts f = { .method = span_str(rows[i].method) };
        f.is_register = span_eq(f.method, SPAN("REGISTER"));
        for (int t = T(UDP); t <= T(WSS); t++) {
            f.transport = (Countersign__Auth__Transport)t;
            bool secure = t == T(TLS) || t == T(WSS);
            struct policy p = policy_of(&g, &f, rows[i].shown);
            if (p.demand != (secure ? rows[i].secure : rows[i].clear))
                fail_msg("row %zu, transport %d: %d", i, t, p.demand);
        }
    }
}

/* G-36: a certificate that is asked for is looked at first; one that is no good is never passed
 * over. */
static void test_a_certificate_is_demanded_alone_or_beside(void **state)
{
    (void)state;
    enum {
        NONE = 0,
        DIGEST = PROOF_DIGEST,
        TOKEN = PROOF_TOKEN,
        ADDRESS = PROOF_ADDRESS,
        CERT = PROOF_CERTIFICATE
    };
    enum { GOOD = CAUSE(OK), MISSING = CAUSE(CERTIFICATE_MISSING), NOBODY = CAUSE(SAN_UNMATCHED) };
    enum { BAD = CAUSE(CERTIFICATE_REVOKED), AWAY = CAUSE(STORE_UNAVAILABLE) };
    static const struct {
        unsigned all, any;
        const char *method;
        bool digest, bearer;
        int certificate;
        enum demand demand;
        int cause;
    } rows[] = {
        { CERT, NONE, "REGISTER", false, false, GOOD, DEMAND_CERTIFICATE, 0 },
        { CERT, NONE, "REGISTER", true, false, GOOD, DEMAND_CERTIFICATE, 0 },
        { CERT, NONE, "INVITE", false, false, MISSING, DEMAND_REFUSE, MISSING },
        { CERT, NONE, "INVITE", false, false, NOBODY, DEMAND_REFUSE, NOBODY },
        { CERT, NONE, "INVITE", false, false, BAD, DEMAND_REFUSE, BAD },
        { CERT, NONE, "INVITE", false, false, AWAY, DEMAND_REFUSE, AWAY },
        { CERT, NONE, "ACK", false, false, MISSING, DEMAND_NOTHING, CAUSE(OK) },
        { CERT, NONE, "INVITE", false, true, GOOD, DEMAND_REFUSE, CAUSE(TOKEN_INVALID) },
        { CERT | DIGEST, NONE, "REGISTER", false, false, GOOD, DEMAND_DIGEST, 0 },
        { CERT | DIGEST, NONE, "REGISTER", true, false, MISSING, DEMAND_REFUSE, MISSING },
        { CERT | DIGEST, NONE, "REGISTER", true, false, NOBODY, DEMAND_REFUSE, NOBODY },
        { CERT | TOKEN, NONE, "REGISTER", false, false, GOOD, DEMAND_TOKEN, 0 },
        { CERT | TOKEN, NONE, "REGISTER", false, true, MISSING, DEMAND_REFUSE, MISSING },
        { CERT | ADDRESS, NONE, "INVITE", false, false, GOOD, DEMAND_CERTIFICATE, 0 },
        { CERT | ADDRESS, NONE, "INVITE", false, false, MISSING, DEMAND_REFUSE, MISSING },
        { NONE, CERT, "REGISTER", false, false, GOOD, DEMAND_CERTIFICATE, 0 },
        { NONE, CERT, "REGISTER", false, false, NOBODY, DEMAND_REFUSE, NOBODY },
        { NONE, CERT | DIGEST, "REGISTER", false, false, GOOD, DEMAND_CERTIFICATE, 0 },
        { NONE, CERT | DIGEST, "REGISTER", true, false, GOOD, DEMAND_DIGEST, 0 },
        { NONE, CERT | DIGEST, "REGISTER", false, false, MISSING, DEMAND_DIGEST, 0 },
        { NONE, CERT | DIGEST, "REGISTER", false, false, NOBODY, DEMAND_DIGEST, 0 },
        { NONE, CERT | DIGEST, "REGISTER", true, false, BAD, DEMAND_REFUSE, BAD },
        { NONE, CERT | DIGEST | TOKEN, "REGISTER", false, false, MISSING, DEMAND_DIGEST, 0 },
        { NONE, CERT | TOKEN, "REGISTER", false, true, GOOD, DEMAND_TOKEN, 0 },
        { NONE, CERT | TOKEN, "REGISTER", false, false, MISSING, DEMAND_TOKEN, 0 },
        { NONE, CERT | ADDRESS, "INVITE", false, false, GOOD, DEMAND_CERTIFICATE, 0 },
        { NONE, CERT | ADDRESS, "INVITE", false, false, MISSING, DEMAND_NOTHING,
          CAUSE(ADDRESS_ACCEPTED) },
        { NONE, CERT | ADDRESS, "REGISTER", false, false, MISSING, DEMAND_REFUSE,
          CAUSE(METHOD_NOT_ALLOWED) },
        { NONE, CERT | ADDRESS, "INVITE", false, false, BAD, DEMAND_REFUSE, BAD },
        /* Where none is asked for nobody looked. */
        { DIGEST, NONE, "REGISTER", false, false, CAUSE(CAUSE_NONE), DEMAND_DIGEST, 0 },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        const struct group_conf g = { .require = { rows[i].all, rows[i].any } };
        struct facts f = { .method = span_str(rows[i].method), .transport = T(TLS) };
        const struct shown shown = { rows[i].digest, rows[i].bearer,
                                     (Countersign__Auth__Cause)rows[i].certificate };
        f.is_register = span_eq(f.method, SPAN("REGISTER"));
        struct policy p = policy_of(&g, &f, shown);
        if (p.demand != rows[i].demand || (int)p.cause != rows[i].cause)
            fail_msg("row %zu: %d %d", i, p.demand, p.cause);
    }
}

static void test_what_is_granted_ends_with_what_it_rests_on(void **state)
{
    (void)state;
    Countersign__Auth__Grant g = COUNTERSIGN__AUTH__GRANT__INIT;
    g.expires_min_s = 60;
    g.expires_default_s = 1800;
    g.expires_max_s = 3600;
    assert_int_equal(policy_end(&g, (struct wall){ 100000000 }, (struct wall){ 0 }), 100000);
    assert_int_equal(g.expires_max_s, 3600);
    assert_int_equal(policy_end(&g, (struct wall){ 900999 }, (struct wall){ 0 }), 900);
    assert_int_equal(g.expires_max_s, 900);
    assert_int_equal(g.expires_default_s, 900);
    assert_int_equal(g.expires_min_s, 60);
    assert_int_equal(policy_end(&g, (struct wall){ 0 }, (struct wall){ 1 }), 0);
    assert_int_equal(g.expires_max_s, 0);
}

static void test_a_ticket_is_judged_where_the_group_takes_it_and_nobody_can_read_it(void **state)
{
    static const struct shown ticket = { .digest = true, .ticket = true },
                              and_token = { .bearer = true, .ticket = true };
    const struct group_conf takes = { .require = { .any_of = PROOF_DIGEST | PROOF_TOKEN },
                                      .tickets = true },
                            not_ = { .require = { .any_of = PROOF_DIGEST | PROOF_TOKEN } };
    struct facts f = { .method = SPAN("REGISTER"), .is_register = true };
    (void)state;
    for (int t = T(UDP); t <= T(WSS); t++) {
        f.transport = (Countersign__Auth__Transport)t;
        const bool secure = t == T(TLS) || t == T(WSS);
        struct policy p = policy_of(&takes, &f, ticket);
        assert_int_equal(p.demand, secure ? DEMAND_TICKET : DEMAND_REFUSE);
        p = policy_of(&takes, &f, and_token); /* the request's own comes first */
        assert_int_equal(p.demand, secure ? DEMAND_TOKEN : DEMAND_REFUSE);
        p = policy_of(&not_, &f, ticket);
        assert_int_equal(p.demand, DEMAND_REFUSE);
        assert_int_equal(p.cause,
                         secure ? CAUSE(TICKET_NOT_TAKEN) : CAUSE(TOKEN_ON_CLEAR_TRANSPORT));
    }
    f = (struct facts){ .method = SPAN("ACK"), .transport = T(WSS) };
    assert_int_equal(policy_of(&not_, &f, ticket).demand, DEMAND_NOTHING);
}

static void test_user_may_be_only_what_is_listed(void **state)
{
    (void)state;
    const struct span aors[] = { SPAN("sip:1001@a.example"), SPAN("sip:sales@a.example") };
    const struct user u = { .aors = aors, .n_aors = 2 };
    const struct user none = { 0 };
    struct facts f = { .is_register = true,
                       .to_aor = SPAN("sip:sales@a.example"),
                       .from_aor = SPAN("sip:boss@a.example") };
    assert_int_equal(policy_identity(&u, &f), CAUSE(OK));
    assert_int_equal(policy_identity(&none, &f), CAUSE(AOR_NOT_ALLOWED));
    f.is_register = false;
    assert_int_equal(policy_identity(&u, &f), CAUSE(FROM_NOT_ALLOWED));
    f.from_aor = SPAN("sip:1001@a.example");
    assert_int_equal(policy_identity(&u, &f), CAUSE(OK));
    f.from_aor = SPAN_NULL;
    assert_int_equal(policy_identity(&u, &f), CAUSE(FROM_NOT_ALLOWED));
    f.from_aor = SPAN("sip:1001@a.exampl");
    assert_int_equal(policy_identity(&u, &f), CAUSE(FROM_NOT_ALLOWED));
}

static void test_globs(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool matches;
    } rows[] = {
        { "", "", true },
        { "*", "", true },
        { "*", "anything", true },
        { "abc", "ABC", true },
        { "abc", "abcd", false },
        { "a?c", "aXc", true },
        { "a?c", "ac", false },
        { "*b*", "aabcc", true },
        { "*b", "bab", true },
        { "a*b*c", "a1b2c", true },
        { "a*b*c", "a1c2b", false },
        { "**x", "x", true },
        { "a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        if (glob_matches(span_str(rows[i].pattern), span_str(rows[i].text)) != rows[i].matches)
            fail_msg("row %zu", i);
    }
    const struct span list[] = { SPAN("x*"), SPAN("*") };
    assert_true(span_eq(client_pattern(list, 2, SPAN("Xlite")), list[0]));
    assert_true(span_eq(client_pattern(list, 2, SPAN("other")), list[1]));
    assert_null(client_pattern(list, 2, SPAN_NULL).p);
    assert_null(client_pattern(list, 1, SPAN("other")).p);
}

static struct suspect suspect_at(const struct addr *a, const char *call, const char *user)
{
    return (struct suspect){ a, span_str(call), span_str(user), SPAN("r") };
}

static void test_failures_are_counted_by_call_and_by_user_of_a_source(void **state)
{
    (void)state;
    struct penalty *p;
    struct addr a, b;
    const struct duration window = DURATION_S(60);
    const struct mono t = { 1000000000 };
    assert_int_equal(addr_parse(SPAN("192.0.2.1:5060"), 0, &a), 0);
    assert_int_equal(addr_parse(SPAN("[2001:db8::1]:5060"), 0, &b), 0);
    assert_int_equal(penalty_new(8, &p), 0);

    struct suspect s = suspect_at(&a, "c1", "alice");
    assert_int_equal(penalty_fail(p, &s, t, window), 1);
    s = suspect_at(&a, "c2", "alice"); /* another call, the same user */
    assert_int_equal(penalty_fail(p, &s, t, window), 2);
    s = suspect_at(&a, "c1", "bob"); /* another user, the same call */
    assert_int_equal(penalty_fail(p, &s, t, window), 2);
    s = suspect_at(&b, "c1", "alice"); /* another source */
    assert_int_equal(penalty_fail(p, &s, t, window), 1);
    s = suspect_at(&a, "alice", "c1"); /* names in each other's place */
    assert_int_equal(penalty_fail(p, &s, t, window), 1);

    s = suspect_at(&a, "c2", "alice");
    penalty_clear(p, &s);
    assert_int_equal(penalty_fail(p, &s, t, window), 1);
    assert_int_equal(penalty_fail(p, &s, mono_add(t, DURATION_S(60)), window), 2);
    assert_int_equal(penalty_fail(p, &s, mono_add(t, DURATION_S(121)), window), 1);
    penalty_free(&p);
}

static void test_doubts_are_of_a_subscriber_and_pass(void **state)
{
    (void)state;
    struct penalty *p;
    struct addr a, b, c;
    const struct duration window = DURATION_S(60);
    const struct mono t = { 1000000000 };
    assert_int_equal(addr_parse(SPAN("[2001:db8::1]:5060"), 0, &a), 0);
    assert_int_equal(addr_parse(SPAN("[2001:db8::2]:5061"), 0, &b), 0);
    assert_int_equal(addr_parse(SPAN("[2001:db8:0:1::2]:5061"), 0, &c), 0);
    assert_int_equal(penalty_new(8, &p), 0);
    assert_int_equal(penalty_doubts(p, &a, t, window), 0);
    penalty_doubt(p, &a, t, window);
    penalty_doubt(p, &b, t, window);
    assert_int_equal(penalty_doubts(p, &b, t, window), 2);
    assert_int_equal(penalty_doubts(p, &c, t, window), 0);
    assert_int_equal(penalty_doubts(p, &a, mono_add(t, DURATION_S(61)), window), 0);
    struct suspect s = suspect_at(&a, "c1", "alice");
    assert_false(penalty_clear(p, &s));
    assert_int_equal(penalty_fail(p, &s, t, window), 1); /* doubts are no failures */
    assert_true(penalty_clear(p, &s));
    assert_int_equal(penalty_doubts(p, &a, t, window), 2);
    penalty_free(&p);
}

static void test_penalties_are_bounded_and_the_oldest_go_first(void **state)
{
    (void)state;
    struct penalty *p;
    struct addr a;
    char call[32];
    const struct duration window = DURATION_S(60);
    assert_int_equal(addr_parse(SPAN("192.0.2.1:5060"), 0, &a), 0);
    assert_int_equal(penalty_new(16, &p), 0);
    for (int i = 0; i < 1000; i++) {
        snprintf(call, sizeof(call), "call-%d", i);
        struct suspect s = suspect_at(&a, call, NULL);
        assert_int_equal(penalty_fail(p, &s, (struct mono){ 1 + i }, window), 1);
        assert_true(penalty_count(p) <= 16);
    }
    struct suspect s = suspect_at(&a, "call-999", NULL);
    assert_int_equal(penalty_fail(p, &s, (struct mono){ 2000 }, window), 2);
    s = suspect_at(&a, "call-900", NULL);
    assert_int_equal(penalty_fail(p, &s, (struct mono){ 2000 }, window), 1);
    penalty_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_group_that_matches_every_fact_decides),
        cmocka_unit_test(test_what_must_be_proven_follows_from_group_and_method),
        cmocka_unit_test(test_a_token_is_asked_for_and_taken_only_where_nobody_can_read_it),
        cmocka_unit_test(test_a_certificate_is_demanded_alone_or_beside),
        cmocka_unit_test(test_what_is_granted_ends_with_what_it_rests_on),
        cmocka_unit_test(test_a_ticket_is_judged_where_the_group_takes_it_and_nobody_can_read_it),
        cmocka_unit_test(test_user_may_be_only_what_is_listed),
        cmocka_unit_test(test_globs),
        cmocka_unit_test(test_failures_are_counted_by_call_and_by_user_of_a_source),
        cmocka_unit_test(test_doubts_are_of_a_subscriber_and_pass),
        cmocka_unit_test(test_penalties_are_bounded_and_the_oldest_go_first),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
