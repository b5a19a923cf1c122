/* The sections of the configuration about what tokens are exchanged for. */
#include "authd/config.h"

#define TTL __typeof__(((struct turn_conf *)0)->ttl)
static const struct conf_key ttl_keys[] = {
    CONF_DURATION("min", TTL, min, "Who shows a token that ends sooner has to fetch another one.",
                  .def = "30s", .min = CONF_SECOND, .max = CONF_HOUR),
    CONF_DURATION("max", TTL, max,
                  "They live as long as the token, and no longer than this: a TURN server takes "
                  "them until they end, whatever is revoked.",
                  .def = "10m", .min = CONF_SECOND, .max = CONF_DAY),
    { 0 },
};

static void ttl_check(struct conf_check *c, void *section)
{
    const TTL *t = section;
    if (t->min.ms > t->max.ms)
        conf_error(c, "min", "is longer than max");
}
static const struct conf_section ttl_section = {
    .size = sizeof(TTL),
    .keys = ttl_keys,
    .check = ttl_check,
};

static const struct conf_key turn_keys[] = {
    CONF_SECTION("token", struct turn_conf, token, &token_section,
                 "Whose tokens are taken, and the realm of the users they speak of."),
    CONF_PATH("secret_file", struct turn_conf, secret_file,
              "The secret shared with the TURN server (coturn: use-auth-secret, "
              "static-auth-secret).",
              .required = true),
    CONF_STRS("uris", struct turn_conf, uris,
              "Where it is, as clients are told: turns:turn.example.com:5349?transport=tcp.",
              .required = true, .at_least = 1),
    CONF_STRS("origins", struct turn_conf, origins,
              "Origins of pages that may ask by themselves, https://sip.example.com:7443; others "
              "ask through their own server.",
              .max = 255, .unique = true),
    CONF_SECTION("ttl", struct turn_conf, ttl, &ttl_section, "How long the credentials live."),
    { 0 },
};

/* RFC 7065. */
static void turn_check(struct conf_check *c, void *section)
{
    const struct turn_conf *t = section;
    for (size_t i = 0; i < t->n_uris; i++) {
        const struct span uri = t->uris[i];
        if ((!span_starts(uri, SPAN("turn:")) && !span_starts(uri, SPAN("turns:")) &&
             !span_starts(uri, SPAN("stun:")) && !span_starts(uri, SPAN("stuns:"))) ||
            span_find(uri, '/') >= 0 || span_find(uri, ' ') >= 0)
            conf_error(c, "uris",
                       "\"" SPAN_FMT "\" is no TURN URI; write turn:HOST:PORT?transport=udp",
                       SPAN_ARG(uri));
    }
}
const struct conf_section turn_section = {
    .size = sizeof(struct turn_conf),
    .keys = turn_keys,
    .check = turn_check,
};

static const struct conf_key exchange_keys[] = {
    CONF_SECTION("token", struct exchange_conf, token, &token_section,
                 "Whose tokens are taken, and the realm of the users they speak of, in which the "
                 "passwords are good."),
    { 0 },
};
const struct conf_section exchange_section = {
    .size = sizeof(struct exchange_conf),
    .keys = exchange_keys,
};
