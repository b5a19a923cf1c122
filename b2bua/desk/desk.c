#include "b2bua/desk/desk.h"

#include <stdlib.h>

#include "b2bua/desk/busy_lamps.h"
#include "b2bua/desk/desk_calls.h"
#include "b2bua/desk/desk_media.h"
#include "b2bua/desk/keep.h"
#include "b2bua/desk/statistics.h"
#include "b2bua/sccp/table.h"
#include "b2bua/ua/ua.h"

static const struct log desk_log = { .module = "desk" };

static void on_stands(void *arg, bool stands)
{
    const struct desk_line *l = arg;
    log_debug(&l->desk->session->log, stands ? "line registered" : "line is not registered",
              kv_s("aor", l->aor));
}

static void on_refused(void *arg, unsigned status)
{
    const struct desk_line *l = arg;
    log_info(&l->desk->session->log, "another pass is asked for", kv_s("aor", l->aor),
             kv_u("status", status));
    l->desk->refused(l->desk->arg);
}

static const struct line_registration_events events = { on_stands, on_refused };

/* The key that a line is shown by, counted as the phone counts them; 0: none. */
static uint32_t instance_of(const struct sccp_device *d, size_t line)
{
    uint32_t n = 0;
    for (size_t i = 0; i < d->n_keys; i++) {
        if (d->keys[i].type != SCCP_BUTTON_LINE)
            continue;
        n++;
        if (d->keys[i].line == line)
            return n;
    }
    return 0;
}

static int fill(struct desk *d, size_t i)
{
    const struct sccp_device *device = d->session->device;
    const struct sccp_line *from = &device->lines[i];
    struct desk_line *l = &d->lines[i];
    char text[SCCP_NAME_MAX + 24];
    struct buf b = BUF_INIT(text);
    buf_printf(&b, SPAN_FMT ".%zu", SPAN_ARG(device->name), i + 1);
    *l = (struct desk_line){ .desk = d,
                             .aor = arena_dup(&d->arena, from->aor),
                             .number = arena_dup(&d->arena, from->number),
                             .name = arena_dup(&d->arena, from->name),
                             .contact = arena_dup(&d->arena, buf_span(&b)),
                             .instance = instance_of(device, i) };
    return l->contact.p && (l->aor.p || !from->aor.p) ? 0 : CS_ENOMEM;
}

static void open_registration(struct desk_line *l, struct line_registrations *all, struct span pass)
{
    const struct sccp_session *s = l->desk->session;
    const char *model = sccp_word(SCCP_WORDS_device, s->type);
    char contact[256], agent[96];
    struct buf cb = BUF_INIT(contact), ab = BUF_INIT(agent);
    buf_lit(&cb, "sip:");
    buf_put(&cb, l->contact);
    buf_putc(&cb, '@');
    buf_put(&cb, span_str(l->desk->ua->node));
    buf_lit(&ab, "Cisco ");
    if (model)
        buf_put(&ab, span_str(model));
    else
        buf_u64(&ab, s->type);
    buf_lit(&ab, "/SCCP");
    const struct line_registration_conf c = {
        .aor = l->aor, .contact = buf_span(&cb), .agent = buf_span(&ab), .pass = pass
    };
    if (buf_ok(&cb) && buf_ok(&ab))
        l->registration = line_registration_open(all, &c, &events, l);
    if (!l->registration)
        log_error(&s->log, "a line cannot be registered", kv_s("aor", l->aor));
}

/* Whose media are to be encrypted, by its record or as those of all lines, has keys or no calls. */
static bool may_call(const struct desk *d)
{
    const struct sccp_session *s = d->session;
    const bool must =
        s->device->security == SCCP_ENCRYPTED || d->ua->conf->lines.srtp == SRTP_REQUIRE;
    if (must && !desk_is_encrypted(s))
        log_warn(&s->log,
                 "it has no calls: media of its lines are to be SRTP, and those of this device "
                 "are not; see csctl device change --security");
    return !must || desk_is_encrypted(s);
}

static bool is_usable(const struct desk_line *l, struct span pass)
{
    return l->aor.p && pass.n && l->instance;
}

static void keep_registration(struct desk_line *l, struct desk *was)
{
    for (size_t i = 0; was && i < was->n_lines; i++) {
        struct desk_line *old = &was->lines[i];
        if (!old->registration || !span_eq(old->aor, l->aor) || !span_eq(old->contact, l->contact))
            continue;
        l->registration = old->registration;
        old->registration = NULL;
        line_registration_move(l->registration, l);
    }
}

static void open_lines(struct desk *d, const struct desk_conf *conf, struct desk *was)
{
    for (size_t i = 0; i < d->n_lines; i++) {
        struct desk_line *l = &d->lines[i];
        const struct span pass = i < conf->n_passes ? conf->passes[i] : SPAN_NULL;
        if (!is_usable(l, pass))
            continue;
        keep_registration(l, was);
        if (l->registration)
            desk_renew(d, l->aor, pass);
        else
            open_registration(l, conf->registrations, pass);
    }
}

/* Who waited for that may act now. */
static void on_over(struct turn *t)
{
    struct desk *d = container_of(t, struct desk, over);
    if (desk_is_idle(d))
        sccp_session_idle(d->session);
}

struct desk *desk_new(struct sccp_session *s, const struct desk_conf *conf, struct desk *was)
{
    struct desk *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    list_init(&d->link);
    list_init(&d->calls);
    list_init(&d->keeping);
    list_init(&d->statistics);
    turn_init(&d->over, on_over);
    arena_init_small(&d->arena);
    d->ua = conf->ua;
    d->session = s;
    d->refused = conf->refused;
    d->arg = conf->arg;
    d->n_lines = s->device->n_lines;
    d->lines = arena_zalloc(&d->arena, d->n_lines * sizeof(*d->lines));
    int err = d->lines ? 0 : CS_ENOMEM;
    for (size_t i = 0; !err && i < d->n_lines; i++)
        err = fill(d, i);
    if (err) {
        log_error(&desk_log, "out of memory: a phone has no lines", kv_str("device", s->name));
        arena_fini(&d->arena);
        free(d);
        return NULL;
    }
    d->busy_lamps = busy_lamps_open(d);
    d->may_call = may_call(d);
    if (conf->registrations->n_registrars && d->may_call)
        open_lines(d, conf, was);
    if (was)
        memcpy(d->last, was->last, sizeof(d->last));
    if (was && was->session == s) {
        desk_keep_calls(d, was);
        statistics_keep(d, was);
    }
    desk_free(&was);
    return d;
}

void desk_leave(struct desk *d)
{
    for (size_t i = 0; i < d->n_lines; i++)
        line_registration_leave(&d->lines[i].registration);
}

void desk_free(struct desk **dp)
{
    struct desk *d = *dp;
    *dp = NULL;
    if (!d)
        return;
    desk_hang_up(d);
    desk_leave(d);
    turn_cancel(&d->over);
    keep_forget(d);
    busy_lamps_close(&d->busy_lamps);
    statistics_drop(d);
    list_remove(&d->link);
    arena_fini(&d->arena);
    free(d);
}

void desk_renew(struct desk *d, struct span aor, struct span pass)
{
    for (size_t i = 0; i < d->n_lines; i++) {
        const struct desk_line *l = &d->lines[i];
        if (l->registration && span_eq(l->aor, aor) &&
            line_registration_renew(l->registration, pass))
            log_error(&desk_log, "out of memory: a pass is not renewed", kv_s("aor", aor));
    }
}
