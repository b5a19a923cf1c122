/* What becomes of a desk phone that attaches: it is who it says it is by its certificate or by
 * where it comes from, or, where it fetches a file, by a one-time token of its operator's; then its
 * lines are read one after the other, and each that can be used gets a pass, by which b2bua
 * registers it (check_pass.c), or, in a file of a phone of SIP, a password (check_file.c). */
#include "authd/check/attachment.h"
#include "authd/check/check_impl.h"
#include "authd/check/policy.h"
#include "authd/store/directory.h"
#include "base/rand.h"

#define AUTH(name) Countersign__Auth__##name

enum { PASS_S = 3600 };

/* ---- the answer ---- */

static int take(struct arena *a, struct span s, char **out)
{
    *out = s.n ? arena_str(a, s) : NULL;
    return s.n && !*out ? CS_ENOMEM : 0;
}

static AUTH(DeviceButton) *
    button_of(const struct attach *t, const struct device_button *from, struct arena *a)
{
    AUTH(DeviceButton) *b = arena_alloc(a, sizeof(*b));
    if (!b)
        return NULL;
    countersign__auth__device_button__init(b);
    b->kind = (AUTH(DeviceButtonKind))from->kind;
    for (uint32_t i = 0; i < t->record.n_line; i++) {
        if (!b->has_line && span_eq(span_str(t->record.line[i]->user), from->user)) {
            b->has_line = true;
            b->line = i;
        }
    }
    return take(a, from->label, &b->label) || take(a, from->number, &b->number) ? NULL : b;
}

/* Where its operator gave it no keys, it has one for each line. */
static int fill_buttons(struct attach *t, const struct device *d, struct arena *a)
{
    AUTH(DeviceRecord) *r = &t->record;
    const size_t n = d->n_buttons ? d->n_buttons : r->n_line;
    r->button = arena_alloc(a, n * sizeof(void *));
    for (; r->button && r->n_button < n; r->n_button++) {
        const struct device_button line = { .kind = DEVICE_BUTTON_LINE,
                                            .user = d->n_buttons
                                                        ? SPAN_NULL
                                                        : span_str(r->line[r->n_button]->user) };
        r->button[r->n_button] = button_of(t, d->n_buttons ? &d->buttons[r->n_button] : &line, a);
        if (!r->button[r->n_button])
            return CS_ENOMEM;
    }
    return r->button ? 0 : CS_ENOMEM;
}

static int fill_record(struct attach *t, const struct device *d, struct arena *a)
{
    AUTH(DeviceRecord) *r = &t->record;
    const struct {
        struct span from;
        char **to;
    } texts[] = {
        { d->name, &r->name },
        { d->model, &r->model },
        { d->softkeys, &r->softkeys },
        { d->time_zone, &r->time_zone },
        { d->locale, &r->locale },
        { d->date_format, &r->date_format },
        { t->fetches ? d->certificate : SPAN_NULL, &r->certificate },
    };
    countersign__auth__device_record__init(r);
    r->has_security = r->has_do_not_disturb = true;
    r->security = (AUTH(DeviceSecurity))d->security;
    r->do_not_disturb = (AUTH(DoNotDisturb))d->dnd;
    r->has_sip = r->sip = device_is_sip(d);
    r->line = arena_alloc(a, d->n_lines * sizeof(void *));
    int err = r->line ? 0 : CS_ENOMEM;
    for (size_t i = 0; !err && i < CS_LEN(texts); i++)
        err = take(a, texts[i].from, texts[i].to);
    return err;
}

static AUTH(DeviceLine) * line_new(struct check *c, const struct device *d, struct span line)
{
    const struct device_forward *f = device_forward_of(d, line);
    struct arena *a = &c->arena;
    AUTH(DeviceLine) *l = arena_alloc(a, sizeof(*l));
    if (!l)
        return NULL;
    countersign__auth__device_line__init(l);
    int err = take(a, line, &l->user);
    if (f)
        err = err || take(a, f->all, &l->forward_all) || take(a, f->busy, &l->forward_busy) ||
              take(a, f->no_answer, &l->forward_no_answer);
    return err ? NULL : l;
}

