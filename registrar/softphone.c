#include "registrar/softphone.h"

#include <openssl/sha.h>

#include "base/buf.h"
#include "http/origin.h"

/* Made by common/web/embed.cmake; ends with a NULL name. */
extern const struct asset softphone_assets[];

#define P struct softphone_conf
static const struct conf_key keys[] = {
    CONF_STR("domain", P, domain, "Domain of its users; default: the first of domains.",
             .max = 255),
    CONF_STR("issuer", P, issuer,
             "Identity provider where its users sign in (OpenID Connect, authorization code with "
             "PKCE); default: none.",
             .min = 1, .max = 1024),
    CONF_STR("client_id", P, client_id,
             "What the page is called there: a public client, whose redirect URI is "
             "https://HOST:PORT/softphone/.",
             .def = "softphone", .min = 1, .max = 255),
    CONF_STR("scope", P, scope, "Scopes that it asks for.", .def = "openid register call", .min = 1,
             .max = 512),
    CONF_STR("resource", P, resource,
             "Whom its tokens are for, where the provider wants to be told (RFC 8707).", .min = 1,
             .max = 512),
    CONF_STR("claim", P, claim,
             "Claim that says who signed in, as identity.claim of the token issuer in authd's "
             "configuration.",
             .def = "sub", .min = 1, .max = 128),
    CONF_BOOL("passwords", P, passwords, "A user may sign in with name and password as well.",
              .def = "true"),
    CONF_STR("turn", P, turn,
             "Who gives credentials of a TURN server for a token: https://HOST/v1/turn of authd, "
             "whose turn.origins name this page.",
             .min = 1, .max = 1024),
    CONF_STRS("connect", P, connect,
              "Other origins that the page may ask: of the provider's endpoints, where they are "
              "not the issuer's.",
              .max = 255, .unique = true),
    { 0 },
};

/* ---- addresses ---- */

static void check_url(struct conf_check *c, const char *key, struct span url)
{
    if (url.p && !origin_of(url).p)
        conf_error(c, key, "\"" SPAN_FMT "\" is no address; write https://login.example.com",
                   SPAN_ARG(url));
}

static void check(struct conf_check *c, void *section)
{
    const P *p = section;
    check_url(c, "issuer", p->issuer);
    check_url(c, "turn", p->turn);
    for (size_t i = 0; i < p->n_connect; i++) {
        char key[32];
        snprintf(key, sizeof(key), "connect[%zu]", i);
        if (!span_eq(origin_of(p->connect[i]), p->connect[i]))
            conf_error(c, key, "\"" SPAN_FMT "\" is no origin; write https://login.example.com",
                       SPAN_ARG(p->connect[i]));
    }
    if (!p->issuer.p && !p->passwords)
        conf_error(c, "passwords", "nobody could sign in; write issuer:, or leave this out");
}

const struct conf_section softphone_section = { .size = sizeof(P), .keys = keys, .check = check };

/* ---- what is shown ---- */

/* Scripts and styles are this server's alone, nobody frames the page, and it asks nobody but this
 * server and those of the configuration. */
static void write_lines(struct buf *b, const P *p)
{
    const struct span asked[] = { origin_of(p->issuer), origin_of(p->turn) };
    buf_lit(b, "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
               "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors "
               "'none'; require-trusted-types-for 'script'; trusted-types 'none'; connect-src "
               "'self'");
    for (size_t i = 0; i < CS_LEN(asked); i++) {
        if (asked[i].p) {
            buf_putc(b, ' ');
            buf_put(b, asked[i]);
        }
    }
    for (size_t i = 0; i < p->n_connect; i++) {
        buf_putc(b, ' ');
        buf_put(b, p->connect[i]);
    }
    buf_lit(b, "\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
               "Cross-Origin-Opener-Policy: same-origin\r\n"
               "Cross-Origin-Resource-Policy: same-origin\r\n"
               "Permissions-Policy: microphone=(self), camera=(), geolocation=()\r\n");
}

static void write_member(struct buf *b, const char *name, struct span value)
{
    if (!value.p)
        return;
    buf_printf(b, ", \"%s\": \"", name);
    buf_json(b, value);
    buf_putc(b, '"');
}

static void write_settings(struct buf *b, const P *p, struct span domain, struct span path)
{
    buf_printf(b, "{ \"passwords\": %s", p->passwords ? "true" : "false");
    write_member(b, "domain", p->domain.p ? p->domain : domain);
    write_member(b, "path", path);
    write_member(b, "turn", p->turn);
    if (p->issuer.p) {
        write_member(b, "issuer", p->issuer);
        write_member(b, "client_id", p->client_id);
        write_member(b, "scope", p->scope);
        write_member(b, "resource", p->resource);
        write_member(b, "claim", p->claim);
    }
    buf_lit(b, " }\n");
}

static char *tag_of(struct span bytes, struct arena *a)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    char *tag = arena_alloc(a, 2 + 32 + 1);
    struct buf b = buf_of(tag, tag ? 2 + 32 + 1 : 0);
    SHA256((const unsigned char *)bytes.p, bytes.n, hash);
    buf_putc(&b, '"');
    buf_hex(&b, hash, 16);
    buf_lit(&b, "\"");
    buf_putc(&b, '\0');
    return tag;
}

const struct ws_files *softphone_files(const struct softphone_conf *conf, struct span domain,
                                       struct span path, struct arena *a, const char **fault)
{
    enum { SETTINGS_MAX = 16384 };
    size_t n = 0;
    while (softphone_assets[n].name)
        n++;
    struct ws_files *files = arena_alloc(a, sizeof(*files));
    struct asset *list = arena_alloc(a, (n + 2) * sizeof(*list));
    char *lines = arena_alloc(a, WS_FILES_LINES_MAX), *text = arena_alloc(a, SETTINGS_MAX);
    *fault = "cannot be kept: memory is exhausted";
    if (!files || !list || !lines || !text)
        return NULL;
    struct buf l = buf_of(lines, WS_FILES_LINES_MAX), s = buf_of(text, SETTINGS_MAX);
    write_lines(&l, conf);
    write_settings(&s, conf, domain, path);
    memcpy(list, softphone_assets, n * sizeof(*list));
    list[n] = (struct asset){ .name = "settings.json",
                              .type = "application/json",
                              .tag = tag_of(buf_span(&s), a),
                              .data = (const unsigned char *)text,
                              .n = s.n };
    list[n + 1] = (struct asset){ 0 };
    *files =
        (struct ws_files){ .folder = SPAN(SOFTPHONE_FOLDER), .list = list, .lines = buf_span(&l) };
    if (!buf_ok(&l) || !buf_ok(&s))
        *fault = "names too many origins in connect, or too long ones";
    return list[n].tag && buf_ok(&l) && buf_ok(&s) ? files : NULL;
}
