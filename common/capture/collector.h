/* The capture server that all messages are sent to, where configuration names one: HEPv3 over UDP,
 * TCP or TLS. What it does not take is lost and counted; nobody waits for it. */
#ifndef CS_CAPTURE_COLLECTOR_H
#define CS_CAPTURE_COLLECTOR_H

#include "base/ct.h"
#include "capture/hep.h"
#include "capture/settings.h"
#include "net/loop.h"

struct collector;

/* Settings are borrowed and outlive it; settings->collector is set. What is wrong was logged. */
CS_CHECK int collector_open(struct loop *l, const struct hep_settings *settings, const char *node,
                            struct collector **out);
void collector_close(struct collector **c);
/* agent, password and node are filled in here. */
void collector_send(struct collector *c, struct hep *h);

#endif
