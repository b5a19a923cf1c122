/* Two nodes on one real Redis: what one bans the other knows, also of what it missed. */
#include "authd/defence/bans.h"

#include <stdio.h>

#include "lib/redis_server.h"
#include "lib/run.h"
#include "lib/test.h"

enum { MAX = 300 };

static struct loop loop;
static struct redis_server server;
static struct redis_conf conf;

static struct node {
    struct redis *redis;
    struct bans *bans;
    size_t stands, lifted;
    char last[64]; /* source of the last change */
} nodes[2];

static size_t confirmed;

static void on_change(void *arg, const struct ban *b, bool stands)
{
    struct node *n = arg;
    struct buf s = BUF_INIT(n->last);
    memset(n->last, 0, sizeof(n->last));
    ban_write_source(&s, b);
    *(stands ? &n->stands : &n->lifted) += 1;
}

static void on_written(void *arg, const struct redis_reply *r)
{
    (void)arg;
    assert_non_null(r);
    assert_int_equal(r->type, REDIS_ARRAY);
    confirmed++;
}

static void node_open(struct node *n, size_t max)
{
    memset(n, 0, sizeof(*n));
    assert_int_equal(redis_open(&loop, &conf, &n->redis), 0);
    assert_int_equal(bans_new(&loop, n->redis, &conf, max, &n->bans), 0);
    bans_listen(n->bans, on_change, n);
    for (int i = 0; i < 300 && !redis_is_ready(n->redis); i++)
        run_for(&loop, 10);
    run_for(&loop, 50);
}

static void node_close(struct node *n)
{
    bans_free(&n->bans);
    redis_close(&n->redis);
}

