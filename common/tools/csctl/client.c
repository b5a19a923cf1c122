#include <curl/curl.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/ct.h"
#include "csctl.h"

enum { CONNECT_TIMEOUT_S = 5, TIMEOUT_S = 60, ANSWER_MAX = 64 * 1024 * 1024 };

struct client {
    CURL *curl;
    char *url; /* without a slash at the end */
    struct curl_slist *headers;
    char error[CURL_ERROR_SIZE];
    char *answer;
    size_t n, cap;
    char etag[128]; /* of the last answer; "": it had none */
    bool quiet;
};

/* The token must not cross a network in clear. */
static bool may_carry_token(const char *url)
{
    char *scheme = NULL, *host = NULL;
    struct addr addr;
    CURLU *u = curl_url();
    bool ok = u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
              curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
              curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    if (ok && span_eq(span_str(scheme), SPAN("http"))) {
        struct span h = span_str(host);
        ok = span_caseeq(h, SPAN("localhost")) ||
             (addr_parse_host(h, 0, &addr) == 0 && addr_is_loopback(&addr));
    }
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(u);
    return ok;
}

static int add_header(struct client *c, const char *text)
{
    struct curl_slist *more = curl_slist_append(c->headers, text);
    if (!more)
        return -1;
    c->headers = more;
    return 0;
}

static int add_token(struct client *c, const char *url, const char *file)
{
    struct secret token = { 0 };
    int err = secret_read_file(&token, file);
    if (err) {
        complain("%s: %s", file,
                 err == CS_EDENIED ? "others may read it; chmod 640" : cs_strerror(err));
        return EXIT_USAGE;
    }
    if (!may_carry_token(url)) {
        complain("%s: a token is sent to a loopback address or over https only", url);
        secret_fini(&token);
        return EXIT_USAGE;
    }
    char header[4096];
    struct buf b = BUF_INIT(header);
    buf_lit(&b, "Authorization: Bearer ");
    buf_put(&b, secret_span(&token));
    buf_putc(&b, '\0');
    err = !buf_ok(&b) || add_header(c, header);
    ct_wipe(header, sizeof(header));
    secret_fini(&token);
    if (err)
        complain("%s: too long to be a token", file);
    return err ? EXIT_USAGE : EXIT_OK;
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
    struct client *c = arg;
    n *= size;
    if (c->n + n > ANSWER_MAX)
        return 0;
    if (c->n + n > c->cap) {
        size_t cap = CS_MAX(2 * c->cap, c->n + n);
        char *p = realloc(c->answer, cap);
        if (!p)
            return 0;
        c->answer = p;
        c->cap = cap;
    }
    memcpy(c->answer + c->n, data, n);
    c->n += n;
    return n;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
    struct client *c = arg;
    struct span value = span_of(data, size * n), name = span_cut(&value, ':');
    if (value.p && span_caseeq(name, SPAN("ETag"))) {
        while (value.n && (value.p[value.n - 1] == '\r' || value.p[value.n - 1] == '\n'))
            value.n--;
        value = span_trim(value);
        span_copy(c->etag, sizeof(c->etag), value.n < sizeof(c->etag) ? value : SPAN(""));
    }
    return size * n;
}

int client_new(const char *url, const char *token_file, struct client **out)
{
    struct client *c = calloc(1, sizeof(*c));
    if (!c || curl_global_init(CURL_GLOBAL_DEFAULT) || !(c->curl = curl_easy_init()) ||
        !(c->url = strdup(url))) {
        complain("out of memory");
        client_free(&c);
        return EXIT_USAGE;
    }
    size_t n = strlen(c->url);
    if (n && c->url[n - 1] == '/')
        c->url[n - 1] = '\0';
    int err = token_file ? add_token(c, url, token_file) : EXIT_OK;
    if (!err && (add_header(c, "Content-Type: application/json") || add_header(c, "Expect:")))
        err = EXIT_USAGE;
    if (err) {
        client_free(&c);
        return err;
    }
    curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->headers);
    curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->error);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, c);
    *out = c;
    return EXIT_OK;
}

void client_free(struct client **cp)
{
    struct client *c = *cp;
    if (!c)
        return;
    *cp = NULL;
    for (struct curl_slist *h = c->headers; h; h = h->next)
        ct_wipe(h->data, strlen(h->data));
    curl_slist_free_all(c->headers);
    curl_easy_cleanup(c->curl);
    curl_global_cleanup();
    free(c->url);
    free(c->answer);
    free(c);
}

int client_if_match(struct client *c)
{
    char header[160];
    snprintf(header, sizeof(header), "If-Match: %s", c->etag);
    return c->etag[0] ? add_header(c, header) : -1;
}

void client_set_timeout(struct client *c, struct duration d)
{
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)d.ms);
}

void client_set_quiet(struct client *c)
{
    c->quiet = true;
}

