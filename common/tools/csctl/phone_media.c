#include "phone_media.h"

#include "b2bua/media/rtp.h"
#include "base/rand.h"

enum {
    SAMPLES = 160, /* 20 ms */
    FRAME_MS = 20,
    LINGER_MS = 400, /* for what comes late */
    PACKET = RTP_HEADER + SAMPLES + CRYPT_GROWTH,
};

static void put_be(unsigned char *p, uint32_t v)
{
    for (size_t i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (24 - 8 * i));
}

/* 1000 Hz, eight samples a period (ITU-T G.711), with the frame's number at its head. */
static void write_frame(const struct phone_media *m, unsigned n, unsigned char *packet)
{
    static const unsigned char wave[] = { 0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e };
    uint16_t seq = (uint16_t)(m->seq + n);
    packet[0] = 0x80;
    packet[1] = 0; /* PCMU */
    packet[2] = (unsigned char)(seq >> 8);
    packet[3] = (unsigned char)seq;
    put_be(packet + 4, n * SAMPLES);
    put_be(packet + 8, m->ssrc);
    for (size_t i = 0; i < SAMPLES; i++)
        packet[RTP_HEADER + i] = wave[i % sizeof(wave)];
    packet[RTP_HEADER] = (unsigned char)n;
}

static void on_frame(struct timer *t)
{
    struct phone_media *m = container_of(t, struct phone_media, frame);
    _Alignas(8) unsigned char packet[PACKET];
    size_t n = RTP_HEADER + SAMPLES;
    if (m->sent == PHONE_MEDIA_FRAMES) {
        m->done = true;
        return;
    }
    write_frame(m, m->sent, packet);
    m->sent_at[m->sent++] = clock_mono();
    if ((m->out && crypt_protect(m->out, (char *)packet, &n)) ||
        udp_send(m->udp, &m->to, span_of(packet, n)))
        m->done = true;
    bool last = m->sent == PHONE_MEDIA_FRAMES;
    timer_start(m->loop, t, DURATION_MS(last ? LINGER_MS : FRAME_MS));
}

static void on_datagram(void *arg, const struct addr *from, struct span data)
{
    struct phone_media *m = arg;
    _Alignas(8) unsigned char packet[PACKET], want[PACKET];
    size_t n = data.n;
    (void)from;
    if (!m->sent || n > sizeof(packet))
        return;
    memcpy(packet, data.p, n);
    if ((m->in && crypt_unprotect(m->in, (char *)packet, &n)) || n != RTP_HEADER + SAMPLES)
        return;
    unsigned frame = packet[RTP_HEADER];
    if (frame >= m->sent)
        return;
    write_frame(m, frame, want);
    if (memcmp(packet + RTP_HEADER, want + RTP_HEADER, SAMPLES) != 0)
        return;
    struct mono now = clock_mono();
    m->round_trips_ms += (double)(now.ns - m->sent_at[frame].ns) / 1e6;
    m->heard++;
    m->done = m->heard == PHONE_MEDIA_FRAMES;
}

int phone_media_open(struct loop *l, const struct addr *host, struct phone_media *m)
{
    static bool ready; /* once for the process */
    struct addr local = *host;
    *m = (struct phone_media){ .loop = l,
                               .ssrc = (uint32_t)rand_u64(),
                               .seq = (uint16_t)rand_below(60000) };
    timer_init(&m->frame, on_frame);
    addr_set_port(&local, 0);
    int err = ready ? 0 : crypt_setup();
    ready = !err;
    return err ? err : udp_open(l, &local, on_datagram, m, &m->udp);
}

void phone_media_close(struct phone_media *m)
{
    if (!m->loop)
        return;
    timer_stop(m->loop, &m->frame);
    udp_close(&m->udp);
    crypt_free(&m->in);
    crypt_free(&m->out);
    keys_fini(&m->keys);
    m->loop = NULL;
}

