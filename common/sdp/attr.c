#include "sdp/sdp.h"

const struct sdp_attr *sdp_attr(const struct sdp_attrs *attrs, struct span name)
{
    for (size_t i = 0; i < attrs->n; i++) {
        if (span_eq(attrs->a[i].name, name))
            return &attrs->a[i];
    }
    return NULL;
}

const struct sdp_attr *sdp_attr_of(const struct sdp *s, const struct sdp_media *m, struct span name)
{
    const struct sdp_attr *a = sdp_attr(&m->attrs, name);
    return a ? a : sdp_attr(&s->attrs, name);
}

struct sdp_connection sdp_connection_of(const struct sdp *s, const struct sdp_media *m)
{
    return m->connection.host.p ? m->connection : s->connection;
}

/* ---- direction ---- */

static const struct span directions[] = {
    [SDP_INACTIVE] = SPAN_INIT("inactive"),
    [SDP_RECVONLY] = SPAN_INIT("recvonly"),
    [SDP_SENDONLY] = SPAN_INIT("sendonly"),
    [SDP_SENDRECV] = SPAN_INIT("sendrecv"),
};

enum sdp_direction sdp_direction_reversed(enum sdp_direction d)
{
    static const enum sdp_direction reversed[] = { [SDP_INACTIVE] = SDP_INACTIVE,
                                                   [SDP_RECVONLY] = SDP_SENDONLY,
                                                   [SDP_SENDONLY] = SDP_RECVONLY,
                                                   [SDP_SENDRECV] = SDP_SENDRECV };
    return reversed[d];
}

struct span sdp_direction_name(enum sdp_direction d)
{
    return directions[d];
}

static bool direction_in(const struct sdp_attrs *attrs, enum sdp_direction *out)
{
    for (size_t i = 0; i < attrs->n; i++) {
        for (size_t d = 0; d < CS_LEN(directions); d++) {
            if (!attrs->a[i].value.p && span_eq(attrs->a[i].name, directions[d])) {
                *out = (enum sdp_direction)d;
                return true;
            }
        }
    }
    return false;
}

enum sdp_direction sdp_direction_of(const struct sdp *s, const struct sdp_media *m)
{
    enum sdp_direction d = SDP_SENDRECV;
    if (!direction_in(&m->attrs, &d))
        (void)direction_in(&s->attrs, &d);
    const struct sdp_connection c = sdp_connection_of(s, m);
    /* With ICE it says that candidates are still to come (RFC 8840, 4.3.1). */
    if (c.addr.sa.sa_family != AF_UNSPEC && addr_is_any(&c.addr) &&
        !sdp_attr_of(s, m, SPAN("ice-ufrag")))
        d = (enum sdp_direction)(d & SDP_SENDONLY);
    return d;
}

/* ---- codecs ---- */

/* RFC 3551, 6. */
static const struct {
    unsigned payload;
    struct span name;
    unsigned rate, channels;
} fixed[] = {
    { 0, SPAN_INIT("PCMU"), 8000, 1 },   { 3, SPAN_INIT("GSM"), 8000, 1 },
    { 4, SPAN_INIT("G723"), 8000, 1 },   { 5, SPAN_INIT("DVI4"), 8000, 1 },
    { 6, SPAN_INIT("DVI4"), 16000, 1 },  { 7, SPAN_INIT("LPC"), 8000, 1 },
    { 8, SPAN_INIT("PCMA"), 8000, 1 },   { 9, SPAN_INIT("G722"), 8000, 1 },
    { 10, SPAN_INIT("L16"), 44100, 2 },  { 11, SPAN_INIT("L16"), 44100, 1 },
    { 12, SPAN_INIT("QCELP"), 8000, 1 }, { 13, SPAN_INIT("CN"), 8000, 1 },
    { 14, SPAN_INIT("MPA"), 90000, 1 },  { 15, SPAN_INIT("G728"), 8000, 1 },
    { 16, SPAN_INIT("DVI4"), 11025, 1 }, { 17, SPAN_INIT("DVI4"), 22050, 1 },
    { 18, SPAN_INIT("G729"), 8000, 1 },  { 25, SPAN_INIT("CelB"), 90000, 1 },
    { 26, SPAN_INIT("JPEG"), 90000, 1 }, { 28, SPAN_INIT("nv"), 90000, 1 },
    { 31, SPAN_INIT("H261"), 90000, 1 }, { 32, SPAN_INIT("MPV"), 90000, 1 },
    { 33, SPAN_INIT("MP2T"), 90000, 1 }, { 34, SPAN_INIT("H263"), 90000, 1 },
};

