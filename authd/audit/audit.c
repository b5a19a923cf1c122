#include "authd/audit/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authd/audit/audit_days.h"
#include "base/log.h"
#include "net/line_file.h"

/* Lines wait a little for others, so that a write costs many of them: what a kill -9 can lose. */
enum { ROOM = 256 * 1024, DELAY_MS = 50 };
enum { LOOK_MS = 60 * 1000 }; /* whether it is another day: clocks are set, machines sleep */

struct audit {
    struct loop *loop;
    struct line_file file;
    struct timer midnight;
    struct duration keep;
    struct wall day; /* that the file is of */
    char *path;      /* NULL: stderr */
    char time[WALL_STRLEN];
    struct wall time_of;     /* what time shows */
    audit_follow_fn *follow; /* NULL: nobody */
    void *follow_arg;
};

static const struct log alog = { .module = "audit" };

/* A file that nobody can rename goes on: better one that is too long than none. */
static void end_day(struct audit *a, struct wall today)
{
    struct stat st;
    line_file_flush(&a->file);
    int err = fstat(a->file.fd, &st) == 0 && st.st_size ? audit_day_ended(a->path, a->day) : 0;
    if (!err || err == -ENOENT)
        err = audit_reopen(a);
    if (err)
        log_error(&alog,
                  "the audit log of a day cannot be set aside; authd must be able to write "
                  "to its folder",
                  kv_str("file", a->path), kv_err(err));
    a->day = today;
}

static void look_at_days(struct audit *a)
{
    struct wall now = loop_wall(a->loop), today = audit_day(now);
    if (today.ms == a->day.ms)
        return;
    end_day(a, today);
    unsigned left = audit_days_forget(a->path, now, a->keep);
    if (left)
        log_error(&alog, "audit logs older than audit.keep cannot be removed", kv_u("files", left));
}

static void on_midnight(struct timer *t)
{
    struct audit *a = container_of(t, struct audit, midnight);
    look_at_days(a);
    timer_start(a->loop, t, DURATION_MS(LOOK_MS));
}

int audit_open(struct loop *l, const char *path, struct audit **out)
{
    struct audit *a = calloc(1, sizeof(*a));
    *out = a;
    if (!a)
        return CS_ENOMEM;
    const struct line_file_conf conf = { .delay = DURATION_MS(DELAY_MS),
                                         .room = ROOM,
                                         .mode = 0640,
                                         .log = &alog,
                                         .what = "the audit log" };
    a->loop = l;
    a->time_of.ms = -1;
    timer_init(&a->midnight, on_midnight);
    int err = line_file_init(&a->file, l, &conf);
    if (!err && path) {
        a->path = strdup(path);
        err = a->path ? line_file_open(&a->file, path) : CS_ENOMEM;
    } else if (!err) {
        line_file_use(&a->file, STDERR_FILENO);
    }
    if (err)
        audit_close(out);
    return err;
}

void audit_close(struct audit **ap)
{
    struct audit *a = *ap;
    *ap = NULL;
    if (!a)
        return;
    timer_stop(a->loop, &a->midnight);
    line_file_close(&a->file);
    free(a->path);
    free(a);
}

void audit_keep(struct audit *a, struct duration keep)
{
    struct stat st;
    if (!a->path || keep.ms == 0 || fstat(a->file.fd, &st))
        return;
    a->keep = keep;
    /* What stands in it already was written on the day of its last line. */
    a->day = audit_day(st.st_size ? (struct wall){ (int64_t)st.st_mtim.tv_sec * 1000 }
                                  : loop_wall(a->loop));
    on_midnight(&a->midnight);
    if (audit_days_forget(a->path, loop_wall(a->loop), keep))
        log_warn(&alog, "audit logs older than audit.keep cannot be removed");
}

int audit_reopen(struct audit *a)
{
    return a->path ? line_file_open(&a->file, a->path) : 0;
}

