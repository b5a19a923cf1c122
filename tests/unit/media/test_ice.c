#include "b2bua/media/ice.h"

#include "lib/guard.h"
#include "lib/test.h"

#define COOKIE "\x21\x12\xa4\x42"
#define ID     "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"

static const struct ice_conf conf = { "ours1234", "a password of 24 letters", "theirs" };

struct attr {
    enum stun_name name;
    struct span value;
};
enum { ATTRS = 6 };

/* A check of these attributes, then MESSAGE-INTEGRITY and FINGERPRINT, and what is said to it. */
static enum ice_said say(const struct attr *attrs, const char *password, struct buf *answer)
{
    char text[512];
    struct buf b = BUF_INIT(text);
    struct addr from;
    assert_int_equal(addr_parse(SPAN("192.0.2.1:32853"), 0, &from), 0);
    stun_begin(&b, STUN_BINDING_REQUEST, SPAN(COOKIE ID));
    for (size_t i = 0; i < ATTRS && attrs[i].name; i++)
        stun_put(&b, attrs[i].name, attrs[i].value);
    if (password)
        stun_put_integrity(&b, span_str(password));
    stun_put_fingerprint(&b);
    assert_true(buf_ok(&b));
    enum ice_said said = ice_answer(&conf, guard_span(buf_span(&b)), &from, answer);
    guard_release();
    assert_true(buf_ok(answer));
    assert_int_equal(answer->n == 0, said == ICE_NOTHING);
    return said;
}

#define NAME                                        \
    {                                               \
        STUN_USERNAME, SPAN_INIT("ours1234:theirs") \
    }
#define WEIGHT                                   \
    {                                            \
        STUN_PRIORITY, SPAN_INIT("\x6e\0\1\xff") \
    }
#define LEADS                                               \
    {                                                       \
        STUN_ICE_CONTROLLING, SPAN_INIT("\0\0\0\0\0\0\0\1") \
    }
#define TAKES                             \
    {                                     \
        STUN_USE_CANDIDATE, SPAN_INIT("") \
    }

static void test_who_proves_what(void **state)
{
    static const struct {
        struct attr attrs[ATTRS];
        const char *password;
        enum ice_said said;
        unsigned code; /* of the error; 0: none */
    } table[] = {
        { { NAME, WEIGHT, LEADS }, conf.pwd, ICE_VALID, 0 },
        { { NAME, WEIGHT, LEADS, TAKES }, conf.pwd, ICE_NOMINATED, 0 },
        { { NAME, TAKES }, conf.pwd, ICE_NOMINATED, 0 },
        { { NAME, WEIGHT, LEADS, TAKES }, "a password of 24 lettert", ICE_NOTHING, 0 },
        { { NAME, WEIGHT, LEADS, TAKES }, NULL, ICE_NOTHING, 0 },
        { { WEIGHT, LEADS, TAKES }, conf.pwd, ICE_NOTHING, 0 },
        { { { STUN_USERNAME, SPAN_INIT("theirs:ours1234") } }, conf.pwd, ICE_NOTHING, 0 },
        { { { STUN_USERNAME, SPAN_INIT("ours1234") } }, conf.pwd, ICE_NOTHING, 0 },
        { { { STUN_USERNAME, SPAN_INIT("ours1234:") } }, conf.pwd, ICE_NOTHING, 0 },
        { { { STUN_USERNAME, SPAN_INIT("ours1234:theirs2") } }, conf.pwd, ICE_NOTHING, 0 },
        { { { STUN_USERNAME, SPAN_INIT("ours1234:theirs:") } }, conf.pwd, ICE_NOTHING, 0 },
        { { NAME, { STUN_ICE_CONTROLLED, SPAN_INIT("\0\0\0\0\0\0\0\1") } },
          conf.pwd,
          ICE_ANSWERED,
          487 },
        { { NAME, TAKES, { 0x7001, SPAN_INIT("?") } }, conf.pwd, ICE_ANSWERED, 420 },
        { { NAME, TAKES, { 0xf001, SPAN_INIT("?") } }, conf.pwd, ICE_NOMINATED, 0 },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        char text[ICE_ANSWER_MAX];
        struct buf answer = BUF_INIT(text);
        struct stun s;
        struct stun_attr a;
        unsigned code = 0;
        bool proved = false;
        assert_int_equal(say(table[i].attrs, table[i].password, &answer), table[i].said);
        if (!answer.n)
            continue;
        assert_int_equal(stun_parse(buf_span(&answer), &s), 0);
        assert_memory_equal(s.in.p + STUN_ID_AT, COOKIE ID, STUN_ID);
        for (size_t at = 0; stun_next(&s, &at, &a);) {
            if (a.name == STUN_ERROR_CODE)
                code = (unsigned)a.value.p[2] * 100 + (unsigned char)a.value.p[3];
            else if (a.name == STUN_MESSAGE_INTEGRITY)
                proved = stun_is_proved(&s, &a, span_str(conf.pwd));
            else if (a.name == STUN_XOR_MAPPED_ADDRESS)
                assert_true(span_eq(a.value, SPAN("\0\1\xa1\x47\xe1\x12\xa6\x43")));
        }
        assert_true(proved && s.fingerprint);
        assert_int_equal(code, table[i].code);
        assert_int_equal(s.type, code ? STUN_BINDING_ERROR : STUN_BINDING_RESPONSE);
    }
}

static void test_what_is_no_request_gets_no_answer(void **state)
{
    char text[256], said[ICE_ANSWER_MAX];
    struct buf b = BUF_INIT(text), answer = BUF_INIT(said);
    struct addr from = { 0 };
    static const struct ice_conf none;
    (void)state;
    stun_begin(&b, STUN_BINDING_RESPONSE, SPAN(COOKIE ID));
    stun_put(&b, STUN_USERNAME, SPAN("ours1234:theirs"));
    stun_put_integrity(&b, span_str(conf.pwd));
    assert_int_equal(ice_answer(&conf, buf_span(&b), &from, &answer), ICE_NOTHING);
    text[0] = 0; /* a request, which was not proved */
    assert_int_equal(ice_answer(&conf, buf_span(&b), &from, &answer), ICE_NOTHING);
    assert_int_equal(ice_answer(&none, buf_span(&b), &from, &answer), ICE_NOTHING);
    assert_int_equal(ice_answer(&conf, SPAN(""), &from, &answer), ICE_NOTHING);
    assert_int_equal(answer.n, 0);
}

/* RFC 8489, 14.5 */
static void test_behind_the_proof_nothing_counts(void **state)
{
    char text[256], said[ICE_ANSWER_MAX];
    struct buf b = BUF_INIT(text), answer = BUF_INIT(said);
    struct addr from;
    (void)state;
    assert_int_equal(addr_parse(SPAN("192.0.2.1:1"), 0, &from), 0);
    stun_begin(&b, STUN_BINDING_REQUEST, SPAN(COOKIE ID));
    stun_put(&b, STUN_USERNAME, SPAN("ours1234:theirs"));
    stun_put_integrity(&b, span_str(conf.pwd));
    stun_put(&b, STUN_USE_CANDIDATE, SPAN(""));
    assert_int_equal(ice_answer(&conf, buf_span(&b), &from, &answer), ICE_VALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_proves_what),
        cmocka_unit_test(test_what_is_no_request_gets_no_answer),
        cmocka_unit_test(test_behind_the_proof_nothing_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
