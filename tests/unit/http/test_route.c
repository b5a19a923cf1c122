#include "http/route.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/util.h"

#define assert_span(s, text) assert_true(span_eq((s), SPAN(text)))

static void test_patterns_match_whole_paths(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool match;
    } rows[] = {
        { "/v1/users", "/v1/users", true },
        { "/v1/users", "/v1/users/", false },
        { "/v1/users", "/v1/user", false },
        { "/v1/users", "/V1/users", false },
        { "/v1/users/{user}", "/v1/users/alice", true },
        { "/v1/users/{user}", "/v1/users/", false },
        { "/v1/users/{user}", "/v1/users", false },
        { "/v1/users/{user}", "/v1/users/a%2Fb", true },
        { "/v1/users/{user}", "/v1/users/a/b", false },
        { "/v1/users/{user}/password", "/v1/users/alice/password", true },
        { "/v1/users/{user}/password", "/v1/users/alice/bindings", false },
        { "/{a}/{b}", "/x/y", true },
        { "/", "/", true },
        { "/", "", false },
        { "/", "//", false },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        if (route_match(rows[i].pattern, span_str(rows[i].path)) != rows[i].match)
            fail_msg("%s against %s", rows[i].pattern, rows[i].path);
    }
}

static void test_params_are_decoded_after_the_split(void **state)
{
    struct arena a;
    struct route_pairs p;
    (void)state;
    arena_init(&a, NULL, 0, 0);
    assert_int_equal(route_params("/u/{user}/x/{y}", SPAN("/u/sip%3Aa%2Fb+c/x/%c3%a4"), &a, &p), 0);
    assert_int_equal(p.n, 2);
    assert_span(route_pair_get(&p, SPAN("user")), "sip:a/b+c");
    assert_span(route_pair_get(&p, SPAN("y")), "\xc3\xa4");
    assert_null(route_pair_get(&p, SPAN("z")).p);
    arena_fini(&a);
}

static void test_broken_escapes_are_refused(void **state)
{
    static const char *const bad[] = { "/%", "/a%2", "/%zz", "/%00", "/a%0", "/%-1" };
    struct arena a;
    struct route_pairs p;
    (void)state;
    arena_init(&a, NULL, 0, 0);
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        assert_int_equal(route_params("/{x}", span_str(bad[i]), &a, &p), CS_EPROTO);
        assert_int_equal(route_query(span_str(bad[i]), &a, &p), CS_EPROTO);
    }
    arena_fini(&a);
}

static void test_query_pairs(void **state)
{
    struct arena a;
    struct route_pairs p;
    (void)state;
    arena_init(&a, NULL, 0, 0);
    assert_int_equal(route_query(SPAN("a=1&b=x+y%2B&c&&d=e=f&e="), &a, &p), 0);
    assert_int_equal(p.n, 5);
    assert_span(route_pair_get(&p, SPAN("a")), "1");
    assert_span(route_pair_get(&p, SPAN("b")), "x y+");
    assert_span(route_pair_get(&p, SPAN("c")), "");
    assert_non_null(route_pair_get(&p, SPAN("c")).p);
    assert_span(route_pair_get(&p, SPAN("d")), "e=f");
    assert_int_equal(route_query(SPAN_NULL, &a, &p), 0);
    assert_int_equal(p.n, 0);
    assert_int_equal(route_query(SPAN("a=1&%61=2"), &a, &p), CS_EPROTO);
    assert_int_equal(route_query(SPAN("a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p"), &a, &p), 0);
    assert_int_equal(route_query(SPAN("a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q"), &a, &p), CS_ELIMIT);
    arena_fini(&a);
}

static void test_no_memory_is_said(void **state)
{
    struct arena a;
    struct route_pairs p;
    (void)state;
    arena_init(&a, NULL, 0, 0);
    arena_fail_after(0);
    int params = route_params("/{x}", SPAN("/y"), &a, &p);
    int query = route_query(SPAN("a=1"), &a, &p);
    arena_fail_after(-1);
    assert_int_equal(params, CS_ENOMEM);
    assert_int_equal(query, CS_ENOMEM);
    arena_fini(&a);
}

static void test_hosts_that_are_ours(void **state)
{
    static const struct {
        const char *host, *name;
        bool ours;
    } rows[] = {
        { "127.0.0.1", NULL, true },
        { "127.0.0.1:8080", NULL, true },
        { "[::1]:8080", NULL, true },
        { "localhost", NULL, true },
        { "LocalHost:1", NULL, true },
        { "localhost:", NULL, true },
        { "localhost:x", NULL, false },
        { "localhost.evil.example", NULL, false },
        { "evil.example", NULL, false },
        { "evil.example:80", "authd.example.com", false },
        { "authd.example.com:80", "authd.example.com", true },
        { "AUTHD.example.com", "authd.example.com", true },
        { "127.0.0.1.evil.example", NULL, false },
        { "", NULL, false },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        if (route_host_is_ours(span_str(rows[i].host), rows[i].name) != rows[i].ours)
            fail_msg("%s", rows[i].host);
    }
}

static void test_media_types(void **state)
{
    (void)state;
    assert_true(route_media_is(SPAN("application/json"), SPAN("application/json")));
    assert_true(route_media_is(SPAN("Application/JSON ; charset=utf-8"), SPAN("application/json")));
    assert_false(route_media_is(SPAN("application/jsonx"), SPAN("application/json")));
    assert_false(route_media_is(SPAN("text/plain"), SPAN("application/json")));
    assert_false(route_media_is(SPAN_NULL, SPAN("application/json")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns_match_whole_paths),
        cmocka_unit_test(test_params_are_decoded_after_the_split),
        cmocka_unit_test(test_broken_escapes_are_refused),
        cmocka_unit_test(test_query_pairs),
        cmocka_unit_test(test_no_memory_is_said),
        cmocka_unit_test(test_hosts_that_are_ours),
        cmocka_unit_test(test_media_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
