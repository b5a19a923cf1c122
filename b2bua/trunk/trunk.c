#include "b2bua/trunk/trunk.h"

#include "sip/write.h"

#include "sip/chars.h"

static const char *const srtp_names[] = { "forbid", "prefer", "require", NULL };
static const char *const webrtc_names[] = { "never", "accept", "retry", "first", NULL };
static const char *const profiles[] = { "own", "cisco-gw", NULL };
static const char *const redirects[] = { "refuse", "own", NULL };
static const char *const identities[] = { "none", "p-asserted-identity", "remote-party-id", NULL };

#define MEDIA struct media_policy
#define MEDIA_KEYS(webrtc_def)                                                                     \
    CONF_ENUM("srtp", MEDIA, srtp, srtp_names,                                                     \
              "Whether media are encrypted: require refuses what is not (488), prefer offers "     \
              "both, forbid offers and takes RTP alone.",                                          \
              .def = "prefer"),                                                                    \
        CONF_ENUM("webrtc", MEDIA, webrtc, webrtc_names,                                           \
                  "Whether DTLS-SRTP with ICE, as browsers have it, is taken, and when it is "     \
                  "offered: accept never does, retry to who refused another offer by 488, first "  \
                  "before any other. Not where srtp is forbid.",                                   \
                  .def = (webrtc_def)),                                                            \
        CONF_STR("address", MEDIA, address, "Name of one of media.addresses; default: the first.", \
                 .max = 32),                                                                       \
        CONF_STRS("codecs", MEDIA, codecs,                                                         \
                  "Names of the codecs that are offered, \"PCMU\", \"telephone-event\"; default: " \
                  "all that the other side has.",                                                  \
                  .min = 1, .max = 32, .at_most = 32, .unique = true),                             \
        CONF_BOOL("digit_drop", MEDIA, digit_drop,                                                 \
                  "Digits that come as events (RFC 4733) are sent as those alone: a tone that is " \
                  "heard beside them is silenced."),                                               \
        CONF_BOOL("learn", MEDIA, learn,                                                           \
                  "Media go to where they come from, for peers behind NAT (symmetric RTP)."),      \
    {                                                                                              \
        0                                                                                          \
    }

static const struct conf_key line_keys[] = { MEDIA_KEYS("retry") };
static const struct conf_key media_keys[] = { MEDIA_KEYS("never") };

const struct conf_section line_media_section = { sizeof(MEDIA), line_keys, NULL };
static const struct conf_section media_section = { sizeof(MEDIA), media_keys, NULL };

#define TARGET struct trunk_target
static const struct conf_key target_keys[] = {
    CONF_STR("uri", TARGET, uri, "Its SIP URI, found by RFC 3263.", .required = true, .min = 1,
             .max = 255),
    CONF_UINT("priority", TARGET, priority,
              "The least is tried first; the others when it is dead or says 503.", .def = "0",
              .max = 65535),
    CONF_UINT("weight", TARGET, weight, "Its share of the calls among those of one priority.",
              .def = "1", .min = 1, .max = 65535),
    { 0 },
};
static const struct conf_section target_section = { sizeof(TARGET), target_keys, NULL };

#define REGISTER struct register_conf
static const struct conf_key register_keys[] = {
    CONF_STR("aor", REGISTER, aor,
             "Whom we register, sip:user@example.com; its host is the registrar's domain, and one "
             "of the trunk's targets for authd, which signs for no other.",
             .required = true, .min = 1, .max = 255),
    CONF_DURATION("expires", REGISTER, expires,
                  "For how long; what the registrar grants counts, and it is refreshed in time.",
                  .def = "1h", .min = CONF_SECOND, .max = 7 * CONF_DAY),
    CONF_DURATION("retry", REGISTER, retry,
                  "After a failure about so long until the next try, and twice as long after each "
                  "further one, half an hour at most.",
                  .def = "30s", .min = 100 * CONF_MS, .max = 30 * CONF_MINUTE),
    CONF_BOOL("outbound", REGISTER, outbound,
              "Its calls come by the connection that we make (RFC 5626)."),
    { 0 },
};

static void register_check(struct conf_check *c, void *section)
{
    REGISTER *r = section;
    if (sip_uri_parse(r->aor, &r->uri) || !r->uri.user.n ||
        (r->uri.scheme != SIP_SCHEME_SIP && r->uri.scheme != SIP_SCHEME_SIPS))
        conf_error(c, "aor", "\"" SPAN_FMT "\" is nobody's SIP URI; write sip:user@example.com",
                   SPAN_ARG(r->aor));
}

static const struct conf_section register_section = { sizeof(REGISTER), register_keys,
                                                      register_check };

