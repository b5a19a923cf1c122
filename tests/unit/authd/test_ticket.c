#include "authd/check/ticket.h"

#include <stdlib.h>

#include "base/buf.h"
#include "lib/test.h"

#define K1 "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define K2 "2:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

static const struct wall now = { 1700000000000 };

static struct tickets *of(const char *keys)
{
    struct tickets *t;
    assert_int_equal(tickets_new(span_str(keys), &t), 0);
    return t;
}

static struct ticket sample(void)
{
    return (struct ticket){ .aor = SPAN("sip:gr\xc3\xbc\xc3\x9f@example.com"),
                            .user = SPAN("alice"),
                            .realm = SPAN("example.com"),
                            .scope = SPAN("register call"),
                            .jti = SPAN("their \"id\""),
                            .iat = 1699999999,
                            .use_until = 1700000030,
                            .until = 1700003600 };
}

static struct span minted(struct tickets *t, struct ticket *ticket, struct arena *a)
{
    struct span text;
    *ticket = sample();
    assert_int_equal(ticket_mint(t, ticket, a, &text), 0);
    return text;
}

static void test_any_node_with_the_key_reads_what_another_gave(void **state)
{
    struct arena a;
    struct ticket given, got, other;
    struct tickets *one = of(K1), *two = of(K2 K1), *stranger = of(K2);
    (void)state;
    arena_init(&a, NULL, 0, 0);
    struct span text = minted(one, &given, &a);
    assert_int_equal(given.id.n, TICKET_ID_LEN);
    assert_int_equal(ticket_open(two, text, now, &a, &got), CAUSE(OK));
    assert_true(span_eq(got.id, given.id) && span_eq(got.aor, given.aor));
    assert_span(got.user, "alice");
    assert_span(got.realm, "example.com");
    assert_span(got.scope, "register call");
    assert_span(got.jti, "their \"id\"");
    assert_false(got.issuer.p || got.iss.p || got.sub.p || got.sid.p);
    assert_true(got.iat == given.iat && got.use_until == given.use_until &&
                got.until == given.until);
    assert_int_equal(ticket_open(stranger, text, now, &a, &got), CAUSE(TICKET_INVALID));
    assert_null(got.aor.p);
    minted(one, &other, &a);
    assert_false(span_eq(given.id, other.id));
    arena_fini(&a);
    tickets_free(&one);
    tickets_free(&two);
    tickets_free(&stranger);
}

static void test_an_altered_ticket_is_none(void **state)
{
    struct arena a;
    struct ticket given, got;
    struct tickets *t = of(K1);
    (void)state;
    arena_init(&a, NULL, 0, 0);
    struct span text = minted(t, &given, &a);
    char *copy = (char *)arena_dup(&a, text).p;
    for (size_t i = 0; i < text.n; i++) {
        /* The last letter of a part may hold bits that mean nothing. */
        if (text.p[i] == '.' || i + 1 == text.n || text.p[i + 1] == '.')
            continue;
        copy[i] = text.p[i] == 'A' ? 'B' : 'A';
        if (ticket_open(t, span_of(copy, text.n), now, &a, &got) != CAUSE(TICKET_INVALID))
            fail_msg("byte %zu", i);
        copy[i] = text.p[i];
        assert_int_equal(ticket_open(t, span_head(text, i), now, &a, &got), CAUSE(TICKET_INVALID));
    }
    arena_fini(&a);
    tickets_free(&t);
}

static void test_what_is_no_ticket_is_refused(void **state)
{
    static const struct span texts[] = {
        SPAN_INIT(""),
        SPAN_INIT("."),
        SPAN_INIT(".."),
        SPAN_INIT("..."),
        SPAN_INIT("a.b.c"),
        SPAN_INIT("e30.e30."),
        SPAN_INIT("eyJhbGciOiJub25lIn0.e30."),
        SPAN_INIT("eyJhbGciOiJub25lIn0.e30.AAAA"),
        SPAN_INIT("eyJhbGciOiJIUzI1NiJ9.e30.AAAA"),
        SPAN_INIT("eyJhbGciOiJIUzI1NiJ9.e30\0.AAAA"),
    };
    struct arena a;
    struct ticket got;
    struct tickets *t = of(K1);
    char long_[TICKET_MAX + 1];
    (void)state;
    arena_init(&a, NULL, 0, 0);
    for (size_t i = 0; i < CS_LEN(texts); i++)
        assert_int_equal(ticket_open(t, texts[i], now, &a, &got), CAUSE(TICKET_INVALID));
    memset(long_, 'A', sizeof(long_));
    assert_int_equal(ticket_open(t, span_of(long_, sizeof(long_)), now, &a, &got),
                     CAUSE(TICKET_INVALID));
    arena_fini(&a);
    tickets_free(&t);
}

static void test_a_ticket_ends(void **state)
{
    struct arena a;
    struct ticket given, got;
    struct tickets *t = of(K1);
    (void)state;
    arena_init(&a, NULL, 0, 0);
    struct span text = minted(t, &given, &a);
    assert_int_equal(ticket_open(t, text, (struct wall){ 1700003599999 }, &a, &got), CAUSE(OK));
    assert_int_equal(ticket_open(t, text, (struct wall){ 1700003600000 }, &a, &got),
                     CAUSE(TOKEN_EXPIRED));
    arena_fini(&a);
    tickets_free(&t);
}

static void test_the_reply_of_redis_says_whose_it_is(void **state)
{
    const struct redis_reply mine = { .type = REDIS_STRING, .str = SPAN("flow-1") },
                             nobodys = { .type = REDIS_NIL }, wrong = { .type = REDIS_ERROR };
    const struct wall soon = { 1700000029999 }, late = { 1700000030000 };
    struct ticket k = sample(), other = sample();
    struct tickets *t = of(K1);
    (void)state;
    k.id = SPAN("k");
    other.id = SPAN("other");
    assert_int_equal(ticket_judge(t, &k, SPAN("flow-1"), NULL, soon), CAUSE(STORE_UNAVAILABLE));
    assert_int_equal(ticket_judge(t, &k, SPAN("flow-1"), &wrong, soon), CAUSE(STORE_UNAVAILABLE));
    assert_int_equal(ticket_judge(t, &k, SPAN("flow-1"), &nobodys, late), CAUSE(TICKET_EXPIRED));
    /* It was to be written before it was read. */
    assert_int_equal(ticket_judge(t, &k, SPAN("flow-1"), &nobodys, soon), CAUSE(STORE_UNAVAILABLE));
    assert_int_equal(ticket_judge(t, &k, SPAN("flow-2"), &mine, soon), CAUSE(TICKET_USED));
    assert_false(ticket_is_known(t, &k, SPAN("flow-1")));
    assert_int_equal(ticket_judge(t, &k, SPAN("flow-1"), &mine, soon), CAUSE(OK));
    assert_true(ticket_is_known(t, &k, SPAN("flow-1")));
    assert_false(ticket_is_known(t, &k, SPAN("flow-2")));
    assert_false(ticket_is_known(t, &other, SPAN("flow-1")));
    tickets_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_node_with_the_key_reads_what_another_gave),
        cmocka_unit_test(test_an_altered_ticket_is_none),
        cmocka_unit_test(test_what_is_no_ticket_is_refused),
        cmocka_unit_test(test_a_ticket_ends),
        cmocka_unit_test(test_the_reply_of_redis_says_whose_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
