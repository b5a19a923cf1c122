/* What becomes of a request whose connection showed a client certificate, and of one whose user
 * speaks through a device. */
#include "authd/check/aor.h"
#include "authd/check/authorities.h"
#include "authd/check/check_impl.h"
#include "authd/check/policy.h"
#include "authd/store/directory.h"
#include "authd/store/seen.h"

/* ---- what it says ---- */

static int keep(struct span *s, struct arena *a)
{
    struct span copy = arena_dup(a, *s);
    const int err = s->p && !copy.p ? CS_ENOMEM : 0;
    *s = copy;
    return err;
}

static int keep_facts(struct certified *cert, struct arena *a)
{
    struct cert_facts *f = &cert->facts;
    struct span *const all[] = { &f->sha256, &f->spki,   &f->issuer_spki, &f->subject,
                                 &f->issuer, &f->serial, &cert->name };
    int err = 0;
    f->names = NULL;
    for (size_t i = 0; !err && i < CS_LEN(all); i++)
        err = keep(all[i], a);
    return err;
}

/* Everything that can take a certificate back answers here. */
static Countersign__Auth__Cause certificate_is_revoked(const struct check *c,
                                                       const struct cert_facts *f)
{
    const struct certificate_conf *conf = &c->group->certificate;
    if (!c->k->authorities)
        return CAUSE(OK);
    switch (authorities_ask(c->k->authorities, f, conf->authorities, conf->n_authorities)) {
    case AUTHORITY_UNKNOWN:
        return CAUSE(CERTIFICATE_ISSUER);
    case AUTHORITY_REVOKED:
        return CAUSE(CERTIFICATE_REVOKED);
    case AUTHORITY_STALE:
        return CAUSE(CERTIFICATE_LIST_STALE);
    default:
        return CAUSE(OK);
    }
}

static struct span claimed(const struct check *c)
{
    return c->facts.is_register ? c->facts.to_aor : c->facts.from_aor;
}

static Countersign__Auth__Cause find_holder(struct check *c)
{
    struct certified *cert = &c->certified;
    struct holder holder;
    if (!c->k->directory || !directory_is_known(c->k->directory) ||
        directory_holder(c->k->directory, &cert->facts, claimed(c), &c->arena, &holder))
        return CAUSE(STORE_UNAVAILABLE);
    cert->kind = holder.kind;
    switch (holder.kind) {
    case HOLDER_NONE:
        return CAUSE(SAN_UNMATCHED);
    case HOLDER_USER:
        cert->name = holder.aor;
        return c->group->certificate.realm.p ? CAUSE(OK) : CAUSE(SAN_UNMATCHED);
    case HOLDER_DEVICE:
        cert->name = holder.device->name;
        return holder.device->enabled ? CAUSE(OK) : CAUSE(DEVICE_DISABLED);
    case HOLDER_TRUNK:
        cert->name = holder.trunk->name;
        break;
    }
    return CAUSE(OK);
}

static Countersign__Auth__Cause look(struct check *c, const Countersign__Auth__Check *m)
{
    struct cert_facts *f = &c->certified.facts;
    const struct wall now = loop_wall(c->k->loop);
    if (!cert_facts_of(m, f))
        return CAUSE(CERTIFICATE_MISSING);
    /* The handshake looked at it, perhaps long ago. Both ends are inclusive (RFC 5280, 4.1.2.5). */
    if (now.ms < f->not_before.ms || now.ms >= f->not_after.ms + 1000)
        return CAUSE(CERTIFICATE_EXPIRED);
    Countersign__Auth__Cause cause = certificate_is_revoked(c, f);
    return cause == CAUSE(OK) ? find_holder(c) : cause;
}

Countersign__Auth__Cause check_look(struct check *c, const Countersign__Auth__Check *m)
{
    struct certified *cert = &c->certified;
    if (!policy_takes_certificates(c->group))
        return CAUSE(CAUSE_NONE);
    cert->fault = look(c, m);
    if (keep_facts(cert, &c->arena))
        cert->fault = CAUSE(STORE_UNAVAILABLE);
    cert->rests = cert->fault == CAUSE(OK) && (c->group->require.all_of & PROOF_CERTIFICATE);
    return cert->fault;
}

/* ---- by the certificate alone ---- */

static void refuse(struct check *c, Countersign__Auth__Cause cause)
{
    check_reject(c, cause, CAUSE(CAUSE_NONE));
}

static Countersign__Auth__Cause not_his(const struct check *c)
{
    return c->facts.is_register ? CAUSE(AOR_NOT_ALLOWED) : CAUSE(FROM_NOT_ALLOWED);
}

/* Which line of the device is meant: the one that is named like the address; a device that has one
 * alone need not say. */