static void text(struct buf *b, const char *key, struct span value)
{
    buf_put(b, span_str(key));
    if (!value.p) {
        buf_lit(b, "null");
        return;
    }
    buf_putc(b, '"');
    buf_json(b, value);
    buf_putc(b, '"');
}

static void number(struct buf *b, const char *key, int64_t value)
{
    buf_put(b, span_str(key));
    buf_i64(b, value);
}

static void boolean(struct buf *b, const char *key, bool value)
{
    buf_put(b, span_str(key));
    buf_put(b, value ? SPAN("true") : SPAN("false"));
}

static struct span time_text(struct audit *a, struct wall t)
{
    if (a->time_of.ms != t.ms)
        wall_format(t, a->time); /* decisions of a turn share it */
    a->time_of = t;
    return span_of(a->time, WALL_STRLEN - 1);
}

/* None of these can be longer than a frame, but each is cut so that a line always fits. */
enum { TEXT_MAX = 512 };

static void write_line(struct audit *a, struct buf *b, const struct decision *d)
{
    const struct facts *f = d->facts;
    char space[ADDR_STRLEN], hex[64];
    struct buf source = BUF_INIT(space), hash = BUF_INIT(hex);
    buf_hex(&hash, f->certificate_sha256.p, CS_MIN(f->certificate_sha256.n, (size_t)32));
    if (f->source.sa.sa_family != AF_UNSPEC)
        addr_write(&source, &f->source);

    text(b, "{\"time\":", time_text(a, d->time));
    text(b, ",\"decision\":", d->id);
    text(b, ",\"verdict\":", decision_kind(d->kind));
    text(b, ",\"cause\":", cause_name(d->cause));
    text(b, ",\"because\":", d->because ? cause_name(d->because) : SPAN_NULL);
    number(b, ",\"status\":", d->status);
    text(b, ",\"group\":", d->group);
    text(b, ",\"trunk\":", span_head(d->trunk, TEXT_MAX));
    text(b, ",\"method\":", span_head(f->method, TEXT_MAX));
    text(b, ",\"user\":", span_head(d->user, TEXT_MAX));
    text(b, ",\"realm\":", span_head(d->realm, TEXT_MAX));
    text(b, ",\"aor\":", span_head(f->is_register ? f->to_aor : f->target_aor, TEXT_MAX));
    text(b, ",\"from\":", span_head(f->from_aor, TEXT_MAX));
    text(b, ",\"source\":", source.n ? buf_span(&source) : SPAN_NULL);
    text(b, ",\"country\":", f->country[0] ? span_str(f->country) : SPAN_NULL);
    text(b, ",\"transport\":", facts_transport(f->transport));
    text(b, ",\"listener\":", span_head(f->listener, TEXT_MAX));
    text(b, ",\"call_id\":", span_head(f->call_id, TEXT_MAX));
    text(b, ",\"user_agent\":", span_head(f->user_agent, TEXT_MAX));
    boolean(b, ",\"in_dialog\":", f->in_dialog);
    text(b, ",\"algorithm\":", d->algorithm);
    text(b, ",\"issuer\":", d->issuer);
    text(b, ",\"certificate\":", f->certificate_sha256.n == 32 ? buf_span(&hash) : SPAN_NULL);
    text(b, ",\"subject\":", span_head(f->certificate_subject, TEXT_MAX));
    text(b, ",\"device\":", d->device);
    boolean(b, ",\"fallback_blocked\":", d->fallback_blocked);
    text(b, ",\"revoked\":", d->revoked);
    text(b, ",\"limit\":", d->limit);
    boolean(b, ",\"stale\":", d->stale);
    boolean(b, ",\"uri_differs\":", d->uri_differs);
    text(b, ",\"single_challenge\":", d->pattern);
    number(b, ",\"leased\":", d->leased);
    number(b, ",\"latency_us\":", d->latency_us);
    buf_lit(b, "}\n");
}

