#include "base/ct.h"
#include "lib/test.h"
#include "lib/tmp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static void test_comparison_needs_every_byte(void **state)
{
    (void)state;
    assert_true(ct_eq(SPAN("secret"), SPAN("secret")));
    assert_false(ct_eq(SPAN("secret"), SPAN("secreT")));
    assert_false(ct_eq(SPAN("secret"), SPAN("Secret")));
    assert_false(ct_eq(SPAN("secret"), SPAN("secre")));
    assert_true(ct_eq(SPAN(""), SPAN_NULL));
    char wiped[] = "secret";
    ct_wipe(wiped, sizeof(wiped));
    for (size_t i = 0; i < sizeof(wiped); i++)
        assert_int_equal(wiped[i], 0);
}

static int read_secret(const char *data, size_t n, mode_t mode, struct secret *s)
{
    const char *path = tmp_file("secret", data, n);
    chmod(path, mode);
    return secret_read_file(s, path);
}

static void test_a_secret_file_is_private_and_ends_before_its_newline(void **state)
{
    (void)state;
    struct secret s = { 0 };
    assert_int_equal(read_secret("open sesame\n", 12, 0600, &s), 0);
    assert_true(span_eq(secret_span(&s), SPAN("open sesame")));
    assert_int_equal(read_secret("b\0c\r\n", 5, 0640, &s), 0);
    assert_true(span_eq(secret_span(&s), SPAN("b\0c")));
    assert_int_equal(read_secret("x", 1, 0644, &s), CS_EDENIED);
    assert_int_equal(read_secret("x", 1, 0602, &s), CS_EDENIED);
    assert_true(span_eq(secret_span(&s), SPAN("b\0c"))); /* what was there stays */
    assert_int_equal(secret_read_file(&s, tmp_path("nowhere")), -ENOENT);

    char *big = calloc(1, 65537);
    assert_int_equal(read_secret(big, 65536, 0600, &s), 0);
    assert_int_equal(s.n, 65536);
    assert_int_equal(read_secret(big, 65537, 0600, &s), CS_ELIMIT);
    free(big);
    secret_fini(&s);
    assert_null(s.p);
    secret_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparison_needs_every_byte),
        cmocka_unit_test(test_a_secret_file_is_private_and_ends_before_its_newline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
