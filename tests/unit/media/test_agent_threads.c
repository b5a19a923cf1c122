/* Relays between what a browser has, ICE and DTLS, and other kinds of stream, by worker threads. */
#include "b2bua/media/rtp.h"
#include "unit/media/world.h"

#define COOKIE "\x21\x12\xa4\x42"
#define ID     "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
enum { PAYLOAD = 160, NEVER_MS = 100, DATAGRAM = 1500 };

static struct dtls_identity *ours;

static int open_both(void **state)
{
    return open_all(state) || dtls_identity_new(&ours);
}

static int close_both(void **state)
{
    dtls_identity_free(&ours);
    return close_all(state);
}

struct browser {
    int fd;
    struct addr at, to;
    struct ice_conf ice; /* as the relay has it */
    struct dtls *dtls;
    enum dtls_state state;
    struct crypt *in, *out;
    unsigned seq;
};

static void on_send(void *arg, const char *datagram, size_t n)
{
    struct browser *b = arg;
    send_from(b->fd, &b->to, datagram, n);
}

static struct browser browser_new(const struct relay *r, unsigned side, const struct side_conf *c)
{
    struct browser b = { .to = *relay_local(r, side), .ice = c->ice };
    struct dtls_conf dtls = { .active = !c->dtls.active, .n = DTLS_SHA256 };
    b.fd = socket_at(&b.at);
    memcpy(dtls.fingerprint, media_fingerprint(media), DTLS_SHA256);
    assert_int_equal(dtls_new(ours, &dtls, &b.dtls), 0);
    return b;
}

static void browser_free(struct browser *b)
{
    close(b->fd);
    dtls_free(&b->dtls);
    crypt_free(&b->in);
    crypt_free(&b->out);
}

/* How the relay is told of it. */
static struct side_conf conf_of_browser(bool relay_active)
{
    struct side_conf c = { .mux = true, .sends = true, .listens = true };
    c.ice = (struct ice_conf){ "ours1234", "a password of 24 letters", "theirs" };
    c.dtls = (struct dtls_conf){ .active = relay_active, .n = DTLS_SHA256 };
    memcpy(c.dtls.fingerprint, dtls_identity_fingerprint(ours), DTLS_SHA256);
    memset(c.payload, RELAY_DROP, sizeof(c.payload));
    c.payload[0] = 0;
    return c;
}

/* A check, from a socket; whether it was answered within ms. */
static bool ask_for(int fd, const struct addr *to, const struct ice_conf *ice, bool nominate,
                    int ms)
{
    char text[256], answer[DATAGRAM];
    struct buf b = BUF_INIT(text);
    stun_begin(&b, STUN_BINDING_REQUEST, SPAN(COOKIE ID));
    char name[64];
    struct buf nb = BUF_INIT(name);
    buf_printf(&nb, "%s:%s", ice->ufrag, ice->peer);
    stun_put(&b, STUN_USERNAME, buf_span(&nb));
    if (nominate)
        stun_put(&b, STUN_USE_CANDIDATE, SPAN(""));
    stun_put_integrity(&b, span_str(ice->pwd));
    stun_put_fingerprint(&b);
    send_from(fd, to, b.p, b.n);
    while (can_read(fd, ms)) {
        const ssize_t n = recv(fd, answer, sizeof(answer), 0);
        if (n > 0 && stun_is(span_of(answer, (size_t)n)))
            return true;
    }
    return false;
}

static bool ask(int fd, const struct addr *to, const struct ice_conf *ice, bool nominate)
{
    return ask_for(fd, to, ice, nominate, SOON_MS);
}

static bool is_ignored(int fd, const struct addr *to, const struct ice_conf *ice, bool nominate)
{
    return !ask_for(fd, to, ice, nominate, NEVER_MS);
}

