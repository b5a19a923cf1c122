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

/* ---- what authd is told ---- */

static char *describe(void *arg)
{
    const struct front *f = arg;
    int64_t flows = 0;
    for (unsigned i = 0; i < 5; i++) /* udp, tcp, tls, ws, wss: of phones, and not the links */
        flows += metric_get(M_SIP_FLOWS, i);
    json_t *j = json_pack("{s:o, s:b, s:I}", "since",
                          http_time((struct wall){ metric_get(M_PROCESS_START, 0) * 1000 }),
                          "draining", f->draining, "flows", (json_int_t)flows);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    return text;
}

void status_summarize(struct front *f)
{
    static const struct gate_count counts[] = {
        { "register.accepted", M_REG_REGISTERS, 0 },
        { "register.challenged", M_REG_REGISTERS, 1 },
        { "register.refused", M_REG_REGISTERS, 2 },
        { "register.unavailable", M_REG_REGISTERS, 3 },
        { "invite.accepted", M_REG_INVITES, 0 },
        { "invite.challenged", M_REG_INVITES, 1 },
        { "invite.refused", M_REG_INVITES, 2 },
        { "invite.unavailable", M_REG_INVITES, 3 },
        { "early_media.180", M_REG_EARLY_MEDIA, 0 },
        { "early_media.183", M_REG_EARLY_MEDIA, 1 },
        { "early_media.other", M_REG_EARLY_MEDIA, 2 },
        { NULL },
    };
    static struct gate_summary summary = { .counts = counts,
                                           .times = "register_us",
                                           .histogram = M_REG_REGISTER_SECONDS,
                                           .state = describe };
    summary.arg = f;
    gate_summarize(f->gate, &summary);
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
