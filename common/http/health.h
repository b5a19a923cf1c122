/* What monitors ask of every daemon. */
#ifndef CS_HTTP_HEALTH_H
#define CS_HTTP_HEALTH_H

#include "http/httpd.h"

/* For GET /healthz: alive, and which version. */
http_fn health_alive;
/* For GET /metrics: these parts (base/metric.h) as OpenMetrics. */
void health_metrics(struct http_req *r, unsigned parts);

#endif
