/* The section of the configuration about REST and its operators. */
#include "authd/config.h"
#include "http/origin.h"

#define S struct sign_in_conf
static const struct conf_key sign_in_keys[] = {
    CONF_STR("issuer", S, name, "One of token_issuers, which says who of them is an operator.",
             .required = true, .min = 1, .max = 64),
    CONF_STR("client_id", S, client_id,
             "What the console is called there: a public client, whose redirect URI is "
             "https://HOST:PORT/console/.",
             .def = "countersign-console", .min = 1, .max = 255),
    CONF_STR("scope", S, scope, "Scopes that it asks for.", .def = "openid", .min = 1, .max = 512),
    CONF_STR("resource", S, resource,
             "Whom its tokens are for, where the provider wants to be told (RFC 8707).", .min = 1,
             .max = 512),
    CONF_STRS("connect", S, connect,
              "Other origins that the console may ask: of the provider's endpoints, where they "
              "are not the issuer's.",
              .at_most = 8, .max = 255, .unique = true),
    { 0 },
};

static void sign_in_check(struct conf_check *c, void *section)
{
    const S *s = section;
    for (size_t i = 0; i < s->n_connect; i++) {
        char key[32];
        snprintf(key, sizeof(key), "connect[%zu]", i);
        if (!span_eq(origin_of(s->connect[i]), s->connect[i]))
            conf_error(c, key, "\"" SPAN_FMT "\" is no origin; write https://login.example.com",
                       SPAN_ARG(s->connect[i]));
    }
}
static const struct conf_section sign_in_section = {
    .size = sizeof(S),
    .keys = sign_in_keys,
    .check = sign_in_check,
};

static const struct conf_key http_tls_keys[] = {
    CONF_PATH("certificate_file", struct http_tls_conf, certificate_file,
              "Certificate, in PEM, and those that lead to its authority.", .required = true),
    CONF_PATH("key_file", struct http_tls_conf, key_file, "Its private key.", .required = true),
    CONF_PATH("client_ca_file", struct http_tls_conf, client_ca_file,
              "Authority that clients must have a certificate of, besides their token; none is "
              "asked for when not written."),
    { 0 },
};
static const struct conf_section http_tls_section = { .size = sizeof(struct http_tls_conf),
                                                      .keys = http_tls_keys };

#define H __typeof__(((struct authd_conf *)0)->http)
static const struct conf_key http_keys[] = {
    CONF_ADDR("listen", H, listen,
              "Address of REST, metrics and health; without tls a loopback address.", .port = 8080),
    CONF_OPTION("tls", H, tls, &http_tls_section, "TLS; plain HTTP when not written."),
    CONF_PATH("admin_token_file", H, admin_token_file,
              "File that holds one bearer token, of an operator named admin with the role "
              "administer."),
    CONF_PATH("tokens_file", H, tokens_file,
              "File of bearer tokens, a line each: NAME ROLE TOKEN or NAME ROLE sha256:HEX; roles "
              "are read, operate and administer. csctl token make makes such lines."),
    CONF_BOOL(
        "console", H, console,
        "Serve the web console at /console/. It holds no data: what it shows it asks REST for, "
        "with the token of who signs in.",
        .def = "true"),
    CONF_OPTION("sign_in", H, sign_in, &sign_in_section,
                "Operators sign in to the console at an identity provider."),
    CONF_BOOL("require_if_match", H, require_if_match,
              "Changes of a user that do not say by If-Match which state they mean get 428.",
              .def = "false"),
    { 0 },
};

static void http_check(struct conf_check *c, void *section)
{
    H *h = section;
    if (h->listen.sa.sa_family != AF_UNSPEC && !h->tls && !addr_is_loopback(&h->listen))
        conf_error(c, "listen",
                   "plain HTTP is for loopback only; write 127.0.0.1:8080, or give tls: "
                   "{ certificate_file: ..., key_file: ... }");
}
const struct conf_section http_section = {
    .size = sizeof(H),
    .keys = http_keys,
    .check = http_check,
};

void config_find_operators(struct conf_check *c, struct authd_conf *conf)
{
    struct token_conf *t = &conf->http.operators;
    struct sign_in_conf *s = conf->http.sign_in;
    t->realm = SPAN("countersign");
    t->issuers = arena_alloc(conf_arena(c), conf->n_token_issuers * sizeof(*t->issuers));
    for (size_t i = 0; t->issuers && i < conf->n_token_issuers; i++) {
        const struct issuer_conf *issuer = &conf->token_issuers[i];
        char key[48];
        snprintf(key, sizeof(key), "token_issuers[%zu].operators", i);
        for (size_t k = 0; issuer->operators && k < t->n_issuers; k++) {
            if (span_eq(t->issuers[k]->issuer, issuer->issuer))
                conf_error(c, key, "are said by " SPAN_FMT " already, which has the same iss",
                           SPAN_ARG(t->issuers[k]->name));
        }
        if (issuer->operators)
            t->issuers[t->n_issuers++] = issuer;
        if (s && issuer->operators && span_eq(issuer->name, s->name))
            s->issuer = issuer;
    }
    if (s && !s->issuer)
        conf_error(c, "http.sign_in.issuer",
                   "\"" SPAN_FMT "\" is none of token_issuers that have operators",
                   SPAN_ARG(s->name));
}
