#include "b2bua/provisioning/phone_file.h"

#include "base/util.h"

enum { DEVICE_LEN = 3 + 12 /* SEP and the MAC */, TLS_WITH_AES = 3, NONE = 1 };
#define DIAL_RULES "dialplan.xml"
#define SCCP_PORT  "ethernetPhonePort"
enum { TCP = 1, UDP = 2, TLS = 3 /* transportLayerProtocol */ };
enum { LINE = 9, SPEED_DIAL = 2 /* featureID */ };

static bool is_device(struct span s)
{
    if (s.n != DEVICE_LEN || !span_starts(s, SPAN("SEP")))
        return false;
    for (size_t i = 3; i < DEVICE_LEN; i++) {
        if (!ascii_digit(s.p[i]) && !(s.p[i] >= 'A' && s.p[i] <= 'F'))
            return false;
    }
    return true;
}

enum phone_file_kind phone_file_kind(struct span name, struct span *device)
{
    static const struct {
        struct span before, behind;
        enum phone_file_kind kind;
    } kinds[] = {
        { SPAN_INIT(""), SPAN_INIT(".cnf.xml"), PHONE_FILE_CONFIG },
        { SPAN_INIT(""), SPAN_INIT(".cnf.xml.sgn"), PHONE_FILE_SIGNED },
        { SPAN_INIT(""), SPAN_INIT(".cnf.xml.enc.sgn"), PHONE_FILE_ENCRYPTED },
        { SPAN_INIT("ITL"), SPAN_INIT(".tlv"), PHONE_FILE_ITL },
        { SPAN_INIT("CTL"), SPAN_INIT(".tlv"), PHONE_FILE_CTL },
    };
    static const struct {
        struct span name;
        enum phone_file_kind kind;
    } shared[] = {
        { SPAN_INIT("XMLDefault.cnf.xml"), PHONE_FILE_DEFAULT },
        { SPAN_INIT("XMLDefault.cnf.xml.sgn"), PHONE_FILE_DEFAULT_SIGNED },
        { SPAN_INIT(DIAL_RULES), PHONE_FILE_DIAL_RULES },
        { SPAN_INIT(DIAL_RULES ".sgn"), PHONE_FILE_DIAL_RULES_SIGNED },
    };
    *device = SPAN_NULL;
    for (size_t i = 0; i < CS_LEN(shared); i++) {
        if (span_eq(name, shared[i].name))
            return shared[i].kind;
    }
    for (size_t i = 0; i < CS_LEN(kinds); i++) {
        const struct span rest = span_skip(name, CS_MIN(kinds[i].before.n, name.n));
        *device = span_head(rest, DEVICE_LEN);
        if (span_starts(name, kinds[i].before) && is_device(*device) &&
            span_eq(span_skip(rest, DEVICE_LEN), kinds[i].behind))
            return kinds[i].kind;
    }
    *device = SPAN_NULL;
    return PHONE_FILE_UNKNOWN;
}

