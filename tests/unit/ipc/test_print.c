#include "ipc/ipc.h"
#include "lib/test.h"
#include "proto/codec.h"

static const char *printed(const ProtobufCMessage *msg)
{
    static char text[2048];
    struct buf b = buf_of(text, sizeof(text) - 1);
    ipc_print(&b, msg);
    assert_true(buf_ok(&b));
    text[b.n] = '\0';
    return text;
}

static void test_secrets_are_masked_and_the_rest_is_readable(void **state)
{
    (void)state;
    Countersign__Auth__DigestCredentials d = COUNTERSIGN__AUTH__DIGEST_CREDENTIALS__INIT;
    Countersign__Auth__DigestCredentials *list[] = { &d, &d };
    Countersign__Auth__Check check = COUNTERSIGN__AUTH__CHECK__INIT;
    Countersign__Auth__ToAuthd msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    char method[] = "REGISTER", user[] = "bo\"b\n", nonce[] = "planted-1", response[] = "planted";
    char bearer[] = "planted token";
    unsigned char ip[] = { 127, 0, 0, 1 };
    unsigned char body[] = "v=0\r\n";
    d.username = user;
    d.nonce_secret = nonce;
    d.response_secret = response;
    d.has_proxy = true;
    check.id = 18446744073709551615u;
    check.method = method;
    check.has_transport = true;
    check.transport = COUNTERSIGN__AUTH__TRANSPORT__TLS;
    check.has_source_ip = true;
    check.source_ip = (ProtobufCBinaryData){ sizeof(ip), ip };
    check.has_body = true;
    check.body = (ProtobufCBinaryData){ sizeof(body) - 1, body };
    check.digest = list;
    check.n_digest = 2;
    check.bearer_secret = bearer;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_CHECK;
    msg.check = &check;
    const char *text = printed(&msg.base);
    assert_string_equal(
        text, "ToAuthd{check{id=18446744073709551615 transport=TLS source_ip=7f000001 "
              "method=\"REGISTER\" body=\"v=0\\u000d\\u000a\" "
              "digest=[{proxy=false username=\"bo\\\"b\\u000a\" nonce_secret=<9 bytes> "
              "response_secret=<7 bytes>}, {proxy=false username=\"bo\\\"b\\u000a\" "
              "nonce_secret=<9 bytes> response_secret=<7 bytes>}] bearer_secret=<13 bytes>}}");
    assert_null(strstr(text, "planted"));
}

static void test_the_nonce_of_a_challenge_is_masked(void **state)
{
    (void)state;
    Countersign__Auth__FromAuthd msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    Countersign__Auth__Verdict v = COUNTERSIGN__AUTH__VERDICT__INIT;
    char one[] = "Digest realm=\"r\", nonce=\"planted\", qop=\"auth\"",
         two[] = "Digest nonce=\"plan";
    char *challenges[] = { one, two };
    v.challenge = challenges;
    v.n_challenge = 2;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_VERDICT;
    msg.verdict = &v;
    const char *text = printed(&msg.base);
    assert_non_null(strstr(text,
                           "\"Digest realm=\\\"r\\\", nonce=\\\"<7 bytes>\\\", qop=\\\"auth\\\"\", "
                           "\"Digest nonce=\\\"<4 bytes>\"]"));
    assert_null(strstr(text, "plan"));
}

static void test_absent_and_unknown_values_are_told_apart(void **state)
{
    (void)state;
    Countersign__Auth__FromAuthd msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    Countersign__Auth__Verdict v = COUNTERSIGN__AUTH__VERDICT__INIT;
    char one[] = "Digest a", *challenges[] = { one, one };
    assert_string_equal(printed(&msg.base), "FromAuthd{}");
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_VERDICT;
    msg.verdict = &v;
    v.kind = 99; /* of a newer authd */
    v.has_cause = true;
    v.cause = COUNTERSIGN__AUTH__CAUSE__NONCE_STALE;
    v.challenge = challenges;
    v.n_challenge = 2;
    assert_string_equal(printed(&msg.base), "FromAuthd{verdict{id=0 kind=99 cause=NONCE_STALE "
                                            "challenge=[\"Digest a\", \"Digest a\"]}}");
}

static void test_fields_of_a_newer_version_are_counted_not_shown(void **state)
{
    (void)state;
    /* Cancel{id = 7} and field 100, a string. */
    const struct span packed = SPAN("\x08\x07\xa2\x06\x06hidden");
    ProtobufCMessage *msg = protobuf_c_message_unpack(&countersign__auth__cancel__descriptor, NULL,
                                                      packed.n, (const uint8_t *)packed.p);
    assert_non_null(msg);
    assert_string_equal(printed(msg), "Cancel{id=7 <1 unknown fields>}");
    protobuf_c_message_free_unpacked(msg, NULL);
}