#define T struct trunk_conf
static const struct conf_key trunk_keys[] = {
    CONF_STR("name", T, name, "What the dial plan, authd's trunks and logs call it.",
             .required = true, .min = 1, .max = 64),
    CONF_SECTIONS("targets", T, targets, &target_section,
                  "Its servers. A call keeps to one; the others take over when it is dead or says "
                  "503.",
                  .at_most = HOPS_MAX, .at_least = 1, .required = true, .unique = true),
    CONF_OPTION("register", T, registers, &register_section,
                "Registers with it, where it wants to know by that where we are."),
    CONF_OPTION("tls", T, tls, &tls_peer_section,
                "Whom it must show to be over TLS, and what it is shown."),
    CONF_STR("group", T, group,
             "authd's peer group whose requests are this trunk's; without it none come in.",
             .max = 64),
    CONF_STR("context", T, context, "Of the dial plan, where its callers stand.", .max = 64),
    CONF_STR("from_domain", T, from_domain, "Host of From; default: our own address.", .max = 255),
    CONF_STR("test_number", T, test_number,
             "Who is called when the trunk is tested; the call is given up when it rings.",
             .max = 64),
    CONF_STR("listener", T, listener,
             "Whose address it is told in Contact; default: the first one.", .max = 32),
    CONF_ENUM("identity", T, identity, identities, "How it is told who is calling, besides From.",
              .def = "none"),
    CONF_DURATION("answer", T, answer,
                  "A target that says nothing for so long is given up for the next.", .def = "4s",
                  .min = 100 * CONF_MS, .max = 32 * CONF_SECOND),
    CONF_STRS(
        "record_headers", T, record_headers,
        "Headers of its own that stand in call records, \"X-Twilio-CallSid\": of its INVITEs, "
        "and of its answers to ours.",
        .min = 1, .max = 64, .at_most = RECORD_HEADERS_MAX, .unique = true),
    CONF_ENUM("profile", T, profile, profiles,
              "What its calls are to look like: cisco-gw writes the INVITE that a Cisco voice "
              "gateway writes, for carriers that know those.",
              .def = "own"),
    CONF_ENUM("redirects", T, redirects, redirects,
              "What becomes of a call that it answers with 300, 301 or 302: own asks the target "
              "of its own that a Contact names, refuse ends it with 480.",
              .def = "refuse"),
    CONF_BOOL("refer", T, refer,
              "Whether it may transfer its calls by REFER; they are charged to whoever we are to "
              "the next trunk."),
    CONF_BOOL("notify", T, notify,
              "Whether its unsolicited NOTIFYs, that there are messages, go to our lines."),
    CONF_BOOL("subscribe", T, subscribe,
              "Whether its SUBSCRIBEs are looked at; there is no event that it could have, so the "
              "answer is 489 then."),
    CONF_BOOL("replaces", T, replaces,
              "Whether its INVITEs may take the place of calls that it has (RFC 3891)."),
    CONF_DURATION("probe", T, probe, "OPTIONS to each target, so often; 0s: never.", .def = "10s",
                  .min = 0, .max = CONF_HOUR),
    CONF_SECTION("media", T, media, &media_section, "What its media are to be."),
    { 0 },
};

static enum sip_transport transport_of(const struct sip_uri *uri)
{
    enum sip_transport t;
    if (uri->scheme == SIP_SCHEME_SIPS)
        return SIP_TLS;
    return uri->transport.p && sip_transport_of(uri->transport, &t) == 0 ? t : SIP_UDP;
}

enum sip_transport trunk_transport(const struct trunk_conf *t)
{
    return transport_of(&t->hops[0].uri);
}

static void check_targets(struct conf_check *c, T *t)
{
    size_t tls = 0;
    t->hops = arena_zalloc(conf_arena(c), t->n_targets * sizeof(*t->hops));
    t->hosts = arena_zalloc(conf_arena(c), t->n_targets * sizeof(*t->hosts));
    for (size_t i = 0; t->hops && t->hosts && i < t->n_targets; i++) {
        char key[40];
        snprintf(key, sizeof(key), "targets[%zu].uri", i);
        if (!hop_read(t->targets[i].uri, &t->hops[i]) || t->hops[i].node)
            conf_error(c, key, "\"" SPAN_FMT "\" is no SIP URI; write sip:gateway.example.com",
                       SPAN_ARG(t->targets[i].uri));
        t->hops[i].priority = t->targets[i].priority;
        t->hops[i].weight = t->targets[i].weight;
        t->hosts[i] = t->hops[i].uri.host;
        tls += transport_of(&t->hops[i].uri) == SIP_TLS;
    }
    t->peer = tls > 0;
    t->only_tls = tls == t->n_targets;
    if (t->tls && !tls)
        conf_error(c, "tls",
                   "no target is reached over TLS; write sip:gateway.example.com;transport=tls");
}

static void trunk_check(struct conf_check *c, void *section)
{
    T *t = section;
    check_targets(c, t);
    if (t->profile == PROFILE_CISCO_GW && t->identity == IDENTITY_NONE)
        t->identity = IDENTITY_PARTY;
    if (t->group.p && !t->context.p)
        conf_error(c, "group", "its callers stand nowhere in the dial plan; add context");
    if (t->from_domain.p && !chars_is_host(t->from_domain))
        conf_error(c, "from_domain", "\"" SPAN_FMT "\" is no host name or address",
                   SPAN_ARG(t->from_domain));
}

const struct conf_section trunk_conf_section = { sizeof(T), trunk_keys, trunk_check };

int trunk_uris(const struct trunk_conf *t, struct hop *const *hops, size_t n, struct span user,
               struct buf *space, struct span out[HOPS_MAX])
{
    for (size_t i = 0; i < n; i++) {
        const struct sip_uri *at = &hops[i]->uri;
        const size_t begin = space->n;
        unsigned port = at->port;
        buf_lit(space, "sip:");
        if (user.p) {
            sip_user_write(space, user);
            buf_putc(space, '@');
        }
        buf_put(space, at->host);
        if (t->profile == PROFILE_CISCO_GW && !port)
            port = sip_uri_default_port(at);
        if (port)
            buf_printf(space, ":%u", port);
        out[i] = span_skip(buf_span(space), begin);
    }
    return buf_ok(space) ? 0 : CS_ELIMIT;
}
