#include "sip/head.h"

#include "sip/chars.h"

struct sip_limits head_limits(const struct sip_limits *limits)
{
    struct sip_limits l = { SIP_MAX_MESSAGE, SIP_MAX_LINE, SIP_MAX_HEADERS };
    if (limits && limits->message)
        l.message = limits->message;
    if (limits && limits->line)
        l.line = limits->line;
    if (limits && limits->headers)
        l.headers = limits->headers;
    return l;
}

/* ---- lines ---- */

bool head_next(struct span *in, struct head_line *out)
{
    const char *end = in->p + in->n, *p = in->p;
    *out = (struct head_line){ 0 };
    for (;;) {
        const char *lf = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        if (!lf)
            return false;
        const char *stop = lf > in->p && lf[-1] == '\r' ? lf - 1 : lf;
        out->bad_end |= stop == lf;
        if (stop == in->p) { /* the empty line */
            out->text = span_of(in->p, 0);
            *in = span_of(lf + 1, (size_t)(end - lf - 1));
            return true;
        }
        if (lf + 1 == end)
            return false;
        if (lf[1] != ' ' && lf[1] != '\t') {
            out->text = span_of(in->p, (size_t)(stop - in->p));
            *in = span_of(lf + 1, (size_t)(end - lf - 1));
            return true;
        }
        out->folded = true;
        p = lf + 1;
    }
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

bool head_is_clean(const struct head_line *line)
{
    bool quoted = false, blank = false;
    struct span s = line->text;
    if (!chars_has_control(s))
        return true;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\r' && s.n - i >= 3 && s.p[i + 1] == '\n' && !blank) {
            i += 2; /* a fold: head_next() saw that white space follows */
            blank = true;
        } else if (quoted && c == '\\' && i + 1 < s.n && s.p[i + 1] != '\r' && s.p[i + 1] != '\n') {
            i++; /* quoted-pair: even a NUL (RFC 4475, 3.1.1.2) */
            blank = false;
        } else if (is_control(c) && c != '\t') {
            return false;
        } else {
            quoted ^= c == '"';
            blank &= c == ' ' || c == '\t';
        }
    }
    return !blank;
}

/* ---- names ---- */

