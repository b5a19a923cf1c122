/* Revocations as records, and the tags of what grants rest on. */
#include "authd/revocation/revocation.h"

#include "authd/check/tags.h"
#include "lib/test.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static const struct revocation good[] = {
    { .kind = REVOKED(TOKEN), .issuer = SPAN_INIT("https://a"), .value = SPAN_INIT("one") },
    { .kind = REVOKED(SUBJECT),
      .issuer = SPAN_INIT("https://a"),
      .value = SPAN_INIT("one"),
      .bounded = true,
      .before_s = 1795244541,
      .until = { 1795248141000 },
      .by = SPAN_INIT("admin"),
      .reason = SPAN_INIT("left") },
    { .kind = REVOKED(SESSION), .issuer = SPAN_INIT("https://a"), .value = SPAN_INIT("one") },
    { .kind = REVOKED(ISSUER), .issuer = SPAN_INIT("https://a"), .bounded = true, .before_s = 1 },
    { .kind = REVOKED(ISSUER), .issuer = SPAN_INIT("https://aone"), .bounded = true },
    { .kind = REVOKED(CERTIFICATE), .value = SPAN_INIT("one") },
    { .kind = REVOKED(SERIAL), .issuer = SPAN_INIT("https://a"), .value = SPAN_INIT("one") },
    { .kind = REVOKED(SERIAL), .issuer = SPAN_INIT("https://ao"), .value = SPAN_INIT("ne") },
    { .kind = REVOKED(DEVICE), .value = SPAN_INIT("one") },
};

static void test_each_has_an_id_of_its_own(void **state)
{
    char ids[CS_LEN(good)][REVOCATION_ID_LEN + 1];
    (void)state;
    for (size_t i = 0; i < CS_LEN(good); i++) {
        unsigned char tag[REST_TAG_LEN], own[REST_TAG_LEN];
        revocation_id(&good[i], ids[i]);
        assert_int_equal(revocation_of_id(span_str(ids[i]), tag), 0);
        revocation_tag(good[i].kind, good[i].issuer, good[i].value, own);
        assert_memory_equal(tag, own, sizeof(tag));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(ids[i], ids[k]);
    }
    struct revocation other = good[1]; /* when and why do not count */
    other.bounded = false;
    other.reason = SPAN_NULL;
    char id[REVOCATION_ID_LEN + 1];
    revocation_id(&other, id);
    assert_string_equal(id, ids[1]);
}

static void test_what_is_no_id(void **state)
{
    static const char *const bad[] = { "", "00112233445566", "001122334455667788",
                                       "0011223344556x77" };
    unsigned char tag[REST_TAG_LEN];
    (void)state;
    for (size_t i = 0; i < CS_LEN(bad); i++)
        assert_int_equal(revocation_of_id(span_str(bad[i]), tag), CS_EPROTO);
}

static void test_a_record_is_what_was_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(good); i++) {
        char space[REVOCATION_RECORD_MAX];
        struct buf b = BUF_INIT(space);
        struct revocation r;
        assert_int_equal(revocation_encode(&good[i], &b), 0);
        assert_int_equal(revocation_decode(buf_span(&b), &arena, &r), 0);
        assert_int_equal(r.kind, good[i].kind);
        assert_true(span_eq(r.issuer, good[i].issuer) && span_eq(r.value, good[i].value));
        assert_true(span_eq(r.by, good[i].by) && span_eq(r.reason, good[i].reason));
        assert_int_equal(r.bounded, good[i].bounded);
        assert_int_equal(r.before_s, good[i].before_s);
        assert_int_equal(r.until.ms, good[i].until.ms);
    }
}

static void test_what_cannot_stand_is_not_written(void **state)
{
    static char text[REVOCATION_TEXT_MAX + 2];
    struct revocation bad[5];
    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < CS_LEN(bad); i++)
        bad[i] = good[0];
    bad[0].kind = REVOKED(NOTHING);
    bad[1].issuer = SPAN_NULL;
    bad[2].kind = REVOKED(DEVICE); /* has no issuer */
    bad[3].value = span_of(text, REVOCATION_TEXT_MAX + 1);
    bad[4].reason = span_of(text, REVOCATION_REASON_MAX + 1);
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        char space[REVOCATION_RECORD_MAX];
        struct buf b = BUF_INIT(space);
        assert_int_equal(revocation_encode(&bad[i], &b), CS_ELIMIT);
    }
    struct revocation r = good[0];
    char space[REVOCATION_RECORD_MAX];
    struct buf b = BUF_INIT(space);
    r.value = r.issuer = span_of(text, REVOCATION_TEXT_MAX);
    r.by = span_of(text, REVOCATION_BY_MAX);
    r.reason = span_of(text, REVOCATION_REASON_MAX);
    assert_int_equal(revocation_encode(&r, &b), 0); /* the longest fits */
    assert_int_equal(revocation_decode(SPAN("\xff"), &arena, &r), CS_EPROTO);
    assert_int_equal(revocation_decode(SPAN_NULL, &arena, &r), CS_EPROTO);
}

