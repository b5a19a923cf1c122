#include <stdio.h>

#include "lib/test.h"
#include "registrar/config.h"

static const char head[] =
    "authd: { socket: a.sock }\nredis: { socket: r.sock }\n"
    "domains: [example.com]\n"
    "listeners: [{ name: udp, transport: udp, address: \"127.0.0.1:5060\" }]\n";

static struct arena arena;
static char said[4096];

static void hear(void *arg, const char *line)
{
    (void)arg;
    size_t n = strlen(said);
    snprintf(said + n, sizeof(said) - n, "%s\n", line);
}

static int read_conf(const char *routes, struct registrar_conf *out)
{
    char text[8192];
    said[0] = 0;
    arena_fini(&arena);
    arena_init(&arena, NULL, 0, 0);
    snprintf(text, sizeof(text), "%s%s", head, routes);
    return conf_parse(span_str(text), "r.yaml", &registrar_conf_section, &arena, out, hear, NULL);
}

static void test_the_first_that_fits_is_taken(void **state)
{
    static const struct {
        const char *aor, *want;
    } rows[] = {
        { "sip:%2B49@x.test", "germany" },  { "sip:%2@x.test", "" },
        { "sip:+49123@x.test", "germany" }, { "sip:0049123@example.com", "germany" },
        { "sip:+1900@x.test", "premium" },  { "sip:+1@x.test", "rest" },
        { "sip:bob@TRUNK.test", "trunk" },  { "sip:+49@trunk.test", "germany" },
        { "sip:trunk.test", "trunk" },      { "sip:bob@other.test", "" },
        { "sip:a@b@trunk.test", "trunk" },
    };
    struct registrar_conf c;
    (void)state;
    assert_int_equal(
        read_conf(
            "routes:\n"
            "  - { name: germany, users: [\"+49\", \"0049\"], next_hops: [\"sip:a\"] }\n"
            "  - { name: premium, users: [\"+1900\"], refuse: 403 }\n"
            "  - { name: rest, users: [\"+\"], next_hops: [b2bua-1, \"sip:b;transport=tcp\"] }\n"
            "  - { name: trunk, domains: [trunk.test], next_hops: [\"sips:c:5071\"] }\n",
            &c),
        0);
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        const struct route_conf *r = route_find(c.routes, c.n_routes, span_str(rows[i].aor));
        if (!span_eq(r ? r->name : SPAN(""), span_str(rows[i].want)))
            print_error("%s: " SPAN_FMT "\n", rows[i].aor, SPAN_ARG(r ? r->name : SPAN("")));
        assert_span(r ? r->name : SPAN(""), rows[i].want);
    }
    assert_int_equal(c.routes[1].refuse, 403);
    assert_int_not_equal(c.routes[2].hops[0].node, 0);
    assert_int_equal(c.routes[2].hops[1].node, 0);
    assert_span(c.routes[2].hops[1].uri.host, "b");
}

static void test_mistakes_are_told(void **state)
{
    static const struct {
        const char *route, *want;
    } rows[] = {
        { "{ name: a }", "a route has next_hops or refuse" },
        { "{ name: a, refuse: 403, next_hops: [x] }", "a route has next_hops or refuse" },
        { "{ name: a, refuse: 200 }", "200 is no refusal; write 403" },
        { "{ name: a, next_hops: [\"tel:+49\"] }", "neither a SIP URI nor the name of a node" },
        { "{ name: a, next_hops: [\"sip:\"] }", "neither a SIP URI" },
        { "{ name: a, next_hops: [x], domains: [\"a b\"] }", "is no host name" },
    };
    struct registrar_conf c;
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        char text[512];
        snprintf(text, sizeof(text), "routes: [%s]\n", rows[i].route);
        assert_int_equal(read_conf(text, &c), CS_ECONF);
        if (!strstr(said, rows[i].want))
            print_error("%s", said);
        assert_non_null(strstr(said, rows[i].want));
        assert_non_null(strstr(said, "r.yaml:5: routes[0]"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_that_fits_is_taken),
        cmocka_unit_test(test_mistakes_are_told),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&arena);
    return failed;
}
