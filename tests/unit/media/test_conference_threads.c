/* Conferences: tones between real sockets, mixed by worker threads. */
#include "b2bua/media/conference.h"
#include "b2bua/media/rtp.h"
#include "unit/media/world.h"

enum { PARTIES = 3 };

struct party {
    int fd;
    struct seat *seat;
    struct seat_peer peer;
    struct rtp head;
};

static struct party sit_down(struct conference *c, enum g711_law law)
{
    struct party p = { .peer = { .law = law, .says = true, .listens = true } };
    p.fd = socket_at(&p.peer.at);
    p.head = (struct rtp){ .payload = law, .ssrc = (uint32_t)p.fd };
    assert_int_equal(seat_take(c, 0, &p.seat), 0);
    assert_int_equal(seat_set(p.seat, &p.peer), 0);
    return p;
}

static void get_up(struct party *p)
{
    seat_leave(&p->seat);
    close(p->fd);
}

static void say(struct party *p, int16_t level)
{
    char packet[RTP_HEADER + MIXER_FRAME];
    rtp_write(packet, &p->head);
    memset(packet + RTP_HEADER, g711_encode(p->peer.law, level), MIXER_FRAME);
    p->head.seq++;
    p->head.timestamp += MIXER_FRAME;
    send_from(p->fd, seat_local(p->seat), packet, sizeof(packet));
}

/* The level of one frame; it comes by the law that was asked for. */
static int hear(struct party *p)
{
    char packet[ROOM];
    struct rtp r;
    assert_true(can_read(p->fd, SOON_MS));
    const size_t n = (size_t)recv(p->fd, packet, sizeof(packet), 0);
    assert_int_equal(n, RTP_HEADER + MIXER_FRAME);
    assert_int_equal(rtp_parse(span_of(packet, n), &r), 0);
    assert_int_equal(r.payload, p->peer.law);
    return g711_decode(p->peer.law, (uint8_t)packet[n / 2]);
}

/* Until it is that loud: two packets wait before they are heard, and threads have their time. */
static void speak_until(struct party all[PARTIES], const int16_t levels[PARTIES], int listener)
{
    int want = 0, got = 0;
    for (int i = 0; i < PARTIES; i++)
        want += i == listener ? 0 : levels[i];
    for (int n = 0; n < 500; n++) {
        for (int i = 0; i < PARTIES; i++) {
            if (levels[i])
                say(&all[i], levels[i]);
        }
        got = hear(&all[listener]);
        if (abs(got - want) <= 600)
            return;
    }
    assert_int_equal(got, want);
}

static void test_each_hears_both_others(void **state)
{
    static const int16_t levels[PARTIES] = { 4000, -8000, 16000 };
    struct conference *c;
    struct party all[PARTIES];
    (void)state;
    assert_int_equal(conference_new(media, &c), 0);
    for (int i = 0; i < PARTIES; i++)
        all[i] = sit_down(c, i == 1 ? G711_PCMA : G711_PCMU);
    for (int i = 0; i < PARTIES; i++)
        speak_until(all, levels, i);
    get_up(&all[2]);
    all[2] = sit_down(c, G711_PCMA);
    for (int i = 0; i < PARTIES; i++)
        speak_until(all, levels, i);
    for (int i = 0; i < PARTIES; i++)
        get_up(&all[i]);
    conference_free(&c);
}

static void test_who_does_not_listen_is_sent_nothing(void **state)
{
    struct conference *c;
    (void)state;
    assert_int_equal(conference_new(media, &c), 0);
    struct party a = sit_down(c, G711_PCMU), b = sit_down(c, G711_PCMU);
    (void)hear(&a);
    a.peer.listens = false;
    assert_int_equal(seat_set(a.seat, &a.peer), 0);
    while (can_read(a.fd, 100))
        (void)hear(&a);
    (void)hear(&b); /* others are */
    get_up(&a);
    get_up(&b);
    conference_free(&c);
}

static void test_strangers_are_not_heard(void **state)
{
    struct conference *c;
    (void)state;
    assert_int_equal(conference_new(media, &c), 0);
    struct party a = sit_down(c, G711_PCMU), b = sit_down(c, G711_PCMU), stranger = a;
    struct addr at;
    stranger.fd = socket_at(&at);
    for (int i = 0; i < 20; i++) {
        say(&stranger, 16000);
        assert_int_equal(hear(&b), 0);
    }
    send_from(a.fd, seat_local(a.seat), "\x80\x00", 2); /* nor what is no RTP */
    assert_int_equal(hear(&b), 0);
    close(stranger.fd);
    get_up(&a);
    get_up(&b);
    conference_free(&c);
}

static void test_seats_run_out_and_come_back(void **state)
{
    struct conference *c;
    struct party all[MIXER_INPUTS];
    struct seat *more;
    (void)state;
    assert_int_equal(conference_new(media, &c), 0);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < MIXER_INPUTS; i++)
            all[i] = sit_down(c, G711_PCMU);
        assert_int_equal(seat_take(c, 0, &more), CS_ELIMIT);
        for (int i = 0; i < MIXER_INPUTS; i++)
            get_up(&all[i]);
    }
    conference_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_hears_both_others),
        cmocka_unit_test(test_who_does_not_listen_is_sent_nothing),
        cmocka_unit_test(test_strangers_are_not_heard),
        cmocka_unit_test(test_seats_run_out_and_come_back),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
