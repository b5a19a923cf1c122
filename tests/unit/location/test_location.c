/* Records of AORs in a real Redis, with writers that get in each other's way. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/redis_server.h"
#include "lib/run.h"
#include "lib/test.h"
#include "location/location.h"

#define AOR SPAN("sip:1001@example.test")
#define KEY SPAN("cs:loc:{sip:1001@example.test}")

enum { HOUR_MS = 3600 * 1000, KNOWN = 4 };

static struct loop loop;
static struct redis_server server;
static struct redis *redis;
static struct locations *locations;
static struct arena arena;

struct got {
    bool done;
    int err;
    int64_t integer;
    struct location read;
};

static void on_read(void *arg, int err, const struct location *read)
{
    *(struct got *)arg = (struct got){ .done = true, .err = err, .read = *read };
}

static void on_commit(void *arg, int err)
{
    *(struct got *)arg = (struct got){ .done = true, .err = err };
}

static void on_reply(void *arg, const struct redis_reply *reply)
{
    struct got *g = arg;
    g->done = true;
    g->err = !reply ? CS_ECLOSED : reply->type == REDIS_ERROR ? CS_EPROTO : 0;
    g->integer = reply && reply->type == REDIS_INTEGER ? reply->integer : -1;
}

static struct location get(void)
{
    struct got g = { 0 };
    assert_non_null(location_get(locations, AOR, &arena, on_read, &g));
    assert_true(run_until(&loop, &g.done, 5000));
    assert_int_equal(g.err, 0);
    return g.read;
}

/* Replaces what was read by one binding with this Contact, or by none for NULL. */
static int commit(const struct location *read, const char *contact, int64_t expires_ms)
{
    Countersign__Store__Location record = COUNTERSIGN__STORE__LOCATION__INIT;
    Countersign__Store__Binding b = COUNTERSIGN__STORE__BINDING__INIT, *list[] = { &b };
    struct got g = { 0 };
    char call_id[] = "call", uri[64];
    struct wall now = clock_wall();
    span_copy(uri, sizeof(uri), span_str(contact));
    b.contact = uri;
    b.call_id = call_id;
    b.expires_ms = (uint64_t)(now.ms + expires_ms);
    record.binding = list;
    record.n_binding = contact ? 1 : 0;
    assert_non_null(location_commit(locations, AOR, read, &record, now, &arena, on_commit, &g));
    assert_true(run_until(&loop, &g.done, 5000));
    return g.err;
}

#define ASK(...)                                       \
    ({                                                 \
        struct got g_ = { 0 };                         \
        redis_do(redis, on_reply, &g_, __VA_ARGS__);   \
        assert_true(run_until(&loop, &g_.done, 5000)); \
        assert_int_equal(g_.err, 0);                   \
        g_.integer;                                    \
    })

static const char *contact_of(const struct location *l)
{
    assert_non_null(l->record);
    assert_int_equal(l->record->n_binding, 1);
    return l->record->binding[0]->contact;
}

static int setup(void **state)
{
    struct redis_conf conf = { 0 };
    bool never = false;
    (void)state;
    redis_server_start(&server, NULL);
    conf.unix_path = server.socket;
    arena_init(&arena, NULL, 0, 0);
    assert_int_equal(loop_init(&loop), 0);
    assert_int_equal(redis_open(&loop, &conf, &redis), 0);
    assert_int_equal(locations_open(&loop, redis, KNOWN, DURATION_S(60), &locations), 0);
    for (unsigned i = 0; i < 500 && !redis_is_ready(redis); i++)
        run_until(&loop, &never, 10);
    assert_true(redis_is_ready(redis));
    ASK(SPAN("FLUSHALL"));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    redis_close(&redis);
    locations_close(&locations);
    assert_true(run_down(&loop));
    arena_fini(&arena);
    redis_server_kill(&server);
    return 0;
}

