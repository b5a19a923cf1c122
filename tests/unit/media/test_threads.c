/* Relays: packets between real sockets, by worker threads. */
#include "b2bua/media/rtp.h"
#include "unit/media/world.h"

enum { PAYLOAD = 160, NEVER_MS = 60 };

struct peer { /* what a phone has: RTP and RTCP */
    int rtp, rtcp;
    struct addr at, rtcp_at;
    struct crypt *in, *out; /* NULL: in clear */
    unsigned seq;
};

static struct peer peer_new(void)
{
    struct peer p = { 0 };
    p.rtp = socket_at(&p.at);
    p.rtcp = socket_at(&p.rtcp_at);
    return p;
}

static void peer_free(struct peer *p)
{
    close(p->rtp);
    close(p->rtcp);
    crypt_free(&p->in);
    crypt_free(&p->out);
}

static struct crypt_key key_of(enum crypt_suite suite, unsigned char seed)
{
    struct crypt_key k = { .suite = suite };
    for (size_t i = 0; i < crypt_key_len(suite); i++)
        k.bytes[i] = (unsigned char)(seed * 31 + 7 * i);
    return k;
}

static struct side_conf side_of(const struct peer *p)
{
    struct side_conf c = { .rtp = p->at, .rtcp = p->rtcp_at, .sends = true, .listens = true };
    memset(c.payload, RELAY_DROP, sizeof(c.payload));
    c.payload[0] = 0;
    return c;
}

/* The peer's own keys: what it seals by the relay opens by. */
static void secure(struct peer *p, struct side_conf *c, enum crypt_suite suite, unsigned char seed)
{
    c->in = key_of(suite, seed);
    c->out = key_of(suite, (unsigned char)(seed + 1));
    assert_int_equal(crypt_new(&c->in, &p->out), 0);
    assert_int_equal(crypt_new(&c->out, &p->in), 0);
}

static void say(struct peer *p, const struct addr *to, unsigned payload)
{
    _Alignas(4) char packet[ROOM] = "\x80\0\0\0\0\0\0\0\0\0\0\7";
    size_t n = RTP_HEADER + PAYLOAD;
    packet[1] = (char)payload;
    packet[2] = (char)(++p->seq >> 8);
    packet[3] = (char)p->seq;
    memset(packet + RTP_HEADER, (int)p->seq, PAYLOAD);
    if (p->out)
        assert_int_equal(crypt_protect(p->out, packet, &n), 0);
    send_from(p->rtp, to, packet, n);
}

/* The payload type of what comes, whose content must be the speaker's last; -1: nothing comes. */
static int hear(struct peer *p, const struct peer *speaker, int ms)
{
    _Alignas(4) char packet[ROOM];
    struct rtp r;
    if (!can_read(p->rtp, ms))
        return -1;
    size_t n = (size_t)recv(p->rtp, packet, sizeof(packet), 0);
    if (p->in)
        assert_int_equal(crypt_unprotect(p->in, packet, &n), 0);
    assert_int_equal(n, RTP_HEADER + PAYLOAD);
    assert_int_equal(rtp_parse(span_of(packet, n), &r), 0);
    assert_int_equal(r.seq, (uint16_t)speaker->seq);
    for (size_t i = 0; i < PAYLOAD; i++)
        assert_int_equal((unsigned char)packet[RTP_HEADER + i], speaker->seq & 0xff);
    return (int)r.payload;
}

