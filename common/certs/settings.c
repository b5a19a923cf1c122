#include "certs/settings.h"

static const char *const clients[] = { "none", "optional", "required", NULL };
static const char *const unknown[] = { "first", "refuse", NULL };

#define CERTIFICATE struct listener_certificate_conf
static const struct conf_key certificate_keys[] = {
    CONF_PATH("certificate_file", CERTIFICATE, certificate_file,
              "The certificate, and behind it those that lead to its authority (PEM).",
              .required = true),
    CONF_PATH("key_file", CERTIFICATE, key_file, "Its private key, not readable by everybody.",
              .required = true),
    CONF_STRS("names", CERTIFICATE, names,
              "Server names it is shown for (SNI); default: the DNS names in it.", .max = 253),
    { 0 },
};
static const struct conf_section certificate_section = { sizeof(CERTIFICATE), certificate_keys,
                                                         NULL };

#define LISTENER_TLS struct listener_tls_conf
static const struct conf_key listener_tls_keys[] = {
    CONF_SECTIONS("certificates", LISTENER_TLS, certificates, &certificate_section,
                  "What it shows; the first is for who asks for no name.", .at_least = 1,
                  .at_most = 256, .required = true, .unique = true),
    CONF_ENUM("unknown_sni", LISTENER_TLS, unknown_sni, unknown,
              "Who asks for a name that no certificate has gets the first one, or nothing "
              "(unrecognized_name).",
              .def = "first"),
    CONF_ENUM("client_certificates", LISTENER_TLS, client_certificates, clients,
              "What who connects has to show before anything else; with optional and required "
              "there are no session tickets.",
              .def = "none"),
    CONF_PATH("ca_file", LISTENER_TLS, ca_file,
              "The authorities whose client certificates are taken (PEM)."),
    CONF_PATH("crl_file", LISTENER_TLS, crl_file,
              "What they took back (PEM); when it is out of date nobody with a certificate gets "
              "in."),
    { 0 },
};

static void listener_tls_check(struct conf_check *c, void *section)
{
    const LISTENER_TLS *t = section;
    bool asks = t->client_certificates != CLIENTS_NONE;
    if (asks && !t->ca_file)
        conf_error(c, "client_certificates",
                   "says nothing about whose; add ca_file: devices-ca.crt");
    if (!asks && (t->ca_file || t->crl_file))
        conf_error(c, t->ca_file ? "ca_file" : "crl_file",
                   "is for client certificates; add client_certificates: required, or optional");
}

const struct conf_section listener_tls_section = { sizeof(LISTENER_TLS), listener_tls_keys,
                                                   listener_tls_check };

/* ---- as a client ---- */

static int read_pin(struct span text, struct tls_pin *out)
{
    if (!span_casestarts(text, SPAN("sha256:")) || text.n != 7 + 2 * sizeof(out->sha256))
        return CS_EPROTO;
    for (size_t i = 0; i < sizeof(out->sha256); i++) {
        uint64_t byte;
        if (span_hex(span_head(span_skip(text, 7 + 2 * i), 2), &byte))
            return CS_EPROTO;
        out->sha256[i] = (unsigned char)byte;
    }
    return 0;
}

static void check_client(struct conf_check *c, struct tls_client_conf *t, const struct span *pins,
                         size_t n)
{
    if (!t->certificate_file != !t->key_file)
        conf_error(c, t->key_file ? "key_file" : "certificate_file",
                   "a certificate and its key go together");
    t->n_pin = n;
    t->pin = arena_zalloc(conf_arena(c), (n + 1) * sizeof(*t->pin));
    for (size_t i = 0; t->pin && i < n; i++) {
        char key[32];
        snprintf(key, sizeof(key), "pins[%zu]", i);
        if (read_pin(pins[i], &t->pin[i]))
            conf_error(c, key, "is no pin; write sha256: and 64 hexadecimal digits");
    }
}

#define PINS                                                                                       \
    "Keys of servers, as sha256:HEX of the SubjectPublicKeyInfo; when there are any, no other is " \
    "believed."

#define TLS struct tls_settings
static const struct conf_key tls_keys[] = {
    CONF_PATH(
        "ca_file", TLS, client.ca_file,
        "The authorities that vouch for servers we connect to (PEM); without it we connect to "
        "none over TLS."),
    CONF_PATH("crl_file", TLS, client.crl_file, "What they took back (PEM)."),
    CONF_PATH("certificate_file", TLS, client.certificate_file,
              "What we show to servers that ask for a certificate."),
    CONF_PATH("key_file", TLS, client.key_file, "Its private key."),
    CONF_STRS("pins", TLS, pins, PINS, .max = 71),
    CONF_DURATION("handshake", TLS, handshake, "How long a handshake may take.", .def = "5s",
                  .min = 100 * CONF_MS, .max = CONF_MINUTE),
    CONF_DURATION("tickets", TLS, tickets,
                  "How long a key of session tickets serves; it is accepted for as long again.",
                  .def = "1h", .min = CONF_MINUTE, .max = 7 * CONF_DAY),
    CONF_PATH("keylog_file", TLS, keylog_file,
              "Secrets of all connections are added here, so that tshark can read them: for a test "
              "only."),
    { 0 },
};

static void tls_check(struct conf_check *c, void *section)
{
    TLS *t = section;
    if (!t->client.ca_file && (t->pins || t->client.crl_file || t->client.certificate_file))
        conf_error(c, NULL, "says how we connect, but not whom to believe; add ca_file");
    check_client(c, &t->client, t->pins, t->n_pins);
}

const struct conf_section tls_settings_section = { sizeof(TLS), tls_keys, tls_check };

#define PEER struct tls_peer_conf
static const struct conf_key peer_keys[] = {
    CONF_PATH("ca_file", PEER, client.ca_file,
              "The authorities that vouch for its servers alone (PEM); default: those of tls."),
    CONF_PATH("crl_file", PEER, client.crl_file, "What they took back (PEM)."),
    CONF_PATH("certificate_file", PEER, client.certificate_file,
              "What it is shown when it asks for a certificate; default: what tls says."),
    CONF_PATH("key_file", PEER, client.key_file, "Its private key."),
    CONF_STRS("pins", PEER, pins, PINS, .max = 71),
    CONF_STRS("names", PEER, names,
              "Names that its servers' certificates say, one of them each, wherever a request to "
              "it goes (RFC 5922); default: the hosts of its targets.",
              .min = 1, .max = 253, .at_most = 32, .unique = true),
    CONF_BOOL("wildcards", PEER, wildcards,
              "Takes certificates of web servers, which may say *.example.com (RFC 6125): SIP's "
              "own rules know no wildcards (RFC 5922, 7.2)."),
    { 0 },
};

static void peer_check(struct conf_check *c, void *section)
{
    PEER *p = section;
    check_client(c, &p->client, p->pins, p->n_pins);
}

const struct conf_section tls_peer_section = { sizeof(PEER), peer_keys, peer_check };
