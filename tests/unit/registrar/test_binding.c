#include "registrar/binding.h"

#include <stdio.h>

#include "lib/test.h"

#define STORE(name) Countersign__Store__##name

/* A world in which REGISTERs arrive one after the other and each is committed. */
struct world {
    struct arena arena;
    STORE(Location) * record;
    struct wall now;
    uint32_t max_contacts;
    struct register_answer answer;
    struct span path, gruu_aor;
    STORE(Token) * token;
};

static int setup(void **state)
{
    static struct world w;
    w = (struct world){ .now = { 1700000000000 } };
    arena_init(&w.arena, NULL, 0, 0);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    arena_fini(&w->arena);
    return 0;
}

/* Sends a REGISTER with these header lines; returns the status. */
static unsigned register_(struct world *w, const char *call_id, unsigned cseq, const char *lines)
{
    char text[4096];
    struct sip_msg *m;
    struct register_ask ask = { .now = w->now,
                                .expires_min = 60,
                                .expires_max = 7200,
                                .expires_default = 3600,
                                .max_contacts = w->max_contacts,
                                .flow = SPAN("token"),
                                .token = w->token,
                                .user = SPAN("alice@example.com") };
    const char *why;
    int n = snprintf(text, sizeof(text),
                     "REGISTER sip:example.com SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n"
                     "From: <sip:alice@example.com>;tag=1\r\n"
                     "To: <sip:alice@example.com>\r\n"
                     "Call-ID: %s\r\n"
                     "CSeq: %u REGISTER\r\n"
                     "%s"
                     "Content-Length: 0\r\n\r\n",
                     call_id, cseq, lines);
    assert_true(n > 0 && (size_t)n < sizeof(text));
    assert_int_equal(sip_msg_parse(span_of(text, (size_t)n), true, NULL, &m), 0);
    assert_int_equal(m->bad, 0);
    ask.call_id = arena_dup(&w->arena, m->call_id);
    ask.cseq = m->cseq;
    if (w->path.p) {
        ask.path = &w->path;
        ask.n_path = 1;
    }
    unsigned status = 400;
    if (binding_read_contacts(m, &w->arena, &ask, &why) == 0) {
        assert_int_equal(binding_apply(w->record, &ask, &w->arena, &w->answer), 0);
        status = w->answer.status;
        if (status == 200)
            w->record = w->answer.record;
        else
            assert_null(w->answer.record);
    }
    sip_msg_unref(&m);
    return status;
}

/* What the 200 would list, with lines joined by '|'. */
static const char *listed(struct world *w)
{
    static char text[4096];
    struct buf b = buf_of(text, sizeof(text) - 1);
    binding_write_contacts(&b, w->record, w->now, w->gruu_aor);
    assert_true(buf_ok(&b));
    text[b.n] = '\0';
    return text;
}

static void test_contact_param_beats_header_beats_default(void **state)
{
    struct world *w = *state;
    assert_int_equal(register_(w, "a", 1,
                               "Contact: <sip:a@192.0.2.1>;expires=100, <sip:b@192.0.2.1>\r\n"
                               "m: sip:c@192.0.2.1;q=0.5\r\n"
                               "Expires: 200\r\n"),
                     200);
    assert_string_equal(listed(w), "Contact: <sip:a@192.0.2.1>;expires=100\r\n"
                                   "Contact: <sip:b@192.0.2.1>;expires=200\r\n"
                                   "Contact: <sip:c@192.0.2.1>;expires=200;q=0.500\r\n");
    assert_true(w->answer.changed);
    assert_int_equal(register_(w, "a", 2, "Contact: <sip:a@192.0.2.1>\r\n"), 200);
    assert_non_null(strstr(listed(w), "<sip:a@192.0.2.1>;expires=3600\r\n"));
    assert_int_equal(w->record->n_binding, 3);
}

static void test_too_brief_is_423_below_an_hour_and_too_long_is_cut(void **state)
{
    struct world *w = *state;
    assert_int_equal(register_(w, "a", 1, "Contact: <sip:a@h>;expires=59\r\n"), 423);
    assert_null(w->record);
    assert_int_equal(register_(w, "a", 2, "Contact: <sip:a@h>;expires=60\r\n"), 200);
    assert_int_equal(register_(w, "a", 3, "Contact: <sip:a@h>;expires=999999\r\n"), 200);
    assert_string_equal(listed(w), "Contact: <sip:a@h>;expires=7200\r\n");
}

