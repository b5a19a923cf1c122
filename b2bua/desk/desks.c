#include "b2bua/desk/desks.h"

#include <stdlib.h>

#include "b2bua/desk/desk_media.h"
#include "b2bua/desk/lamps.h"
#include "b2bua/desk/mailbox.h"
#include "b2bua/sccp/table.h"
#include "b2bua/ua/ua.h"
#include "base/ct.h"
#include "http/httpd.h"
#include "schedule/zone_file.h"

#define AUTH(name) Countersign__Auth__##name

static const struct log desk_log = { .module = "sccp" };

/* ---- time zones ---- */

struct known_zone {
    struct list link;
    struct arena arena;
    struct span name;
    struct zone zone;
    bool found;
};

/* There are as many as the operators' devices name, which is few. */
static const struct zone *zone_of(struct desks *d, struct span name)
{
    list_for_each (it, &d->zones) {
        struct known_zone *z = container_of(it, struct known_zone, link);
        if (span_eq(z->name, name))
            return z->found ? &z->zone : NULL;
    }
    struct known_zone *z = calloc(1, sizeof(*z));
    if (!z)
        return NULL;
    arena_init(&z->arena, NULL, 0, 0);
    z->name = arena_dup(&z->arena, name);
    int err = zone_load(name, &z->arena, &z->zone);
    z->found = !err;
    if (err)
        log_warn(&desk_log, "this system has no such time zone; phones show that of sccp.time_zone",
                 kv_s("time_zone", name), kv_err(err));
    list_push_back(&d->zones, &z->link);
    return z->found ? &z->zone : NULL;
}

/* ---- softkeys ---- */

static const struct sccp_soft_keys *soft_keys_of(const struct desks *d, struct span name)
{
    const struct desks_conf *c = &d->ua->conf->sccp;
    for (size_t i = 0; i < c->n_softkeys; i++) {
        if (span_eq(c->softkeys[i].name, name))
            return &c->softkeys[i].keys;
    }
    log_warn(&desk_log, "sccp.softkeys has none of this name; phones show the usual ones",
             kv_s("softkeys", name));
    return NULL;
}

/* ---- who is asked ---- */

struct asked {
    struct desks *desks;
    struct device_grant *grant;
    sccp_answer_fn *fn;
    void *arg;
    struct desk *desk;     /* that its answer is about; NULL: none is here yet */
    struct secret *passes; /* of the lines, in their order */
    size_t n_passes;
};

static void forget_passes(struct asked *q)
{
    for (size_t i = 0; i < q->n_passes; i++)
        secret_fini(&q->passes[i]);
    free(q->passes);
    q->passes = NULL;
    q->n_passes = 0;
}

static int keep_passes(struct asked *q, const AUTH(DeviceRecord) * r)
{
    forget_passes(q);
    q->passes = calloc(r->n_line + 1, sizeof(*q->passes));
    for (size_t i = 0; q->passes && i < r->n_line; i++) {
        const char *pass = r->line[i]->has_fault ? NULL : r->line[i]->pass_secret;
        if (secret_set(&q->passes[q->n_passes++], span_str(pass ? pass : "")))
            return CS_ENOMEM;
        if (pass && r->line[i]->aor && q->desk)
            desk_renew(q->desk, span_str(r->line[i]->aor), span_str(pass));
    }
    return q->passes ? 0 : CS_ENOMEM;
}

static struct span optional(const char *s)
{
    return s && s[0] ? span_str(s) : SPAN_NULL;
}

/* The user part of an address of record is what a phone shows as its number. */
static struct span number_of(const AUTH(DeviceLine) * l)
{
    struct span s = optional(l->aor ? l->aor : l->user);
    if (l->aor) {
        struct span rest = s;
        span_cut(&rest, ':');
        s = rest.p ? rest : s;
    }
    return span_cut(&s, '@');
}

static void convert_line(const AUTH(DeviceLine) * l, struct sccp_line *out)
{
    *out = (struct sccp_line){ .user = span_str(l->user),
                               .aor = optional(l->aor),
                               .number = number_of(l),
                               .name = optional(l->display_name),
                               .forward_all = optional(l->forward_all),
                               .forward_busy = optional(l->forward_busy),
                               .forward_no_answer = optional(l->forward_no_answer) };
}

