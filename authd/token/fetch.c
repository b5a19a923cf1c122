#include "authd/token/fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/list.h"

enum { HEADER_MAX = 16 * 1024, CONNECTIONS_KEPT = 16 };

struct fetcher {
    struct loop *loop;
    CURLM *multi;
    struct timer timer;
    struct list open;
    size_t n_open, max_open;
};

struct fetch {
    struct list link;
    struct fetcher *fetcher;
    CURL *easy;
    struct curl_slist *headers;
    struct secret form;
    fetch_fn *fn;
    void *arg;
    char *body;
    size_t n, cap, max, n_header;
    int64_t max_age_s;
    bool too_large;
    char why[CURL_ERROR_SIZE];
};

/* One for each socket curl wants watched; curl holds the pointer. */
struct watch {
    uv_poll_t poll;
    struct fetcher *fetcher;
    curl_socket_t fd;
};

/* ---- what arrives ---- */

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct fetch *f = arg;
    n *= size;
    if (n > f->max - f->n) {
        f->too_large = true;
        return 0; /* ends the transfer */
    }
    if (n > f->cap - f->n) {
        size_t cap = CS_MIN(f->max, 2 * (f->n + n));
        char *body = realloc(f->body, cap);
        if (!body)
            return 0;
        f->body = body;
        f->cap = cap;
    }
    memcpy(f->body + f->n, data, n);
    f->n += n;
    return n;
}

/* max-age of Cache-Control (RFC 9111, 5.2.2), read loosely: it only moves when we ask again. */
static void read_cache_control(struct fetch *f, struct span value)
{
    while (value.p) {
        struct span word = span_trim(span_cut(&value, ','));
        uint64_t seconds;
        if (span_caseeq(word, SPAN("no-store")) || span_caseeq(word, SPAN("no-cache")))
            f->max_age_s = 0;
        else if (span_casestarts(word, SPAN("max-age=")) && f->max_age_s != 0 &&
                 span_u64(span_skip(word, 8), INT32_MAX, &seconds) == 0)
            f->max_age_s = (int64_t)seconds;
    }
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
    struct fetch *f = arg;
    struct span line = span_of(data, n * size);
    f->n_header += line.n;
    if (f->n_header > HEADER_MAX) {
        f->too_large = true;
        return 0;
    }
    while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == '\n'))
        line.n--;
    if (span_casestarts(line, SPAN("Cache-Control:")))
        read_cache_control(f, span_skip(line, sizeof("Cache-Control:") - 1));
    return n * size;
}

/* ---- the end of one ---- */

static void fetch_free(struct fetch *f)
{
    list_remove(&f->link);
    f->fetcher->n_open--;
    if (f->easy) {
        curl_multi_remove_handle(f->fetcher->multi, f->easy);
        curl_easy_cleanup(f->easy);
    }
    for (struct curl_slist *h = f->headers; h; h = h->next)
        ct_wipe(h->data, strlen(h->data));
    curl_slist_free_all(f->headers);
    secret_fini(&f->form);
    if (f->body)
        ct_wipe(f->body, f->n);
    free(f->body);
    free(f);
}

void fetch_cancel(struct fetch **fp)
{
    if (*fp)
        fetch_free(*fp);
    *fp = NULL;
}

static int error_of(const struct fetch *f, CURLcode code, long status)
{
    if (f->too_large || code == CURLE_FILESIZE_EXCEEDED)
        return CS_ELIMIT;
    if (code == CURLE_OPERATION_TIMEDOUT)
        return CS_ETIMEOUT;
    if (code != CURLE_OK)
        return CS_ECLOSED;
    return status == 200 ? 0 : CS_EPROTO;
}

static void finish(struct fetch *f, CURLcode code)
{
    long status = 0;
    char why[CURL_ERROR_SIZE];
    struct fetch_answer answer = { .max_age_s = f->max_age_s, .why = why };
    curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    answer.status = (unsigned)status;
    answer.err = error_of(f, code, status);
    answer.body = span_of(f->body ? f->body : "", f->n);
    snprintf(why, sizeof(why), "%s",
             f->too_large       ? "the answer is too large"
             : code != CURLE_OK ? f->why[0] ? f->why : curl_easy_strerror(code)
             : status != 200 ? "the status is not 200"
                                : "");
    f->fn(f->arg, &answer);
    fetch_free(f);
}

static void finish_all(struct fetcher *r)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(r->multi, &left));) {
        char *f = NULL;
        if (m->msg == CURLMSG_DONE &&
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &f) == CURLE_OK)
            finish((void *)f, m->data.result);
    }
}

/* ---- sockets and time, for curl ---- */

