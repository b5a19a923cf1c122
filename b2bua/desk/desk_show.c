/* What a desk phone is told to show of a call, in the order that it knows from its makers. */
#include "b2bua/leg/leg_sccp.h"
#include "b2bua/sccp/text.h"

static void state(const struct sccp_leg *l, uint32_t state)
{
    SCCP_SEND(l->session, call_state, .state = state, .line = l->line->instance, .call = l->ref,
              .precedence = 4);
}

/* mask: which keys of the set, from the first. */
static void keys(const struct sccp_leg *l, uint32_t set, uint32_t mask)
{
    SCCP_SEND(l->session, select_soft_keys, .line = l->line->instance, .call = l->ref, .set = set,
              .mask = mask);
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

static void lamp(const struct sccp_leg *l, uint32_t mode)
{
    SCCP_SEND(l->session, set_lamp, .button = SCCP_BUTTON_LINE, .instance = l->line->instance,
              .mode = mode);
}

static void info(const struct sccp_leg *l)
{
    const struct span number = span_str(l->number), name = span_str(l->name);
    const struct desk_line *line = l->line;
    SCCP_SEND(
        l->session, call_info, .line = line->instance, .call = l->ref,
        .type = l->placed ? SCCP_CALL_OUTBOUND : SCCP_CALL_INBOUND, .instance = 1,
        .security = SCCP_SECURITY_NONE, .calling = l->placed ? line->number : number,
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
    lamp(l, SCCP_LAMP_ON);
    state(l, SCCP_CALL_OFF_HOOK);
    keys(l, SCCP_KEYS_OFF_HOOK, 0x3);
    prompt(l, SCCP_LABEL("\x20"));
    SCCP_SEND(l->session, activate_call_plane, .line = l->line->instance);
    tone(l, SCCP_TONE_INSIDE_DIAL);
}

void desk_show_digit(struct sccp_leg *l)
{
    silence(l);
    keys(l, SCCP_KEYS_DIGITS, UINT32_MAX);
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
    info(l);
    keys(l, SCCP_KEYS_RING_OUT, UINT32_MAX);
    prompt(l, SCCP_LABEL("\x1e"));
}

void desk_show_ringing_out(struct sccp_leg *l, bool with_tone)
{
    if (with_tone)
        tone(l, SCCP_TONE_ALERTING);
    else
        silence(l);
    state(l, SCCP_CALL_RING_OUT);
    info(l);
    keys(l, SCCP_KEYS_RING_OUT, UINT32_MAX);
    prompt(l, SCCP_LABEL("\x16"));
}

void desk_show_ringing(struct sccp_leg *l)
{
    char text[NUMBER_MAX + 4];
    struct buf from = BUF_INIT(text);
    buf_put(&from, SCCP_LABEL("\x17"));
    buf_putc(&from, ' ');
    buf_put(&from, l->number[0] ? span_str(l->number) : SCCP_LABEL("\x38"));
    state(l, SCCP_CALL_RING_IN);
    keys(l, SCCP_KEYS_RING_IN, UINT32_MAX);
    prompt(l, buf_span(&from));
    info(l);
    lamp(l, SCCP_LAMP_BLINK);
    ringer(l, SCCP_RINGER_INSIDE);
}

void desk_show_taken(struct sccp_leg *l)
{
    ringer(l, SCCP_RINGER_OFF);
    lamp(l, SCCP_LAMP_ON);
    state(l, SCCP_CALL_OFF_HOOK);
    SCCP_SEND(l->session, activate_call_plane, .line = l->line->instance);
}

void desk_show_up(struct sccp_leg *l)
{
    silence(l);
    state(l, SCCP_CALL_CONNECTED);
    info(l);
    keys(l, SCCP_KEYS_CONNECTED, 0x3); /* to hold and to end it: it cannot be transferred yet */
    prompt(l, SCCP_LABEL("\x18"));
}

static void speaker_off(struct sccp_leg *l)
{
    if (l->speaker)
        SCCP_SEND(l->session, set_speaker_mode, .mode = SCCP_OFF);
    l->speaker = false;
}

void desk_show_held(struct sccp_leg *l)
{
    lamp(l, SCCP_LAMP_WINK);
    state(l, SCCP_CALL_HOLD);
    keys(l, SCCP_KEYS_ON_HOLD, UINT32_MAX);
    prompt(l, SCCP_LABEL("\x03"));
    speaker_off(l);
}

void desk_show_resumed(struct sccp_leg *l)
{
    desk_show_speaker(l);
    lamp(l, SCCP_LAMP_ON);
    SCCP_SEND(l->session, activate_call_plane, .line = l->line->instance);
    desk_show_up(l);
}

void desk_show_failed(struct sccp_leg *l, unsigned status)
{
    const bool busy = status == 486 || status == 600;
    const bool unknown = status == 404 || status == 484 || status == 604;
    tone(l, busy ? SCCP_TONE_BUSY : SCCP_TONE_REORDER);
    state(l, busy ? SCCP_CALL_BUSY : unknown ? SCCP_CALL_INVALID_NUMBER : SCCP_CALL_CONGESTION);
    keys(l, SCCP_KEYS_RING_OUT, UINT32_MAX);
    prompt(l, busy ? SCCP_LABEL("\x19") : unknown ? SCCP_LABEL("\x38") : SCCP_LABEL("\x23"));
}

/* Whether another call of its line is. */
static bool has_held(const struct sccp_leg *l)
{
    list_for_each (it, &l->line->desk->calls) {
        const struct sccp_leg *other = container_of(it, struct sccp_leg, link);
        if (other != l && other->line == l->line && other->held)
            return true;
    }
    return false;
}

void desk_show_over(struct sccp_leg *l)
{
    ringer(l, SCCP_RINGER_OFF);
    silence(l);
    lamp(l, has_held(l) ? SCCP_LAMP_WINK : SCCP_LAMP_OFF);
    SCCP_SEND(l->session, clear_prompt_status, .line = l->line->instance, .call = l->ref);
    state(l, SCCP_CALL_ON_HOOK);
    SCCP_SEND(l->session, select_soft_keys, .set = SCCP_KEYS_ON_HOOK, .mask = UINT32_MAX);
    speaker_off(l);
}
