#include "b2bua/dialplan/dial.h"

enum dialplan_dialled dial_press(struct dial *d, char key, const struct dialplan_context *context,
                                 struct span caller, struct wall now)
{
    struct dialplan_call call = { .caller = caller, .now = now };
    if (d->n == sizeof(d->digits))
        return DIALLED_NOWHERE;
    d->digits[d->n++] = key;
    call.called = dial_number(d);
    const enum dialplan_dialled dialled = dialplan_dialled(context, &call);
    if (key != '#' || dialled != DIALLED_NOWHERE)
        return dialled;
    call.called.n = --d->n;
    return dialplan_dialled(context, &call) >= DIALLED_COMPLETE ? DIALLED_COMPLETE
                                                                : DIALLED_NOWHERE;
}