/* Counters are written behind the packet. */
static struct side_stats stats_when(const struct relay *r, unsigned side, enum relay_dropped why,
                                    uint64_t want)
{
    struct side_stats s;
    for (int i = 0; i < SOON_MS; i++) {
        relay_stats(r, side, &s);
        if (s.dropped[why] >= want)
            break;
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(s.dropped[why], want);
    return s;
}

static void test_any_kind_joins_any_other(void **state)
{
    (void)state;
    for (enum crypt_suite a = CRYPT_NONE; a < CRYPT_SUITE_COUNT; a++) {
        for (enum crypt_suite b = CRYPT_NONE; b < CRYPT_SUITE_COUNT; b++) {
            struct peer p[2] = { peer_new(), peer_new() };
            struct side_conf c[2] = { side_of(&p[0]), side_of(&p[1]) };
            struct relay *r = relay_between();
            if (a != CRYPT_NONE)
                secure(&p[0], &c[0], a, 1);
            if (b != CRYPT_NONE)
                secure(&p[1], &c[1], b, 11);
            for (unsigned i = 0; i < 2; i++)
                set_side(r, i, &c[i]);
            for (unsigned i = 0; i < 6; i++) {
                say(&p[i % 2], relay_local(r, i % 2), 0);
                assert_int_equal(hear(&p[1 - i % 2], &p[i % 2], SOON_MS), 0);
            }
            relay_free(&r);
            peer_free(&p[0]);
            peer_free(&p[1]);
        }
    }
}

struct call {
    struct peer p[2];
    struct side_conf c[2];
    struct relay *r;
};

static struct call call_new(void)
{
    struct call call = { .p = { peer_new(), peer_new() } };
    call.c[0] = side_of(&call.p[0]);
    call.c[1] = side_of(&call.p[1]);
    call.r = relay_between();
    return call;
}

static void call_set(struct call *call)
{
    for (unsigned i = 0; i < 2; i++)
        set_side(call->r, i, &call->c[i]);
}

static void call_free(struct call *call)
{
    relay_free(&call->r);
    peer_free(&call->p[0]);
    peer_free(&call->p[1]);
}

static void test_payload_types_are_mapped_and_others_dropped(void **state)
{
    struct call call = call_new();
    (void)state;
    call.c[0].payload[101] = 96;
    call_set(&call);
    say(&call.p[0], relay_local(call.r, 0), 101);
    assert_int_equal(hear(&call.p[1], &call.p[0], SOON_MS), 96);
    say(&call.p[0], relay_local(call.r, 0), 18);
    stats_when(call.r, 0, DROPPED_PAYLOAD, 1);
    call_free(&call);
}

static void test_nobody_else_can_speak_or_move_the_media(void **state)
{
    struct call call = call_new();
    struct peer thief = peer_new();
    (void)state;
    call_set(&call);
    say(&call.p[0], relay_local(call.r, 0), 0);
    assert_int_equal(hear(&call.p[1], &call.p[0], SOON_MS), 0);
    say(&thief, relay_local(call.r, 0), 0);
    assert_int_equal(hear(&call.p[1], &thief, NEVER_MS), -1);
    say(&call.p[1], relay_local(call.r, 1), 0);
    assert_int_equal(hear(&call.p[0], &call.p[1], SOON_MS), 0);
    assert_int_equal(hear(&thief, &call.p[1], NEVER_MS), -1);
    peer_free(&thief);
    call_free(&call);
}

static void test_a_source_is_learned_once_where_that_is_allowed(void **state)
{
    struct call call = call_new();
    struct peer natted = peer_new(), thief = peer_new();
    struct side_stats s;
    (void)state;
    call.c[0].learn = true;
    call_set(&call);
    say(&natted, relay_local(call.r, 0), 18); /* of no use: it teaches nothing */
    stats_when(call.r, 0, DROPPED_PAYLOAD, 1);
    say(&natted, relay_local(call.r, 0), 0);
    assert_int_equal(hear(&call.p[1], &natted, SOON_MS), 0);
    say(&call.p[1], relay_local(call.r, 1), 0);
    assert_int_equal(hear(&natted, &call.p[1], SOON_MS), 0);
    relay_stats(call.r, 0, &s);
    assert_true(s.learned);
    say(&thief, relay_local(call.r, 0), 0);
    assert_int_equal(hear(&call.p[1], &thief, NEVER_MS), -1);
    /* The same description again changes nothing. */
    call_set(&call);
    say(&call.p[1], relay_local(call.r, 1), 0);
    assert_int_equal(hear(&natted, &call.p[1], SOON_MS), 0);
    peer_free(&natted);
    peer_free(&thief);
    call_free(&call);
}

static void test_with_a_key_only_its_holder_teaches(void **state)
{
    struct call call = call_new();
    struct peer thief = peer_new(), natted = peer_new();
    (void)state;
    call.c[0].learn = true;
    secure(&natted, &call.c[0], CRYPT_AEAD_AES_128_GCM, 5);
    call_set(&call);
    say(&thief, relay_local(call.r, 0), 0);
    stats_when(call.r, 0, DROPPED_FORGED, 1);
    say(&natted, relay_local(call.r, 0), 0);
    assert_int_equal(hear(&call.p[1], &natted, SOON_MS), 0);
    peer_free(&thief);
    peer_free(&natted);
    call_free(&call);
}

static void test_a_replay_is_dropped_and_counted(void **state)
{
    struct call call = call_new();
    _Alignas(4) char packet[ROOM] = "\x80\0\0\1\0\0\0\0\0\0\0\7";
    size_t n = RTP_HEADER + PAYLOAD;
    (void)state;
    secure(&call.p[0], &call.c[0], CRYPT_AES_CM_128_HMAC_SHA1_80, 7);
    call_set(&call);
    assert_int_equal(crypt_protect(call.p[0].out, packet, &n), 0);
    send_from(call.p[0].rtp, relay_local(call.r, 0), packet, n);
    assert_true(can_read(call.p[1].rtp, SOON_MS));
    send_from(call.p[0].rtp, relay_local(call.r, 0), packet, n);
    packet[20] ^= 1;
    send_from(call.p[0].rtp, relay_local(call.r, 0), packet, n);
    send_from(call.p[0].rtp, relay_local(call.r, 0), packet, 20);
    struct side_stats s = stats_when(call.r, 0, DROPPED_FORGED, 3);
    assert_int_equal(s.packets, 1);
    call_free(&call);
}

/* RFC 3711, 3.3.1: the index goes on under the same key, and begins anew with another. */
static void test_the_same_key_keeps_its_index_and_another_begins_anew(void **state)
{
    struct call call = call_new();
    (void)state;
    secure(&call.p[0], &call.c[0], CRYPT_AES_CM_128_HMAC_SHA1_80, 7);
    call_set(&call);
    call.p[0].seq = 65533;
    for (unsigned i = 0; i < 6; i++) { /* over the edge of 16 bits */
        say(&call.p[0], relay_local(call.r, 0), 0);
        assert_int_equal(hear(&call.p[1], &call.p[0], SOON_MS), 0);
    }
    call_set(&call);
    say(&call.p[0], relay_local(call.r, 0), 0);
    assert_int_equal(hear(&call.p[1], &call.p[0], SOON_MS), 0);
    crypt_free(&call.p[0].in);
    crypt_free(&call.p[0].out);
    secure(&call.p[0], &call.c[0], CRYPT_AES_CM_128_HMAC_SHA1_80, 77);
    call_set(&call);
    say(&call.p[0], relay_local(call.r, 0), 0);
    assert_int_equal(hear(&call.p[1], &call.p[0], SOON_MS), 0);
    call_free(&call);
}

static void test_on_hold_nothing_passes(void **state)
{
    struct call call = call_new();
    (void)state;
    call.c[1].listens = false;
    call_set(&call);
    say(&call.p[0], relay_local(call.r, 0), 0);
    stats_when(call.r, 0, DROPPED_HELD, 1);
    call.c[1].listens = true;
    call.c[0].sends = false;
    call_set(&call);
    say(&call.p[0], relay_local(call.r, 0), 0);
    stats_when(call.r, 0, DROPPED_HELD, 2);
    call.c[0].sends = true;
    call_set(&call);
    say(&call.p[0], relay_local(call.r, 0), 0);
    assert_int_equal(hear(&call.p[1], &call.p[0], SOON_MS), 0);
    call_free(&call);
}

static void test_rtcp_goes_along_by_its_port_or_by_rtps(void **state)
{
    static const char report[] = "\x80\xc9\0\1\0\0\0\7";
    struct call call = call_new();
    struct addr to = *relay_local(call.r, 0);
    char packet[ROOM];
    (void)state;
    call.c[1].mux = true;
    call_set(&call);
    addr_set_port(&to, (uint16_t)(addr_port(&to) + 1));
    send_from(call.p[0].rtcp, &to, report, sizeof(report) - 1);
    assert_true(can_read(call.p[1].rtp, SOON_MS));
    assert_int_equal(recv(call.p[1].rtp, packet, sizeof(packet), 0), sizeof(report) - 1);
    send_from(call.p[1].rtp, relay_local(call.r, 1), report, sizeof(report) - 1);
    assert_true(can_read(call.p[0].rtcp, SOON_MS));
    assert_int_equal(recv(call.p[0].rtcp, packet, sizeof(packet), 0), sizeof(report) - 1);
    call_free(&call);
}

static void test_what_is_no_rtp_is_dropped(void **state)
{
    static const char junk[RTP_MAX + 100];
    struct call call = call_new();
    (void)state;
    call_set(&call);
    send_from(call.p[0].rtp, relay_local(call.r, 0), junk, 3);
    send_from(call.p[0].rtp, relay_local(call.r, 0), junk, 0);
    send_from(call.p[0].rtp, relay_local(call.r, 0), junk, sizeof(junk));
    stats_when(call.r, 0, DROPPED_MALFORMED, 3);
    call_free(&call);
}

static void test_a_burst_passes_whole(void **state)
{
    enum { BURST = 100 };
    struct call call = call_new();
    char packet[ROOM];
    (void)state;
    call_set(&call);
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < BURST; i++)
            say(&call.p[0], relay_local(call.r, 0), 0);
        for (unsigned i = 0; i < BURST; i++) {
            assert_true(can_read(call.p[1].rtp, SOON_MS));
            assert_int_equal(recv(call.p[1].rtp, packet, sizeof(packet), 0), RTP_HEADER + PAYLOAD);
        }
    }
    call_free(&call);
}

