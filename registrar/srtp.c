#include "registrar/srtp.h"

#include "sip/chars.h"

/* Of a media description, and before the first one of the session. */
struct media {
    bool used;       /* its port is not 0 */
    bool sdes, dtls; /* what its protocol takes keys from */
    bool crypto, fingerprint;
};

static bool is_kept(const struct media *m, bool session_fingerprint)
{
    const bool by_dtls = m->fingerprint || session_fingerprint;
    return !m->used || (m->sdes && m->crypto) || (m->dtls && by_dtls);
}

/* "audio 49170/2 RTP/SAVP 0 8" */
static bool read_media(struct span line, struct media *m)
{
    struct span media = span_cut(&line, ' '), port = span_cut(&line, ' '),
                proto = span_cut(&line, ' ');
    struct span number = span_cut(&port, '/');
    uint64_t n, count = 1;
    if (!media.n || span_u64(number, 65535, &n) || (port.p && span_u64(port, 65535, &count)) ||
        count == 0 || !proto.n || !line.n)
        return false;
    *m = (struct media){ .used = n != 0 };
    m->sdes = span_eq(proto, SPAN("RTP/SAVP")) || span_eq(proto, SPAN("RTP/SAVPF"));
    m->dtls = m->sdes || span_eq(proto, SPAN("UDP/TLS/RTP/SAVP")) ||
              span_eq(proto, SPAN("UDP/TLS/RTP/SAVPF"));
    return true;
}

/* "1 AES_CM_128_HMAC_SHA1_80 inline:... KDR=1": a suite, its keys, and parameters, of which some
 * take away what SRTP is for (RFC 4568, 6.3). */
static bool is_crypto(struct span value)
{
    struct span tag = span_cut(&value, ' '), suite = span_cut(&value, ' '),
                keys = span_cut(&value, ' ');
    uint64_t n;
    bool ok = span_u64(tag, 999999999, &n) == 0 && suite.n &&
              !span_casestarts(suite, SPAN("NULL")) && span_casestarts(keys, SPAN("inline:"));
    while (ok && value.p) {
        struct span param = span_cut(&value, ' ');
        ok = !span_caseeq(param, SPAN("UNENCRYPTED_SRTP")) &&
             !span_caseeq(param, SPAN("UNAUTHENTICATED_SRTP"));
    }
    return ok;
}

static bool read_attribute(struct span line, struct media *m)
{
    struct span value = line, name = span_cut(&value, ':');
    if (span_eq(name, SPAN("crypto"))) {
        m->crypto = true;
        return is_crypto(value);
    }
    if (span_eq(name, SPAN("fingerprint")))
        m->fingerprint = value.n > 0;
    /* Other protocols that would do as well (RFC 5939): they may be in clear. */
    return !span_eq(name, SPAN("tcap"));
}

/* A line without its end; false at the end, or when it has none that is one to every reader. */
static bool next_line(struct span *rest, struct span *line)
{
    *line = span_cut(rest, '\n');
    if (line->n && line->p[line->n - 1] == '\r')
        line->n--;
    return line->n >= 2 && line->p[0] >= 'a' && line->p[0] <= 'z' && line->p[1] == '=' &&
           !chars_has_control(*line);
}

bool srtp_alone(struct span sdp)
{
    struct media session = { 0 }, media = { 0 };
    struct span rest = chars_trim(sdp), line;
    bool ok = next_line(&rest, &line) && span_eq(line, SPAN("v=0")), in_media = false;
    while (ok && rest.n) {
        struct span value;
        ok = next_line(&rest, &line);
        value = span_skip(line, 2);
        if (ok && line.p[0] == 'm') {
            ok = is_kept(&media, session.fingerprint) && read_media(value, &media);
            in_media = true;
        } else if (ok && line.p[0] == 'a') {
            ok = read_attribute(value, in_media ? &media : &session);
        }
    }
    return ok && is_kept(&media, session.fingerprint);
}

bool srtp_is_kept(const struct sip_msg *m)
{
    struct span type = sip_hdr_value(m, SIP_HDR_CONTENT_TYPE),
                encoding = sip_hdr_value(m, SIP_HDR_CONTENT_ENCODING);
    if (!m->body.n)
        return true;
    type = chars_trim(span_cut(&type, ';'));
    if (span_casestarts(type, SPAN("multipart/")))
        return false;
    /* What says nothing of itself might be taken for SDP. */
    if (type.n && !span_caseeq(type, SPAN("application/sdp")))
        return true;
    return (!encoding.n || span_caseeq(encoding, SPAN("identity"))) && srtp_alone(m->body);
}