static void convert_key(const AUTH(DeviceButton) * b, struct sccp_device *d, struct sccp_key *out)
{
    *out = (struct sccp_key){ .type = SCCP_BUTTON_UNDEFINED,
                              .label = optional(b->label),
                              .number = optional(b->number) };
    if (b->kind == COUNTERSIGN__AUTH__DEVICE_BUTTON_KIND__BUTTON_LINE && b->line < d->n_lines) {
        out->type = SCCP_BUTTON_LINE;
        out->line = b->line;
        if (out->label.p)
            d->lines[b->line].label = out->label;
    } else if (b->kind == COUNTERSIGN__AUTH__DEVICE_BUTTON_KIND__BUTTON_SPEED_DIAL) {
        out->type = SCCP_BUTTON_SPEED_DIAL;
    } else if (b->kind == COUNTERSIGN__AUTH__DEVICE_BUTTON_KIND__BUTTON_BUSY_LAMP) {
        out->type = SCCP_BUTTON_BLF;
    }
}

static int convert(struct desks *d, const AUTH(DeviceRecord) * r, struct arena *a,
                   struct sccp_device *out)
{
    *out = (struct sccp_device){ .name = span_str(r->name),
                                 .security = (enum sccp_security)r->security,
                                 .n_lines = CS_MIN(r->n_line, (size_t)SCCP_LINES_MAX),
                                 .n_keys = CS_MIN(r->n_button, (size_t)SCCP_KEYS_MAX),
                                 .dnd = (enum sccp_dnd)r->do_not_disturb,
                                 .date = optional(r->date_format) };
    out->lines = arena_zalloc(a, out->n_lines * sizeof(*out->lines));
    out->keys = arena_zalloc(a, out->n_keys * sizeof(*out->keys));
    if (!out->lines || !out->keys)
        return CS_ENOMEM;
    for (size_t i = 0; i < out->n_lines; i++)
        convert_line(r->line[i], &out->lines[i]);
    for (size_t i = 0; i < out->n_keys; i++)
        convert_key(r->button[i], out, &out->keys[i]);
    if (r->softkeys && r->softkeys[0])
        out->soft_keys = soft_keys_of(d, span_str(r->softkeys));
    if (r->time_zone && r->time_zone[0])
        out->zone = zone_of(d, span_str(r->time_zone));
    return 0;
}

/* May close the grant, and with it this question. */
static void on_grant(void *arg, enum verdict kind, const AUTH(Attached) * m)
{
    struct asked *q = arg;
    struct sccp_device device;
    struct sccp_answer a = { .verdict = SCCP_LATER, .wait_s = m->retry_after_s };
    struct arena arena;
    char reason[64];
    arena_init(&arena, NULL, 0, 0);
    if (kind == VERDICT_REJECT) { /* csctl explain knows the rest */
        snprintf(reason, sizeof(reason), "Refused: %s", m->decision ? m->decision : "see the log");
        a.verdict = SCCP_REJECTED;
        a.reason = span_str(reason);
    } else if (kind == VERDICT_ACCEPT && keep_passes(q, m->record) == 0 &&
               convert(q->desks, m->record, &arena, &device) == 0) {
        a.verdict = SCCP_ACCEPTED;
        a.device = &device;
    }
    q->fn(q->arg, &a);
    arena_fini(&arena);
}

static void *directory_ask(void *arg, const struct sccp_question *q, sccp_answer_fn *fn,
                           void *fn_arg)
{
    struct desks *d = arg;
    const struct gate_device g = { .name = q->name,
                                   .listener = q->listener,
                                   .software = q->load,
                                   .source = q->source,
                                   .tls = q->secure,
                                   .token = q->token,
                                   .type = q->type,
                                   .version = q->version,
                                   .certificate = q->certificate,
                                   .issuer = q->issuer };
    struct asked *asked = d->devices ? calloc(1, sizeof(*asked)) : NULL;
    if (!asked)
        return NULL;
    *asked = (struct asked){ .desks = d, .fn = fn, .arg = fn_arg };
    if (device_grant_open(d->devices, &g, on_grant, asked, &asked->grant)) {
        free(asked);
        return NULL;
    }
    return asked;
}

static void directory_cancel(void *arg, void *what)
{
    struct asked *asked = what;
    (void)arg;
    device_grant_close(&asked->grant);
    forget_passes(asked);
    free(asked);
}

/* ---- phones that are here ---- */

