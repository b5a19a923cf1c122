/* Who sees the SIP messages of this process besides itself: operators who trace a user, a call or
 * a source (csctl trace, by way of authd), and a capture server. Where nobody looks nothing is
 * done. What is given out has its secrets masked. */
#ifndef CS_CAPTURE_CAPTURE_H
#define CS_CAPTURE_CAPTURE_H

#include "capture/settings.h"
#include "gate/gate.h"

enum { CAPTURE_TRACES = 8, CAPTURE_TEXT_MAX = 8192 };

struct capture;

struct capture_conf {               /* borrowed, and outlives the capture */
    struct siptp *tp;               /* whose tap it takes */
    const struct hep_settings *hep; /* NULL: no capture server */
    const char *node;
    /* Call-ID of the leg that the call of this message began with, borrowed for the call; absent:
     * its own. NULL: so it is always. */
    struct span (*origin)(void *arg, const struct sip_msg *m);
    void *arg;
};

CS_CHECK int capture_open(struct loop *l, const struct capture_conf *conf, struct capture **out);
/* From now on authd can ask for messages; the gate outlives the capture. */
void capture_use(struct capture *c, struct gate *g);
void capture_close(struct capture **c);

#endif
