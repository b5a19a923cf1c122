#include "base/log.h"

#include <unistd.h>

#include "base/clock.h"

enum { LONGEST_LINE = 8192, VALUE_MAX = 512 };

static enum log_level threshold = LOG_INFO;
static enum log_format format = LOG_TEXT;

static const struct span names[] = { SPAN_INIT("debug"), SPAN_INIT("info"), SPAN_INIT("warn"),
                                     SPAN_INIT("error") };

void log_setup(enum log_level level, enum log_format f)
{
    threshold = level;
    format = f;
}

enum log_level log_level(void)
{
    return threshold;
}

struct kv kv_err(int err)
{
    return kv_str("error", cs_strerror(err));
}

/* As much of a stranger's text as is VALUE_MAX bytes long when escaped: one value must neither fill
 * the disk nor crowd the other fields out of the line. */
static struct span printable_head(struct span s)
{
    size_t cost = 0, n = 0;
    for (; n < s.n; n++) {
        unsigned char c = (unsigned char)s.p[n];
        cost += c < 0x20 || c == 0x7f ? 6 : c >= 0x80 ? 3 : c == '"' || c == '\\' ? 2 : 1;
        if (cost > VALUE_MAX)
            break;
    }
    return span_head(s, n);
}

static void write_value(struct buf *b, const struct kv *f)
{
    switch (f->kind) {
    case KV_U64:
        buf_u64(b, f->u);
        return;
    case KV_I64:
        buf_i64(b, f->i);
        return;
    case KV_BOOL:
        buf_put(b, f->u ? SPAN("true") : SPAN("false"));
        return;
    case KV_ADDR:
        buf_putc(b, '"');
        addr_write(b, f->a);
        buf_putc(b, '"');
        return;
    case KV_SPAN:
        if (!f->s.p) {
            buf_lit(b, "null");
            return;
        }
        buf_putc(b, '"');
        buf_json(b, printable_head(f->s));
        buf_putc(b, '"');
        return;
    }
}

static void write_fields(struct buf *b, const struct kv *f)
{
    for (; f->key; f++) {
        if (format == LOG_JSON) {
            buf_lit(b, ",\"");
            buf_put(b, span_str(f->key));
            buf_lit(b, "\":");
        } else {
            buf_putc(b, ' ');
            buf_put(b, span_str(f->key));
            buf_putc(b, '=');
        }
        write_value(b, f);
    }
}

void log_write(enum log_level level, const struct log *log, const char *message,
               const struct kv *fields)
{
    char line[LONGEST_LINE], stamp[WALL_STRLEN];
    struct buf b = buf_of(line, sizeof(line) - 3);
    wall_format(clock_wall(), stamp);
    if (format == LOG_JSON) {
        buf_lit(&b, "{\"time\":\"");
        buf_put(&b, span_str(stamp));
        buf_lit(&b, "\",\"level\":\"");
        buf_put(&b, names[level]);
        buf_lit(&b, "\",\"module\":\"");
        buf_put(&b, span_str(log && log->module ? log->module : "main"));
        buf_lit(&b, "\",\"msg\":\"");
        buf_json(&b, span_str(message));
        buf_putc(&b, '"');
    } else {
        buf_put(&b, span_str(stamp));
        buf_putc(&b, ' ');
        buf_put(&b, names[level]);
        buf_putc(&b, ' ');
        buf_put(&b, span_str(log && log->module ? log->module : "main"));
        buf_lit(&b, ": ");
        buf_put(&b, span_str(message));
    }
    if (log)
        write_fields(&b, log->ctx);
    write_fields(&b, fields);
    if (!buf_ok(&b)) { /* a cut line would be broken JSON: say the constant part alone */
        log_write(level, NULL, message, (const struct kv[]){ kv_b("cut", true), { 0 } });
        return;
    }
    b.cap = sizeof(line);
    if (format == LOG_JSON)
        buf_putc(&b, '}');
    buf_putc(&b, '\n');
    ssize_t ignored = write(STDERR_FILENO, b.p, b.n);
    (void)ignored;
}