struct span phone_file_zone(struct span zone)
{
    static const struct {
        struct span iana, name;
    } zones[] = {
#define ZONE(iana, name) { SPAN_INIT(iana), SPAN_INIT(name) }
        ZONE("Europe/London", "GMT Standard/Daylight Time"),
        ZONE("Europe/Dublin", "GMT Standard/Daylight Time"),
        ZONE("Europe/Lisbon", "GMT Standard/Daylight Time"),
        ZONE("Etc/UTC", "Greenwich Standard Time"),
        ZONE("UTC", "Greenwich Standard Time"),
        ZONE("Europe/Amsterdam", "W. Europe Standard/Daylight Time"),
        ZONE("Europe/Berlin", "W. Europe Standard/Daylight Time"),
        ZONE("Europe/Rome", "W. Europe Standard/Daylight Time"),
        ZONE("Europe/Stockholm", "W. Europe Standard/Daylight Time"),
        ZONE("Europe/Vienna", "W. Europe Standard/Daylight Time"),
        ZONE("Europe/Zurich", "W. Europe Standard/Daylight Time"),
        ZONE("Europe/Brussels", "Romance Standard/Daylight Time"),
        ZONE("Europe/Madrid", "Romance Standard/Daylight Time"),
        ZONE("Europe/Paris", "Romance Standard/Daylight Time"),
        ZONE("Europe/Athens", "GTB Standard/Daylight Time"),
        ZONE("Australia/Sydney", "AUS Eastern Standard/Daylight Time"),
        ZONE("Asia/Tokyo", "Tokyo Standard Time"),
        ZONE("America/New_York", "Eastern Standard/Daylight Time"),
        ZONE("America/Chicago", "Central Standard/Daylight Time"),
        ZONE("America/Denver", "Mountain Standard/Daylight Time"),
        ZONE("America/Los_Angeles", "Pacific Standard/Daylight Time"),
    };
    for (size_t i = 0; i < CS_LEN(zones); i++) {
        if (span_eq(zones[i].iana, zone))
            return zones[i].name;
    }
    return SPAN_NULL;
}

void phone_file_escape(struct buf *b, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        if (c == '&')
            buf_lit(b, "&amp;");
        else if (c == '<')
            buf_lit(b, "&lt;");
        else if (c == '>')
            buf_lit(b, "&gt;");
        else if (c == '"')
            buf_lit(b, "&quot;");
        else if ((unsigned char)c >= 0x20 || c == '\t')
            buf_putc(b, c);
    }
}

/* Nothing, where there is nothing to say: the phone has its own. */
static void element(struct buf *b, const char *name, struct span text)
{
    if (!text.n)
        return;
    buf_printf(b, "<%s>", name);
    phone_file_escape(b, text);
    buf_printf(b, "</%s>", name);
}

/* What its port is of. */
static void write_server(struct buf *b, size_t i, const char *port, const struct addr *a)
{
    char host[ADDR_STRLEN];
    struct buf h = BUF_INIT(host);
    addr_write_host(&h, a);
    buf_printf(b, "<member priority=\"%zu\"><callManager><ports><%s>%u</%s></ports>", i, port,
               addr_port(a), port);
    element(b, "processNodeName", buf_span(&h));
    buf_lit(b, "</callManager></member>\n");
}

static void write_servers(struct buf *b, const char *port, const struct phone_servers *servers)
{
    buf_lit(b, "<callManagerGroup><members>\n");
    for (size_t i = 0; i < servers->n; i++)
        write_server(b, i, port, &servers->address[i]);
    buf_lit(b, "</members></callManagerGroup>");
}

/* ---- SIP ---- */

static void write_number(struct buf *b, struct span number)
{
    buf_lit(b, "<speedDialNumber>");
    phone_file_escape(b, number);
    buf_lit(b, "</speedDialNumber></line>\n");
}

/* The user part of its address is what it is called by; what it shows a password with is its name.
 */
static void write_line(struct buf *b, const Countersign__Auth__DeviceLine *l, unsigned port)
{
    struct span name = span_str(l->user), aor = span_str(l->aor), user;
    size_t at = name.n;
    while (at && name.p[at - 1] != '@')
        at--;
    name = span_head(name, at ? at - 1 : 0);
    span_cut(&aor, ':');
    user = span_cut(&aor, '@');
    buf_printf(b, "<proxy>USECALLMANAGER</proxy><port>%u</port>", port);
    element(b, "name", user);
    element(b, "displayName", l->display_name ? span_str(l->display_name) : user);
    element(b, "contact", user);
    element(b, "authName", name);
    element(b, "authPassword", span_str(l->password_secret));
    buf_lit(b, "<sharedLine>false</sharedLine></line>\n");
}