static int pick_line(struct check *c, const struct device *device, bool *found)
{
    struct span user, domain, name, realm;
    int err = claimed(c).p ? aor_split(claimed(c), &c->arena, &user, &domain) : CS_EPROTO;
    *found = false;
    for (size_t i = 0; err != CS_ENOMEM && i < device->n_lines && !*found; i++) {
        device_line_split(device->lines[i], &name, &realm);
        *found = device->n_lines == 1 || (!err && span_eq(name, user));
    }
    if (err == CS_ENOMEM || !*found)
        return err == CS_ENOMEM ? err : 0;
    c->cred.username = name;
    c->cred.realm = realm;
    err = keep(&c->cred.username, &c->arena);
    return err ? err : keep(&c->cred.realm, &c->arena);
}

static bool has_aor(const struct user *u, struct span aor)
{
    for (size_t i = 0; i < u->n_aors; i++) {
        if (span_eq(u->aors[i], aor))
            return true;
    }
    return false;
}

static Countersign__Auth__Cause user_fault(const struct check *c, const struct user *u)
{
    const struct certified *cert = &c->certified;
    const bool by_name = cert->kind == HOLDER_USER;
    return !u || (by_name && !has_aor(u, cert->name)) ? CAUSE(SAN_UNMATCHED)
           : !u->enabled                              ? CAUSE(USER_DISABLED)
                                                      : policy_identity(u, &c->facts);
}

static void grant(struct check *c, const struct user *u)
{
    c->proven = u != NULL;
    if (check_grant(c, u))
        check_later(c, CAUSE(OVERLOADED));
    else
        check_accept(c, CAUSE(OK));
}

static void got_user(void *arg, int err, const struct user *u)
{
    struct check *c = arg;
    c->get = NULL;
    if (err && err != CS_ENOENT) {
        check_later(c, CAUSE(STORE_UNAVAILABLE));
        return;
    }
    if (u)
        cache_put(c->k->cache, c->cred.username, c->cred.realm, u->record, c->cache_generation);
    Countersign__Auth__Cause cause = user_fault(c, u);
    if (cause == CAUSE(OK))
        grant(c, u);
    else
        refuse(c, cause);
}

void check_named_user(struct check *c)
{
    struct span record = cache_get(c->k->cache, c->cred.username, c->cred.realm);
    struct user u;
    /* What is kept may only say yes. */
    if (record.p && user_decode(record, &c->arena, &u) == 0 && user_fault(c, &u) == CAUSE(OK)) {
        grant(c, &u);
        return;
    }
    int err = check_outlive(c);
    if (!err) {
        c->cache_generation = cache_generation(c->k->cache);
        c->get = store_get_user(c->k->store, c->cred.username, c->cred.realm, got_user, c);
        err = c->get ? 0 : CS_ENOMEM;
    }
    if (err)
        check_later(c, CAUSE(OVERLOADED));
}

static void judge_trunk(struct check *c)
{
    /* What is to be registered belongs to a user, and a trunk is none. */
    if (c->facts.is_register)
        refuse(c, CAUSE(METHOD_NOT_ALLOWED));
    else
        grant(c, NULL);
}

static void judge_user(struct check *c)
{
    struct span domain;
    c->cred.realm = c->group->certificate.realm;
    if (aor_split(c->certified.name, &c->arena, &c->cred.username, &domain))
        check_later(c, CAUSE(OVERLOADED));
    else
        check_named_user(c);
}

static void judge_device(struct check *c)
{
    const struct device *device = directory_device(c->k->directory, c->certified.name);
    bool found = false;
    if (!device || pick_line(c, device, &found))
        check_later(c, CAUSE(OVERLOADED));
    else if (!found)
        refuse(c, not_his(c));
    else
        check_named_user(c);
}

void check_certificate(struct check *c)
{
    c->certified.rests = true;
    if (c->certified.kind == HOLDER_TRUNK)
        judge_trunk(c);
    else if (!store_is_ready(c->k->store) || !revoker_is_current(c->k->revoker))
        check_later(c, CAUSE(STORE_UNAVAILABLE));
    else if (c->certified.kind == HOLDER_USER)
        judge_user(c);
    else
        judge_device(c);
}

/* ---- what belongs together ---- */

/* The user as a line, by the other name that the realm had or has: what a device may do does not
 * change when a realm is given another name, or a user moves there. */
static struct span other_line(const struct check *c, struct span line, struct buf *b)
{
    struct span name, realm;
    device_line_split(line, &name, &realm);
    const struct span other = config_other_name(c->k->conf, realm);
    buf_put(b, name);
    buf_putc(b, '@');
    buf_put(b, other);
    return line.p && other.p && buf_ok(b) ? buf_span(b) : SPAN_NULL;
}

/* Whoever proved to be a user besides must be whom the certificate says, or belong to it: have the
 * address it names, be a line of the device, have an address in one of the trunk's domains. */
