#include "registrar/gruu.h"

#include "lib/test.h"

static struct sip_uri uri_of(const char *text)
{
    struct sip_uri uri;
    assert_int_equal(sip_uri_parse(span_str(text), &uri), 0);
    return uri;
}

/* What a GRUU of ours says, another registrar understands, whatever the instance holds. */
static void test_a_gruu_comes_back_as_its_instance(void **state)
{
    static const char *const instances[] = {
        "<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>",
        "<urn:gsma:imei:90420156-025763-0>",
        "<urn:x:a b;c=d?e@f,g\"h%i>",
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(instances); i++) {
        char text[300];
        struct buf b = buf_of(text, sizeof(text) - 1);
        gruu_write(&b, SPAN("sip:a@example.com"), span_str(instances[i]));
        assert_true(buf_ok(&b));
        text[b.n] = 0;
        struct sip_uri uri = uri_of(text);
        assert_true(gruu_is(&uri));
        assert_true(gruu_names(&uri, span_str(instances[i])));
        assert_false(gruu_names(&uri, SPAN("<urn:uuid:other>")));
        assert_false(gruu_names(&uri, SPAN_NULL));
        assert_true(gruu_has(span_str(instances[i])));
        assert_true(gruu_is_ours(&uri));
    }
}

static void test_case_does_not_matter_and_nonsense_names_nobody(void **state)
{
    char longer[600] = "sip:a@example.com;gr=urn:";
    (void)state;
    struct sip_uri uri = uri_of("sip:a@example.com;gr=URN:uuid:AB");
    assert_true(gruu_names(&uri, SPAN("<urn:uuid:ab>")));
    uri = uri_of("sip:a@example.com");
    assert_false(gruu_is(&uri));
    uri = uri_of("sip:a@example.com;gr");
    assert_true(gruu_is(&uri));
    assert_false(gruu_is_ours(&uri));
    assert_false(gruu_has(SPAN("<>")));
    assert_false(gruu_has(SPAN("mac:001122334455")));
    assert_false(gruu_has(SPAN_NULL));
    memset(longer + strlen(longer), 'x', 500);
    uri = uri_of(longer);
    assert_false(gruu_is_ours(&uri));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_gruu_comes_back_as_its_instance),
        cmocka_unit_test(test_case_does_not_matter_and_nonsense_names_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
