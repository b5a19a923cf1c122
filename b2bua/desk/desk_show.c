/* What a desk phone is told to show of a call, in the order that it knows from its makers. */
#include "b2bua/desk/desk_calls.h"
#include "b2bua/desk/do_not_disturb.h"
#include "b2bua/sccp/text.h"

static void state(const struct sccp_leg *l, uint32_t state)
{
    SCCP_SEND(l->session, call_state, .state = state, .line = l->line->instance, .call = l->ref,
              .precedence = 4);
}

/* hidden: one of them that is not shown; 0: all are. */
static void keys(const struct sccp_leg *l, uint32_t set, uint8_t hidden)
{
    SCCP_SEND(l->session, select_soft_keys, .line = l->line->instance, .call = l->ref, .set = set,
              .mask = sccp_soft_keys_but(l->session->device->soft_keys, set, hidden));
}

static void prompt(const struct sccp_leg *l, struct span text)
{
    SCCP_SEND(l->session, display_prompt_status, .text = text, .line = l->line->instance,
              .call = l->ref);
}

static void tone(const struct sccp_leg *l, uint32_t which)
{
    SCCP_SEND(l->session, start_tone, .tone = which, .line = l->line->instance, .call = l->ref);
}

static void silence(const struct sccp_leg *l)
{
    SCCP_SEND(l->session, stop_tone, .line = l->line->instance, .call = l->ref);
}

static void ringer(const struct sccp_leg *l, uint32_t mode)
{
    SCCP_SEND(l->session, set_ringer, .mode = mode, .duration = SCCP_RING_NORMAL,
              .line = l->line->instance, .call = l->ref);
}

/* Of the line: what rings before what is heard, and that before what is held. */
static void lamp(const struct sccp_leg *of)
{
    uint32_t mode = SCCP_LAMP_OFF;
    list_for_each (it, &of->line->desk->calls) {
        const struct sccp_leg *l = container_of(it, struct sccp_leg, link);
        if (l->hidden || l->over || l->line != of->line)
            continue;
        const uint32_t its = l->state == DESK_RINGING || l->recalled ? SCCP_LAMP_BLINK
                             : l->held                               ? SCCP_LAMP_WINK
                                                                     : SCCP_LAMP_ON;
        if (mode == SCCP_LAMP_OFF || its == SCCP_LAMP_BLINK || mode == SCCP_LAMP_WINK)
            mode = its;
    }
    SCCP_SEND(of->session, set_lamp, .button = SCCP_BUTTON_LINE, .instance = of->line->instance,
              .mode = mode);
}

void desk_show_info(const struct sccp_leg *l)
{
    const struct span number = span_str(l->number), name = span_str(l->name);
    const struct desk_line *line = l->line;
    SCCP_SEND(
        l->session, call_info, .line = line->instance, .call = l->ref,
        .type = l->placed ? SCCP_CALL_OUTBOUND : SCCP_CALL_INBOUND, .instance = 1,
        .security = l->safe ? SCCP_SECURITY_ENCRYPTED : SCCP_SECURITY_NONE,
        .calling = l->placed ? line->number : number,
        .alternate = l->placed ? line->number : number,
        .calling_name = l->placed ? line->name : name, .called = l->placed ? number : line->number,
        .called_name = l->placed ? name : line->name, .original = l->placed ? number : line->number,
        .original_name = l->placed ? name : line->name);
}

void desk_show_speaker(struct sccp_leg *l)
{
    l->speaker = true;
    SCCP_SEND(l->session, set_speaker_mode, .mode = SCCP_ON);
}

void desk_show_dialling(struct sccp_leg *l)
{
    ringer(l, SCCP_RINGER_OFF);
    lamp(l);
    state(l, SCCP_CALL_OFF_HOOK);
    keys(l, SCCP_KEYS_OFF_HOOK, 0);
    prompt(l, SCCP_LABEL("\x20"));
    SCCP_SEND(l->session, activate_call_plane, .line = l->line->instance);
    tone(l, SCCP_TONE_INSIDE_DIAL);
}

