#include "authd/rest/access.h"

#include "base/ct.h"
#include "base/log.h"

static const struct log lg = { .module = "rest" };

static int failed(const char *message, const char *file, unsigned line, int err, struct span why)
{
    log_error(&lg, message, kv_str("file", file), kv_u("line", line),
              kv_s("reason", why.n ? why : span_str(cs_strerror(err))));
    return err;
}

/* table: lines of names and roles; else one token, the administrator's. */
static int add_file(struct bearers *b, const char *file, bool table)
{
    char reason[128];
    struct buf why = BUF_INIT(reason);
    struct secret text = { 0 };
    unsigned line = 1;
    int err = secret_read_file(&text, file);
    if (err == CS_EDENIED)
        buf_lit(&why, "everybody may read it; make other tokens, and chmod 600");
    if (!err && table)
        err = bearers_parse(b, secret_span(&text), &why, &line);
    else if (!err)
        err = bearers_add(b, SPAN("admin"), HTTP_ADMINISTER, secret_span(&text), &why);
    secret_fini(&text);
    return err ? failed("cannot use the tokens of operators", file, line, err, buf_span(&why)) : 0;
}

int access_open(const struct authd_conf *conf, struct access *out)
{
    const struct http_tls_conf *tls = conf->http.tls;
    int err = 0;
    *out = (struct access){ 0 };
    if (conf->http.admin_token_file)
        err = add_file(&out->bearers, conf->http.admin_token_file, false);
    if (!err && conf->http.tokens_file)
        err = add_file(&out->bearers, conf->http.tokens_file, true);
    if (err || !tls)
        return err;
    const struct tls_conf server = { .role = TLS_SERVER,
                                     .certificate_file = tls->certificate_file,
                                     .key_file = tls->key_file,
                                     .ca_file = tls->client_ca_file,
                                     .require_certificate = tls->client_ca_file != NULL };
    return tls_context_new(&server, &out->tls);
}

int access_reload(const struct authd_conf *conf, struct access *a)
{
    struct access now;
    int err = access_open(conf, &now);
    if (err) {
        access_close(&now);
        return err;
    }
    access_close(a);
    *a = now;
    return 0;
}

void access_close(struct access *a)
{
    bearers_fini(&a->bearers);
    if (a->tls)
        tls_context_unref(&a->tls);
}
