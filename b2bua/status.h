/* What the process says of itself over HTTP: /healthz, /readyz, /metrics, /calls, /devices. */
#ifndef CS_B2BUA_STATUS_H
#define CS_B2BUA_STATUS_H

#include "b2bua/ua/ua.h"
#include "http/httpd.h"

CS_CHECK int status_open(struct ua *u, struct httpd **out);

/* From now on authd is told how it goes, for whoever looks at the installation. */
void status_summarize(struct ua *u);

#endif
