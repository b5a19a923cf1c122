/* Passwords in files of phones. A phone of SIP reads in its file what it registers by, and no
 * password is kept here: with each file there is a new one, whose verifiers take the place of those
 * that the user of the line had. It stands in that file, and nowhere else. */
#include "authd/check/check_impl.h"
#include "authd/check/policy.h"
#include "base/ct.h"

#define AUTH(name) Countersign__Auth__##name

/* A trust list has none, nor what is signed and not encrypted for who has an encrypted file. */
static bool has_passwords(const struct check *c, const struct device *d, bool sealed)
{
    const struct span file = c->facts.request_uri;
    const bool sign = span_ends(file, SPAN(".sgn"));
    if (!device_is_sip(d) || span_ends(file, SPAN(".tlv")))
        return false;
    if (sealed)
        return d->certificate.n;
    return !sign || policy_is_secure(c->facts.transport) || d->security == DEVICE_NONSECURE ||
           !d->certificate.n;
}

/* Over UDP anybody could have a password replaced, from anywhere. */
AUTH(Cause) check_file(struct check *c, const struct device *d)
{
    struct attach *t = c->attach;
    const bool sealed = span_ends(c->facts.request_uri, SPAN(".enc.sgn"));
    const bool readable = !sealed && !policy_is_secure(c->facts.transport);
    if (!t->fetches || !has_passwords(c, d, sealed))
        return CAUSE(OK);
    if (t->unproven || (readable && !c->k->conf->insecure_provisioning))
        return CAUSE(PASSWORD_IN_CLEAR);
    t->passwords = true;
    return CAUSE(OK);
}

/* ---- a new one ---- */

static void note(const struct check *c, const struct user *u)
{
    const struct deed d = { .time = loop_wall(c->k->loop),
                            .what = SPAN("password changed"),
                            .by = SPAN("provisioning"),
                            .user = u->name,
                            .realm = u->realm,
                            .target = c->device,
                            .note = SPAN("for the file of a phone") };
    audit_deed(c->k->audit, &d);
}

static void on_put(void *arg, int err)
{
    struct check *c = arg;
    struct attach *t = c->attach;
    c->commit = NULL;
    if (err) { /* or somebody else changed it: the phone tries again */
        check_later(c, CAUSE(STORE_UNAVAILABLE));
        return;
    }
    note(c, &t->user);
    attach_read_line(c);
}

static int set_password(struct check *c, struct user *u, struct span password)
{
    const struct authd_conf *conf = c->k->conf;
    const ptrdiff_t at = config_realm(conf, u->realm);
    if (at < 0)
        return CS_ENOENT;
    const struct realm_conf *realm = &conf->realms[at];
    const struct user_also also = { .forms = realm->forms,
                                    .former = config_former(realm->formerly, loop_wall(c->k->loop)),
                                    .until = realm->formerly ? realm->formerly->until
                                                             : (struct wall){ 0 } };
    int err = user_retire(u, (struct wall){ 0 }, &c->arena);
    if (!err)
        err = user_set_password(u, c->k->vault, realm->verifiers, password, &c->arena);
    return err ? err
               : user_add_password(u, c->k->vault, realm->verifiers, &also, password, &c->arena);
}

void check_give_password(struct check *c, const struct user *u, AUTH(DeviceLine) * l)
{
    struct attach *t = c->attach;
    struct user old;
    char password[USER_PASSWORD_LEN + 1];
    user_password_generate(password);
    l->password_secret = arena_str(&c->arena, span_str(password));
    int err = l->password_secret ? user_copy(u, &c->arena, &old) : CS_ENOMEM;
    if (!err) {
        t->user = old;
        t->user.record = SPAN_NULL;
        t->user.changed = loop_wall(c->k->loop);
        err = set_password(c, &t->user, span_str(password));
    }
    ct_wipe(password, sizeof(password));
    c->commit = err ? NULL : store_put_user(c->k->store, &old, &t->user, on_put, c);
    if (!c->commit)
        check_later(c, CAUSE(OVERLOADED));
}

void check_wipe_passwords(struct check *c)
{
    const AUTH(DeviceRecord) *r = &c->attach->record;
    for (size_t i = 0; i < r->n_line; i++) {
        if (r->line[i]->password_secret)
            ct_wipe(r->line[i]->password_secret, strlen(r->line[i]->password_secret));
    }
}