static void on_refused(void *arg)
{
    const struct sccp_session *s = arg;
    const struct asked *q = s->asked;
    if (q)
        device_grant_refused(q->grant);
}

static void on_attached(void *arg, struct sccp_session *s, struct sccp_session *was)
{
    struct desks *d = arg;
    struct asked *q = s->asked;
    struct span passes[SCCP_LINES_MAX];
    const struct desk_conf c = { .ua = d->ua,
                                 .registrations = &d->registrations,
                                 .passes = passes,
                                 .n_passes = CS_MIN(q->n_passes, CS_LEN(passes)),
                                 .refused = on_refused,
                                 .arg = s };
    struct desk *before = was ? was->owner : NULL;
    gate_knows(d->ua->gate, &s->source);
    for (size_t i = 0; i < c.n_passes; i++)
        passes[i] = secret_span(&q->passes[i]);
    if (was)
        was->owner = NULL;
    q->desk = s->owner = desk_new(s, &c, before);
    if (q->desk)
        list_push_back(&d->phones, &q->desk->link);
    else
        desk_free(&before);
}

static void on_called(void *arg, struct sccp_session *s, const struct sccp_message *m)
{
    (void)arg;
    if (s->owner)
        desk_heard(s->owner, m);
}

static void on_ready(void *arg, struct sccp_session *s)
{
    (void)arg;
    if (s->owner)
        lamps_show(s->owner);
}

static bool on_busy(void *arg, struct sccp_session *s)
{
    (void)arg;
    return s->owner && !desk_is_idle(s->owner);
}

static void on_detached(void *arg, struct sccp_session *s)
{
    struct desk *desk = s->owner;
    (void)arg;
    s->owner = NULL;
    desk_free(&desk);
}

/* ---- strangers ---- */

static bool on_stranger(void *arg, const struct addr *from)
{
    const struct desks *d = arg;
    return !d->ua->gate || gate_admits(d->ua->gate, from);
}

/* Whom authd refused it knows of. */
static void on_stranger_left(void *arg, const struct sccp_session *s)
{
    const struct desks *d = arg;
    if (d->ua->gate && s->end == SCCP_END_MALFORMED)
        gate_saw(d->ua->gate, COUNTERSIGN__AUTH__ABUSE__ABUSE_MALFORMED, &s->source, true);
    else if (d->ua->gate && (s->end == SCCP_END_STALLED || s->end == SCCP_END_CROWDED))
        gate_saw(d->ua->gate, COUNTERSIGN__AUTH__ABUSE__ABUSE_CONNECTION, &s->source, true);
}

/* ---- how they stand ---- */

static json_t *text(const char *s)
{
    return s && s[0] ? json_string(s) : json_null();
}

static json_t *describe_lines(const struct sccp_device *d)
{
    json_t *lines = json_array();
    for (size_t i = 0; d && i < d->n_lines; i++)
        json_array_append_new(lines, json_stringn(d->lines[i].number.p, d->lines[i].number.n));
    return lines;
}

static json_t *describe(const struct sccp_session *s)
{
    char address[ADDR_STRLEN];
    const char *type = sccp_word(SCCP_WORDS_device, s->type);
    const char *state = sccp_state_name(s->state);
    return json_pack("{s:o, s:s, s:s, s:s, s:b, s:s, s:o, s:o, s:i, s:o, s:o}", "device",
                     text(s->name), "state", state, "address", addr_format(&s->source, address),
                     "listener", s->listener.p, "secure", s->secure, "media",
                     desk_is_encrypted(s) ? "SRTP" : "RTP", "model", text(type), "software",
                     text(s->load), "version", (int)s->dialect.version, "lines",
                     describe_lines(s->device), "registered", http_time(s->since));
}

json_t *desks_describe(const struct desks *d)
{
    json_t *all = json_array();
    list_for_each (it, &d->sccp.all) {
        const struct sccp_session *s = container_of(it, struct sccp_session, all);
        if (!s->closing)
            json_array_append_new(all, describe(s));
    }
    return all;
}

bool desks_restart(struct desks *d, struct span name, bool reset)
{
    struct sccp_session *s = sccp_find(&d->sccp, name);
    if (s)
        sccp_session_restart(s, reset ? SCCP_RESET : SCCP_RESTART);
    return s != NULL;
}

/* ---- life ---- */

