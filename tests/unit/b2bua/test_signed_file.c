#include "phone_keys.h"

static const struct wall when = { 1795234202000 };

static struct span write_file(struct phone_signer *s, const char *name, enum signed_kind kind,
                              char space[FILE_MAX])
{
    struct buf b = buf_of(space, FILE_MAX);
    const struct signed_file f = {
        .kind = kind, .name = span_str(name), .time = when, .payload = SPAN("<device/>")
    };
    assert_int_equal(signed_file_write(s, &f, &b), 0);
    return buf_span(&b);
}

static void test_what_it_says_is_what_was_signed(void **state)
{
    static char space[FILE_MAX];
    static const enum phone_hash hashes[] = { PHONE_SHA1, PHONE_SHA512 };
    struct phone_keys k = rsa_keys(2048), other = rsa_keys(2048);
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const EVP_MD *md = i ? EVP_sha512() : EVP_sha1();
        struct phone_signer *s;
        assert_int_equal(phone_signer_of(k.x, k.key, hashes[i], &s), 0);
        struct span file = write_file(s, "SEP001122334455.cnf.xml.sgn", SIGNED_PLAIN, space),
                    head = header_of(file);
        assert_true(is_signed(file, k.key, md));
        assert_false(is_signed(file, other.key, md));
        assert_span(span_skip(file, head.n), "<device/>");
        assert_memory_equal(element(head, 1).p, "\1\0", 2);
        assert_string_equal(element(head, 14).p, "SEP001122334455.cnf.xml.sgn");
        assert_memory_equal(element(head, 15).p, "\x6b\x01\x19\x9a", 4);
        const struct span who = element(head, 3), info = element(head, 7);
        assert_string_equal(element(who, 4).p, "CN=tftp,O=Lab\\, and all,OU=Voice");
        assert_string_equal(element(who, 6).p, element(who, 4).p);
        assert_int_equal(element(who, 5).n, 3); /* no sign byte */
        assert_memory_equal(element(who, 5).p, "\xc1\xa2\xb3", 3);
        assert_int_equal(info.n, 15);
        assert_int_equal(element(info, 8).p[0], hashes[i]);
        assert_int_equal(element(element(info, 9), 11).p[0], 2);
        space[file.n - 2] ^= 1;
        assert_false(is_signed(file, k.key, md));
        phone_signer_free(&s);
    }
    keys_free(&k);
    keys_free(&other);
}

static void test_headers_end_at_a_word_whatever_the_name(void **state)
{
    static char space[FILE_MAX];
    struct phone_keys k = rsa_keys(1024);
    struct phone_signer *s;
    (void)state;
    assert_int_equal(phone_signer_of(k.x, k.key, PHONE_SHA1, &s), 0);
    for (const char *name = "abcdefgh"; *name; name++) {
        struct span file = write_file(s, name, SIGNED_LIST, space);
        assert_true(is_signed(file, k.key, EVP_sha1()));
        assert_int_equal(element(element(element(header_of(file), 7), 9), 11).p[0], 1);
        assert_memory_equal(element(header_of(file), 28).p, "\1\0", 2);
    }
    phone_signer_free(&s);
    keys_free(&k);
}

static void test_who_phones_would_not_believe_signs_nothing(void **state)
{
    struct phone_keys ec = ec_keys(), large = rsa_keys(3072), a = rsa_keys(2048),
                      b = rsa_keys(2048);
    struct phone_signer *s;
    (void)state;
    assert_int_equal(phone_signer_of(ec.x, ec.key, PHONE_SHA1, &s), CS_ECONF);
    assert_int_equal(phone_signer_of(large.x, large.key, PHONE_SHA1, &s), CS_ECONF);
    assert_int_equal(phone_signer_of(a.x, b.key, PHONE_SHA1, &s), CS_ECONF);
    assert_null(s);
    keys_free(&ec);
    keys_free(&large);
    keys_free(&a);
    keys_free(&b);
}

static void test_what_does_not_fit_is_not_written(void **state)
{
    char space[100], name[SIGNED_HEAD_MAX];
    struct phone_keys k = rsa_keys(2048);
    struct phone_signer *s;
    struct buf b = BUF_INIT(space);
    struct signed_file f = { .kind = SIGNED_PLAIN, .name = SPAN("x"), .payload = SPAN("y") };
    (void)state;
    assert_int_equal(phone_signer_of(k.x, k.key, PHONE_SHA1, &s), 0);
    assert_int_equal(signed_file_write(s, &f, &b), CS_ELIMIT);
    memset(name, 'n', sizeof(name));
    f.name = span_of(name, sizeof(name));
    static char large[FILE_MAX];
    struct buf enough = BUF_INIT(large);
    assert_int_equal(signed_file_write(s, &f, &enough), CS_ELIMIT);
    phone_signer_free(&s);
    keys_free(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_says_is_what_was_signed),
        cmocka_unit_test(test_headers_end_at_a_word_whatever_the_name),
        cmocka_unit_test(test_who_phones_would_not_believe_signs_nothing),
        cmocka_unit_test(test_what_does_not_fit_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