/* With one stream, audio, which is filled in but for its keys. */
static void describe(const struct phone_media *m, struct sdp_media *audio, struct span formats[1],
                     struct buf *host, struct sdp *out)
{
    const struct addr *local = udp_local(m->udp);
    formats[0] = SPAN("0");
    *audio = (struct sdp_media){ .kind = SPAN("audio"),
                                 .port = addr_port(local),
                                 .ports = 1,
                                 .proto_text = SPAN("RTP/SAVP"),
                                 .proto = SDP_SAVP,
                                 .formats = formats,
                                 .n_formats = 1 };
    addr_write_bare(host, local);
    *out = (struct sdp){ .media = audio, .n_media = 1 };
    out->origin.user = out->origin.id = SPAN("1");
    out->origin.version = 1;
    out->origin.host = out->connection.host = buf_span(host);
    out->connection.addr = *local;
}

int phone_media_offer(struct phone_media *m, struct buf *b)
{
    struct span formats[1];
    char host[ADDR_STRLEN];
    struct buf hb = BUF_INIT(host);
    struct arena a;
    struct sdp_media audio;
    struct sdp d;
    describe(m, &audio, formats, &hb, &d);
    arena_init(&a, NULL, 0, 0);
    int err = keys_offer(&m->keys, &a, &audio.attrs);
    if (!err)
        sdp_write(b, &d);
    arena_fini(&a);
    return err ? err : buf_ok(b) ? 0 : CS_ELIMIT;
}

/* Where the other side is, by its description. */
static int find(struct phone_media *m, const struct sdp *d)
{
    m->to = sdp_connection_of(d, &d->media[0]).addr;
    addr_set_port(&m->to, d->media[0].port);
    return m->to.sa.sa_family == AF_UNSPEC ? CS_EPROTO : 0;
}

static int encrypt(struct phone_media *m)
{
    int err = crypt_new(&m->keys.out, &m->out);
    return err ? err : crypt_new(&m->keys.in, &m->in);
}

void phone_media_begin(struct phone_media *m)
{
    timer_start(m->loop, &m->frame, DURATION_MS(0));
}

int phone_media_talk(struct phone_media *m, struct span answer)
{
    struct arena a;
    struct sdp d;
    arena_init(&a, NULL, 0, 0);
    int err = sdp_parse(answer, &a, &d);
    if (!err && (d.n_media != 1 || !d.media[0].port))
        err = CS_EPROTO;
    if (!err)
        err = sdp_is_srtp(d.media[0].proto) && keys_answered(&m->keys, &d.media[0]) == 0
                  ? 0
                  : CS_EDENIED;
    if (!err)
        err = find(m, &d);
    arena_fini(&a);
    if (!err)
        err = encrypt(m);
    if (!err)
        phone_media_begin(m);
    return err;
}

static bool has_pcmu(const struct sdp *d)
{
    bool found = false;
    for (size_t i = 0; d->n_media == 1 && i < d->media[0].n_formats; i++)
        found |= span_eq(d->media[0].formats[i], SPAN("0"));
    return found && d->media[0].port;
}

int phone_media_answer(struct phone_media *m, struct span offer, struct buf *b)
{
    struct span formats[1];
    char host[ADDR_STRLEN];
    struct buf hb = BUF_INIT(host);
    struct arena a;
    struct sdp_media audio;
    struct sdp theirs, ours;
    describe(m, &audio, formats, &hb, &ours);
    arena_init(&a, NULL, 0, 0);
    int err = sdp_parse(offer, &a, &theirs);
    if (!err)
        err = has_pcmu(&theirs) ? find(m, &theirs) : CS_ENOTSUP;
    if (!err) {
        audio.proto_text = theirs.media[0].proto_text;
        audio.proto = theirs.media[0].proto;
        err = keys_accept(&m->keys, &theirs.media[0], &a, &audio.attrs);
        err = err == CS_ENOENT && !sdp_is_srtp(audio.proto) ? 0 : err ? err : encrypt(m);
    }
    if (!err)
        sdp_write(b, &ours);
    arena_fini(&a);
    return err ? err : buf_ok(b) ? 0 : CS_ELIMIT;
}
