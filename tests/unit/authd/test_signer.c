/* A Sign from question to answer: trunks in a real Redis, counts, rates, the audit log. */
#include "authd/calls/signer.h"

#include <signal.h>

#include "authd/store/trunk.h"
#include "sip/digest.h"
#include "unit/authd/bench.h"

#define URI "sip:+1800@sip.example.net"

static struct {
    size_t count;
    uint64_t id;
    Countersign__Auth__Cause cause;
    char value[1024], decision[32];
} got;

static struct list pending;

static void on_signed(void *arg, const Countersign__Auth__Signed *s)
{
    (void)arg;
    got.count++;
    got.id = s->id;
    got.cause = s->cause;
    bench_copy(got.value, sizeof(got.value), s->value_secret);
    bench_copy(got.decision, sizeof(got.decision), s->decision);
}

static int put_trunk(const char *name, struct vault *v)
{
    static const struct span targets[] = { SPAN_INIT("sip.example.net") };
    char space[2048];
    struct buf b = BUF_INIT(space);
    struct trunk_credential c = { .realm = SPAN("example.net"), .user = SPAN("us") };
    struct trunk t = { .name = span_str(name),
                       .targets = targets,
                       .n_targets = 1,
                       .credentials = &c,
                       .n_credentials = 1 };
    struct arena a;
    char text[128];
    arena_init(&a, NULL, 0, 0);
    struct buf key = BUF_INIT(text);
    buf_printf(&key, "cs:trunk:{%s}", name);
    int err = trunk_seal(&t, &c, v, SPAN("planted-password"), &a);
    if (!err)
        err = trunk_encode(&t, &b);
    bench_do(SPAN("SET"), buf_span(&key), buf_span(&b));
    arena_fini(&a);
    return err;
}

static int setup(void **state)
{
    int err = bench_open(state);
    list_init(&pending);
    return err ? err : put_trunk("carrier", bench.k.vault);
}

static void put(const char *trunk, const char *nonce, const char *uri, bool allowed)
{
    static char challenge[256], *list[] = { challenge };
    Countersign__Auth__Sign m = COUNTERSIGN__AUTH__SIGN__INIT;
    snprintf(challenge, sizeof(challenge),
             "Digest realm=\"example.net\", nonce=\"%s\", qop=\"auth\"", nonce);
    m.id = got.count + 100;
    m.trunk = (char *)trunk;
    m.method = (char *)"INVITE";
    m.uri = (char *)uri;
    m.call_id = (char *)"call-9@host";
    m.challenge = list;
    m.n_challenge = 1;
    assert_true(signer_ask(bench.k.signer, &m, allowed, "b2bua-1", &pending, on_signed, NULL));
}

static void sign_of(const char *trunk, const char *nonce, const char *uri, bool allowed)
{
    size_t before = got.count;
    put(trunk, nonce, uri, allowed);
    assert_true(run_until_count(&bench.loop, &got.count, before + 1, 3000));
    assert_int_equal(got.id, before + 100);
    assert_true(list_empty(&pending));
    assert_int_equal(strlen(got.decision), 16);
    assert_int_equal(got.value[0] != '\0', got.cause == CAUSE(OK));
}

static unsigned count_of(const char *nonce)
{
    struct digest d;
    uint64_t nc;
    sign_of("carrier", nonce, URI, true);
    assert_int_equal(got.cause, CAUSE(OK));
    assert_int_equal(digest_parse(span_str(got.value), &d), 0);
    assert_true(span_eq(d.nonce, span_str(nonce)));
    assert_true(span_eq(d.uri, SPAN(URI)));
    assert_int_equal(d.nc.n, 8);
    assert_int_equal(span_hex(d.nc, &nc), 0);
    return (unsigned)nc;
}

static void test_a_nonce_is_counted_and_a_cnonce_never_seen_twice(void **state)
{
    char first[1024];
    (void)state;
    assert_int_equal(count_of("one"), 1);
    bench_copy(first, sizeof(first), strstr(got.value, "cnonce="));
    assert_int_equal(count_of("one"), 2);
    assert_string_not_equal(first, strstr(got.value, "cnonce="));
    assert_int_equal(count_of("two"), 1);
    assert_int_equal(count_of("one"), 3);
}

static void test_each_refusal_has_its_cause(void **state)
{
    static const struct {
        const char *trunk, *uri;
        bool allowed;
        Countersign__Auth__Cause cause;
    } cases[] = {
        { "carrier", URI, false, CAUSE(SIGNER_NOT_ALLOWED) },
        { "nobody", URI, true, CAUSE(TRUNK_UNKNOWN) },
        { "no{body", URI, true, CAUSE(TRUNK_UNKNOWN) },
        { "", URI, true, CAUSE(TRUNK_UNKNOWN) },
        { NULL, URI, true, CAUSE(TRUNK_UNKNOWN) },
        { "carrier", "sip:+1800@evil.test", true, CAUSE(TRUNK_URI_REFUSED) },
        { "carrier", NULL, true, CAUSE(TRUNK_URI_REFUSED) },
        { "carrier", URI, true, CAUSE(OK) },
    };
    int64_t refused = metric_get(M_AUTHD_SIGNED, 1);
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        sign_of(cases[i].trunk, "n", cases[i].uri, cases[i].allowed);
        assert_int_equal(got.cause, cases[i].cause);
    }
    assert_int_equal(metric_get(M_AUTHD_SIGNED, 1), refused + 7);
    assert_true(metric_get(M_AUTHD_SIGNED, 0) > 0);
}