static int mint_pass(struct check *c, const struct user *u, AUTH(DeviceLine) * l)
{
    struct ticket t = { .aor = span_str(l->aor),
                        .user = u->name,
                        .realm = u->realm,
                        .sub = c->device,
                        .issuer = c->group->name,
                        .until = loop_wall(c->k->loop).ms / 1000 + PASS_S };
    struct span text;
    int err = ticket_mint(c->k->tickets, &t, &c->arena, &text);
    return err ? err : take(&c->arena, text, &l->pass_secret);
}

static int fill_line(struct check *c, const struct user *u, AUTH(DeviceLine) * l)
{
    const AUTH(Cause) fault = !u            ? CAUSE(UNKNOWN_USER)
                              : !u->enabled ? CAUSE(USER_DISABLED)
                              : !u->n_aors  ? CAUSE(AOR_NOT_ALLOWED)
                                            : CAUSE(OK);
    l->has_fault = fault != CAUSE(OK);
    l->fault = fault;
    if (l->has_fault)
        return u ? take(&c->arena, u->display_name, &l->display_name) : 0;
    c->attach->usable++;
    return take(&c->arena, u->display_name, &l->display_name) ||
                   take(&c->arena, u->aors[0], &l->aor) ||
                   (!c->attach->fetches && mint_pass(c, u, l))
               ? CS_ENOMEM
               : 0;
}

/* ---- who guesses ---- */

static struct suspect suspect_of(const struct check *c)
{
    return (
        struct suspect){ .source = &c->facts.source, .user = c->device, .realm = SPAN("devices") };
}

/* What is wrong with a record of its own is no guess. */
static void refuse(struct check *c, AUTH(Cause) cause)
{
    const struct suspect s = suspect_of(c);
    if (!c->attach->unproven &&
        (cause == CAUSE(UNKNOWN_DEVICE) || cause == CAUSE(DEVICE_ADDRESS) ||
         cause == CAUSE(DEVICE_CERTIFICATE) || cause == CAUSE(ADDRESS_NOT_ALLOWED)))
        defence_guessed(c->k->defence, c->group, &s);
    check_reject(c, cause, CAUSE(CAUSE_NONE));
}

static void remember(struct check *c)
{
    const struct suspect s = suspect_of(c);
    if (!c->attach->fetches)
        defence_succeeded(c->k->defence, c->group, &s, true);
}

/* ---- its lines ---- */

/* As it was when its lines began to be read; NULL: it is another now. */
static const struct device *still(const struct check *c)
{
    const struct device *d =
        directory_is_known(c->k->directory) ? directory_device(c->k->directory, c->device) : NULL;
    return d && span_eq(d->record, c->attach->record_bytes) ? d : NULL;
}

static void finish(struct check *c)
{
    const struct device *d = still(c);
    struct attach *t = c->attach;
    if (!d) {
        check_later(c, CAUSE(REVOKED));
    } else if (!t->usable && !t->fetches) {
        check_reject(c, CAUSE(DEVICE_WITHOUT_LINES), CAUSE(CAUSE_NONE));
    } else if (fill_buttons(t, d, &c->arena) || check_grant(c, NULL)) {
        check_later(c, CAUSE(OVERLOADED));
    } else {
        c->grant.device = (char *)c->device.p;
        remember(c);
        check_accept(c, CAUSE(OK));
    }
}

static void got_line(void *arg, int err, const struct user *u)
{
    struct check *c = arg;
    struct attach *t = c->attach;
    const struct device *d = still(c);
    c->get = NULL;
    if (err && err != CS_ENOENT) {
        check_later(c, CAUSE(STORE_UNAVAILABLE));
        return;
    }
    AUTH(DeviceLine) *l = d ? line_new(c, d, d->lines[t->record.n_line]) : NULL;
    if (d && (!l || fill_line(c, err ? NULL : u, l))) {
        check_later(c, CAUSE(OVERLOADED));
        return;
    }
    if (d)
        t->record.line[t->record.n_line++] = l;
    if (d && t->passwords && !l->has_fault)
        check_give_password(c, u, l);
    else
        attach_read_line(c);
}

void attach_read_line(struct check *c)
{
    const struct device *d = still(c);
    struct span name, realm;
    const bool reads = !c->attach->fetches || c->attach->passwords;
    if (!d || !reads || c->attach->record.n_line == d->n_lines) {
        finish(c);
        return;
    }
    device_line_split(d->lines[c->attach->record.n_line], &name, &realm);
    c->get = store_get_user(c->k->store, name, realm, got_line, c);
    if (!c->get)
        check_later(c, CAUSE(OVERLOADED));
}