static int setup(void **state)
{
    (void)state;
    redis_server_start(&server, NULL);
    conf = (struct redis_conf){ .unix_path = server.socket, .deadline = DURATION_MS(1000) };
    assert_int_equal(loop_init(&loop), 0);
    node_open(&nodes[0], MAX);
    node_open(&nodes[1], MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    node_close(&nodes[0]);
    node_close(&nodes[1]);
    bool clean = run_down(&loop);
    redis_server_kill(&server);
    return clean ? 0 : -1;
}

static struct ban make(const char *net, uint16_t port, const char *user, int64_t ms)
{
    struct ban b = { .port = port, .user = span_str(user), .reason = SPAN("test") };
    assert_int_equal(cidr_parse(span_str(net), &b.net), 0);
    b.since = clock_wall();
    b.until = wall_add(b.since, DURATION_MS(ms));
    return b;
}

static void put(struct node *n, const struct ban *b)
{
    size_t before = confirmed;
    assert_non_null(bans_put(n->bans, b, on_written, NULL));
    assert_true(run_until_count(&loop, &confirmed, before + 1, 3000));
}

static void until_count(const struct node *n, size_t want)
{
    for (int i = 0; i < 300 && bans_count(n->bans) != want; i++)
        run_for(&loop, 10);
    assert_int_equal(bans_count(n->bans), want);
}

static bool finds(const struct node *n, const char *source, const char *user)
{
    struct addr a;
    assert_int_equal(addr_parse(span_str(source), 5060, &a), 0);
    return bans_find(n->bans, &a, span_str(user)) != NULL;
}

static void lift(struct node *n, const struct ban *b)
{
    char id[BAN_ID_LEN + 1];
    size_t before = confirmed;
    ban_id(b, id);
    assert_non_null(bans_lift(n->bans, span_str(id), on_written, NULL));
    assert_true(run_until_count(&loop, &confirmed, before + 1, 3000));
}

static void test_what_one_bans_and_lifts_the_other_knows(void **state)
{
    (void)state;
    struct ban all = make("192.0.2.0/24", 0, NULL, 60000);
    struct ban pair = make("198.51.100.1", 0, "alice@example.com", 60000);
    put(&nodes[0], &all);
    put(&nodes[0], &pair);
    until_count(&nodes[1], 2);
    for (int i = 0; i < 2; i++) {
        assert_true(finds(&nodes[i], "192.0.2.77", NULL));
        assert_false(finds(&nodes[i], "192.0.2.77", "alice@example.com")); /* another question */
        assert_true(finds(&nodes[i], "198.51.100.1", "alice@example.com"));
        assert_false(finds(&nodes[i], "198.51.100.1", "bob@example.com"));
        assert_false(finds(&nodes[i], "198.51.100.1", NULL));
    }
    assert_int_equal(nodes[1].stands, 2);
    lift(&nodes[1], &all);
    until_count(&nodes[0], 1);
    assert_int_equal(nodes[0].lifted, 1);
    assert_string_equal(nodes[0].last, "192.0.2.0/24");
    lift(&nodes[0], &pair);
    until_count(&nodes[1], 0);
}

static void test_another_of_the_same_replaces_it(void **state)
{
    (void)state;
    struct ban b = make("192.0.2.1", 0, NULL, 60000);
    put(&nodes[0], &b);
    until_count(&nodes[1], 1);
    b.until.ms += 60000;
    b.reason = SPAN("longer");
    put(&nodes[1], &b);
    run_for(&loop, 100);
    for (int i = 0; i < 2; i++) {
        const struct ban *got;
        char id[BAN_ID_LEN + 1];
        ban_id(&b, id);
        assert_int_equal(bans_count(nodes[i].bans), 1);
        got = bans_by_id(nodes[i].bans, span_str(id));
        assert_non_null(got);
        assert_int_equal(got->until.ms, b.until.ms);
    }
    lift(&nodes[0], &b);
    until_count(&nodes[1], 0);
}

static void test_a_ban_ends_by_itself_everywhere(void **state)
{
    (void)state;
    struct ban b = make("192.0.2.1", 0, NULL, 300);
    put(&nodes[0], &b);
    until_count(&nodes[1], 1);
    run_for(&loop, 320);
    assert_false(finds(&nodes[0], "192.0.2.1", NULL));
    assert_false(finds(&nodes[1], "192.0.2.1", NULL));
    until_count(&nodes[0], 0);
    until_count(&nodes[1], 0);
    b = make("192.0.2.1", 0, NULL, -5);
    assert_null(bans_put(nodes[0].bans, &b, on_written, NULL)); /* it has ended already */
}

/* More than one reading brings, and one that was away for all of it. */
static void test_who_comes_later_reads_all_that_stand(void **state)
{
    (void)state;
    const struct ban *page[101];
    char text[32];
    node_close(&nodes[1]);
    for (unsigned i = 0; i < MAX; i++) {
        snprintf(text, sizeof(text), "10.0.%u.%u", i / 250, i % 250);
        struct ban b = make(text, 0, NULL, 60000);
        assert_non_null(bans_put(nodes[0].bans, &b, redis_ignore, NULL));
    }
    struct ban more = make("10.9.9.9", 0, NULL, 60000);
    assert_true(bans_are_full(nodes[0].bans));
    assert_null(bans_put(nodes[0].bans, &more, on_written, NULL));
    run_for(&loop, 100);
    node_open(&nodes[1], MAX);
    until_count(&nodes[1], MAX);
    size_t seen = 0;
    struct span after = SPAN_NULL;
    char last[BAN_ID_LEN + 1], id[BAN_ID_LEN + 1];
    for (;;) {
        size_t n = bans_page(nodes[1].bans, after, page, 100);
        for (size_t i = 0; i < n; i++) {
            ban_id(page[i], id);
            assert_true(!after.p || span_cmp(span_str(id), after) > 0);
            memcpy(last, id, sizeof(last));
            after = span_str(last);
        }
        seen += n;
        if (n < 100)
            break;
    }
    assert_int_equal(seen, MAX);
    /* All at once, behind its back. */
    redis_do(nodes[0].redis, redis_ignore, NULL, SPAN("FLUSHALL"));
    until_count(&nodes[1], 0);
    until_count(&nodes[0], 0);
}

static void test_what_is_no_record_is_left_alone(void **state)
{
    (void)state;
    size_t before = nodes[0].stands;
    redis_do(nodes[1].redis, redis_ignore, NULL, SPAN("SET"), SPAN("cs:ban:{all}:AAAAAAAAAAAAAAAA"),
             SPAN("rubbish"));
    redis_do(nodes[1].redis, redis_ignore, NULL, SPAN("LPUSH"),
             SPAN("cs:ban:{all}:BBBBBBBBBBBBBBBB"), SPAN("x"));
    redis_do(nodes[1].redis, redis_ignore, NULL, SPAN("SET"), SPAN("cs:ban:{all}:x"), SPAN("x"));
    redis_do(nodes[1].redis, redis_ignore, NULL, SPAN("ZADD"), SPAN("cs:ban:{all}"),
             SPAN("99999999999999"), SPAN("nonsense"));
    run_for(&loop, 100);
    assert_int_equal(nodes[0].stands, before);
    struct ban b = make("192.0.2.1", 0, NULL, 60000);
    put(&nodes[0], &b);
    node_close(&nodes[1]);
    node_open(&nodes[1], MAX);
    until_count(&nodes[1], 1);
    assert_true(finds(&nodes[1], "192.0.2.1", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_one_bans_and_lifts_the_other_knows),
        cmocka_unit_test(test_another_of_the_same_replaces_it),
        cmocka_unit_test(test_a_ban_ends_by_itself_everywhere),
        cmocka_unit_test(test_who_comes_later_reads_all_that_stand),
        cmocka_unit_test(test_what_is_no_record_is_left_alone),
    };
    return cmocka_run_group_tests_name("bans", tests, setup, teardown);
}
