/* Desk phones by what authd says of them: asked once more when something changed, kept while it is
 * away. authd is an end of its socket that says what the test says. */
#include "b2bua/desk/devices.h"

#include <unistd.h>

#include "ipc/ipc.h"
#include "lib/run.h"
#include "lib/test.h"
#include "lib/tmp.h"

#define AUTH(name) Countersign__Auth__##name
#define KIND(name) COUNTERSIGN__AUTH__VERDICT_KIND__##name

static struct {
    struct loop loop;
    struct gate *gate;
    struct devices *devices;
    struct ipc_server *server;
    struct ipc_peer *peer;
    /* what authd was asked, and says */
    size_t n_asked;
    uint64_t last;
    char name[32];
    bool token, silent;
    AUTH(VerdictKind) says;
    uint32_t valid_s;
    /* what was heard of it */
    size_t n_told;
    enum verdict kind;
    char user[64];
    struct device_grant *closes; /* from inside the call */
} w;

static void reply(uint64_t id)
{
    AUTH(FromAuthd) msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    AUTH(Attached) m = COUNTERSIGN__AUTH__ATTACHED__INIT;
    AUTH(DeviceRecord) record = COUNTERSIGN__AUTH__DEVICE_RECORD__INIT;
    AUTH(DeviceLine) line = COUNTERSIGN__AUTH__DEVICE_LINE__INIT;
    AUTH(DeviceLine) * lines[] = { &line };
    line.user = (char *)"1001@example.com";
    record.name = w.name;
    record.line = lines;
    record.n_line = 1;
    m.id = id;
    m.kind = w.says;
    m.record = &record;
    m.has_rests_on = true;
    m.rests_on.data = (uint8_t *)"tagtagta";
    m.rests_on.len = 8;
    m.has_valid_s = true;
    m.valid_s = w.valid_s;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_ATTACHED;
    msg.attached = &m;
    assert_int_equal(ipc_peer_send(w.peer, &msg), 0);
}

static void on_joined(void *arg, struct ipc_peer *p)
{
    (void)arg;
    w.peer = p;
}

static void on_asked(void *arg, struct ipc_peer *p, const AUTH(ToAuthd) * msg)
{
    (void)arg, (void)p;
    if (msg->body_case != COUNTERSIGN__AUTH__TO_AUTHD__BODY_ATTACH)
        return;
    w.n_asked++;
    w.last = msg->attach->id;
    w.token = msg->attach->token;
    span_copy(w.name, sizeof(w.name), span_str(msg->attach->device));
    if (!w.silent)
        reply(w.last);
}

static void on_left(void *arg, struct ipc_peer *p)
{
    (void)arg, (void)p;
    w.peer = NULL;
}

static void authd_start(void)
{
    static const struct ipc_server_events events = { on_joined, on_asked, on_left };
    uid_t uids[] = { getuid() };
    const struct ipc_server_conf conf = {
        .path = tmp_path("auth.sock"), .mode = 0600, .uids = uids, .n_uids = 1, .node = "authd"
    };
    assert_int_equal(ipc_server_open(&w.loop, &conf, &events, NULL, &w.server), 0);
}

static void on_told(void *arg, enum verdict kind, const AUTH(Attached) * m)
{
    (void)arg;
    w.n_told++;
    w.kind = kind;
    span_copy(w.user, sizeof(w.user),
              kind == VERDICT_ACCEPT ? span_str(m->record->line[0]->user) : SPAN(""));
    if (w.closes)
        device_grant_close(&w.closes);
}

static void on_revoked(void *arg, const AUTH(Revoked) * r)
{
    (void)arg;
    devices_revoked(w.devices, r);
}

static int open_world(void **state)
{
    (void)state;
    memset(&w, 0, sizeof(w));
    w.says = KIND(ACCEPT);
    w.valid_s = 3600;
    assert_int_equal(loop_init(&w.loop), 0);
    authd_start();
    const struct gate_conf conf = { .socket = tmp_path("auth.sock"),
                                    .node = "b2bua",
                                    .role = COUNTERSIGN__AUTH__ROLE__ROLE_B2BUA,
                                    .deadline = DURATION_MS(300) };
    assert_int_equal(gate_open(&w.loop, &conf, &w.gate), 0);
    gate_on_revoked(w.gate, on_revoked, NULL);
    assert_int_equal(devices_open(&w.loop, w.gate, &w.devices), 0);
    for (unsigned i = 0; i < 300 && !gate_is_ready(w.gate); i++)
        run_for(&w.loop, 10);
    return gate_is_ready(w.gate) ? 0 : -1;
}

static int close_world(void **state)
{
    (void)state;
    devices_close(&w.devices);
    gate_close(&w.gate);
    ipc_server_close(&w.server);
    return run_down(&w.loop) ? 0 : -1;
}

static struct device_grant *attach(const char *name, bool token)
{
    struct addr source;
    struct device_grant *d;
    assert_int_equal(addr_parse(SPAN("192.0.2.7"), 50000, &source), 0);
    const struct gate_device facts = {
        .name = span_str(name), .listener = SPAN("desks"), .source = &source, .token = token
    };
    const size_t told = w.n_told;
    assert_int_equal(device_grant_open(w.devices, &facts, on_told, NULL, &d), 0);
    assert_int_equal(w.n_told, told); /* not from inside */
    return d;
}

