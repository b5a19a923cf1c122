#include "common/tools/csctl/doctor.h"

#include "lib/test.h"

/* What a good Redis says; a test changes one line. */
#define GOOD                                                                                     \
    "# Server\r\nredis_version:7.0.15\r\nrole:master\r\nconnected_slaves:2\r\naof_enabled:1\r\n" \
    "aof_last_write_status:ok\r\naof_last_bgrewrite_status:ok\r\nrdb_last_bgsave_status:ok\r\n"  \
    "used_memory:1000\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"

struct doctor_case {
    const char *name;
    const char *line, *instead; /* of GOOD; NULL: as it is */
    const char *fsync, *save;
    bool open, by_address, far, encrypted;
    unsigned wait;
    int64_t ahead_ms;
    const char *check; /* the one finding beyond a note; NULL: none */
    enum level level;
};

static const struct doctor_case cases[] = {
    { .name = "good" },
    { .name = "old",
      .line = "redis_version:7.0.15",
      .instead = "redis_version:5.0.14",
      .check = "redis.version",
      .level = LEVEL_FAULT },
    { .name = "no version",
      .line = "redis_version:7.0.15",
      .instead = "x:y",
      .check = "redis.version",
      .level = LEVEL_FAULT },
    { .name = "replica",
      .line = "role:master",
      .instead = "role:slave",
      .check = "redis.role",
      .level = LEVEL_FAULT },
    { .name = "snapshots only",
      .line = "aof_enabled:1",
      .instead = "aof_enabled:0",
      .save = "3600 1",
      .check = "redis.appendonly",
      .level = LEVEL_FAULT },
    { .name = "nothing written",
      .line = "aof_enabled:1",
      .instead = "aof_enabled:0",
      .save = "",
      .check = "redis.appendonly",
      .level = LEVEL_FAULT },
    { .name = "everysec", .fsync = "everysec", .check = "redis.appendfsync", .level = LEVEL_NOTE },
    { .name = "always", .fsync = "always" },
    { .name = "disk full",
      .line = "aof_last_write_status:ok",
      .instead = "aof_last_write_status:err",
      .check = "redis.disk",
      .level = LEVEL_FAULT },
    { .name = "no snapshot",
      .line = "rdb_last_bgsave_status:ok",
      .instead = "rdb_last_bgsave_status:err",
      .check = "redis.disk",
      .level = LEVEL_FAULT },
    { .name = "evicts",
      .line = "maxmemory:0\r\nmaxmemory_policy:noeviction",
      .instead = "maxmemory:9000\r\nmaxmemory_policy:allkeys-lru",
      .check = "redis.maxmemory_policy",
      .level = LEVEL_FAULT },
    { .name = "would evict, has no limit",
      .line = "maxmemory_policy:noeviction",
      .instead = "maxmemory_policy:allkeys-lru" },
    { .name = "nearly full",
      .line = "maxmemory:0",
      .instead = "maxmemory:1100",
      .check = "redis.memory",
      .level = LEVEL_WARNING },
    { .name = "half full", .line = "maxmemory:0", .instead = "maxmemory:2000" },
    { .name = "open on a socket", .open = true },
    { .name = "open on loopback",
      .open = true,
      .by_address = true,
      .check = "redis.access",
      .level = LEVEL_WARNING },
    { .name = "open to the network",
      .open = true,
      .by_address = true,
      .far = true,
      .encrypted = true,
      .check = "redis.access",
      .level = LEVEL_FAULT },
    { .name = "password on the network", .by_address = true, .far = true, .encrypted = true },
    { .name = "in clear on the network",
      .by_address = true,
      .far = true,
      .check = "redis.tls",
      .level = LEVEL_WARNING },
    { .name = "enough replicas", .wait = 2 },
    { .name = "too few replicas", .wait = 3, .check = "redis.wait", .level = LEVEL_FAULT },
    { .name = "clock a little off", .ahead_ms = -999 },
    { .name = "clock off", .ahead_ms = -1000, .check = "redis.clock", .level = LEVEL_WARNING },
    { .name = "clock of another day",
      .ahead_ms = 86400000,
      .check = "redis.clock",
      .level = LEVEL_FAULT },
};

static void diagnose(const struct redis_facts *f, struct doctor *out)
{
    *out = (struct doctor){ .findings = json_array() };
    doctor_judge_redis(out, f);
}

/* The findings of this level and above, but one. */
static size_t others(const struct doctor *d, const char *check, enum level level, bool *found)
{
    static const char *const names[] = { "fine", "note", "warning", "fault" };
    size_t i, n = 0;
    json_t *f;
    *found = false;
    json_array_foreach(d->findings, i, f)
    {
        const char *is = json_string_value(json_object_get(f, "level"));
        if (strcmp(is, "fine") == 0)
            continue;
        assert_non_null(json_object_get(f, "remedy"));
        if (check && strcmp(json_string_value(json_object_get(f, "check")), check) == 0 &&
            strcmp(is, names[level]) == 0)
            *found = true;
        else
            n++;
    }
    return n;
}