static void test_a_record_replaces_the_one_that_was_read(void **state)
{
    (void)state;
    struct location before = get();
    assert_int_equal(before.version, 0);
    assert_null(before.record);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(commit(&before, "sip:a@192.0.2.1", HOUR_MS), 0);
        before = get();
        assert_int_equal(before.version, i);
        assert_string_equal(contact_of(&before), "sip:a@192.0.2.1");
        assert_int_equal(ASK(SPAN("HLEN"), KEY), 1);
    }
    assert_int_equal(commit(&before, NULL, 0), 0);
    before = get();
    assert_int_equal(before.version, 4);
    assert_int_equal(before.record->n_binding, 0);
}

static void test_of_writers_who_read_the_same_one_wins(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) { /* on nothing, and on a record */
        struct location before = get();
        assert_int_equal(commit(&before, "sip:first@192.0.2.1", HOUR_MS), 0);
        assert_int_equal(commit(&before, "sip:second@192.0.2.1", HOUR_MS), CS_ECONFLICT);
        before = get();
        assert_string_equal(contact_of(&before), "sip:first@192.0.2.1");
    }
}

static void test_a_writer_who_was_overtaken_twice_knows(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct location slow = get(), between, last;
        assert_int_equal(commit(&slow, "sip:one@192.0.2.1", HOUR_MS), 0);
        between = get();
        assert_int_equal(commit(&between, "sip:two@192.0.2.1", HOUR_MS), 0);
        assert_int_equal(commit(&slow, "sip:slow@192.0.2.1", HOUR_MS), CS_ECONFLICT);
        last = get();
        assert_string_equal(contact_of(&last), "sip:two@192.0.2.1");
        assert_int_equal(commit(&last, "sip:three@192.0.2.1", HOUR_MS), 0);
        assert_int_equal(ASK(SPAN("HLEN"), KEY), 1);
    }
}

static void test_slow_writers_one_behind_the_other_all_know(void **state)
{
    (void)state;
    struct location at[5], last;
    for (unsigned i = 0; i < CS_LEN(at); i++) {
        at[i] = get();
        assert_int_equal(commit(&at[i], "sip:fast@192.0.2.1", HOUR_MS), 0);
    }
    for (unsigned i = 0; i < CS_LEN(at); i++)
        assert_int_equal(commit(&at[i], "sip:slow@192.0.2.1", HOUR_MS), CS_ECONFLICT);
    last = get();
    assert_string_equal(contact_of(&last), "sip:fast@192.0.2.1");
}

static void test_who_lost_does_not_shorten_the_life_of_the_key(void **state)
{
    (void)state;
    struct location before = get();
    assert_int_equal(commit(&before, "sip:long@192.0.2.1", HOUR_MS), 0);
    assert_int_equal(commit(&before, "sip:short@192.0.2.1", 1000), CS_ECONFLICT);
    assert_true(ASK(SPAN("PTTL"), KEY) > HOUR_MS);
    before = get();
    assert_int_equal(commit(&before, "sip:longer@192.0.2.1", 3 * HOUR_MS), 0);
    assert_int_equal(commit(&before, NULL, 0), CS_ECONFLICT);
    assert_true(ASK(SPAN("PTTL"), KEY) > 3 * HOUR_MS);
}

static void test_who_read_a_key_that_vanished_knows(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) { /* with its expiry to be moved, and without */
        struct location before = get();
        assert_int_equal(commit(&before, "sip:a@192.0.2.1", HOUR_MS), 0);
        before = get();
        if (i == 0)
            before.record->keep_until_ms = (uint64_t)clock_wall().ms + 1;
        ASK(SPAN("DEL"), KEY);
        assert_int_equal(commit(&before, "sip:b@192.0.2.1", HOUR_MS), CS_ECONFLICT);
        assert_int_equal(ASK(SPAN("EXISTS"), KEY), 0);
        before = get();
        assert_int_equal(before.version, 0);
    }
}