static void test_unreadable_expires_means_an_hour(void **state)
{
    struct world *w = *state;
    assert_int_equal(register_(w, "a", 1, "Contact: <sip:a@h>;expires=soon\r\n"), 200);
    assert_string_equal(listed(w), "Contact: <sip:a@h>;expires=3600\r\n");
}

static void test_a_binding_remembers_its_token_and_ends_with_it(void **state)
{
    struct world *w = *state;
    STORE(Token) token = COUNTERSIGN__STORE__TOKEN__INIT;
    token.jti = (char *)"id-1";
    token.has_exp_s = true;
    token.exp_s = (uint64_t)w->now.ms / 1000 + 100;
    w->token = &token;
    assert_int_equal(register_(w, "a", 1, "Contact: <sip:alice@192.0.2.1>;expires=90\r\n"), 200);
    assert_non_null(strstr(listed(w), "expires=90"));
    assert_string_equal(w->record->binding[0]->token->jti, "id-1");
    assert_int_equal(register_(w, "a", 2, "Contact: <sip:alice@192.0.2.1>;expires=600\r\n"), 200);
    assert_non_null(strstr(listed(w), "expires=100"));
    token.exp_s += 300; /* a fresh one extends it */
    assert_int_equal(register_(w, "a", 3, "Contact: <sip:alice@192.0.2.1>;expires=600\r\n"), 200);
    assert_non_null(strstr(listed(w), "expires=400"));
    w->token = NULL;
    assert_int_equal(register_(w, "a", 4, "Contact: <sip:alice@192.0.2.1>;expires=600\r\n"), 200);
    assert_null(w->record->binding[0]->token);
}

static void test_all_or_nothing(void **state)
{
    struct world *w = *state;
    assert_int_equal(register_(w, "a", 1, "Contact: <sip:a@h>, <sip:b@h>;expires=5\r\n"), 423);
    assert_null(w->record);
    assert_int_equal(register_(w, "a", 2, "Contact: <sip:a@h>\r\n"), 200);
    assert_int_equal(register_(w, "a", 2, "Contact: <sip:new@h>, <sip:a@h>\r\n"), 500);
    assert_string_equal(listed(w), "Contact: <sip:a@h>;expires=3600\r\n");
}

static void test_overtaken_cseq_of_one_call_id_is_refused(void **state)
{
    struct world *w = *state;
    assert_int_equal(register_(w, "a", 5, "Contact: <sip:a@h>\r\n"), 200);
    assert_int_equal(register_(w, "a", 5, "Contact: <sip:a@h>\r\n"), 500);
    assert_int_equal(register_(w, "a", 4, "Contact: <sip:a@h>;expires=0\r\n"), 500);
    assert_int_equal(register_(w, "a", 4, "Contact: *\r\nExpires: 0\r\n"), 500);
    assert_int_equal(w->record->n_binding, 1);
    assert_int_equal(register_(w, "b", 1, "Contact: <sip:a@h>;expires=0\r\n"), 200);
    assert_int_equal(w->record->n_binding, 0);
}

static void test_star_removes_all_and_wants_expires_zero_alone(void **state)
{
    struct world *w = *state;
    assert_int_equal(register_(w, "a", 1, "Contact: <sip:a@h>, <sip:b@h>\r\n"), 200);
    assert_int_equal(register_(w, "a", 2, "Contact: *\r\n"), 400);
    assert_int_equal(register_(w, "a", 2, "Contact: *\r\nExpires: 10\r\n"), 400);
    assert_int_equal(register_(w, "a", 2, "Contact: *, <sip:c@h>\r\nExpires: 0\r\n"), 400);
    assert_int_equal(w->record->n_binding, 2);
    assert_int_equal(register_(w, "a", 2, "Contact: *\r\nExpires: 0\r\n"), 200);
    assert_int_equal(w->record->n_binding, 0);
    assert_true(w->answer.changed);
}

static void test_query_changes_nothing(void **state)
{
    struct world *w = *state;
    assert_int_equal(register_(w, "a", 1, ""), 200);
    assert_false(w->answer.changed);
    assert_int_equal(register_(w, "a", 2, "Contact: <sip:a@h>\r\n"), 200);
    w->now.ms += 1500;
    assert_int_equal(register_(w, "a", 3, ""), 200);
    assert_false(w->answer.changed);
    assert_string_equal(listed(w), "Contact: <sip:a@h>;expires=3599\r\n");
    assert_int_equal(register_(w, "a", 4, "Contact: <sip:nobody@h>;expires=0\r\n"), 200);
    assert_false(w->answer.changed);
}

