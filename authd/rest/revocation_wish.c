#include "authd/rest/revocation_wish.h"

/* ---- members ---- */

enum { TEXT, TIME, BOOLEAN };

struct said {
    struct span jti, sub, sid, issuer, certificate, serial, device, user, realm, reason;
    struct wall issued_before, until; /* 0: not said */
    bool disable;
};

static const struct {
    const char *name;
    size_t offset, max;
    int type;
} members[] = {
#define MEMBER(name, max, type)                           \
    {                                                     \
#name, offsetof(struct said, name), (max), (type) \
    }
    MEMBER(jti, REVOCATION_TEXT_MAX, TEXT),
    MEMBER(sub, REVOCATION_TEXT_MAX, TEXT),
    MEMBER(sid, REVOCATION_TEXT_MAX, TEXT),
    MEMBER(issuer, REVOCATION_TEXT_MAX, TEXT),
    MEMBER(certificate, 95, TEXT),
    MEMBER(serial, 64, TEXT),
    MEMBER(device, 64, TEXT),
    MEMBER(user, USER_MAX_NAME, TEXT),
    MEMBER(realm, USER_MAX_NAME, TEXT),
    MEMBER(reason, REVOCATION_REASON_MAX, TEXT),
    MEMBER(issued_before, 24, TIME),
    MEMBER(until, 24, TIME),
    MEMBER(disable, 0, BOOLEAN),
#undef MEMBER
};

static int read_text(const json_t *value, const char *name, size_t max, struct span *out,
                     struct fault *f)
{
    *out = span_of(json_string_value(value), json_string_length(value));
    bool good = json_is_string(value) && out->n > 0 && out->n <= max;
    for (size_t i = 0; good && i < out->n; i++)
        good = (unsigned char)out->p[i] >= ' ' && out->p[i] != 0x7f;
    return good ? 0
                : fault_member(f, name,
                               "must be a text without control characters, not empty "
                               "and not too long");
}

static int read_member(const json_t *value, size_t i, struct said *s, struct fault *f)
{
    void *out = (char *)s + members[i].offset;
    struct span text;
    if (members[i].type == BOOLEAN) {
        *(bool *)out = json_is_true(value);
        return json_is_boolean(value) ? 0
                                      : fault_member(f, members[i].name, "must be true or false");
    }
    if (read_text(value, members[i].name, members[i].max, &text, f))
        return CS_EPROTO;
    if (members[i].type == TEXT)
        *(struct span *)out = text;
    else if (wall_parse(text, out) || ((struct wall *)out)->ms == 0)
        return fault_member(f, members[i].name, "must be a time, 2026-11-21T06:32:21Z");
    return 0;
}

static int read_members(const json_t *j, struct said *s, struct fault *f)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)j, name, value)
    {
        size_t i = 0;
        while (i < CS_LEN(members) && strcmp(members[i].name, name) != 0)
            i++;
        if (i == CS_LEN(members))
            return fault_member(f, "A member", "is none of those documented");
        if (read_member(value, i, s, f))
            return CS_EPROTO;
    }
    return 0;
}

/* ---- tokens ---- */

/* The issuer by what iss says or by its name here; absent: the only one there is. */
static int read_issuer(const struct authd_conf *conf, const struct said *s, struct revocation *r,
                       int64_t *longest_ms, struct fault *f)
{
    r->issuer = SPAN_NULL;
    *longest_ms = 0;
    for (size_t i = 0; i < conf->n_token_issuers; i++) {
        const struct issuer_conf *c = &conf->token_issuers[i];
        if (s->issuer.p && !span_eq(s->issuer, c->issuer) && !span_eq(s->issuer, c->name))
            continue;
        if (r->issuer.p && !span_eq(r->issuer, c->issuer))
            return fault_member(f, "issuer", "must be said: there are several token_issuers");
        r->issuer = c->issuer;
    }
    if (!r->issuer.p && !conf->n_token_issuers)
        return fault_member(f, "issuer", "is unknown: the configuration has no token_issuers");
    if (!r->issuer.p)
        return fault_member(f, "issuer", "must be one of token_issuers, by issuer or name");
    for (size_t i = 0; i < conf->n_token_issuers; i++) { /* one may be there under several terms */
        const struct issuer_conf *c = &conf->token_issuers[i];
        if (span_eq(c->issuer, r->issuer))
            *longest_ms = CS_MAX(*longest_ms, c->lifetime.max.ms + 2 * c->leeway.ms);
    }
    return 0;
}

/* When the last token that this is about has expired, nothing is left to refuse. A session may
 * bring new ones, for as long as its issuer lets it. */
static int of_token(const struct authd_conf *conf, const struct said *s, struct wall now,
                    struct revocation *r, struct fault *f)
{
    int64_t longest_ms;
    if (read_issuer(conf, s, r, &longest_ms, f))
        return CS_EPROTO;
    if (s->issued_before.ms > now.ms)
        return fault_member(f, "issued_before", "must not lie in the future");
    r->bounded = r->kind == REVOKED(SUBJECT) || r->kind == REVOKED(ISSUER) || s->issued_before.ms;
    const int64_t before = s->issued_before.ms ? s->issued_before.ms : now.ms;
    r->before_s = r->bounded ? (uint64_t)(before + 999) / 1000 : 0;
    r->until = s->until.ms ? s->until : wall_add(now, DURATION_MS(longest_ms));
    return 0;
}

/* ---- certificates ---- */