static void test_two_slow_writers_do_not_take_each_other_for_the_last(void **state)
{
    (void)state;
    struct location at[4], now;
    for (unsigned i = 0; i < CS_LEN(at); i++) {
        at[i] = get();
        assert_int_equal(commit(&at[i], "sip:fast@192.0.2.1", HOUR_MS), 0);
    }
    /* What the first slow one wrote in vain, before it took that back. */
    ASK(SPAN("HSET"), KEY, SPAN("2"), SPAN("junk"));
    assert_int_equal(commit(&at[2], "sip:slow@192.0.2.1", HOUR_MS), CS_ECONFLICT);
    now = get();
    assert_int_equal(now.version, CS_LEN(at));
    assert_string_equal(contact_of(&now), "sip:fast@192.0.2.1");
}

static void test_the_key_outlives_its_bindings_and_is_not_touched_by_every_refresh(void **state)
{
    struct location before = { 0 };
    uint64_t kept = 0;
    unsigned moved = 0;
    (void)state;
    for (unsigned i = 0; i < 20; i++) { /* each expires four minutes behind the last one */
        int64_t expires_ms = HOUR_MS + i * HOUR_MS / 15;
        before = get();
        assert_int_equal(commit(&before, "sip:a@192.0.2.1", expires_ms), 0);
        before = get();
        moved += before.record->keep_until_ms != kept;
        kept = before.record->keep_until_ms;
        assert_true(ASK(SPAN("PTTL"), KEY) > expires_ms + 50 * 1000);
    }
    assert_in_range(moved, 2, 3);
}

static void test_a_tombstone_outlives_every_memory_and_its_successor_follows(void **state)
{
    struct location before = get();
    (void)state;
    assert_int_equal(commit(&before, "sip:a@192.0.2.1", HOUR_MS), 0);
    before = get();
    assert_int_equal(commit(&before, NULL, 0), 0);
    assert_in_range(ASK(SPAN("PTTL"), KEY), 21 * 60 * 1000, 22 * 60 * 1000);
    before = get();
    assert_int_equal(before.version, 2);
    assert_int_equal(before.record->n_binding, 0);
    assert_int_equal(commit(&before, "sip:b@192.0.2.1", HOUR_MS), 0);
    assert_true(ASK(SPAN("PTTL"), KEY) > HOUR_MS);
    before = get();
    assert_int_equal(before.version, 3);
}

/* ---- what is known without reading ---- */

static void test_what_was_written_is_known_and_good_for_the_next_commit(void **state)
{
    struct location none = { 0 }, known;
    (void)state;
    assert_false(location_known(locations, AOR, &arena, &known));
    assert_int_equal(commit(&none, "sip:a@192.0.2.1", HOUR_MS), 0);
    for (unsigned i = 1; i <= 3; i++) {
        assert_true(location_known(locations, AOR, &arena, &known));
        assert_int_equal(known.version, i);
        assert_string_equal(contact_of(&known), "sip:a@192.0.2.1");
        assert_int_equal(commit(&known, "sip:a@192.0.2.1", HOUR_MS), 0);
    }
    loop_skip(&loop, (struct duration){ 601 * 1000 });
    assert_false(location_known(locations, AOR, &arena, &known));
}

static void test_a_commit_on_what_others_replaced_fails_and_is_forgotten(void **state)
{
    struct locations *others;
    struct location none = { 0 }, known, theirs;
    (void)state;
    assert_int_equal(locations_open(&loop, redis, 0, DURATION_MS(0), &others), 0);
    assert_int_equal(commit(&none, "sip:a@192.0.2.1", HOUR_MS), 0);
    assert_true(location_known(locations, AOR, &arena, &known));

    struct locations *mine = locations;
    locations = others;
    for (unsigned i = 0; i < 3; i++) { /* the last one removes all */
        theirs = get();
        assert_int_equal(commit(&theirs, i < 2 ? "sip:b@192.0.2.1" : NULL, HOUR_MS), 0);
    }
    assert_false(location_known(locations, AOR, &arena, &theirs)); /* it remembers none */
    locations = mine;

    assert_true(location_known(locations, AOR, &arena, &known));
    assert_string_equal(contact_of(&known), "sip:a@192.0.2.1");
    assert_int_equal(commit(&known, "sip:a@192.0.2.1", HOUR_MS), CS_ECONFLICT);
    assert_false(location_known(locations, AOR, &arena, &known));
    theirs = get();
    assert_int_equal(theirs.version, 4);
    assert_int_equal(theirs.record->n_binding, 0);
    locations_close(&others);
}

