#include "b2bua/desk/keep.h"

#include <stdlib.h>

#include "b2bua/sccp/text.h"
#include "b2bua/ua/ua.h"

enum { SHOWN_S = 5 };

struct keep {
    struct list link; /* desk.keeping */
    struct desk *desk;
    struct gate_keep *ask;
};

static void refuse(const struct desk *d)
{
    SCCP_SEND(d->session, display_notify, .timeout = SHOWN_S, .text = SCCP_LABEL("\x23"));
}

static void on_kept(void *arg, enum verdict kind, Countersign__Auth__Cause cause)
{
    struct keep *k = arg;
    const struct desk *d = k->desk;
    list_remove(&k->link);
    free(k);
    if (kind == VERDICT_ACCEPT)
        return;
    log_warn(&d->session->log, "what was set at the phone is not kept",
             kv_i("cause", (int64_t)cause));
    refuse(d);
}

void keep_send(struct desk *d, Countersign__Auth__Keep *m)
{
    struct keep *k = calloc(1, sizeof(*k));
    m->device = d->session->name;
    if (k) {
        *k = (struct keep){ .desk = d };
        k->ask = gate_keep(d->ua->gate, m, on_kept, k);
    }
    if (!k || !k->ask) {
        free(k);
        refuse(d);
        return;
    }
    list_push_back(&d->keeping, &k->link);
}

void keep_forget(struct desk *d)
{
    for (struct list *it; (it = list_pop(&d->keeping));) {
        struct keep *k = container_of(it, struct keep, link);
        gate_keep_cancel(k->ask);
        free(k);
    }
}