static void test_it_ends_when_it_says(void **state)
{
    (void)state;
    assert_false(revocation_has_ended(&good[0], (struct wall){ INT64_MAX }));
    assert_false(revocation_has_ended(&good[1], (struct wall){ 1795248140999 }));
    assert_true(revocation_has_ended(&good[1], (struct wall){ 1795248141000 }));
}

static void test_people_read_what_when_by_whom_and_why(void **state)
{
    char space[REVOCATION_WORDS_MAX];
    struct buf b = BUF_INIT(space);
    (void)state;
    revocation_write(&b, &good[1]);
    buf_putc(&b, '\0');
    assert_string_equal(space, "sub one of https://a, issued before 2026-11-21T07:02:21.000Z, was "
                               "revoked 1970-01-01T00:00:00.000Z by admin: left");
}

/* ---- tags ---- */

static bool falls(const struct tags *t, const Countersign__Auth__Grant *g,
                  const struct revocation *r)
{
    unsigned char tag[REST_TAG_LEN];
    const struct rests on = tags_rests(t, g);
    revocation_tag(r->kind, r->issuer, r->value, tag);
    const struct fallen what = revocation_fallen(r, tag);
    return rests_fall(&on, &what);
}

static void test_a_grant_falls_with_all_it_rests_on(void **state)
{
    Countersign__Auth__Check m = COUNTERSIGN__AUTH__CHECK__INIT;
    Countersign__Auth__Certificate c = COUNTERSIGN__AUTH__CERTIFICATE__INIT;
    Countersign__Auth__Grant g = COUNTERSIGN__AUTH__GRANT__INIT;
    Countersign__Auth__Token token = COUNTERSIGN__AUTH__TOKEN__INIT;
    unsigned char hash[32] = { 0xab };
    char hex[64];
    struct buf b = BUF_INIT(hex);
    struct tags t;
    (void)state;
    tags_of_certificate(&m, &t);
    tags_of_grant(&t, &g);
    assert_int_equal(t.n, 0);
    assert_false(g.has_rests_on);

    m.has_certificate_sha256 = true;
    m.certificate_sha256.data = hash;
    m.certificate_sha256.len = sizeof(hash);
    m.certificate = &c;
    c.issuer = (char *)"CN=ca";
    c.serial = (char *)"A1";
    token.iss = (char *)"https://a";
    token.jti = (char *)"one";
    token.sub = (char *)"alice";
    token.sid = (char *)"s1";
    token.has_iat_s = true;
    token.iat_s = 100;
    g.token = &token;
    g.device = (char *)"SEP1";
    tags_of_certificate(&m, &t);
    tags_of_grant(&t, &g);
    assert_int_equal(t.n, 7);
    assert_int_equal(g.rests_on.len, 7 * REST_TAG_LEN);
    buf_hex(&b, hash, sizeof(hash));
    const struct revocation cases[] = {
        { .kind = REVOKED(TOKEN), .issuer = SPAN("https://a"), .value = SPAN("one") },
        { .kind = REVOKED(SUBJECT), .issuer = SPAN("https://a"), .value = SPAN("alice") },
        { .kind = REVOKED(SESSION), .issuer = SPAN("https://a"), .value = SPAN("s1") },
        { .kind = REVOKED(ISSUER), .issuer = SPAN("https://a"), .bounded = true, .before_s = 101 },
        { .kind = REVOKED(CERTIFICATE), .value = buf_span(&b) },
        { .kind = REVOKED(SERIAL), .issuer = SPAN("CN=ca"), .value = SPAN("A1") },
        { .kind = REVOKED(DEVICE), .value = SPAN("SEP1") },
    };
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        struct revocation later = cases[i];
        assert_true(falls(&t, &g, &cases[i]));
        later.bounded = true;
        later.before_s = 100;
        assert_false(falls(&t, &g, &later));
        struct revocation other = cases[i];
        other.value = SPAN("other");
        assert_false(falls(&t, &g, &other));
    }
    token.has_iat_s = false; /* it may be as old as any */
    const struct revocation early = {
        .kind = REVOKED(ISSUER), .issuer = SPAN("https://a"), .bounded = true, .before_s = 1
    };
    assert_true(falls(&t, &g, &early));
}

static void test_names_too_long_to_be_revoked_are_no_others(void **state)
{
    static char text[2 * REVOCATION_TEXT_MAX];
    unsigned char one[REST_TAG_LEN], two[REST_TAG_LEN];
    (void)state;
    memset(text, 'x', sizeof(text));
    revocation_tag(REVOKED(DEVICE), SPAN_NULL, span_of(text, sizeof(text)), one);
    revocation_tag(REVOKED(DEVICE), SPAN_NULL, span_of(text, REVOCATION_TEXT_MAX), two);
    assert_memory_not_equal(one, two, sizeof(one));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_each_has_an_id_of_its_own),
        TEST(test_what_is_no_id),
        TEST(test_a_record_is_what_was_written),
        TEST(test_what_cannot_stand_is_not_written),
        TEST(test_it_ends_when_it_says),
        TEST(test_people_read_what_when_by_whom_and_why),
        TEST(test_a_grant_falls_with_all_it_rests_on),
        TEST(test_names_too_long_to_be_revoked_are_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