static Countersign__Auth__Cause fits(const struct check *c, const struct device *device,
                                     struct span other)
{
    const struct certified *cert = &c->certified;
    const Countersign__Auth__Grant *g = &c->grant;
    struct span aors[USER_MAX_AORS];
    const size_t n = CS_MIN(g->n_aor, (size_t)USER_MAX_AORS);
    const struct user proven = { .aors = aors, .n_aors = n };
    for (size_t i = 0; i < n; i++)
        aors[i] = span_str(g->aor[i]);
    if (cert->kind == HOLDER_USER)
        return has_aor(&proven, cert->name) ? CAUSE(OK) : CAUSE(CERTIFICATE_OTHER);
    if (cert->kind == HOLDER_DEVICE)
        return device_has_line(device, span_str(g->user)) ||
                       (other.p && device_has_line(device, other))
                   ? CAUSE(OK)
                   : CAUSE(CERTIFICATE_OTHER);
    const struct trunk *trunk = directory_trunk(c->k->directory, cert->name);
    return !trunk                         ? CAUSE(SAN_UNMATCHED)
           : trunk_serves(trunk, aors, n) ? CAUSE(OK)
                                          : CAUSE(CERTIFICATE_OTHER);
}

static Countersign__Auth__Cause rest_on_certificate(struct check *c)
{
    const struct cert_facts *f = &c->certified.facts;
    Countersign__Auth__Grant *g = &c->grant;
    g->has_certificate_sha256 = f->sha256.p != NULL;
    g->certificate_sha256.data = (uint8_t *)f->sha256.p;
    g->certificate_sha256.len = f->sha256.n;
    const uint32_t left =
        policy_end(g, wall_add(f->not_after, DURATION_S(1)), loop_wall(c->k->loop));
    return c->facts.is_register && left == 0 ? CAUSE(CERTIFICATE_EXPIRED) : CAUSE(OK);
}

static Countersign__Auth__Cause use_device(struct check *c, const struct device *device, bool sure)
{
    Countersign__Auth__Grant *g = &c->grant;
    if (!device->enabled)
        return CAUSE(DEVICE_DISABLED);
    if (device->security != DEVICE_NONSECURE && !policy_is_secure(c->facts.transport))
        return CAUSE(DEVICE_ON_CLEAR_TRANSPORT);
    g->has_srtp = true;
    g->srtp = g->srtp || device->security == DEVICE_ENCRYPTED;
    g->device = sure ? arena_str(&c->arena, device->name) : NULL;
    return sure && !g->device ? CAUSE(STORE_UNAVAILABLE) : CAUSE(OK);
}

Countersign__Auth__Cause check_party(struct check *c)
{
    const struct certified *cert = &c->certified;
    const struct directory *d = c->k->directory;
    const struct device *device = NULL;
    Countersign__Auth__Cause cause = CAUSE(OK);
    char space[2 * USER_MAX_NAME + 2];
    struct buf room = BUF_INIT(space);
    const struct span line = span_str(c->grant.user), other = other_line(c, line, &room);
    size_t n = 1;
    if (!d || (!c->grant.user && !cert->rests))
        return CAUSE(OK);
    if (c->grace ? directory_is_full(d) : !directory_is_known(d))
        return CAUSE(STORE_UNAVAILABLE);
    if (cert->rests && cert->kind == HOLDER_DEVICE) {
        device = directory_device(d, cert->name);
        if (!device)
            return CAUSE(SAN_UNMATCHED); /* since it was looked at */
    }
    if (cert->rests && c->grant.user)
        cause = fits(c, device, other);
    if (cert->rests && cause == CAUSE(OK))
        cause = rest_on_certificate(c);
    if (c->device.p && c->grant.user) { /* by the pass of its line, which it may have lost since */
        device = directory_device(d, c->device);
        cause =
            !device ? CAUSE(UNKNOWN_DEVICE)
            : !policy_end(&c->grant, (struct wall){ c->ticket.until * 1000 }, loop_wall(c->k->loop))
                ? CAUSE(TICKET_EXPIRED)
                : CAUSE(OK);
    }
    if (!device && c->grant.user)
        device = directory_line(d, line, &n);
    if (!device && other.p)
        device = directory_line(d, other, &n);
    return cause == CAUSE(OK) && device ? use_device(c, device, n == 1) : cause;
}

void check_seen(const struct check *c)
{
    static const char *const kinds[] = {
        [HOLDER_USER] = "user", [HOLDER_DEVICE] = "device", [HOLDER_TRUNK] = "trunk"
    };
    const struct certified *cert = &c->certified;
    char space[SEEN_MAX_HOLDER];
    struct buf holder = BUF_INIT(space);
    if (!cert->rests || !c->k->seen)
        return;
    buf_put(&holder, span_str(kinds[cert->kind]));
    buf_putc(&holder, ' ');
    buf_put(&holder, cert->kind == HOLDER_USER ? span_str(c->grant.user) : cert->name);
    seen_add(c->k->seen, &cert->facts, buf_span(&holder));
}