static void test_each_setting_of_redis_is_judged_by_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        const struct doctor_case *c = &cases[i];
        char info[1024];
        const char *at = c->line ? strstr(GOOD, c->line) : NULL;
        if (c->line)
            assert_non_null(at);
        snprintf(info, sizeof(info), "%.*s%s%s", (int)(at ? at - GOOD : 0), GOOD,
                 at ? c->instead : "", at ? at + strlen(c->line) : GOOD);
        json_t *settings = json_object();
        if (c->fsync)
            json_object_set_new(settings, "appendfsync", json_string(c->fsync));
        if (c->save)
            json_object_set_new(settings, "save", json_string(c->save));
        const struct redis_facts f = { .info = span_str(info),
                                       .settings = settings,
                                       .open_to_all = c->open,
                                       .by_address = c->by_address,
                                       .loopback = !c->far,
                                       .encrypted = c->encrypted,
                                       .wait = c->wait,
                                       .has_clock = true,
                                       .ahead_ms = c->ahead_ms };
        struct doctor d;
        bool found;
        diagnose(&f, &d);
        size_t n = others(&d, c->check, c->level, &found);
        if (n || found != (c->check != NULL))
            fail_msg("%s: %zu other findings, %s", c->name, n, found ? "found" : "not found");
        json_decref(d.findings);
        json_decref(settings);
    }
}

static void test_a_user_that_may_not_look_is_no_fault(void **state)
{
    struct doctor d;
    (void)state;
    diagnose(&(struct redis_facts){ .info = SPAN_NULL }, &d);
    assert_int_equal(d.count[LEVEL_NOTE], 1);
    assert_int_equal(json_array_size(d.findings), 1);
    json_decref(d.findings);
}

static void test_lines_of_info_are_found_whole(void **state)
{
    const struct span info =
        SPAN("# S\r\nxrole:no\r\nrole:master\r\nrole:second\r\nempty:\r\nlast:1");
    (void)state;
    assert_true(span_eq(redis_info(info, SPAN("role")), SPAN("master")));
    assert_true(span_eq(redis_info(info, SPAN("last")), SPAN("1")));
    assert_true(redis_info(info, SPAN("empty")).p && redis_info(info, SPAN("empty")).n == 0);
    assert_null(redis_info(info, SPAN("ole")).p);
    assert_null(redis_info(info, SPAN("# S")).p);
    assert_null(redis_info(SPAN_NULL, SPAN("role")).p);
}

static void test_who_can_send_to_an_address(void **state)
{
    static const struct {
        const char *addr;
        enum reach reach;
    } addresses[] = {
        { "127.0.0.1", REACH_HOST },
        { "127.255.0.9", REACH_HOST },
        { "::1", REACH_HOST },
        { "10.0.0.1", REACH_LAN },
        { "172.31.255.255", REACH_LAN },
        { "172.32.0.1", REACH_ANYWHERE },
        { "192.168.1.1", REACH_LAN },
        { "192.169.1.1", REACH_ANYWHERE },
        { "100.64.0.1", REACH_LAN },
        { "100.128.0.1", REACH_ANYWHERE },
        { "169.254.1.1", REACH_LAN },
        { "fe80::1", REACH_LAN },
        { "fd00::1", REACH_LAN },
        { "2001:db8::1", REACH_ANYWHERE },
        { "0.0.0.0", REACH_NOWHERE },
        { "::", REACH_NOWHERE },
        { "224.0.0.1", REACH_NOWHERE },
        { "255.255.255.255", REACH_NOWHERE },
        { "ff02::1", REACH_NOWHERE },
        { "198.51.100.1", REACH_ANYWHERE },
        { "223.255.255.254", REACH_ANYWHERE },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(addresses); i++) {
        struct addr a;
        assert_int_equal(addr_parse_host(span_str(addresses[i].addr), 5060, &a), 0);
        if (addr_reach(&a) != addresses[i].reach)
            fail_msg("%s: %d", addresses[i].addr, addr_reach(&a));
    }
}

static void test_text_that_is_none_does_not_spoil_the_findings(void **state)
{
    struct doctor d = { .findings = json_array() };
    (void)state;
    finding(&d, LEVEL_NOTE, "x", "y", "\xff\xfe");
    assert_true(json_is_string(json_object_get(json_array_get(d.findings, 0), "what")));
    json_decref(d.findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_setting_of_redis_is_judged_by_itself),
        cmocka_unit_test(test_a_user_that_may_not_look_is_no_fault),
        cmocka_unit_test(test_lines_of_info_are_found_whole),
        cmocka_unit_test(test_who_can_send_to_an_address),
        cmocka_unit_test(test_text_that_is_none_does_not_spoil_the_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
