#include "b2bua/call/journal.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"

enum {
    LINE_MAX_BYTES = 32768,
    GROWTH = 1 << 20,    /* bytes that are no longer true, before it is written anew */
    CSEQ_LEAP = 1 << 20, /* beyond what the one before may have sent since */
};

#define LATER DURATION_S(1)

static const struct log journal_log = { .module = "journal" };

struct journal_line {
    struct list link;
    uint64_t id;
    char *text;
};

struct journal {
    struct loop *loop;
    struct turn turn;   /* what is in the buffer of file is written */
    struct timer timer; /* the same, where only ends are there */
    char *path;
    FILE *file;
    struct list lines; /* of dialogs that stand */
    uint64_t last_id;
    size_t written, live;
};

static void forget(struct journal *j, struct journal_line *l)
{
    j->live -= strlen(l->text);
    list_remove(&l->link);
    free(l->text);
    free(l);
}

void journal_close(struct journal **jp)
{
    struct journal *j = *jp;
    *jp = NULL;
    if (!j)
        return;
    turn_cancel(&j->turn);
    timer_stop(j->loop, &j->timer);
    while (!list_empty(&j->lines))
        forget(j, container_of(j->lines.next, struct journal_line, link));
    if (j->file)
        fclose(j->file);
    free(j->path);
    free(j);
}

/* What is lost here is there again when the file is written anew. */
static void flush(struct journal *j)
{
    timer_stop(j->loop, &j->timer);
    if (fflush(j->file))
        log_error(&journal_log, "dialogs could not be noted", kv_str("file", j->path),
                  kv_err(-errno));
}

static void on_turn(struct turn *t)
{
    flush(container_of(t, struct journal, turn));
}

static void on_timer(struct timer *t)
{
    flush(container_of(t, struct journal, timer));
}

static void put(struct journal *j, const char *text)
{
    j->written += fwrite(text, 1, strlen(text), j->file);
}

static struct journal_line *keep(struct journal *j, uint64_t id, const char *text)
{
    struct journal_line *l = calloc(1, sizeof(*l));
    if (l)
        l->text = strdup(text);
    if (!l || !l->text) {
        free(l);
        return NULL;
    }
    l->id = id;
    j->live += strlen(text);
    list_push_back(&j->lines, &l->link);
    return l;
}

/* Beside it, and then in its place. */
static int write_anew(struct journal *j)
{
    char beside[4096];
    int n = snprintf(beside, sizeof(beside), "%s.new", j->path);
    FILE *f = n < (int)sizeof(beside) ? fopen(beside, "we") : NULL;
    bool good = f;
    list_for_each (it, &j->lines)
        good = good && fputs(container_of(it, struct journal_line, link)->text, f) >= 0;
    good = good && !fflush(f) && !rename(beside, j->path);
    if (!good) {
        int err = errno ? -errno : CS_ENOMEM;
        if (f)
            fclose(f);
        return err;
    }
    if (j->file)
        fclose(j->file);
    j->file = f;
    j->written = j->live;
    return 0;
}

/* ---- what is noted ---- */

static void put_text(struct buf *b, const char *key, struct span value)
{
    buf_lit(b, ",\"");
    buf_put(b, span_str(key));
    buf_lit(b, "\":\"");
    buf_json(b, value);
    buf_putc(b, '"');
}

static void write_entry(struct buf *b, uint64_t id, const struct journal_entry *e)
{
    const struct dialog *d = e->dialog;
    buf_printf(b, "{\"id\":%llu,\"node\":%u,\"cseq\":%u", (unsigned long long)id, e->node,
               d->local_cseq);
    put_text(b, "call_id", d->call_id);
    put_text(b, "local", d->local);
    put_text(b, "remote", d->remote);
    put_text(b, "local_tag", d->local_tag);
    put_text(b, "remote_tag", d->remote_tag);
    put_text(b, "target", span_str(d->target));
    if (e->trunk.p)
        put_text(b, "trunk", e->trunk);
    buf_lit(b, ",\"routes\":[");
    for (size_t i = 0; i < d->n_routes; i++) {
        buf_put(b, i ? SPAN(",\"") : SPAN("\""));
        buf_json(b, d->routes[i]);
        buf_putc(b, '"');
    }
    buf_lit(b, "]}\n");
    buf_putc(b, 0);
}

struct journal_line *journal_add(struct journal *j, const struct journal_entry *e)
{
    char text[LINE_MAX_BYTES];
    struct buf b = BUF_INIT(text);
    uint64_t id = ++j->last_id;
    write_entry(&b, id, e);
    struct journal_line *l = buf_ok(&b) ? keep(j, id, text) : NULL;
    if (!l)
        log_error(&journal_log, "a dialog could not be kept", kv_s("call_id", e->dialog->call_id));
    else
        put(j, text);
    turn_queue_first(j->loop, &j->turn);
    return l;
}