static void write_ban(struct audit *a, struct buf *b, struct wall now, const char *what,
                      const struct ban *ban)
{
    char source[ADDR_STRLEN], until[WALL_STRLEN], id[BAN_ID_LEN + 1];
    struct buf s = BUF_INIT(source);
    ban_write_source(&s, ban);
    ban_id(ban, id);
    wall_format(ban->until, until);
    text(b, "{\"time\":", time_text(a, now));
    text(b, ",\"event\":", span_str(what));
    text(b, ",\"ban\":", span_str(id));
    text(b, ",\"source\":", buf_span(&s));
    text(b, ",\"user\":", ban->user);
    text(b, ",\"class\":", ban->class_);
    text(b, ",\"reason\":", ban->reason);
    text(b, ",\"until\":", span_str(until));
    buf_lit(b, "}\n");
}

static void write_deed(struct audit *a, struct buf *b, const struct deed *c)
{
    text(b, "{\"time\":", time_text(a, c->time));
    buf_lit(b, ",\"decision\":null,\"verdict\":null,\"cause\":null");
    text(b, ",\"change\":", c->what);
    text(b, ",\"by\":", c->by);
    text(b, ",\"user\":", span_head(c->user, TEXT_MAX));
    text(b, ",\"realm\":", span_head(c->realm, TEXT_MAX));
    text(b, ",\"target\":", span_head(c->target, TEXT_MAX));
    text(b, ",\"note\":", span_head(c->note, TEXT_MAX));
    buf_lit(b, "}\n");
}

static void write_alarm(struct audit *a, struct buf *b, const struct alarm *m)
{
    char space[ADDR_STRLEN];
    struct buf source = BUF_INIT(space);
    if (m->source)
        addr_write(&source, m->source);
    text(b, "{\"time\":", time_text(a, m->time));
    buf_lit(b, ",\"decision\":null,\"verdict\":null,\"cause\":null");
    text(b, ",\"alarm\":", m->what);
    text(b, ",\"group\":", m->group);
    text(b, ",\"user\":", span_head(m->user, TEXT_MAX));
    text(b, ",\"realm\":", span_head(m->realm, TEXT_MAX));
    text(b, ",\"source\":", source.n ? buf_span(&source) : SPAN_NULL);
    text(b, ",\"target\":", span_head(m->target, TEXT_MAX));
    text(b, ",\"note\":", span_head(m->note, TEXT_MAX));
    buf_lit(b, "}\n");
}

/* As it stands in the log: text is what it will point to. */
static void put_line(struct audit *a, struct audit_line *line, struct wall time, const char *event)
{
    struct buf b;
    bool kept = false;
    for (unsigned tries = 0; tries < 2 && !kept; tries++) {
        b = line_file_begin(&a->file);
        if (line->decision)
            write_line(a, &b, line->decision);
        else if (line->deed)
            write_deed(a, &b, line->deed);
        else if (line->ban)
            write_ban(a, &b, time, event, line->ban);
        else if (line->alarm)
            write_alarm(a, &b, line->alarm);
        kept = line_file_keep(&a->file, &b);
    }
    if (!kept)
        return;
    line->text = span_of(b.p, b.n - 1);
    if (a->follow)
        a->follow(a->follow_arg, line);
}

void audit_write(struct audit *a, const struct decision *d)
{
    struct audit_line line = { .decision = d };
    put_line(a, &line, d->time, NULL);
}

void audit_deed(struct audit *a, const struct deed *d)
{
    struct audit_line line = { .deed = d };
    put_line(a, &line, d->time, NULL);
}

void audit_alarm(struct audit *a, const struct alarm *alarm)
{
    struct audit_line line = { .alarm = alarm };
    put_line(a, &line, alarm->time, NULL);
}

void audit_ban(struct audit *a, struct wall time, const char *what, const struct ban *ban)
{
    struct audit_line line = { .ban = ban };
    put_line(a, &line, time, what);
}

void audit_follow(struct audit *a, audit_follow_fn *fn, void *arg)
{
    a->follow = fn;
    a->follow_arg = arg;
}