void desk_show_forwarding(struct sccp_leg *l)
{
    keys(l, SCCP_KEYS_OFF_HOOK_FEATURE, SCCP_KEY_REDIAL);
    prompt(l, SCCP_LABEL("\x05"));
    tone(l, SCCP_TONE_INSIDE_DIAL);
}

void desk_show_parked(struct sccp_leg *l, bool done)
{
    enum { SHOWN_S = 10 };
    char text[NUMBER_MAX + 4];
    struct buf b = BUF_INIT(text);
    buf_put(&b, done ? SCCP_LABEL("\x21") : SCCP_LABEL("\x23"));
    if (done)
        buf_putc(&b, ' ');
    if (done)
        buf_put(&b, span_str(l->parks));
    SCCP_SEND(l->session, display_notify, .timeout = SHOWN_S, .text = buf_span(&b));
}

void desk_show_digit(struct sccp_leg *l)
{
    silence(l);
    keys(l, SCCP_KEYS_DIGITS, 0);
}

/* On its way to somebody: it may be given to who is held. */
static void keys_out(const struct sccp_leg *l)
{
    keys(l, l->first && !l->confers ? SCCP_KEYS_TRANSFER : SCCP_KEYS_RING_OUT, 0);
}

void desk_show_digit_heard(struct sccp_leg *l, char digit)
{
    if (!digit)
        silence(l);
    else if (digit < 'A')
        tone(l, digit == '*'   ? SCCP_TONE_STAR
                : digit == '#' ? SCCP_TONE_POUND
                : digit == '0' ? SCCP_TONE_0
                               : (uint32_t)(digit - '0'));
}

void desk_show_proceeding(struct sccp_leg *l)
{
    silence(l);
    SCCP_SEND(l->session, dialed_number, .number = span_str(l->number), .line = l->line->instance,
              .call = l->ref);
    state(l, SCCP_CALL_PROCEED);
    desk_show_info(l);
    keys_out(l);
    prompt(l, SCCP_LABEL("\x1e"));
}

void desk_show_ringing_out(struct sccp_leg *l, bool with_tone)
{
    if (with_tone)
        tone(l, SCCP_TONE_ALERTING);
    else
        silence(l);
    state(l, SCCP_CALL_RING_OUT);
    desk_show_info(l);
    keys_out(l);
    prompt(l, SCCP_LABEL("\x16"));
}

void desk_show_bell(struct sccp_leg *l)
{
    l->waits = desk_active(l->line->desk) != NULL;
    if (l->waits)
        tone(l, SCCP_TONE_CALL_WAITING);
    else
        ringer(l, do_not_disturb_of(l->line->desk) == SCCP_DND_SILENT ? SCCP_RINGER_FLASH
                                                                      : SCCP_RINGER_INSIDE);
}

void desk_show_ringing(struct sccp_leg *l)
{
    char text[NUMBER_MAX + 4];
    struct buf from = BUF_INIT(text);
    buf_put(&from, SCCP_LABEL("\x17"));
    buf_putc(&from, ' ');
    buf_put(&from, l->number[0] ? span_str(l->number) : SCCP_LABEL("\x38"));
    l->waits = desk_active(l->line->desk) != NULL;
    state(l, l->waits ? SCCP_CALL_WAITING : SCCP_CALL_RING_IN);
    keys(l, SCCP_KEYS_RING_IN, 0);
    prompt(l, buf_span(&from));
    desk_show_info(l);
    lamp(l);
    desk_show_bell(l);
}

void desk_show_taken(struct sccp_leg *l)
{
    ringer(l, SCCP_RINGER_OFF);
    lamp(l);
    state(l, SCCP_CALL_OFF_HOOK);
    SCCP_SEND(l->session, activate_call_plane, .line = l->line->instance);
}