static void test_expired_bindings_are_gone(void **state)
{
    struct world *w = *state;
    assert_int_equal(
        register_(w, "a", 1, "Contact: <sip:a@h>;expires=60, <sip:b@h>;expires=120\r\n"), 200);
    w->now.ms += 60000;
    assert_string_equal(listed(w), "Contact: <sip:b@h>;expires=60\r\n");
    assert_int_equal(register_(w, "a", 2, "Contact: <sip:c@h>\r\n"), 200);
    assert_int_equal(w->record->n_binding, 2);
}

static void test_same_uri_by_comparison_is_one_binding(void **state)
{
    struct world *w = *state;
    assert_int_equal(register_(w, "a", 1, "Contact: <sip:a@EXAMPLE.com:5070;transport=tcp>\r\n"),
                     200);
    assert_int_equal(register_(w, "a", 2, "Contact: <sip:%61@example.com:5070;transport=TCP>\r\n"),
                     200);
    assert_int_equal(w->record->n_binding, 1);
    assert_int_equal(register_(w, "a", 3, "Contact: <sip:a@example.com;transport=tcp>\r\n"), 200);
    assert_int_equal(w->record->n_binding, 2);
}

static void test_instance_and_reg_id_replace_the_older_flow(void **state)
{
    struct world *w = *state;
    assert_int_equal(register_(w, "a", 1,
                               "Contact: <sip:a@192.0.2.1:1>;reg-id=1;"
                               "+sip.instance=\"<urn:uuid:1>\";x=\";q\"\r\n"),
                     200);
    assert_int_equal(register_(w, "b", 1,
                               "Contact: <sip:a@192.0.2.9:9>;reg-id=1;"
                               "+sip.instance=\"<urn:uuid:1>\"\r\n"),
                     200);
    assert_string_equal(listed(w), "Contact: <sip:a@192.0.2.9:9>;expires=3600;"
                                   "+sip.instance=\"<urn:uuid:1>\";reg-id=1\r\n");
    assert_int_equal(register_(w, "b", 2,
                               "Contact: <sip:a@h>;reg-id=1;+sip.instance=\"<u>\", "
                               "<sip:b@h>;reg-id=2;+sip.instance=\"<u>\"\r\n"),
                     400);
}

static void test_a_phone_without_flows_leaves_no_ghost_of_itself(void **state)
{
    struct world *w = *state;
    const char *instance = ";+sip.instance=\"<urn:uuid:1>\"\r\n";
    char lines[200];
    for (unsigned i = 1; i <= 3; i++) { /* each time as after a restart */
        char call_id[2] = { (char)('a' + i), 0 };
        snprintf(lines, sizeof(lines), "Contact: <sip:a@192.0.2.%u>%s", i, instance);
        assert_int_equal(register_(w, call_id, 1, lines), 200);
        assert_int_equal(w->record->n_binding, 1);
    }
    assert_non_null(strstr(listed(w), "192.0.2.3"));
    w->gruu_aor = SPAN("sip:alice@example.com");
    assert_non_null(strstr(listed(w), ";pub-gruu=\"sip:alice@example.com;gr=urn:uuid:1\""));
    w->gruu_aor = SPAN_NULL;
    assert_int_equal(
        register_(w, "x", 1, "Contact: <sip:b@h>;+sip.instance=\"<urn:uuid:2>\", <sip:c@h>\r\n"),
        200);
    assert_int_equal(w->record->n_binding, 3);
    snprintf(lines, sizeof(lines), "Contact: <sip:second@h>%s", instance);
    assert_int_equal(register_(w, "d", 2, lines), 200); /* the Call-ID of the first one */
    assert_int_equal(w->record->n_binding, 4);
}

static void test_parameters_of_others_come_back_verbatim(void **state)
{
    struct world *w = *state;
    assert_int_equal(
        register_(w, "a", 1,
                  "Contact: \"A;B\" <sip:a@h>;audio;methods=\"INVITE;BYE\";expires=70\r\n"),
        200);
    assert_string_equal(listed(w),
                        "Contact: <sip:a@h>;expires=70;audio;methods=\"INVITE;BYE\"\r\n");
}