static void open_registrations(struct desks *d)
{
    const struct b2bua_conf *c = d->ua->conf;
    for (size_t i = 0; i < c->n_registrars; i++)
        d->registrars[i] = c->registrars[i].id;
    d->registrations = (struct line_registrations){ .means = &d->ua->legs_means.uac,
                                                    .registrars = d->registrars,
                                                    .n_registrars = c->n_registrars };
    list_init(&d->registrations.all);
    list_init(&d->phones);
    map_init(&d->mailboxes);
    d->policy = c->lines;
    d->policy.srtp = SRTP_FORBID;
    d->policy.webrtc = WEBRTC_NEVER;
}

int desks_open(struct desks *d, struct ua *u, size_t first)
{
    static const struct sccp_events events = { .attached = on_attached,
                                               .ready = on_ready,
                                               .called = on_called,
                                               .detached = on_detached,
                                               .admits = on_stranger,
                                               .stranger_left = on_stranger_left,
                                               .busy = on_busy };
    const struct desks_conf *conf = &u->conf->sccp;
    const struct sccp_conf sc = { .name = span_str(u->node),
                                  .date = conf->date_format,
                                  .zone = &conf->zone,
                                  .keepalive = conf->keepalive,
                                  .register_within = conf->register_within,
                                  .unregistered = conf->unregistered,
                                  .unregistered_of_source = conf->unregistered_of_source };
    d->directory = (struct sccp_directory){ directory_ask, directory_cancel, d };
    d->ua = u;
    list_init(&d->zones);
    open_registrations(d);
    sccp_init(&d->sccp, u->loop, &sc, &d->directory, &events, d);
    for (size_t i = 0; i < conf->n_listeners; i++, d->n_listeners++) {
        const struct desk_listener_conf *c = &conf->listeners[i];
        int err = sccp_listen(&d->sccp, &c->address, c->name, c->tls, &d->listeners[i]);
        if (err) {
            log_error(&desk_log, "cannot listen", kv_s("listener", c->name),
                      kv_addr("address", &c->address), kv_err(err));
            return err;
        }
        struct listener *streams = sccp_listener_stream(d->listeners[i]);
        certs_serve_streams(u->certs, first + i, streams);
        log_info(&desk_log, "listening", kv_s("listener", c->name),
                 kv_addr("address", listener_local(streams)));
    }
    return 0;
}

int desks_open_gate(struct desks *d, struct gate *g)
{
    return devices_open(d->sccp.loop, g, &d->devices);
}

void desks_banned(struct desks *d, const struct gate_ban *ban)
{
    if (d->sccp.loop)
        sccp_close_from(&d->sccp, &ban->net, ban->port);
}

void desks_revoked(struct desks *d, const AUTH(Revoked) * r)
{
    devices_revoked(d->devices, r);
}

const struct desk_line *desks_line(const struct desks *d, struct span contact)
{
    struct span name = contact;
    while (name.n && name.p[name.n - 1] != '.') /* a name may have dots, too */
        name.n--;
    name.n -= name.n != 0;
    const struct sccp_session *s = sccp_find(&d->sccp, name);
    const struct desk *desk = s && s->state == SCCP_STATE_REGISTERED ? s->owner : NULL;
    for (size_t i = 0; desk && i < desk->n_lines; i++) {
        if (desk->lines[i].registration && span_eq(desk->lines[i].contact, contact))
            return &desk->lines[i];
    }
    return NULL;
}

void desks_flow_closed(struct desks *d, const struct flow *f)
{
    if (d->sccp.loop)
        line_registrations_flow_closed(&d->registrations, f);
}

void desks_leave(struct desks *d)
{
    list_for_each (it, &d->phones)
        desk_leave(container_of(it, struct desk, link));
}

bool desks_have_left(const struct desks *d)
{
    return line_registrations_have_left(&d->registrations);
}

void desks_close(struct desks *d)
{
    if (!d->sccp.loop)
        return;
    for (size_t i = 0; i < d->n_listeners; i++)
        sccp_listener_close(&d->listeners[i]);
    sccp_stop(&d->sccp);
    line_registrations_drop(&d->registrations);
    mailbox_drop_all(d->ua);
    devices_close(&d->devices);
    for (struct list *it; (it = list_pop(&d->zones));) {
        struct known_zone *z = container_of(it, struct known_zone, link);
        arena_fini(&z->arena);
        free(z);
    }
}