static void test_all_is_forgotten_when_redis_was_lost(void **state)
{
    struct location none = { 0 }, known;
    (void)state;
    assert_int_equal(commit(&none, "sip:a@192.0.2.1", HOUR_MS), 0);
    locations_forget(locations);
    assert_false(location_known(locations, AOR, &arena, &known));
}

static void lose_redis(void)
{
    bool never = false;
    redis_server_kill(&server);
    for (unsigned i = 0; i < 500 && redis_is_ready(redis); i++)
        run_until(&loop, &never, 10);
    assert_false(redis_is_ready(redis));
    locations_forget(locations);
}

static void test_without_redis_what_was_written_is_recalled_for_a_while(void **state)
{
    struct location none = { 0 }, kept;
    (void)state;
    assert_int_equal(commit(&none, "sip:a@192.0.2.1", HOUR_MS), 0);
    loop_skip(&loop, (struct duration){ 601 * 1000 });
    assert_false(location_recall(locations, AOR, &arena, &kept)); /* Redis is there */
    lose_redis();
    assert_false(location_known(locations, AOR, &arena, &kept));
    assert_true(location_recall(locations, AOR, &arena, &kept));
    assert_string_equal(contact_of(&kept), "sip:a@192.0.2.1");
    loop_skip(&loop, DURATION_S(61));
    assert_false(location_recall(locations, AOR, &arena, &kept));
}

static void test_what_others_replaced_is_not_recalled(void **state)
{
    struct location none = { 0 }, kept;
    (void)state;
    assert_int_equal(commit(&none, "sip:a@192.0.2.1", HOUR_MS), 0);
    location_replaced(locations, AOR);
    lose_redis();
    assert_false(location_recall(locations, AOR, &arena, &kept));
}

/* ---- many writers ---- */

enum { WRITERS = 20 };

struct writer {
    unsigned i, tries;
    size_t *n_done;
};

static void writer_read(struct writer *w);

static void on_written(void *arg, int err)
{
    struct writer *w = arg;
    if (err == CS_ECONFLICT) {
        writer_read(w);
        return;
    }
    assert_int_equal(err, 0);
    ++*w->n_done;
}

static void on_before(void *arg, int err, const struct location *read)
{
    struct writer *w = arg;
    Countersign__Store__Location *record = arena_alloc(&arena, sizeof(*record));
    Countersign__Store__Binding *mine = arena_alloc(&arena, sizeof(*mine));
    struct wall now = clock_wall();
    char contact[32];
    assert_int_equal(err, 0);
    countersign__store__location__init(record);
    countersign__store__binding__init(mine);
    size_t n = read->record ? read->record->n_binding : 0;
    record->binding = arena_alloc(&arena, (n + 1) * sizeof(void *));
    if (n)
        memcpy(record->binding, read->record->binding, n * sizeof(void *));
    snprintf(contact, sizeof(contact), "sip:%u@192.0.2.1", w->i);
    mine->contact = arena_str(&arena, span_str(contact));
    mine->call_id = mine->contact;
    mine->expires_ms = (uint64_t)(now.ms + HOUR_MS * (1 + w->i % 3)); /* some move the expiry */
    record->binding[n] = mine;
    record->n_binding = n + 1;
    w->tries++;
    assert_non_null(location_commit(locations, AOR, read, record, now, &arena, on_written, w));
}

static void writer_read(struct writer *w)
{
    assert_non_null(location_get(locations, AOR, &arena, on_before, w));
}

