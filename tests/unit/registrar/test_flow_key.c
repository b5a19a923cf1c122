#include "registrar/flow_key.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/test.h"
#include "lib/tmp.h"

static void test_a_key_is_made_once_and_kept(void **state)
{
    struct secret first = { 0 }, again = { 0 };
    struct stat st;
    (void)state;
    const char *path = tmp_path("flow.key");
    assert_int_equal(flow_key_load(path, &first), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(flow_key_load(path, &again), 0);
    assert_true(span_eq(secret_span(&first), secret_span(&again)));
    assert_true(first.n >= 32);
    secret_fini(&first);
    secret_fini(&again);
}

static void test_without_a_file_each_process_has_its_own(void **state)
{
    struct secret a = { 0 }, b = { 0 };
    (void)state;
    assert_int_equal(flow_key_load(NULL, &a), 0);
    assert_int_equal(flow_key_load(NULL, &b), 0);
    assert_false(span_eq(secret_span(&a), secret_span(&b)));
    secret_fini(&a);
    secret_fini(&b);
}

static void test_what_is_no_key_is_refused(void **state)
{
    struct secret s = { 0 };
    (void)state;
    const char *path = tmp_file("short.key", "too short\n", 10);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(flow_key_load(path, &s), CS_EPROTO);
    assert_null(s.p);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(flow_key_load(path, &s), CS_EDENIED);
    assert_true(flow_key_load(tmp_path("nowhere/flow.key"), &s) < 0);
    assert_null(s.p);
}

static bool signs_alike(const struct route_key *a, const struct route_key *b)
{
    char of_a[ROUTE_TAG_LEN], of_b[ROUTE_TAG_LEN];
    struct buf ta = BUF_INIT(of_a), tb = BUF_INIT(of_b);
    route_tag_write(&ta, a, SPAN("<urn:uuid:1>"));
    route_tag_write(&tb, b, SPAN("<urn:uuid:1>"));
    return span_eq(buf_span(&ta), buf_span(&tb));
}

static void test_the_key_of_routes_follows_from_it(void **state)
{
    struct secret s = { 0 }, other = { 0 };
    struct route_key a, b, c;
    (void)state;
    assert_int_equal(flow_key_load(NULL, &s), 0);
    assert_int_equal(flow_key_load(NULL, &other), 0);
    assert_int_equal(flow_key_derive(&s, &a), 0);
    assert_int_equal(flow_key_derive(&s, &b), 0);
    assert_int_equal(flow_key_derive(&other, &c), 0);
    assert_true(signs_alike(&a, &b));
    assert_false(signs_alike(&a, &c));
    route_key_fini(&a);
    route_key_fini(&b);
    route_key_fini(&c);
    secret_fini(&s);
    secret_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_is_made_once_and_kept),
        cmocka_unit_test(test_without_a_file_each_process_has_its_own),
        cmocka_unit_test(test_what_is_no_key_is_refused),
        cmocka_unit_test(test_the_key_of_routes_follows_from_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