/* DTLS, until it ends or nothing comes for ms. */
static enum dtls_state shake_for(struct browser *b, int ms)
{
    char datagram[DATAGRAM];
    struct crypt_key in, out;
    dtls_set_sender(b->dtls, on_send, b);
    b->state = dtls_start(b->dtls);
    while (b->state == DTLS_WAITING && can_read(b->fd, ms)) {
        const ssize_t n = recv(b->fd, datagram, sizeof(datagram), 0);
        if (n > 0 && datagram[0] >= 20 && datagram[0] <= 63)
            b->state = dtls_receive(b->dtls, datagram, (size_t)n);
    }
    if (b->state == DTLS_DONE) {
        assert_int_equal(dtls_keys(b->dtls, &in, &out), 0);
        assert_int_equal(crypt_new(&in, &b->in), 0);
        assert_int_equal(crypt_new(&out, &b->out), 0);
    }
    return b->state;
}

static enum dtls_state shake(struct browser *b)
{
    return shake_for(b, SOON_MS);
}

static void say(struct browser *b)
{
    _Alignas(4) char packet[ROOM] = "\x80\0\0\0\0\0\0\0\0\0\0\7";
    size_t n = RTP_HEADER + PAYLOAD;
    packet[2] = (char)(++b->seq >> 8);
    packet[3] = (char)b->seq;
    if (b->out)
        assert_int_equal(crypt_protect(b->out, packet, &n), 0);
    send_from(b->fd, &b->to, packet, n);
}

/* Whether the next packet of RTP can be opened; false: none comes. */
static bool hears(int fd, struct crypt *in, int ms)
{
    _Alignas(4) char packet[DATAGRAM];
    while (can_read(fd, ms)) {
        size_t n = (size_t)recv(fd, packet, sizeof(packet), 0);
        if ((unsigned char)packet[0] >> 6 != 2)
            continue;
        assert_int_equal(in ? crypt_unprotect(in, packet, &n) : 0, 0);
        return n == RTP_HEADER + PAYLOAD;
    }
    return false;
}

