/* The registrar's HTTP face: /healthz, /readyz and /metrics. */
#ifndef CS_REGISTRAR_STATUS_H
#define CS_REGISTRAR_STATUS_H

#include "http/httpd.h"
#include "registrar/front.h"

CS_CHECK int status_open(struct front *f, struct httpd **out);

/* From now on authd is told how it goes, for whoever looks at the installation. */
void status_summarize(struct front *f);

#endif