static void test_a_trunk_is_not_signed_for_without_end(void **state)
{
    unsigned taken = 0;
    (void)state;
    run_for(&bench.loop, 20);
    loop_skip(&bench.loop, DURATION_S(3));
    for (got.cause = CAUSE(OK); taken < 1000 && got.cause == CAUSE(OK); taken++)
        sign_of("carrier", "n", URI, true);
    assert_int_equal(got.cause, CAUSE(SIGNED_TOO_OFTEN));
    assert_in_range(taken, bench.conf.limits.signatures, 2 * bench.conf.limits.signatures);
    assert_int_equal(put_trunk("another", bench.k.vault), 0);
    sign_of("another", "n", URI, true);
    assert_int_equal(got.cause, CAUSE(OK));
    loop_skip(&bench.loop, DURATION_MS(200)); /* some are allowed again */
    sign_of("carrier", "n", URI, true);
    assert_int_equal(got.cause, CAUSE(OK));
    loop_skip(&bench.loop, DURATION_S(3));
}

static void test_what_cannot_be_opened_is_no_refusal(void **state)
{
    struct vault *other;
    (void)state;
    assert_int_equal(
        vault_new(SPAN("9:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
                  &other),
        0);
    assert_int_equal(put_trunk("lost", other), 0);
    vault_free(&other);
    sign_of("lost", "n", URI, true);
    assert_int_equal(got.cause, CAUSE(STORE_UNAVAILABLE));
    bench_do(SPAN("SET"), SPAN("cs:trunk:{rubbish}"), SPAN("rubbish"));
    sign_of("rubbish", "n", URI, true);
    assert_int_equal(got.cause, CAUSE(STORE_UNAVAILABLE));
}

static void test_who_left_gets_no_answer(void **state)
{
    size_t before = got.count;
    (void)state;
    put("carrier", "n", URI, true);
    put("carrier", "n", URI, true);
    assert_false(list_empty(&pending));
    signer_forget(&pending);
    run_for(&bench.loop, 50);
    assert_int_equal(got.count, before);
}

static void test_what_waits_is_bounded(void **state)
{
    size_t before = got.count;
    (void)state;
    kill(bench.server.pid, SIGSTOP);
    for (unsigned i = 0; i < 1000; i++)
        put("carrier", "n", URI, true);
    assert_int_equal(got.count, before);
    put("carrier", "n", URI, true);
    assert_int_equal(got.count, before + 1);
    assert_int_equal(got.cause, CAUSE(OVERLOADED));
    signer_forget(&pending);
    kill(bench.server.pid, SIGCONT);
    sign_of("carrier", "n", URI, true);
    assert_int_equal(got.cause, CAUSE(OK));
}

static void on_explained(void *arg, const struct explained *x)
{
    *(struct explained *)arg = *x;
}

static void test_the_record_tells_of_it_and_of_no_secret(void **state)
{
    static char line[256 * 1024];
    char *last = line;
    struct explained x = { 0 };
    (void)state;
    sign_of("carrier", "planted-nonce", URI, true);
    sign_of("carrier", "planted-nonce", "sip:+1800@evil.test", true);
    explain_find(bench.k.explain, span_str(got.decision), 1, on_explained, &x);
    assert_int_equal(x.cause, CAUSE(TRUNK_URI_REFUSED));
    assert_string_equal(x.trunk, "carrier");
    assert_string_equal(x.aor, "sip:+1800@evil.test");
    assert_string_equal(x.listener, "b2bua-1");
    run_for(&bench.loop, 100); /* the log is written by then */
    FILE *f = fopen(bench.audit_file, "r");
    assert_non_null(f);
    size_t n = fread(line, 1, sizeof(line) - 1, f);
    fclose(f);
    line[n] = '\0';
    assert_null(strstr(line, "planted"));
    assert_null(strstr(line, "response"));
    assert_non_null(strstr(line, "\"cause\":\"signed_too_often\""));
    for (char *p = line; (p = strstr(p, "\"trunk\":\"carrier\"")); p++)
        last = p;
    assert_non_null(strstr(last, "\"method\":\"INVITE\""));
    assert_non_null(strstr(last, "\"call_id\":\"call-9@host\""));
    assert_non_null(strstr(line, "\"user\":\"us\",\"realm\":\"example.net\""));
}

static void test_without_redis_it_is_later(void **state)
{
    (void)state;
    redis_server_kill(&bench.server);
    sign_of("carrier", "n", URI, true);
    assert_int_equal(got.cause, CAUSE(STORE_UNAVAILABLE));
    put("carrier", "n", URI, true); /* and one is open when all ends */
    signer_forget(&pending);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_nonce_is_counted_and_a_cnonce_never_seen_twice),
        cmocka_unit_test(test_each_refusal_has_its_cause),
        cmocka_unit_test(test_a_trunk_is_not_signed_for_without_end),
        cmocka_unit_test(test_what_cannot_be_opened_is_no_refusal),
        cmocka_unit_test(test_who_left_gets_no_answer),
        cmocka_unit_test(test_what_waits_is_bounded),
        cmocka_unit_test(test_the_record_tells_of_it_and_of_no_secret),
        cmocka_unit_test(test_without_redis_it_is_later),
    };
    return cmocka_run_group_tests(tests, setup, bench_close);
}
