#include "authd/backend/backend.h"

#include <stdlib.h>

#include "authd/token/fetch.h"
#include "base/list.h"
#include "base/log.h"
#include "base/metric.h"

enum { ANSWER_MAX = 32 * 1024 };
enum { ANSWERED, FAILED, SPARED }; /* labels of the metric */

static const struct log blog = { .module = "backend" };

struct backend {
    struct backends *all;
    const struct backend_conf *conf;
    struct secret authorization; /* value of the header; empty: none */
    struct list open;
    size_t n_open;
    unsigned failed;   /* in a row */
    struct mono rests; /* until then it is spared; ns 0: it is asked */
};

struct backends {
    struct loop *loop;
    struct fetcher *fetcher;
    size_t n;
    struct backend list[];
};

struct backend_ask {
    struct list link;
    struct backend *backend;
    struct fetch *fetch;
    backend_fn *fn;
    void *arg;
};

/* ---- one question ---- */

static void ask_free(struct backend_ask *a)
{
    fetch_cancel(&a->fetch);
    list_remove(&a->link);
    a->backend->n_open--;
    free(a);
}

void backend_cancel(struct backend_ask **ap)
{
    if (*ap)
        ask_free(*ap);
    *ap = NULL;
}

static void note_failure(struct backend *b, const struct fetch_answer *a)
{
    metric_inc(M_AUTHD_BACKEND, FAILED);
    if (++b->failed < b->conf->failures)
        return;
    if (b->failed == b->conf->failures)
        log_error(&blog, "a backend gives no answers: its users get 503, and it is spared",
                  kv_s("backend", b->conf->name), kv_u("status", a->status),
                  kv_str("why", a->err ? a->why : "what it says is no answer to the question"));
    b->rests = mono_add(loop_now(b->all->loop), b->conf->pause);
}

static void note_answer(struct backend *b)
{
    metric_inc(M_AUTHD_BACKEND, ANSWERED);
    if (b->failed >= b->conf->failures)
        log_info(&blog, "a backend answers again", kv_s("backend", b->conf->name));
    b->failed = 0;
    b->rests.ns = 0;
}

static void on_answer(void *arg, const struct fetch_answer *got)
{
    struct backend_ask *ask = arg;
    struct backend *b = ask->backend;
    backend_fn *fn = ask->fn;
    void *fn_arg = ask->arg;
    ask->fetch = NULL;
    ask_free(ask);
    int err = fn(fn_arg, got->err, got->body);
    if (got->err || err)
        note_failure(b, got);
    else
        note_answer(b);
}

/* When its rest is over one question tries whether it is back. */
static int admit(struct backend *b)
{
    if (b->rests.ns && (mono_before(loop_now(b->all->loop), b->rests) || b->n_open)) {
        metric_inc(M_AUTHD_BACKEND, SPARED);
        return CS_ECLOSED;
    }
    return b->n_open < b->conf->max_open ? 0 : CS_ELIMIT;
}

static struct backend *find(struct backends *all, const struct backend_conf *which)
{
    size_t i = 0;
    while (all->list[i].conf != which)
        i++;
    return &all->list[i];
}

int backend_ask(struct backends *all, const struct backend_conf *which, struct span json,
                backend_fn *fn, void *arg, struct backend_ask **out)
{
    struct backend *b = find(all, which);
    *out = NULL;
    int err = admit(b);
    if (err)
        return err;
    struct backend_ask *a = calloc(1, sizeof(*a));
    if (!a)
        return CS_ENOMEM;
    a->backend = b;
    a->fn = fn;
    a->arg = arg;
    list_push_back(&b->open, &a->link);
    b->n_open++;
    const struct fetch_request request = {
        .url = b->conf->url.p,
        .ca_file = b->conf->ca_file,
        .certificate_file = b->conf->certificate_file,
        .key_file = b->conf->key_file,
        .accept = "application/json",
        .type = "application/json",
        .form = json,
        .authorization = secret_span(&b->authorization),
        .max = ANSWER_MAX,
        .timeout = b->conf->timeout,
    };
    err = fetch_start(all->fetcher, &request, on_answer, a, &a->fetch);
    if (err)
        ask_free(a);
    else
        *out = a;
    return err;
}

/* ---- all of them ---- */

static int read_secret(struct backend *b)
{
    struct secret secret = { 0 };
    char text[1024];
    struct buf value = BUF_INIT(text);
    int err = b->conf->secret_file ? secret_read_file(&secret, b->conf->secret_file) : CS_ENOENT;
    if (err == CS_ENOENT && !b->conf->secret_file)
        return 0;
    buf_lit(&value, "Bearer ");
    buf_put(&value, span_trim(secret_span(&secret)));
    if (!err)
        err = buf_ok(&value) ? secret_set(&b->authorization, buf_span(&value)) : CS_ELIMIT;
    if (err)
        log_error(&blog, "cannot use the secret of a backend", kv_s("backend", b->conf->name),
                  kv_str("file", b->conf->secret_file), kv_err(err));
    secret_fini(&secret);
    ct_wipe(text, sizeof(text));
    return err;
}

int backends_new(struct loop *l, const struct backend_conf *conf, size_t n, struct backends **out)
{
    size_t open = 0;
    int err = 0;
    struct backends *all = calloc(1, sizeof(*all) + n * sizeof(all->list[0]));
    *out = all;
    if (!all)
        return CS_ENOMEM;
    all->loop = l;
    for (; all->n < n; all->n++) {
        struct backend *b = &all->list[all->n];
        b->all = all;
        b->conf = &conf[all->n];
        list_init(&b->open);
        open += b->conf->max_open;
        err = err ? err : read_secret(b);
    }
    if (!err)
        err = fetcher_new(l, open, &all->fetcher);
    if (err)
        backends_free(out);
    return err;
}

void backends_free(struct backends **ap)
{
    struct backends *all = *ap;
    *ap = NULL;
    if (!all)
        return;
    for (size_t i = 0; i < all->n; i++) {
        struct backend *b = &all->list[i];
        list_for_each (it, &b->open)
            ask_free(container_of(it, struct backend_ask, link));
        secret_fini(&b->authorization);
    }
    if (all->fetcher)
        fetcher_close(&all->fetcher);
    free(all);
}