static void test_twenty_writers_at_a_time_lose_nothing(void **state)
{
    struct writer writers[WRITERS];
    size_t n_done = 0;
    unsigned tries = 0, seen = 0;
    (void)state;
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){ .i = i, .n_done = &n_done };
        writer_read(&writers[i]);
    }
    assert_true(run_until_count(&loop, &n_done, WRITERS, 10000));
    struct location after = get();
    assert_int_equal(after.version, WRITERS);
    assert_int_equal(after.record->n_binding, WRITERS);
    for (size_t i = 0; i < WRITERS; i++) {
        seen |= 1u << strtoul(after.record->binding[i]->contact + 4, NULL, 10);
        tries += writers[i].tries;
    }
    assert_int_equal(seen, (1u << WRITERS) - 1);
    assert_true(tries > WRITERS);
    assert_int_equal(ASK(SPAN("HLEN"), KEY), 1);
}

/* ---- memory ---- */

static void test_a_binding_with_a_path_takes_at_most_600_bytes(void **state)
{
    struct location none = { 0 };
    Countersign__Store__Location record = COUNTERSIGN__STORE__LOCATION__INIT;
    Countersign__Store__Binding b = COUNTERSIGN__STORE__BINDING__INIT, *list[] = { &b };
    char path0[] = "<sip:edge1.example.com;lr>", *path[] = { path0 };
    struct got g = { 0 };
    struct wall now = clock_wall();
    (void)state;
    b.contact = (char *)"sip:1001@192.168.17.23:49152;transport=udp;line=9f3c51d20b7e4";
    b.call_id = (char *)"313634393030383234313233363434-kq1x8pdt4jwe";
    b.cseq = 20517;
    b.expires_ms = (uint64_t)(now.ms + HOUR_MS);
    b.flow = (char *)"dQw4w9WgXcQ7Jr0LkS2vB1nM8yT5pA6eH3iU0oZ9xC4";
    b.owner = (char *)"registrar-2";
    b.path = path;
    b.n_path = 1;
    b.instance = (char *)"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>";
    b.has_reg_id = true;
    b.reg_id = 1;
    b.user_agent = (char *)"Yealink SIP-T46U 108.86.0.75";
    b.user = (char *)"1001@example.test";
    b.source = (char *)"198.51.100.23:49152";
    b.has_since_ms = true;
    b.since_ms = b.expires_ms;
    record.binding = list;
    record.n_binding = 1;
    assert_non_null(location_commit(locations, AOR, &none, &record, now, &arena, on_commit, &g));
    assert_true(run_until(&loop, &g.done, 5000));
    assert_int_equal(g.err, 0);
    int64_t bytes = ASK(SPAN("MEMORY"), SPAN("USAGE"), KEY);
    print_message("a binding with a Path takes %d bytes\n", (int)bytes);
    assert_in_range(bytes, 100, 600);
}

static void test_a_version_left_behind_is_ignored_and_goes(void **state)
{
    (void)state;
    struct location before = get();
    assert_int_equal(commit(&before, "sip:a@192.0.2.1", HOUR_MS), 0);
    before = get();
    assert_int_equal(commit(&before, "sip:b@192.0.2.1", HOUR_MS), 0);
    ASK(SPAN("HSET"), KEY, SPAN("1"), SPAN("what a writer that died did not take away"));
    before = get();
    assert_int_equal(before.version, 2);
    assert_int_equal(commit(&before, "sip:c@192.0.2.1", HOUR_MS), 0);
    before = get();
    assert_string_equal(contact_of(&before), "sip:c@192.0.2.1");
    assert_int_equal(ASK(SPAN("HLEN"), KEY), 1);
}

static void test_a_record_stands_when_redis_takes_no_more(void **state)
{
    (void)state;
    struct location before = get();
    assert_int_equal(commit(&before, "sip:a@192.0.2.1", HOUR_MS), 0);
    before = get();
    ASK(SPAN("CONFIG"), SPAN("SET"), SPAN("maxmemory"), SPAN("1"));
    assert_int_equal(commit(&before, "sip:b@192.0.2.1", HOUR_MS), CS_EPROTO);
    ASK(SPAN("CONFIG"), SPAN("SET"), SPAN("maxmemory"), SPAN("0"));
    before = get();
    assert_string_equal(contact_of(&before), "sip:a@192.0.2.1");
}

