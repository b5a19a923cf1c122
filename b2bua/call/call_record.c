#include <stdio.h>
#include <stdlib.h>

#include "b2bua/call/call_impl.h"
#include "b2bua/leg/leg_sccp.h"
#include "b2bua/session/keys.h"
#include "base/metric.h"

enum { RECORD_MAX = 16384 };

static const struct log record_log = { .module = "cdr" };

struct record;

struct awaited {
    struct record *record;
    unsigned side;
};

struct record { /* all but what phones counted stands in it; theirs who are awaited */
    struct ua *ua;
    struct awaited awaited[RELAY_SIDES];
    unsigned waits;
    struct buf text;
    char space[RECORD_MAX + 1024];
};

static void put(struct buf *b, const char *key, struct span value)
{
    if (!value.p)
        return;
    buf_lit(b, ",\"");
    buf_put(b, span_str(key));
    buf_lit(b, "\":\"");
    buf_json(b, value);
    buf_putc(b, '"');
}

static void put_time(struct buf *b, const char *key, struct wall t)
{
    char text[WALL_STRLEN];
    if (!t.ms)
        return;
    wall_format(t, text);
    put(b, key, span_str(text));
}

/* Why the last candidate was not even asked, and what finds it in csctl explain. */
static void put_refusal(struct buf *b, const struct admission *a)
{
    char cause[64];
    struct buf c = BUF_INIT(cause);
    if (!a->cause)
        return;
    for (const char *p = a->cause; *p; p++)
        buf_putc(&c, ascii_lower(*p));
    put(b, "refused", buf_span(&c));
    put(b, "limit", span_str(a->limit));
    put(b, "decision", a->decision[0] ? span_str(a->decision) : SPAN_NULL);
}

static void count_media(const struct call *c, unsigned side)
{
    struct side_stats s;
    session_stats(c->session, side, &s);
    metric_add(M_B2BUA_MEDIA, 0, (int64_t)s.packets);
    metric_add(M_B2BUA_MEDIA, 1, (int64_t)s.lost);
    for (unsigned i = 0; i < DROPPED_COUNT; i++)
        metric_add(M_B2BUA_MEDIA_DROPPED, i, (int64_t)s.dropped[i]);
    if (s.packets)
        metric_observe(M_B2BUA_JITTER, (struct mono){ 0 },
                       (struct mono){ (int64_t)s.jitter_us * 1000 });
}

struct span call_srtp(const struct call *c, unsigned side)
{
    const enum crypt_suite suite = session_safety(c->session, side).suite;
    return suite == CRYPT_NONE ? SPAN("none") : keys_suite_name(suite);
}

static void put_media(struct buf *b, const struct call *c, const char *key, unsigned side)
{
    struct side_stats s;
    uint64_t dropped = 0;
    session_stats(c->session, side, &s);
    for (size_t i = 0; i < DROPPED_COUNT; i++)
        dropped += s.dropped[i];
    buf_printf(b,
               ",\"%s\":{\"packets\":%llu,\"bytes\":%llu,\"lost\":%llu,\"jitter_us\":%u,"
               "\"dropped\":%llu,\"srtp\":\"" SPAN_FMT "\",\"dtls\":%s}",
               key, (unsigned long long)s.packets, (unsigned long long)s.bytes,
               (unsigned long long)s.lost, s.jitter_us, (unsigned long long)dropped,
               SPAN_ARG(call_srtp(c, side)),
               session_safety(c->session, side).dtls ? "true" : "false");
}

static void put_diverters(struct buf *b, const struct call *c)
{
    buf_lit(b, ",\"diverted_by\":");
    for (size_t i = 0; i < c->n_diverters; i++) {
        buf_put(b, i ? SPAN(",\"") : SPAN("[\""));
        buf_json(b, c->diverters[i]);
        buf_putc(b, '"');
    }
    buf_putc(b, ']');
}

/* ---- what phones counted ---- */

static void write_out(struct ua *u, struct buf *b)
{
    buf_lit(b, "}\n");
    if (buf_ok(b))
        line_file_add(&u->records, buf_span(b));
}

static void finish(struct record *r)
{
    write_out(r->ua, &r->text);
    free(r);
}

static void put_counts(struct buf *b, unsigned side, const struct phone_counts *n)
{
    buf_printf(b,
               ",\"phone_%s\":{\"packets_sent\":%llu,\"octets_sent\":%llu,"
               "\"packets_received\":%llu,\"octets_received\":%llu,\"lost\":%llu,"
               "\"jitter_ms\":%u,\"latency_ms\":%u",
               side == SIDE_A ? "caller" : "callee", (unsigned long long)n->packets_sent,
               (unsigned long long)n->octets_sent, (unsigned long long)n->packets_received,
               (unsigned long long)n->octets_received, (unsigned long long)n->lost, n->jitter,
               n->latency);
    put(b, "quality", n->quality[0] ? span_str(n->quality) : SPAN_NULL);
    buf_putc(b, '}');
}