/* ---- who it is ---- */

static AUTH(Cause) judge(struct check *c, const struct device *d, const AUTH(Check) * m)
{
    struct attachment a = { .device = d,
                            .in_set = d && d->address_set.n &&
                                      sets_hold(c->k->sets, d->address_set, &c->facts.source),
                            .certificate = check_look(c, m) };
    struct certified *cert = &c->certified;
    /* Certificates alone stand in a trust list; and what is signed is, for who must not be in
     * clear, encrypted for the certificate of its record, or says no more than that. */
    a.open = c->attach->fetches &&
             (span_ends(c->facts.request_uri, SPAN(".tlv")) ||
              (span_ends(c->facts.request_uri, SPAN(".sgn")) && d && d->certificate.n));
    a.its_own =
        a.certificate == CAUSE(OK) && cert->kind == HOLDER_DEVICE && span_eq(cert->name, c->device);
    cert->rests = a.its_own;
    return attachment_of(c->group, &c->facts, &a);
}

static void begin(struct check *c, const struct device *d)
{
    struct attach *t = c->attach;
    t->record_bytes = arena_dup(&c->arena, d->record);
    if (!t->record_bytes.p || fill_record(t, d, &c->arena) || check_outlive(c))
        check_later(c, CAUSE(OVERLOADED));
    else
        attach_read_line(c);
}

/* ---- a one-time token for a file ---- */

static void on_claimed(void *arg, const struct redis_reply *reply)
{
    struct check *c = arg;
    const struct device *d =
        directory_is_known(c->k->directory) ? directory_device(c->k->directory, c->device) : NULL;
    c->claiming = NULL;
    const AUTH(Cause) cause =
        ticket_judge(c->k->tickets, &c->ticket, c->flow, reply, loop_wall(c->k->loop));
    if (cause == CAUSE(STORE_UNAVAILABLE) || (cause == CAUSE(OK) && !d))
        check_later(c, CAUSE(STORE_UNAVAILABLE));
    else if (cause != CAUSE(OK))
        check_reject(c, cause, CAUSE(CAUSE_NONE));
    else
        begin(c, d);
}

/* Each fetch is a connection of its own to it: the second one finds it used. */
static void claim(struct check *c)
{
    unsigned char random[16];
    char name[24];
    struct buf flow = BUF_INIT(name);
    rand_bytes(random, sizeof(random));
    buf_base64url(&flow, random, sizeof(random));
    c->flow = arena_dup(&c->arena, buf_span(&flow));
    if (c->flow.p && !check_outlive(c))
        c->claiming =
            ticket_claim(c->k->tickets, &c->ticket, c->flow, loop_wall(c->k->loop), on_claimed, c);
    if (!c->claiming)
        check_later(c, CAUSE(OVERLOADED));
}

/* OK: it is this device's, and what stands in the way of a certificate would in its way, too. */
static AUTH(Cause) judge_ticket(struct check *c, const struct device *d)
{
    struct ticket *t = &c->ticket;
    if (!policy_is_secure(c->facts.transport))
        return CAUSE(TOKEN_ON_CLEAR_TRANSPORT);
    if (!c->group->tickets)
        return CAUSE(TICKET_NOT_TAKEN);
    AUTH(Cause)
    cause = ticket_open(c->k->tickets, c->token, loop_wall(c->k->loop), &c->arena, t);
    if (cause == CAUSE(TOKEN_EXPIRED))
        return CAUSE(TICKET_EXPIRED);
    if (cause != CAUSE(OK))
        return cause;
    if (!span_eq(t->issuer, SPAN(TICKET_OF_FILES)) || !span_eq(t->aor, c->device))
        return CAUSE(TICKET_INVALID);
    return !d ? CAUSE(UNKNOWN_DEVICE) : d->enabled ? CAUSE(OK) : CAUSE(DEVICE_DISABLED);
}

