#include "registrar/status.h"

#include "base/metric.h"

enum { METRICS_MAX = 128 * 1024 };

static void get_health(struct http_req *r, void *arg)
{
    (void)arg;
    http_reply_json(r, 200, json_pack("{s:s}", "status", "ok"));
}

/* Ready when it can answer a REGISTER with something else than 503. */
static void get_ready(struct http_req *r, void *arg)
{
    const struct front *f = arg;
    bool gate = gate_is_ready(f->gate), redis = redis_is_ready(f->redis);
    http_reply_json(r, gate && redis ? 200 : 503,
                    json_pack("{s:s, s:b, s:b}", "status", gate && redis ? "ready" : "not ready",
                              "authd", gate, "redis", redis));
}

static void get_metrics(struct http_req *r, void *arg)
{
    char *text = arena_alloc(http_arena(r), METRICS_MAX);
    struct buf b = buf_of(text, text ? METRICS_MAX : 0);
    (void)arg;
    metric_write(&b, METRIC_PROCESS | METRIC_SIP | METRIC_GATE | METRIC_REDIS | METRIC_REGISTRAR);
    if (buf_ok(&b))
        http_reply_text(r, 200, "application/openmetrics-text; version=1.0.0; charset=utf-8",
                        buf_span(&b));
    else
        http_problem(r, 500, "internal", "Metrics cannot be shown", "Out of memory.");
}

int status_open(struct front *f, struct httpd **out)
{
    static const struct http_route routes[] = {
        { "GET", "/healthz", get_health, HTTP_PUBLIC },
        { "GET", "/readyz", get_ready, HTTP_PUBLIC },
        { "GET", "/metrics", get_metrics, HTTP_PUBLIC },
        { NULL },
    };
    struct httpd_conf conf = { .listen = f->conf->http.listen };
    return httpd_open(f->loop, &conf, routes, f, out);
}
