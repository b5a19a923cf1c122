/* Nonces over restarts and failovers of a real Redis: a nonce whose use may have been forgotten is
 * stale, everywhere, and no other is. */
#include "authd/check/epoch.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/test.h"
#include "unit/authd/bench.h"

static struct epoch *later; /* of an authd that starts later */

/* ---- what INFO says ---- */

static void test_a_server_says_which_it_is(void **state)
{
    struct server_info info;
    (void)state;
    assert_int_equal(server_info_parse(SPAN("# Server\r\nrun_id:0a1b\r\nx:1\r\n"
                                            "aof_enabled:1\r\nmaster_replid:ff\r\n"
                                            "master_replid2:0000\r\n"),
                                       &info),
                     0);
    assert_span(info.run, "0a1b");
    assert_null(info.promoted.p);
    assert_true(info.append_only);
    assert_int_equal(server_info_parse(SPAN("run_id:1\nmaster_replid2:00f0\naof_enabled:0"), &info),
                     0);
    assert_span(info.promoted, "00f0");
    assert_false(info.append_only);
}

static void test_what_does_not_say_who_it_is_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "run_id:1",
        "master_replid2:0",
        "run_id:\r\nmaster_replid2:0",
        "run_id:xyz\r\nmaster_replid2:0",
        "run_id:1\r\nmaster_replid2:",
        "run_idx:1\r\nmaster_replid2:0",
        "a_run_id:1\r\nmaster_replid2:0",
        ("run_id:11111111111111111111111111111111111111111111111111111111111111111\nmaster_replid2:"
         "0"),
    };
    struct server_info info;
    (void)state;
    for (size_t i = 0; i < CS_LEN(texts); i++) {
        assert_int_equal(server_info_parse(span_str(texts[i]), &info), CS_EPROTO);
        assert_null(info.run.p);
    }
}

/* ---- servers ---- */

/* Whether the answer to one line, past every client, has this in it. */
static bool says(const char *path, const char *line, const char *what)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char reply[2048] = { 0 };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    span_copy(a.sun_path, sizeof(a.sun_path), span_str(path));
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(dprintf(fd, "%s\r\n", line), strlen(line) + 2);
    assert_true(read(fd, reply, sizeof(reply) - 1) > 0);
    close(fd);
    return strstr(reply, what) != NULL;
}

static void until_it_is_lost(void)
{
    for (unsigned i = 0; i < 200 && epoch_is_known(bench.k.epoch); i++)
        run_for(&bench.loop, 10);
    assert_false(epoch_is_known(bench.k.epoch));
}

static void restart(const char *const *args)
{
    redis_server_kill(&bench.server);
    until_it_is_lost();
    redis_server_start(&bench.server, args);
    bench_settle();
}

/* With a nonce of now. */
static void prepare(struct ask *a)
{
    *a = ask_new("REGISTER", "udp");
    ask_prepare(a, "SHA-256");
    ask_answer(a, "alice", "correct horse battery");
}

static bool is_past_later(const struct ask *a)
{
    struct nonce n;
    assert_int_equal(epoch_new(&bench.loop, bench.redis, &later), 0);
    assert_false(epoch_is_known(later));
    epoch_refresh(later, true);
    for (unsigned i = 0; i < 200 && !epoch_is_known(later); i++)
        run_for(&bench.loop, 5);
    assert_true(epoch_is_known(later));
    assert_int_equal(
        nonce_verify(bench.k.nonces, SPAN("example.com"), span_of(a->nonce, NONCE_LEN), &n), 0);
    bool past = epoch_is_past(later, &n);
    epoch_free(&later);
    return past;
}

static void test_a_restart_with_its_own_file_keeps_nonces(void **state)
{
    struct ask a, b;
    (void)state;
    prepare(&a);
    prepare(&b);
    assert_verdict(ask_put(&a), ACCEPT, OK);
    restart(NULL);
    assert_verdict(ask_put(&b), ACCEPT, OK);
    assert_verdict(ask_put(&a), CHALLENGE, NC_REPLAYED);
    assert_false(is_past_later(&b));
}

static void test_who_may_not_ask_judges_nothing(void **state)
{
    struct ask a;
    (void)state;
    prepare(&a);
    assert_true(says(bench.server.socket, "ACL SETUSER default -info", "+OK"));
    epoch_refresh(bench.k.epoch, true);
    run_for(&bench.loop, 250);
    assert_false(epoch_is_known(bench.k.epoch));
    assert_verdict(ask_put(&a), LATER, STORE_UNAVAILABLE);
    assert_true(says(bench.server.socket, "ACL SETUSER default +info", "+OK"));
    bench_settle();
    assert_verdict(ask_put(&a), ACCEPT, OK);
}

