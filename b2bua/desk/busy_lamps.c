#include "b2bua/desk/busy_lamps.h"

#include <stdlib.h>

#include "b2bua/call/occupancy.h"
#include "b2bua/sccp/configure.h"
#include "b2bua/ua/ua.h"

struct busy_lamp {
    struct occupancy_watch watch; /* line NULL: what is dialled there is nobody's here */
    const struct desk *desk;
    uint32_t instance; /* of its key, as the phone counts them */
};

struct busy_lamps {
    size_t n;
    struct busy_lamp all[];
};

static void show(const struct busy_lamp *l)
{
    static const uint32_t states[] = { [OCCUPANCY_IDLE] = SCCP_BUSY_LAMP_IDLE,
                                       [OCCUPANCY_RINGING] = SCCP_BUSY_LAMP_RINGING,
                                       [OCCUPANCY_BUSY] = SCCP_BUSY_LAMP_IN_USE };
    static const uint32_t modes[] = { [OCCUPANCY_IDLE] = SCCP_LAMP_OFF,
                                      [OCCUPANCY_RINGING] = SCCP_LAMP_BLINK,
                                      [OCCUPANCY_BUSY] = SCCP_LAMP_ON };
    struct sccp_session *s = l->desk->session;
    const enum occupancy how = occupancy_now(&l->watch);
    const uint8_t type = sccp_busy_lamp_type(s->dialect.version);
    char text[SCCP_FRAME_MAX];
    struct buf b = BUF_INIT(text);
    if (s->state != SCCP_STATE_REGISTERED)
        return;
    if (type == SCCP_BUTTON_BLF)
        sccp_tell_feature(&b, &s->dialect, s->device, l->instance, states[how]);
    else
        sccp_put_set_lamp(
            &b, &s->dialect,
            &(struct sccp_set_lamp){ .button = type, .instance = l->instance, .mode = modes[how] });
    sccp_session_send(s, &b);
}

static void on_changed(struct occupancy_watch *w, enum occupancy how)
{
    (void)how;
    show(container_of(w, struct busy_lamp, watch));
}

void busy_lamps_show(const struct busy_lamps *all)
{
    for (size_t i = 0; all && i < all->n; i++)
        show(&all->all[i]);
}

/* The line that is called by that number; absent: it is none of ours. */
static struct span line_of(const struct desk *d, struct span number, struct arena *a)
{
    const struct ua *u = d->ua;
    const struct dialplan_context *at =
        dialplan_context(&u->conf->dialplan, u->conf->lines_context);
    const struct dialplan_call call = { .called = number,
                                        .caller = d->n_lines ? d->lines[0].number : SPAN_NULL,
                                        .now = loop_wall(u->loop) };
    struct dialplan_answer plan;
    if (!at || dialplan_lookup(at, &call, false, a, &plan) || !plan.n ||
        plan.candidates[0].kind != DIALPLAN_LINE)
        return SPAN_NULL;
    return ua_line(u, plan.candidates[0].name, a);
}

struct busy_lamps *busy_lamps_open(const struct desk *d)
{
    const struct sccp_device *device = d->session->device;
    const unsigned version = d->session->dialect.version;
    const uint8_t type = sccp_busy_lamp_type(version);
    struct busy_lamps *all = calloc(1, sizeof(*all) + device->n_keys * sizeof(all->all[0]));
    uint32_t instance = 0;
    struct arena a;
    if (!all)
        return NULL;
    arena_init_small(&a);
    for (size_t i = 0; i < device->n_keys; i++) {
        instance += sccp_key_type(&device->keys[i], version) == type;
        if (device->keys[i].type != SCCP_BUTTON_BLF)
            continue;
        struct busy_lamp *l = &all->all[all->n++];
        const struct span aor = line_of(d, device->keys[i].number, &a);
        *l = (struct busy_lamp){ .watch = { .changed = on_changed },
                                 .desk = d,
                                 .instance = instance };
        if (aor.p && occupancy_watch(&d->ua->occupancy, aor, &l->watch))
            log_error(&d->session->log, "out of memory: a lamp stays dark");
    }
    arena_fini(&a);
    return all;
}

void busy_lamps_close(struct busy_lamps **lp)
{
    struct busy_lamps *all = *lp;
    *lp = NULL;
    for (size_t i = 0; all && i < all->n; i++)
        occupancy_unwatch(&all->all[i].watch);
    free(all);
}