static void test_what_is_no_record_is_refused(void **state)
{
    struct got g;
    (void)state;
    ASK(SPAN("HSET"), KEY, SPAN("1"), SPAN("\xff\xff"));
    for (unsigned i = 0; i < 3; i++) {
        g = (struct got){ 0 };
        assert_non_null(location_get(locations, AOR, &arena, on_read, &g));
        assert_true(run_until(&loop, &g.done, 5000));
        assert_int_equal(g.err, CS_EPROTO);
        assert_null(g.read.record);
        ASK(SPAN("DEL"), KEY);
        if (i == 0)
            ASK(SPAN("HSET"), KEY, SPAN("version"), SPAN(""));
        else
            ASK(SPAN("SET"), KEY, SPAN("text"));
    }
}

static void test_without_redis_nothing_is_known(void **state)
{
    struct location before = get();
    (void)state;
    assert_int_equal(commit(&before, "sip:a@192.0.2.1", HOUR_MS), 0);
    redis_server_kill(&server);
    before.version = 1;
    assert_int_equal(commit(&before, "sip:b@192.0.2.1", HOUR_MS), CS_ECLOSED);
}

static void test_a_call_that_was_cancelled_is_silent(void **state)
{
    struct location nothing = { 0 };
    Countersign__Store__Location record = COUNTERSIGN__STORE__LOCATION__INIT;
    struct got read = { 0 }, written = { 0 };
    (void)state;
    struct location_call *get_call = location_get(locations, AOR, &arena, on_read, &read);
    struct location_call *commit_call = location_commit(locations, AOR, &nothing, &record,
                                                        clock_wall(), &arena, on_commit, &written);
    location_cancel(get_call);
    location_cancel(commit_call);
    ASK(SPAN("PING"));
    assert_false(read.done);
    assert_false(written.done);
}

/* ---- removing ---- */

struct removed {
    bool done;
    int err;
    size_t n, seen;
    const char *goes;
};

/* Two bindings, the users of which are named as their Contacts are. */
static void write_two(const char *one, const char *two)
{
    Countersign__Store__Location record = COUNTERSIGN__STORE__LOCATION__INIT;
    Countersign__Store__Binding b[2], *list[2];
    struct location before = get();
    struct got g = { 0 };
    struct wall now = clock_wall();
    for (unsigned i = 0; i < 2; i++) {
        countersign__store__binding__init(&b[i]);
        b[i].contact = b[i].user = (char *)(i ? two : one);
        b[i].call_id = (char *)"call";
        b[i].expires_ms = (uint64_t)(now.ms + HOUR_MS);
        list[i] = &b[i];
    }
    record.binding = list;
    record.n_binding = 2;
    assert_non_null(location_commit(locations, AOR, &before, &record, now, &arena, on_commit, &g));
    assert_true(run_until(&loop, &g.done, 5000));
    assert_int_equal(g.err, 0);
}

static bool is_the_one(void *arg, const Countersign__Store__Binding *b)
{
    struct removed *r = arg;
    r->seen++;
    return strcmp(b->user, r->goes) == 0;
}

static void on_removed(void *arg, int err, size_t n)
{
    struct removed *r = arg;
    r->done = true;
    r->err = err;
    r->n = n;
}

static struct removed remove_of(const char *who)
{
    struct removed r = { .goes = who };
    assert_non_null(location_remove(locations, AOR, is_the_one, on_removed, &r));
    assert_false(r.done);
    assert_true(run_until(&loop, &r.done, 5000));
    return r;
}

static void test_only_what_is_selected_is_removed(void **state)
{
    struct removed r;
    struct location left;
    (void)state;
    write_two("alice", "bob");
    r = remove_of("alice");
    assert_int_equal(r.err, 0);
    assert_int_equal(r.n, 1);
    left = get();
    assert_string_equal(contact_of(&left), "bob");
    r = remove_of("bob");
    assert_int_equal(r.n, 1);
    left = get();
    assert_int_equal(left.record->n_binding, 0);
}