void journal_remove(struct journal *j, struct journal_line *l)
{
    char text[64];
    snprintf(text, sizeof(text), "{\"id\":%llu}\n", (unsigned long long)l->id);
    forget(j, l);
    if (j->written <= GROWTH + 4 * j->live) {
        put(j, text);
        if (!timer_is_running(&j->timer))
            timer_start(j->loop, &j->timer, LATER);
        return;
    }
    int err = write_anew(j);
    if (err)
        log_error(&journal_log, "cannot be written anew", kv_str("file", j->path), kv_err(err));
}

/* ---- what was left ---- */

static struct span text_of(struct arena *a, const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? arena_dup(a, span_str(s)) : SPAN_NULL;
}

static bool read_dialog(const json_t *o, struct dialog *d)
{
    const json_t *routes = json_object_get(o, "routes");
    const char *target = json_string_value(json_object_get(o, "target"));
    struct sip_uri uri;
    *d = (struct dialog){ 0 };
    arena_init(&d->arena, NULL, 0, 0);
    d->call_id = text_of(&d->arena, o, "call_id");
    d->local = text_of(&d->arena, o, "local");
    d->remote = text_of(&d->arena, o, "remote");
    d->local_tag = text_of(&d->arena, o, "local_tag");
    d->remote_tag = text_of(&d->arena, o, "remote_tag");
    d->target = target && sip_uri_parse(span_str(target), &uri) == 0 ? strdup(target) : NULL;
    d->local_cseq = (uint32_t)json_integer_value(json_object_get(o, "cseq")) + CSEQ_LEAP;
    d->established = true;
    size_t n = json_array_size(routes);
    d->routes = arena_alloc(&d->arena, (n + 1) * sizeof(*d->routes));
    bool good = d->routes && n <= DIALOG_ROUTES_MAX;
    for (size_t i = 0; good && i < n; i++) {
        const char *s = json_string_value(json_array_get(routes, i));
        d->routes[i] = s ? arena_dup(&d->arena, span_str(s)) : SPAN_NULL;
        d->n_routes = i + 1;
        good = d->routes[i].p;
    }
    return good && d->call_id.p && d->local.p && d->remote.p && d->local_tag.p && d->remote_tag.p &&
           d->target;
}

/* Which of them stand. */
static void note_line(struct journal *j, const char *text)
{
    json_t *o = json_loads(text, 0, NULL);
    uint64_t id = (uint64_t)json_integer_value(json_object_get(o, "id"));
    bool begins = json_object_get(o, "call_id");
    j->last_id = CS_MAX(j->last_id, id);
    list_for_each (it, &j->lines) {
        if (container_of(it, struct journal_line, link)->id == id)
            forget(j, container_of(it, struct journal_line, link));
    }
    if (!id)
        log_warn(&journal_log, "a line makes no sense", kv_str("file", j->path));
    else if (begins && !keep(j, id, text))
        log_warn(&journal_log, "no memory for what was left");
    json_decref(o);
}

static void tell_line(const struct journal *j, struct journal_line *l, journal_fn *fn, void *arg)
{
    json_t *o = json_loads(l->text, 0, NULL);
    struct dialog d;
    if (read_dialog(o, &d)) {
        struct journal_entry e = {
            .dialog = &d,
            .trunk = span_str(json_string_value(json_object_get(o, "trunk"))),
            .node = (uint32_t)json_integer_value(json_object_get(o, "node")),
        };
        fn(arg, l, &e);
    } else {
        log_warn(&journal_log, "a dialog makes no sense", kv_str("file", j->path));
        dialog_fini(&d);
    }
    json_decref(o);
}

static int read_all(struct journal *j)
{
    char text[LINE_MAX_BYTES];
    FILE *f = fopen(j->path, "re");
    if (!f)
        return errno == ENOENT ? 0 : -errno;
    while (fgets(text, sizeof(text), f))
        note_line(j, text);
    fclose(f);
    return 0;
}

int journal_open(struct loop *loop, const char *path, journal_fn *fn, void *arg,
                 struct journal **out)
{
    struct journal *j = *out = calloc(1, sizeof(*j));
    if (!j)
        return CS_ENOMEM;
    j->loop = loop;
    turn_init(&j->turn, on_turn);
    timer_init(&j->timer, on_timer);
    list_init(&j->lines);
    j->path = strdup(path);
    int err = j->path ? read_all(j) : CS_ENOMEM;
    if (!err)
        err = write_anew(j);
    if (err) {
        journal_close(out);
        return err;
    }
    list_for_each (it, &j->lines) /* fn may remove it */
        tell_line(j, container_of(it, struct journal_line, link), fn, arg);
    return 0;
}