bool head_split(struct span line, struct sip_hdr *out)
{
    ptrdiff_t colon = span_find(line, ':');
    if (colon < 1)
        return false;
    struct span name = span_head(line, (size_t)colon);
    while (name.n && (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t'))
        name.n--; /* HCOLON = *( SP / HTAB ) ":" SWS */
    out->id = head_id(name);
    out->name = name;
    out->value = chars_trim(span_skip(line, (size_t)colon + 1));
    return out->id != SIP_HDR_OTHER || (name.n && chars_all(name, CH_TOKEN));
}

/* Compact forms (RFC 3261, 7.3.3, and the RFCs that added theirs). */
static const uint8_t compact[26] = {
    ['a' - 'a'] = SIP_HDR_OTHER, /* Accept-Contact (RFC 3841) */
    ['b' - 'a'] = SIP_HDR_REFERRED_BY,
    ['c' - 'a'] = SIP_HDR_CONTENT_TYPE,
    ['e' - 'a'] = SIP_HDR_CONTENT_ENCODING,
    ['f' - 'a'] = SIP_HDR_FROM,
    ['i' - 'a'] = SIP_HDR_CALL_ID,
    ['k' - 'a'] = SIP_HDR_SUPPORTED,
    ['l' - 'a'] = SIP_HDR_CONTENT_LENGTH,
    ['m' - 'a'] = SIP_HDR_CONTACT,
    ['o' - 'a'] = SIP_HDR_EVENT,
    ['r' - 'a'] = SIP_HDR_REFER_TO,
    ['s' - 'a'] = SIP_HDR_SUBJECT,
    ['t' - 'a'] = SIP_HDR_TO,
    ['u' - 'a'] = SIP_HDR_ALLOW_EVENTS,
    ['v' - 'a'] = SIP_HDR_VIA,
    ['x' - 'a'] = SIP_HDR_SESSION_EXPIRES,
};

/* Long forms by length. A fold of case by 0x20 is exact here: letters and '-' only, and no control
 * character comes this far. */
struct name {
    const char *text; /* lower case */
    enum sip_hdr_id id;
};
#define NAMES(...) ((const struct name[]){ __VA_ARGS__, { NULL, SIP_HDR_OTHER } })
static const struct name *const by_length[] = {
    [2] = NAMES({ "to", SIP_HDR_TO }),
    [3] = NAMES({ "via", SIP_HDR_VIA }),
    [4] = NAMES({ "from", SIP_HDR_FROM }, { "cseq", SIP_HDR_CSEQ }, { "path", SIP_HDR_PATH },
                { "date", SIP_HDR_DATE }),
    [5] = NAMES({ "allow", SIP_HDR_ALLOW }, { "route", SIP_HDR_ROUTE }, { "event", SIP_HDR_EVENT }),
    [6] = NAMES({ "accept", SIP_HDR_ACCEPT }, { "reason", SIP_HDR_REASON },
                { "server", SIP_HDR_SERVER }),
    [7] = NAMES({ "call-id", SIP_HDR_CALL_ID }, { "contact", SIP_HDR_CONTACT },
                { "expires", SIP_HDR_EXPIRES }, { "require", SIP_HDR_REQUIRE },
                { "subject", SIP_HDR_SUBJECT }, { "privacy", SIP_HDR_PRIVACY },
                { "warning", SIP_HDR_WARNING }),
    [8] = NAMES({ "refer-to", SIP_HDR_REFER_TO }, { "replaces", SIP_HDR_REPLACES }),
    [9] = NAMES({ "supported", SIP_HDR_SUPPORTED }, { "timestamp", SIP_HDR_TIMESTAMP }),
    [10] = NAMES({ "user-agent", SIP_HDR_USER_AGENT }),
    [11] = NAMES({ "min-expires", SIP_HDR_MIN_EXPIRES }, { "retry-after", SIP_HDR_RETRY_AFTER },
                 { "referred-by", SIP_HDR_REFERRED_BY }, { "max-breadth", SIP_HDR_MAX_BREADTH },
                 { "unsupported", SIP_HDR_UNSUPPORTED }),
    [12] =
        NAMES({ "max-forwards", SIP_HDR_MAX_FORWARDS }, { "content-type", SIP_HDR_CONTENT_TYPE },
              { "record-route", SIP_HDR_RECORD_ROUTE }, { "allow-events", SIP_HDR_ALLOW_EVENTS }),
    [13] = NAMES({ "authorization", SIP_HDR_AUTHORIZATION },
                 { "proxy-require", SIP_HDR_PROXY_REQUIRE },
                 { "service-route", SIP_HDR_SERVICE_ROUTE }),
    [14] = NAMES({ "content-length", SIP_HDR_CONTENT_LENGTH }),
    [15] = NAMES({ "session-expires", SIP_HDR_SESSION_EXPIRES },
                 { "remote-party-id", SIP_HDR_REMOTE_PARTY_ID }),
    [16] = NAMES({ "www-authenticate", SIP_HDR_WWW_AUTHENTICATE },
                 { "content-encoding", SIP_HDR_CONTENT_ENCODING }),
    [18] = NAMES({ "proxy-authenticate", SIP_HDR_PROXY_AUTHENTICATE },
                 { "countersign-origin", SIP_HDR_ORIGIN }),
    [19] = NAMES({ "proxy-authorization", SIP_HDR_PROXY_AUTHORIZATION },
                 { "p-asserted-identity", SIP_HDR_P_ASSERTED_IDENTITY }),
    [20] = NAMES({ "p-preferred-identity", SIP_HDR_P_PREFERRED_IDENTITY },
                 { "countersign-rests-on", SIP_HDR_RESTS_ON }),
};

enum sip_hdr_id head_id(struct span name)
{
    if (name.n == 1)
        return ascii_alpha(name.p[0]) ? compact[(name.p[0] | 0x20) - 'a'] : SIP_HDR_OTHER;
    if (name.n >= CS_LEN(by_length) || !by_length[name.n])
        return SIP_HDR_OTHER;
    for (const struct name *n = by_length[name.n]; n->text; n++) {
        size_t i = 0;
        while (i < name.n && (name.p[i] | 0x20) == n->text[i])
            i++;
        if (i == name.n)
            return n->id;
    }
    return SIP_HDR_OTHER;
}

bool head_is_start_line(struct span line)
{
    if (span_casestarts(line, SPAN("SIP/")))
        return true;
    line = span_trim(line); /* trailing spaces are refused later, with an answer */
    size_t i = line.n;
    while (i && line.p[i - 1] != ' ')
        i--;
    return i && span_casestarts(span_skip(line, i), SPAN("SIP/"));
}
