#include "registrar/status.h"

#include "base/metric.h"
#include "http/health.h"

/* Ready when it can answer a REGISTER with something else than 503. */
static void get_ready(struct http_req *r, void *arg)
{
    const struct front *f = arg;
    bool gate = gate_is_ready(f->gate), redis = redis_is_ready(f->redis);
    bool ready = front_is_ready(f);
    http_reply_json(r, ready ? 200 : 503,
                    json_pack("{s:s, s:b, s:b, s:b}", "status", ready ? "ready" : "not ready",
                              "authd", gate, "redis", redis, "draining", f->draining));
}

static void get_metrics(struct http_req *r, void *arg)
{
    (void)arg;
    health_metrics(r, METRIC_PROCESS | METRIC_SIP | METRIC_GATE | METRIC_REDIS | METRIC_REGISTRAR);
}

static json_t *json_time(struct wall t)
{
    char text[WALL_STRLEN];
    if (!t.ms)
        return json_null();
    wall_format(t, text);
    return json_string(text);
}

/* Looks whether certificates changed, as is done anyway when the system tells of it: who asks can
 * do no more than that. */
static void post_reload(struct http_req *r, void *arg)
{
    struct front *f = arg;
    struct cert_state s;
    bool refused = false, read = certs_look(f->certs);
    json_t *all = json_array();
    for (size_t i = 0; certs_state(f->certs, i, &s); i++) {
        refused |= s.refused;
        json_array_append_new(all,
                              json_pack("{s:s%, s:o, s:o, s:b}", "listener", s.name.p, s.name.n,
                                        "expires", json_time(s.expiry.certificate), "crl_expires",
                                        json_time(s.expiry.crl), "refused", s.refused));
    }
    http_reply_json(r, refused ? 409 : 200,
                    json_pack("{s:b, s:o}", "read", read, "certificates", all));
}

int status_open(struct front *f, struct httpd **out)
{
    static const struct http_route routes[] = {
        { "GET", "/healthz", health_alive, HTTP_PUBLIC },
        { "GET", "/readyz", get_ready, HTTP_PUBLIC },
        { "GET", "/metrics", get_metrics, HTTP_PUBLIC },
        { "POST", "/reload", post_reload, HTTP_PUBLIC },
        { NULL },
    };
    struct httpd_conf conf = { .listen = f->conf->http.listen };
    if (f->worker > 1)
        addr_set_port(&conf.listen, (uint16_t)(addr_port(&conf.listen) + f->worker - 1));
    return httpd_open(f->loop, &conf, routes, f, out);
}