static struct redis_server replica;

static void start_replica(void)
{
    static char port[16];
    static const char *const args[] = { "--dir", NULL, "--replicaof", "127.0.0.1", port, NULL };
    const char *with_dir[CS_LEN(args)];
    memcpy(with_dir, args, sizeof(args));
    with_dir[1] = tmp_path("replica");
    mkdir(with_dir[1], 0700);
    snprintf(port, sizeof(port), "%u", bench.server.port);
    replica = (struct redis_server){ .socket = tmp_path("replica.sock"), .port = free_port() };
    redis_server_start(&replica, with_dir);
    for (unsigned i = 0; i < 100 && !says(bench.server.socket, "INFO replication", "state=online");
         i++)
        run_for(&bench.loop, 50);
    assert_true(says(bench.server.socket, "INFO replication", "state=online"));
}

/* What was used at the old master alone would be taken once more by the new one. */
static void test_after_a_failover_older_nonces_are_stale_for_everybody(void **state)
{
    struct ask used, unused, fresh, after;
    (void)state;
    prepare(&used);
    prepare(&unused);
    assert_true(says(bench.server.socket, "CONFIG SET repl-diskless-sync-delay 0", "+OK"));
    start_replica();
    epoch_refresh(bench.k.epoch, true); /* a master with its first replica is the same still */
    bench_settle();
    kill(replica.pid, SIGSTOP);
    assert_verdict(ask_put(&used), ACCEPT, OK); /* the replica does not hear of it */
    redis_server_kill(&bench.server);
    kill(replica.pid, SIGCONT);
    until_it_is_lost();
    assert_true(says(replica.socket, "REPLICAOF NO ONE", "+OK"));
    assert_int_equal(rename(replica.socket, bench.server.socket), 0);
    bench.server.pid = replica.pid;
    bench_settle();
    assert_verdict(ask_put(&used), CHALLENGE, NONCE_STALE);
    assert_verdict(ask_put(&unused), CHALLENGE, NONCE_STALE);
    assert_true(is_past_later(&used));
    prepare(&fresh); /* at once, and not behind the slack of the clocks */
    assert_verdict(ask_put(&fresh), ACCEPT, OK);
    assert_false(is_past_later(&fresh));

    epoch_refresh(bench.k.epoch, true); /* a connection that broke is no failover */
    bench_settle();
    prepare(&after);
    assert_verdict(ask_put(&after), ACCEPT, OK);
}

static void test_a_server_that_keeps_nothing_makes_nonces_stale_when_it_restarts(void **state)
{
    static const char *const args[] = { "--appendonly", "no", NULL };
    struct ask a;
    (void)state;
    prepare(&a);
    redis_server_kill(&bench.server);
    until_it_is_lost();
    unlink(bench.server.socket);
    redis_server_start(&bench.server, args);
    bench_settle();
    assert_true(is_past_later(&a));
    bench_add("alice", "1001", "correct horse battery", ALG_ALL, true);
}

/* Whose clock is behind that of who noticed the failover before. */
static void test_each_moment_is_behind_the_one_before(void **state)
{
    struct ask before, after;
    char text[128];
    (void)state;
    prepare(&before);
    int64_t ahead = clock_wall().ms + 3000;
    snprintf(text, sizeof(text), "HSET cs:epoch run 77 since %lld", (long long)ahead);
    assert_true(says(bench.server.socket, text, ":0"));
    epoch_refresh(bench.k.epoch, true);
    bench_settle();
    struct wall issued = epoch_issued(bench.k.epoch, clock_wall());
    assert_int_equal(issued.ms, ahead + 1 + EPOCH_SLACK_MS + 1);
    assert_verdict(ask_put(&before), CHALLENGE, NONCE_STALE);
    prepare(&after);
    assert_verdict(ask_put(&after), ACCEPT, OK);
}

static int open_all(void **state)
{
    int err = bench_open(state);
    if (!err)
        bench_add("alice", "1001", "correct horse battery", ALG_ALL, true);
    return err;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_server_says_which_it_is),
        cmocka_unit_test(test_what_does_not_say_who_it_is_is_refused),
        cmocka_unit_test(test_a_restart_with_its_own_file_keeps_nonces),
        cmocka_unit_test(test_who_may_not_ask_judges_nothing),
        cmocka_unit_test(test_after_a_failover_older_nonces_are_stale_for_everybody),
        cmocka_unit_test(test_a_server_that_keeps_nothing_makes_nonces_stale_when_it_restarts),
        cmocka_unit_test(test_each_moment_is_behind_the_one_before),
    };
    return cmocka_run_group_tests_name("epoch", tests, open_all, bench_close);
}