void desk_show_keys(struct sccp_leg *l)
{
    const struct sccp_leg *second = l->first ? l : l->second;
    if (second && second->state == DESK_UP)
        keys(l, second->confers ? SCCP_KEYS_CONFERENCE : SCCP_KEYS_TRANSFER, 0);
    else
        keys(l, SCCP_KEYS_CONNECTED, l->conference ? 0 : SCCP_KEY_REMOVE_LAST);
}

void desk_show_up(struct sccp_leg *l)
{
    silence(l);
    state(l, SCCP_CALL_CONNECTED);
    desk_show_info(l);
    desk_show_keys(l);
    prompt(l, l->conference ? span_str(l->name) : SCCP_LABEL("\x18"));
}

static void speaker_off(struct sccp_leg *l)
{
    if (l->speaker)
        SCCP_SEND(l->session, set_speaker_mode, .mode = SCCP_OFF);
    l->speaker = false;
}

void desk_show_held(struct sccp_leg *l)
{
    lamp(l);
    state(l, SCCP_CALL_HOLD);
    keys(l, SCCP_KEYS_ON_HOLD, 0);
    prompt(l, SCCP_LABEL("\x03"));
    speaker_off(l);
}

void desk_show_resumed(struct sccp_leg *l)
{
    if (l->recalled)
        ringer(l, SCCP_RINGER_OFF);
    l->recalled = l->waits = false;
    lamp(l);
    SCCP_SEND(l->session, activate_call_plane, .line = l->line->instance);
    desk_show_up(l);
}

static bool is_busy(unsigned status)
{
    return status == 486 || status == 600;
}

static bool is_unknown(unsigned status)
{
    return status == 404 || status == 484 || status == 604;
}

static void prompt_failure(const struct sccp_leg *l, unsigned status)
{
    prompt(l, is_busy(status)      ? SCCP_LABEL("\x19")
              : is_unknown(status) ? SCCP_LABEL("\x38")
                                   : SCCP_LABEL("\x23"));
}

void desk_show_not_done(struct sccp_leg *l)
{
    tone(l, SCCP_TONE_BEEP_BONK);
    prompt(l, SCCP_LABEL("\x23"));
}

void desk_show_recalled(struct sccp_leg *l, unsigned status)
{
    l->recalled = true;
    state(l, SCCP_CALL_HOLD);
    keys(l, SCCP_KEYS_ON_HOLD, 0);
    prompt_failure(l, status);
    desk_show_info(l);
    lamp(l);
    desk_show_bell(l);
}

void desk_show_failed(struct sccp_leg *l, unsigned status)
{
    tone(l, is_busy(status) ? SCCP_TONE_BUSY : SCCP_TONE_REORDER);
    state(l, is_busy(status)      ? SCCP_CALL_BUSY
             : is_unknown(status) ? SCCP_CALL_INVALID_NUMBER
                                  : SCCP_CALL_CONGESTION);
    keys(l, SCCP_KEYS_RING_OUT, 0);
    prompt_failure(l, status);
}

/* Whether another one of its phone makes it ring. */
static bool rings_on(const struct sccp_leg *of)
{
    list_for_each (it, &of->line->desk->calls) {
        const struct sccp_leg *l = container_of(it, struct sccp_leg, link);
        if (l != of && !l->hidden && ((l->state == DESK_RINGING && !l->waits) || l->recalled))
            return true;
    }
    return false;
}

void desk_show_over(struct sccp_leg *l)
{
    if (l->hidden)
        return;
    l->over = true;
    if (!rings_on(l))
        ringer(l, SCCP_RINGER_OFF);
    silence(l);
    lamp(l);
    SCCP_SEND(l->session, clear_prompt_status, .line = l->line->instance, .call = l->ref);
    state(l, SCCP_CALL_ON_HOOK);
    SCCP_SEND(l->session, select_soft_keys, .set = SCCP_KEYS_ON_HOOK, .mask = UINT32_MAX);
    speaker_off(l);
}