static void test_many_relays_come_and_go_under_way(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        struct call calls[20];
        for (size_t i = 0; i < 20; i++) {
            calls[i] = call_new();
            call_set(&calls[i]);
            say(&calls[i].p[0], relay_local(calls[i].r, 0), 0);
        }
        for (size_t i = 0; i < 20; i++)
            call_free(&calls[i]);
    }
    for (int i = 0; i < SOON_MS && ports_taken(ports); i++)
        (void)poll(NULL, 0, 1);
    assert_int_equal(ports_taken(ports), 0);
}

static void test_ports_run_out(void **state)
{
    struct addr loopback;
    struct ports *few;
    struct port_pair pair[3];
    (void)state;
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), 0, &loopback), 0);
    const struct ports_conf conf = { &loopback, 1, 9501, 9505 };
    assert_int_equal(ports_new(&conf, &few), 0);
    assert_int_equal(ports_take(few, 0, &pair[0]), 0);
    assert_int_equal(addr_port(&pair[0].local), 9502); /* RTP's is even */
    assert_int_equal(ports_take(few, 0, &pair[1]), 0);
    assert_int_equal(ports_take(few, 0, &pair[2]), CS_ELIMIT);
    ports_give_back(few, &pair[0]);
    assert_int_equal(ports_take(few, 0, &pair[0]), 0);
    ports_give_back(few, &pair[0]);
    ports_give_back(few, &pair[1]);
    ports_free(&few);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_kind_joins_any_other),
        cmocka_unit_test(test_payload_types_are_mapped_and_others_dropped),
        cmocka_unit_test(test_nobody_else_can_speak_or_move_the_media),
        cmocka_unit_test(test_a_source_is_learned_once_where_that_is_allowed),
        cmocka_unit_test(test_with_a_key_only_its_holder_teaches),
        cmocka_unit_test(test_a_replay_is_dropped_and_counted),
        cmocka_unit_test(test_the_same_key_keeps_its_index_and_another_begins_anew),
        cmocka_unit_test(test_on_hold_nothing_passes),
        cmocka_unit_test(test_rtcp_goes_along_by_its_port_or_by_rtps),
        cmocka_unit_test(test_what_is_no_rtp_is_dropped),
        cmocka_unit_test(test_a_burst_passes_whole),
        cmocka_unit_test(test_many_relays_come_and_go_under_way),
        cmocka_unit_test(test_ports_run_out),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
