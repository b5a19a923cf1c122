#include "desk_phone.h"

#include "b2bua/media/rtp.h"
#include "base/rand.h"
#include "host.h"

enum { VERSION = 17, UNSENT_MAX = 64 * 1024, FRAME_MS = 20, LINE = 1 };

#define SEND(p, name, ...)                                                         \
    do {                                                                           \
        char text_[SCCP_FRAME_MAX];                                                \
        struct buf b_ = BUF_INIT(text_);                                           \
        sccp_put_##name(&b_, &(p)->dialect, &(struct sccp_##name){ __VA_ARGS__ }); \
        if ((p)->stream && buf_ok(&b_))                                            \
            stream_write((p)->stream, buf_span(&b_));                              \
    } while (0)

/* ---- media ---- */

static void on_packet(void *arg, const struct addr *from, struct span data)
{
    struct desk_phone *p = arg;
    char packet[RTP_MAX];
    struct rtp rtp;
    (void)from;
    if (!p->speaks || data.n > sizeof(packet) || rtp_is_rtcp(data) || rtp_parse(data, &rtp))
        return;
    memcpy(packet, data.p, data.n);
    memcpy(packet + 8, &p->ssrc, sizeof(p->ssrc)); /* it is another who speaks */
    if (udp_send(p->udp, &p->to, span_of(packet, data.n)))
        p->speaks = false;
}

static struct addr host_of(const struct desk_phone *p)
{
    struct addr a = *udp_local(p->udp);
    addr_set_port(&a, 0);
    return a;
}

static void open_channel(struct desk_phone *p, const struct sccp_open_receive_channel *m)
{
    const bool known = m->codec == SCCP_CODEC_PCMU;
    SEND(p, open_receive_channel_ack, .status = known ? SCCP_MEDIA_OK : SCCP_MEDIA_WRONG_CODEC,
         .address = host_of(p), .port = addr_port(udp_local(p->udp)), .party = m->party,
         .call = m->call);
}

static void start_sending(struct desk_phone *p, const struct sccp_start_media_transmission *m)
{
    p->to = m->remote;
    addr_set_port(&p->to, (uint16_t)m->remote_port);
    p->speaks = true;
    SEND(p, start_media_transmission_ack, .conference = m->conference, .party = m->party,
         .call = m->call, .address = host_of(p), .port = addr_port(udp_local(p->udp)));
}

/* ---- what it hears of the server ---- */

static void configure(struct desk_phone *p, const struct sccp_register_ack *m)
{
    p->dialect.version = m->version;
    SEND(p, capabilities_res, .n = 1,
         .audio = { { .codec = SCCP_CODEC_PCMU, .frames = FRAME_MS } });
    SEND(p, button_template_req);
    SEND(p, line_stat_req, .line = LINE);
    SEND(p, register_available_lines, .n = LINE);
    SEND(p, time_date_req);
}

static void show_call(struct desk_phone *p, const struct sccp_call_state *m)
{
    p->call.reference = m->call;
    p->call.line = m->line;
    p->call.rings = m->state == SCCP_CALL_RING_IN;
    p->call.connected = m->state == SCCP_CALL_CONNECTED;
    p->call.over = m->state == SCCP_CALL_ON_HOOK || m->state == SCCP_CALL_BUSY ||
                   m->state == SCCP_CALL_CONGESTION || m->state == SCCP_CALL_INVALID_NUMBER;
}

static void hear(struct desk_phone *p, const struct sccp_message *m)
{
    switch (m->kind) {
    case SCCP_RegisterAck:
        configure(p, &m->register_ack);
        break;
    case SCCP_RegisterReject:
        span_copy(p->reason, sizeof(p->reason), m->register_reject.reason);
        break;
    case SCCP_LineStat:
        span_copy(p->number, sizeof(p->number), m->line_stat.number);
        break;
    case SCCP_DefineTimeDate:
        p->registered = true;
        break;
    case SCCP_CallState:
        show_call(p, &m->call_state);
        break;
    case SCCP_OpenReceiveChannel:
        open_channel(p, &m->open_receive_channel);
        break;
    case SCCP_StartMediaTransmission:
        start_sending(p, &m->start_media_transmission);
        break;
    case SCCP_StopMediaTransmission:
        p->speaks = false;
        break;
    default: /* lamps, tones and texts are for people */
        break;
    }
}

static ptrdiff_t on_data(struct stream *s, void *arg, struct span in)
{
    struct desk_phone *p = arg;
    struct span rest = in;
    struct sccp_frame f;
    struct sccp_message m;
    ptrdiff_t n;
    (void)s;
    while ((n = sccp_frame(rest, &f)) > 0) {
        if (sccp_decode(&f, p->dialect.version, &m) == 0)
            hear(p, &m);
        rest = span_skip(rest, (size_t)n);
    }
    return n < 0 ? n : (ptrdiff_t)(in.n - rest.n);
}

static void on_opened(struct stream *s, void *arg)
{
    struct desk_phone *p = arg;
    struct addr station = host_of(p);
    (void)s;
    if (station.sa.sa_family != AF_INET) /* there is no room for it */
        memset(&station, 0, sizeof(station));
    SEND(p, register_device, .name = p->name, .instance = 1, .station = station,
         .type = SCCP_DEVICE_7942, .max_streams = 5, .version = VERSION,
         .features = { 0x00, 0x72, 0x85 }, .load = SPAN("csctl"));
}

static void on_closed(struct stream *s, void *arg, int reason)
{
    struct desk_phone *p = arg;
    (void)s, (void)reason;
    p->stream = NULL;
    p->gone = true;
}

/* ---- what its user does ---- */

void desk_phone_answer(struct desk_phone *p)
{
    SEND(p, off_hook, .line = p->call.line, .call = p->call.reference);
}

void desk_phone_dial(struct desk_phone *p, struct span number)
{
    memset(&p->call, 0, sizeof(p->call));
    SEND(p, enbloc_call, .number = number, .line = LINE);
}

void desk_phone_hang_up(struct desk_phone *p)
{
    SEND(p, on_hook, .line = p->call.line, .call = p->call.reference);
}

/* ---- life ---- */

int desk_phone_open(struct loop *l, const struct addr *server, struct span name,
                    struct desk_phone *p)
{
    static const struct stream_limits limits = { SCCP_FRAME_MAX, UNSENT_MAX };
    static const struct stream_events events = { on_opened, on_data, on_closed };
    *p = (struct desk_phone){ .loop = l,
                              .name = name,
                              .ssrc = (uint32_t)rand_u64(),
                              .dialect = { .version = 0, .utf8 = true } };
    struct addr local;
    int err = host_towards(server, &local);
    if (!err)
        err = udp_open(l, &local, on_packet, p, &p->udp);
    if (!err)
        err = stream_connect_tcp(l, server, NULL, &limits, &events, p, &p->stream);
    if (err)
        desk_phone_close(p);
    return err;
}

void desk_phone_close(struct desk_phone *p)
{
    udp_close(&p->udp);
    if (p->stream)
        stream_close(p->stream, 0);
}
