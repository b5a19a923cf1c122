#include "registrar/route_token.h"

#include "lib/test.h"

static struct route_key key, other;

static int keys_init(void **state)
{
    (void)state;
    assert_int_equal(route_key_init(&key, SPAN("one")), 0);
    return route_key_init(&other, SPAN("two"));
}

static int keys_fini(void **state)
{
    (void)state;
    route_key_fini(&key);
    route_key_fini(&other);
    return 0;
}

/* What a request says that matters here. */
static struct sip_msg request(const char *call_id, const char *from_tag, const char *to_tag)
{
    return (struct sip_msg){ .call_id = span_str(call_id),
                             .from = { .tag = span_str(from_tag) },
                             .to = { .tag = span_str(to_tag) } };
}

static struct span made(char *text, size_t cap)
{
    struct sip_msg invite = request("call-1", "alice", NULL);
    struct buf b = buf_of(text, cap);
    route_token_write(&b, &key, SPAN("FLOW-A"), SPAN("FLOW_B"), &invite);
    assert_true(buf_ok(&b));
    return buf_span(&b);
}

static void test_each_side_is_led_to_the_other(void **state)
{
    (void)state;
    char text[128];
    struct span token = made(text, sizeof(text)), to, from;
    struct sip_msg of_caller = request("call-1", "alice", "bob");
    struct sip_msg of_callee = request("call-1", "bob", "alice");
    assert_int_equal(route_token_read(token, &key, &of_caller, &to, &from), 0);
    assert_span(to, "FLOW_B");
    assert_span(from, "FLOW-A");
    assert_int_equal(route_token_read(token, &key, &of_callee, &to, &from), 0);
    assert_span(to, "FLOW-A");
    assert_span(from, "FLOW_B");
}

static void test_another_dialog_is_not_served(void **state)
{
    (void)state;
    char text[128];
    struct span token = made(text, sizeof(text)), to, from;
    static const struct {
        const char *call_id, *from_tag, *to_tag;
    } others[] = {
        { "call-2", "alice", "bob" }, { "call-1", "mallory", "bob" }, { "call-1", "alice", NULL },
        { "call-1", "alice", "" },    { "call-1", NULL, NULL },       { "call-1", "", "bob" },
        { "call-", "1alice", "bob" }, { "", "call-1alice", "bob" },
    };
    for (size_t i = 0; i < CS_LEN(others); i++) {
        struct sip_msg m = request(others[i].call_id, others[i].from_tag, others[i].to_tag);
        assert_int_equal(route_token_read(token, &key, &m, &to, &from), CS_EPROTO);
        assert_null(to.p);
    }
}

static void test_every_byte_counts(void **state)
{
    (void)state;
    char text[128];
    struct span token = made(text, sizeof(text)), to, from;
    struct sip_msg m = request("call-1", "alice", "bob");
    for (size_t i = 0; i < token.n; i++) {
        char was = text[i];
        text[i] = was == 'A' ? 'B' : 'A';
        int err = route_token_read(token, &key, &m, &to, &from);
        text[i] = was;
        if (i + 1 < token.n) /* of the last character only some bits are said */
            assert_int_equal(err, CS_EPROTO);
    }
    for (size_t n = 0; n < token.n; n++)
        assert_int_equal(route_token_read(span_head(token, n), &key, &m, &to, &from), CS_EPROTO);
    assert_int_equal(route_token_read(token, &other, &m, &to, &from), CS_EPROTO);
}

static void test_what_is_no_token_is_refused(void **state)
{
    (void)state;
    struct span to, from;
    struct sip_msg m = request("call-1", "alice", "bob");
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "x",
        "a.b.c",
        ".AAAAAAAAAAAAAA",
        "a.b.AAAAAAAAAAAAAA",
        "a.AAAAAAAAAAAAAA",
        "a.b.!!!!!!!!!!!!!!",
    };
    for (size_t i = 0; i < CS_LEN(bad); i++)
        assert_int_equal(route_token_read(span_str(bad[i]), &key, &m, &to, &from), CS_EPROTO);
    assert_int_equal(route_token_read(SPAN_NULL, &key, &m, &to, &from), CS_EPROTO);
}

static void test_no_room_is_said(void **state)
{
    (void)state;
    char text[27]; /* one byte less than it takes */
    struct sip_msg invite = request("call-1", "alice", NULL);
    struct buf b = BUF_INIT(text);
    route_token_write(&b, &key, SPAN("FLOW-A"), SPAN("FLOW_B"), &invite);
    assert_false(buf_ok(&b));
}

static void test_a_tag_names_its_instance_and_leaves_the_flow_as_it_was(void **state)
{
    char text[100], made[ROUTE_TAG_LEN];
    struct buf b = BUF_INIT(text), t = BUF_INIT(made);
    (void)state;
    buf_lit(&b, "flow");
    route_tag_write(&t, &key, SPAN_NULL);
    route_tag_put(&b, buf_span(&t));
    assert_true(span_eq(buf_span(&b), SPAN("flow")));
    route_tag_write(&t, &key, SPAN("<urn:uuid:1>"));
    assert_true(buf_ok(&t));
    assert_int_equal(t.n, ROUTE_TAG_LEN);
    route_tag_put(&b, buf_span(&t));
    struct span side = buf_span(&b), tag = route_tag_take(&side);
    assert_true(span_eq(side, SPAN("flow")));
    assert_true(span_eq(tag, buf_span(&t)));
    assert_true(route_tag_names(tag, &key, SPAN("<urn:uuid:1>")));
    assert_false(route_tag_names(tag, &key, SPAN("<urn:uuid:2>")));
    assert_false(route_tag_names(tag, &key, SPAN_NULL));
    assert_false(route_tag_names(tag, &other, SPAN("<urn:uuid:1>")));
    assert_false(route_tag_names(span_head(tag, 7), &key, SPAN("<urn:uuid:1>")));
    assert_null(route_tag_take(&side).p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_side_is_led_to_the_other),
        cmocka_unit_test(test_another_dialog_is_not_served),
        cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test(test_what_is_no_token_is_refused),
        cmocka_unit_test(test_no_room_is_said),
        cmocka_unit_test(test_a_tag_names_its_instance_and_leaves_the_flow_as_it_was),
    };
    return cmocka_run_group_tests(tests, keys_init, keys_fini);
}