static void test_contact_limit_refuses_more_and_keeps_what_is(void **state)
{
    struct world *w = *state;
    w->max_contacts = 2;
    assert_int_equal(register_(w, "a", 1, "Contact: <sip:a@h>, <sip:b@h>\r\n"), 200);
    assert_int_equal(register_(w, "a", 2, "Contact: <sip:c@h>\r\n"), 503);
    assert_int_equal(w->record->n_binding, 2);
    assert_int_equal(register_(w, "a", 3, "Contact: <sip:c@h>, <sip:a@h>;expires=0\r\n"), 200);
    w->max_contacts = 1; /* it was lowered */
    assert_int_equal(register_(w, "a", 4, "Contact: <sip:c@h>\r\n"), 200);
    assert_int_equal(register_(w, "a", 5, "Contact: <sip:d@h>, <sip:c@h>;expires=0\r\n"), 200);
    assert_int_equal(register_(w, "a", 6, "Contact: <sip:e@h>\r\n"), 503);
    assert_int_equal(register_(w, "a", 7, "Contact: <sip:d@h>;expires=0\r\n"), 200);
    assert_int_equal(w->record->n_binding, 1);
    assert_int_equal(register_(w, "a", 8, "Contact: <sip:e@h>\r\n"), 503);
}

static void test_malformed_contacts_are_refused(void **state)
{
    static const char *const bad[] = {
        "Contact: <sip:a@h>;q=1.1\r\n",    "Contact: <sip:a@h>;q=x\r\n",
        "Contact: <mailto:a@h>\r\n",       "Contact: <sip:a@h>, <sip:a@h>\r\n",
        "Contact: <sip:a@h>;reg-id=0\r\n", "Contact: <sip:a@h>;+sip.instance=bare\r\n",
        "Contact: <sip:a@h\r\n",           "Contact: tel:+123\r\n",
    };
    struct world *w = *state;
    for (size_t i = 0; i < CS_LEN(bad); i++)
        assert_int_equal(register_(w, "a", 1, bad[i]), 400);
}

static void test_path_and_flow_are_stored(void **state)
{
    struct world *w = *state;
    w->path = SPAN("<sip:edge@192.0.2.7;lr>");
    assert_int_equal(register_(w, "a", 1, "Contact: <sip:a@h>\r\n"), 200);
    assert_int_equal(w->record->binding[0]->n_path, 1);
    assert_string_equal(w->record->binding[0]->path[0], "<sip:edge@192.0.2.7;lr>");
    assert_string_equal(w->record->binding[0]->flow, "token");
    assert_string_equal(w->record->binding[0]->user, "alice@example.com");
}

static void test_a_request_uri_has_no_method_and_no_headers(void **state)
{
    struct world *w = *state;
    static const char *const pairs[][2] = {
        { "sip:a@h:5070;transport=tcp", "sip:a@h:5070;transport=tcp" },
        { "sip:a@h?Subject=x", "sip:a@h" },
        { "sip:a@h;method=INVITE", "sip:a@h" },
        { "sip:a@h;Method=INVITE;ob", "sip:a@h;ob" },
        { "sip:a;b@h;x=method;methods=y;method=BYE;lr?a=b&method=c",
          "sip:a;b@h;x=method;methods=y;lr" },
    };
    for (size_t i = 0; i < CS_LEN(pairs); i++) {
        STORE(Binding) b = COUNTERSIGN__STORE__BINDING__INIT;
        b.contact = (char *)pairs[i][0];
        struct span uri = binding_request_uri(&b, SIP_SCHEME_SIP, &w->arena);
        assert_span(uri, pairs[i][1]);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_contact_param_beats_header_beats_default),
        T(test_too_brief_is_423_below_an_hour_and_too_long_is_cut),
        T(test_unreadable_expires_means_an_hour),
        T(test_a_binding_remembers_its_token_and_ends_with_it),
        T(test_all_or_nothing),
        T(test_overtaken_cseq_of_one_call_id_is_refused),
        T(test_star_removes_all_and_wants_expires_zero_alone),
        T(test_query_changes_nothing),
        T(test_expired_bindings_are_gone),
        T(test_same_uri_by_comparison_is_one_binding),
        T(test_instance_and_reg_id_replace_the_older_flow),
        T(test_a_phone_without_flows_leaves_no_ghost_of_itself),
        T(test_parameters_of_others_come_back_verbatim),
        T(test_contact_limit_refuses_more_and_keeps_what_is),
        T(test_malformed_contacts_are_refused),
        T(test_path_and_flow_are_stored),
        T(test_a_request_uri_has_no_method_and_no_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
