/* A real redis-server that speaks TLS and asks for certificates. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/pki.h"
#include "lib/redis_server.h"
#include "lib/run.h"
#include "lib/test.h"
#include "redis/redis.h"

static struct loop loop;
static struct redis_server server;
static struct pki ca, other_ca, server_pki, client_pki, stranger_pki;
static struct addr address;
static struct redis *r;
static size_t answers, changes;

static struct tls_context *context(const struct pki *own, const struct pki *trusted)
{
    struct tls_context *c;
    const struct tls_conf conf = { .role = TLS_CLIENT,
                                   .certificate_file = own ? own->certificate : NULL,
                                   .key_file = own ? own->key : NULL,
                                   .ca_file = trusted->certificate };
    assert_int_equal(tls_context_new(&conf, &c), 0);
    return c;
}

static void open_with(struct tls_context *tls, const char *name)
{
    const struct redis_conf conf = {
        .addr = address, .deadline = DURATION_S(1), .tls = tls, .server_name = name
    };
    assert_int_equal(redis_open(&loop, &conf, &r), 0);
    tls_context_unref(&tls);
}

static bool is_ready_soon(const struct redis *x, unsigned ms)
{
    for (unsigned i = 0; i < ms / 10 && !redis_is_ready(x); i++)
        run_for(&loop, 10);
    return redis_is_ready(x);
}

static int setup(void **state)
{
    (void)state;
    answers = changes = 0;
    return loop_init(&loop);
}

static int teardown(void **state)
{
    (void)state;
    redis_close(&r);
    return run_down(&loop) ? 0 : -1;
}

static void on_same(void *arg, const struct redis_reply *reply)
{
    assert_non_null(reply);
    assert_true(span_eq(reply->str, *(const struct span *)arg));
    answers++;
}

static void test_commands_go_through(void **state)
{
    size_t n = 1 << 20;
    char *data = malloc(n);
    (void)state;
    assert_non_null(data);
    memset(data, 'x', n);
    struct span value = span_of(data, n), ok = SPAN("OK");
    open_with(context(&client_pki, &ca), "redis.example");
    assert_true(is_ready_soon(r, 5000));
    redis_do(r, on_same, &ok, SPAN("SET"), SPAN("k"), value);
    for (int i = 0; i < 3; i++)
        redis_do(r, on_same, &value, SPAN("GET"), SPAN("k"));
    assert_true(run_until_count(&loop, &answers, 4, 5000));
    free(data);
}

static void on_change(void *arg, struct span key)
{
    (void)arg;
    changes += key.p != NULL;
}

static void test_a_watcher_hears_through_it(void **state)
{
    struct redis *watcher;
    struct tls_context *tls = context(&client_pki, &ca);
    const struct redis_conf conf = { .addr = address, .tls = tls }; /* known by its address */
    (void)state;
    assert_int_equal(redis_watch(&loop, &conf, "cs:", on_change, NULL, &watcher), 0);
    open_with(tls, NULL);
    assert_true(is_ready_soon(watcher, 5000));
    assert_true(is_ready_soon(r, 5000));
    redis_do(r, redis_ignore, NULL, SPAN("SET"), SPAN("cs:k"), SPAN("v"));
    assert_true(run_until_count(&loop, &changes, 1, 5000));
    redis_close(&watcher);
}

static void test_nobody_is_served_without_the_right_certificates(void **state)
{
    const struct {
        const struct pki *own, *trusted;
        const char *name;
    } wrong[] = {
        { &client_pki, &ca, "other.example" },
        { &client_pki, &other_ca, "redis.example" },
        { &stranger_pki, &ca, "redis.example" },
        { NULL, &ca, "redis.example" },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(wrong); i++) {
        open_with(context(wrong[i].own, wrong[i].trusted), wrong[i].name);
        assert_false(is_ready_soon(r, 150));
        redis_close(&r);
    }
    open_with(context(&client_pki, &ca), "redis.example");
    assert_true(is_ready_soon(r, 5000));
}

static int start(void **state)
{
    char port[16];
    unsigned tls_port = free_port();
    (void)state;
    ca = pki_authority("ca");
    other_ca = pki_authority("other-ca");
    server_pki = pki_certificate(&ca, "server", "DNS:redis.example,IP:127.0.0.1");
    client_pki = pki_certificate(&ca, "authd", "DNS:authd.example");
    stranger_pki = pki_certificate(&other_ca, "stranger", "DNS:authd.example");
    snprintf(port, sizeof(port), "%u", tls_port);
    redis_server_start(&server, (const char *const[]){
                                    "--tls-port", port, "--tls-cert-file", server_pki.certificate,
                                    "--tls-key-file", server_pki.key, "--tls-ca-cert-file",
                                    ca.certificate, "--tls-auth-clients", "yes", NULL });
    return addr_parse(SPAN("127.0.0.1"), (uint16_t)tls_port, &address);
}

static int stop(void **state)
{
    (void)state;
    redis_server_kill(&server);
    return 0;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_commands_go_through),
        TEST(test_a_watcher_hears_through_it),
        TEST(test_nobody_is_served_without_the_right_certificates),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
