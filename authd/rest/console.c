#include "authd/rest/console.h"

#include "authd/check/check.h"
#include "authd/rest/op.h"
#include "http/etag.h"
#include "http/origin.h"

/* Scripts, styles and requests are this server's alone, nobody frames it, nothing is sent by a
 * form. What a phone wrote into a name can therefore load nothing and say nothing to anybody, even
 * if the page were to show it as HTML, which it never does. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri "
    "'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'; connect-src 'self'";

/* And it asks the identity provider, where operators sign in at one. */
static const char *policy_with(const struct sign_in_conf *s, struct arena *a)
{
    enum { MAX = 4096 };
    char *p = s ? arena_alloc(a, MAX) : NULL;
    struct buf b = buf_of(p, p ? MAX : 0);
    buf_put(&b, span_str(policy));
    buf_putc(&b, ' ');
    buf_put(&b, s ? origin_of(s->issuer->issuer) : SPAN_NULL);
    for (size_t i = 0; s && i < s->n_connect; i++) {
        buf_putc(&b, ' ');
        buf_put(&b, s->connect[i]);
    }
    buf_putc(&b, '\0');
    return p && buf_ok(&b) ? p : policy;
}

static void not_there(struct http_req *req)
{
    http_problem(req, 404, "no-such-path", "Not found", "There is nothing at this path.");
}

static void serve(struct http_req *req, const struct sign_in_conf *s, const struct asset *f)
{
    bool same = false;
    const struct span wanted = http_header(req, "If-None-Match");
    http_reply_header(req, "ETag", f->tag);
    http_reply_header(req, "Cache-Control", "no-cache"); /* kept, and asked for anew each time */
    http_reply_header(req, "Content-Security-Policy", policy_with(s, http_arena(req)));
    http_reply_header(req, "Referrer-Policy", "no-referrer");
    http_reply_header(req, "Cross-Origin-Opener-Policy", "same-origin");
    http_reply_header(req, "Cross-Origin-Resource-Policy", "same-origin");
    if (wanted.p && etag_match(wanted, span_str(f->tag), &same) == 0 && same)
        http_reply_text(req, 304, f->type, SPAN(""));
    else
        http_reply_text(req, 200, f->type, span_of((const char *)f->data, f->n));
}

void rest_console(struct http_req *req, void *arg)
{
    const struct rest *rest = arg;
    const struct span name = http_param(req, "file");
    const struct asset *f =
        rest->conf.console ? asset_find(console_assets, name.p ? name : SPAN("")) : NULL;
    if (f)
        serve(req, rest->conf.checker->conf->http.sign_in, f);
    else
        not_there(req);
}

/* Without the slash the names in the page would mean files beside it. */
void rest_console_slash(struct http_req *req, void *arg)
{
    const struct rest *rest = arg;
    if (!rest->conf.console) {
        not_there(req);
        return;
    }
    http_reply_header(req, "Location", "/console/");
    http_reply_text(req, 308, "text/plain", SPAN(""));
}