static void test_a_line_that_does_not_fit_sticks(void **state)
{
    (void)state;
    Countersign__Auth__Cancel msg = COUNTERSIGN__AUTH__CANCEL__INIT;
    char text[8];
    struct buf b = BUF_INIT(text);
    ipc_print(&b, &msg.base);
    assert_false(buf_ok(&b));
}

static void test_a_frame_is_taken_only_when_whole(void **state)
{
    (void)state;
    static const char bytes[] = "\0\0\0\3abc\0\0\0\1d";
    struct span frame;
    for (size_t n = 0; n < 7; n++)
        assert_int_equal(ipc_frame(span_of(bytes, n), &frame), 0);
    assert_int_equal(ipc_frame(span_of(bytes, 12), &frame), 7);
    assert_true(span_eq(frame, SPAN("abc")));
    assert_int_equal(ipc_frame(span_of(bytes + 7, 5), &frame), 5);
    assert_true(span_eq(frame, SPAN("d")));
    assert_int_equal(ipc_frame(SPAN("\0\2\0\0"), &frame), 0);
    assert_int_equal(ipc_frame(SPAN("\0\2\0\1"), &frame), CS_EPROTO);
    assert_int_equal(ipc_frame(SPAN("\377\377\377\377"), &frame), CS_EPROTO);
    assert_null(frame.p);
}

static void test_unpacking_without_memory_fails_cleanly(void **state)
{
    (void)state;
    Countersign__Auth__Check check = COUNTERSIGN__AUTH__CHECK__INIT;
    Countersign__Auth__DigestCredentials d = COUNTERSIGN__AUTH__DIGEST_CREDENTIALS__INIT;
    Countersign__Auth__DigestCredentials *list[] = { &d, &d, &d };
    unsigned char packed[16384];
    char text[4001];
    memset(text, 'x', 4000);
    text[4000] = '\0';
    d.username = text;
    check.digest = list;
    check.n_digest = 3;
    size_t n = protobuf_c_message_pack(&check.base, packed);
    bool enough = false;
    for (long blocks = 0; !enough && blocks < 50; blocks++) {
        struct arena a;
        arena_init(&a, NULL, 0, 0);
        arena_fail_after(blocks);
        enough =
            proto_unpack(&countersign__auth__check__descriptor, span_of(packed, n), &a) != NULL;
        arena_fail_after(-1);
        arena_fini(&a);
    }
    assert_true(enough);
}

static void test_a_challenge_of_a_trunk_hides_what_it_may(void **state)
{
    (void)state;
    Countersign__Auth__ToAuthd msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    Countersign__Auth__Sign sign = COUNTERSIGN__AUTH__SIGN__INIT;
    char one[] = "Digest Nonce = \"planted\", realm=\"r\", NONCE=planted,opaque=o",
         two[] = "digest nonce=planted", trunk[] = "t";
    char *challenges[] = { one, two };
    unsigned char body[] = "a=crypto:1 planted";
    sign.id = 1;
    sign.trunk = trunk;
    sign.challenge = challenges;
    sign.n_challenge = 2;
    sign.has_body_secret = true;
    sign.body_secret = (ProtobufCBinaryData){ sizeof(body) - 1, body };
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_SIGN;
    msg.sign = &sign;
    assert_string_equal(printed(&msg.base),
                        "ToAuthd{sign{id=1 trunk=\"t\" body_secret=<18 bytes> "
                        "challenge=[\"Digest Nonce = \\\"<7 bytes>\\\", realm=\\\"r\\\", "
                        "NONCE=<7 bytes>,opaque=o\", \"digest nonce=<7 bytes>\"]}}");
    Countersign__Auth__FromAuthd from = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    Countersign__Auth__Signed answer = COUNTERSIGN__AUTH__SIGNED__INIT;
    char value[] = "Digest planted";
    answer.id = 1;
    answer.value_secret = value;
    from.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_SIGNED;
    from.signed_ = &answer;
    assert_string_equal(printed(&from.base), "FromAuthd{signed{id=1 value_secret=<14 bytes>}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_challenge_of_a_trunk_hides_what_it_may),
        cmocka_unit_test(test_secrets_are_masked_and_the_rest_is_readable),
        cmocka_unit_test(test_the_nonce_of_a_challenge_is_masked),
        cmocka_unit_test(test_absent_and_unknown_values_are_told_apart),
        cmocka_unit_test(test_fields_of_a_newer_version_are_counted_not_shown),
        cmocka_unit_test(test_a_line_that_does_not_fit_sticks),
        cmocka_unit_test(test_a_frame_is_taken_only_when_whole),
        cmocka_unit_test(test_unpacking_without_memory_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