static void act(struct fetcher *r, curl_socket_t fd, int events)
{
    int running;
    curl_multi_socket_action(r->multi, fd, events, &running);
    finish_all(r);
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct watch *w = container_of(h, struct watch, poll);
    act(w->fetcher, w->fd,
        status < 0 ? CURL_CSELECT_ERR
                   : (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                         (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0));
}

static void on_closed(uv_handle_t *h)
{
    free(container_of((uv_poll_t *)h, struct watch, poll));
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
    struct fetcher *r = arg;
    struct watch *w = of_socket;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        curl_multi_assign(r->multi, fd, NULL);
        if (w)
            uv_close((uv_handle_t *)&w->poll, on_closed);
        return 0;
    }
    if (!w) {
        w = calloc(1, sizeof(*w));
        if (!w)
            return -1;
        w->fetcher = r;
        w->fd = fd;
        if (uv_poll_init(&r->loop->uv, &w->poll, fd)) {
            free(w);
            return -1;
        }
        curl_multi_assign(r->multi, fd, w);
    }
    return uv_poll_start(&w->poll,
                         (what & CURL_POLL_IN ? UV_READABLE : 0) |
                             (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
                         on_poll);
}

static void on_time(struct timer *t)
{
    act(container_of(t, struct fetcher, timer), CURL_SOCKET_TIMEOUT, 0);
}

/* May be called in the midst of curl_multi_add_handle(): nothing is done before a later turn. */
static int on_timer(CURLM *multi, long ms, void *arg)
{
    struct fetcher *r = arg;
    (void)multi;
    if (ms < 0)
        timer_stop(r->loop, &r->timer);
    else
        timer_start(r->loop, &r->timer, DURATION_MS(ms));
    return 0;
}

/* ---- asking ---- */

static int add_header(struct fetch *f, const char *name, struct span value)
{
    char line[4096];
    struct buf b = BUF_INIT(line);
    buf_put(&b, span_str(name));
    buf_put(&b, value);
    buf_putc(&b, '\0');
    struct curl_slist *more = buf_ok(&b) ? curl_slist_append(f->headers, line) : NULL;
    ct_wipe(line, sizeof(line));
    if (!more)
        return CS_ENOMEM;
    f->headers = more;
    return 0;
}

/* Without QUICK_EXIT who gives up would wait for curl's thread to end its search for a name. */
static bool set_up(struct fetch *f, const struct fetch_request *r)
{
    CURL *e = f->easy;
#define SET(option, value) (curl_easy_setopt(e, (option), (value)) == CURLE_OK)
    bool ok = SET(CURLOPT_PRIVATE, f) && SET(CURLOPT_URL, r->url) &&
              SET(CURLOPT_PROTOCOLS_STR, "http,https") && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
              SET(CURLOPT_PROXY, "") && SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
              SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_QUICK_EXIT, 1L) &&
              SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
              SET(CURLOPT_TIMEOUT_MS, (long)r->timeout.ms) && SET(CURLOPT_WRITEFUNCTION, on_body) &&
              SET(CURLOPT_WRITEDATA, f) && SET(CURLOPT_HEADERFUNCTION, on_header) &&
              SET(CURLOPT_HEADERDATA, f) && SET(CURLOPT_ERRORBUFFER, f->why) &&
              SET(CURLOPT_HTTPHEADER, f->headers);
    if (ok && r->ca_file)
        ok = SET(CURLOPT_CAINFO, r->ca_file) && SET(CURLOPT_CAPATH, NULL);
    if (ok && r->certificate_file)
        ok = SET(CURLOPT_SSLCERT, r->certificate_file) && SET(CURLOPT_SSLKEY, r->key_file);
    if (ok && r->form.p)
        ok = SET(CURLOPT_POSTFIELDS, f->form.p) && SET(CURLOPT_POSTFIELDSIZE, (long)f->form.n);
#undef SET
    return ok;
}

int fetch_start(struct fetcher *r, const struct fetch_request *request, fetch_fn *fn, void *arg,
                struct fetch **out)
{
    *out = NULL;
    if (r->n_open >= r->max_open)
        return CS_ELIMIT;
    struct fetch *f = calloc(1, sizeof(*f));
    if (!f)
        return CS_ENOMEM;
    f->fetcher = r;
    f->fn = fn;
    f->arg = arg;
    f->max = request->max;
    f->max_age_s = -1;
    list_push_back(&r->open, &f->link);
    r->n_open++;
    f->easy = curl_easy_init();
    int err = f->easy ? add_header(f, "Accept: ", span_str(request->accept)) : CS_ENOMEM;
    if (!err && request->authorization.p)
        err = add_header(f, "Authorization: ", request->authorization);
    if (!err && request->type)
        err = add_header(f, "Content-Type: ", span_str(request->type));
    if (!err && request->form.p)
        err = secret_set(&f->form, request->form);
    if (!err && (!set_up(f, request) || curl_multi_add_handle(r->multi, f->easy) != CURLM_OK))
        err = CS_ENOMEM;
    if (err)
        fetch_free(f);
    else
        *out = f;
    return err;
}

/* ---- the fetcher ---- */

int fetcher_new(struct loop *l, size_t max_open, struct fetcher **out)
{
    struct fetcher *r = calloc(1, sizeof(*r));
    *out = r;
    if (!r)
        return CS_ENOMEM;
    r->loop = l;
    r->max_open = max_open;
    list_init(&r->open);
    timer_init(&r->timer, on_time);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    r->multi = curl_multi_init();
    if (r->multi) {
        curl_multi_setopt(r->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
        curl_multi_setopt(r->multi, CURLMOPT_SOCKETDATA, r);
        curl_multi_setopt(r->multi, CURLMOPT_TIMERFUNCTION, on_timer);
        curl_multi_setopt(r->multi, CURLMOPT_TIMERDATA, r);
        curl_multi_setopt(r->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CS_MAX(max_open / 4, 1));
        curl_multi_setopt(r->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
        return 0;
    }
    fetcher_close(out);
    return CS_ENOMEM;
}

void fetcher_close(struct fetcher **rp)
{
    struct fetcher *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    list_for_each (it, &r->open)
        fetch_free(container_of(it, struct fetch, link));
    curl_multi_cleanup(r->multi);
    timer_stop(r->loop, &r->timer);
    curl_global_cleanup();
    free(r);
}