/* As openssl and browsers show it, with colons or without. */
static int of_certificate(const struct said *s, struct arena *a, struct revocation *r,
                          struct fault *f)
{
    unsigned char hash[32];
    char *hex = arena_alloc(a, s->certificate.n + 1);
    struct buf b = buf_of(hex, hex ? s->certificate.n + 1 : 0);
    for (size_t i = 0; hex && i < s->certificate.n; i++) {
        if (s->certificate.p[i] != ':')
            buf_putc(&b, ascii_lower(s->certificate.p[i]));
    }
    if (hex_decode(buf_span(&b), hash, sizeof(hash)))
        return fault_member(f, "certificate", "must be its SHA-256, 64 hexadecimal digits");
    r->value = buf_span(&b);
    return 0;
}

/* Of a serial number: upper case, no leading zeros. */
static int of_serial(const struct said *s, struct arena *a, struct revocation *r, struct fault *f)
{
    char *hex = arena_alloc(a, s->serial.n + 1);
    struct buf b = buf_of(hex, hex ? s->serial.n + 1 : 0);
    bool good = hex != NULL;
    for (size_t i = 0; good && i < s->serial.n; i++) {
        const char c = s->serial.p[i];
        good = c == ':' || ascii_hex(c) >= 0;
        if (c != ':' && (c != '0' || b.n > 0))
            buf_putc(&b, (char)(ascii_alpha(c) ? c & ~0x20 : c));
    }
    if (!good || b.n == 0)
        return fault_member(f, "serial", "must be hexadecimal, and not 0");
    if (!s->issuer.p)
        return fault_member(f, "issuer", "must be there: serial numbers are its own");
    r->value = buf_span(&b);
    r->issuer = s->issuer;
    return 0;
}

/* ---- what is named ---- */

static const struct {
    size_t offset;
    Countersign__Store__RevocationKind kind;
} subjects[] = {
    { offsetof(struct said, jti), REVOKED(TOKEN) },
    { offsetof(struct said, sub), REVOKED(SUBJECT) },
    { offsetof(struct said, sid), REVOKED(SESSION) },
    { offsetof(struct said, certificate), REVOKED(CERTIFICATE) },
    { offsetof(struct said, serial), REVOKED(SERIAL) },
    { offsetof(struct said, device), REVOKED(DEVICE) },
    { offsetof(struct said, user), REVOKED(NOTHING) },
};

static int find_subject(const struct said *s, struct revocation *r, struct fault *f)
{
    size_t n = 0;
    for (size_t i = 0; i < CS_LEN(subjects); i++) {
        const struct span *value = (const struct span *)((const char *)s + subjects[i].offset);
        if (!value->p)
            continue;
        r->kind = subjects[i].kind;
        r->value = *value;
        n++;
    }
    if (n == 0 && s->issued_before.ms) {
        r->kind = REVOKED(ISSUER);
        n = 1;
    }
    return n == 1 ? 0
                  : fault_set(f, 422, "invalid-revocation", "Invalid revocation",
                              "Say one of jti, sub, sid, certificate, serial, device and user; or "
                              "issued_before alone.");
}

static int no_more(const struct said *s, const struct revocation_wish *w, struct fault *f)
{
    const Countersign__Store__RevocationKind kind = w->revocation.kind;
    const bool token = kind >= REVOKED(TOKEN) && kind <= REVOKED(ISSUER);
    if (s->issued_before.ms && !token)
        return fault_member(f, "issued_before", "belongs to tokens");
    if (s->issuer.p && !token && kind != REVOKED(SERIAL))
        return fault_member(f, "issuer", "belongs to tokens and serial numbers");
    if ((s->realm.p || s->disable) && kind != REVOKED(NOTHING))
        return fault_member(f, s->realm.p ? "realm" : "disable", "belongs to a user");
    if (s->until.ms && kind == REVOKED(NOTHING))
        return fault_member(f, "until", "does not belong to a user");
    return 0;
}

int revocation_wish_parse(const json_t *j, const struct authd_conf *conf, struct wall now,
                          struct arena *a, struct revocation_wish *out, struct fault *f)
{
    struct said s = { .jti = SPAN_NULL };
    struct revocation *r = &out->revocation;
    *out = (struct revocation_wish){ .revocation.since = now };
    int err = read_members(j, &s, f);
    if (!err)
        err = find_subject(&s, r, f);
    if (!err)
        err = no_more(&s, out, f);
    if (err)
        return err;
    r->reason = s.reason;
    r->until = s.until;
    if (s.until.ms && s.until.ms <= now.ms)
        return fault_member(f, "until", "must lie in the future");
    switch (r->kind) {
    case REVOKED(NOTHING):
        out->user = s.user;
        out->realm = s.realm;
        out->disable = s.disable;
        return 0;
    case REVOKED(CERTIFICATE):
        return of_certificate(&s, a, r, f);
    case REVOKED(SERIAL):
        return of_serial(&s, a, r, f);
    case REVOKED(DEVICE):
        return 0;
    default:
        return of_token(conf, &s, now, r, f);
    }
}

/* ---- as the world sees it ---- */

static void set(json_t *j, const char *name, struct span text)
{
    if (text.p)
        json_object_set_new(j, name, json_of(text));
}

static void set_time(json_t *j, const char *name, struct wall t)
{
    char text[WALL_STRLEN];
    wall_format(t, text);
    if (t.ms)
        json_object_set_new(j, name, json_string(text));
}

json_t *revocation_to_json(const struct revocation *r)
{
    char id[REVOCATION_ID_LEN + 1];
    json_t *j = json_object();
    revocation_id(r, id);
    set(j, "id", span_str(id));
    set(j, "kind", revocation_kind(r->kind));
    set(j, "value", r->value);
    set(j, "issuer", r->issuer);
    if (r->bounded)
        set_time(j, "issued_before", (struct wall){ (int64_t)r->before_s * 1000 });
    set_time(j, "since", r->since);
    set_time(j, "until", r->until);
    set(j, "by", r->by);
    set(j, "reason", r->reason);
    return j;
}