static void on_counts(void *arg, const struct phone_counts *counts)
{
    struct awaited *a = arg;
    struct record *r = a->record;
    if (counts)
        put_counts(&r->text, a->side, counts);
    if (!--r->waits)
        finish(r);
}

/* False: no phone of ours had media in it, or there is no memory. */
static bool wait_for_phones(const struct call *c, const struct buf *text, unsigned by)
{
    struct statistics *phones[RELAY_SIDES];
    for (unsigned side = 0; side < RELAY_SIDES; side++) {
        const struct leg *l = c->leg[side] ? c->leg[side] : side == by ? c->gone : NULL;
        phones[side] = l ? leg_sccp_statistics(l) : NULL;
    }
    struct record *r = phones[SIDE_A] || phones[SIDE_B] ? calloc(1, sizeof(*r)) : NULL;
    if (!r)
        return false;
    r->ua = c->ua;
    r->text = buf_of(r->space, sizeof(r->space));
    buf_put(&r->text, buf_span(text));
    for (unsigned side = 0; side < RELAY_SIDES; side++) {
        if (!phones[side])
            continue;
        r->awaited[side] = (struct awaited){ r, side };
        r->waits++;
        statistics_wait(phones[side], on_counts, &r->awaited[side]);
    }
    return true;
}

/* ---- the record ---- */

void call_record(const struct call *c, const struct leg_end *why, unsigned by)
{
    char text[RECORD_MAX];
    struct buf b = BUF_INIT(text);
    struct wall now = loop_wall(c->ua->loop);
    const struct party *caller = &c->party[SIDE_A], *called = &c->party[SIDE_B];
    metric_inc(M_B2BUA_ENDED, c->up ? 0 : why->status == 487 ? 1 : 2);
    if (c->early && !c->up) {
        metric_inc(M_B2BUA_EARLY_UNANSWERED, caller->trunk != NULL);
        early_media_add(&c->ua->early_media,
                        caller->trunk   ? caller->trunk->name
                        : caller->who.p ? caller->who
                                        : SPAN("anonymous"),
                        now);
    }
    count_media(c, SIDE_A);
    count_media(c, SIDE_B);
    if (c->ua->records.fd < 0)
        return;
    buf_lit(&b, "{\"node\":\"");
    buf_json(&b, span_str(c->ua->node));
    buf_putc(&b, '"');
    put_time(&b, "began", c->began);
    put_time(&b, "rang", c->rang);
    put_time(&b, "taken", c->taken);
    put_time(&b, "ended", now);
    if (c->taken.ms)
        buf_printf(&b, ",\"duration_ms\":%llu", (unsigned long long)(now.ms - c->taken.ms));
    put(&b, "from", caller->trunk ? caller->trunk->name : SPAN("line"));
    put(&b, "caller", c->caller);
    put(&b, "called", c->called);
    if (c->candidate) {
        put(&b, "to",
            called->trunk                                                ? called->trunk->name
            : c->candidate->kind == DIALPLAN_EXTENSION && !called->who.p ? c->candidate->name
                                                                         : SPAN("line"));
        put(&b, "sent_called", c->candidate->called);
        put(&b, "sent_calling", c->candidate->calling);
    }
    if (c->n_diverters)
        put_diverters(&b, c);
    put(&b, "moved_to", c->moved);
    if (c->transfer_refused)
        buf_printf(&b, ",\"transfer_refused\":%u", c->transfer_refused);
    put(&b, "call_id", c->call_id[SIDE_A]);
    put(&b, "call_id_out", c->call_id[SIDE_B]);
    buf_printf(&b, ",\"status\":%u", c->up && why->status == 200 ? 200 : why->status);
    put(&b, "ended_by", by == SIDE_A ? SPAN("caller") : SPAN("callee"));
    call_write_headers(&b, c);
    put(&b, "reason", why->reason);
    put(&b, "warning", why->warning);
    if (c->early)
        buf_lit(&b, ",\"early_media\":true");
    if (c->admission.uncounted)
        buf_lit(&b, ",\"uncounted\":true");
    else if (!c->up)
        put_refusal(&b, &c->admission);
    if (c->up) {
        put_media(&b, c, "media_caller", SIDE_A);
        put_media(&b, c, "media_callee", SIDE_B);
    }
    if (!buf_ok(&b))
        log_error(&record_log, "a call record is too long");
    else if (!c->up || !wait_for_phones(c, &b, by))
        write_out(c->ua, &b);
}
