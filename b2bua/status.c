#include "b2bua/status.h"

#include <stdlib.h>

#include "b2bua/call/call_impl.h"
#include "b2bua/trunk/trunk_test.h"
#include "base/metric.h"
#include "certs/certs_http.h"
#include "http/health.h"

static void get_ready(struct http_req *r, void *arg)
{
    const struct ua *u = arg;
    bool gate = gate_is_ready(u->gate), ready = gate && !u->draining;
    http_reply_json(r, ready ? 200 : 503,
                    json_pack("{s:s, s:b, s:b, s:I}", "status", ready ? "ready" : "not ready",
                              "authd", gate, "draining", u->draining, "calls",
                              (json_int_t)u->n_calls));
}

static void get_metrics(struct http_req *r, void *arg)
{
    const struct ua *u = arg;
    trunks_measure(u->trunks);
    metric_set(M_B2BUA_PORTS, 0, ports_taken(u->ports));
    health_metrics(r, METRIC_PROCESS | METRIC_SIP | METRIC_TLS | METRIC_HOPS | METRIC_GATE |
                          METRIC_B2BUA);
}

static json_t *text(struct span s)
{
    return s.p ? json_stringn(s.p, s.n) : json_null();
}

static json_t *describe(const struct call *c)
{
    const struct trunk_conf *from = c->party[SIDE_A].trunk, *to = c->party[SIDE_B].trunk;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "caller", text(c->caller), "called",
        text(c->called), "from", text(from ? from->name : SPAN("line")), "to",
        text(to ? to->name : SPAN("line")), "call_id", text(c->call_id[SIDE_A]), "began",
        http_time(c->began), "taken", http_time(c->taken), "early_media", c->early, "srtp_caller",
        text(call_srtp(c, SIDE_A)), "srtp_callee", text(call_srtp(c, SIDE_B)));
}

/* ---- what authd is told ---- */

/* Of many calls as many as there is room for; their number is whole. */
static char *sum_up(void *arg)
{
    enum { CALLS_SHOWN = 100 };
    const struct ua *u = arg;
    json_t *calls = json_array();
    list_for_each (it, &u->calls) {
        if (json_array_size(calls) == CALLS_SHOWN)
            break;
        json_array_append_new(calls, describe(container_of(it, struct call, link)));
    }
    json_t *j = json_pack("{s:o, s:b, s:I, s:o, s:o}", "since",
                          http_time((struct wall){ metric_get(M_PROCESS_START, 0) * 1000 }),
                          "draining", u->draining, "n_calls", (json_int_t)u->n_calls, "trunks",
                          trunks_describe(u->trunks), "calls", calls);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    if (text && strlen(text) > GATE_STATE_MAX) { /* who has such names */
        free(text);
        json_object_del(j, "calls");
        text = json_dumps(j, JSON_COMPACT);
    }
    json_decref(j);
    return text;
}

void status_summarize(struct ua *u)
{
    static const struct gate_count counts[] = { { "early_media", M_B2BUA_EARLY_MEDIA, 0 },
                                                { NULL } };
    static struct gate_summary summary = { .counts = counts, .state = sum_up };
    summary.arg = u;
    gate_summarize(u->gate, &summary);
}

static void get_calls(struct http_req *r, void *arg)
{
    struct ua *u = arg;
    json_t *all = json_array();
    list_for_each (it, &u->calls)
        json_array_append_new(all, describe(container_of(it, struct call, link)));
    http_reply_json(r, 200, json_pack("{s:o}", "calls", all));
}

static void get_early_media(struct http_req *r, void *arg)
{
    const struct early_media *e = &((const struct ua *)arg)->early_media;
    json_t *all = json_array();
    for (size_t i = 0; i < e->n; i++)
        json_array_append_new(all, json_pack("{s:o, s:I, s:o}", "source",
                                             text(span_str(e->sources[i].name)), "unanswered",
                                             (json_int_t)e->sources[i].unanswered, "last",
                                             http_time(e->sources[i].last)));
    http_reply_json(r, 200, json_pack("{s:o}", "sources", all));
}

static void get_trunks(struct http_req *r, void *arg)
{
    const struct ua *u = arg;
    http_reply_json(r, 200, json_pack("{s:o}", "trunks", trunks_describe(u->trunks)));
}

static void get_devices(struct http_req *r, void *arg)
{
    const struct ua *u = arg;
    http_reply_json(r, 200, json_pack("{s:o}", "devices", desks_describe(&u->desks)));
}

static void post_restart(struct http_req *r, void *arg)
{
    struct ua *u = arg;
    bool reset = span_eq(http_query(r, "how"), SPAN("reset"));
    if (desks_restart(&u->desks, http_param(r, "device"), reset))
        http_reply_json(r, 200, json_object());
    else
        http_problem(r, 404, "not-here", "No such phone here",
                     "it is not registered at this b2bua; see csctl device state");
}

static void post_test(struct http_req *r, void *arg)
{
    trunk_test(arg, r, http_param(r, "trunk"));
}

static void post_reload(struct http_req *r, void *arg)
{
    certs_answer(((struct ua *)arg)->certs, r);
}

int status_open(struct ua *u, struct httpd **out)
{
    static const struct http_route routes[] = {
        { "GET", "/healthz", health_alive, HTTP_PUBLIC },
        { "GET", "/readyz", get_ready, HTTP_PUBLIC },
        { "GET", "/metrics", get_metrics, HTTP_PUBLIC },
        { "GET", "/calls", get_calls, HTTP_PUBLIC },
        { "GET", "/early-media", get_early_media, HTTP_PUBLIC },
        { "GET", "/trunks", get_trunks, HTTP_PUBLIC },
        { "GET", "/devices", get_devices, HTTP_PUBLIC },
        { "POST", "/devices/{device}/restart", post_restart, HTTP_PUBLIC },
        { "POST", "/trunks/{trunk}/test", post_test, HTTP_PUBLIC },
        { "POST", "/reload", post_reload, HTTP_PUBLIC },
        { NULL },
    };
    struct httpd_conf conf = { .listen = u->conf->http.listen };
    return httpd_open(u->loop, &conf, routes, u, out);
}