static struct side_stats stats_when(const struct relay *r, unsigned side, enum dtls_state want)
{
    struct side_stats s;
    for (int i = 0; i < SOON_MS; i++) {
        relay_stats(r, side, &s);
        if (s.dtls == want)
            break;
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(s.dtls, want);
    return s;
}

struct call { /* a browser and a phone with RTP in clear */
    struct relay *r;
    struct side_conf c[2];
    struct browser browser;
    int phone;
    struct addr phone_at;
    unsigned seq;
};

static struct call call_new(bool relay_active)
{
    struct call call = { .r = relay_between(), .c = { conf_of_browser(relay_active) } };
    call.phone = socket_at(&call.phone_at);
    call.c[1] = (struct side_conf){ .rtp = call.phone_at, .sends = true, .listens = true };
    memset(call.c[1].payload, RELAY_DROP, sizeof(call.c[1].payload));
    call.c[1].payload[0] = 0;
    call.browser = browser_new(call.r, 0, &call.c[0]);
    for (unsigned i = 0; i < 2; i++)
        set_side(call.r, i, &call.c[i]);
    return call;
}

static void call_free(struct call *call)
{
    relay_free(&call->r);
    browser_free(&call->browser);
    close(call->phone);
}

static void phone_says(struct call *call)
{
    char packet[RTP_HEADER + PAYLOAD] = "\x80\0\0\0\0\0\0\0\0\0\0\7";
    packet[3] = (char)++call->seq;
    send_from(call->phone, relay_local(call->r, 1), packet, sizeof(packet));
}

static void talk(struct call *call)
{
    say(&call->browser);
    assert_true(hears(call->phone, NULL, SOON_MS));
    phone_says(call);
    assert_true(hears(call->browser.fd, call->browser.in, SOON_MS));
}

static void test_a_browser_talks_to_a_phone_whoever_begins(void **state)
{
    (void)state;
    for (unsigned active = 0; active < 2; active++) {
        struct call call = call_new(active);
        stats_when(call.r, 0, DTLS_WAITING);
        assert_true(ask(call.browser.fd, &call.browser.to, &call.browser.ice, true));
        assert_int_equal(shake(&call.browser), DTLS_DONE);
        struct side_stats s = stats_when(call.r, 0, DTLS_DONE);
        assert_int_equal(s.suite, CRYPT_AEAD_AES_256_GCM);
        talk(&call);
        call_free(&call);
    }
}

static void test_nothing_passes_before_there_are_keys(void **state)
{
    struct call call = call_new(false);
    (void)state;
    assert_true(ask(call.browser.fd, &call.browser.to, &call.browser.ice, true));
    say(&call.browser); /* in clear */
    assert_false(hears(call.phone, NULL, NEVER_MS));
    phone_says(&call);
    assert_false(hears(call.browser.fd, NULL, NEVER_MS));
    call_free(&call);
}

static void test_another_certificate_has_no_keys(void **state)
{
    struct call call = call_new(false);
    (void)state;
    call.c[0].dtls.fingerprint[0] ^= 1;
    set_side(call.r, 0, &call.c[0]);
    assert_true(ask(call.browser.fd, &call.browser.to, &call.browser.ice, true));
    assert_int_equal(shake(&call.browser), DTLS_FAILED);
    stats_when(call.r, 0, DTLS_FAILED);
    say(&call.browser);
    assert_false(hears(call.phone, NULL, NEVER_MS));
    call_free(&call);
}

static void test_without_the_password_nobody_begins_or_moves_anything(void **state)
{
    struct call call = call_new(false);
    struct browser thief = browser_new(call.r, 0, &call.c[0]);
    struct ice_conf wrong = call.c[0].ice;
    (void)state;
    wrong.pwd[0] ^= 1;
    assert_true(is_ignored(thief.fd, &thief.to, &wrong, true));
    assert_int_equal(shake_for(&thief, NEVER_MS), DTLS_WAITING); /* nothing is answered */
    assert_true(ask(call.browser.fd, &call.browser.to, &call.browser.ice, true));
    assert_int_equal(shake(&call.browser), DTLS_DONE);
    talk(&call);
    assert_true(is_ignored(thief.fd, &thief.to, &wrong, true));
    crypt_free(&thief.out);
    say(&thief);
    assert_false(hears(call.phone, NULL, NEVER_MS));
    talk(&call);
    browser_free(&thief);
    call_free(&call);
}

static void test_media_go_where_the_browser_proves_to_be(void **state)
{
    struct call call = call_new(false);
    struct addr elsewhere;
    const int before = call.browser.fd, other = socket_at(&elsewhere);
    (void)state;
    assert_true(ask(before, &call.browser.to, &call.browser.ice, false)); /* valid is enough */
    assert_int_equal(shake(&call.browser), DTLS_DONE);
    talk(&call);
    assert_true(ask(other, &call.browser.to, &call.browser.ice, false)); /* and changes nothing */
    talk(&call);
    assert_true(ask(other, &call.browser.to, &call.browser.ice, true)); /* until it is nominated */
    call.browser.fd = other;
    talk(&call);
    close(before);
    call_free(&call);
}

/* RFC 8842, 4: ICE that begins anew is no reason for another handshake; another fingerprint is. */
static void test_the_association_stands_while_ice_begins_anew(void **state)
{
    struct call call = call_new(false);
    (void)state;
    assert_true(ask(call.browser.fd, &call.browser.to, &call.browser.ice, true));
    assert_int_equal(shake(&call.browser), DTLS_DONE);
    talk(&call);
    set_side(call.r, 0, &call.c[0]); /* the same again */
    talk(&call);
    call.c[0].ice = (struct ice_conf){ "ours5678", "another of 24 letters...", "newer" };
    set_side(call.r, 0, &call.c[0]);
    talk(&call); /* as before, until it proves to be elsewhere */
    assert_true(is_ignored(call.browser.fd, &call.browser.to, &call.browser.ice, true));
    call.browser.ice = call.c[0].ice;
    assert_true(ask(call.browser.fd, &call.browser.to, &call.browser.ice, true));
    talk(&call);
    stats_when(call.r, 0, DTLS_DONE);
    call.c[0].dtls.association++;
    set_side(call.r, 0, &call.c[0]);
    stats_when(call.r, 0, DTLS_WAITING);
    say(&call.browser); /* by keys of before */
    assert_false(hears(call.phone, NULL, NEVER_MS));
    struct browser again = browser_new(call.r, 0, &call.c[0]);
    assert_true(ask(again.fd, &again.to, &again.ice, true));
    assert_int_equal(shake(&again), DTLS_DONE);
    stats_when(call.r, 0, DTLS_DONE);
    browser_free(&call.browser);
    call.browser = again;
    talk(&call);
    call_free(&call);
}

/* RFC 5763 without ICE: DTLS is heard from where the SDP said. */
static void test_without_ice_the_signalled_address_counts(void **state)
{
    struct call call = call_new(false);
    struct browser thief = browser_new(call.r, 0, &call.c[0]);
    (void)state;
    call.c[0].ice = (struct ice_conf){ "" };
    call.c[0].rtp = call.browser.at;
    set_side(call.r, 0, &call.c[0]);
    assert_int_equal(shake_for(&thief, NEVER_MS), DTLS_WAITING);
    assert_int_equal(shake(&call.browser), DTLS_DONE);
    talk(&call);
    browser_free(&thief);
    call_free(&call);
}

static void test_rtcp_shares_the_port(void **state)
{
    static const char report[] = "\x80\xc9\0\1\0\0\0\7";
    _Alignas(4) char packet[ROOM];
    struct call call = call_new(false);
    struct addr rtcp_at;
    const int rtcp = socket_at(&rtcp_at);
    size_t n = sizeof(report) - 1;
    (void)state;
    call.c[1].rtcp = rtcp_at;
    set_side(call.r, 1, &call.c[1]);
    assert_true(ask(call.browser.fd, &call.browser.to, &call.browser.ice, true));
    assert_int_equal(shake(&call.browser), DTLS_DONE);
    stats_when(call.r, 0, DTLS_DONE);
    memcpy(packet, report, n);
    assert_int_equal(crypt_protect_rtcp(call.browser.out, packet, &n), 0);
    send_from(call.browser.fd, &call.browser.to, packet, n);
    assert_true(can_read(rtcp, SOON_MS));
    assert_int_equal(recv(rtcp, packet, sizeof(packet), 0), sizeof(report) - 1);
    close(rtcp);
    call_free(&call);
}

static void test_calls_come_and_go_in_the_middle_of_handshakes(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        struct call calls[10];
        for (size_t i = 0; i < CS_LEN(calls); i++) {
            calls[i] = call_new(i % 2);
            assert_true(
                ask(calls[i].browser.fd, &calls[i].browser.to, &calls[i].browser.ice, true));
            dtls_set_sender(calls[i].browser.dtls, on_send, &calls[i].browser);
            dtls_start(calls[i].browser.dtls);
        }
        for (size_t i = 0; i < CS_LEN(calls); i++)
            call_free(&calls[i]);
    }
    for (int i = 0; i < SOON_MS && ports_taken(ports); i++)
        (void)poll(NULL, 0, 1);
    assert_int_equal(ports_taken(ports), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_browser_talks_to_a_phone_whoever_begins),
        cmocka_unit_test(test_nothing_passes_before_there_are_keys),
        cmocka_unit_test(test_another_certificate_has_no_keys),
        cmocka_unit_test(test_without_the_password_nobody_begins_or_moves_anything),
        cmocka_unit_test(test_media_go_where_the_browser_proves_to_be),
        cmocka_unit_test(test_the_association_stands_while_ice_begins_anew),
        cmocka_unit_test(test_without_ice_the_signalled_address_counts),
        cmocka_unit_test(test_rtcp_shares_the_port),
        cmocka_unit_test(test_calls_come_and_go_in_the_middle_of_handshakes),
    };
    return cmocka_run_group_tests(tests, open_both, close_both);
}