void client_set_tls(struct client *c, const struct client_tls *tls)
{
    if (tls->ca_file) {
        curl_easy_setopt(c->curl, CURLOPT_CAINFO, tls->ca_file);
        curl_easy_setopt(c->curl, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(c->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c->curl, CURLOPT_SSLCERT, tls->certificate_file);
    curl_easy_setopt(c->curl, CURLOPT_SSLKEY, tls->key_file);
}

void client_escape(struct client *c, struct buf *b, const char *text)
{
    char *escaped = curl_easy_escape(c->curl, text, 0);
    buf_put(b, span_str(escaped ? escaped : ""));
    curl_free(escaped);
}

/* url + fmt with each %s escaped. */
static bool write_url(struct client *c, struct buf *b, const char *fmt, va_list ap)
{
    buf_put(b, span_str(c->url));
    for (; *fmt; fmt++) {
        if (fmt[0] != '%' || fmt[1] != 's') {
            buf_putc(b, *fmt);
            continue;
        }
        client_escape(c, b, va_arg(ap, const char *));
        fmt++;
    }
    buf_putc(b, '\0');
    return buf_ok(b);
}

int client_call(struct client *c, const char *method, json_t *body, unsigned *status, json_t **out,
                const char *fmt, ...)
{
    char url[8192];
    struct buf b = BUF_INIT(url);
    va_list ap;
    va_start(ap, fmt);
    bool ok = write_url(c, &b, fmt, ap);
    va_end(ap);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (!ok || (body && !text)) {
        complain("the request is too long");
        free(text);
        return EXIT_USAGE;
    }
    c->n = 0;
    c->etag[0] = '\0';
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
    if (text) {
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(text));
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, text);
    }
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->headers);
    c->error[0] = '\0';
    CURLcode err = curl_easy_perform(c->curl);
    long code = 0;
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &code);
    if (text)
        ct_wipe(text, strlen(text));
    free(text);
    if (err) {
        if (!c->quiet)
            complain("%s: %s", c->url, c->error[0] ? c->error : curl_easy_strerror(err));
        return EXIT_UNREACHABLE;
    }
    *status = (unsigned)code;
    *out = json_loadb(c->n ? c->answer : "", c->n, 0, NULL);
    return EXIT_OK;
}

/* ---- what does not end ---- */

struct follow {
    struct client *client;
    bool (*fn)(void *arg, struct span piece);
    void *arg;
    bool stopped;
};

static size_t on_piece(char *data, size_t size, size_t n, void *arg)
{
    struct follow *f = arg;
    long status = 0;
    curl_easy_getinfo(f->client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) /* a problem document, which ends */
        return on_data(data, size, n, f->client);
    f->stopped = !f->fn(f->arg, span_of(data, size * n));
    return f->stopped ? 0 : size * n;
}

static int refused(struct client *c, long status)
{
    char text[1024];
    json_t *problem = json_loadb(c->n ? c->answer : "", c->n, 0, NULL);
    complain("%s (%ld)", problem_text(problem, text, sizeof(text)), status);
    json_decref(problem);
    return EXIT_REFUSED;
}

int client_follow(struct client *c, const char *path, const char *last_id,
                  bool (*fn)(void *arg, struct span piece), void *arg, const char **why)
{
    enum { SILENCE_S = 45 }; /* authd says something every fifteen */
    struct follow f = { .client = c, .fn = fn, .arg = arg };
    char url[4096], id[128];
    long status = 0;
    *why = "out of memory";
    snprintf(url, sizeof(url), "%s%s", c->url, path);
    snprintf(id, sizeof(id), "Last-Event-ID: %s", last_id);
    struct curl_slist *with_id = *last_id ? curl_slist_append(NULL, id) : NULL;
    if (*last_id && !with_id)
        return EXIT_UNREACHABLE;
    if (with_id)
        with_id->next = c->headers; /* borrowed for this request */
    c->n = 0;
    c->error[0] = '\0';
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, "GET");
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, 0L);
    curl_easy_setopt(c->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c->curl, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_S);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, with_id ? with_id : c->headers);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_piece);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &f);
    CURLcode err = curl_easy_perform(c->curl);
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->headers);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
    if (with_id) {
        with_id->next = NULL;
        curl_slist_free_all(with_id);
    }
    if (f.stopped)
        return EXIT_OK;
    if (!err && status != 200 && status != 503)
        return refused(c, status);
    if (!err && status == 503) {
        json_t *problem = json_loadb(c->n ? c->answer : "", c->n, 0, NULL);
        problem_text(problem, c->error, sizeof(c->error));
        json_decref(problem);
    }
    *why = c->error[0] ? c->error : err ? curl_easy_strerror(err) : "authd ended the stream";
    return EXIT_UNREACHABLE;
}

const char *problem_text(const json_t *problem, char *text, size_t size)
{
    const char *title = json_string_value(json_object_get(problem, "title"));
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    snprintf(text, size, "%s: %s", title ? title : "Refused", detail ? detail : "no reason given");
    return text;
}

int ctl_answer(struct ctl *c, unsigned status, json_t *answer, json_t **out)
{
    char text[1024];
    if (status / 100 == 2) {
        *out = answer;
        return EXIT_OK;
    }
    if (c->json && answer)
        print_json(answer);
    complain("%s (%u)", problem_text(answer, text, sizeof(text)), status);
    if (status == 401)
        complain("give a token with --token-file or CSCTL_TOKEN_FILE");
    json_decref(answer);
    return status == 503 ? EXIT_UNREACHABLE : EXIT_REFUSED;
}

int ctl_call(struct ctl *c, const char *method, json_t *body, json_t **out, const char *path,
             const char *arg)
{
    unsigned status = 0;
    json_t *answer = NULL;
    int err = client_call(c->client, method, body, &status, &answer, path, arg, c->realm);
    return err ? err : ctl_answer(c, status, answer, out);
}

int ctl_change(struct ctl *c, const char *shown, const char *method, json_t *body, json_t **out,
               const char *path, const char *arg)
{
    unsigned status = 0;
    json_t *answer = NULL;
    json_t *again = json_incref(body);
    int err = client_call(c->client, method, body, &status, &answer, path, arg, c->realm);
    if (!err && status == 428) {
        json_decref(answer);
        answer = NULL;
        err = client_call(c->client, "GET", NULL, &status, &answer, shown, arg, c->realm);
        if (!err && status == 200 && client_if_match(c->client) == 0) {
            json_decref(answer);
            answer = NULL;
            err = client_call(c->client, method, json_incref(again), &status, &answer, path, arg,
                              c->realm);
        }
    }
    json_decref(again);
    return err ? err : ctl_answer(c, status, answer, out);
}