static void test_nothing_to_remove_writes_nothing(void **state)
{
    struct removed r;
    (void)state;
    r = remove_of("alice"); /* there is no record */
    assert_int_equal(r.err, 0);
    assert_int_equal(r.n, 0);
    assert_int_equal(r.seen, 0);
    assert_int_equal(get().version, 0);
    write_two("alice", "bob");
    uint64_t version = get().version;
    r = remove_of("carol");
    assert_int_equal(r.err, 0);
    assert_int_equal(r.n, 0);
    assert_int_equal(get().version, version);
}

/* Two who remove from one record and read it at the same time: one of them begins again. */
static void test_who_is_overtaken_removes_all_the_same(void **state)
{
    struct removed a = { .goes = "alice" }, b = { .goes = "bob" };
    (void)state;
    write_two("alice", "bob");
    assert_non_null(location_remove(locations, AOR, is_the_one, on_removed, &a));
    assert_non_null(location_remove(locations, AOR, is_the_one, on_removed, &b));
    assert_true(run_until(&loop, &a.done, 5000) && run_until(&loop, &b.done, 5000));
    assert_int_equal(a.err, 0);
    assert_int_equal(b.err, 0);
    assert_int_equal(a.n + b.n, 2);
    assert_int_equal(a.seen + b.seen, 2 + 2 + 1); /* the second look finds one binding less */
    assert_int_equal(get().record->n_binding, 0);
}

static void test_a_record_that_cannot_be_read_is_left(void **state)
{
    struct removed r;
    (void)state;
    ASK(SPAN("HSET"), KEY, SPAN("1"), SPAN("x"));
    r = remove_of("alice");
    assert_int_equal(r.err, CS_EPROTO);
    assert_int_equal(ASK(SPAN("HLEN"), KEY), 1);
}

static void test_a_cancelled_removal_is_silent(void **state)
{
    struct removed r = { .goes = "alice" };
    bool never = false;
    (void)state;
    write_two("alice", "bob");
    struct location_removal *one = location_remove(locations, AOR, is_the_one, on_removed, &r);
    assert_non_null(one);
    location_remove_cancel(one);
    run_until(&loop, &never, 20);
    assert_false(r.done);
    assert_int_equal(get().record->n_binding, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_record_replaces_the_one_that_was_read),
        TEST(test_of_writers_who_read_the_same_one_wins),
        TEST(test_a_writer_who_was_overtaken_twice_knows),
        TEST(test_slow_writers_one_behind_the_other_all_know),
        TEST(test_who_lost_does_not_shorten_the_life_of_the_key),
        TEST(test_who_read_a_key_that_vanished_knows),
        TEST(test_two_slow_writers_do_not_take_each_other_for_the_last),
        TEST(test_the_key_outlives_its_bindings_and_is_not_touched_by_every_refresh),
        TEST(test_what_was_written_is_known_and_good_for_the_next_commit),
        TEST(test_a_commit_on_what_others_replaced_fails_and_is_forgotten),
        TEST(test_all_is_forgotten_when_redis_was_lost),
        TEST(test_without_redis_what_was_written_is_recalled_for_a_while),
        TEST(test_what_others_replaced_is_not_recalled),
        TEST(test_a_tombstone_outlives_every_memory_and_its_successor_follows),
        TEST(test_twenty_writers_at_a_time_lose_nothing),
        TEST(test_a_binding_with_a_path_takes_at_most_600_bytes),
        TEST(test_a_version_left_behind_is_ignored_and_goes),
        TEST(test_a_record_stands_when_redis_takes_no_more),
        TEST(test_what_is_no_record_is_refused),
        TEST(test_without_redis_nothing_is_known),
        TEST(test_a_call_that_was_cancelled_is_silent),
        TEST(test_only_what_is_selected_is_removed),
        TEST(test_nothing_to_remove_writes_nothing),
        TEST(test_who_is_overtaken_removes_all_the_same),
        TEST(test_a_record_that_cannot_be_read_is_left),
        TEST(test_a_cancelled_removal_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