static void write_button(struct buf *b, const Countersign__Auth__DeviceRecord *r, size_t i,
                         unsigned port)
{
    const Countersign__Auth__DeviceButton *k = r->button[i];
    const Countersign__Auth__DeviceLine *l =
        k->has_line && k->line < r->n_line ? r->line[k->line] : NULL;
    const bool is_line = k->kind == COUNTERSIGN__AUTH__DEVICE_BUTTON_KIND__BUTTON_LINE && l &&
                         l->password_secret && l->aor;
    const bool dials = k->kind != COUNTERSIGN__AUTH__DEVICE_BUTTON_KIND__BUTTON_LINE && k->number;
    if (!is_line && !dials)
        return;
    buf_printf(b, "<line button=\"%zu\"><featureID>%d</featureID>", i + 1,
               is_line ? LINE : SPEED_DIAL);
    element(b, "featureLabel", span_str(k->label));
    if (is_line)
        write_line(b, l, port);
    else
        write_number(b, span_str(k->number));
}

/* A busy lamp is what dials here, and has no light. */
static void write_profile(struct buf *b, const Countersign__Auth__DeviceRecord *r, unsigned port)
{
    buf_lit(b,
            "<sipProfile>\n<sipProxies><registerWithProxy>true</registerWithProxy></sipProxies>\n"
            "<dtmfAvtPayload>101</dtmfAvtPayload><dtmfOutofBand>avt</dtmfOutofBand>\n<sipLines>\n");
    for (size_t i = 0; i < r->n_button; i++)
        write_button(b, r, i, port);
    buf_lit(b, "</sipLines>\n<dialTemplate>" DIAL_RULES "</dialTemplate>\n</sipProfile>\n");
}

/* ---- the file ---- */

/* There is no mode that is authenticated and not encrypted: no NULL cipher is offered, so a phone
 * that must not be in clear speaks TLS with AES. */
void phone_file_write(struct buf *b, const Countersign__Auth__DeviceRecord *r,
                      const struct phone_servers *servers, struct span hash)
{
    const bool clear = r->security == COUNTERSIGN__AUTH__DEVICE_SECURITY__DEVICE_NONSECURE;
    const bool sip = r->has_sip && r->sip;
    const char *port = !sip ? SCCP_PORT : clear ? "sipPort" : "securedSipPort";
    buf_printf(b,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<device>\n"
               "<fullConfig>true</fullConfig><deviceProtocol>%s</deviceProtocol>\n"
               "<devicePool><dateTimeSetting>",
               sip ? "SIP" : "SCCP");
    element(b, "dateTemplate", span_str(r->date_format));
    element(b, "timeZone", phone_file_zone(span_str(r->time_zone)));
    buf_lit(b, "</dateTimeSetting>\n");
    write_servers(b, port, servers);
    buf_lit(b, "</devicePool>\n");
    if (sip)
        write_profile(b, r, servers->n ? addr_port(&servers->address[0]) : 0);
    if (r->locale && r->locale[0]) {
        buf_lit(b, "<userLocale>");
        element(b, "name", span_str(r->locale));
        buf_lit(b, "</userLocale>\n");
    }
    buf_printf(b,
               "<deviceSecurityMode>%d</deviceSecurityMode>"
               "<transportLayerProtocol>%d</transportLayerProtocol>\n"
               "<capfAuthMode>0</capfAuthMode><certHash>" SPAN_FMT "</certHash>"
               "<encrConfig>%s</encrConfig>\n</device>\n",
               clear ? NONE : TLS_WITH_AES,
               !sip    ? TCP
               : clear ? UDP
                       : TLS,
               SPAN_ARG(hash), hash.n ? "true" : "false");
}

void phone_file_write_default(struct buf *b, const struct phone_servers *servers)
{
    buf_lit(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Default>\n");
    write_servers(b, SCCP_PORT, servers);
    buf_lit(b, "\n</Default>\n");
}

void phone_file_write_short(struct buf *b, struct span hash)
{
    buf_printf(b,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<device>\n"
               "<fullConfig>false</fullConfig><capfAuthMode>0</capfAuthMode>"
               "<certHash>" SPAN_FMT "</certHash><encrConfig>true</encrConfig>\n</device>\n",
               SPAN_ARG(hash));
}