/* "97 iLBC/8000" of "a=rtpmap:97 iLBC/8000": what stands behind this payload type, or absent. */
static struct span behind(const struct sdp_media *m, struct span name, struct span format)
{
    for (size_t i = 0; i < m->attrs.n; i++) {
        struct span value = m->attrs.a[i].value;
        if (span_eq(m->attrs.a[i].name, name) && span_eq(span_cut(&value, ' '), format))
            return span_trim(value);
    }
    return SPAN_NULL;
}

static int read_rtpmap(struct span map, struct sdp_codec *c)
{
    uint64_t rate, channels = 1;
    c->name = span_cut(&map, '/');
    struct span hz = span_cut(&map, '/');
    if (!c->name.n || span_u64(hz, UINT32_MAX, &rate) || rate == 0 ||
        (map.p && (span_u64(map, 255, &channels) || channels == 0)))
        return CS_EPROTO;
    c->rate = (unsigned)rate;
    c->channels = (unsigned)channels;
    return 0;
}

int sdp_codec(const struct sdp_media *m, size_t i, struct sdp_codec *out)
{
    const struct span format = m->formats[i];
    uint64_t payload;
    *out = (struct sdp_codec){ 0 };
    if (m->proto == SDP_OTHER || span_u64(format, 127, &payload))
        return CS_ENOENT;
    struct sdp_codec c = { .payload = (unsigned)payload, .fmtp = behind(m, SPAN("fmtp"), format) };
    struct span map = behind(m, SPAN("rtpmap"), format);
    int err = map.p ? read_rtpmap(map, &c) : CS_ENOENT;
    for (size_t k = 0; !map.p && k < CS_LEN(fixed); k++) {
        if (fixed[k].payload == c.payload) {
            c.name = fixed[k].name;
            c.rate = fixed[k].rate;
            c.channels = fixed[k].channels;
            err = 0;
        }
    }
    if (!err)
        *out = c;
    return err;
}

bool sdp_codec_is(const struct sdp_codec *a, const struct sdp_codec *b)
{
    return a->rate == b->rate && a->channels == b->channels && span_caseeq(a->name, b->name);
}

/* ---- RTCP ---- */

int sdp_rtcp_of(const struct sdp *s, const struct sdp_media *m, struct addr *out)
{
    const struct sdp_attr *a = sdp_attr(&m->attrs, SPAN("rtcp"));
    struct addr addr = sdp_connection_of(s, m).addr;
    uint64_t port = (uint64_t)m->port + 1;
    *out = (struct addr){ 0 };
    if (a) {
        struct span rest = a->value;
        if (span_u64(span_cut(&rest, ' '), UINT16_MAX, &port))
            return CS_EPROTO;
        struct span net = span_cut(&rest, ' '), family = span_cut(&rest, ' ');
        if (net.p && (!span_eq(net, SPAN("IN")) || !span_casestarts(family, SPAN("IP")) ||
                      addr_parse_host(rest, 0, &addr)))
            return CS_EPROTO;
    }
    if (addr.sa.sa_family == AF_UNSPEC || port == 0 || port > UINT16_MAX)
        return CS_ENOENT;
    *out = addr;
    addr_set_port(out, (uint16_t)port);
    return 0;
}

/* ---- ICE ---- */

/* foundation component transport priority address port typ type ... (RFC 8839, 5.1) */
int sdp_candidate_parse(struct span value, struct sdp_candidate *out)
{
    struct sdp_candidate c = { 0 };
    uint64_t component, priority, port;
    *out = c;
    c.foundation = span_cut(&value, ' ');
    struct span number = span_cut(&value, ' '), transport = span_cut(&value, ' ');
    struct span weight = span_cut(&value, ' '), host = span_cut(&value, ' ');
    struct span at = span_cut(&value, ' '), typ = span_cut(&value, ' ');
    c.type = span_cut(&value, ' ');
    if (!c.foundation.n || c.foundation.n > 32 || span_u64(number, 256, &component) ||
        component == 0 || !transport.n || span_u64(weight, UINT32_MAX, &priority) || !host.n ||
        span_u64(at, UINT16_MAX, &port) || !span_eq(typ, SPAN("typ")) || !c.type.n)
        return CS_EPROTO;
    c.component = (unsigned)component;
    c.priority = (uint32_t)priority;
    c.udp = span_caseeq(transport, SPAN("udp"));
    if (addr_parse_host(host, (uint16_t)port, &c.addr))
        c.addr = (struct addr){ 0 };
    *out = c;
    return 0;
}
