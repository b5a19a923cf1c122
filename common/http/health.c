#include "http/health.h"

#include <stdlib.h>

#include "base/metric.h"

enum { METRICS_MAX = 4 * 1024 * 1024 /* what is not written is not there */ };

void health_alive(struct http_req *r, void *arg)
{
    (void)arg;
    http_reply_json(r, 200, json_pack("{s:s, s:s}", "status", "ok", "version", CS_VERSION));
}

void health_metrics(struct http_req *r, unsigned parts)
{
    char *text = malloc(METRICS_MAX);
    struct buf b = buf_of(text, text ? METRICS_MAX : 0);
    metric_write(&b, parts);
    if (buf_ok(&b))
        http_reply_text(r, 200, "application/openmetrics-text; version=1.0.0; charset=utf-8",
                        buf_span(&b));
    else
        http_problem(r, 503, "overloaded", "Out of memory", "Try again later.");
    free(text);
}
