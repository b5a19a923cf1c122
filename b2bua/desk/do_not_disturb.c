#include "b2bua/desk/do_not_disturb.h"

#include "b2bua/desk/keep.h"
#include "b2bua/ua/ua.h"

enum sccp_dnd do_not_disturb_of(const struct desk *d)
{
    return d->session->device->dnd;
}

void do_not_disturb_toggle(struct desk *d)
{
    Countersign__Auth__Keep m = COUNTERSIGN__AUTH__KEEP__INIT;
    m.has_do_not_disturb = true;
    if (do_not_disturb_of(d) == SCCP_DND_OFF)
        m.do_not_disturb = d->ua->conf->sccp.do_not_disturb == DO_NOT_DISTURB_REJECT
                               ? COUNTERSIGN__AUTH__DO_NOT_DISTURB__DND_REJECT
                               : COUNTERSIGN__AUTH__DO_NOT_DISTURB__DND_SILENT;
    keep_send(d, &m);
}
