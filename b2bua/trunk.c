#include "b2bua/trunk.h"

#include "sip/chars.h"

static const char *const srtp_names[] = { "forbid", "prefer", "require", NULL };
static const char *const webrtc_names[] = { "never", "accept", "retry", "first", NULL };
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
        CONF_BOOL("learn", MEDIA, learn,                                                           \
                  "Media go to where they come from, for peers behind NAT (symmetric RTP)."),      \
    {                                                                                              \
        0                                                                                          \
    }

static const struct conf_key line_keys[] = { MEDIA_KEYS("retry") };
static const struct conf_key media_keys[] = { MEDIA_KEYS("never") };

const struct conf_section line_media_section = { sizeof(MEDIA), line_keys, NULL };
static const struct conf_section media_section = { sizeof(MEDIA), media_keys, NULL };

#define T struct trunk_conf
static const struct conf_key trunk_keys[] = {
    CONF_STR("name", T, name, "What the dial plan, authd's trunks and logs call it.",
             .required = true, .min = 1, .max = 64),
    CONF_STRS("targets", T, targets,
              "SIP URIs of its servers, found by RFC 3263. A call keeps to one; the others take "
              "over when it is dead or says 503.",
              .min = 1, .max = 255, .at_most = HOPS_MAX, .at_least = 1, .required = true,
              .unique = true),
    CONF_STR("group", T, group,
             "authd's peer group whose requests are this trunk's; without it none come in.",
             .max = 64),
    CONF_STR("context", T, context, "Of the dial plan, where its callers stand.", .max = 64),
    CONF_STR("from_domain", T, from_domain, "Host of From; default: our own address.", .max = 255),
    CONF_STR("listener", T, listener,
             "Whose address it is told in Contact; default: the first one.", .max = 32),
    CONF_ENUM("identity", T, identity, identities, "How it is told who is calling, besides From.",
              .def = "none"),
    CONF_DURATION("answer", T, answer,
                  "A target that says nothing for so long is given up for the next.", .def = "4s",
                  .min = 100 * CONF_MS, .max = 32 * CONF_SECOND),
    CONF_BOOL("refer", T, refer,
              "Whether it may transfer its calls by REFER; they are charged to whoever we are to "
              "the next trunk."),
    CONF_SECTION("media", T, media, &media_section, "What its media are to be."),
    { 0 },
};

static void trunk_check(struct conf_check *c, void *section)
{
    T *t = section;
    t->hops = arena_zalloc(conf_arena(c), t->n_targets * sizeof(*t->hops));
    for (size_t i = 0; t->hops && i < t->n_targets; i++) {
        char key[32];
        snprintf(key, sizeof(key), "targets[%zu]", i);
        if (!hop_read(t->targets[i], &t->hops[i]) || t->hops[i].node)
            conf_error(c, key, "\"" SPAN_FMT "\" is no SIP URI; write sip:gateway.example.com",
                       SPAN_ARG(t->targets[i]));
    }
    if (t->group.p && !t->context.p)
        conf_error(c, "group", "its callers stand nowhere in the dial plan; add context");
    if (t->from_domain.p && !chars_is_host(t->from_domain))
        conf_error(c, "from_domain", "\"" SPAN_FMT "\" is no host name or address",
                   SPAN_ARG(t->from_domain));
}

const struct conf_section trunk_conf_section = { sizeof(T), trunk_keys, trunk_check };