static void changed(const char *device)
{
    AUTH(FromAuthd) msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    AUTH(Changed) m = COUNTERSIGN__AUTH__CHANGED__INIT;
    m.device = (char *)device;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_CHANGED;
    msg.changed = &m;
    assert_int_equal(ipc_peer_send(w.peer, &msg), 0);
}

static void revoked(const char *user, const char *tag)
{
    AUTH(FromAuthd) msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    AUTH(Revoked) m = COUNTERSIGN__AUTH__REVOKED__INIT;
    m.user = (char *)user;
    m.has_rests_on = tag != NULL;
    m.rests_on.data = (uint8_t *)tag;
    m.rests_on.len = tag ? 8 : 0;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_REVOKED;
    msg.revoked = &m;
    assert_int_equal(ipc_peer_send(w.peer, &msg), 0);
}

static void test_it_is_asked_for_and_told(void **state)
{
    (void)state;
    struct device_grant *d = attach("SEP1", true);
    assert_true(run_until_count(&w.loop, &w.n_told, 1, 2000));
    assert_int_equal(w.kind, VERDICT_ACCEPT);
    assert_string_equal(w.user, "1001@example.com");
    assert_true(w.token);
    device_registers(d);
    changed("SEP1");
    assert_true(run_until_count(&w.loop, &w.n_told, 2, 2000));
    assert_false(w.token);
    device_grant_close(&d);
    assert_null(d);
}

static void test_it_is_asked_for_again_when_something_changed(void **state)
{
    (void)state;
    struct device_grant *d = attach("SEP1", false);
    assert_true(run_until_count(&w.loop, &w.n_told, 1, 2000));
    changed("SEP2");
    revoked("1002@example.com", NULL);
    revoked(NULL, "othertag");
    run_for(&w.loop, 50);
    assert_int_equal(w.n_asked, 1); /* of others */
    changed(NULL);
    assert_true(run_until_count(&w.loop, &w.n_told, 2, 2000));
    revoked("1001@example.com", NULL);
    assert_true(run_until_count(&w.loop, &w.n_told, 3, 2000));
    w.says = KIND(REJECT);
    revoked(NULL, "tagtagta");
    assert_true(run_until_count(&w.loop, &w.n_told, 4, 2000));
    assert_int_equal(w.kind, VERDICT_REJECT);
    device_grant_close(&d);
}

static void test_what_changes_while_it_is_asked_for_is_asked_for_again(void **state)
{
    (void)state;
    w.silent = true;
    struct device_grant *d = attach("SEP1", false);
    assert_true(run_until_count(&w.loop, &w.n_asked, 1, 2000));
    changed("SEP1");
    run_for(&w.loop, 20);
    reply(w.last);
    assert_true(run_until_count(&w.loop, &w.n_asked, 2, 2000));
    assert_int_equal(w.n_told, 0); /* that was of before */
    reply(w.last);
    assert_true(run_until_count(&w.loop, &w.n_told, 1, 2000));
    device_grant_close(&d);
}

static void test_it_is_renewed_before_its_passes_end(void **state)
{
    (void)state;
    w.valid_s = 2;
    struct device_grant *d = attach("SEP1", false);
    assert_true(run_until_count(&w.loop, &w.n_told, 2, 3000));
    device_grant_close(&d);
}

static void test_what_stands_stands_while_authd_is_away(void **state)
{
    (void)state;
    struct device_grant *d = attach("SEP1", false);
    assert_true(run_until_count(&w.loop, &w.n_told, 1, 2000));
    ipc_server_close(&w.server);
    run_for(&w.loop, 50);
    struct device_grant *other = attach("SEP2", false);
    assert_true(run_until_count(&w.loop, &w.n_told, 2, 2000)); /* nobody can say of this one */
    assert_int_equal(w.kind, VERDICT_LATER);
    device_grant_close(&other);
    authd_start();
    assert_true(run_until_count(&w.loop, &w.n_told, 3, 5000)); /* asked for when it is back */
    assert_int_equal(w.kind, VERDICT_ACCEPT);
    assert_string_equal(w.name, "SEP1");
    device_grant_close(&d);
}

static void test_it_may_be_closed_from_inside(void **state)
{
    (void)state;
    w.says = KIND(REJECT);
    w.closes = attach("SEP1", false);
    assert_true(run_until_count(&w.loop, &w.n_told, 1, 2000));
    assert_null(w.closes);
    struct device_grant *d = attach("SEP1", false); /* and before anything was said */
    device_grant_close(&d);
    run_for(&w.loop, 50);
    assert_int_equal(w.n_told, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        TEST(test_it_is_asked_for_and_told),
        TEST(test_it_is_asked_for_again_when_something_changed),
        TEST(test_what_changes_while_it_is_asked_for_is_asked_for_again),
        TEST(test_it_is_renewed_before_its_passes_end),
        TEST(test_what_stands_stands_while_authd_is_away),
        TEST(test_it_may_be_closed_from_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
