#include "registrar/status.h"

#include "base/metric.h"
#include "certs/certs_http.h"
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
    health_metrics(r, METRIC_PROCESS | METRIC_SIP | METRIC_TLS | METRIC_HOPS | METRIC_GATE |
                          METRIC_REDIS | METRIC_REGISTRAR);
}

static void post_reload(struct http_req *r, void *arg)
{
    certs_answer(((struct front *)arg)->certs, r);
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
