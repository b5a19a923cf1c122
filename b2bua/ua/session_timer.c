#include "b2bua/ua/session_timer.h"

static uint32_t seconds(struct duration d)
{
    return (uint32_t)((d.ms + 999) / 1000);
}

/* delta-seconds and a refresher. False: it is not there, or makes no sense. */
static bool read_expires(const struct sip_msg *m, uint32_t *s, struct span *refresher)
{
    struct span value = sip_hdr_value(m, SIP_HDR_SESSION_EXPIRES), rest = value;
    uint64_t n;
    *refresher = SPAN_NULL;
    if (!value.p || span_u64(span_trim(span_cut(&rest, ';')), UINT32_MAX, &n))
        return false;
    *s = (uint32_t)n;
    if (rest.p) {
        struct span params = span_of(rest.p - 1, rest.n + 1);
        if (sip_param(params, SPAN("refresher"), refresher))
            *refresher = SPAN_NULL;
    }
    return true;
}

static uint32_t read_least(const struct sip_msg *m)
{
    struct span value = sip_hdr_named(m, SPAN("Min-SE"));
    uint64_t n;
    return span_u64(span_trim(span_cut(&value, ';')), UINT32_MAX, &n) ? 0 : (uint32_t)n;
}

unsigned session_timer_asked(struct session_timer *t, const struct session_timer_conf *c,
                             const struct sip_msg *req)
{
    uint32_t asked, least = read_least(req);
    struct span refresher;
    bool said = read_expires(req, &asked, &refresher);
    t->theirs_knows = sip_lists(req, SIP_HDR_SUPPORTED, SPAN("timer")) ||
                      sip_lists(req, SIP_HDR_REQUIRE, SPAN("timer"));
    if (said && asked < seconds(c->least) && t->theirs_knows)
        return 422;
    t->interval_s = said ? CS_MAX(asked, seconds(c->least)) : seconds(c->interval);
    if (t->interval_s > seconds(c->interval)) /* a shorter one is found sooner */
        t->interval_s = CS_MAX(seconds(c->interval), least);
    t->ours = !t->theirs_knows || span_caseeq(refresher, SPAN("uas"));
    return 0;
}

void session_timer_write_answer(struct buf *b, const struct session_timer *t)
{
    buf_printf(b, "Session-Expires: %u;refresher=%s\r\n", t->interval_s, t->ours ? "uas" : "uac");
    if (!t->ours)
        buf_lit(b, "Require: timer\r\n");
}

void session_timer_write_least(struct buf *b, const struct session_timer_conf *c)
{
    buf_printf(b, "Min-SE: %u\r\n", seconds(c->least));
}

void session_timer_write_ask(struct buf *b, const struct session_timer *t,
                             const struct session_timer_conf *c)
{
    uint32_t interval = t->interval_s ? t->interval_s : seconds(c->interval);
    buf_printf(b, "Session-Expires: %u", CS_MAX(interval, t->least_s));
    if (t->interval_s) /* who does it goes on to (7.4) */
        buf_put(b, t->ours ? SPAN(";refresher=uac") : SPAN(";refresher=uas"));
    buf_printf(b, "\r\nMin-SE: %u\r\n", CS_MAX(seconds(c->least), t->least_s));
}

void session_timer_answered(struct session_timer *t, const struct session_timer_conf *c,
                            const struct sip_msg *resp)
{
    uint32_t interval;
    struct span refresher;
    t->theirs_knows = read_expires(resp, &interval, &refresher);
    interval = t->theirs_knows && interval ? interval : seconds(c->interval);
    /* Whatever they say, not shorter than we said that it may be. */
    t->interval_s = CS_MAX(interval, CS_MAX(seconds(c->least), t->least_s));
    t->ours = !t->theirs_knows || !span_caseeq(refresher, SPAN("uas"));
}

bool session_timer_refused(struct session_timer *t, const struct sip_msg *resp)
{
    uint32_t least = read_least(resp);
    if (least <= t->least_s)
        return false;
    t->least_s = least;
    t->interval_s = 0;
    return true;
}

struct duration session_timer_due(const struct session_timer *t)
{
    uint64_t ms = (uint64_t)t->interval_s * 1000;
    uint64_t early = CS_MIN(UINT64_C(32000), ms / 3);
    return DURATION_MS((int64_t)(t->ours ? ms / 2 : ms - early));
}
