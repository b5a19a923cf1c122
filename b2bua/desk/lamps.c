#include "b2bua/desk/lamps.h"

#include "b2bua/desk/busy_lamps.h"
#include "b2bua/desk/do_not_disturb.h"
#include "b2bua/desk/forward.h"
#include "b2bua/desk/mailbox.h"
#include "b2bua/sccp/configure.h"
#include "b2bua/sccp/text.h"

static void lamp(const struct desk *d, uint32_t button, uint32_t instance, uint32_t mode)
{
    SCCP_SEND(d->session, set_lamp, .button = button, .instance = instance, .mode = mode);
}

static uint32_t on_if(bool lit)
{
    return lit ? SCCP_LAMP_ON : SCCP_LAMP_OFF;
}

static void show_forwards(const struct desk_line *l)
{
    struct sccp_session *s = l->desk->session;
    char text[SCCP_FRAME_MAX];
    struct buf b = BUF_INIT(text);
    sccp_tell_forwards(&b, &s->dialect, s->device, l->instance);
    sccp_session_send(s, &b);
    lamp(l->desk, SCCP_BUTTON_FORWARD_ALL, l->instance, on_if(forward_to(l, FORWARD_ALL).p));
}

/* A light for each line, and one for the whole phone. */
static bool show_mailboxes(const struct desk *d)
{
    bool any = false;
    for (size_t i = 0; i < d->n_lines; i++) {
        const struct desk_line *l = &d->lines[i];
        if (!l->instance)
            continue;
        const bool waiting = mailbox_has_messages(l);
        any |= waiting;
        lamp(d, SCCP_BUTTON_VOICEMAIL, l->instance, on_if(waiting));
    }
    lamp(d, SCCP_BUTTON_VOICEMAIL, 0, on_if(any));
    return any;
}

/* The most important thing that is to be known before a call is made or missed. */
static void write_idle(struct buf *b, const struct desk *d, bool messages)
{
    for (size_t i = 0; i < d->n_lines; i++) {
        const struct desk_line *l = &d->lines[i];
        const struct span to = l->instance ? forward_to(l, FORWARD_ALL) : SPAN_NULL;
        if (!to.p)
            continue;
        buf_put(b, SCCP_LABEL("\x25"));
        buf_putc(b, ' ');
        buf_put(b, to);
        return;
    }
    buf_put(b, do_not_disturb_of(d) != SCCP_DND_OFF ? SCCP_LABEL("\x3f")
               : messages                           ? SCCP_LABEL("\x24")
                                                    : SCCP_LABEL("\x13"));
}

void lamps_show(const struct desk *d)
{
    char text[NUMBER_MAX + 8];
    struct buf idle = BUF_INIT(text);
    for (size_t i = 0; i < d->n_lines; i++) {
        if (d->lines[i].instance)
            show_forwards(&d->lines[i]);
    }
    write_idle(&idle, d, show_mailboxes(d));
    SCCP_SEND(d->session, display_prompt_status, .text = buf_span(&idle));
    busy_lamps_show(d->busy_lamps);
}