void check_attach(struct check *c, const Countersign__Auth__Check *m)
{
    if (!c->k->directory || !directory_is_known(c->k->directory) || !sets_are_read(c->k->sets) ||
        !store_is_ready(c->k->store) || !revoker_is_current(c->k->revoker)) {
        check_later(c, CAUSE(STORE_UNAVAILABLE));
        return;
    }
    const struct device *d = directory_device(c->k->directory, c->device);
    const bool shows = m->ticket_secret && c->attach->fetches;
    c->token = shows ? span_str(m->ticket_secret) : SPAN_NULL;
    AUTH(Cause) cause = shows ? judge_ticket(c, d) : judge(c, d, m);
    if (cause == CAUSE(OK))
        cause = check_file(c, d);
    if (cause == CAUSE(STORE_UNAVAILABLE) || cause == CAUSE(OVERLOADED))
        check_later(c, cause);
    else if (cause != CAUSE(OK))
        refuse(c, cause);
    else if (shows)
        claim(c);
    else
        begin(c, d);
}

bool attach_has_line(const struct attach *t, struct span name, struct span realm)
{
    for (size_t i = 0; i < t->record.n_line; i++) {
        struct span n, r;
        device_line_split(span_str(t->record.line[i]->user), &n, &r);
        if (span_eq(n, name) && span_eq(r, realm))
            return true;
    }
    return false;
}

/* ---- the question ---- */

/* As a request's: one question is judged like the other. */
static void as_check(const AUTH(Attach) * m, AUTH(Check) * out)
{
    countersign__auth__check__init(out);
    out->id = m->id;
    out->has_deadline_ms = m->has_deadline_ms;
    out->deadline_ms = m->deadline_ms;
    out->listener = m->listener;
    out->has_transport = true;
    out->transport = m->transport == COUNTERSIGN__AUTH__TRANSPORT__SCCPS
                         ? COUNTERSIGN__AUTH__TRANSPORT__SCCPS
                         : COUNTERSIGN__AUTH__TRANSPORT__SCCP;
    out->has_source_ip = m->has_source_ip;
    out->source_ip = m->source_ip;
    out->has_source_port = m->has_source_port;
    out->source_port = m->source_port;
    out->method = (char *)(m->file                    ? "GET"
                           : m->has_token && m->token ? "RegisterTokenReq"
                                                      : "Register");
    out->request_uri = m->file;
    out->ticket_secret = m->ticket_secret;
    out->user_agent = m->software;
    out->has_certificate_sha256 = m->has_certificate_sha256;
    out->certificate_sha256 = m->certificate_sha256;
    out->certificate = m->certificate;
}

bool attach_start(struct checker *k, const Countersign__Auth__Attach *m, bool allowed,
                  const struct check_asker *asker, void *owner)
{
    AUTH(Check) q;
    as_check(m, &q);
    struct check *c = check_begin(k, &q, asker, owner);
    if (!c)
        return false;
    const struct span name = span_head(span_str(m->device), DEVICE_MAX_NAME);
    const char *copy = arena_str(&c->arena, name);
    c->device = copy ? span_str(copy) : SPAN_NULL;
    c->attach = arena_zalloc(&c->arena, sizeof(*c->attach));
    c->grant.device = (char *)copy;
    if (c->attach) {
        c->attach->fetches = m->file != NULL;
        c->attach->unproven = m->unproven;
    }
    if (!c->attach || !copy)
        check_later(c, CAUSE(OVERLOADED));
    else if (name.n != span_str(m->device).n)
        check_reject(c, CAUSE(UNKNOWN_DEVICE), CAUSE(CAUSE_NONE));
    else if (!allowed)
        check_reject(c, CAUSE(DEVICE_NOT_ASKED_BY_B2BUA), CAUSE(CAUSE_NONE));
    else
        check_judge(c, &q);
    return true;
}

void check_attached(struct check *c, const AUTH(Verdict) * v, AUTH(Attached) * out)
{
    struct attach *t = c->attach;
    countersign__auth__attached__init(out);
    out->id = v->id;
    out->kind = v->kind;
    out->decision = v->decision;
    out->has_cause = v->has_cause;
    out->cause = v->cause;
    out->group = v->group;
    out->has_retry_after_s = v->has_retry_after_s;
    out->retry_after_s = v->retry_after_s;
    if (v->kind != COUNTERSIGN__AUTH__VERDICT_KIND__ACCEPT)
        return;
    out->record = &t->record;
    out->has_rests_on = v->grant->has_rests_on;
    out->rests_on = v->grant->rests_on;
    out->has_valid_s = true;
    out->valid_s = PASS_S;
}
